// Where feet stood, over the camera's newest picture: a grid that is read cell by cell.
import { element, fill, shape, text } from "./dom.js";
import { behind } from "./plot-table.js";
import { duration } from "./time.js";

// A cell's colour says up to which share of the longest it was stood on: few places are stood on for
// long, so the steps grow.
const STEPS = [0.02, 0.06, 0.16, 0.36, 0.64, 1];
const TABLE_ROWS = 500;

const level = (seconds, most) => STEPS.findIndex((share) => seconds <= share * most + 1e-9);

function place(found, column, row) {
  return fill(text.cell, { across: Math.round(((column + 0.5) / found.columns) * 100), down: Math.round(((row + 0.5) / found.rows) * 100) });
}

function scale(most) {
  const times = STEPS.map((share) => fill(text.up_to, { time: duration(Math.max(1, share * most)) }));
  const items = times.map((words, n) => {
    if (words === times[n + 1]) return null;
    const swatch = shape("svg", { width: 20, height: 14, class: "swatch", "aria-hidden": "true" }, [shape("rect", { width: 20, height: 14, class: `heat h${n}` })]);
    return element("li", {}, [swatch, words]);
  }).filter(Boolean);
  return element("ul", { className: "legend" }, items);
}

export function heatMap(found, context, file) {
  const cells = found.cells.flatMap((values, row) => values.map((seconds, column) => ({ seconds, column, row }))).filter((cell) => cell.seconds > 0);
  if (!cells.length) return [element("p", { className: "hint" }, [found.devices[0].recordedSeconds ? text.none_in_period : text.not_recorded_in_period])];
  cells.sort((a, b) => b.seconds - a.seconds);
  const most = cells[0].seconds;

  const still = element("img", { src: `/api/v1/devices/${context.device.id}/snapshot`, alt: "" });
  const svg = shape("svg", { viewBox: `0 0 ${found.columns} ${found.rows}`, preserveAspectRatio: "none", role: "group", "aria-label": fill(text.plot_label, { title: text.heat_title }) });
  svg.append(...cells.map(({ seconds, column, row }) =>
    shape("rect", { x: column, y: row, width: 1.02, height: 1.02, class: `heat h${level(seconds, most)}` })));
  const cursor = shape("rect", { width: 1, height: 1, class: "cursor", role: "img", tabindex: "0" });
  svg.append(cursor);
  const tip = element("div", { className: "plot-tip", hidden: true });
  tip.setAttribute("aria-hidden", "true");
  const spoken = element("p", { className: "visually-hidden", role: "status" });
  const box = element("div", { className: "heat-box" }, [still, svg, tip]);
  still.addEventListener("load", () => { box.style.aspectRatio = `${still.naturalWidth} / ${still.naturalHeight}`; });
  still.addEventListener("error", () => still.remove());

  let at = cells[0];
  const words = (column, row) => `${duration(found.cells[row][column])}${text.plot_comma}${place(found, column, row)}`;
  function show(column, row) {
    tip.replaceChildren(element("strong", {}, [duration(found.cells[row][column])]), element("span", {}, [place(found, column, row)]));
    tip.hidden = false;
    const [x, y] = [((column + 0.5) / found.columns) * box.clientWidth, (row / found.rows) * box.clientHeight];
    const half = tip.offsetWidth / 2;
    tip.style.left = `${Math.min(Math.max(x, half), box.clientWidth - half)}px`;
    tip.style.top = `${y > tip.offsetHeight + 8 ? y - tip.offsetHeight - 8 : y + box.clientHeight / found.rows + 8}px`;
  }
  function go(column, row, { say = true } = {}) {
    at = { column: Math.min(Math.max(column, 0), found.columns - 1), row: Math.min(Math.max(row, 0), found.rows - 1) };
    cursor.setAttribute("x", at.column);
    cursor.setAttribute("y", at.row);
    cursor.setAttribute("aria-label", words(at.column, at.row));
    if (!say) return;
    show(at.column, at.row);
    spoken.textContent = words(at.column, at.row);
  }
  go(at.column, at.row, { say: false });
  cursor.addEventListener("focus", () => show(at.column, at.row));
  cursor.addEventListener("blur", () => { tip.hidden = true; });
  cursor.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") tip.hidden = true;
    if (event.key === "Home") go(cells[0].column, cells[0].row);
    if (!by && event.key !== "Home") return;
    event.preventDefault();
    if (by) go(at.column + by[0], at.row + by[1]);
  });
  for (const kind of ["pointermove", "pointerdown"]) {
    svg.addEventListener(kind, (event) => {
      const area = svg.getBoundingClientRect();
      const [column, row] = [((event.clientX - area.left) / area.width) * found.columns, ((event.clientY - area.top) / area.height) * found.rows].map(Math.floor);
      if (found.cells[row]?.[column] !== undefined) show(column, row);
    });
  }
  svg.addEventListener("pointerleave", () => { tip.hidden = true; });

  const note = found.share < 1 ? [element("p", { className: "hint" }, [fill(text.heat_share, { share: Math.max(1, Math.round(found.share * 100)) })])] : [];
  return [
    box, spoken, scale(most), element("p", { className: "hint" }, [text.heat_note]), ...note,
    behind(text.heat_title, file, [text.across, text.down, text.seconds], cells.slice(0, TABLE_ROWS).map(({ seconds, column, row }) =>
      [`${Math.round(((column + 0.5) / found.columns) * 1000) / 10} %`, `${Math.round(((row + 0.5) / found.rows) * 1000) / 10} %`, seconds])),
  ];
}
