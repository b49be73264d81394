// Draws the points: by WebGL, whose shader moves them, or on a plain canvas where there is no WebGL.
// A brush has a canvas and takes arrays by upload(), an order by order(), and draw() and free().

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

const newCanvas = () => make('canvas', 'explorer-paint');
const pointSize = ({ data, now }) => clamp(7 * Math.pow(data.n / 500, -0.243), 4, 10) * Math.sqrt(clamp(now.zoom, 1, 4));

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

function glBrush(scene) {
  const canvas = newCanvas();
  const gl = canvas.getContext('webgl', { preserveDrawingBuffer: true, antialias: false, depth: false });
  const program = gl && compile(gl);
  if (!program) return null;
  gl.useProgram(program);
  const places = {}, buffers = {};
  const slot = (name) => places[name] ||= gl.getUniformLocation(program, name);
  function upload(name, array) {
    const type = array instanceof Uint8Array ? gl.UNSIGNED_BYTE : gl.FLOAT, at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name] ||= gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, array.length / (2 * scene.data.n), type, type !== gl.FLOAT, 0, 0);
  }
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  const order = (indices) => gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.DYNAMIC_DRAW);
  // Browsers keep few WebGL contexts alive, so one that is done with is handed back at once.
  const free = () => gl.getExtension('WEBGL_lose_context')?.loseContext();
  return { canvas, upload, order, free, draw: (dpr) => glDraw(scene, gl, slot, dpr) };
}

function glDraw(scene, gl, slot, dpr) {
  const { view, lens, theme } = scene, { area, turn: m } = lens;
  gl.viewport(0, 0, gl.canvas.width, gl.canvas.height);
  gl.disable(gl.SCISSOR_TEST);
  gl.clear(gl.COLOR_BUFFER_BIT);
  gl.enable(gl.SCISSOR_TEST);
  gl.scissor(area.x * dpr, (lens.height - area.y - area.h) * dpr, area.w * dpr, area.h * dpr);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const numbers = {
    delta: scene.pull, blend: scene.blend, globe: view.sphere ? 1 : 0, solid: lens.deep ? 1 : 0,
    size: pointSize(scene) * dpr, radius: lens.radius,
  };
  for (const [name, value] of Object.entries(numbers)) gl.uniform1f(slot(name), value);
  const triples = { gap: view.gap, centre: view.centre, ground: rgb(theme.ground).map((value) => value / 255) };
  for (const [name, values] of Object.entries(triples)) gl.uniform3fv(slot(name), values);
  gl.uniform4f(slot('lens'), lens.ox, lens.oy, lens.sx, lens.sy);
  gl.uniform2f(slot('frame'), lens.width, lens.height);
  // WebGL wants it column by column
  gl.uniformMatrix3fv(slot('turn'), false, [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]]);
  gl.drawElements(gl.POINTS, 2 * scene.data.n, gl.UNSIGNED_SHORT, 0);
}

function plainBrush(scene) {
  const canvas = newCanvas(), held = {};
  function draw(dpr) {
    const context = clean(canvas, scene.lens, dpr), at = pixels(scene), { lens } = scene, ground = rgb(scene.theme.ground);
    for (const i of held.order) {
      if (!inArea(lens, at[3 * i], at[3 * i + 1])) continue;
      const haze = held.tint[4 * i + 3] / 255 * (lens.deep ? 0.76 + 0.24 * at[3 * i + 2] : 1);
      const colour = Array.from(held.tint.subarray(4 * i, 4 * i + 3));
      marker(context, at[3 * i], at[3 * i + 1], pointSize(scene) / 2, i >= scene.data.n, css(mix(ground, colour, haze)),
        css(mix(ground, colour.map((value) => value * 0.55), haze)));
    }
  }
  const upload = (name, array) => { held[name] = array; };
  return { canvas, upload, draw, order: (indices) => upload('order', indices), free() {} };
}

function clean(canvas, { width, height }, dpr) {
  const context = canvas.getContext('2d');
  context.setTransform(dpr, 0, 0, dpr, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function marker(context, x, y, radius, diamond, fill, line) {
  const r = radius * 1.22;
  context.beginPath();
  if (diamond) {
    for (const [right, down] of [[0, -r], [r, 0], [0, r], [-r, 0]]) context.lineTo(x + right, y + down);
    context.closePath();
  } else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = line;
  context.stroke();
}

function setBrush(scene) {
  const { data: { n, along }, brush: old, ui } = scene;
  const brush = scene.brush = glBrush(scene) || plainBrush(scene);
  if (old) { old.free(); old.canvas.remove(); }
  ui.ground.after(brush.canvas);
  scene.on(brush.canvas, 'webglcontextlost', (event) => event.preventDefault());
  scene.on(brush.canvas, 'webglcontextrestored', () => { setBrush(scene); scene.request(); });
  // Pictures and captions take turns, so that neither cloud lies over the other.
  scene.turns = Uint16Array.from({ length: 2 * n }, (_, i) => (i >> 1) + (i % 2) * n);
  scene.ranked = null;
  const side = Float32Array.from({ length: 2 * n }, (_, i) => (i < n ? -1 : 1));
  const arrays = { side, along, start: scene.start, base: footing(scene), tint: tints(scene) };
  for (const [name, array] of Object.entries(arrays)) brush.upload(name, array);
}

// In 3-D the far points come first. Sorting into layers costs little; a depth buffer would leave
// the soft edges of near points as holes in the far ones.
function rank(scene) {
  const { turns, deep, data } = scene;
  if (!deep && scene.ranked === turns) return;
  const ranked = scene.ranked = deep ? new Uint16Array(2 * data.n) : turns;
  if (deep) {
    const at = pixels(scene), layers = 512, ends = new Uint32Array(layers + 1);
    const layer = (i) => clamp(Math.floor((at[3 * i + 2] + 1) / 2 * layers), 0, layers - 1);
    for (const i of turns) ends[layer(i) + 1]++;
    for (let k = 0; k < layers; k++) ends[k + 1] += ends[k];
    for (const i of turns) ranked[ends[layer(i)]++] = i;
  }
  scene.brush.order(ranked);
}
