// The list of insights: filters in the address, a page at a time.
import { failureNotice, get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { clockOf, dayOf, offsetOf, zoned } from "./time.js";

const PAGE = 20;
const FILTERS = ["q", "device", "severity", "state", "summary", "attributes", "from", "to", "page"];
const found = document.getElementById("found");
const count = document.getElementById("count");
const pager = document.getElementById("pager");
let turn = 0;

// The parameters that say which list, of an address or of the form; empty ones are left out.
export function filtersOf(given) {
  const parameters = new URLSearchParams();
  for (const name of FILTERS) {
    const value = (given.get(name) ?? "").trim();
    if (value && !(name === "page" && value === "1")) parameters.set(name, value);
  }
  return parameters;
}

export function showFilters(form, parameters) {
  for (const name of FILTERS) {
    const field = form.elements[name];
    const value = parameters.get(name) ?? "";
    if (field && field.value.trim() !== value) field.value = value; // a space that is typed stays
  }
  const further = document.getElementById("further");
  const isAsked = [...further.querySelectorAll("[name]")].some((field) => parameters.has(field.name));
  // A small window shows results first.
  further.open ||= isAsked || !matchMedia("(max-width: 52rem)").matches;
}

// Pictures come by addresses that name the host as the server sees it; they are this one's.
export function local(address) {
  const { pathname, search } = new URL(address, location.href);
  return pathname + search;
}

export function described(insight) {
  if (insight.vlmStatus !== "completed") return text.states[insight.vlmStatus];
  return text.described[insight.describedBy] ?? text.states.completed;
}

// Its summary; until there is one, that there is none, and the alert's message, which is English.
export function saidOf({ vlmSummary, message }) {
  return vlmSummary ? [vlmSummary] : [text.untold, " ", element("span", { className: "hint", lang: "en" }, [message])];
}

export function severityChip(insight) {
  const level = insight.severity === "critical" ? "critical" : "medium";
  return element("span", { className: `risk ${level}` }, [text.severities[insight.severity]]);
}

// The camera's clock; with its offset where cameras of several zones stand together.
export function timeOf(time, device, { devices, timezone }) {
  const local = zoned(time, device?.timezone ?? timezone);
  const zones = new Set([...devices.values()].map((each) => each.timezone));
  return `${dayOf(local)} ${clockOf(local)}${zones.size > 1 ? ` ${offsetOf(local)}` : ""}`;
}

function row(insight, around, query) {
  const device = around.devices.get(insight.deviceId);
  const target = new URLSearchParams(query);
  target.set("insight", insight.id);
  const link = element("a", { href: `?${target}` }, saidOf(insight));
  link.dataset.insight = insight.id;
  const picture = insight.thumbnailUrl
    ? element("img", { src: local(insight.thumbnailUrl), alt: "", loading: "lazy", width: 96, height: 72 })
    : element("span", { className: "blank" });
  const cell = (name, children) => {
    const node = element("td", { className: name, role: "cell" }, children);
    return node;
  };
  return element("tr", { role: "row" }, [
    cell("picture", [picture]),
    cell("when", [timeOf(insight.triggeredAt, device, around)]),
    cell("where", [insight.deviceName]),
    cell("how", [severityChip(insight)]),
    cell("what", [link]),
    cell("state", [
      element("span", {}, [described(insight)]),
      ...(insight.hasAttributes ? [element("span", { className: "hint" }, [text.looks])] : []),
    ]),
  ]);
}

function table(insights, around, query) {
  const names = [text.picture, text.time, text.camera, text.severity, text.summary, text.state];
  const head = element("tr", { role: "row" }, names.map((name) => element("th", { scope: "col", role: "columnheader" }, [name])));
  return element("table", { className: "insights", role: "table" }, [
    element("thead", { role: "rowgroup" }, [head]),
    element("tbody", { role: "rowgroup" }, insights.map((insight) => row(insight, around, query))),
  ]);
}

function nothing(query, go) {
  const isFiltered = [...query.keys()].length > 0;
  const reset = element("button", { type: "button" }, [text.reset]);
  reset.addEventListener("click", () => go(new URLSearchParams()));
  return element("div", { className: "card empty" }, isFiltered
    ? [element("p", {}, [text.none_match]), reset]
    : [element("p", {}, [text.none]), element("p", {}, [element("a", { href: "/cameras" }, [text.none_hint])])]);
}

function pages({ page, totalPages }, query, go) {
  const turnTo = (number, name) => {
    const target = new URLSearchParams(query);
    target.set("page", number);
    const node = element("button", { type: "button", disabled: number < 1 || number > totalPages }, [name]);
    node.addEventListener("click", () => { go(filtersOf(target)); scrollTo(0, 0); });
    return node;
  };
  pager.hidden = totalPages < 2 && page === 1;
  pager.replaceChildren(
    turnTo(page - 1, `‹ ${text.newer}`),
    element("span", {}, [fill(text.page_of, { page, total: Math.max(totalPages, 1) })]),
    turnTo(page + 1, `${text.older} ›`),
  );
}

// Asks for the list and shows it; what was shown before stays until the answer is there.
export async function showList(query, { surroundings, go }) {
  const mine = ++turn;
  if (!found.hasChildNodes()) found.append(...Array.from({ length: 6 }, () => element("div", { className: "skeleton row" })));
  found.ariaBusy = "true";
  const seconds = (time) => (time?.length === 16 ? `${time}:00` : time);
  try {
    const [body, around] = await Promise.all([
      get("/api/v1/analysis/insights", {
        q: query.get("q"), deviceId: query.get("device"), severity: query.get("severity"),
        vlmStatus: query.get("state"), hasVlmSummary: query.get("summary"), hasAttributes: query.get("attributes"),
        startDate: seconds(query.get("from")), endDate: seconds(query.get("to")), page: query.get("page"), limit: PAGE,
      }),
      surroundings(),
    ]);
    if (mine !== turn) return;
    const cameras = document.querySelector("#filters [name=device]");
    if (cameras.length === 1) { // once: somebody may be choosing
      cameras.append(...[...around.devices.values()].map((device) => element("option", { value: device.id }, [device.name])));
      cameras.value = query.get("device") ?? "";
    }
    const { pagination, timezone } = body.meta;
    count.textContent = fill(text.count, { count: pagination.total.toLocaleString() })
      + (timezone ? ` ${fill(text.read_in, { timezone })}` : "");
    const focused = document.activeElement?.dataset.insight;
    found.replaceChildren(body.data.length ? table(body.data, around, query) : nothing(query, go));
    if (focused) found.querySelector(`[data-insight="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    pages(pagination, query, go);
  } catch (error) {
    if (mine !== turn) return;
    count.textContent = "";
    pager.hidden = true;
    found.replaceChildren(element("div", { className: "card notice failure", role: "alert" },
      failureNotice(error, () => showList(query, { surroundings, go }))));
  } finally {
    if (mine === turn) found.ariaBusy = "false";
  }
}
