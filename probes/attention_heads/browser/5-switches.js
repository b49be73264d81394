// What is switched off, and the way to see any page with it off.

function written(scene) {
  const { data, now } = scene;
  return [...now.off].sort((a, b) => a - b).map((part) => nameOf(data, part)).join(',');
}

// The model with these parts off; parts that were off before stay off.
function specOff(scene) {
  const { data } = scene, at = data.model.lastIndexOf('~'), off = written(scene);
  return at < 0 ? `${data.model}~${off}` : `${data.model.slice(0, at)}~${data.model.slice(at + 1)},${off}`;
}

function buildOff(scene) {
  scene.ui.off = box('heads-bar');
  return scene.ui.off;
}

function drawOff(scene) {
  const { data, now, ui } = scene;
  if (!data.onto.length) {
    ui.off.replaceChildren(make('p', 'explorer-small', 'This tower has too many heads to switch off here: write them under “Switch heads off”.'));
    return;
  }
  const layer = Math.floor(now.part / data.heads), inLayer = now.part < data.cells;
  const heads = inLayer ? Array.from({ length: data.heads }, (_, head) => layer * data.heads + head) : [];
  const buttons = [
    ...(inLayer ? [scene.button('', `Switch off ${data.layers[layer]}`, () => { heads.forEach((head) => now.off.add(head)); draw(scene); })] : []),
    ...(now.off.size ? [scene.button('heads-reset', 'Switch all on', () => { now.off.clear(); draw(scene); })] : []),
  ];
  const told = now.off.size
    ? [make('p', '', [make('span', '', 'Off, each at its mean over other pictures: '), make('code', 'heads-code', written(scene))])]
    : [make('p', 'explorer-small', 'Switch heads off and see the similarity and the maps move; then ask any page with them off.')];
  ui.off.replaceChildren(...told, box('heads-buttons', ...buttons), ...(now.off.size ? [links(scene)] : []));
}

function links(scene) {
  const { data } = scene, query = new URLSearchParams({ model: data.model, beside: specOff(scene) });
  const items = (data.pages || []).map(({ title, address }) => make('a', 'heads-link', title, { href: `.${address}?${query}` }));
  return box('heads-links', make('span', 'explorer-small', 'Everything on, and beside it these off:'), ...items);
}
