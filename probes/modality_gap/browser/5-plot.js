// Draws a frame: axes, globe or cross below the points, and above them the pairs pointed at or
// pinned, the lasso and the names of turned axes.

const GLIDE = 400; // milliseconds that a move takes
const READ = 60; // milliseconds between two sets of numbers: nobody reads faster, and each costs a layout

function draw(scene, time) {
  const { ui, brush } = scene, dpr = window.devicePixelRatio || 1;
  scene.asked = 0;
  if (!scene.onPage() || !ui.stage.clientWidth) return;
  live.add(scene);
  scene.frames++;
  if (scene.blend < 1) {
    scene.blend = clamp((time - scene.began) / GLIDE, 0, 1);
    scene.shift();
  }
  const { width, height } = scene.lens = look(scene), size = { width: Math.round(width * dpr), height: Math.round(height * dpr) };
  for (const canvas of [ui.ground, brush.canvas, ui.over]) {
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
  }
  drawGround(scene, dpr);
  rank(scene);
  brush.draw(dpr);
  drawOver(scene, dpr);
  if (scene.stale && time - scene.read < READ) scene.request();
  else if (scene.stale) {
    scene.read = time;
    drawReadouts(scene);
  }
  tellOthers(scene);
}

// Others on the page share this range: those that last drew another one must draw again.
function tellOthers(scene) {
  if (scene.view.fixed) return; // each has its own
  for (const other of live) {
    if (other !== scene && other.kind === scene.kind && String(other.range) !== String(scene.range)) other.request();
  }
}

// Axes change seldom while points move, so they are drawn again only when they differ.
function drawGround(scene, dpr) {
  const { lens, now, view } = scene, { ox, oy, sx, sy, width, height } = lens;
  const mark = [ox, oy, sx, sy, width, height, dpr, now.view, lens.deep && lens.turn].join();
  if (mark === scene.groundMark) return;
  scene.groundMark = mark;
  const context = pen(scene, scene.ui.ground, dpr);
  if (!lens.deep) drawAxes(scene, context);
  else if (view.sphere) drawGlobe(scene, context);
  else drawCross(scene, context);
}

function pen({ lens, theme }, canvas, dpr) {
  const style = { font: theme.font, textBaseline: 'middle', lineWidth: 1, fillStyle: theme.quiet };
  return Object.assign(clean(canvas, lens, dpr), style);
}

function ticks(low, high, room, steps) {
  const raw = (high - low) * 50 / room, power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = (steps || [1, 2, 5, 10].map((k) => k * power)).find((one) => one >= raw) || raw;
  const out = [];
  for (let k = Math.ceil(low / step - 1e-6); k * step <= high + step * 1e-6; k++) out.push(k * step);
  return { at: out, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-6)) };
}

function drawAxes({ lens, view, theme }, context) {
  const { area, ox, oy, sx, sy } = lens, bottom = area.y + area.h, right = area.x + area.w;
  const round = view.sphere ? [1, 5, 15, 30, 60, 90, 180].map((degrees) => degrees / 180) : null;
  const across = ticks((area.x - ox) / sx, (right - ox) / sx, area.w, round);
  const up = ticks((oy - bottom) / sy, (oy - area.y) / sy, area.h);
  const shade = (value) => (Math.abs(value) < 1e-9 ? theme.line : theme.grid);
  for (const value of across.at) {
    const x = Math.round(ox + value * sx) + 0.5;
    line(context, shade(value), [x, area.y], [x, bottom]);
    const text = view.sphere ? fixed(value * 180, 0) + '°' : fixed(value, across.digits);
    // Axes of a fixed view measure nothing, so they carry no numbers.
    if (!view.fixed && x < right - 6) label(context, text, x, bottom + 13, 'center');
  }
  for (const value of up.at) {
    const y = Math.round(oy - value * sy) + 0.5;
    line(context, shade(value), [area.x, y], [right, y]);
    if (!view.fixed) label(context, fixed(value, up.digits), area.x - 7, y, 'right');
  }
  context.strokeStyle = theme.line;
  context.strokeRect(area.x + 0.5, area.y + 0.5, area.w, area.h);
  const titles = view.sphere ? ['angle around the gap', view.axes[0]] : view.axes;
  label(context, titles[0], area.x + area.w / 2, bottom + 35, 'center', area.w);
  context.save();
  context.translate(13, area.y + area.h / 2);
  context.rotate(-Math.PI / 2);
  label(context, titles[1], 0, 0, 'center', area.h);
  context.restore();
}

function line(context, colour, from, to) {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(from[0], from[1]);
  context.lineTo(to[0], to[1]);
  context.stroke();
}

function label(context, text, x, y, align, room) {
  let words = text || '';
  while (room && words.length > 1 && context.measureText(words).width > room) words = words.slice(0, -2) + '…';
  context.textAlign = align;
  context.fillText(words, x, y);
}

