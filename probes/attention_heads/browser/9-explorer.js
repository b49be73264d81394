// The explorer as a whole: its state, its bar, and createExplorer(element), all that the page may use.

class Scene {
  constructor(element, payload) {
    this.data = decode(payload);
    this.now = { mode: this.data.mode, beyond: false, part: this.data.opens, which: 'head', direction: 0, off: new Set() };
    Object.assign(this, { element, ui: {}, ending: new AbortController() });
  }

  on(target, type, handler) { target.addEventListener(type, handler, { signal: this.ending.signal }); }

  button(className, text, handler, attributes) {
    const node = make('button', 'explorer-button ' + className, text, { type: 'button', ...attributes });
    this.on(node, 'click', handler);
    return node;
  }

  end() {
    this.ending.abort();
    if (this.data.sprite) URL.revokeObjectURL(this.data.sprite.uri);
    this.ui.root.remove();
  }
}

function choose(scene, part) {
  Object.assign(scene.now, { part, direction: 0 });
  draw(scene);
  scene.ui.live.textContent = scene.ui.cells[part].getAttribute('aria-label');
}

function buildBar(scene) {
  const { data, ui, now } = scene, modes = group('explorer-group', 'Which text');
  const titles = data.others
    ? { contrast: 'Difference', first: data.text, others: data.others } : { first: data.text };
  ui.modes = Object.entries(titles).map(([key, title]) => [key, scene.button('heads-mode', title, () => { now.mode = key; draw(scene); })]);
  modes.append(...ui.modes.map(([, node]) => node));
  ui.beyond = scene.button('', 'Beyond what other pictures get', () => { now.beyond = !now.beyond; draw(scene); });
  return box('explorer-bar', ...(data.others ? [modes] : []), ui.beyond);
}

function draw(scene) {
  const { ui, now } = scene;
  for (const [key, node] of ui.modes) pressed(node, key === now.mode);
  pressed(ui.beyond, now.beyond);
  drawGrid(scene);
  drawMaps(scene);
  drawCard(scene);
  drawOff(scene);
}

function openScene(element, payload) {
  const scene = new Scene(element, payload), { ui } = scene;
  ui.root = make('section', 'explorer heads', [], { 'aria-label': 'Heads' });
  ui.live = make('div', 'explorer-hidden', '', { 'aria-live': 'polite' });
  ui.card = group('heads-card', 'The chosen head');
  const body = box('heads-body', buildGrid(scene), buildMaps(scene));
  ui.root.append(buildBar(scene), body, ui.card, buildOff(scene), ui.live);
  element.replaceChildren(ui.root);
  const fit = () => {
    ui.root.classList.toggle('explorer-wide', element.clientWidth > 620);
    ui.root.classList.toggle('explorer-narrow', element.clientWidth < 480);
  };
  const room = new ResizeObserver(fit);
  room.observe(element);
  scene.ending.signal.addEventListener('abort', () => room.disconnect());
  fit();
  draw(scene);
  return scene;
}

function createExplorer(element) {
  let scene = null;

  // An answer that grows while it is worked on keeps what the visitor has chosen.
  function show(payload) {
    const before = scene && scene.now, same = scene && payload && scene.data.grows === payload.grows;
    if (scene) scene.end();
    scene = payload ? openScene(element, payload) : null;
    if (scene && same) {
      Object.assign(scene.now, before);
      draw(scene);
    }
  }

  // What the page and its tests may ask of this explorer.
  function state() {
    if (!scene) return null;
    const { mode, beyond, part, which, direction } = scene.now;
    return { mode, beyond, part: nameOf(scene.data, part), which, direction, off: written(scene), similarity: similarity(scene) };
  }

  return {
    show, state, later: () => {},
    settings: () => (scene ? settings(scene) : {}),
    restore: (wanted) => { if (scene) restore(scene, wanted); },
  };
}
