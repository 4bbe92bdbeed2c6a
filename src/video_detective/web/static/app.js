// The start page: question, answer, time line, list, evidence. State lives in the address.
import { drawTimeline } from "./timeline.js";
import { element, text } from "./dom.js";
import { showEvent } from "./event.js";

const english = document.documentElement.lang === "en";
const form = document.getElementById("query");
const answer = document.getElementById("answer");
const list = document.getElementById("list");
const more = document.getElementById("more");
const detail = document.getElementById("detail");
const overview = document.getElementById("overview");
const FIELDS = ["q", "camera", "from", "to"];
let cursor = null;
let entries = [];
let latest = 0;

async function fetchJson(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await response.json().catch(() => null);
  if (!response.ok || body === null) {
    const error = new Error(body?.message ?? response.statusText);
    error.status = response.status;
    throw error;
  }
  return body;
}

function fail(error) {
  if (error.status === 401) return `${text.expired} ${text.expired_hint}`;
  if (error.status && error.status < 500) return error.message;
  return `${text.failed} ${text.failed_hint}`;
}

function filters() {
  const parameters = new URLSearchParams();
  for (const name of FIELDS) {
    const value = form.elements[name].value.trim();
    if (value) parameters.set(name, value);
  }
  return parameters;
}

function card(entry) {
  const button = element("button", { type: "button" });
  const picture = entry.frame_links[0];
  button.append(
    picture
      ? element("img", { src: picture, alt: "", loading: "lazy", width: 120, height: 90 })
      : element("div", { className: "blank" }),
  );
  const words = element("div");
  words.append(
    element("div", { className: "top" }, [
      element("strong", {}, [entry.event_name]),
      element("span", { className: `risk ${entry.risk_level}` }, [text[`risk_${entry.risk_level}`]]),
    ]),
    element("p", { className: "when" }, [`${entry.time_range} · ${entry.camera_id}`]),
    element("p", {}, [english ? entry.description_en : entry.description]),
  );
  button.append(words);
  button.addEventListener("click", () => open(entry.event_id, true));
  const item = element("li", { className: "card" }, [button]);
  item.dataset.event = entry.event_id;
  return item;
}

async function run({ append = false } = {}) {
  const turn = ++latest;
  const parameters = filters();
  if (append && cursor) parameters.set("cursor", cursor);
  answer.textContent = text.loading;
  try {
    const result = await fetchJson(`/api/search?${parameters}`);
    if (turn !== latest) return;
    if (!append) {
      entries = [];
      list.replaceChildren();
    }
    for (const entry of result.timeline) entry.event_name = english ? entry.type_en : entry.event_type;
    entries.push(...result.timeline);
    list.append(...result.timeline.map(card));
    cursor = result.next_cursor;
    more.hidden = !cursor;
    answer.textContent = english ? result.answer_en : result.answer_zh;
    if (result.total === 0) {
      const fresh = result.coverage.length === 0 && parameters.size === 0;
      list.append(element("li", { className: "card notice" }, [
        element("strong", {}, [fresh ? text.no_data : text.nothing]),
        element("p", {}, [fresh ? text.no_data_hint : text.nothing_hint]),
      ]));
    }
    overview.hidden = !drawTimeline(document.getElementById("timeline"), entries, result.coverage, (id) => open(id, true));
    mark();
  } catch (error) {
    if (turn !== latest) return;
    answer.textContent = fail(error);
    const again = element("button", { type: "button" }, [text.retry]);
    again.addEventListener("click", () => run());
    answer.append(" ", again);
  }
}

function mark() {
  const id = new URLSearchParams(location.search).get("event");
  for (const node of document.querySelectorAll("[data-event]")) {
    node.toggleAttribute("aria-current", node.dataset.event === id);
  }
}

async function open(id, remember) {
  if (remember) {
    const parameters = filters();
    parameters.set("event", id);
    history.pushState(null, "", `?${parameters}`);
  }
  mark();
  document.body.classList.add("open");
  try {
    const record = await fetchJson(`/api/event/${encodeURIComponent(id)}`);
    if (new URLSearchParams(location.search).get("event") !== id) return;
    showEvent(detail, record, english, close);
    detail.focus({ preventScroll: !matchMedia("(max-width: 52rem)").matches });
  } catch (error) {
    detail.replaceChildren(element("p", { className: "hint" }, [fail(error)]));
  }
}

function close() {
  const parameters = filters();
  history.pushState(null, "", parameters.size ? `?${parameters}` : location.pathname);
  restore();
}

function restore() {
  const parameters = new URLSearchParams(location.search);
  for (const name of FIELDS) form.elements[name].value = parameters.get(name) ?? "";
  const id = parameters.get("event");
  if (id) {
    open(id, false);
  } else {
    document.body.classList.remove("open");
    detail.replaceChildren(element("p", { className: "hint" }, [text.choose]));
    mark();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const parameters = filters();
  history.pushState(null, "", parameters.size ? `?${parameters}` : location.pathname);
  document.body.classList.remove("open");
  run();
});
form.addEventListener("reset", () => setTimeout(() => form.requestSubmit()));
more.addEventListener("click", () => run({ append: true }));
window.addEventListener("popstate", () => { restore(); run(); });
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const parameters = new URLSearchParams(location.search);
    parameters.set("lang", link.lang);
    location.search = parameters;
  });
}

// The select needs its cameras before the address can choose one of them.
try {
  for (const camera of await fetchJson("/api/cameras")) {
    const label = camera.name && camera.name !== camera.camera_id ? `${camera.name} (${camera.camera_id})` : camera.camera_id;
    form.elements.camera.append(element("option", { value: camera.camera_id }, [label]));
  }
} catch {
  // run() meets the same failure and shows it.
}
restore();
run();
