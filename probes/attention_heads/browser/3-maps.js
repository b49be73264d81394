// The picture under what the chosen heads add through each patch, and beside it where they attend.

const GREEN = [0, 158, 115];

function buildMaps(scene) {
  const { data, ui } = scene;
  const panel = (title) => {
    const canvas = make('canvas', 'heads-over', [], { width: 1, height: 1 }), told = make('p', 'explorer-small', '');
    const picture = make('img', 'heads-picture', [], { alt: 'What the tower sees', src: data.view });
    return { canvas, told, node: box('heads-panel', make('p', 'heads-panel-title', title), box('heads-frame', picture, canvas), told) };
  };
  ui.map = panel('Adds to the text');
  ui.attends = panel('Attends to');
  ui.which = group('explorer-group', 'Which heads are mapped');
  ui.whichButtons = Object.entries({ head: 'This head', layer: 'Its layer', all: 'All heads' }).map(([key, title]) => {
    const node = scene.button('', title, () => { scene.now.which = key; draw(scene); });
    return [key, node];
  });
  ui.which.append(...ui.whichButtons.map(([, node]) => node));
  return box('heads-right', ui.which, box('heads-panels', ui.map.node, ui.attends.node));
}

function drawMaps(scene) {
  const { data, now, ui } = scene, alone = now.part >= data.cells;
  for (const [key, node] of ui.whichButtons) {
    pressed(node, key === (alone ? 'all' : now.which));
    node.disabled = alone && key !== 'all';
  }
  const map = mapOf(scene), reach = Math.max(...map.map(Math.abs));
  paint(ui.map.canvas, data.grid, map, (value) => [...(value < 0 ? BLUE : VERMILION), 0.8 * Math.abs(value) / (reach || 1)]);
  const total = map.reduce((a, b) => a + b, 0);
  ui.map.told.textContent = `${signed(total, 4)} through patches, ${signed(Math.min(...map), 4)} to ${signed(Math.max(...map), 4)} a patch`;
  const attention = attentionOf(scene);
  ui.attends.node.hidden = !attention;
  if (!attention) return;
  const most = Math.max(...attention);
  paint(ui.attends.canvas, data.grid, attention, (value) => [...GREEN, 0.85 * value / (most || 1)]);
  const looked = attention.reduce((a, b) => a + b, 0);
  ui.attends.told.textContent = `${Math.round(100 * looked)} % of its attention is on patches, at most ${(100 * most).toFixed(1)} % on one`;
}

// One square of colour for each patch: a map is never finer than the tower's patches.
function paint(canvas, [rows, columns], values, colour) {
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext('2d'), image = context.createImageData(columns, rows);
  values.forEach((value, at) => {
    const [r, g, b, opacity] = colour(value);
    image.data.set([r, g, b, Math.round(255 * opacity)], 4 * at);
  });
  context.putImageData(image, 0, 0);
}
