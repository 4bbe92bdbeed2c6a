// What the parts of the settings are made of: cards, tables, times, secrets that are shown once.
import { ask } from "./dialog.js";
import { button, element, english, fill, text } from "./dom.js";
import { toast } from "./shell.js";
import { clockOf, dayOf, offsetOf, zoned } from "./time.js";

export function card(title, children, { hint, actions = [] } = {}) {
  return element("div", { className: "card panel" }, [
    element("div", { className: "panel-top" }, [element("h2", {}, [title]), ...actions]),
    ...(hint ? [element("p", { className: "hint" }, [hint])] : []),
    ...children,
  ]);
}

// Columns: {label, isNumber, isHidden}; rows: lists of cells, each a node, text, or a list of both.
// On a narrow screen each row is a block; the roles say that it is a table all the same.
export function table(name, columns, rows) {
  const cell = (content, at) => {
    const { label, isNumber, isHidden } = columns[at];
    const node = element(at ? "td" : "th", { className: isNumber ? "number" : "", role: at ? "cell" : "rowheader" }, [content ?? "—"].flat());
    if (at && !isHidden) node.dataset.label = label;
    return node;
  };
  const wrap = element("div", { className: "table-wrap stacks", tabIndex: 0 }, [
    element("table", { role: "table" }, [
      element("thead", { role: "rowgroup" }, [element("tr", { role: "row" }, columns.map(({ label, isNumber, isHidden }) => element(
        "th", { scope: "col", role: "columnheader", className: isNumber ? "number" : "" },
        isHidden ? [element("span", { className: "visually-hidden" }, [label])] : [label],
      )))]),
      element("tbody", { role: "rowgroup" }, rows.map((row) => element("tr", { role: "row" }, row.map(cell)))),
    ]),
  ]);
  wrap.setAttribute("role", "region");
  wrap.setAttribute("aria-label", name);
  return wrap;
}

export function facts(pairs) {
  return element("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(
    ([name, value]) => [element("dt", {}, [name]), element("dd", {}, [value].flat())],
  ));
}

export function state(words, kind) {
  return element("span", { className: `mark ${kind}` }, [words]);
}

export function empty(words, actions = []) {
  return element("div", { className: "empty" }, [element("p", {}, [words]), ...actions]);
}

// "2026-01-15 22:05:00" on the account's clock; the page says once which that is.
export function when(time, timezone) {
  if (!time) return "—";
  const local = zoned(time, timezone);
  const node = element("time", { dateTime: time, className: "moment" }, [`${dayOf(local)} ${clockOf(local)}`]);
  return node;
}

export function zoneHint(timezone) {
  const offset = offsetOf(zoned(new Date().toISOString(), timezone));
  return element("p", { className: "hint" }, [fill(text.settings_zone, { zone: timezone, offset })]);
}

export const number = (count) => count.toLocaleString(english ? "en" : "zh-TW");
export const joined = (words) => words.join(english ? ", " : "、");

async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    // Without TLS a browser has no clipboard for pages: the old way works there.
    input.select();
    if (!document.execCommand("copy")) return toast(text.settings_copy_failed);
  }
  toast(text.settings_copied);
}

// Something that nobody can show again: a key, a secret, a link.
export function showOnce(title, hint, label, value) {
  const input = element("input", { value, readOnly: true, className: "secret" });
  input.addEventListener("focus", () => input.select());
  return ask(title, [
    element("p", {}, [hint]),
    element("label", { className: "field" }, [label, input]),
    element("div", { className: "toolbar" }, [button(text.settings_copy, () => copy(input))]),
  ], [{ label: text.close, value: "", className: "primary" }]);
}
