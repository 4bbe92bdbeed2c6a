// Points are [x, y], 0..1 of the picture, origin top left; `size` is [width, height] on the screen.

export const clamp = (value) => Math.min(1, Math.max(0, value));
export const rounded = (value) => Math.round(clamp(value) * 1e5) / 1e5;

const cross = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

function within(a, b, p) {
  return Math.min(a[0], b[0]) <= p[0] && p[0] <= Math.max(a[0], b[0])
    && Math.min(a[1], b[1]) <= p[1] && p[1] <= Math.max(a[1], b[1]);
}

function meet(a, b, c, d) {
  const [s, t, u, v] = [cross(a, b, c), cross(a, b, d), cross(c, d, a), cross(c, d, b)];
  if (s * t < 0 && u * v < 0) return true;
  return (s === 0 && within(a, b, c)) || (t === 0 && within(a, b, d))
    || (u === 0 && within(c, d, a)) || (v === 0 && within(c, d, b));
}

// The numbers of two edges of an outline that meet where they should not; null when it is sound.
export function crossingEdges(points) {
  const n = points.length;
  for (let i = 0; i < n; i += 1) {
    const [a, b] = [points[i], points[(i + 1) % n]];
    if (a[0] === b[0] && a[1] === b[1]) return [i, (i + 1) % n];
    for (let j = i + 1; j < n; j += 1) {
      const [c, d] = [points[j], points[(j + 1) % n]];
      const isNext = j === i + 1;
      const isLast = (j + 1) % n === i;
      if (!isNext && !isLast) {
        if (meet(a, b, c, d)) return [i, j];
      } else if (n > 2) {
        // Neighbours share a corner; they may not lie on each other.
        const [corner, p, q] = isNext ? [b, a, d] : [a, b, c];
        const dot = (p[0] - corner[0]) * (q[0] - corner[0]) + (p[1] - corner[1]) * (q[1] - corner[1]);
        if (cross(corner, p, q) === 0 && dot > 0) return [i, j];
      }
    }
  }
  return null;
}

export function area(points) {
  const twice = points.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length];
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}

export function middle(points) {
  const sum = points.reduce(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

export function bounds(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export function isInside(points, [x, y]) {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i, i += 1) {
    const [[ax, ay], [bx, by]] = [points[i], points[j]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// As far as a shape may be moved so that it stays in the picture.
export function moved(points, [dx, dy]) {
  const [left, top, right, bottom] = bounds(points);
  const x = Math.min(1 - right, Math.max(-left, dx));
  const y = Math.min(1 - bottom, Math.max(-top, dy));
  return points.map(([px, py]) => [rounded(px + x), rounded(py + y)]);
}

export function edgesOf(points, isClosed) {
  const last = isClosed ? points.length : points.length - 1;
  return Array.from({ length: last }, (_, i) => [points[i], points[(i + 1) % points.length]]);
}

// Pixels on the screen from a point to the nearest piece of a line.
export function distanceToLine(points, isClosed, [px, py], [width, height]) {
  return Math.min(...edgesOf(points, isClosed).map(([a, b]) => {
    const [ax, ay, bx, by] = [a[0] * width, a[1] * height, b[0] * width, b[1] * height];
    const [dx, dy, x, y] = [bx - ax, by - ay, px * width, py * height];
    const t = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1));
    return Math.hypot(ax + t * dx - x, ay + t * dy - y);
  }));
}

// Where a tripwire's arrows stand, in pixels: the middle of its longest piece, and the direction of
// going over it from its left hand to its right hand (which is down for a line drawn to the right).
export function arrowPlace(points, [width, height]) {
  const pieces = edgesOf(points, false).map(([a, b]) => {
    const [dx, dy] = [(b[0] - a[0]) * width, (b[1] - a[1]) * height];
    const length = Math.hypot(dx, dy);
    return {
      length, at: [((a[0] + b[0]) / 2) * width, ((a[1] + b[1]) / 2) * height],
      right: length ? [-dy / length, dx / length] : [0, 1],
    };
  });
  return pieces.reduce((best, piece) => (piece.length > best.length ? piece : best));
}
