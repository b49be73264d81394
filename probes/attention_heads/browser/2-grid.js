// The grid of layers and heads, the MLPs beside it, and the sum under it.

const BLUE = [0, 114, 178], VERMILION = [213, 94, 0];
const NUMBERED = 9; // columns up to which numbers stand in the cells
const tint = (value, reach) => {
  const [r, g, b] = value < 0 ? BLUE : VERMILION;
  return `rgba(${r},${g},${b},${(0.8 * Math.min(1, Math.abs(value) / (reach || 1))).toFixed(3)})`;
};
const signed = (value, digits) => (value >= 0 ? '+' : '') + fixed(value, digits);
const inThousandths = (value) => fixed(1000 * value, 0).replace(/^(\d)/, '+$1');

function buildGrid(scene) {
  const { data, ui } = scene, columns = data.heads + 1 + Number(data.mlps > 0);
  ui.cells = [];
  const rows = data.layers.map((layer, at) => {
    const heads = Array.from({ length: data.heads }, (_, head) => cell(scene, at * data.heads + head));
    const mlp = data.mlps > at ? [cell(scene, data.cells + at)] : data.mlps ? [make('span', '')] : [];
    return [make('span', 'heads-layer', layer.replace(/^layer /, ''), { title: layer }), ...heads, ...mlp];
  });
  const titles = [make('span', 'heads-layer', ''),
    ...Array.from({ length: data.heads }, (_, head) => make('span', 'heads-title', String(head))),
    ...(data.mlps ? [make('span', 'heads-title', 'MLP')] : [])];
  ui.grid = group('heads-grid', 'Heads, layer by layer: choose one');
  ui.grid.classList.toggle('heads-dense', data.heads > NUMBERED);
  ui.grid.style.gridTemplateColumns = `minmax(1.6em, auto) repeat(${columns - 1}, minmax(0, 1fr))`;
  ui.grid.append(...titles, ...rows.flat());
  scene.on(ui.grid, 'click', (event) => {
    const node = event.target.closest('[data-part]');
    if (node) choose(scene, Number(node.dataset.part));
  });
  scene.on(ui.grid, 'keydown', (event) => walkGrid(scene, event));
  ui.sum = box('heads-sum');
  const dense = data.heads > NUMBERED ? 'Rows are layers, columns heads.' : 'Rows are layers, columns heads; in thousandths of a cosine.';
  return box('heads-left', make('p', 'explorer-small', dense), ui.grid, ui.sum,
    make('p', 'explorer-small', `Reconstruction error: the parts of the embedding sum to the whole within ${data.error.toExponential(0)}.`));
}

function cell(scene, part) {
  const node = make('button', 'heads-cell' + (part < scene.data.cells ? '' : ' heads-mlp'), '',
    { type: 'button', 'data-part': part, tabindex: '-1' });
  scene.ui.cells[part] = node;
  return node;
}

// Arrow keys walk over the grid, which is one stop for the tabulator.
function walkGrid(scene, event) {
  const { data, now, ui } = scene, wide = data.heads, head = now.part < data.cells;
  const row = head ? Math.floor(now.part / wide) : now.part - data.cells, column = head ? now.part % wide : wide;
  const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] || [];
  if (down === undefined) return;
  event.preventDefault();
  const to = clamp(row + down, 0, data.layers.length - 1), at = clamp(column + right, 0, wide - Number(data.mlps <= to));
  choose(scene, at === wide ? data.cells + to : to * wide + at);
  ui.cells[now.part].focus();
}

function drawGrid(scene) {
  const { data, now, ui } = scene, parts = ui.cells.map((_, part) => part);
  const values = parts.map((part) => effect(scene, part)), reach = Math.max(...values.map(Math.abs));
  for (const part of parts) {
    const node = ui.cells[part], off = now.off.has(part);
    node.style.background = off ? '' : tint(values[part], reach);
    node.classList.toggle('heads-off', off);
    pressed(node, part === now.part);
    node.tabIndex = part === now.part ? 0 : -1;
    node.textContent = data.heads > NUMBERED ? (values[part] < -0.15 * reach ? '−' : '') : inThousandths(values[part]);
    const told = `${titleOf(data, part)}: ${signed(values[part], 4)}${off ? ', switched off' : ''}`;
    node.setAttribute('aria-label', told);
    node.title = told;
  }
  drawSum(scene, values);
}

function drawSum(scene, values) {
  const { data, now, ui } = scene, by = MODES[now.mode];
  const add = (from, to) => values.slice(from, to).reduce((a, b) => a + b, 0);
  const heads = add(0, data.cells), mlps = add(data.cells);
  const whole = by(...data.similarity) - (now.beyond ? by(...data.usual_similarity) : 0);
  const rest = whole - heads - mlps;
  const item = (title, value, sign) => make('span', 'heads-term', [make('span', 'explorer-small', title), make('b', '', sign(value))]);
  const terms = [item('heads', heads, (v) => signed(v, 3)), item('MLPs', mlps, (v) => signed(v, 3)),
    item('rest', rest, (v) => signed(v, 3)), make('span', 'heads-equals', '='),
    item(now.beyond ? 'beyond other pictures' : now.mode === 'contrast' ? 'difference' : 'similarity', whole, (v) => signed(v, 3))];
  if (now.off.size) {
    terms.push(make('span', 'heads-equals', '→'), item('with parts off', similarity(scene), (v) => signed(v, 3)));
  }
  ui.sum.replaceChildren(...terms);
}
