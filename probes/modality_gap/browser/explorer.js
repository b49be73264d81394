// Draws the pictures and captions of a CLIP model as two clouds of points, and lets a visitor move
// them. All coordinates arrive once; everything after that happens here, without the server.
function createExplorer(element) {
  'use strict';

  const PALETTE = ['#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#F0E442'];
  const OTHERS = [139, 145, 154];
  // Cividis by day; by night its dark end is lifted so that it stays visible on a dark ground.
  const SCALES = {
    day: ['#00204c', '#31446b', '#666970', '#958f78', '#cab969', '#ffea46'],
    night: ['#4a6fc0', '#6d83b4', '#8f93a0', '#b3a97c', '#d9c45f', '#ffea46'],
  };
  const MARGIN = { left: 60, right: 14, top: 12, bottom: 48 };
  const NEAR = 12; // how many pixels from a point the pointer may be and still mean it
  const GLIDE = 400; // milliseconds that a move takes
  const LISTED = 60;
  const live = window.clipspectExplorers = window.clipspectExplorers || new Set();

  const VERTEX = `
    attribute vec3 base, start;
    attribute float along, side;
    attribute vec4 tint;
    uniform float delta, blend, globe, solid, size, radius;
    uniform vec3 gap, centre, ground;
    uniform vec4 lens;
    uniform vec2 frame;
    uniform mat3 turn;
    varying vec3 fill, rim;
    varying float span, diamond;
    vec3 unit(vec3 p) { return p / max(length(p), 1e-6); }
    void main() {
      float f = inversesqrt(1.0 + side * delta * along + delta * delta / 4.0);
      vec3 p = (base + side * delta / 2.0 * gap) * f - centre;
      if (globe > 0.5) p = unit(p);
      if (blend < 1.0) { p = mix(start, p, blend); if (globe > 0.5) p = unit(p); }
      vec3 seen = vec3(p.xy, 0.0);
      if (solid > 0.5) seen = turn * p;
      else if (globe > 0.5) {
        float turned = abs(p.y) + abs(p.z) > 0.0 ? atan(p.z, p.y) : 0.0;
        seen = vec3(turned / 3.14159265, p.x, 0.0);
      }
      vec2 at = vec2(lens.x + seen.x * lens.z, lens.y - seen.y * lens.w) / frame;
      float depth = clamp(seen.z / radius, -1.0, 1.0);
      gl_Position = vec4(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0);
      float haze = tint.a * (solid > 0.5 ? 0.76 + 0.24 * depth : 1.0);
      fill = mix(ground, tint.rgb, haze);
      rim = mix(ground, tint.rgb * 0.55, haze);
      diamond = side;
      span = size * (side > 0.0 ? 1.22 : 1.0) * (solid > 0.5 ? 1.0 + 0.22 * depth : 1.0);
      gl_PointSize = span;
    }`;
  const FRAGMENT = `
    precision mediump float;
    varying vec3 fill, rim;
    varying float span, diamond;
    void main() {
      vec2 q = gl_PointCoord * 2.0 - 1.0;
      float r = diamond > 0.0 ? abs(q.x) + abs(q.y) : length(q);
      float inside = (1.0 - r) * span / 2.0;
      float cover = clamp(inside, 0.0, 1.0);
      vec3 colour = mix(rim, fill, clamp(inside - span * 0.09, 0.0, 1.0));
      gl_FragColor = vec4(colour * cover, cover);
    }`;

  let data = null; // the payload, decoded
  let now = null; // what the visitor has chosen, and what follows from it
  let ui = null; // the elements that change
  let brush = null; // draws the points, by WebGL or without
  let theme = null; // colours and font, read from the style sheet
  let ending = null; // aborting it takes away every listener
  let frames = 0;

  // ---- small helpers -------------------------------------------------------------------------

  function make(tag, className, text, attributes) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined && text !== null) node.textContent = text;
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    return node;
  }

  function button(className, text, handler, attributes) {
    const node = make('button', 'explorer-button ' + className, text, { type: 'button', ...attributes });
    on(node, 'click', handler);
    return node;
  }

  function box(className, ...children) {
    const node = make('div', className);
    node.append(...children);
    return node;
  }

  function on(target, type, handler, options) {
    target.addEventListener(type, handler, { ...options, signal: ending.signal });
  }

  function bytes(text) {
    const raw = atob(text);
    const out = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out;
  }

  const floats = (text) => (text ? new Float32Array(bytes(text).buffer) : null);
  const shorts = (text) => new Int16Array(bytes(text).buffer);
  const fixed = (value, digits) => value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1').replace('-', '−');
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const css = (colour) => `rgb(${colour.map(Math.round).join(',')})`;
  const mix = (a, b, f) => a.map((value, k) => value + (b[k] - value) * f);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

  // ---- the payload ---------------------------------------------------------------------------

  function decodeView(view, earlier) {
    const flat = floats(view.points || view.points2) || (earlier ? earlier.points : null);
    const deep = floats(view.points3) || (earlier ? earlier.points3 : null);
    const out = { gap: [0, 0, 0], centre: [0, 0, 0], axes: [], ...earlier, ...view, points: flat, points3: deep };
    // A view without a meaningful zero is turned about its own middle.
    if (out.fixed && deep) out.points3 = centred(deep);
    return out;
  }

  function centred(points) {
    const middle = [0, 1, 2].map((k) => {
      let low = Infinity, high = -Infinity;
      for (let i = k; i < points.length; i += 3) { low = Math.min(low, points[i]); high = Math.max(high, points[i]); }
      return (low + high) / 2;
    });
    return points.map((value, i) => value - middle[i % 3]);
  }

  function decode(payload) {
    const views = {};
    for (const [key, view] of Object.entries(payload.views)) views[key] = decodeView(view);
    const { walk, sprite } = payload;
    return {
      ...payload, views, moved: new Map(), spans: new Map(),
      waiting: payload.waiting || {}, moves: payload.moves || [],
      along: floats(payload.along), distance: floats(payload.distance), norm: floats(payload.norm),
      sprite: sprite && { ...sprite, uri: address(sprite.uri) },
      walk: walk && {
        steps: walk.steps, images: shorts(walk.images), texts: shorts(walk.texts),
        imageCosines: floats(walk.image_cosines), textCosines: floats(walk.text_cosines),
      },
    };
  }

  // A short address in place of a long data address: hundreds of thumbnails repeat it.
  function address(uri) {
    const parts = /^data:([^;,]+);base64,(.*)$/s.exec(uri);
    return parts ? URL.createObjectURL(new Blob([bytes(parts[2])], { type: parts[1] })) : uri;
  }

  // ---- where the points are ------------------------------------------------------------------

  const sight = () => data.views[now.view];
  const isMap = () => sight().sphere && now.dimensions === 2;
  const pull = () => (sight().fixed || now.move ? 0 : now.delta);

  // The coordinates that the slider starts from: of the view, or of the move that was chosen.
  function footing() {
    const view = sight();
    if (view.fixed) return now.dimensions === 3 ? view.points3 : view.points;
    const move = now.move && data.moves.find((one) => one.key === now.move);
    if (!move || !move.points[now.view]) return view.points;
    const key = JSON.stringify([move.key, now.view]);
    if (!data.moved.has(key)) data.moved.set(key, floats(move.points[now.view]));
    return data.moved.get(key);
  }

  // The vertex shader's sum once more: hit-testing and axis ranges need to know where points are.
  function spots() {
    if (now.spotsStamp === now.stamp) return now.spots;
    const { gap, centre, sphere } = sight();
    const base = footing(), delta = pull(), { n, along } = data, { start, blend, spots: out } = now;
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
    now.spotsStamp = now.stamp;
    return out;
  }

  function toUnit(p, at) {
    const size = Math.max(Math.hypot(p[at], p[at + 1], p[at + 2]), 1e-6);
    for (let k = at; k < at + 3; k++) p[k] /= size;
  }

  function span(points, centre, dimensions) {
    let [left, right, low, high, far] = [Infinity, -Infinity, Infinity, -Infinity, 0];
    for (let i = 0; i < points.length; i += 3) {
      const x = points[i] - centre[0], y = points[i + 1] - centre[1], z = points[i + 2] - centre[2];
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < low) low = y;
      if (y > high) high = y;
      far = Math.max(far, x * x + y * y + z * z);
    }
    far = Math.sqrt(far);
    return dimensions === 3 ? [-far, far, -far, far] : [left, right, low, high];
  }

  const union = (a, b) => [Math.min(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.max(a[3], b[3])];

  // What this explorer asks of the shared range: its clouds as they are and, so that clouds pushed
  // apart stay in sight, as they are now.
  function reach(kind) {
    const [key, count] = kind.split('/'), view = data.views[key], dimensions = Number(count);
    if (!view || view.fixed || view.sphere) return null;
    if (!data.spans.has(kind)) data.spans.set(kind, span(view.points, view.centre, dimensions));
    const plain = data.spans.get(kind);
    if (me.kind() !== kind) return plain;
    if (now.reachStamp !== now.stamp) now.reach = union(plain, span(spots(), [0, 0, 0], dimensions));
    now.reachStamp = now.stamp;
    return now.reach;
  }

  function range() {
    if (sight().sphere) return now.dimensions === 3 ? [-1.12, 1.12, -1.12, 1.12] : [-1, 1, -1, 1];
    if (sight().fixed) return span(footing(), [0, 0, 0], now.dimensions);
    let out = reach(me.kind());
    for (const other of live) {
      if (!other.element.isConnected) { live.delete(other); continue; }
      const more = other === me ? null : other.reach(me.kind());
      if (more) out = union(out, more);
    }
    return out;
  }

  // From coordinates to pixels: x = ox + sx * x, y = oy - sy * y, after any turning.
  function look() {
    const deep = now.dimensions === 3, width = ui.stage.clientWidth, height = ui.stage.clientHeight;
    const edge = deep ? { left: 0, right: 0, top: 0, bottom: 0 } : MARGIN;
    const area = { x: edge.left, y: edge.top, w: width - edge.left - edge.right, h: height - edge.top - edge.bottom };
    const [left, right, low, high] = now.range = range();
    let sx = area.w / Math.max(right - left, 1e-6) / 1.1 * now.zoom;
    let sy = area.h / Math.max(high - low, 1e-6) / 1.1 * now.zoom;
    if (!isMap()) sx = sy = Math.min(sx, sy);
    return {
      width, height, area, sx, sy, turn: turning(), radius: Math.max(right, 1e-6),
      ox: area.x + area.w / 2 + now.pan[0] - (left + right) / 2 * sx,
      oy: area.y + area.h / 2 + now.pan[1] + (low + high) / 2 * sy,
    };
  }

  // Row by row. On the sphere the gap points up, as it does on the map.
  function turning() {
    const s = Math.sin(now.yaw), c = Math.cos(now.yaw), t = Math.sin(now.pitch), d = Math.cos(now.pitch);
    if (sight().sphere) return [0, s, c, d, -c * t, s * t, t, c * d, -s * d];
    return [c, 0, s, s * t, d, -c * t, -s * d, t, c * d];
  }

  function project(lens, x, y, z, out, at) {
    let a = x, b = y, depth = 0;
    if (now.dimensions === 3) {
      const m = lens.turn;
      a = m[0] * x + m[1] * y + m[2] * z;
      b = m[3] * x + m[4] * y + m[5] * z;
      depth = (m[6] * x + m[7] * y + m[8] * z) / lens.radius;
    } else if (isMap()) {
      a = Math.atan2(z, y) / Math.PI;
      b = x;
    }
    out[at] = lens.ox + a * lens.sx;
    out[at + 1] = lens.oy - b * lens.sy;
    out[at + 2] = depth;
    return out;
  }

  function pixels() {
    const p = spots(), lens = now.lens = look(), out = now.pixels;
    for (let i = 0; i < p.length; i += 3) project(lens, p[i], p[i + 1], p[i + 2], out, i);
    return out;
  }

  function inArea(x, y) {
    const { area } = now.lens;
    return x >= area.x && y >= area.y && x <= area.x + area.w && y <= area.y + area.h;
  }

  function nearest(x, y) {
    const at = pixels();
    let best = null, least = NEAR;
    for (let i = 0; i < 2 * data.n; i++) {
      // In 3-D the front of the cloud wins over what shines through from behind.
      const far = Math.hypot(at[3 * i] - x, at[3 * i + 1] - y) + (1 - at[3 * i + 2]) * (now.dimensions === 3 ? 1.5 : 0);
      if (far < least && inArea(at[3 * i], at[3 * i + 1])) { least = far; best = i; }
    }
    return best;
  }

  // ---- the points: WebGL, or a plain canvas where there is none ------------------------------

  function compile(gl) {
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
  }

  function glBrush() {
    const canvas = make('canvas', 'explorer-paint');
    const gl = canvas.getContext('webgl', { preserveDrawingBuffer: true, antialias: false, depth: false });
    const program = gl && compile(gl);
    if (!program) return null;
    gl.useProgram(program);
    const places = {}, buffers = {};
    const slot = (name) => places[name] = places[name] || gl.getUniformLocation(program, name);
    function upload(name, array) {
      const type = array instanceof Uint8Array ? gl.UNSIGNED_BYTE : gl.FLOAT;
      const at = gl.getAttribLocation(program, name);
      buffers[name] = buffers[name] || gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, array.length / (2 * data.n), type, type !== gl.FLOAT, 0, 0);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    const order = (indices) => gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.DYNAMIC_DRAW);
    // Browsers keep few WebGL contexts alive, so one that is done with is handed back at once.
    const free = () => { const more = gl.getExtension('WEBGL_lose_context'); if (more) more.loseContext(); };
    return { canvas, upload, order, free, draw: (lens, dpr) => paint(gl, slot, lens, dpr) };
  }

  function paint(gl, slot, lens, dpr) {
    const view = sight(), deep = now.dimensions === 3, { area } = lens;
    gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
    gl.disable(gl.SCISSOR_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(area.x * dpr, (lens.height - area.y - area.h) * dpr, area.w * dpr, area.h * dpr);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const numbers = {
      delta: pull(), blend: now.blend, globe: view.sphere ? 1 : 0, solid: deep ? 1 : 0,
      size: pointSize() * dpr, radius: lens.radius,
    };
    for (const [name, value] of Object.entries(numbers)) gl.uniform1f(slot(name), value);
    gl.uniform3fv(slot('gap'), view.gap);
    gl.uniform3fv(slot('centre'), view.centre);
    gl.uniform3fv(slot('ground'), rgb(theme.ground).map((value) => value / 255));
    gl.uniform4f(slot('lens'), lens.ox, lens.oy, lens.sx, lens.sy);
    gl.uniform2f(slot('frame'), lens.width, lens.height);
    const m = lens.turn; // WebGL wants it column by column
    gl.uniformMatrix3fv(slot('turn'), false, [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]]);
    gl.drawElements(gl.POINTS, 2 * data.n, gl.UNSIGNED_SHORT, 0);
  }

  function plainBrush() {
    const canvas = make('canvas', 'explorer-paint');
    const held = {};
    function draw(lens, dpr) {
      const context = canvas.getContext('2d'), at = pixels(), ground = rgb(theme.ground), deep = now.dimensions === 3;
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      context.clearRect(0, 0, lens.width, lens.height);
      for (const i of held.order) {
        if (!inArea(at[3 * i], at[3 * i + 1])) continue;
        const haze = held.tint[4 * i + 3] / 255 * (deep ? 0.76 + 0.24 * at[3 * i + 2] : 1);
        const colour = Array.from(held.tint.subarray(4 * i, 4 * i + 3));
        marker(context, at[3 * i], at[3 * i + 1], pointSize() / 2, i >= data.n, css(mix(ground, colour, haze)),
          css(mix(ground, colour.map((value) => value * 0.55), haze)));
      }
    }
    const upload = (name, array) => { held[name] = array; };
    return { canvas, upload, draw, order: (indices) => { held.order = indices; }, free() {} };
  }

  function marker(context, x, y, radius, diamond, fill, line) {
    context.beginPath();
    if (diamond) {
      const r = radius * 1.22;
      context.moveTo(x, y - r);
      for (const [right, down] of [[r, 0], [0, r], [-r, 0]]) context.lineTo(x + right, y + down);
      context.closePath();
    } else context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = line;
    context.stroke();
  }

  const pointSize = () => clamp(7 * Math.pow(data.n / 500, -0.243), 4, 10) * Math.sqrt(clamp(now.zoom, 1, 4));

  function setBrush() {
    const old = brush;
    brush = glBrush() || plainBrush();
    if (old) { old.free(); old.canvas.remove(); }
    ui.ground.after(brush.canvas);
    on(brush.canvas, 'webglcontextlost', (event) => event.preventDefault());
    on(brush.canvas, 'webglcontextrestored', () => { setBrush(); request(); });
    const { n } = data;
    // Pictures and captions take turns, so that neither cloud lies over the other.
    now.turns = Uint16Array.from({ length: 2 * n }, (_, i) => (i >> 1) + (i % 2) * n);
    now.ranked = null;
    brush.upload('side', Float32Array.from({ length: 2 * n }, (_, i) => (i < n ? -1 : 1)));
    brush.upload('along', data.along);
    brush.upload('start', now.start);
    brush.upload('base', footing());
    brush.upload('tint', tints());
  }

  // In 3-D the far points come first. Sorting into layers costs little; a depth buffer would leave
  // the soft edges of near points as holes in the far ones.
  function rank() {
    const deep = now.dimensions === 3;
    if (!deep && now.ranked === now.turns) return;
    now.ranked = deep ? new Uint16Array(2 * data.n) : now.turns;
    if (deep) {
      const at = pixels(), layers = 512, ends = new Uint32Array(layers + 1);
      const layer = (i) => clamp(Math.floor((at[3 * i + 2] + 1) / 2 * layers), 0, layers - 1);
      for (const i of now.turns) ends[layer(i) + 1]++;
      for (let k = 0; k < layers; k++) ends[k + 1] += ends[k];
      for (const i of now.turns) now.ranked[ends[layer(i)]++] = i;
    }
    brush.order(now.ranked);
  }

  // ---- colours -------------------------------------------------------------------------------

  function readTheme() {
    const style = getComputedStyle(ui.root);
    const names = ['ground', 'ink', 'quiet', 'line', 'grid', 'picture', 'caption', 'accent'];
    theme = { version: (theme ? theme.version : 0) + 1, font: style.fontFamily };
    for (const name of names) theme[name] = style.getPropertyValue('--explorer-' + name).trim() || '#808080';
    theme.dark = Boolean(ui.root.closest('.dark'));
  }

  function labelColours() {
    const counts = new Map();
    for (const label of data.labels) counts.set(label, (counts.get(label) || 0) + 1);
    const common = [...counts].sort((a, b) => b[1] - a[1]).slice(0, PALETTE.length);
    const colours = new Map(common.map(([label], k) => [label, rgb(PALETTE[k])]));
    const legend = common.map(([label, count], k) => [PALETTE[k], `${label} (${count})`]);
    if (counts.size > common.length) legend.push([css(OTHERS), `${counts.size - common.length} others`]);
    return { of: (i) => colours.get(data.labels[i % data.n]) || OTHERS, legend };
  }

  function scaleColours(values, what) {
    const stops = SCALES[theme.dark ? 'night' : 'day'].map(rgb);
    let low = Infinity, high = -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    const of = (i) => {
      const f = (values[i % values.length] - low) / Math.max(high - low, 1e-9) * (stops.length - 1);
      const k = clamp(Math.floor(f), 0, stops.length - 2);
      return mix(stops[k], stops[k + 1], f - k);
    };
    return { of, scale: { low, high, what, stops } };
  }

  function colouring() {
    if (now.colour === 'label') return labelColours();
    if (now.colour === 'distance') return scaleColours(data.distance, 'distance of the pair');
    if (now.colour === 'norm') return scaleColours(data.norm, 'length before normalisation');
    const sides = [rgb(theme.picture), rgb(theme.caption)];
    return { of: (i) => sides[i < data.n ? 0 : 1], legend: [] };
  }

  // The fourth byte dims what lies outside the lasso.
  function tints() {
    const out = new Uint8Array(8 * data.n);
    for (let i = 0; i < 2 * data.n; i++) {
      out.set(now.paint.of(i), 4 * i);
      out[4 * i + 3] = now.chosen && !now.chosen.has(i) ? 56 : 255;
    }
    return out;
  }

  function recolour() {
    now.paint = colouring();
    brush.upload('tint', tints());
    drawLegend();
    request();
  }

  function drawLegend() {
    const plain = now.colour === 'modality';
    const key = (shape, colour, text) => {
      const item = make('span', 'explorer-key', text);
      item.prepend(make('span', 'explorer-swatch explorer-' + shape, '', { style: 'background:' + colour }));
      return item;
    };
    ui.legend.replaceChildren(key('circle', plain ? theme.picture : 'currentColor', 'pictures'),
      key('diamond', plain ? theme.caption : 'currentColor', 'captions'));
    for (const [colour, text] of now.paint.legend || []) ui.legend.append(key('square', colour, text));
    const { scale } = now.paint;
    if (!scale) return;
    const bar = make('span', 'explorer-scale', '', { style: `background:linear-gradient(90deg,${scale.stops.map(css)})` });
    const ends = [fixed(scale.low, 2), fixed(scale.high, 2)].map((text) => make('span', '', text));
    const item = make('span', 'explorer-key');
    item.append(ends[0], bar, ends[1], make('span', '', scale.what));
    ui.legend.append(item);
  }

  // ---- drawing -------------------------------------------------------------------------------

  // Draws once at the next frame, however often it is asked.
  function request() {
    if (ui && !now.asked) now.asked = requestAnimationFrame(draw);
  }

  // The points are elsewhere: forget what was worked out about them.
  function shift() {
    now.stamp++;
    request();
  }

  function fit(canvas, width, height, dpr) {
    const [w, h] = [Math.round(width * dpr), Math.round(height * dpr)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  }

  function draw(time) {
    now.asked = 0;
    if (!element.isConnected || !ui.stage.clientWidth) return;
    live.add(me);
    frames++;
    if (now.blend < 1) {
      now.blend = clamp((time - now.began) / GLIDE, 0, 1);
      shift();
    }
    const lens = now.lens = look(), dpr = window.devicePixelRatio || 1;
    for (const canvas of [ui.ground, brush.canvas, ui.over]) fit(canvas, lens.width, lens.height, dpr);
    drawGround(lens, dpr);
    rank();
    brush.draw(lens, dpr);
    drawOver(lens, dpr);
    if (now.stale) drawReadouts();
    tellOthers();
  }

  // Others on the page share this range: those that last drew another one must draw again.
  function tellOthers() {
    if (sight().fixed) return; // each has its own
    for (const other of live) {
      if (other !== me && other.kind() === me.kind() && String(other.range()) !== String(now.range)) other.request();
    }
  }

  // Axes change seldom while points move, so they are drawn again only when they differ.
  function drawGround(lens, dpr) {
    const { ox, oy, sx, sy, width, height, turn } = lens;
    const mark = [ox, oy, sx, sy, width, height, dpr, now.view, now.dimensions === 3 && turn, theme.version].join();
    if (mark === now.groundMark) return;
    now.groundMark = mark;
    const context = ui.ground.getContext('2d');
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '13px ' + theme.font;
    context.lineWidth = 1;
    if (now.dimensions === 2) drawAxes(context, lens);
    else if (sight().sphere) drawGlobe(context, lens);
    else drawCross(context, lens);
  }

  function ticks(low, high, room, steps) {
    const raw = (high - low) * 50 / room, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = (steps || [1, 2, 5, 10].map((k) => k * power)).find((one) => one >= raw) || raw;
    const out = [];
    for (let k = Math.ceil(low / step - 1e-6); k * step <= high + step * 1e-6; k++) out.push(k * step);
    return { at: out, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-6)) };
  }

  function drawAxes(context, lens) {
    const { area, ox, oy, sx, sy } = lens, view = sight(), bottom = area.y + area.h, right = area.x + area.w;
    const round = view.sphere ? [1, 5, 15, 30, 60, 90, 180].map((degrees) => degrees / 180) : null;
    const across = ticks((area.x - ox) / sx, (right - ox) / sx, area.w, round);
    const up = ticks((oy - bottom) / sy, (oy - area.y) / sy, area.h);
    context.textBaseline = 'middle';
    for (const value of across.at) {
      const x = Math.round(ox + value * sx) + 0.5;
      gridLine(context, value, [x, area.y, x, bottom]);
      const text = view.sphere ? fixed(value * 180, 0) + '°' : fixed(value, across.digits);
      // Axes of a fixed view measure nothing, so they carry no numbers.
      if (!view.fixed && x < right - 6) label(context, text, x, bottom + 13, 'center');
    }
    for (const value of up.at) {
      const y = Math.round(oy - value * sy) + 0.5;
      gridLine(context, value, [area.x, y, right, y]);
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

  function gridLine(context, value, [x1, y1, x2, y2]) {
    context.strokeStyle = Math.abs(value) < 1e-9 ? theme.line : theme.grid;
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  function label(context, text, x, y, align, room) {
    let words = text || '';
    while (room && words.length > 1 && context.measureText(words).width > room) words = words.slice(0, -2) + '…';
    context.textAlign = align;
    context.fillStyle = theme.quiet;
    context.fillText(words, x, y);
  }

  function drawGlobe(context, lens) {
    const lines = { front: new Path2D(), back: new Path2D() };
    const step = Math.PI / 30, at = [0, 0, 0];
    const circle = (point) => {
      for (let k = 0, last = null; k <= 60; k++) {
        project(lens, ...point(k * step), at, 0);
        const path = at[2] >= 0 ? lines.front : lines.back;
        if (last) { path.moveTo(...last); path.lineTo(at[0], at[1]); }
        last = [at[0], at[1]];
      }
    };
    for (let k = -60; k <= 60; k += 30) {
      const high = Math.sin(k * Math.PI / 180), wide = Math.cos(k * Math.PI / 180);
      circle((turn) => [high, wide * Math.cos(turn), wide * Math.sin(turn)]);
    }
    for (let k = 0; k < 180; k += 30) {
      const c = Math.cos(k * Math.PI / 180), s = Math.sin(k * Math.PI / 180);
      circle((turn) => [Math.sin(turn), Math.cos(turn) * c, Math.cos(turn) * s]);
    }
    context.strokeStyle = theme.grid;
    context.stroke(lines.back);
    context.strokeStyle = theme.line;
    context.stroke(lines.front);
    context.beginPath();
    context.arc(lens.ox, lens.oy, lens.sx, 0, 2 * Math.PI);
    context.stroke();
    const tip = project(lens, 1.14, 0, 0, [0, 0, 0], 0);
    project(lens, 1, 0, 0, at, 0);
    gridLine(context, 0, [at[0], at[1], tip[0], tip[1]]);
  }

  function drawCross(context, lens) {
    const r = lens.radius, from = [0, 0, 0], to = [0, 0, 0];
    for (const [x, y, z] of [[r, 0, 0], [0, r, 0], [0, 0, r]]) {
      project(lens, -x, -y, -z, from, 0);
      project(lens, x, y, z, to, 0);
      gridLine(context, 0, [from[0], from[1], to[0], to[1]]);
    }
  }

  // What the ends of the turned axes are called, over the points and with a halo, to be read.
  function drawEnds(context, lens) {
    const { axes, sphere } = sight(), r = sphere ? 1.16 : lens.radius, at = [0, 0, 0];
    context.font = '13px ' + theme.font;
    context.textBaseline = 'middle';
    context.lineWidth = 4;
    context.strokeStyle = theme.ground;
    for (const [k, x, y, z] of [[0, r, 0, 0], [1, 0, r, 0], [2, 0, 0, r]].slice(0, sphere ? 1 : 3)) {
      const title = (axes[k] || '').split(' (')[0], half = context.measureText(title).width / 2 + 6;
      project(lens, x, y, z, at, 0);
      const left = clamp(at[0] + (at[0] - lens.ox) * 0.05, half, lens.width - half);
      const top = clamp(at[1] + (at[1] < lens.oy ? -10 : 14), 10, lens.height - 10);
      context.textAlign = 'center';
      context.strokeText(title, left, top);
      label(context, title, left, top, 'center');
    }
  }

  function drawOver(lens, dpr) {
    const context = ui.over.getContext('2d'), { area } = lens;
    const path = now.drag && now.drag.lasso ? now.drag.path : null;
    // An empty layer is put away: putting layers together is what costs most without a graphics card.
    const bare = now.pinned === null && now.hover === null && !path;
    ui.over.style.display = bare && now.dimensions === 2 ? 'none' : '';
    const mark = bare && now.groundMark;
    if (mark && mark === now.overMark) return;
    now.overMark = mark;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.clearRect(0, 0, lens.width, lens.height);
    if (now.dimensions === 3) drawEnds(context, lens);
    context.save();
    context.beginPath();
    context.rect(area.x, area.y, area.w, area.h);
    context.clip();
    if (now.pinned !== null) drawPair(context, lens, now.pinned, 2);
    if (now.hover !== null && now.hover % data.n !== now.pinned) drawPair(context, lens, now.hover % data.n, 1.25);
    context.restore();
    if (!path || path.length < 2) return;
    context.beginPath();
    for (const [x, y] of path) context.lineTo(x, y);
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = theme.accent;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.strokeStyle = theme.accent;
    context.stroke();
  }

  function drawPair(context, lens, pair, width) {
    const p = spots(), at = [0, 0, 0];
    pairLine(context, lens, pair);
    context.strokeStyle = theme.ground;
    context.lineWidth = width + 3;
    context.stroke();
    context.strokeStyle = theme.ink;
    context.lineWidth = width;
    context.stroke();
    for (const i of [pair, pair + data.n]) {
      project(lens, p[3 * i], p[3 * i + 1], p[3 * i + 2], at, 0);
      marker(context, at[0], at[1], pointSize() * 0.5 + 4, i >= data.n, css(now.paint.of(i)), theme.ink);
    }
  }

  // On the sphere the way from a point to its partner is an arc; on the map it may leave at one
  // side and come back at the other.
  function pairLine(context, lens, pair) {
    const p = spots(), a = 3 * pair, b = a + 3 * data.n, at = [0, 0, 0], here = [0, 0, 0];
    const steps = sight().sphere ? 48 : 1;
    context.beginPath();
    for (let s = 0, last = NaN; s <= steps; s++) {
      for (let k = 0; k < 3; k++) here[k] = p[a + k] + (p[b + k] - p[a + k]) * s / steps;
      if (steps > 1) toUnit(here, 0);
      project(lens, ...here, at, 0);
      const torn = isMap() && Math.abs(at[0] - last) > lens.sx;
      if (s === 0 || torn) context.moveTo(at[0], at[1]); else context.lineTo(at[0], at[1]);
      last = at[0];
    }
  }

  // ---- views, slider and moves ---------------------------------------------------------------

  // Starts a walk from where the points are now to where they belong.
  function glide(change) {
    const from = spots().slice();
    change();
    if (!sight().fixed && !still()) {
      now.start = from;
      now.blend = 0;
      now.began = performance.now();
      brush.upload('start', from);
    }
    settle();
  }

  function settle() {
    brush.upload('base', footing());
    now.stale = true;
    syncControls();
    shift();
  }

  function setView(key, dimensions) {
    const view = data.views[key];
    now.view = key;
    now.dimensions = view.fixed && !view.points3 ? 2 : dimensions;
    now.blend = 1;
    now.hover = null;
    home();
    settle();
  }

  function home() {
    Object.assign(now, { zoom: 1, pan: [0, 0], yaw: sight().sphere ? 0.15 : -0.45, pitch: 0.3 });
    shift();
  }

  function slide(delta) {
    if (now.move) glide(() => { now.move = null; });
    now.delta = delta;
    now.stale = true;
    ui.slider.setAttribute('aria-valuetext', fixed(delta, 3));
    shift();
  }

  function setMove(key) {
    glide(() => { now.move = key; now.delta = 0; });
    if (ui.slider) ui.slider.value = 0;
  }

  function syncControls() {
    const view = sight(), move = data.moves.find((one) => one.key === now.move);
    const press = (node, yes) => node.setAttribute('aria-pressed', String(Boolean(yes)));
    for (const node of ui.views.children) press(node, node.dataset.view === now.view);
    for (const node of ui.dimensions.children) {
      press(node, Number(node.dataset.dimensions) === now.dimensions);
      node.disabled = node.dataset.dimensions === '3' && Boolean(view.fixed && !view.points3);
    }
    if (ui.moves) for (const node of ui.moves.children) press(node, (node.dataset.key || null) === now.move);
    press(ui.lasso, now.lasso);
    ui.stage.classList.toggle('explorer-cross', now.lasso);
    const notes = [view.note, view.fixed ? `${view.title} is not moved by the slider.` : ''];
    ui.note.textContent = notes.filter(Boolean).join(' ');
    if (ui.moveNote) ui.moveNote.textContent = move ? move.note : '';
  }

  function valueAt(series, delta) {
    const { deltas } = data.slider, { values } = series;
    const beyond = deltas.findIndex((one) => one >= delta - 1e-9);
    const k = beyond < 0 ? deltas.length - 1 : Math.max(1, beyond);
    const f = clamp((delta - deltas[k - 1]) / (deltas[k] - deltas[k - 1]), 0, 1);
    if (f < 1e-6) return values[k - 1];
    if (f > 1 - 1e-6) return values[k];
    if (values[k - 1] === null || values[k] === null) return null;
    return values[k - 1] + (values[k] - values[k - 1]) * f;
  }

  function written(series, value) {
    if (value === null || value === undefined || !isFinite(value)) return '–';
    const digits = series.digits === undefined ? 3 : series.digits;
    return series.percent ? fixed(100 * value, Math.max(0, digits - 2)) + ' %' : fixed(value, digits);
  }

  function drawReadouts() {
    now.stale = false;
    if (!ui.slider) return;
    ui.delta.textContent = now.move ? '–' : (now.delta > 0 ? '+' : '') + fixed(now.delta, 3);
    const move = data.moves.find((one) => one.key === now.move);
    for (const tile of ui.tiles) {
      const { series, high, low } = tile;
      const found = move ? (move.values || {})[series.key] : valueAt(series, now.delta);
      const known = found !== null && found !== undefined;
      tile.value.textContent = written(series, found);
      tile.value.dataset.value = known ? found : '';
      tile.dot.style.display = known && low <= high ? '' : 'none';
      tile.dot.classList.toggle('explorer-elsewhere', Boolean(move));
      if (known) tile.dot.setAttribute('d', `M${across(now.delta)} ${level(tile, clamp(found, low, high))}h.01`);
    }
  }

  function across(delta) {
    const { deltas } = data.slider;
    return (100 * (delta - deltas[0]) / (deltas[deltas.length - 1] - deltas[0])).toFixed(2);
  }

  const level = ({ low, high }, value) => (high > low ? 5 + 30 * (high - value) / (high - low) : 20).toFixed(2);

  function makeTile(series) {
    const node = box('explorer-tile', make('div', 'explorer-tile-title', series.title));
    node.dataset.key = series.key;
    const known = series.values.filter((value) => value !== null);
    const tile = { series, low: Math.min(...known), high: Math.max(...known), value: make('div', 'explorer-value') };
    const svg = (tag, attributes) => {
      const one = document.createElementNS('http://www.w3.org/2000/svg', tag);
      for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
      return one;
    };
    let curve = '', pen = 'M';
    series.values.forEach((value, k) => {
      if (value !== null) curve += `${pen}${across(data.slider.deltas[k])} ${level(tile, value)}`;
      pen = value === null ? 'M' : 'L';
    });
    const spark = svg('svg', { class: 'explorer-spark', viewBox: '0 0 100 40', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    tile.dot = svg('path', { class: 'explorer-dot' });
    spark.append(svg('path', { class: 'explorer-zero', d: `M${across(0)} 0V40` }),
      svg('path', { class: 'explorer-curve', d: curve }), tile.dot);
    const plain = box('explorer-was', `as it is ${written(series, valueAt(series, 0))}`);
    node.append(tile.value, spark, plain);
    return { ...tile, node };
  }

  // ---- pointing, pinning, lasso --------------------------------------------------------------

  function pin(pair) {
    now.pinned = pair;
    now.hover = null;
    ui.live.textContent = pair === null ? 'Nothing is pinned.'
      : `Pinned pair ${pair + 1} of ${data.n}: ${data.captions[pair]}`;
    for (const node of ui.list.querySelectorAll('[data-pair]')) {
      node.setAttribute('aria-pressed', String(Number(node.dataset.pair) === pair));
    }
    drawCard();
    drawWalk();
    request();
  }

  function step(by) {
    const { n } = data;
    pin(now.pinned === null ? (by > 0 ? 0 : n - 1) : (now.pinned + by + n) % n);
  }

  function hover(index) {
    if (now.hover === index) return;
    now.hover = index;
    ui.stage.classList.toggle('explorer-hit', index !== null);
    drawCard();
    request();
  }

  function thumb(pair, size) {
    const { sprite } = data;
    if (!sprite) return make('span', 'explorer-thumb explorer-noimage', nameOf(pair));
    const row = Math.floor(pair / sprite.columns), rows = Math.ceil(data.n / sprite.columns);
    const node = make('span', 'explorer-thumb', '', { role: 'img', 'aria-label': nameOf(pair) });
    Object.assign(node.style, {
      width: size + 'px', height: size + 'px', backgroundImage: `url("${sprite.uri}")`,
      backgroundSize: `${sprite.columns * size}px ${rows * size}px`,
      backgroundPosition: `${-(pair % sprite.columns) * size}px ${-row * size}px`,
    });
    return node;
  }

  const nameOf = (pair) => (data.names && data.names[pair]) || `Picture ${pair + 1}`;

  function drawCard() {
    const pair = now.hover === null ? now.pinned : now.hover % data.n;
    ui.card.classList.toggle('explorer-empty', pair === null);
    ui.unpin.hidden = now.pinned === null;
    // A list keeps its place: pointing about while it is open does not push it down.
    ui.card.hidden = Boolean(now.chosen) && now.pinned === null;
    ui.shown.replaceChildren();
    if (pair === null) {
      const hint = 'Point at a dot to see the picture and its caption. Click to pin the pair.';
      ui.shown.append(make('p', 'explorer-hint', hint));
      return;
    }
    const head = box('explorer-head', make('span', '', `Pair ${pair + 1} of ${data.n}`));
    if (pair === now.pinned) head.append(make('span', 'explorer-badge', 'pinned'));
    const facts = box('explorer-facts', make('p', 'explorer-caption', data.captions[pair]));
    if (data.names) facts.append(make('p', 'explorer-fact', data.names[pair]));
    if (data.labels) facts.append(make('p', 'explorer-fact', `Label: ${data.labels[pair]}`));
    facts.append(make('p', 'explorer-fact', `Distance of the pair: ${fixed(data.distance[pair], 3)}`));
    const picture = data.sprite ? [thumb(pair, 120)] : [];
    ui.shown.append(head, box('explorer-pair', ...picture, facts));
  }

  function drawWalk() {
    const { walk } = data, pair = now.pinned;
    ui.walk.hidden = !walk || pair === null;
    ui.walk.replaceChildren();
    if (ui.walk.hidden) return;
    const strip = make('div', 'explorer-strip', '', { tabindex: 0, role: 'group', 'aria-label': 'Steps of the walk' });
    strip.append(box('explorer-step explorer-end', box('explorer-at', 'its picture'), thumb(pair, 72)));
    walk.steps.forEach((at, k) => {
      const cell = pair * walk.steps.length + k, text = data.captions[walk.texts[cell]];
      strip.append(box('explorer-step', box('explorer-at', fixed(at, 1)), thumb(walk.images[cell], 72),
        box('explorer-cosine', 'cos ' + fixed(walk.imageCosines[cell], 2)),
        make('div', 'explorer-said', text, { title: text }),
        box('explorer-cosine', 'cos ' + fixed(walk.textCosines[cell], 2))));
    });
    strip.append(box('explorer-step explorer-end', box('explorer-at', 'its caption'),
      make('div', 'explorer-said', data.captions[pair], { title: data.captions[pair] })));
    const text = 'At each step along the shortest way over the sphere: the nearest other picture and the nearest other caption.';
    ui.walk.append(make('div', 'explorer-heading', 'Walk from the picture to its caption'), make('p', 'explorer-small', text), strip);
  }

  function choose(path) {
    const at = pixels(), found = new Set();
    for (let i = 0; i < 2 * data.n; i++) {
      const x = at[3 * i], y = at[3 * i + 1];
      if (inArea(x, y) && within(path, x, y)) found.add(i);
    }
    setChosen(found.size ? found : null);
  }

  function within(path, x, y) {
    let inside = false;
    for (let k = 0, j = path.length - 1; k < path.length; j = k++) {
      const [ax, ay] = path[k], [bx, by] = path[j];
      if ((ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax) inside = !inside;
    }
    return inside;
  }

  function setChosen(found) {
    now.chosen = found;
    drawList();
    drawCard();
    recolour();
  }

  // One listener for the whole list, which is built anew for every lasso.
  function pointList(event) {
    const node = event.target.closest('[data-index]');
    if (event.type === 'pointerover') hover(node ? Number(node.dataset.index) : null);
    else if (event.type === 'pointerleave') hover(null);
    else if (node) pin(Number(node.dataset.pair));
    else if (event.target.closest('.explorer-clear')) { setChosen(null); ui.lasso.focus(); }
  }

  function drawList() {
    ui.list.hidden = !now.chosen;
    ui.list.replaceChildren();
    if (!now.chosen) return;
    const all = [...now.chosen], { n } = data;
    const pictures = all.filter((i) => i < n), captions = all.filter((i) => i >= n);
    const count = (many, one) => `${many} ${one}${many === 1 ? '' : 's'}`;
    const clear = make('button', 'explorer-button explorer-clear', 'Clear', { type: 'button' });
    const said = `${count(pictures.length, 'picture')}, ${count(captions.length, 'caption')}`;
    ui.live.textContent = `The lasso holds ${said}.`;
    // Each kind may use what the other leaves of the sixty places.
    const room = Math.max(LISTED / 2, LISTED - captions.length), shown = pictures.slice(0, room);
    const rest = captions.slice(0, LISTED - shown.length), left = all.length - shown.length - rest.length;
    const item = (i, child, kind) => {
      const node = make('button', `explorer-button explorer-item explorer-item-${kind}`, '', { type: 'button' });
      Object.assign(node.dataset, { index: i, pair: i % n });
      node.setAttribute('aria-pressed', String(i % n === now.pinned));
      node.append(child);
      return node;
    };
    ui.list.append(box('explorer-head', make('span', '', said), clear),
      box('explorer-items', ...shown.map((i) => item(i, thumb(i, 48), data.sprite ? 'picture' : 'text'))),
      box('explorer-items', ...rest.map((i) => item(i, make('span', '', data.captions[i - n]), 'text'))));
    if (left) ui.list.append(make('p', 'explorer-small', `and ${left} more`));
  }

  // ---- the pointer and the keys on the plot --------------------------------------------------

  function place(event) {
    const edge = ui.stage.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  }

  function press(event) {
    if (event.button) return;
    now.fingers.set(event.pointerId, place(event));
    ui.stage.setPointerCapture(event.pointerId);
    const at = place(event);
    now.drag = now.fingers.size === 1 ? { at, from: at, far: false, lasso: false, path: [at] } : null;
  }

  function trail(event) {
    const at = place(event), { drag } = now;
    if (now.fingers.size === 2 && now.fingers.has(event.pointerId)) return pinch(event.pointerId, at);
    if (!drag) return event.pointerType === 'touch' ? undefined : hover(nearest(...at));
    const [dx, dy] = [at[0] - drag.at[0], at[1] - drag.at[1]];
    drag.far = drag.far || Math.hypot(at[0] - drag.from[0], at[1] - drag.from[1]) > 4;
    if (!drag.far) return undefined;
    drag.at = at;
    drag.lasso = now.lasso;
    if (now.lasso) drag.path.push(at);
    else move(dx, dy);
    hover(null);
    return request();
  }

  // A drag turns the cloud in 3-D and pushes the map along in 2-D.
  function move(dx, dy) {
    if (now.dimensions === 3) {
      now.yaw += dx * 0.008;
      now.pitch = clamp(now.pitch + dy * 0.008, -1.57, 1.57);
    } else now.pan = [now.pan[0] + dx, now.pan[1] + dy];
    request();
  }

  function pinch(id, at) {
    const before = [...now.fingers.values()];
    now.fingers.set(id, at);
    const after = [...now.fingers.values()];
    const gap = ([a, b]) => Math.max(8, Math.hypot(a[0] - b[0], a[1] - b[1]));
    zoom(gap(after) / gap(before), (after[0][0] + after[1][0]) / 2, (after[0][1] + after[1][1]) / 2);
  }

  function release(event) {
    const { drag } = now;
    now.fingers.delete(event.pointerId);
    now.drag = null;
    request();
    if (!drag || event.type === 'pointercancel') return;
    if (drag.lasso) choose(drag.path);
    else if (!drag.far) {
      const hit = nearest(...place(event));
      if (event.timeStamp - (now.clicked || 0) > 600) now.kept = now.pinned;
      now.clicked = event.timeStamp;
      pin(hit === null ? null : hit % data.n);
    }
  }

  // A double click is two clicks first, which may have unpinned what was pinned.
  function again() {
    home();
    if (now.kept !== undefined && now.kept !== now.pinned) pin(now.kept);
  }

  // Keeps what lies under the pointer in its place.
  function zoom(factor, x, y) {
    const { area } = look(), to = clamp(now.zoom * factor, 0.4, 40), by = to / now.zoom;
    const middle = [area.x + area.w / 2, area.y + area.h / 2];
    const at = x === undefined || now.dimensions === 3 ? middle : [x, y];
    if (now.dimensions === 2) now.pan = now.pan.map((pan, k) => at[k] - middle[k] - (at[k] - middle[k] - pan) * by);
    now.zoom = to;
    request();
  }

  function wheel(event) {
    // Otherwise the wheel belongs to the page.
    if (document.activeElement !== ui.stage && !event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.008 : 0.0018)), ...place(event));
  }

  function keys(event) {
    const arrows = { ArrowLeft: [-24, 0], ArrowRight: [24, 0], ArrowUp: [0, -24], ArrowDown: [0, 24] };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (arrows[event.key]) {
      // Arrows move the eye over the map, so the map goes the other way; in 3-D they turn the cloud.
      const sign = now.dimensions === 3 ? 0.5 : -1;
      move(...arrows[event.key].map((value) => value * sign));
    } else if (event.key === '+' || event.key === '=') zoom(1.25);
    else if (event.key === '-') zoom(0.8);
    else if (event.key === '0') home();
    else return;
    event.preventDefault();
  }

  // ---- saving --------------------------------------------------------------------------------

  function save() {
    const dpr = window.devicePixelRatio || 1, head = 36 * dpr, source = ui.ground;
    const canvas = make('canvas');
    Object.assign(canvas, { width: source.width, height: source.height + head });
    const context = canvas.getContext('2d');
    context.fillStyle = theme.ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (const layer of [ui.ground, brush.canvas, ui.over]) context.drawImage(layer, 0, head);
    const move = data.moves.find((one) => one.key === now.move);
    const how = move ? move.title : now.delta && !sight().fixed ? 'moved by ' + fixed(now.delta, 3) : '';
    context.scale(dpr, dpr);
    context.font = '600 14px ' + theme.font;
    context.textBaseline = 'middle';
    context.fillStyle = theme.ink;
    context.fillText([data.title, sight().title, how].filter(Boolean).join(' · '), 14, 20, source.width / dpr - 200);
    context.font = '13px ' + theme.font;
    for (const [k, text] of ['pictures', 'captions'].entries()) {
      const x = source.width / dpr - 172 + 84 * k, plain = now.colour === 'modality';
      marker(context, x, 20, 5, k === 1, plain ? [theme.picture, theme.caption][k] : theme.quiet, theme.ground);
      context.fillStyle = theme.ink;
      context.fillText(text, x + 11, 20);
    }
    canvas.toBlob((blob) => {
      const link = make('a', '', '', { href: URL.createObjectURL(blob) });
      link.download = `${data.title} ${sight().title}`.toLowerCase().replace(/[^a-z0-9]+/g, '-') + '.png';
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  // ---- building the page ---------------------------------------------------------------------

  function build() {
    ui = { root: make('section', 'explorer', '', { 'aria-label': data.title || 'Explorer' }), tiles: [] };
    ui.live = make('div', 'explorer-hidden', '', { 'aria-live': 'polite' });
    ui.news = make('p', 'explorer-news', '', { role: 'status' });
    ui.note = make('p', 'explorer-note');
    ui.legend = make('div', 'explorer-legend');
    ui.walk = make('div', 'explorer-walk');
    ui.walk.hidden = true;
    const under = box('explorer-under', ui.note, ui.news);
    ui.root.append(make('div', 'explorer-title', data.title, { role: 'heading', 'aria-level': 3 }), buildBar(),
      box('explorer-body', box('explorer-main', buildHead(), buildPlot(), under), buildSide()), ui.walk);
    if (data.slider) ui.root.append(buildSlider());
    if (data.moves.length) ui.root.append(buildMoves());
    ui.root.append(ui.live);
    element.replaceChildren(ui.root);
  }

  function buildBar() {
    ui.views = make('div', 'explorer-group', '', { role: 'group', 'aria-label': 'View' });
    ui.dimensions = make('div', 'explorer-group', '', { role: 'group', 'aria-label': 'Dimensions' });
    for (const [key, view] of Object.entries(data.views)) viewButton(key, view.title);
    for (const [key, title] of Object.entries(data.waiting)) viewButton(key, title).disabled = true;
    for (const count of [2, 3]) {
      ui.dimensions.append(button('explorer-dimension', count + '-D', () => setView(now.view, count), { 'data-dimensions': count }));
    }
    const ways = [['modality', 'picture or caption'], ['label', 'label'], ['distance', 'distance of the pair'], ['norm', 'length before normalisation']];
    const colour = make('select', 'explorer-colour');
    for (const [key, title] of ways) {
      if ((key === 'label' && !data.labels) || (key === 'norm' && !data.norm)) continue;
      colour.append(make('option', '', title, { value: key }));
    }
    on(colour, 'change', () => { now.colour = colour.value; recolour(); });
    const label = make('label', 'explorer-choice', 'Colour by');
    label.append(colour);
    ui.lasso = button('explorer-lasso', 'Lasso', () => { now.lasso = !now.lasso; syncControls(); });
    return box('explorer-bar', ui.views, ui.dimensions, label, ui.lasso, button('explorer-save', 'Save picture', save));
  }

  function viewButton(key, title) {
    const found = [...ui.views.children].find((node) => node.dataset.view === key);
    const node = found || button('explorer-view', title, () => setView(key, now.dimensions), { 'data-view': key });
    if (!found) ui.views.append(node);
    return node;
  }

  function buildPlot() {
    const words = `Plot of ${data.n} pictures and ${data.n} captions. Arrow keys push or turn it, plus and minus zoom, 0 resets.`;
    ui.ground = make('canvas', 'explorer-ground');
    ui.over = make('canvas', 'explorer-over');
    ui.stage = make('div', 'explorer-stage', '', { tabindex: 0, role: 'application', 'aria-label': words });
    ui.stage.append(ui.ground, ui.over);
    const handlers = {
      pointerdown: press, pointermove: trail, pointerup: release, pointercancel: release,
      pointerleave: () => { if (!now.drag) hover(null); }, dblclick: again, keydown: keys,
    };
    for (const [type, handler] of Object.entries(handlers)) on(ui.stage, type, handler);
    on(ui.stage, 'wheel', wheel, { passive: false });
    return box('explorer-plot', ui.stage);
  }

  function buildHead() {
    return box('explorer-over-plot', ui.legend, box('explorer-zooms',
      button('explorer-zoom', '+', () => zoom(1.4), { 'aria-label': 'Zoom in', 'data-zoom': 'in' }),
      button('explorer-zoom', '−', () => zoom(1 / 1.4), { 'aria-label': 'Zoom out', 'data-zoom': 'out' }),
      button('explorer-home', 'Fit', home, { title: 'Show the whole plot again' })));
  }

  function buildSide() {
    ui.card = make('div', 'explorer-card', '', { role: 'group', 'aria-label': 'The pair' });
    ui.shown = make('div', 'explorer-shown');
    ui.unpin = button('explorer-unpin', 'Unpin', () => { pin(null); ui.card.querySelector('.explorer-next').focus(); });
    ui.card.append(ui.shown, box('explorer-steps', button('explorer-previous', 'Previous pair', () => step(-1)),
      button('explorer-next', 'Next pair', () => step(1)), ui.unpin));
    on(ui.card, 'keydown', (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      step(by);
    });
    ui.list = make('div', 'explorer-list');
    ui.list.hidden = true;
    for (const type of ['click', 'pointerover', 'pointerleave']) on(ui.list, type, pointList);
    return box('explorer-side', ui.card, ui.list);
  }

  function buildSlider() {
    const words = 'Move the two clouds along the gap';
    ui.slider = make('input', 'explorer-slider', '', { type: 'range', min: -1, max: 1, step: 0.025, 'aria-label': words });
    ui.slider.value = 0;
    on(ui.slider, 'input', () => slide(Number(ui.slider.value)));
    ui.delta = make('span', 'explorer-delta');
    const marks = box('explorer-ticks', ...[['−1', 'further apart'], ['0', 'as it is'], ['+1', 'closer together']]
      .map(([number, text]) => box('explorer-tick', make('b', '', number), make('span', '', text))));
    const reset = button('explorer-reset', 'Reset', () => setMove(null));
    ui.tiles = data.slider.series.map(makeTile);
    return box('explorer-readouts', box('explorer-heading', make('span', '', words), ui.delta, reset),
      box('explorer-rail', ui.slider, marks), box('explorer-tiles', ...ui.tiles.map((tile) => tile.node)));
  }

  function buildMoves() {
    ui.moves = make('div', 'explorer-moves', '', { role: 'group', 'aria-label': 'Do something else to them' });
    for (const move of [{ key: '', title: 'As it is' }, ...data.moves]) {
      ui.moves.append(button('explorer-move', move.title, () => setMove(move.key || null), { 'data-key': move.key }));
    }
    ui.moveNote = make('p', 'explorer-small explorer-move-note', '', { role: 'status' });
    return box('explorer-others', box('explorer-heading', 'Do something else to them'), ui.moves, ui.moveNote);
  }

  // Listens to what is outside the element; all of it ends with tearDown().
  function listen() {
    const dark = new MutationObserver(() => {
      const before = JSON.stringify({ ...theme, version: 0 });
      readTheme();
      if (before !== JSON.stringify({ ...theme, version: 0 })) recolour();
    });
    for (const node of [document.documentElement, document.body]) dark.observe(node, { attributes: true, attributeFilter: ['class'] });
    const room = new ResizeObserver(() => {
      // Width 0 also comes when the element was taken out of the page: others then share anew.
      if (!element.isConnected) leave();
      const width = element.clientWidth;
      ui.root.classList.toggle('explorer-wide', width > 620);
      ui.root.classList.toggle('explorer-narrow', width < 480);
      request();
    });
    room.observe(element);
    on(window, 'resize', request);
    on(ui.root, 'keydown', (event) => { if (event.key === 'Escape' && now.pinned !== null) pin(null); });
    ending.signal.addEventListener('abort', () => { dark.disconnect(); room.disconnect(); });
  }

  function leave() {
    live.delete(me);
    for (const other of live) other.request();
  }

  function tearDown() {
    if (!data) return;
    cancelAnimationFrame(now.asked);
    ending.abort();
    brush.free();
    if (data.sprite) URL.revokeObjectURL(data.sprite.uri);
    element.replaceChildren();
    data = now = ui = brush = null;
    leave();
  }

  // ---- the interface -------------------------------------------------------------------------

  function show(payload) {
    tearDown();
    if (!payload) return;
    data = decode(payload);
    ending = new AbortController();
    now = {
      view: Object.keys(data.views)[0], dimensions: 2, delta: 0, move: null, pinned: null, hover: null, chosen: null,
      colour: 'modality', lasso: false, zoom: 1, pan: [0, 0], yaw: -0.45, pitch: 0.3, blend: 1, stamp: 1, fingers: new Map(),
      start: new Float32Array(6 * data.n), spots: new Float32Array(6 * data.n), pixels: new Float32Array(6 * data.n),
    };
    build();
    readTheme();
    now.paint = colouring();
    setBrush();
    listen();
    live.add(me);
    drawLegend();
    drawCard();
    settle();
  }

  function later(update) {
    if (!data || !update) return;
    const waiting = Object.keys(data.waiting).filter((key) => !data.views[key]);
    if (update.progress !== undefined) {
      for (const key of waiting) {
        const node = viewButton(key);
        node.textContent = `${data.waiting[key]} ${Math.round(100 * update.progress)} %`;
        node.style.setProperty('--explorer-done', 100 * update.progress + '%');
      }
    }
    if (update.doing) ui.news.textContent = update.doing;
    if (update.error) for (const key of waiting) viewButton(key).textContent = data.waiting[key];
    ui.news.classList.toggle('explorer-error', Boolean(update.error));
    if (update.error) ui.news.textContent = update.error;
    for (const [key, view] of Object.entries(update.views || {})) arrive(key, view);
  }

  function arrive(key, view) {
    data.views[key] = decodeView(view, data.views[key]);
    for (const kind of [key + '/2', key + '/3']) data.spans.delete(kind);
    const { title } = data.views[key], node = viewButton(key, title);
    Object.assign(node, { disabled: false, textContent: title });
    node.style.removeProperty('--explorer-done');
    ui.news.textContent = `${title} is ready.`;
    if (now.view === key) settle(); else syncControls();
  }

  // What the page and its tests may ask of this explorer.
  const me = {
    element, reach: (kind) => (data ? reach(kind) : null), request,
    kind: () => (data ? `${now.view}/${now.dimensions}` : ''), range: () => (data ? now.range : null),
  };

  function state() {
    if (!data) return null;
    const { view, dimensions, delta, move: key, pinned, chosen } = now;
    return { view, dimensions, delta, move: key, pinned, chosen: chosen ? chosen.size : 0, frames };
  }

  function position(index) {
    const at = pixels();
    return { x: at[3 * index], y: at[3 * index + 1] };
  }

  return { show, later, state, position };
}
