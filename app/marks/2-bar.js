// What the editor of marks shows: its toolbar, made once and told each time how things stand, and its overlay.
(() => {
  const {handles, outline} = window.clipspect.shapes;
  const ICONS = {circle: 'M10 3a7 7 0 1 0 .01 0z', ellipse: 'M10 5a8 5 0 1 0 .01 0z', rectangle: 'M3 4.5h14v11H3z',
    arrow: 'M4 16L15.5 4.5M8.5 4.5h7v7', point: 'M10 7a3 3 0 1 0 .01 0z'};
  const IDLE = {arrow: ['fill'], point: ['width']};  // what a shape has no use for
  const capital = (word) => word[0].toUpperCase() + word.slice(1);

  function made(node, attributes, children) {
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
    node.append(...children);
    return node;
  }
  const html = (name, attributes, ...children) => made(document.createElement(name), attributes, children);
  const svg = (name, attributes, ...children) => (
    made(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children));

  function button(label, className, done, ...children) {
    const one = html('button', {type: 'button', class: className}, ...children);
    if (children.some((child) => child instanceof Element)) {
      one.setAttribute('aria-label', label);
      one.title = label;
    } else one.textContent = label;
    one.addEventListener('click', done);
    return one;
  }
  const group = (label, className, ...children) => (
    html('div', {role: 'group', 'aria-label': label, class: className}, ...children));

  // Buttons of which one is pressed: returns the group, and what presses one by its name.
  function choice(label, className, names, face, done) {
    const buttons = Object.fromEntries(names.map((name) => (
      [name, button(capital(name), 'marks-choice', () => done(name), face(name))])));
    const press = (chosen, able) => Object.entries(buttons).forEach(([name, one]) => {
      one.setAttribute('aria-pressed', String(name === chosen));
      one.disabled = !able;
    });
    return [group(label, className, ...Object.values(buttons)), press];
  }

  // A slider for a share, shown in percent; while it is moved it is not set from outside.
  function slider(label, title, [min, max], step, done) {
    const input = html('input', {type: 'range', min, max, step});
    const shown = html('output', {});
    let moving = false;
    input.addEventListener('input', () => { moving = true; done(Number(input.value), false); });
    // There is no `change` when it is brought back to where it was.
    ['change', 'pointerup', 'pointercancel', 'blur'].forEach((name) => input.addEventListener(name, () => {
      if (moving) done(Number(input.value), true);
      moving = false;
    }));
    const whole = html('label', {class: 'marks-slider', title}, html('span', {}, label), input, shown);
    const set = (value, able) => {
      input.disabled = !able;
      whole.classList.toggle('marks-idle', !able);
      if (!moving) input.value = value;
      shown.textContent = able ? `${Number((100 * value).toFixed(1))} %` : '–';
      input.setAttribute('aria-valuetext', shown.textContent);
      input.style.setProperty('--share', `${100 * (input.value - min) / (max - min)}%`);
    };
    return [whole, set];
  }

  // Numbers of the marks, when there are several; made anew only when there are more or fewer, so that focus stays.
  function numbers(editor) {
    const whole = group('Marks', 'marks-numbers');
    return [whole, () => {
      const {list, active} = editor;
      whole.hidden = list.length < 2;
      if (whole.children.length !== list.length) {
        whole.replaceChildren(...list.map((mark, index) => (
          button(String(index + 1), 'marks-choice', () => editor.choose(index)))));
      }
      [...whole.children].forEach((one, index) => {
        one.setAttribute('aria-pressed', String(index === active));
        one.setAttribute('aria-label', `Mark ${index + 1}: ${list[index].colour} ${list[index].shape}`);
      });
    }];
  }

  const icon = (name) => svg('svg',
    {viewBox: '0 0 20 20', class: `marks-icon marks-icon-${name}`, 'aria-hidden': 'true'}, svg('path', {d: ICONS[name]}));

  function toolbar(editor) {
    const swatch = (name) => {
      const dot = html('i', {class: 'marks-ink'});
      dot.style.background = editor.colours[name];
      return dot;
    };
    const [shapes, pressShape] = choice('Shape', 'marks-shapes', editor.shapes, icon, (name) => editor.shape(name));
    const [inks, pressInk] = choice('Colour', 'marks-inks', Object.keys(editor.colours), swatch,
      (name) => editor.style('colour', name, true));
    const height = 'share of the picture’s height';
    const [size, setSize] = slider('Size', `Size, ${height}`, editor.radii, 0.005,
      (value, done) => editor.resize(value, done));
    const [width, setWidth] = slider('Line', `Line width, ${height}`, editor.widths, 0.001,
      (value, done) => editor.style('width', value, done));
    const [fill, setFill] = slider('Fill', 'Opacity of the ink inside', [0, 1], 0.05,
      (value, done) => editor.style('fill', value, done));
    const [list, setList] = numbers(editor);
    const add = button('Add a mark', 'marks-do', () => editor.add());
    const remove = button('Remove', 'marks-do', () => {
      editor.remove();
      if (remove.disabled) add.focus();  // a button that is off loses the focus, and a keyboard its place
    });
    editor.bar.classList.add('marks-bar');
    editor.bar.append(shapes, inks, group('Size, line and fill', 'marks-sliders', size, width, fill),
      html('div', {class: 'marks-deeds'}, add, remove, list));
    return (mark, picture) => {
      const {shape, colour, radius, width: line, fill: ink} = editor.next;
      const able = (name) => picture && Boolean(mark) && !(IDLE[shape] || []).includes(name);
      pressShape(shape, picture);
      pressInk(colour, picture);
      setSize(radius, able('size'));
      setWidth(line, able('width'));
      setFill(ink, able('fill'));
      setList();
      add.disabled = !picture || editor.list.length >= editor.most;
      remove.disabled = !picture || !mark || editor.list.length <= editor.fewest;
    };
  }

  // What lies over the picture: the other marks faintly, the active one with its handles, and what the hand made of it.
  function sketch(editor, mark, view) {
    const line = (one, name) => svg('path', {class: name, d: outline(one, view)});
    const both = (one, name) => [line(one, `marks-under ${name}`), line(one, name)];
    const others = editor.list.filter((one) => one !== mark).flatMap((one) => both(one, 'marks-faint'));
    if (!mark) return others;
    const parts = [];
    // In its own ink, cut at the picture's edge as the server does, until the picture itself shows it.
    if (JSON.stringify(editor.read()[editor.active]) !== JSON.stringify(mark)) {
      const ink = editor.colours[mark.colour] || mark.colour;
      const preview = line(mark, 'marks-preview');
      Object.assign(preview.style, {stroke: ink, strokeWidth: mark.width * view.height, fill: ink,
        fillOpacity: mark.shape === 'arrow' ? 0 : mark.fill});
      parts.push(svg('svg', {width: view.width, height: view.height, overflow: 'hidden'}, preview));
    }
    if (mark.shape === 'ellipse') parts.push(...both({...mark, shape: 'rectangle'}, 'marks-faint'));
    // A handle beyond the picture's frame cannot be reached, so it is not shown.
    const [x, y] = [view.box.left - view.left, view.box.top - view.top];
    const reached = handles(mark, view).filter(([cx, cy]) => (
      cx >= x - 1 && cy >= y - 1 && cx <= x + view.box.width + 1 && cy <= y + view.box.height + 1));
    return [...others, ...parts, ...both(mark, 'marks-active'),
      ...reached.map(([cx, cy]) => svg('circle', {class: 'marks-handle', cx, cy, r: 5}))];
  }

  Object.assign(window.clipspect, {svg, toolbar, sketch});
})();
