// Where the points are: their coordinates after slider and move, the range they share with the
// other explorers on the page, their places in pixels, and which of them a pointer or a lasso means.

const MARGIN = { left: 60, right: 14, top: 12, bottom: 48 };
const NEAR = 12; // how many pixels from a point the pointer may be and still mean it
const live = window.clipspectExplorers = window.clipspectExplorers || new Set();

// The coordinates that the slider starts from: of the view, or of the move that was chosen.
function footing({ view, move, now, deep }) {
  if (view.fixed) return deep ? view.points3 : view.points;
  if (!move || !move.points[now.view]) return view.points;
  return move.decoded[now.view] ||= floats(move.points[now.view]);
}

// The vertex shader's sum once more: hit-testing and axis ranges need to know where points are.
function spots(scene) {
  const { gap, centre, sphere } = scene.view, { data: { n, along }, pull: delta, start, blend, points: out } = scene;
  if (scene.fresh.spots) return out;
  const base = footing(scene);
  for (let i = 0; i < 2 * n; i++) {
    const side = i < n ? -1 : 1;
    const f = delta ? 1 / Math.sqrt(1 + side * delta * along[i] + delta * delta / 4) : 1;
    for (let k = 0; k < 3; k++) out[3 * i + k] = (base[3 * i + k] + side * delta / 2 * gap[k]) * f - centre[k];
    if (sphere) toUnit(out, 3 * i);
    if (blend < 1) {
      for (let k = 3 * i; k < 3 * i + 3; k++) out[k] = start[k] + (out[k] - start[k]) * blend;
      if (sphere) toUnit(out, 3 * i);
    }
  }
  scene.fresh.spots = true;
  return out;
}

function toUnit(p, at) {
  const size = Math.max(Math.hypot(p[at], p[at + 1], p[at + 2]), 1e-6);
  for (let k = at; k < at + 3; k++) p[k] /= size;
}

function span(points, [x, y, z], dimensions) {
  if (dimensions === 2) return [[0, x], [1, y]].flatMap(([k, zero]) => bounds(points, k, 3).map((value) => value - zero));
  let far = 0;
  for (let i = 0; i < points.length; i += 3) {
    far = Math.max(far, (points[i] - x) ** 2 + (points[i + 1] - y) ** 2 + (points[i + 2] - z) ** 2);
  }
  far = Math.sqrt(far);
  return [-far, far, -far, far];
}

const union = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.max(a[3], b[3])];

// What this explorer asks of the shared range: its clouds as they are and, so that clouds pushed
// apart stay in sight, as they are now.
function reach(scene, kind) {
  const [key, count] = kind.split('/'), view = scene.data.views[key], dimensions = Number(count);
  if (!view || view.fixed || view.sphere) return null;
  const plain = view.spans[dimensions] ||= span(view.points, view.centre, dimensions);
  if (scene.kind !== kind) return plain;
  return scene.fresh.reach ||= union(plain, span(spots(scene), [0, 0, 0], dimensions));
}

function range(scene) {
  const { view, deep, kind, now } = scene;
  if (view.sphere) return deep ? [-1.12, 1.12, -1.12, 1.12] : [-1, 1, -1, 1];
  if (view.fixed) return span(footing(scene), [0, 0, 0], now.dimensions);
  let out = reach(scene, kind);
  for (const other of live) {
    if (other === scene || !other.onPage()) continue;
    const more = other.reach(kind);
    if (more) out = union(out, more);
  }
  return out;
}

// From coordinates to pixels: x = ox + sx * x, y = oy - sy * y, after any turning.
function look(scene) {
  const { now, deep, view, ui } = scene, { clientWidth: width, clientHeight: height } = ui.stage;
  const edge = deep ? { left: 0, right: 0, top: 0, bottom: 0 } : MARGIN, map = view.sphere && !deep;
  const area = { x: edge.left, y: edge.top, w: width - edge.left - edge.right, h: height - edge.top - edge.bottom };
  const [left, right, low, high] = scene.range = range(scene);
  let sx = area.w / Math.max(right - left, 1e-6) / 1.1 * now.zoom;
  let sy = area.h / Math.max(high - low, 1e-6) / 1.1 * now.zoom;
  if (!map) sx = sy = Math.min(sx, sy);
  return {
    width, height, area, sx, sy, deep, map, turn: turning(now, view), radius: Math.max(right, 1e-6),
    ox: area.x + area.w / 2 + now.pan[0] - (left + right) / 2 * sx,
    oy: area.y + area.h / 2 + now.pan[1] + (low + high) / 2 * sy,
  };
}

// Row by row. On the sphere the gap points up, as it does on the map.
function turning({ yaw, pitch }, { sphere }) {
  const s = Math.sin(yaw), c = Math.cos(yaw), t = Math.sin(pitch), d = Math.cos(pitch);
  return sphere ? [0, s, c, d, -c * t, s * t, t, c * d, -s * d] : [c, 0, s, s * t, d, -c * t, -s * d, t, c * d];
}

function project(lens, x, y, z, out = [0, 0, 0], at = 0) {
  let a = x, b = y, depth = 0;
  if (lens.deep) {
    const m = lens.turn;
    a = m[0] * x + m[1] * y + m[2] * z;
    b = m[3] * x + m[4] * y + m[5] * z;
    depth = (m[6] * x + m[7] * y + m[8] * z) / lens.radius;
  } else if (lens.map) {
    a = Math.atan2(z, y) / Math.PI;
    b = x;
  }
  out[at] = lens.ox + a * lens.sx;
  out[at + 1] = lens.oy - b * lens.sy;
  out[at + 2] = depth;
  return out;
}

function pixels(scene) {
  const p = spots(scene), lens = scene.lens = look(scene), out = scene.pixels;
  for (let i = 0; i < p.length; i += 3) project(lens, p[i], p[i + 1], p[i + 2], out, i);
  return out;
}

const inArea = ({ area }, x, y) => x >= area.x && y >= area.y && x <= area.x + area.w && y <= area.y + area.h;

function nearest(scene, x, y) {
  const at = pixels(scene), { lens } = scene;
  let best = null, least = NEAR;
  for (let i = 0; i < 2 * scene.data.n; i++) {
    // In 3-D the front of the cloud wins over what shines through from behind.
    const far = Math.hypot(at[3 * i] - x, at[3 * i + 1] - y) + (lens.deep ? (1 - at[3 * i + 2]) * 1.5 : 0);
    if (far < least && inArea(lens, at[3 * i], at[3 * i + 1])) { least = far; best = i; }
  }
  return best;
}

// The points inside a lasso. A canvas of its own, since those on the page are scaled.
function caught(scene, path) {
  const at = pixels(scene), found = new Set(), context = make('canvas').getContext('2d');
  for (let i = 0; i < 2 * scene.data.n; i++) {
    const x = at[3 * i], y = at[3 * i + 1];
    if (inArea(scene.lens, x, y) && context.isPointInPath(path, x, y, 'evenodd')) found.add(i);
  }
  return found;
}
