// Our own plots: SVG that is drawn to the width it has, with one tab stop, a tip for each mark, a legend.
import { element, fill, shape, text } from "./dom.js";

const HEIGHT = 228;
const TOP = 20;
const BELOW = 34;
const GAP_BAND = 6;
const ROW = 34;
const WIDEST = 64;
const TEXTURES = 6; // as many as there are colours
let made = 0;

// Whether a slot was recorded throughout; of one to come nothing is.
export const isWhole = (slot) => slot.recorded >= 0.995;

export const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format;

// Round numbers from 0 to the first that is not below the most.
export function ticks(most, wanted = 4) {
  const rough = Math.max(most, 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((n) => n * power >= rough) * power);
  const found = [];
  for (let value = 0; ; value += step) {
    found.push(value);
    if (value >= most) return found;
  }
}

function pattern(id, size, children) {
  return shape("pattern", { id, width: size, height: size, patternUnits: "userSpaceOnUse" }, children);
}

// Textures in the card's colour over the series', so that neighbours differ by more than colour.
function definitions(id) {
  const line = (d) => shape("path", { d, class: "texture" });
  return shape("defs", {}, [
    pattern(`${id}-gap`, 8, [shape("path", { d: "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4", class: "gap-lines" })]),
    pattern(`${id}-ahead`, 8, [shape("circle", { cx: 4, cy: 4, r: 1, class: "ahead-dot" })]),
    pattern(`${id}-t1`, 6, [line("M0,3 h6")]),
    pattern(`${id}-t2`, 6, [shape("circle", { cx: 3, cy: 3, r: 1.2, class: "texture-dot" })]),
    pattern(`${id}-t3`, 6, [line("M3,0 v6")]),
    pattern(`${id}-t4`, 8, [line("M0,8 l8,-8")]),
    pattern(`${id}-t5`, 8, [line("M4,0 v8 M0,4 h8")]),
  ]);
}

function block(id, index, x, y, width, height) {
  const box = { x, y, width, height };
  const nodes = [shape("rect", { ...box, class: `series s${index % TEXTURES}` })];
  if (index % TEXTURES) nodes.push(shape("rect", { ...box, fill: `url(#${id}-t${index % TEXTURES})` }));
  return nodes;
}

export function swatch(index) {
  const id = `swatch-${++made}`;
  return shape("svg", { width: 16, height: 16, class: "swatch", "aria-hidden": "true" }, [
    definitions(id), ...(typeof index === "string" ? [shape("rect", { width: 16, height: 16, fill: `url(#${id}-${index})` })] : block(id, index, 0, 0, 16, 16)),
  ]);
}

// Which labels fit: every n-th, a round number of them apart where slots say so.
function shownLabels(slots, width) {
  const room = Math.max(1, Math.floor(width / 52));
  const step = [1, 2, 3, 4, 6, 12, 24].find((n) => Math.ceil(slots.length / n) <= room) ?? Math.ceil(slots.length / room);
  return slots.map((slot, index) => ((slot.nth ?? index) % step === 0 ? slot.label : ""));
}

