// One rail per camera: where there is recording, where there is none (hatched), and the events.
import { shape } from "./dom.js";

const ROW = 34;
const LEFT = 8;
const WIDTH = 1000;

function clock(text) {
  return text.slice(11, 19);
}

// Times on the axis are written as the camera's own wall clock, whatever the viewer's zone is.
function local(text) {
  return Date.parse(`${text.slice(0, 19)}Z`) + Number(text.match(/\.(\d{3})/)?.[1] ?? 0);
}

export function drawTimeline(root, entries, coverage, open) {
  const spans = coverage.map((c) => ({ camera: c.camera_id, start: local(c.start_time), end: local(c.end_time) }));
  const events = entries.map((e) => ({ ...e, start: local(e.start_time), end: e.end_time ? local(e.end_time) : local(e.start_time) }));
  const cameras = [...new Set([...spans.map((s) => s.camera), ...events.map((e) => e.camera_id)])].sort();
  if (cameras.length === 0) {
    root.replaceChildren();
    return false;
  }
  const first = Math.min(...spans.map((s) => s.start), ...events.map((e) => e.start));
  const last = Math.max(...spans.map((s) => s.end), ...events.map((e) => e.end), first + 1000);
  const x = (time) => LEFT + ((time - first) / (last - first)) * (WIDTH - 2 * LEFT);
  const height = cameras.length * ROW + 22;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "group" });
  svg.append(
    shape("defs", {}, [
      shape("pattern", { id: "hatch", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, [
        shape("line", { x1: 0, y1: 0, x2: 0, y2: 8, class: "gap" }),
      ]),
    ]),
  );
  cameras.forEach((camera, row) => {
    const top = row * ROW;
    svg.append(
      shape("text", { x: LEFT, y: top + 11 }, [camera]),
      shape("rect", { x: LEFT, y: top + 15, width: WIDTH - 2 * LEFT, height: 14, fill: "url(#hatch)" }),
    );
    for (const span of spans.filter((s) => s.camera === camera)) {
      svg.append(shape("rect", { x: x(span.start), y: top + 15, width: Math.max(1, x(span.end) - x(span.start)), height: 14, class: "covered" }));
    }
    for (const event of events.filter((e) => e.camera_id === camera)) {
      const name = `${event.event_name} ${event.time_range}`;
      const mark = shape("rect", {
        x: x(event.start) - 3, y: top + 12, width: Math.max(7, x(event.end) - x(event.start)), height: 20, rx: 3,
        class: `mark ${event.risk_level}`, tabindex: 0, role: "button", "aria-label": name,
      }, [shape("title", {}, [name])]);
      mark.dataset.event = event.event_id;
      mark.addEventListener("click", () => open(event.event_id));
      mark.addEventListener("keydown", (key) => {
        if (key.key === "Enter" || key.key === " ") {
          key.preventDefault();
          open(event.event_id);
        }
      });
      svg.append(mark);
    }
  });
  const sameDay = entries.concat(coverage).every((e) => e.start_time.slice(0, 10) === (entries[0] ?? coverage[0]).start_time.slice(0, 10));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const iso = new Date(first + share * (last - first)).toISOString();
    const label = sameDay ? clock(iso) : `${iso.slice(5, 10)} ${iso.slice(11, 16)}`;
    svg.append(shape("text", {
      x: x(first + share * (last - first)), y: height - 4,
      "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle",
    }, [label]));
  }
  root.replaceChildren(svg);
  return true;
}
