// Turns the payload, in which all coordinates arrive once, into typed arrays, and holds the small
// helpers for numbers, colours and elements that every other part uses.
'use strict';

const fixed = (value, digits) => value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1').replace('-', '−');
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const css = (colour) => `rgb(${colour.map(Math.round).join(',')})`;
const mix = (a, b, f) => a.map((value, k) => value + (b[k] - value) * f);

function bounds(values, from = 0, step = 1) {
  let low = Infinity, high = -Infinity;
  for (let i = from; i < values.length; i += step) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}

// The content is a text or a list of nodes; a text stays a text, whatever it holds.
function make(tag, className, content, attributes = {}) {
  const svg = ['svg', 'path'].includes(tag) && 'http://www.w3.org/2000/svg';
  const node = svg ? document.createElementNS(svg, tag) : document.createElement(tag);
  if (className) node.setAttribute('class', className);
  if (Array.isArray(content)) node.append(...content);
  else node.textContent = content ?? '';
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

const box = (className, ...children) => make('div', className, children);
const group = (className, title, attributes) => make('div', className, [], { role: 'group', 'aria-label': title, ...attributes });
const pressed = (node, yes) => node.setAttribute('aria-pressed', String(Boolean(yes)));

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

const floats = (text) => (text ? new Float32Array(bytes(text).buffer) : null);
const shorts = (text) => new Int16Array(bytes(text).buffer);

function decode(payload) {
  const { sprite, walk, views } = payload;
  return {
    ...payload, waiting: payload.waiting || {},
    views: Object.fromEntries(Object.entries(views).map(([key, view]) => [key, decodeView(view)])),
    moves: (payload.moves || []).map((move) => ({ ...move, decoded: {} })),
    along: floats(payload.along), distance: floats(payload.distance), norm: floats(payload.norm),
    sprite: sprite && { ...sprite, uri: address(sprite.uri) },
    walk: walk && {
      steps: walk.steps, images: shorts(walk.images), texts: shorts(walk.texts),
      imageCosines: floats(walk.image_cosines), textCosines: floats(walk.text_cosines),
    },
  };
}

// A view may come in two parts, the plane before the space.
function decodeView(view, earlier = { gap: [0, 0, 0], centre: [0, 0, 0], axes: [], points: null, points3: null }) {
  const points = floats(view.points || view.points2) || earlier.points, deep = floats(view.points3) || earlier.points3;
  const out = { ...earlier, ...view, points, points3: deep, spans: {} };
  // A view without a meaningful zero is turned about its own middle.
  if (out.fixed && deep) {
    const middle = [0, 1, 2].map((k) => bounds(deep, k, 3)).map(([low, high]) => (low + high) / 2);
    out.points3 = deep.map((value, i) => value - middle[i % 3]);
  }
  return out;
}

// A short address in place of a long data address: hundreds of thumbnails repeat it.
function address(uri) {
  const parts = /^data:([^;,]+);base64,(.*)$/s.exec(uri);
  return parts ? URL.createObjectURL(new Blob([bytes(parts[2])], { type: parts[1] })) : uri;
}