// Columns over slots, stacked. A slot: {label, name, recorded: 0..1 or null (to come), nth}. `unit`: what is counted.
export function columns({ slots, series, unit, tip }) {
  return (width) => {
    const id = `plot-${++made}`;
    const totals = slots.map((_, n) => series.reduce((sum, one) => sum + one.values[n], 0));
    const scale = ticks(Math.max(1, ...totals));
    const top = scale.at(-1);
    const left = 14 + 8 * Math.max(...scale.map((value) => number(value).length));
    const [inner, high] = [width - left - 4, HEIGHT - TOP - BELOW];
    const y = (value) => TOP + high * (1 - value / top);
    const each = inner / slots.length;
    const svg = shape("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` }, [definitions(id)]);
    for (const value of scale) {
      svg.append(
        shape("line", { x1: left, x2: width - 4, y1: y(value), y2: y(value), class: value ? "grid" : "axis" }),
        shape("text", { x: left - 6, y: y(value) + 4, class: "tick end" }, [number(value)]),
      );
    }
    svg.append(shape("text", { x: left, y: TOP - 8, class: "tick" }, [unit]));
    const labels = shownLabels(slots, inner);
    const marks = slots.map((slot, n) => {
      const x = left + each * n;
      const pad = Math.max(Math.min(each * 0.15, 4), (each - WIDEST) / 2);
      const mark = shape("g", { class: "mark" }, [shape("rect", { x, y: TOP, width: each, height: high + GAP_BAND + 2, class: "hit" })]);
      if (!slot.recorded) mark.append(shape("rect", { x, y: TOP, width: each, height: high, fill: `url(#${id}-${slot.recorded === 0 ? "gap" : "ahead"})` }));
      else if (!isWhole(slot)) {
        mark.append(shape("rect", { x, y: TOP + high + 2, width: each, height: GAP_BAND, fill: `url(#${id}-gap)` }));
      }
      let below = 0;
      series.forEach((one, index) => {
        const value = one.values[n];
        if (!value) return;
        const [low, up] = [y(below), y(below + value)];
        const tall = Math.max(2, low - up - (below ? 1 : 0));
        mark.append(...block(id, one.colour ?? index, x + pad, Math.min(up, low - 2), Math.max(1, each - 2 * pad), tall));
        below += value;
      });
      svg.append(mark);
      if (labels[n]) svg.append(shape("text", { x: Math.min(Math.max(x + each / 2, left + 14), width - 22), y: HEIGHT - 8, class: "tick middle" }, [labels[n]]));
      return { node: mark, words: tip(n), x: x + each / 2, y: y(totals[n]) };
    });
    return { svg, marks, step: 1 };
  };
}

// Rows with their names before them and their numbers behind.
export function rows({ items, tip }) {
  return (width) => {
    const id = `plot-${++made}`;
    const most = Math.max(1, ...items.map((item) => item.value));
    const left = Math.min(width * 0.4, 12 + 15 * Math.max(...items.map((item) => item.wide)));
    const right = 16 + 8 * Math.max(...items.map((item) => item.shown.length));
    const height = ROW * items.length + 4;
    const svg = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}` }, [definitions(id)]);
    const marks = items.map((item, n) => {
      const y = 4 + ROW * n;
      const long = ((width - left - right) * item.value) / most;
      const mark = shape("g", { class: "mark" }, [
        shape("rect", { x: 0, y, width, height: ROW - 4, class: "hit" }),
        ...block(id, item.colour ?? 0, left, y + 5, Math.max(item.value ? 1 : 0, long), ROW - 14),
        shape("text", { x: left - 8, y: y + 20, class: "tick end" }, [item.name]),
        shape("text", { x: left + long + 8, y: y + 20, class: "tick value" }, [item.shown]),
      ]);
      svg.append(mark);
      return { node: mark, words: tip(n), x: left + long, y };
    });
    return { svg, marks, step: 1 };
  };
}

// A figure's drawing: drawn anew when its width changes; arrow keys go from mark to mark.
export function plot(title, draw) {
  const tip = element("div", { className: "plot-tip", hidden: true });
  tip.setAttribute("aria-hidden", "true"); // each mark says the same
  const place = element("div", { className: "plot-place" });
  const box = element("div", { className: "plot-box" }, [place, tip]);
  let marks = [];
  let current = 0;
  let drawn = 0;

  const hide = () => { tip.hidden = true; };
  function show(mark) {
    tip.replaceChildren(...mark.words.map((line, n) => element(n ? "span" : "strong", {}, [line])));
    tip.hidden = false;
    const half = tip.offsetWidth / 2;
    tip.style.left = `${Math.min(Math.max(mark.x, half), Math.max(box.clientWidth - half, half))}px`;
    tip.style.top = `${Math.max(mark.y - tip.offsetHeight - 8, 0)}px`;
  }
  function go(index) {
    marks[current]?.node.setAttribute("tabindex", "-1");
    current = Math.min(Math.max(index, 0), marks.length - 1);
    marks[current].node.setAttribute("tabindex", "0");
    marks[current].node.focus();
  }
  function redraw() {
    const width = Math.floor(box.clientWidth);
    if (!width || width === drawn) return;
    drawn = width;
    const held = place.contains(document.activeElement);
    const { svg, marks: found } = draw(width);
    marks = found;
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", fill(text.plot_label, { title }));
    marks.forEach((mark, n) => {
      const attributes = { role: "img", tabindex: n === current ? "0" : "-1", "aria-label": mark.words.join(text.plot_comma) };
      for (const [key, value] of Object.entries(attributes)) mark.node.setAttribute(key, value);
      mark.node.addEventListener("pointerenter", () => show(mark));
      mark.node.addEventListener("pointerdown", () => show(mark));
      mark.node.addEventListener("focus", () => { if (n !== current) { marks[current]?.node.setAttribute("tabindex", "-1"); current = n; mark.node.setAttribute("tabindex", "0"); } show(mark); });
      mark.node.addEventListener("blur", hide);
    });
    place.replaceChildren(svg);
    hide();
    if (held) go(current);
  }
  box.addEventListener("pointerleave", hide);
  box.addEventListener("keydown", (event) => {
    const to = { ArrowRight: current + 1, ArrowDown: current + 1, ArrowLeft: current - 1, ArrowUp: current - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (event.key === "Escape") hide();
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  });
  new ResizeObserver(redraw).observe(box);
  return box;
}

// What the colours mean; of `slots`, also what it means that nothing stands there.
export function legend(names, slots = []) {
  const items = names.map((name, n) => element("li", {}, [swatch(n), name]));
  if (slots.some((slot) => slot.recorded !== null && !isWhole(slot))) items.push(element("li", {}, [swatch("gap"), text.not_recorded]));
  if (slots.some(({ recorded }) => recorded === null)) items.push(element("li", {}, [swatch("ahead"), text.to_come]));
  return element("ul", { className: "legend" }, items);
}
