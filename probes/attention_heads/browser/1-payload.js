// Turns the payload into typed arrays, and works out what a visitor's choices make of them.

const MODES = { contrast: (first, others) => first - others, first: (first) => first, others: (first, others) => others };

function decode(payload) {
  const { layers, heads, mlps, grid, others } = payload, cells = layers.length * heads, patches = grid[0] * grid[1];
  const pair = (text, size) => { const all = floats(text); return [all.subarray(0, size), all.subarray(size)]; };
  return {
    ...payload, cells, patches,
    effects: pair(payload.effects, cells), usual: pair(payload.usual, cells),
    mlpEffects: pair(payload.mlp_effects, mlps), mlpUsual: pair(payload.mlp_usual, mlps),
    p: floats(payload.p), maps: pair(payload.maps, cells * patches), attention: floats(payload.attention),
    products: floats(payload.products), onto: floats(payload.onto),
    mode: others ? 'contrast' : 'first',
    sprite: payload.sprite && { ...payload.sprite, uri: address(payload.sprite.uri) },
  };
}

// A part of the tower: heads layer by layer, then MLPs; its name as it is written behind a model.
const nameOf = (data, part) => (part < data.cells
  ? `L${Math.floor(part / data.heads)}H${part % data.heads}` : `M${part - data.cells}`);
const titleOf = (data, part) => (part < data.cells
  ? `Head ${part % data.heads} of ${data.layers[Math.floor(part / data.heads)]}`
  : `MLP of ${data.layers[part - data.cells]}`);

// What the parts add to the similarity of the chosen mode; beyond what they add to other pictures if asked.
function effect({ data, now }, part, beyond = now.beyond) {
  const head = part < data.cells, at = head ? part : part - data.cells, by = MODES[now.mode];
  const [own, usual] = head ? [data.effects, data.usual] : [data.mlpEffects, data.mlpUsual];
  const less = beyond ? by(usual[0][at], usual[1][at]) : 0;
  return by(own[0][at], own[1][at]) - less;
}

// How long the embedding is once the parts that are off write their mean, before it is a unit vector again.
function lengthLeft({ data, now }) {
  const off = [...now.off], count = data.onto.length;
  let squared = 1;
  for (const a of off) {
    squared -= 2 * data.onto[a];
    for (const b of off) squared += data.products[a * count + b];
  }
  return Math.sqrt(Math.max(squared, 1e-12));
}

// The similarity with the parts that are off at their mean over other pictures: exact.
function similarity(scene) {
  const { data, now } = scene, by = MODES[now.mode], whole = by(...data.similarity);
  if (!now.off.size) return whole;
  let left = whole;
  for (const part of now.off) left -= effect(scene, part, true);
  return left / lengthLeft(scene);
}

// The map of one head, of a layer or of all heads; what is off writes the same to every picture and is left out.
function mapOf(scene) {
  const { data, now } = scene, by = MODES[now.mode], out = new Float32Array(data.patches);
  for (const head of chosenHeads(scene)) {
    if (now.off.has(head) && now.which !== 'head') continue;
    for (let at = 0; at < data.patches; at++) {
      const place = head * data.patches + at;
      out[at] += by(data.maps[0][place], data.maps[1][place]);
    }
  }
  return out;
}

// Attention of the token that is read, mean over the chosen heads; null where it cannot be read.
function attentionOf(scene) {
  const { data } = scene, heads = chosenHeads(scene);
  if (!data.attention || !data.attention.length) return null;
  const out = new Float32Array(data.patches);
  for (const head of heads) {
    for (let at = 0; at < data.patches; at++) out[at] += data.attention[head * data.patches + at] / heads.length;
  }
  return out;
}

function chosenHeads({ data, now }) {
  const all = Array.from({ length: data.cells }, (_, head) => head);
  if (now.which === 'all' || now.part >= data.cells) return all;
  if (now.which === 'head') return [now.part];
  const layer = Math.floor(now.part / data.heads);
  return all.filter((head) => Math.floor(head / data.heads) === layer);
}