function drawGlobe({ lens, theme }, context) {
  const front = new Path2D(), back = new Path2D();
  const circle = (point) => {
    for (let k = 0, last = null; k <= 60; k++) {
      const at = project(lens, ...point(Math.cos(k * Math.PI / 30), Math.sin(k * Math.PI / 30)));
      const path = at[2] >= 0 ? front : back;
      if (last) { path.moveTo(last[0], last[1]); path.lineTo(at[0], at[1]); }
      last = at;
    }
  };
  for (let degrees = -60; degrees <= 90; degrees += 30) {
    const c = Math.cos(degrees * Math.PI / 180), s = Math.sin(degrees * Math.PI / 180);
    if (degrees < 90) circle((wide, deep) => [s, c * wide, c * deep]);
    circle((wide, deep) => [deep, wide * c, wide * s]);
  }
  context.strokeStyle = theme.grid;
  context.stroke(back);
  context.strokeStyle = theme.line;
  context.stroke(front);
  context.beginPath();
  context.arc(lens.ox, lens.oy, lens.sx, 0, 2 * Math.PI);
  context.stroke();
  line(context, theme.line, project(lens, 1, 0, 0), project(lens, 1.14, 0, 0));
}

const corners = (r) => [[r, 0, 0], [0, r, 0], [0, 0, r]];

function drawCross({ lens, theme }, context) {
  for (const [x, y, z] of corners(lens.radius)) line(context, theme.line, project(lens, -x, -y, -z), project(lens, x, y, z));
}

// What the ends of the turned axes are called, over the points and with a halo, to be read.
function drawEnds({ lens, theme, view: { axes, sphere } }, context) {
  context.lineWidth = 4;
  context.strokeStyle = theme.ground;
  context.textAlign = 'center';
  for (const [k, end] of corners(sphere ? 1.16 : lens.radius).slice(0, sphere ? 1 : 3).entries()) {
    const title = (axes[k] || '').split(' (')[0], half = context.measureText(title).width / 2 + 6;
    const [x, y] = project(lens, ...end);
    const left = clamp(x + (x - lens.ox) * 0.05, half, lens.width - half);
    const top = clamp(y + (y < lens.oy ? -10 : 14), 10, lens.height - 10);
    context.strokeText(title, left, top);
    label(context, title, left, top, 'center');
  }
}

function drawOver(scene, dpr) {
  const { lens, now, drag, ui, data } = scene, { area } = lens, path = drag && drag.lasso && drag.path;
  // An empty layer is put away: putting layers together is what costs most without a graphics card.
  const bare = now.pinned === null && now.hover === null && !path;
  ui.over.style.display = bare && !lens.deep ? 'none' : '';
  const mark = bare && scene.groundMark;
  if (mark && mark === scene.overMark) return;
  scene.overMark = mark;
  const context = pen(scene, ui.over, dpr);
  if (lens.deep) drawEnds(scene, context);
  context.save();
  context.beginPath();
  context.rect(area.x, area.y, area.w, area.h);
  context.clip();
  if (now.pinned !== null) drawPair(scene, context, now.pinned, 2);
  if (now.hover !== null && now.hover % data.n !== now.pinned) drawPair(scene, context, now.hover % data.n, 1.25);
  context.restore();
  if (path) drawLasso(scene, context, path);
}

function drawLasso({ theme }, context, path) {
  const closed = new Path2D(path);
  closed.closePath();
  Object.assign(context, { globalAlpha: 0.12, fillStyle: theme.accent });
  context.fill(closed, 'evenodd');
  Object.assign(context, { globalAlpha: 1, lineWidth: 1.5, strokeStyle: theme.accent });
  context.stroke(closed);
}

function drawPair(scene, context, pair, width) {
  const p = spots(scene), { lens, theme, data, paint } = scene;
  pairLine(scene, context, 3 * pair, 3 * (pair + data.n));
  for (const [colour, thick] of [[theme.ground, width + 3], [theme.ink, width]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: thick });
    context.stroke();
  }
  for (const i of [pair, pair + data.n]) {
    const [x, y] = project(lens, p[3 * i], p[3 * i + 1], p[3 * i + 2]);
    marker(context, x, y, pointSize(scene) * 0.5 + 4, i >= data.n, css(paint.of(i)), theme.ink);
  }
}

// On the sphere the way from a point to its partner is an arc; on the map it may leave at one
// side and come back at the other.
function pairLine(scene, context, a, b) {
  const p = spots(scene), { lens, view: { sphere } } = scene, steps = sphere ? 48 : 1;
  context.beginPath();
  for (let s = 0, last = NaN; s <= steps; s++) {
    const here = [0, 1, 2].map((k) => p[a + k] + (p[b + k] - p[a + k]) * s / steps);
    if (sphere) toUnit(here, 0);
    const [x, y] = project(lens, ...here), torn = lens.map && Math.abs(x - last) > lens.sx;
    if (s === 0 || torn) context.moveTo(x, y); else context.lineTo(x, y);
    last = x;
  }
}
