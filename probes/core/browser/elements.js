// Small helpers for numbers, colours and elements that the scripts of all explorers use.
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

// A short address in place of a long data address: hundreds of thumbnails repeat it.
function address(uri) {
  const parts = /^data:([^;,]+);base64,(.*)$/s.exec(uri);
  return parts ? URL.createObjectURL(new Blob([bytes(parts[2])], { type: parts[1] })) : uri;
}

// One picture of a sheet, or its name where there is no sheet.
function thumb({ sprite, names, n }, pair, size) {
  const name = (names && names[pair]) || `Picture ${pair + 1}`;
  if (!sprite) return make('span', 'explorer-thumb explorer-noimage', name);
  const { columns } = sprite, row = Math.floor(pair / columns);
  const node = make('span', 'explorer-thumb', [], { role: 'img', 'aria-label': name });
  Object.assign(node.style, {
    width: size + 'px', height: size + 'px', backgroundImage: `url("${sprite.uri}")`,
    backgroundSize: `${columns * size}px ${Math.ceil(n / columns) * size}px`,
    backgroundPosition: `${-(pair % columns) * size}px ${-row * size}px`,
  });
  return node;
}
