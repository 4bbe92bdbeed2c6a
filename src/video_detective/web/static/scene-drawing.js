// Draws shapes over a picture. What stands here is looked at; scene-canvas.js listens.
import { fill, shape as svg, text } from "./dom.js";
import { arrowPlace, crossingEdges, edgesOf, middle } from "./scene-geometry.js";

const COLOURS = 6;
const ARROW = 30;
const percent = (value) => (value * 100).toFixed(1);

export const isClosed = (shape) => shape.kind === "zone";
export const leastPoints = (shape) => (isClosed(shape) ? 3 : 2);
export const nameOf = (shape) => shape.name || shape.id;

// Zones take the colours from one end, tripwires from the other: a new one changes no other's.
export function colourOf(shapes, shape) {
  const place = shapes.filter((one) => one.kind === shape.kind).findIndex((one) => one.key === shape.key);
  return `colour-${(isClosed(shape) ? place : COLOURS - 1 - (place % COLOURS)) % COLOURS}`;
}

function pathOf(points, [width, height], closed) {
  const steps = points.map(([x, y], i) => `${i ? "L" : "M"}${(x * width).toFixed(1)} ${(y * height).toFixed(1)}`);
  return steps.join("") + (closed ? "Z" : "");
}

function label(words, x, y, attributes = {}) {
  const node = svg("text", { x, y, class: "name", "aria-hidden": "true", ...attributes });
  node.textContent = words;
  return node;
}

// One arrow over a tripwire; its name stands at its head.
function arrow([x, y], [dx, dy], name, bound) {
  const [tipX, tipY] = [x + dx * ARROW, y + dy * ARROW];
  const [headX, headY] = [x + dx * (ARROW - 9), y + dy * (ARROW - 9)];
  const d = `M${x} ${y}L${headX} ${headY}M${tipX} ${tipY}L${headX - dy * 6} ${headY + dx * 6}L${headX + dy * 6} ${headY - dx * 6}Z`;
  const nodes = [svg("path", { d, class: "arrow" })];
  if (name) {
    const textX = Math.min(bound - 8, Math.max(8, tipX + dx * 8));
    const anchor = dx > 0.5 ? "start" : dx < -0.5 ? "end" : "middle";
    nodes.push(label(name, textX, tipY + dy * 12 + 4, { "text-anchor": anchor }));
  }
  return svg("g", { class: "way" }, nodes);
}

function tripwireArrows(shape, size, isEdited) {
  const { at, right } = arrowPlace(shape.points, size);
  const names = isEdited ? ["", ""]
    : [shape.leftToRight || text.choice.left_to_right, shape.rightToLeft || text.choice.right_to_left];
  return [arrow(at, right, names[0], size[0]), arrow(at, right.map((part) => -part), names[1], size[0])];
}

function described(shape) {
  return fill(isClosed(shape) ? text.shape_zone : text.shape_tripwire, {
    name: nameOf(shape), n: shape.points.length,
  });
}

export function drawShape(shapes, shape, size, { isSelected, canEdit }) {
  const closed = isClosed(shape);
  const d = pathOf(shape.points, size, closed);
  const isWrong = closed && crossingEdges(shape.points) !== null;
  const outline = svg("path", {
    d, class: "outline", role: "button", tabindex: canEdit ? 0 : -1, "data-at": shape.key,
    "aria-pressed": isSelected, "aria-label": described(shape) + (isWrong ? ` ${text.shape_crosses}` : ""),
  });
  const [x, y] = closed ? middle(shape.points) : [shape.points[0][0], shape.points[0][1]];
  return svg("g", { class: `shape ${shape.kind} ${colourOf(shapes, shape)}${isSelected ? " selected" : ""}${isWrong ? " wrong" : ""}` }, [
    svg("path", { d, class: "casing" }),
    outline,
    ...(closed ? [] : tripwireArrows(shape, size, isSelected && canEdit)),
    label(nameOf(shape), x * size[0], y * size[1] - (closed ? 0 : 14), { "text-anchor": "middle" }),
  ]);
}

export function drawHandles(shape, size, reach) {
  const corner = ([x, y], index) => svg("g", { class: "corner" }, [
    svg("circle", { cx: x * size[0], cy: y * size[1], r: reach, class: "reach" }),
    svg("circle", {
      cx: x * size[0], cy: y * size[1], r: 12, class: "handle", role: "button", tabindex: 0,
      "data-at": `${shape.key}:${index}`,
      "aria-label": fill(text.corner_label, {
        n: index + 1, total: shape.points.length, x: percent(x), y: percent(y),
      }),
    }),
    svg("circle", { cx: x * size[0], cy: y * size[1], r: 3.5, class: "dot" }),
  ]);
  const between = ([a, b]) => svg("circle", {
    cx: ((a[0] + b[0]) / 2) * size[0], cy: ((a[1] + b[1]) / 2) * size[1], r: 4.5, class: "between", "aria-hidden": "true",
  });
  return [...edgesOf(shape.points, isClosed(shape)).map(between), ...shape.points.map(corner)];
}

// What is being drawn: its points so far, and a line to where the pointer is.
export function drawUnfinished(kind, points, pointer, size) {
  const all = pointer ? [...points, pointer] : points;
  const nodes = all.length > 1 ? [
    svg("path", { d: pathOf(all, size, false), class: "casing" }), svg("path", { d: pathOf(all, size, false), class: "outline" }),
  ] : [];
  points.forEach(([x, y], index) => nodes.push(svg("circle", {
    cx: x * size[0], cy: y * size[1], r: index === 0 && kind === "zone" && points.length > 2 ? 11 : 6, class: "handle",
  })));
  return svg("g", { class: `shape ${kind} unfinished` }, nodes);
}

// Ways that were gone, each a list of points.
export function drawTrails(trails, size) {
  return trails.filter((points) => points.length > 0).map((points) => {
    const [x, y] = points[points.length - 1];
    return svg("g", { class: "trail", "aria-hidden": "true" }, [
      svg("path", { d: pathOf(points, size, false) }),
      svg("circle", { cx: x * size[0], cy: y * size[1], r: 5 }),
    ]);
  });
}
