// One row per camera: where there is recording, where there is none (hatched), and the events.
import { markCurrent, shape } from "./dom.js";
import { period } from "./time.js";

const LABEL = 18;
const LANE = 16;
const MAX_LANES = 6;
const STRIP = 8;
const ROW_GAP = 10;
const AXIS = 20;
const MIN_MARK = 8;
const TICK_SPACE = 84;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR), ...[1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY),
];

// Times on the axis are the camera's own wall clock, whatever the viewer's zone is.
function wallClock(time) {
  return Date.parse(`${time.slice(0, 19)}Z`) + Number(time.match(/\.(\d{3})/)?.[1] ?? 0);
}

// Each event in the first lane that is free where it begins; the last lane takes what is left.
function stack(events, x) {
  const ends = [];
  for (const event of events) {
    event.x = x(event.start) - MIN_MARK / 2;
    event.width = Math.max(MIN_MARK, x(event.end) - x(event.start));
    let lane = ends.findIndex((end) => end <= event.x);
    if (lane < 0) lane = Math.min(ends.length, MAX_LANES - 1);
    ends[lane] = event.x + event.width + 1;
    event.lane = lane;
  }
  return Math.max(1, ends.length);
}

function axisLabel(time, step) {
  const iso = new Date(time).toISOString();
  if (step >= DAY) return iso.slice(5, 10);
  if (time % DAY === 0) return iso.slice(5, 10);
  return step < MINUTE ? iso.slice(11, 19) : iso.slice(11, 16);
}

function button(event, top, open) {
  const name = `${event.event_name} ${period(event.start_time, event.end_time)}`;
  const mark = shape("rect", {
    x: event.x, y: top + event.lane * LANE, width: event.width, height: LANE - 2, rx: 3,
    class: `mark ${event.risk_level}`, tabindex: -1, role: "button", "aria-label": name,
  }, [shape("title", {}, [name])]);
  mark.dataset.event = event.event_id;
  mark.addEventListener("click", () => open(event.event_id));
  return mark;
}

// One tab stop; arrows go from mark to mark in order of time.
function keys(svg, marks, open) {
  if (marks.length) marks[0].setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (key) => {
    const at = marks.indexOf(key.target);
    if (at < 0) return;
    const goal = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length - 1 }[key.key];
    if (key.key === "Enter" || key.key === " ") open(key.target.dataset.event);
    else if (goal === undefined) return;
    else marks[goal]?.focus();
    key.preventDefault();
  });
  // Not on the drawing: Chromium makes a drawing that listens for focus a tab stop.
  for (const mark of marks) {
    mark.addEventListener("focus", () => {
      for (const other of marks) other.setAttribute("tabindex", other === mark ? "0" : "-1");
    });
  }
}

export function drawTimeline(root, entries, coverage, { open, cameraName, label, current, isPart }) {
  const spans = coverage.map((c) => ({ camera: c.camera_id, start: wallClock(c.start_time), end: wallClock(c.end_time) }));
  const events = entries
    .map((e) => ({ ...e, start: wallClock(e.start_time), end: wallClock(e.end_time ?? e.start_time) }))
    .sort((a, b) => a.start - b.start);
  const cameras = [...new Set([...spans.map((s) => s.camera), ...events.map((e) => e.camera_id)])].sort();
  root.replaceChildren();
  if (cameras.length === 0) return false;
  // Where older events are not listed yet, their time is not shown as empty.
  const within = isPart ? events : [...spans, ...events];
  const first = within.reduce((least, { start }) => Math.min(least, start), Infinity);
  const last = [...spans, ...events].reduce((most, { end }) => Math.max(most, end), first + SECOND);
  const width = Math.max(root.clientWidth, 240);
  const x = (time) => MIN_MARK / 2 + ((time - first) / (last - first)) * (width - MIN_MARK);
  const svg = shape("svg", { role: "group", "aria-label": label });
  svg.append(shape("defs", {}, [
    shape("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, [
      shape("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "gap" }),
    ]),
  ]));
  const grid = svg.appendChild(shape("g", {}));
  const marks = [];
  let top = 0;
  for (const camera of cameras) {
    const own = events.filter((e) => e.camera_id === camera);
    const lanes = stack(own, x);
    const strip = top + LABEL + lanes * LANE;
    svg.append(
      shape("text", { x: 0, y: top + 13, class: "camera" }, [cameraName(camera)]),
      shape("rect", { x: x(first), y: strip, width: x(last) - x(first), height: STRIP, fill: "url(#hatch)" }),
    );
    for (const span of spans.filter((s) => s.camera === camera && s.end >= first)) {
      const left = x(Math.max(span.start, first));
      svg.append(shape("rect", { x: left, y: strip, width: Math.max(1, x(span.end) - left), height: STRIP, class: "covered" }));
    }
    marks.push(...own.map((event) => button(event, top + LABEL, open)));
    top = strip + STRIP + ROW_GAP;
  }
  svg.append(...marks);
  marks.sort((a, b) => a.x.baseVal.value - b.x.baseVal.value);
  for (const mark of marks) markCurrent(mark, mark.dataset.event === current);
  const step = STEPS.find((s) => (s / (last - first)) * width >= TICK_SPACE) ?? STEPS.at(-1);
  for (let time = Math.ceil(first / step) * step; time <= last; time += step) {
    const at = x(time);
    grid.append(shape("line", { x1: at, x2: at, y1: LABEL, y2: top, class: "tick" }));
    const anchor = at < 30 ? "start" : at > width - 30 ? "end" : "middle";
    grid.append(shape("text", { x: at, y: top + AXIS - 6, "text-anchor": anchor }, [axisLabel(time, step)]));
  }
  const days = [first, last].map((time) => new Date(time).toISOString().slice(0, 10));
  svg.append(shape("text", { x: width, y: 13, "text-anchor": "end" }, [[...new Set(days)].join(" ~ ")]));
  svg.setAttribute("width", width);
  svg.setAttribute("height", top + AXIS);
  keys(svg, marks, open);
  root.append(svg);
  return true;
}
