// The words and pictures beside and below the plot: the card of a pair, the list of what the lasso
// holds, and the walk from a picture to its caption.

const LISTED = 60;

function buildSide(scene) {
  const { ui } = scene;
  ui.card = group('explorer-card', 'The pair');
  ui.shown = box('explorer-shown');
  ui.unpin = scene.button('explorer-unpin', 'Unpin', () => { pin(scene, null); ui.card.querySelector('.explorer-next').focus(); });
  ui.card.append(ui.shown, box('explorer-steps', scene.button('explorer-previous', 'Previous pair', () => step(scene, -1)),
    scene.button('explorer-next', 'Next pair', () => step(scene, 1)), ui.unpin));
  scene.on(ui.card, 'keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(scene, by);
  });
  ui.list = box('explorer-list');
  ui.list.hidden = true;
  for (const type of ['click', 'pointerover', 'pointerleave']) scene.on(ui.list, type, (event) => pointList(scene, event));
  return box('explorer-side', ui.card, ui.list);
}

function pin(scene, pair) {
  const { now, ui, data } = scene;
  Object.assign(now, { pinned: pair, hover: null });
  ui.live.textContent = pair === null ? 'Nothing is pinned.' : `Pinned pair ${pair + 1} of ${data.n}: ${data.captions[pair]}`;
  for (const node of ui.list.querySelectorAll('[data-pair]')) pressed(node, Number(node.dataset.pair) === pair);
  drawCard(scene);
  drawWalk(scene);
  scene.request();
}

function step(scene, by) {
  const { now: { pinned }, data: { n } } = scene;
  pin(scene, pinned === null ? (by > 0 ? 0 : n - 1) : (pinned + by + n) % n);
}

function hover(scene, index) {
  if (scene.now.hover === index) return;
  scene.now.hover = index;
  scene.ui.stage.classList.toggle('explorer-hit', index !== null);
  drawCard(scene);
  scene.request();
}

function drawCard({ data, now, ui }) {
  const pair = now.hover === null ? now.pinned : now.hover % data.n;
  ui.card.classList.toggle('explorer-empty', pair === null);
  ui.unpin.hidden = now.pinned === null;
  // A list keeps its place: pointing about while it is open does not push it down.
  ui.card.hidden = Boolean(now.chosen) && now.pinned === null;
  if (pair === null) {
    const hint = 'Point at a dot to see the picture and its caption. Click to pin the pair.';
    ui.shown.replaceChildren(make('p', 'explorer-hint', hint));
    return;
  }
  const head = box('explorer-head', make('span', '', `Pair ${pair + 1} of ${data.n}`));
  if (pair === now.pinned) head.append(make('span', 'explorer-badge', 'pinned'));
  const words = [data.names && data.names[pair], data.labels && `Label: ${data.labels[pair]}`,
    `Distance of the pair: ${fixed(data.distance[pair], 3)}`].filter(Boolean);
  const facts = box('explorer-facts', make('p', 'explorer-caption', data.captions[pair]),
    ...words.map((text) => make('p', 'explorer-fact', text)));
  ui.shown.replaceChildren(head, box('explorer-pair', ...(data.sprite ? [thumb(data, pair, 120)] : []), facts));
}

function drawWalk({ data, now: { pinned: pair }, ui }) {
  const { walk, captions } = data;
  ui.walk.hidden = !walk || pair === null;
  ui.walk.replaceChildren();
  if (ui.walk.hidden) return;
  const said = (text) => make('div', 'explorer-said', text, { title: text });
  const cosine = (value) => box('explorer-cosine', 'cos ' + fixed(value, 2));
  const strip = group('explorer-strip', 'Steps of the walk', { tabindex: 0 });
  strip.append(box('explorer-step explorer-end', box('explorer-at', 'its picture'), thumb(data, pair, 72)));
  walk.steps.forEach((at, k) => {
    const cell = pair * walk.steps.length + k;
    strip.append(box('explorer-step', box('explorer-at', fixed(at, 1)), thumb(data, walk.images[cell], 72),
      cosine(walk.imageCosines[cell]), said(captions[walk.texts[cell]]), cosine(walk.textCosines[cell])));
  });
  strip.append(box('explorer-step explorer-end', box('explorer-at', 'its caption'), said(captions[pair])));
  const text = 'At each step along the shortest way over the sphere: the nearest other picture and the nearest other caption.';
  ui.walk.append(box('explorer-heading', 'Walk from the picture to its caption'), make('p', 'explorer-small', text), strip);
}

function setChosen(scene, found) {
  scene.now.chosen = found;
  drawList(scene);
  drawCard(scene);
  recolour(scene);
}

// One listener for the whole list, which is built anew for every lasso.
function pointList(scene, event) {
  const node = event.target.closest('[data-index]');
  if (event.type === 'pointerover') hover(scene, node ? Number(node.dataset.index) : null);
  else if (event.type === 'pointerleave') hover(scene, null);
  else if (node) pin(scene, Number(node.dataset.pair));
  else if (event.target.closest('.explorer-clear')) { setChosen(scene, null); scene.ui.lasso.focus(); }
}

function drawList({ data, now, ui }) {
  ui.list.hidden = !now.chosen;
  ui.list.replaceChildren();
  if (!now.chosen) return;
  const all = [...now.chosen], { n } = data;
  const pictures = all.filter((i) => i < n), captions = all.filter((i) => i >= n);
  const count = (many, one) => `${many} ${one}${many === 1 ? '' : 's'}`;
  const said = `${count(pictures.length, 'picture')}, ${count(captions.length, 'caption')}`;
  ui.live.textContent = `The lasso holds ${said}.`;
  // Each kind may use what the other leaves of the sixty places.
  const shown = pictures.slice(0, Math.max(LISTED / 2, LISTED - captions.length));
  const rest = captions.slice(0, LISTED - shown.length), left = all.length - shown.length - rest.length;
  const item = (i, child, kind) => {
    const node = make('button', `explorer-button explorer-item explorer-item-${kind}`, [child], { type: 'button' });
    Object.assign(node.dataset, { index: i, pair: i % n });
    pressed(node, i % n === now.pinned);
    return node;
  };
  const clear = make('button', 'explorer-button explorer-clear', 'Clear', { type: 'button' });
  ui.list.append(box('explorer-head', make('span', '', said), clear),
    box('explorer-items', ...shown.map((i) => item(i, thumb(data, i, 48), data.sprite ? 'picture' : 'text'))),
    box('explorer-items', ...rest.map((i) => item(i, make('span', '', data.captions[i - n]), 'text'))));
  if (left) ui.list.append(make('p', 'explorer-small', `and ${left} more`));
}
