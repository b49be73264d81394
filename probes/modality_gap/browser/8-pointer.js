// What pointer, fingers, wheel and keys do on the plot: point, pin, turn, push, zoom and lasso.

function buildPlot(scene) {
  const { ui, data: { n } } = scene;
  const words = `Plot of ${n} pictures and ${n} captions. Arrow keys push or turn it, plus and minus zoom, 0 resets.`;
  ui.ground = make('canvas', 'explorer-ground');
  ui.over = make('canvas', 'explorer-over');
  ui.stage = make('div', 'explorer-stage', [ui.ground, ui.over], { tabindex: 0, role: 'application', 'aria-label': words });
  const handlers = {
    pointerdown: press, pointermove: trail, pointerup: release, pointercancel: release,
    pointerleave: () => { if (!scene.drag) hover(scene, null); }, dblclick: again, keydown: keys, wheel,
  };
  for (const [type, handler] of Object.entries(handlers)) {
    scene.on(ui.stage, type, (event) => handler(scene, event), { passive: false });
  }
  return box('explorer-plot', ui.stage);
}

function buildZooms(scene) {
  return box('explorer-zooms',
    scene.button('explorer-zoom', '+', () => zoom(scene, 1.4), { 'aria-label': 'Zoom in', 'data-zoom': 'in' }),
    scene.button('explorer-zoom', '−', () => zoom(scene, 1 / 1.4), { 'aria-label': 'Zoom out', 'data-zoom': 'out' }),
    scene.button('explorer-home', 'Fit', () => home(scene), { title: 'Show the whole plot again' }));
}

function place({ ui }, event) {
  const edge = ui.stage.getBoundingClientRect();
  return [event.clientX - edge.left, event.clientY - edge.top];
}

const apart = ([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]);

function press(scene, event) {
  if (event.button) return;
  const { fingers } = scene, at = place(scene, event);
  const path = new Path2D();
  path.moveTo(...at);
  fingers.set(event.pointerId, at);
  scene.ui.stage.setPointerCapture(event.pointerId);
  scene.drag = fingers.size === 1 ? { at, from: at, far: false, lasso: false, path } : null;
}

function trail(scene, event) {
  const at = place(scene, event), { drag, fingers, now } = scene;
  if (fingers.size === 2 && fingers.has(event.pointerId)) { pinch(scene, event.pointerId, at); return; }
  if (!drag) {
    if (event.pointerType !== 'touch') hover(scene, nearest(scene, ...at));
    return;
  }
  drag.far = drag.far || apart([at, drag.from]) > 4;
  if (!drag.far) return;
  drag.lasso = now.lasso;
  if (now.lasso) drag.path.lineTo(...at);
  else move(scene, at[0] - drag.at[0], at[1] - drag.at[1]);
  drag.at = at;
  hover(scene, null);
  scene.request();
}

// A drag turns the cloud in 3-D and pushes the map along in 2-D.
function move(scene, dx, dy) {
  const { now } = scene;
  if (scene.deep) {
    now.yaw += dx * 0.008;
    now.pitch = clamp(now.pitch + dy * 0.008, -1.57, 1.57);
  } else now.pan = [now.pan[0] + dx, now.pan[1] + dy];
  scene.request();
}

function pinch(scene, id, at) {
  const before = [...scene.fingers.values()], after = [...scene.fingers.set(id, at).values()];
  const factor = Math.max(8, apart(after)) / Math.max(8, apart(before));
  zoom(scene, factor, (after[0][0] + after[1][0]) / 2, (after[0][1] + after[1][1]) / 2);
}

function release(scene, event) {
  const { drag, now } = scene;
  scene.fingers.delete(event.pointerId);
  scene.drag = null;
  scene.request();
  if (!drag || event.type === 'pointercancel') return;
  if (drag.lasso) {
    const found = caught(scene, drag.path);
    setChosen(scene, found.size ? found : null);
  } else if (!drag.far) {
    const hit = nearest(scene, ...place(scene, event));
    if (event.timeStamp - (scene.clicked || 0) > 600) scene.kept = now.pinned;
    scene.clicked = event.timeStamp;
    pin(scene, hit === null ? null : hit % scene.data.n);
  }
}

// A double click is two clicks first, which may have unpinned what was pinned.
function again(scene) {
  home(scene);
  if (scene.kept !== undefined && scene.kept !== scene.now.pinned) pin(scene, scene.kept);
}

// Keeps what lies under the pointer in its place.
function zoom(scene, factor, x, y) {
  const { area } = look(scene), { now } = scene, to = clamp(now.zoom * factor, 0.4, 40), by = to / now.zoom;
  const middle = [area.x + area.w / 2, area.y + area.h / 2], at = x === undefined ? middle : [x, y];
  if (!scene.deep) now.pan = now.pan.map((pan, k) => at[k] - middle[k] - (at[k] - middle[k] - pan) * by);
  now.zoom = to;
  scene.request();
}

function wheel(scene, event) {
  // Otherwise the wheel belongs to the page.
  if (document.activeElement !== scene.ui.stage && !event.ctrlKey) return;
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 30 : 1;
  zoom(scene, Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.008 : 0.0018)), ...place(scene, event));
}

function keys(scene, event) {
  const arrows = { ArrowLeft: [-24, 0], ArrowRight: [24, 0], ArrowUp: [0, -24], ArrowDown: [0, 24] };
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (arrows[event.key]) {
    // Arrows move the eye over the map, so the map goes the other way; in 3-D they turn the cloud.
    move(scene, ...arrows[event.key].map((value) => value * (scene.deep ? 0.5 : -1)));
  } else if (event.key === '+' || event.key === '=') zoom(scene, 1.25);
  else if (event.key === '-') zoom(scene, 0.8);
  else if (event.key === '0') home(scene);
  else return;
  event.preventDefault();
}
