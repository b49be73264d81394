// The controls and what they do: the bar of views, dimensions and colours, the slider along the gap
// with its tiles of curves and values, and the moves.

function buildBar(scene) {
  const { ui, data, now } = scene;
  ui.views = group('explorer-group', 'View');
  ui.dimensions = group('explorer-group', 'Dimensions');
  for (const [key, view] of Object.entries(data.views)) viewButton(scene, key, view.title);
  for (const [key, title] of Object.entries(data.waiting)) viewButton(scene, key, title).disabled = true;
  for (const count of [2, 3]) {
    const choose = () => setView(scene, now.view, count);
    ui.dimensions.append(scene.button('explorer-dimension', count + '-D', choose, { 'data-dimensions': count }));
  }
  const colour = ui.colour = make('select', 'explorer-colour');
  for (const [key, title] of Object.entries(COLOURINGS)) {
    if ((key === 'label' && !data.labels) || (key === 'norm' && !data.norm)) continue;
    colour.append(make('option', '', title, { value: key }));
  }
  scene.on(colour, 'change', () => { now.colour = colour.value; recolour(scene); });
  ui.lasso = scene.button('explorer-lasso', 'Lasso', () => { now.lasso = !now.lasso; syncControls(scene); });
  return box('explorer-bar', ui.views, ui.dimensions, make('label', 'explorer-choice', ['Colour by', colour]), ui.lasso,
    scene.button('explorer-save', 'Save picture', () => save(scene)));
}

function viewButton(scene, key, title) {
  const { views } = scene.ui, found = [...views.children].find((node) => node.dataset.view === key);
  const choose = () => setView(scene, key, scene.now.dimensions);
  return found || views.appendChild(scene.button('explorer-view', title, choose, { 'data-view': key }));
}

function buildSlider(scene) {
  const { ui, data } = scene, words = 'Move the two clouds along the gap';
  ui.slider = make('input', 'explorer-slider', [], { type: 'range', min: -1, max: 1, step: 0.025, 'aria-label': words });
  ui.slider.value = 0;
  scene.on(ui.slider, 'input', () => slide(scene, Number(ui.slider.value)));
  ui.delta = make('span', 'explorer-delta');
  const marks = [['−1', 'further apart'], ['0', 'as it is'], ['+1', 'towards one another']]
    .map(([number, text]) => box('explorer-tick', make('b', '', number), make('span', '', text)));
  const reset = scene.button('explorer-reset', 'Reset', () => setMove(scene, null));
  ui.tiles = data.slider.series.map((series) => makeTile(data.slider.deltas, series));
  return box('explorer-readouts', box('explorer-heading', make('span', '', words), ui.delta, reset),
    box('explorer-rail', ui.slider, box('explorer-ticks', ...marks)), box('explorer-tiles', ...ui.tiles.map((tile) => tile.node)),
    make('p', 'explorer-small explorer-tiles-note', data.slider.note || ''));
}

function buildMoves(scene) {
  const { ui, data } = scene, words = 'Do something else to them';
  ui.moves = group('explorer-moves', words);
  for (const { key, title } of [{ key: '', title: 'As it is' }, ...data.moves]) {
    ui.moves.append(scene.button('explorer-move', title, () => setMove(scene, key || null), { 'data-key': key }));
  }
  ui.moveNote = make('p', 'explorer-small explorer-move-note', '', { role: 'status' });
  return box('explorer-others', box('explorer-heading', words), ui.moves, ui.moveNote);
}

function setView(scene, key, dimensions) {
  scene.hoped = null; // what a link asked for before it was there
  const view = scene.data.views[key];
  Object.assign(scene.now, { view: key, dimensions: view.fixed && !view.points3 ? 2 : dimensions, hover: null });
  scene.blend = 1;
  home(scene);
  settle(scene);
}

function home(scene) {
  Object.assign(scene.now, { zoom: 1, pan: [0, 0], ...firstTurn(scene.view) });
  scene.shift();
}

function slide(scene, delta) {
  if (scene.now.move) glide(scene, { move: null });
  scene.now.delta = delta;
  scene.stale = true;
  scene.ui.slider.setAttribute('aria-valuetext', fixed(delta, 3));
  scene.shift();
}

function setMove(scene, key) {
  glide(scene, { move: key, delta: 0 });
  if (scene.ui.slider) scene.ui.slider.value = 0;
}

