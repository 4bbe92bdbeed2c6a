// The numbers behind a plot: a table, and the same as a file for a spreadsheet.
import { element, fill, text } from "./dom.js";
import { number } from "./plot.js";

// A spreadsheet takes a text that begins like a formula for one: an apostrophe before it keeps it text.
function cell(value) {
  if (typeof value === "number") return String(value);
  const words = /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
}

// With a byte order mark, by which Excel knows UTF-8.
export function csv(columns, rows) {
  return `\uFEFF${[columns, ...rows].map((row) => row.map((value) => cell(value ?? "")).join(",")).join("\r\n")}\r\n`;
}

function save(name, content) {
  const address = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function told(value) {
  return typeof value === "number" ? number(value) : value ?? "–";
}

function table(title, columns, rows) {
  const wrap = element("div", { className: "table-wrap", tabIndex: 0, role: "region", ariaLabel: title }, [
    element("table", {}, [
      element("thead", {}, [element("tr", {}, columns.map((name) => element("th", { scope: "col" }, [name])))]),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map((value, n) =>
        element(n ? "td" : "th", { scope: n ? "" : "row", className: n && typeof value === "number" ? "number" : "" }, [told(value)]))))),
    ]),
  ]);
  return wrap;
}

// Made when it is opened: months of hours are thousands of rows.
export function behind(title, file, columns, rows) {
  const details = element("details", {}, [element("summary", {}, [text.as_table])]);
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(table(title, columns, rows));
  });
  const button = element("button", { type: "button", ariaLabel: fill(text.download_csv_of, { title }) }, [text.download_csv]);
  button.addEventListener("click", () => save(file, csv(columns, rows)));
  return element("div", { className: "behind" }, [details, button]);
}
