// The explorer as a whole: its state, its start and end, views that come later, the saved picture,
// and createExplorer(element), all that the page may use.

// All that one payload needs until it goes: the decoded data, what the visitor has chosen (now), the
// elements that change (ui), what was worked out about the points (fresh), brush, theme and paint.
class Scene {
  constructor(element, payload) {
    const data = decode(payload), triples = () => new Float32Array(6 * data.n);
    const now = {
      view: Object.keys(data.views)[0], dimensions: 2, delta: 0, move: null, pinned: null, hover: null, chosen: null,
      colour: 'modality', lasso: false, zoom: 1, pan: [0, 0], yaw: -0.45, pitch: 0.3,
    };
    Object.assign(this, {
      element, data, now, ui: {}, ending: new AbortController(), frames: 0, fingers: new Map(), fresh: {}, blend: 1,
      start: triples(), points: triples(), pixels: triples(),
    });
  }

  get view() { return this.data.views[this.now.view]; }
  get deep() { return this.now.dimensions === 3; }
  get kind() { return `${this.now.view}/${this.now.dimensions}`; } // scenes of one kind share a range
  get move() { return this.data.moves.find((one) => one.key === this.now.move); }
  get pull() { return this.view.fixed || this.now.move ? 0 : this.now.delta; }

  on(target, type, handler, options) {
    target.addEventListener(type, handler, { ...options, signal: this.ending.signal });
  }

  button(className, text, handler, attributes) {
    const node = make('button', 'explorer-button ' + className, text, { type: 'button', ...attributes });
    this.on(node, 'click', handler);
    return node;
  }

  atEnd(action) { this.ending.signal.addEventListener('abort', action); }

  reach(kind) { return reach(this, kind); }

  // Draws once at the next frame, however often it is asked.
  request() {
    if (!this.asked && !this.ending.signal.aborted) this.asked = requestAnimationFrame((time) => draw(this, time));
  }

  // The points are elsewhere: forget what was worked out about them.
  shift() {
    this.fresh = {};
    this.request();
  }

  // Not yet on the page, it waits and others do without it; taken out of the page, it ends.
  onPage() {
    const here = this.ui.root.isConnected;
    this.met = this.met || here;
    if (!here) live.delete(this);
    if (!here && this.met) this.end();
    return here;
  }

  end() {
    if (this.ending.signal.aborted) return;
    this.ending.abort();
    cancelAnimationFrame(this.asked);
    this.brush.free();
    if (this.data.sprite) URL.revokeObjectURL(this.data.sprite.uri);
    this.ui.root.remove();
    live.delete(this);
    for (const other of live) other.request();
  }
}

function build(scene) {
  const { ui, data, element } = scene;
  ui.root = make('section', 'explorer', [], { 'aria-label': data.title || 'Explorer' });
  ui.live = make('div', 'explorer-hidden', '', { 'aria-live': 'polite' });
  ui.news = make('p', 'explorer-news', '', { role: 'status' });
  ui.note = make('p', 'explorer-note');
  ui.legend = box('explorer-legend');
  ui.walk = box('explorer-walk');
  ui.walk.hidden = true;
  const main = box('explorer-main', box('explorer-over-plot', ui.legend, buildZooms(scene)), buildPlot(scene),
    box('explorer-under', ui.note, ui.news));
  ui.root.append(buildBar(scene),
    box('explorer-body', main, buildSide(scene)), ui.walk);
  if (data.slider) ui.root.append(buildSlider(scene));
  if (data.moves.length) ui.root.append(buildMoves(scene));
  ui.root.append(ui.live);
  element.replaceChildren(ui.root);
}

// Listens to what is outside the scene's own elements; all of it ends with the scene.
function listen(scene) {
  const { element, ui } = scene;
  function refresh() {
    // A new width, 0, is also how an element learns that it was taken out of the page.
    if (!scene.onPage()) return;
    ui.root.classList.toggle('explorer-wide', element.clientWidth > 620);
    ui.root.classList.toggle('explorer-narrow', element.clientWidth < 480);
    if (readTheme(scene)) recolour(scene);
    scene.request();
  }
  const dark = new MutationObserver(refresh), room = new ResizeObserver(refresh);
  for (const node of [document.documentElement, document.body]) dark.observe(node, { attributeFilter: ['class'] });
  room.observe(element);
  scene.on(window, 'resize', refresh);
  scene.on(ui.root, 'keydown', (event) => { if (event.key === 'Escape' && scene.now.pinned !== null) pin(scene, null); });
  scene.atEnd(() => { dark.disconnect(); room.disconnect(); });
}