// Starts a walk from where the points are now to where they belong.
function glide(scene, change) {
  const from = spots(scene).slice();
  Object.assign(scene.now, change);
  if (!scene.view.fixed && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
    Object.assign(scene, { start: from, blend: 0, began: performance.now() });
    scene.brush.upload('start', from);
  }
  settle(scene);
}

function settle(scene) {
  scene.brush.upload('base', footing(scene));
  scene.stale = true;
  syncControls(scene);
  scene.shift();
}

function syncControls({ view, move, ui, now }) {
  const flat = Boolean(view.fixed && !view.points3);
  for (const node of ui.views.children) pressed(node, node.dataset.view === now.view);
  for (const node of ui.dimensions.children) {
    pressed(node, Number(node.dataset.dimensions) === now.dimensions);
    node.disabled = node.dataset.dimensions === '3' && flat;
  }
  pressed(ui.lasso, now.lasso);
  ui.stage.classList.toggle('explorer-cross', now.lasso);
  const notes = [view.note, view.fixed ? `${view.title} is not moved by the slider.` : ''];
  ui.note.textContent = notes.filter(Boolean).join(' ');
  if (!ui.moves) return;
  for (const node of ui.moves.children) pressed(node, (node.dataset.key || null) === now.move);
  ui.moveNote.textContent = move ? move.note : '';
}

const known = (value) => value !== null && value !== undefined;

function valueAt(deltas, values, delta) {
  const beyond = deltas.findIndex((one) => one >= delta - 1e-9), k = beyond < 0 ? deltas.length - 1 : Math.max(1, beyond);
  const f = clamp((delta - deltas[k - 1]) / (deltas[k] - deltas[k - 1]), 0, 1);
  if (f < 1e-6) return values[k - 1];
  if (f > 1 - 1e-6) return values[k];
  return known(values[k - 1]) && known(values[k]) ? values[k - 1] + (values[k] - values[k - 1]) * f : null;
}

function written({ percent, digits = 3 }, value) {
  if (!known(value) || !isFinite(value)) return '–';
  return percent ? fixed(100 * value, Math.max(0, digits - 2)) + ' %' : fixed(value, digits);
}

// Least and largest of a series, apart enough that what its digits cannot show does not look like a swing.
function roomy(series) {
  const [low, high] = bounds(series.values.filter(known));
  const missing = (series.percent ? 0.02 : 8 * 10 ** -series.digits) - (high - low);
  return missing > 0 ? [low - missing / 2, high + missing / 2] : [low, high];
}

// A tile of one series: its value, its curve, and where each value lies in the curve's box.
function makeTile(deltas, series) {
  const [low, high] = roomy(series), first = deltas[0], width = deltas[deltas.length - 1] - first;
  const across = (delta) => (100 * (delta - first) / width).toFixed(2);
  const level = (value) => (high > low ? 5 + 30 * (high - value) / (high - low) : 20).toFixed(2);
  let curve = '', drawn = false;
  series.values.forEach((value, k) => {
    if (known(value)) curve += `${drawn ? 'L' : 'M'}${across(deltas[k])} ${level(value)}`;
    drawn = known(value);
  });
  const value = box('explorer-value'), dot = make('path', 'explorer-dot');
  const path = (className, d) => make('path', className, [], { d });
  const spark = make('svg', 'explorer-spark', [path('explorer-zero', `M${across(0)} 0V40`), path('explorer-curve', curve), dot],
    { viewBox: '0 0 100 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  const node = box('explorer-tile', box('explorer-tile-title', series.title), value, spark,
    box('explorer-was', `as it is ${written(series, valueAt(deltas, series.values, 0))}`));
  node.dataset.key = series.key;
  const spot = (delta, found) => `M${across(delta)} ${level(clamp(found, low, high))}h.01`;
  return { series, node, value, dot, spot, bare: low > high };
}

function drawReadouts(scene) {
  const { ui, now, move, data } = scene;
  scene.stale = false;
  if (!ui.slider) return;
  ui.delta.textContent = now.move ? '–' : (now.delta > 0 ? '+' : '') + fixed(now.delta, 3);
  for (const { series, value, dot, spot, bare } of ui.tiles) {
    const found = move ? (move.values || {})[series.key] : valueAt(data.slider.deltas, series.values, now.delta);
    value.textContent = written(series, found);
    value.dataset.value = found ?? '';
    dot.style.display = known(found) && !bare ? '' : 'none';
    dot.classList.toggle('explorer-elsewhere', Boolean(move));
    if (known(found)) dot.setAttribute('d', spot(now.delta, found));
  }
}
