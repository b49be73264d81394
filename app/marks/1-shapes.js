// The shapes of marks: what is done to one, and where it lies on the screen. Nothing here knows a page.
// Points are shares of the picture's width and height, lengths shares of its height; `ratio` is its width over its
// height, `radii` the least and the most size, `view` the picture on the screen with its width and height in pixels.
(() => {
  const ROOM = 18;  // pixels between the middle of a small mark and its handles, so that it can still be moved
  const LEAST = 0.012;  // two points of a mark are so far apart that the server does not refuse them
  const POINTS = {circle: 1, ellipse: 2, rectangle: 2, arrow: 2, point: 1};
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const round = (value, digits) => Number(value.toFixed(digits));
  const boxed = (shape) => shape === 'ellipse' || shape === 'rectangle';
  const middle = ({points}) => [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
  const pixels = (view, [x, y]) => [x * view.width, y * view.height];

  function sound(mark) {
    return Boolean(mark) && POINTS[mark.shape] === mark.points?.length && [mark.width, mark.fill, mark.radius ?? 0,
      ...mark.points.flatMap((point) => [point?.[0], point?.[1]])].every(Number.isFinite);
  }

  // As it is sent: rounded, a box from its upper left corner.
  function tidy({shape, points, radius, colour, width, fill}) {
    let places = points.map(([x, y]) => [round(x, 3), round(y, 3)]);
    if (boxed(shape)) {
      places = [Math.min, Math.max].map((end) => [0, 1].map((k) => end(places[0][k], places[1][k])));
    }
    const least = POINTS[shape] === 1 ? round(radius, 3) : 0;
    return {shape, points: places, radius: least, colour: String(colour), width: round(width, 3), fill: round(fill, 2)};
  }

  // One number for every shape, a share of the height: a circle made of the mark would have this radius.
  function size(mark, ratio) {
    if (POINTS[mark.shape] === 1) return mark.radius;
    const [[x0, y0], [x1, y1]] = mark.points;
    const [across, down] = [Math.abs(x1 - x0) * ratio, Math.abs(y1 - y0)];
    return mark.shape === 'arrow' ? Math.hypot(across, down) / 3 : Math.sqrt(across * down) / 2;
  }

  // Shifted back into the picture as it is; two points too near for the server are set apart.
  function inside(mark) {
    const back = [0, 1].map((k) => {
      const places = mark.points.map((point) => point[k]);
      return Math.max(0, -Math.min(...places)) - Math.max(0, Math.max(...places) - 1);
    });
    const points = mark.points.map((point) => point.map((value, k) => clamp(value + back[k], 0, 1)));
    if (points.length === 2) {
      const short = [0, 1].map((k) => Math.abs(points[1][k] - points[0][k]) < LEAST);
      const near = boxed(mark.shape) || (short[0] && short[1]);
      points[0] = points[0].map((value, k) => {
        if (!near || !short[k]) return value;
        return points[1][k] < LEAST ? points[1][k] + LEAST : points[1][k] - LEAST;
      });
    }
    return {...mark, points};
  }
  const shifted = (mark, dx, dy) => inside({...mark, points: mark.points.map(([x, y]) => [x + dx, y + dy])});

  function scaled(mark, wanted, ratio, radii) {
    const radius = clamp(wanted, ...radii);
    if (POINTS[mark.shape] === 1) return {...mark, radius};
    const [[x0, y0], [x1, y1]] = mark.points;
    const [x, y] = middle(mark);
    const sides = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
    // Within the picture, and no side too short for the server: so it keeps its form.
    const least = LEAST / Math.max(boxed(mark.shape) ? Math.min(...sides) : Math.max(...sides), 1e-4);
    const factor = clamp(radius / Math.max(size(mark, ratio), 1e-4), least, 1 / Math.max(...sides, 1e-4));
    return inside({...mark, points: mark.points.map(([px, py]) => [x + factor * (px - x), y + factor * (py - y)])});
  }

  // The tip goes to a place; the tail comes from the other side where it would leave the picture.
  function aimed(mark, tip) {
    const tail = tip.map((value, k) => {
      const offset = mark.points[0][k] - mark.points[1][k];
      const ways = [value + offset, value - offset];
      return clamp(ways.find((way) => way >= 0 && way <= 1) ?? ways[0], 0, 1);
    });
    return inside({...mark, points: [tail, tip]});
  }

  // The mark in another shape, where it is and about as large.
  function turned(mark, shape, ratio, radii) {
    const fill = shape === 'point' ? mark.fill || 1 : mark.shape === 'point' && mark.fill === 1 ? 0 : mark.fill;
    if (shape === mark.shape || (boxed(shape) && boxed(mark.shape))) return {...mark, shape};
    const [x, y] = mark.shape === 'arrow' ? mark.points[1] : middle(mark);
    const radius = clamp(size(mark, ratio), ...radii);
    if (shape === 'arrow') {
      const leg = 3 * radius * Math.SQRT1_2;
      return aimed({...mark, shape, fill, radius: 0, points: [[-leg / ratio, leg], [0, 0]]}, [x, y]);
    }
    if (!boxed(shape)) return {...mark, shape, fill, radius, points: [[x, y]]};
    const [dx, dy] = [Math.min(radius / ratio, 0.5), Math.min(radius, 0.5)];
    return inside({...mark, shape, fill, radius: 0, points: [[x - dx, y - dy], [x + dx, y + dy]]});
  }

  // The mark drawn anew from one place to another.
  function drawn(mark, from, to, view, radii) {
    if (POINTS[mark.shape] === 2) return inside({...mark, points: [from, to].map((p) => p.map((v) => clamp(v, 0, 1)))});
    const reach = Math.hypot((to[0] - from[0]) * view.width, (to[1] - from[1]) * view.height) / view.height;
    return {...mark, points: [from], radius: clamp(reach, ...radii)};
  }

  // Handles in pixels of the picture: never so near to a small mark's middle that it could not be moved.
  function handles(mark, view) {
    const [p, q] = mark.points.map((point) => pixels(view, point));
    if (!q) {
      const reach = Math.max(mark.radius * view.height, ROOM);
      return [[1, 0], [0, 1], [-1, 0], [0, -1]].map(([dx, dy]) => [p[0] + dx * reach, p[1] + dy * reach]);
    }
    const [x, y] = [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
    const half = [Math.abs(q[0] - p[0]) / 2, Math.abs(q[1] - p[1]) / 2];
    if (boxed(mark.shape)) {
      const [dx, dy] = half.map((length) => Math.max(length, ROOM * Math.SQRT1_2));
      return [[-dx, -dy], [dx, -dy], [-dx, dy], [dx, dy]].map(([ox, oy]) => [x + ox, y + oy]);
    }
    const stretch = Math.max(1, ROOM / Math.max(Math.hypot(...half), 1));
    return [p, q].map(([px, py]) => [x + stretch * (px - x), y + stretch * (py - y)]);
  }

  // A handle follows the hand by as much as the hand moves, so nothing jumps when it is taken beside its middle.
  function resized(mark, handle, from, to, view, radii) {
    const by = [to[0] - from[0], to[1] - from[1]];
    if (POINTS[mark.shape] === 1) {
      const [[x, y]] = mark.points;
      const reach = (place) => Math.hypot(...pixels(view, [place[0] - x, place[1] - y]));
      return {...mark, radius: clamp(mark.radius + (reach(to) - reach(from)) / view.height, ...radii)};
    }
    const points = mark.points.map((point) => [...point]);
    const taken = boxed(mark.shape) ? [handle & 1, handle >> 1] : [handle, handle];
    taken.forEach((index, k) => { points[index][k] = clamp(points[index][k] + by[k], 0, 1); });
    return inside({...mark, points});
  }

  // How far a place is from a mark, in pixels; below nought inside.
  function away(mark, place, view) {
    const line = mark.width * view.height / 2;
    const [x, y] = pixels(view, place);
    const [p, q] = mark.points.map((point) => pixels(view, point));
    if (!q) return Math.hypot(x - p[0], y - p[1]) - mark.radius * view.height - line;
    const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
    if (mark.shape === 'arrow') {
      const along = clamp(((x - p[0]) * dx + (y - p[1]) * dy) / (dx * dx + dy * dy || 1), 0, 1);
      return Math.hypot(x - p[0] - along * dx, y - p[1] - along * dy) - line;
    }
    const [rx, ry] = [Math.abs(dx) / 2 || 1, Math.abs(dy) / 2 || 1];
    const [ox, oy] = [Math.abs(x - p[0] - dx / 2), Math.abs(y - p[1] - dy / 2)];
    if (mark.shape === 'rectangle') {
      return Math.hypot(Math.max(ox - rx, 0), Math.max(oy - ry, 0)) + Math.min(Math.max(ox - rx, oy - ry), 0) - line;
    }
    const share = Math.hypot(ox / rx, oy / ry);
    return share * (share - 1) / (Math.hypot(ox / rx ** 2, oy / ry ** 2) || 1) - line;
  }

  // The line of a mark as an SVG path.
  function outline(mark, view) {
    const [p, q] = mark.points.map((point) => pixels(view, point));
    const ring = (x, y, rx, ry) => `M${x - rx} ${y}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0z`;
    if (!q) return ring(p[0], p[1], mark.radius * view.height, mark.radius * view.height);
    const [dx, dy] = [q[0] - p[0], q[1] - p[1]];
    if (mark.shape === 'rectangle') return `M${p[0]} ${p[1]}h${dx}v${dy}h${-dx}z`;
    if (mark.shape === 'ellipse') return ring(p[0] + dx / 2, p[1] + dy / 2, Math.abs(dx) / 2, Math.abs(dy) / 2);
    const head = Math.min(Math.max(4 * mark.width, 0.05) * view.height, Math.hypot(dx, dy) / 2);
    const barbs = [-1, 1].map((side) => {
      const angle = Math.atan2(dy, dx) + Math.PI + side * Math.PI / 6;
      return `${q[0] + head * Math.cos(angle)} ${q[1] + head * Math.sin(angle)}`;
    });
    return `M${p[0]} ${p[1]}L${q[0]} ${q[1]}M${barbs[0]}L${q[0]} ${q[1]}L${barbs[1]}`;
  }

  // How well a copy lies: far from the middles of all others, up to what is wanted, and itself within the picture.
  function room(copy, others, ratio, wanted) {
    const [x, y] = middle(copy);
    const near = others.map(middle).map(([ox, oy]) => Math.hypot((x - ox) * ratio, y - oy));
    const reach = POINTS[copy.shape] === 1 ? copy.radius : 0;
    const out = Math.max(0, reach / ratio - x, x + reach / ratio - 1) * ratio + Math.max(0, reach - y, y + reach - 1);
    return Math.min(wanted, ...near) - out;
  }

  window.clipspect = Object.assign(window.clipspect || {}, {
    shapes: {POINTS, clamp, middle, pixels, sound, tidy, size, shifted, scaled, aimed, turned, drawn, handles, resized,
      away, outline, room},
  });
})();