function openScene(element, payload) {
  const scene = new Scene(element, payload);
  build(scene);
  readTheme(scene);
  scene.paint = colouring(scene);
  setBrush(scene);
  listen(scene);
  live.add(scene);
  drawLegend(scene);
  drawCard(scene);
  settle(scene);
  scene.onPage();
  return scene;
}

// What the server reckons after the page is shown: its progress, its words, and views.
function later(scene, { progress, doing, error, views }) {
  const { data, ui } = scene, waiting = Object.keys(data.waiting).filter((key) => !data.views[key]);
  for (const key of waiting) {
    const node = viewButton(scene, key);
    if (progress !== undefined) {
      node.textContent = `${data.waiting[key]} ${Math.round(100 * progress)} %`;
      node.style.setProperty('--explorer-done', 100 * progress + '%');
    }
    if (error) node.textContent = data.waiting[key];
  }
  if (error || doing) ui.news.textContent = error || doing;
  ui.news.classList.toggle('explorer-error', Boolean(error));
  for (const [key, view] of Object.entries(views || {})) arrive(scene, key, view);
}

function arrive(scene, key, view) {
  const { data: { views }, ui, now } = scene, { title } = views[key] = decodeView(view, views[key]);
  const node = viewButton(scene, key, title);
  Object.assign(node, { disabled: false, textContent: title });
  node.style.removeProperty('--explorer-done');
  ui.news.textContent = `${title} is ready.`;
  if (scene.hoped === key) setView(scene, key, now.dimensions);
  else if (now.view === key) settle(scene); else syncControls(scene);
}

function save(scene) {
  const { ui, theme, data, view, move, brush, now } = scene, dpr = window.devicePixelRatio || 1, head = 36 * dpr;
  const { width, height } = ui.ground, canvas = make('canvas', '', [], { width, height: height + head });
  const context = canvas.getContext('2d');
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const layer of [ui.ground, brush.canvas, ui.over]) context.drawImage(layer, 0, head);
  const how = move ? move.title : now.delta && !view.fixed ? 'moved by ' + fixed(now.delta, 3) : '';
  context.scale(dpr, dpr);
  Object.assign(context, { font: theme.bold, textBaseline: 'middle', fillStyle: theme.ink });
  context.fillText([data.title, view.title, how].filter(Boolean).join(' · '), 14, 20, width / dpr - 200);
  context.font = theme.font;
  for (const [k, [colour, text]] of kinds(scene, theme.quiet).entries()) {
    const x = width / dpr - 172 + 84 * k;
    marker(context, x, 20, 5, k === 1, colour, theme.ground);
    context.fillStyle = theme.ink;
    context.fillText(text, x + 11, 20);
  }
  canvas.toBlob((blob) => {
    const link = make('a', '', [], { href: URL.createObjectURL(blob) });
    link.download = `${data.title} ${view.title}`.toLowerCase().replace(/[^a-z0-9]+/g, '-') + '.png';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}

function createExplorer(element) {
  let scene = null, frames = 0;

  function show(payload) {
    if (scene) scene.end();
    if (!payload) return;
    scene = openScene(element, payload);
    scene.atEnd(() => { frames += scene.frames; scene = null; });
  }

  // What the page and its tests may ask of this explorer.
  function state() {
    if (!scene) return null;
    const { view, dimensions, delta, move: key, pinned, chosen } = scene.now;
    return { view, dimensions, delta, move: key, pinned, chosen: chosen ? chosen.size : 0, frames: frames + scene.frames };
  }

  function position(index) {
    const at = scene ? pixels(scene) : [];
    return { x: at[3 * index], y: at[3 * index + 1] };
  }

  return {
    show, state, position,
    settings: () => (scene ? settings(scene) : {}),
    restore: (wanted) => { if (scene) restore(scene, wanted); },
    later: (update) => { if (scene && update) later(scene, update); },
  };
}
