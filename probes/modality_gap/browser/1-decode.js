// Turns the payload, in which all coordinates arrive once, into typed arrays.

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
