// The time line: a band for each camera with what was recorded and, upon it, all events of the answer.
import { clamped, offsetText, ticks, wallClock, zoomed } from "./ask-axis.js";
import { button, element, english, fill, markCurrent, shape, text } from "./dom.js";

const BAND = 26;
const GAP = 6;
const NAME = 18; // above its band where there is no room beside it
const SIDE = 168;
const ROOMY = 640;
const RULER = 26;
const MARK = 8;
const LANES = 3;
const WAIT_MS = 200;
const RISKS = ["low", "medium", "high", "critical"];

// One reading of the service: its times as ms, its steps as [begin, end, count, risk].
function read(data) {
  const start = Date.parse(data.start_time);
  const grid = Date.parse(data.grid_time);
  const step = data.step_s * 1000;
  return {
    whole: { from: start, to: Date.parse(data.end_time) },
    zone: data.timezone,
    cameras: data.cameras.map((camera) => ({
      id: camera.camera_id,
      zone: camera.timezone,
      recorded: camera.recorded.map(([from, to]) => [start + from * 1000, start + to * 1000]),
      steps: camera.steps.map((n, i) => [grid + n * step, grid + (n + 1) * step, camera.counts[i], camera.risks[i]]),
      marks: camera.marks?.map((mark) => ({
        id: mark.event_id, name: english ? mark.type_en : mark.event_type, risk: mark.risk_level,
        from: Date.parse(mark.start_time), to: Date.parse(mark.end_time ?? mark.start_time),
      })),
    })),
  };
}

// Each mark in the first lane that is free where it begins; null when they do not fit.
function stacked(marks, x) {
  const ends = [];
  const placed = [];
  for (const mark of marks) {
    const left = x(mark.from) - MARK / 2;
    const width = Math.max(MARK, x(mark.to) - x(mark.from));
    let lane = ends.findIndex((end) => end <= left);
    if (lane < 0) lane = ends.length;
    if (lane >= LANES) return null;
    ends[lane] = left + width + 1;
    placed.push({ mark, left, width, lane });
  }
  return { placed, lanes: Math.max(1, ends.length) };
}

// A name in the room it has; the tip has all of it.
function shortened(name, room) {
  let used = 0;
  for (let i = 0; i < name.length; i += 1) {
    used += name.charCodeAt(i) > 0x2e80 ? 13 : 7;
    if (used > room) return `${name.slice(0, i - 1)}…`;
  }
  return name;
}

function hatch() {
  return shape("defs", {}, [
    shape("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, [
      shape("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "gap" }),
    ]),
  ]);
}

const rect = (x, y, width, height, more) => shape("rect", { x, y, width, height, ...more });
const box = (x, y, width, height) => `M${x.toFixed(1)} ${y.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`;

