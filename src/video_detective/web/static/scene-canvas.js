// Zones and tripwires over a picture, drawn and changed by mouse, touch and keyboard.
//
// sceneCanvas(root, { still, shapes, mode, onchange, onselect, onmode, canEdit }) puts itself into `root`.
// `still` is the address of a picture, or its bytes as a Blob.
// A shape is { key, kind: "zone" | "tripwire", id, name, points, leftToRight, rightToLeft }; points are
// [x, y] in 0..1 of the picture. `onchange(shapes, what)` is called with the whole new list; changes
// with the same `what` that follow each other are one step for whoever keeps a history.
import { element, fill, shape as svg, text } from "./dom.js";
import {
  colourOf, drawHandles, drawShape, drawTrails, drawUnfinished, isClosed, leastPoints,
} from "./scene-drawing.js";
import { arrowPlace, clamp, distanceToLine, edgesOf, isInside, moved, rounded } from "./scene-geometry.js";

const STEP = 0.01;
const FINE = 0.001;
const NEAR_MOUSE = 12;
const NEAR_FINGER = 22;
const SAME_PLACE = 5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STARTS = {
  zone: [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]],
  tripwire: [[0.3, 0.5], [0.7, 0.5]],
};

export function sceneCanvas(root, options) {
  const { onchange = () => {}, onselect = () => {}, onmode = () => {}, canEdit = true } = options;
  let { shapes = [], mode = "select" } = options;
  let selected = null;
  let unfinished = [];
  let pointer = null;
  let drag = null;
  let trails = [];
  let size = [1, 1];

  // Drawn, not linked: bytes that came with their time are shown without being fetched again.
  const picture = element("canvas", { className: "still", role: "img", ariaLabel: text.still_alt, width: 16, height: 9 });
  const drawing = svg("svg", { class: "overlay", role: "group", "aria-label": text.canvas_label });
  const names = element("div", { className: "way-names" });
  const frame = element("div", { className: "scene-canvas" }, [picture, drawing, names]);
  root.append(frame);

  const reach = () => (matchMedia("(pointer: coarse)").matches ? NEAR_FINGER : NEAR_MOUSE);
  const current = () => shapes.find((shape) => shape.key === selected) ?? null;
  const apart = (a, b) => Math.hypot((a[0] - b[0]) * size[0], (a[1] - b[1]) * size[1]);

  function draw() {
    const focused = document.activeElement?.closest?.(".scene-canvas") === frame ? document.activeElement.dataset.at : null;
    const shape = current();
    drawing.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    drawing.classList.toggle("drawing", mode !== "select");
    drawing.replaceChildren(
      ...shapes.map((one) => drawShape(shapes, one, size, { isSelected: one === shape, canEdit })),
      ...drawTrails(trails, size),
      ...(shape && canEdit && mode === "select" ? [svg("g", { class: `handles ${colourOf(shapes, shape)}` }, drawHandles(shape, size, reach()))] : []),
      ...(unfinished.length ? [drawUnfinished(mode, unfinished, pointer, size)] : []),
    );
    placeNames(shape);
    if (focused) focusAt(focused);
  }

  const focusAt = (at) => drawing.querySelector(`[data-at="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });

  // The names of both directions of the selected tripwire are written where its arrows point.
  function placeNames(shape) {
    const isShown = shape?.kind === "tripwire" && canEdit && mode === "select";
    if (!isShown || names.dataset.of !== shape.key) names.replaceChildren();
    names.dataset.of = isShown ? shape.key : "";
    if (!isShown) return;
    if (!names.firstChild) names.append(...["leftToRight", "rightToLeft"].map((way) => nameField(shape.key, way)));
    const { at, right } = arrowPlace(shape.points, size);
    [...names.children].forEach((input, index) => {
      const [dx, dy] = index ? right.map((part) => -part) : right;
      const [width, height] = [input.offsetWidth, input.offsetHeight];
      const x = at[0] + dx * (38 + width / 2) - width / 2;
      const y = at[1] + dy * (38 + height / 2) - height / 2;
      input.style.left = `${Math.max(0, Math.min(size[0] - width, x))}px`;
      input.style.top = `${Math.max(0, Math.min(size[1] - height, y))}px`;
      if (input !== document.activeElement) input.value = shape[input.name];
    });
  }

  function nameField(key, way) {
    const input = element("input", {
      name: way, maxLength: 60, placeholder: text.direction_name, ariaLabel: way === "leftToRight" ? text.direction_first : text.direction_second,
    });
    input.addEventListener("input", () => {
      const shape = shapes.find((one) => one.key === key);
      replace(shape, { [way]: input.value }, `${key} ${way}`);
    });
    return input;
  }

  function replace(shape, change, what) {
    shapes = shapes.map((one) => (one.key === shape.key ? { ...one, ...change } : one));
    draw();
    onchange(shapes, what);
  }

  function select(key, { isQuiet = false } = {}) {
    if (selected === key) return;
    selected = key;
    draw();
    if (!isQuiet) onselect(key);
  }

  function setMode(next) {
    if (next === mode && !unfinished.length) return;
    mode = next;
    unfinished = [];
    pointer = null;
    if (mode !== "select") select(null);
    draw();
    onmode(mode);
  }

  // An id that nothing else of the kind has: zone-1, zone-2 ...
  function freeId(kind) {
    const taken = new Set(shapes.filter((shape) => shape.kind === kind).map((shape) => shape.id));
    let n = 1;
    while (taken.has(`${kind}-${n}`)) n += 1;
    return `${kind}-${n}`;
  }

  function add(kind, points) {
    const id = freeId(kind);
    const name = fill(kind === "zone" ? text.new_zone_name : text.new_tripwire_name, { n: id.slice(kind.length + 1) });
    const shape = { key: `${kind}:${id}`, kind, id, name, points, leftToRight: "", rightToLeft: "" };
    shapes = [...shapes, shape];
    mode = "select";
    unfinished = [];
    onchange(shapes, `add ${shape.key}`);
    select(shape.key);
    onmode(mode);
    focusAt(shape.key);
    return shape;
  }

  function finish() {
    if (unfinished.length < leastPoints({ kind: mode })) return false;
    add(mode, unfinished);
    return true;
  }

  function removeCorner(shape, index) {
    if (shape.points.length <= leastPoints(shape)) return;
    replace(shape, { points: shape.points.filter((_, i) => i !== index) }, `corner ${shape.key} ${Math.random()}`);
    focusAt(`${shape.key}:${Math.max(0, index - 1)}`);
  }

  function insertCorner(shape, index, point) {
    const points = [...shape.points.slice(0, index + 1), point, ...shape.points.slice(index + 1)];
    replace(shape, { points }, `corner ${shape.key} ${Math.random()}`);
  }

  function remove(key) {
    shapes = shapes.filter((shape) => shape.key !== key);
    if (selected === key) select(null);
    draw();
    onchange(shapes, `remove ${key}`);
  }

  // --- mouse and touch

  function pointOf(event) {
    const box = drawing.getBoundingClientRect();
    return [rounded((event.clientX - box.left) / box.width), rounded((event.clientY - box.top) / box.height)];
  }

  function shapeAt(point, near) {
    const hit = (shape) => (isClosed(shape) && isInside(shape.points, point))
      || distanceToLine(shape.points, isClosed(shape), point, size) <= near;
    const shape = current();
    return shape && hit(shape) ? shape : [...shapes].reverse().find(hit) ?? null;
  }

  function cornerAt(shape, point, near) {
    const ranked = shape.points.map((corner, index) => [apart(corner, point), index]).sort((a, b) => a[0] - b[0]);
    return ranked[0][0] <= near ? ranked[0][1] : -1;
  }

  function edgeAt(shape, point, near) {
    return edgesOf(shape.points, isClosed(shape))
      .findIndex(([a, b]) => apart([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], point) <= near);
  }

  function drawPoint(point, near) {
    const last = unfinished[unfinished.length - 1];
    const closes = mode === "zone" && unfinished.length > 2 && apart(unfinished[0], point) <= near;
    if (closes || (last && apart(last, point) <= SAME_PLACE)) {
      finish();
      return;
    }
    unfinished = [...unfinished, point];
    draw();
    onmode(mode, unfinished.length);
  }

  function press(event) {
    if (event.button !== 0 || !canEdit) return;
    const point = pointOf(event);
    const near = event.pointerType === "touch" ? NEAR_FINGER : NEAR_MOUSE;
    if (mode !== "select") {
      event.preventDefault();
      drawPoint(point, near);
      return;
    }
    let shape = current();
    const corner = shape ? cornerAt(shape, point, near) : -1;
    const edge = shape && corner < 0 ? edgeAt(shape, point, near) : -1;
    if (corner < 0 && edge < 0) {
      shape = shapeAt(point, near);
      select(shape?.key ?? null);
    }
    if (!shape) return;
    event.preventDefault();
    let grabbed = corner;
    if (edge >= 0) {
      insertCorner(shape, edge, point);
      shape = current();
      grabbed = edge + 1;
    }
    // Two presses in a row are two steps, one press with all its movement is one.
    drag = { key: shape.key, corner: grabbed, from: point, points: shape.points, what: `drag ${shape.key} ${Date.now()}` };
    drawing.setPointerCapture(event.pointerId);
    focusAt(grabbed < 0 ? shape.key : `${shape.key}:${grabbed}`);
  }

  function move(event) {
    if (mode !== "select") {
      if (!unfinished.length || event.pointerType === "touch") return;
      pointer = pointOf(event);
      draw();
    } else if (drag) {
      const [x, y] = pointOf(event);
      const shape = shapes.find((one) => one.key === drag.key);
      const points = drag.corner < 0
        ? moved(drag.points, [x - drag.from[0], y - drag.from[1]])
        : drag.points.map((point, index) => (index === drag.corner ? [x, y] : point));
      if (shape) replace(shape, { points }, drag.what);
    }
  }

  // --- keyboard

  function keyOnShape(event, shape, index) {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const by = arrow.map((part) => part * (event.shiftKey ? FINE : STEP));
      const points = index < 0 ? moved(shape.points, by) : shape.points.map((point, i) => (
        i === index ? [rounded(clamp(point[0] + by[0])), rounded(clamp(point[1] + by[1]))] : point));
      replace(shape, { points }, `keys ${shape.key} ${index}`);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      if (index < 0) remove(shape.key);
      else removeCorner(shape, index);
    } else if (index >= 0 && (event.key === "Insert" || event.key === "+")) {
      const [a, b] = [shape.points[index], shape.points[(index + 1) % shape.points.length]];
      const isEnd = !isClosed(shape) && index === shape.points.length - 1;
      const place = isEnd ? [clamp(a[0] + 0.05), a[1]] : [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      insertCorner(shape, index, place.map(rounded));
      focusAt(`${shape.key}:${index + 1}`);
    } else if (event.key === "Escape") {
      if (index >= 0) focusAt(shape.key);
      else select(null);
    } else if (index < 0 && (event.key === "Enter" || event.key === " ")) {
      if (selected === shape.key) focusAt(`${shape.key}:0`);
      else select(shape.key);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function key(event) {
    if (!canEdit || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = event.target.dataset?.at;
    if (mode === "select" && at) {
      const shape = shapes.find((one) => at === one.key || at.startsWith(`${one.key}:`));
      if (shape) keyOnShape(event, shape, at === shape.key ? -1 : Number(at.slice(shape.key.length + 1)));
    }
  }

  // While something is drawn, its keys work wherever the focus is but in fields.
  function drawingKey(event) {
    if (mode === "select" || !frame.isConnected || event.target.closest?.("input, select, textarea, dialog")) return;
    if (event.key === "Escape") setMode("select");
    else if (event.key === "Enter" && unfinished.length && event.target.tagName !== "BUTTON") finish();
    else if (event.key === "Backspace") takeBack();
    else return;
    event.preventDefault();
  }

  function takeBack() {
    unfinished = unfinished.slice(0, -1);
    draw();
    onmode(mode, unfinished.length);
  }

  drawing.addEventListener("pointerdown", press);
  drawing.addEventListener("pointermove", move);
  for (const kind of ["pointerup", "pointercancel"]) drawing.addEventListener(kind, () => { drag = null; });
  drawing.addEventListener("pointerleave", () => { if (pointer) { pointer = null; draw(); } });
  drawing.addEventListener("keydown", key);
  document.addEventListener("keydown", drawingKey);
  const sizes = new ResizeObserver(() => {
    size = [Math.max(1, frame.clientWidth), Math.max(1, frame.clientHeight)];
    draw();
  });
  sizes.observe(frame);

  async function setStill(still) {
    const bytes = typeof still === "string" ? await (await fetch(still)).blob() : still;
    const bitmap = await createImageBitmap(bytes);
    [picture.width, picture.height] = [bitmap.width, bitmap.height];
    picture.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    frame.style.setProperty("--aspect", picture.width / picture.height);
  }
  if (options.still) setStill(options.still).catch(() => {});

  return {
    element: frame,
    picture,
    setMode,
    setStill,
    select,
    finish,
    takeBack,
    remove,
    // A shape in the middle of the picture, to be moved from there.
    place: (kind) => add(kind, STARTS[kind]),
    setShapes(next) {
      shapes = next;
      if (!current()) selected = null;
      draw();
    },
    // Ways that were gone, as lists of points; [] takes them away.
    showTrails(next) {
      trails = next;
      draw();
    },
    focusShape: (shapeKey, index = null) => focusAt(index === null ? shapeKey : `${shapeKey}:${index}`),
    destroy() {
      sizes.disconnect();
      document.removeEventListener("keydown", drawingKey);
      frame.remove();
    },
  };
}
