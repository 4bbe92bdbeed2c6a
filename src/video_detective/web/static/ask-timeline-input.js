// How the time line is moved: by keys, the wheel, dragging, and two fingers.
import { offsetText, wallClock, zoomed } from "./ask-axis.js";
import { element, fill, text } from "./dom.js";

const MOVED = 4; // pixels from which on a press is no click
const STRIDE = 0.2;

// What lies under the pointer, on the clock of its camera.
function tipNodes(event, line, rows) {
  const frame = rows.getBoundingClientRect();
  const camera = line.source().cameras[line.rowAt(event.clientY - frame.top)];
  if (!camera || event.clientX - frame.left < line.left()) return null;
  const time = line.timeAt(event);
  const mark = camera.marks?.find((each) => each.id === event.target.dataset.event);
  const step = mark ? null : camera.steps.find(([from, to]) => from <= time && time < to);
  const clock = (ms) => wallClock(ms, camera.zone).slice(11);
  const isRecorded = camera.recorded.some(([from, to]) => from <= time && time <= to);
  return [
    element("strong", {}, [line.cameraName(camera.id)]),
    element("span", {}, [fill(text.zoned, { time: wallClock(mark ? mark.from : time, camera.zone), zone: offsetText(time, camera.zone) })]),
    element("span", {}, [
      mark ? `${mark.name} · ${text[`risk_${mark.risk}`]}`
      : step ? fill(text.step_count, { count: step[2], from: clock(step[0]), to: clock(step[1]) })
      : isRecorded ? text.nothing_happened : text.not_recorded,
    ]),
  ];
}

export function listen({ root, scroller, rows, ruler }, line) {
  const pressed = new Map();
  const tip = root.appendChild(element("div", { className: "tip card", hidden: true }));
  let hasMoved = false;

  const hideTip = () => { tip.hidden = true; };
  function tell(event) {
    const nodes = tipNodes(event, line, rows);
    tip.hidden = !nodes;
    if (!nodes) return;
    tip.replaceChildren(...nodes);
    const frame = root.getBoundingClientRect();
    const at = event.clientX - frame.left + 12;
    tip.style.left = `${Math.max(0, Math.min(at, frame.width - tip.offsetWidth))}px`;
    tip.style.top = `${event.clientY - frame.top + 18}px`;
  }

  function pan(share) {
    const { from, to } = line.view();
    line.go({ from: from + share * (to - from), to: to + share * (to - from) });
  }

  scroller.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { "+": "zoom_in", "=": "zoom_in", "-": "zoom_out", 0: "fit" }[event.key];
    const marks = [...rows.querySelectorAll(".mark")].sort((a, b) => a.x.baseVal.value - b.x.baseVal.value);
    const at = marks.indexOf(event.target);
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (act) line.acts[act]();
    else if (at >= 0 && (event.key === "Enter" || event.key === " ")) line.open(event.target.dataset.event);
    else if (at >= 0 && side) focus(marks, at, at + side);
    else if (side) pan(side * STRIDE);
    else return;
    event.preventDefault();
  });

  // One tab stop for all marks.
  function focus(marks, from, to) {
    if (!marks[to]) return;
    marks[from].setAttribute("tabindex", "-1");
    marks[to].setAttribute("tabindex", "0");
    marks[to].focus();
  }

  for (const part of [scroller, ruler]) {
    part.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // the page scrolls
      event.preventDefault();
      line.go(zoomed(line.view(), 2 ** (event.deltaY / 200), line.timeAt(event)));
    }, { passive: false });
  }

  rows.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (pressed.size === 0) hasMoved = false;
    pressed.set(event.pointerId, { x: event.clientX, began: event.clientX });
  });
  rows.addEventListener("pointermove", (event) => {
    const own = pressed.get(event.pointerId);
    if (!own) return tell(event);
    if (!hasMoved && Math.abs(event.clientX - own.began) < MOVED) return;
    if (!hasMoved) {
      hasMoved = true;
      rows.setPointerCapture(event.pointerId); // not before: a click would miss its mark
      hideTip();
    }
    const { from, to } = line.view();
    const others = [...pressed].filter(([id]) => id !== event.pointerId).map(([, each]) => each.x);
    if (others.length) {
      const [before, after] = [own.x, event.clientX].map((x) => Math.max(10, Math.abs(x - others[0])));
      line.go(zoomed({ from, to }, before / after, line.timeAt({ clientX: (event.clientX + others[0]) / 2 })));
    } else {
      const shift = (own.x - event.clientX) * line.scale();
      line.go({ from: from + shift, to: to + shift });
    }
    own.x = event.clientX;
  });
  const release = (event) => pressed.delete(event.pointerId);
  rows.addEventListener("pointerup", release);
  rows.addEventListener("pointercancel", release);
  rows.addEventListener("pointerleave", (event) => {
    hideTip();
    if (!rows.hasPointerCapture(event.pointerId)) release(event);
  });
  rows.addEventListener("click", (event) => {
    if (hasMoved) return;
    if (event.target.dataset.event) line.open(event.target.dataset.event);
    else if (event.target.classList.contains("bar")) line.go(zoomed(line.view(), 0.25, line.timeAt(event)));
  });

  // On the ruler dragging chooses a period.
  let began = null;
  ruler.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    began = line.timeAt(event);
    ruler.setPointerCapture(event.pointerId);
  });
  ruler.addEventListener("pointermove", (event) => {
    if (began !== null) line.select([began, line.timeAt(event)]);
  });
  const end = (event) => {
    if (began === null) return;
    const [from, to] = [began, line.timeAt(event)];
    began = null;
    line.select(null);
    if (event.type === "pointerup" && Math.abs(to - from) > MOVED * line.scale()) line.chosen(from, to);
  };
  ruler.addEventListener("pointerup", end);
  ruler.addEventListener("pointercancel", end);
}