export function makeTimeline(root, { open, choose, more, cameraName }) {
  const ruler = shape("svg", { class: "ruler", height: RULER, "aria-hidden": "true" });
  const rows = shape("svg", { class: "rows", role: "group", "aria-label": text.timeline });
  const scroller = element("div", { className: "bands", tabIndex: 0, role: "group", ariaLabel: text.timeline_keys }, [rows]);
  const buttons = ["zoom_in", "zoom_out", "fit", "only_this"].map((key) => {
    const label = text[key];
    return button(text[`${key}_sign`], () => acts[key](), { className: "small", ariaLabel: label, title: label });
  });
  const shown = element("span", { className: "hint shown" });
  root.replaceChildren(element("div", { className: "toolbar" }, [shown, ...buttons]), ruler, scroller);

  let base = null; // the whole answer
  let close = null; // a part of it, in finer steps
  let view = null;
  let current = null;
  let brush = null;
  let waiting = 0;
  let width = 0;
  let left = 0;

  const acts = {
    zoom_in: () => go(zoomed(view, 0.5)),
    zoom_out: () => go(zoomed(view, 2)),
    fit: () => go(base.whole),
    only_this: () => choose(view.from, view.to, base.zone),
  };
  const isWhole = () => view.from <= base.whole.from && view.to >= base.whole.to;
  const brushed = (height) => (brush ? [rect(Math.min(...brush), 0, Math.abs(brush[1] - brush[0]), height, { class: "brush" })] : []);
  const x = (time) => left + ((time - view.from) / (view.to - view.from)) * (width - left);
  const timeAt = (px) => view.from + ((px - left) / (width - left)) * (view.to - view.from);
  const pointer = (event) => event.clientX - rows.getBoundingClientRect().left;
  // Finer steps only where they are of the whole window.
  const source = () => (close && close.whole.from <= view.from && close.whole.to >= view.to ? close : base);

  function go(goal) {
    view = clamped(goal, base.whole);
    draw();
    clearTimeout(waiting);
    const isFine = base.cameras.every((camera) => camera.marks) || isWhole();
    if (!isFine) waiting = setTimeout(refine, WAIT_MS);
  }

  async function refine() {
    const span = view.to - view.from;
    const { from, to } = clamped({ from: view.from - span / 2, to: view.to + span / 2 }, base.whole);
    const asked = view;
    const data = await more(from, to, Math.min(1000, Math.round((width - left) / 3))).catch(() => null);
    if (!data?.start_time || asked !== view) return; // the coarse steps stay
    close = { ...read(data), whole: { from, to } };
    draw();
  }

  function drawRuler() {
    const y = RULER - 8;
    const nodes = [];
    let free = -Infinity;
    for (const [time, label, isDay] of ticks(view, width - left, base.zone, 64)) {
      const at = x(time);
      const half = label.length * 3.6;
      const place = Math.min(Math.max(at, half), width - half - 1);
      nodes.push(shape("line", { x1: at, x2: at, y1: RULER - 5, y2: RULER, class: "tick" }));
      if (place - half < free) continue;
      free = place + half + 6;
      nodes.push(shape("text", { x: place, y, "text-anchor": "middle", class: isDay ? "day" : "" }, [label]));
    }
    ruler.setAttribute("width", width);
    ruler.replaceChildren(...brushed(RULER), ...nodes);
    const [first, last] = [view.from, view.to].map((time) => wallClock(time, base.zone).slice(0, view.to - view.from < 600_000 ? 19 : 16));
    const isOneDay = first.slice(0, 10) === last.slice(0, 10);
    shown.textContent = fill(text.zoned, { time: `${first} – ${isOneDay ? last.slice(11) : last}`, zone: offsetText(view.from, base.zone) });
  }

  function drawBand(camera, y) {
    const nodes = [
      shape("text", { x: 0, y: left ? y + 17 : y - 5, class: "camera" }, [shortened(cameraName(camera.id), left ? SIDE - 10 : width)]),
      rect(left, y, width - left, BAND, { class: "none" }),
      rect(left, y, width - left, BAND, { fill: "url(#hatch)" }),
    ];
    const inView = ([from, to]) => to >= view.from && from <= view.to;
    const cut = (from, to) => [Math.max(left, x(from)), Math.min(width, x(to))];
    let covered = "";
    for (const [from, to] of camera.recorded.filter(inView)) {
      const [a, b] = cut(from, to);
      covered += box(a, y, Math.max(1, b - a), BAND);
    }
    if (covered) nodes.push(shape("path", { d: covered, class: "covered" }));
    const marks = camera.marks?.filter((mark) => inView([mark.from, mark.to]));
    const stack = marks && stacked(marks, x);
    if (stack) {
      const height = BAND / stack.lanes;
      for (const { mark, left: at, width: wide, lane } of stack.placed) nodes.push(markNode(mark, at, y + lane * height, wide, height, camera));
      return nodes;
    }
    const steps = camera.steps.filter(inView);
    const most = steps.reduce((top, step) => Math.max(top, step[2]), 1);
    const bars = Object.fromEntries(RISKS.map((risk) => [risk, ""]));
    for (const [from, to, count, risk] of steps) {
      const [a, b] = cut(from, to);
      const height = Math.max(4, Math.sqrt(count / most) * (BAND - 2));
      if (b > a) bars[risk] += box(a, y + BAND - height, Math.max(1.5, b - a - 0.5), height);
    }
    for (const risk of RISKS) if (bars[risk]) nodes.push(shape("path", { d: bars[risk], class: `bar ${risk}` }));
    return nodes;
  }

  function markNode(mark, at, y, wide, height, camera) {
    const name = `${cameraName(camera.id)} ${mark.name} ${wallClock(mark.from, camera.zone)}`;
    const node = rect(at, y + 1, wide, height - 2, { rx: 3, class: `mark ${mark.risk}`, tabindex: -1, role: "button", "aria-label": name });
    node.dataset.event = mark.id;
    markCurrent(node, mark.id === current?.id);
    return node;
  }

  function draw() {
    if (!base || !root.offsetParent) return; // it has no width while it is hidden
    width = scroller.clientWidth;
    left = width >= ROOMY ? SIDE : 0;
    const data = source();
    const focused = document.activeElement?.closest?.(".bands") ? document.activeElement.dataset.event : null;
    const nodes = [hatch()];
    let y = left ? 2 : NAME + 2;
    for (const camera of data.cameras) {
      nodes.push(...drawBand(camera, y));
      const isHere = current?.camera === camera.id && current.from >= view.from && current.from <= view.to;
      if (isHere && !nodes.some((node) => node.dataset.event === current.id)) { // a mark shows it itself
        const at = x(current.from);
        nodes.push(shape("path", { d: `M${at} ${y - 2}v${BAND + 4}M${at - 5} ${y - 2}h10`, class: "here" }));
      }
      y += BAND + GAP + (left ? 0 : NAME);
    }
    const height = y - (left ? 0 : NAME);
    nodes.push(...brushed(height));
    rows.setAttribute("width", width);
    rows.setAttribute("height", height);
    rows.replaceChildren(...nodes);
    const marks = [...rows.querySelectorAll(".mark")];
    const goal = marks.find((mark) => mark.dataset.event === (focused ?? current?.id)) ?? marks[0];
    goal?.setAttribute("tabindex", 0);
    if (focused && goal?.dataset.event === focused) goal.focus({ preventScroll: true });
    buttons[1].disabled = buttons[2].disabled = buttons[3].disabled = isWhole();
    drawRuler();
  }

  const acting = {
    acts, go, open, cameraName, source,
    view: () => view,
    timeAt: (event) => timeAt(pointer(event)),
    rowAt: (y) => Math.floor((y - 2) / (BAND + GAP + (left ? 0 : NAME))),
    left: () => left,
    scale: () => (view.to - view.from) / (width - left),
    select(ends) {
      brush = ends?.map((time) => Math.max(left, Math.min(width, x(time))));
      draw();
    },
    chosen(from, to) {
      const part = clamped({ from: Math.min(from, to), to: Math.max(from, to) }, base.whole);
      choose(part.from, part.to, base.zone);
    },
  };
  // Fetched before it is used: when somebody comes near, or touches whatever it is.
  let input = null;
  const listen = () => {
    input ??= import("./ask-timeline-input.js").then((module) => module.listen({ root, scroller, rows, ruler }, acting)).catch(() => { input = null; });
  };
  for (const [node, kind] of [[root, "pointerover"], [root, "focusin"], [document, "touchstart"]]) {
    node.addEventListener(kind, listen, { passive: true });
  }

  let drawnWidth = 0;
  new ResizeObserver(() => {
    if (scroller.clientWidth && scroller.clientWidth !== drawnWidth) {
      drawnWidth = scroller.clientWidth;
      draw();
    }
  }).observe(scroller);

  return {
    // Shows an answer of the service; false where there is nothing to show.
    show(data) {
      clearTimeout(waiting);
      close = null;
      base = data?.start_time ? read(data) : null;
      if (base) view = base.whole;
      if (base) draw();
      return base !== null;
    },
    // Marks an event that is shown: id, camera and when it began.
    mark(event) {
      current = event;
      draw();
    },
    draw,
  };
}
