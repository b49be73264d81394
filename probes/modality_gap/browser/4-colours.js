// What the points are coloured by, the legend that says so, and the theme read from the style sheet.

const PALETTE = ['#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#F0E442'];
const OTHERS = [139, 145, 154];
// Cividis by day; by night its dark end is lifted so that it stays visible on a dark ground.
const SCALES = {
  day: ['#00204c', '#31446b', '#666970', '#958f78', '#cab969', '#ffea46'],
  night: ['#4a6fc0', '#6d83b4', '#8f93a0', '#b3a97c', '#d9c45f', '#ffea46'],
};
const COLOURINGS = {
  modality: 'picture or caption', label: 'label', distance: 'distance of the pair', norm: 'length before normalisation',
};

// Says whether anything changed.
function readTheme(scene) {
  const { root } = scene.ui, style = getComputedStyle(root), before = JSON.stringify(scene.theme);
  const names = ['ground', 'ink', 'quiet', 'line', 'grid', 'picture', 'caption', 'accent'];
  scene.theme = { font: '13px ' + style.fontFamily, bold: '600 14px ' + style.fontFamily, dark: Boolean(root.closest('.dark')) };
  for (const name of names) scene.theme[name] = style.getPropertyValue('--explorer-' + name).trim() || '#808080';
  return before !== JSON.stringify(scene.theme);
}

function labelColours({ labels, n }) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) || 0) + 1);
  const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, PALETTE.length);
  const colours = new Map(common.map(([label], k) => [label, rgb(PALETTE[k])]));
  const legend = common.map(([label, count], k) => [PALETTE[k], `${label} (${count})`]);
  if (counts.size > common.length) legend.push([css(OTHERS), `${counts.size - common.length} others`]);
  return { of: (i) => colours.get(labels[i % n]) || OTHERS, legend };
}

function scaleColours(values, what, dark) {
  const stops = SCALES[dark ? 'night' : 'day'].map(rgb), [low, high] = bounds(values);
  const of = (i) => {
    const f = (values[i % values.length] - low) / Math.max(high - low, 1e-9) * (stops.length - 1);
    const k = clamp(Math.floor(f), 0, stops.length - 2);
    return mix(stops[k], stops[k + 1], f - k);
  };
  return { of, legend: [], scale: { low, high, what, stops } };
}

function colouring({ data, now, theme }) {
  if (now.colour === 'label') return labelColours(data);
  if (now.colour !== 'modality') return scaleColours(data[now.colour], COLOURINGS[now.colour], theme.dark);
  const sides = [rgb(theme.picture), rgb(theme.caption)];
  return { of: (i) => sides[i < data.n ? 0 : 1], legend: [] };
}

// The fourth byte dims what lies outside the lasso.
function tints({ data, now, paint }) {
  const out = new Uint8Array(8 * data.n);
  for (let i = 0; i < 2 * data.n; i++) {
    out.set(paint.of(i), 4 * i);
    out[4 * i + 3] = now.chosen && !now.chosen.has(i) ? 56 : 255;
  }
  return out;
}

function recolour(scene) {
  scene.paint = colouring(scene);
  scene.brush.upload('tint', tints(scene));
  scene.groundMark = scene.overMark = null; // axes and overlay wear the theme's colours, too
  drawLegend(scene);
  scene.request();
}

// The colours of the two kinds, as legend and saved picture show them beside their shapes.
const kinds = ({ now, theme }, neutral) => [[theme.picture, 'pictures'], [theme.caption, 'captions']]
  .map(([colour, name]) => [now.colour === 'modality' ? colour : neutral, name]);

function drawLegend(scene) {
  const { legend, scale } = scene.paint;
  const swatch = (className, background) => make('span', className, [], { style: 'background:' + background });
  const key = (...content) => make('span', 'explorer-key', content);
  const shapes = ['explorer-circle', 'explorer-diamond'], items = [...kinds(scene, 'currentColor'), ...legend];
  scene.ui.legend.replaceChildren(...items.map(([colour, text], k) => (
    key(swatch(`explorer-swatch ${shapes[k] || 'explorer-square'}`, colour), text))));
  if (!scale) return;
  const bar = swatch('explorer-scale', `linear-gradient(90deg,${scale.stops.map(css)})`), say = (text) => make('span', '', text);
  scene.ui.legend.append(key(say(fixed(scale.low, 2)), bar, say(fixed(scale.high, 2)), say(scale.what)));
}
