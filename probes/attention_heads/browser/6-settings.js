// What a visitor set, as a link has it, and back. A link may say anything: what is not there is left out.

// What is off, with whole layers in short.
function offInShort({ data, now }) {
  const heads = Array.from({ length: data.heads }, (_, head) => head), off = [...now.off].sort((a, b) => a - b);
  const whole = (part) => part < data.cells && heads.every((head) => now.off.has(part - part % data.heads + head));
  const names = off.map((part) => (whole(part) ? `L${Math.floor(part / data.heads)}` : nameOf(data, part)));
  return [...new Set(names)].join(',');
}

function settings(scene) {
  const { data, now } = scene, first = { mode: data.mode, beyond: false, which: 'head', direction: 0 };
  const kept = Object.fromEntries(Object.keys(first).filter((key) => now[key] !== first[key]).map((key) => [key, now[key]]));
  if (now.part !== data.opens) kept.part = nameOf(data, now.part);
  if (now.off.size) kept.off = offInShort(scene);
  return kept;
}

// The parts of a name such as L1H2, L1 or M0; none where the tower has none of that name.
function partsOf(data, name) {
  const found = /^(?:L(\d{1,4})(?:H(\d{1,4}))?|M(\d{1,4}))$/.exec(typeof name === 'string' ? name : '');
  if (!found) return [];
  const [layer, head, mlp] = found.slice(1).map((text) => (text === undefined ? null : Number(text)));
  if (mlp !== null) return mlp < data.mlps ? [data.cells + mlp] : [];
  if (layer >= data.layers.length || head >= data.heads) return [];
  return head === null ? Array.from({ length: data.heads }, (_, one) => layer * data.heads + one) : [layer * data.heads + head];
}

function restore(scene, wanted) {
  const { data, now } = scene, [part, ...others] = partsOf(data, wanted.part), texts = scene.ui.modes.map(([key]) => key);
  if (part !== undefined && !others.length) now.part = part;
  if (texts.includes(wanted.mode)) now.mode = wanted.mode;
  if (['head', 'layer', 'all'].includes(wanted.which)) now.which = wanted.which;
  if (typeof wanted.beyond === 'boolean') now.beyond = wanted.beyond;
  if (Number.isInteger(wanted.direction) && wanted.direction >= 0) now.direction = Math.min(wanted.direction, 999);
  if (typeof wanted.off === 'string' && data.onto.length) {
    now.off = new Set(wanted.off.split(',').flatMap((name) => partsOf(data, name)));
  }
  draw(scene);
}
