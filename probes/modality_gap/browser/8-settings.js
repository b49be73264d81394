// What a visitor set, as a link has it, and back. A link may say anything: what is not there is left out, and numbers
// are brought into their range.

const CHOSEN = 400; // points of a lasso that travel; more would make the link too long

const rounded = (value, digits) => Number(value.toFixed(digits));

// The angles from which a view is first seen.
const firstTurn = (view) => ({ yaw: view.sphere ? 0.15 : -0.45, pitch: 0.3 });

function settings(scene) {
  const { data, now, ui, deep, view } = scene, kept = {}, first = Object.keys(data.views)[0], turn = firstTurn(view);
  const keep = (key, value, usual) => { if (value !== usual) kept[key] = value; };
  keep('view', scene.hoped || now.view, first);
  keep('dimensions', now.dimensions, 2);
  keep('delta', rounded(now.delta, 4), 0);
  keep('move', now.move, null);
  keep('pinned', now.pinned, null);
  keep('colour', now.colour, 'modality');
  keep('zoom', rounded(now.zoom, 3), 1);
  if (now.chosen && now.chosen.size <= CHOSEN) kept.chosen = [...now.chosen].sort((a, b) => a - b);
  const wide = ui.stage.clientWidth;
  if (wide && now.pan.some(Boolean)) kept.pan = now.pan.map((pan) => rounded(pan / wide, 4));
  if (deep && now.yaw !== turn.yaw) kept.yaw = rounded(Math.atan2(Math.sin(now.yaw), Math.cos(now.yaw)), 3);
  if (deep && now.pitch !== turn.pitch) kept.pitch = rounded(now.pitch, 3);
  return kept;
}

function restore(scene, wanted) {
  const { data, now, ui } = scene, { view, move, colour, chosen, pinned } = wanted, own = (map) => typeof view === 'string' && Object.hasOwn(map, view);
  const number = (value, low, high, usual) => (Number.isFinite(value) ? clamp(value, low, high) : usual);
  const among = (value, count) => Number.isInteger(value) && value >= 0 && value < count;
  const dimensions = wanted.dimensions === 3 ? 3 : 2;
  setView(scene, own(data.views) ? view : now.view, dimensions);
  if (own(data.waiting) && !own(data.views)) Object.assign(scene, { hoped: view });
  if (data.moves.some((one) => one.key === move)) setMove(scene, move);
  else if (ui.slider && Number.isFinite(wanted.delta)) {
    ui.slider.value = clamp(wanted.delta, -1, 1);
    slide(scene, Number(ui.slider.value));
  }
  if ([...ui.colour.options].some((option) => option.value === colour)) {
    ui.colour.value = now.colour = colour;
    recolour(scene);
  }
  if (Array.isArray(chosen) && chosen.length <= CHOSEN) {
    const found = new Set(chosen.filter((one) => among(one, 2 * data.n)));
    if (found.size) setChosen(scene, found);
  }
  if (among(pinned, data.n)) pin(scene, pinned);
  const turn = firstTurn(scene.view), pan = Array.isArray(wanted.pan) ? wanted.pan : [];
  Object.assign(now, {
    zoom: number(wanted.zoom, 0.4, 40, 1), yaw: number(wanted.yaw, -4, 4, turn.yaw), pitch: number(wanted.pitch, -1.57, 1.57, turn.pitch),
    pan: [0, 1].map((at) => ui.stage.clientWidth * number(pan[at], -40, 40, 0)),
  });
  scene.shift();
}
