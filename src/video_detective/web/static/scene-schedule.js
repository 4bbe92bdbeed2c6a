// When something watches: periods of the week, as a small form. No period means always.
import { element, text } from "./dom.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WHOLE_DAY = ["00:00", "00:00"];

const pad = (clock) => clock.trim().padStart(5, "0").replace("24:00", "00:00");

function read(entry) {
  const plain = typeof entry === "string" ? { hours: entry } : entry;
  const [from, to] = plain.hours ? plain.hours.split("-").map(pad) : WHOLE_DAY;
  return { days: new Set(plain.days?.length ? plain.days : DAYS), from, to, timezone: plain.timezone ?? null };
}

function write({ days, from, to, timezone }) {
  const isDaily = days.size === DAYS.length;
  const hours = from === to ? "00:00-24:00" : `${from}-${to === "00:00" ? "24:00" : to}`;
  if (isDaily && !timezone) return hours;
  return { ...(isDaily ? {} : { days: DAYS.filter((day) => days.has(day)) }), hours, ...(timezone ? { timezone } : {}) };
}

export function scheduleField(value, onchange) {
  const periods = value.map(read);
  const root = element("div", { className: "schedule" });
  const tell = () => onchange(periods.map(write));

  function clock(period, which, label) {
    const input = element("input", { type: "time", value: period[which], ariaLabel: label, required: true });
    input.addEventListener("input", () => {
      if (!input.value) return;
      period[which] = input.value.slice(0, 5);
      note();
      tell();
    });
    return input;
  }

  const notes = new Map();
  function note() {
    for (const [period, node] of notes) {
      node.textContent = period.from === period.to ? text.schedule_whole_day
        : period.to < period.from && period.to !== "00:00" ? text.schedule_over_midnight : "";
    }
  }

  function row(period, index) {
    const days = element("span", { className: "days", role: "group", ariaLabel: text.schedule_days }, DAYS.map((day) => {
      const input = element("input", { type: "checkbox", checked: period.days.has(day) });
      input.addEventListener("change", () => {
        if (input.checked) period.days.add(day);
        else period.days.delete(day);
        // A period of no day would be read as every day.
        if (!period.days.size) { period.days.add(day); input.checked = true; }
        tell();
      });
      return element("label", { className: "day" }, [input, element("span", {}, [text.day[day]])]);
    }));
    const remove = element("button", { type: "button", className: "quiet", ariaLabel: text.schedule_remove }, ["×"]);
    remove.addEventListener("click", () => { periods.splice(index, 1); draw(); tell(); });
    const hint = element("span", { className: "hint" });
    notes.set(period, hint);
    return element("div", { className: "period", role: "group", ariaLabel: `${text.schedule_period} ${index + 1}` }, [
      days,
      element("span", { className: "hours" }, [clock(period, "from", text.schedule_from), "–", clock(period, "to", text.schedule_to), hint, remove]),
    ]);
  }

  function draw() {
    notes.clear();
    const add = element("button", { type: "button", className: "quiet" }, [text.schedule_add]);
    add.addEventListener("click", () => {
      periods.push({ days: new Set(DAYS), from: "22:00", to: "06:00", timezone: null });
      draw();
      tell();
    });
    root.classList.toggle("is-always", !periods.length);
    root.replaceChildren(
      ...(periods.length ? periods.map(row) : [element("span", { className: "always" }, [text.schedule_always])]), add,
    );
    note();
  }
  draw();
  return root;
}
