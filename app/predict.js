// Predict first: answers stay covered until the visitor has said what they expect. What is right is known to the page;
// this is a game for a class, not an examination. Text goes in through textContent alone.
(() => {
  const KEY = 'clipspect-predict', TALLY = 'clipspect-tally';
  const made = (tag, text, options = {}) => Object.assign(document.createElement(tag), {textContent: text, ...options});

  function kept(key) {
    try { return window.sessionStorage.getItem(key); } catch (error) { return null; }
  }

  function keep(key, text) {
    try { window.sessionStorage.setItem(key, text); } catch (error) { /* private */ }
  }

  // A link says it, or this tab said so before.
  const asked = new URLSearchParams(window.location.search).get('predict');
  let on = asked ? asked === 'on' : kept(KEY) === 'on';

  function tally(right, count) {
    const before = JSON.parse(kept(TALLY) || '[0, 0]');
    const now = [before[0] + right, before[1] + count];
    keep(TALLY, JSON.stringify(now));
    return now;
  }

  function predict(element, props, watch, trigger) {
    const root = element.querySelector('.guess');
    let told = null, picks = [], shown = false;

    // What failed or was stopped has no question, and is not hidden: the page says why.
    const hides = () => on && !shown && !(told && told.over && !told.sides.length);

    function cover() {
      document.body.classList.toggle('clipspect-covered', hides());
      if (!hides()) window.dispatchEvent(new Event('resize'));
    }

    function turn(wanted) {
      on = wanted;
      keep(KEY, on ? 'on' : 'off');
      draw();
      trigger('submit');
    }

    function button(text, pressed, click, kind = '') {
      const one = made('button', text, {type: 'button', className: kind});
      if (pressed !== null) one.setAttribute('aria-pressed', String(pressed));
      one.addEventListener('click', click);
      return one;
    }

    function choices(side, place) {
      const group = made('fieldset', '', {className: 'guess-side'});
      group.append(made('legend', side.name));
      side.options.forEach((text, number) => {
        const label = made('label', '');
        const radio = made('input', '', {type: 'radio', name: 'guess-' + place, checked: picks[place] === number});
        radio.addEventListener('change', () => { picks[place] = number; draw(); });
        label.append(radio, made('span', text));
        group.append(label);
      });
      return group;
    }

    function ask() {
      const box = made('div', '', {className: 'guess-card'});
      if (!told || !told.sides.length) {
        box.append(made('p', 'The answer is on its way. It stays covered until you have said what you expect.'));
        return box;
      }
      for (const [place, side] of told.sides.entries()) {
        const before = told.sides[place - 1];
        if (!before || before.question !== side.question) box.append(made('p', side.question, {className: 'guess-question'}));
      }
      const sides = made('div', '', {className: 'guess-sides'});
      sides.append(...told.sides.map(choices));
      const ready = told.sides.every((_, place) => picks[place] !== undefined);
      const go = button(ready ? 'Show the answer' : 'Show it without guessing', null, reveal, ready ? 'guess-go' : '');
      box.append(sides, go);
      return box;
    }

    function reveal() {
      shown = true;
      const guessed = told.sides.filter((_, place) => picks[place] !== undefined);
      const right = told.sides.filter((side, place) => picks[place] === side.right);
      told.tally = guessed.length ? tally(right.length, guessed.length) : null;
      draw();
    }

    function verdict() {
      const list = made('ul', '', {className: 'guess-card guess-told'});
      list.setAttribute('role', 'status');
      told.sides.forEach((side, place) => {
        const said = side.options[picks[place]];
        const words = said === undefined ? `it was “${side.options[side.right]}”.`
          : picks[place] === side.right ? `you said “${said}”, and so it is.`
          : `you said “${said}”; it is “${side.options[side.right]}”.`;
        list.append(made('li', `${side.name}: ${words} ${side.told}`));
      });
      if (told.tally) list.append(made('li', `In this tab ${told.tally[0]} of ${told.tally[1]} guesses were right.`));
      return list;
    }

    function draw() {
      root.replaceChildren(button('Predict first', on, () => turn(!on), 'guess-turn'));
      if (hides()) root.append(ask());
      if (on && shown && told && told.sides.length) root.append(verdict());
      cover();
    }

    function take() {
      const next = props.value ? JSON.parse(props.value) : null;
      if (!told || !next || next.stamp !== told.stamp) {
        picks = [];
        shown = false;
      }
      told = next;
      draw();
    }

    watch('value', take);
    take();
  }

  window.clipspect.predict = predict;
  window.clipspect.predicting = () => on;
})();
