// The start page: question, answer, time line, list, evidence. State lives in the address.
import { failureNotice, get } from "./api.js";
import { element, english, markCurrent, text } from "./dom.js";
import { showEvent } from "./event.js";
import "./shell.js";
import { period } from "./time.js";
import { drawTimeline } from "./timeline.js";

const form = document.getElementById("query");
const answer = document.getElementById("answer");
const chips = document.getElementById("chips");
const list = document.getElementById("list");
const more = document.getElementById("more");
const detail = document.getElementById("detail");
const overview = document.getElementById("overview");
const timeline = document.getElementById("timeline");
const FIELDS = ["q", "camera", "from", "to"];
const TIMES = ["from", "to"];
const WALL_CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/;
const narrow = matchMedia("(max-width: 52rem)");
const cameras = new Map();
let entries = [];
let coverage = [];
let cursor = null;
let total = 0;
let turn = 0;
let shownQuery = null;
let listPosition = 0;

function cameraName(id) {
  const name = cameras.get(id)?.name;
  return name && name !== id ? `${name} (${id})` : id;
}

function filters() {
  const parameters = new URLSearchParams();
  for (const name of FIELDS) {
    const value = form.elements[name].value.trim();
    if (value) parameters.set(name, value);
  }
  return parameters;
}

function currentEvent() {
  return new URLSearchParams(location.search).get("event");
}

function card(entry) {
  const picture = entry.frame_links[0];
  const button = element("button", { type: "button" }, [
    picture
      ? element("img", { src: picture, alt: "", loading: "lazy", width: 120, height: 90 })
      : element("span", { className: "blank" }),
    element("span", {}, [
      element("span", { className: "top" }, [
        element("strong", {}, [entry.event_name]),
        element("span", { className: `risk ${entry.risk_level}` }, [text[`risk_${entry.risk_level}`]]),
        ...(entry.match === "partial" ? [element("span", { className: "part" }, [text.partial])] : []),
      ]),
      element("span", { className: "when" }, [period(entry.start_time, entry.end_time)]),
      element("span", { className: "when" }, [cameraName(entry.camera_id)]),
      element("span", { className: "what" }, [english ? entry.description_en : entry.description]),
      ...(entry.narration?.text && !entry.narration.flags.includes("language")
        ? [element("span", { className: "what model" }, [`${text.model_words}${entry.narration.text}`])]
        : []),
    ]),
  ]);
  button.addEventListener("click", () => open(entry.event_id));
  const item = element("li", { className: "card" }, [button]);
  item.dataset.event = entry.event_id;
  return item;
}

function notice(...children) {
  return element("li", { className: "card notice" }, children);
}

function draw() {
  overview.hidden = false; // it has no width while it is hidden
  overview.hidden = !drawTimeline(timeline, entries, coverage, {
    open, cameraName, label: text.timeline, current: currentEvent(), isPart: total > entries.length,
  });
  document.getElementById("part").textContent =
    total > entries.length ? text.timeline_part.replace("{shown}", entries.length).replace("{total}", total) : "";
}

async function search({ append = false } = {}) {
  const mine = ++turn;
  const parameters = filters();
  shownQuery = parameters.toString();
  if (english) parameters.set("lang", "en");
  if (append) parameters.set("cursor", cursor);
  else answer.textContent = text.loading;
  more.disabled = true;
  try {
    const result = await get(`/api/search?${parameters}`);
    if (mine !== turn) return;
    if (!append) {
      entries = [];
      list.replaceChildren();
    }
    for (const entry of result.timeline) entry.event_name = english ? entry.type_en : entry.event_type;
    entries.push(...result.timeline);
    list.append(...result.timeline.map(card));
    ({ total, coverage, next_cursor: cursor } = result);
    more.hidden = !cursor;
    if (append) list.children[entries.length - result.timeline.length]?.firstElementChild.focus();
    else tell(result);
    draw();
    mark();
  } catch (error) {
    if (mine !== turn) return;
    if (!append) {
      entries = [];
      coverage = [];
      total = 0;
      list.replaceChildren();
      chips.replaceChildren();
      more.hidden = true;
      draw();
    }
    answer.replaceChildren(...failureNotice(error, () => search({ append })));
  } finally {
    more.disabled = false;
  }
}

function tell(result) {
  const isFresh = result.total === 0 && result.coverage.length === 0 && filters().size === 0;
  answer.textContent = isFresh ? text.no_data : english ? result.answer_en : result.answer_zh;
  if (result.answer_by === "model") {
    answer.append(" ", element("span", { className: "model" }, [text.answer_model.replace("{model}", result.answer_model)]));
  }
  showChips(result.interpretation);
  if (isFresh) {
    const file = english ? "VIDEO --camera cam01 --rules RULES.yaml" : "影片檔 --camera cam01 --rules 規則檔.yaml";
    list.append(notice(text.no_data_hint, element("code", {}, [`video-detective analyze ${file}`])));
  } else if (result.total === 0) {
    list.prepend(notice(...(result.timeline.length ? [text.nearest_hint] : [text.nothing_hint])));
  }
}

// What was understood, each part removable, and the words that narrowed nothing.
function showChips({ chips: understood, notUnderstood }) {
  const parts = understood.map((chip) => {
    const label = chip.negated ? text.chip_not.replace("{text}", chip.text) : chip.text;
    const button = element("button", { type: "button", className: "chip", title: text.chip_remove }, [
      label, element("span", { ariaHidden: "true" }, [" \u00d7"]),
    ]);
    button.setAttribute("aria-label", `${label} ${text.chip_remove}`);
    button.addEventListener("click", () => {
      const letters = [...form.elements.q.value.trim()]; // whole characters, as the service counts
      letters.splice(chip.start, chip.end - chip.start);
      form.elements.q.value = letters.join("").trim();
      form.requestSubmit();
      form.elements.q.focus();
    });
    return element("li", {}, [button]);
  });
  if (notUnderstood.length) {
    parts.push(element("li", { className: "hint" }, [text.not_understood.replace("{words}", notUnderstood.join(english ? ", " : "\u3001"))]));
  }
  chips.replaceChildren(...parts);
}

function mark() {
  const id = currentEvent();
  for (const node of document.querySelectorAll("[data-event]")) markCurrent(node, node.dataset.event === id);
}

function go(parameters) {
  const goal = parameters.size ? `?${parameters}` : location.pathname;
  if (goal !== (location.search || location.pathname)) history.pushState(null, "", goal);
}

function open(id) {
  const parameters = new URLSearchParams(shownQuery);
  parameters.set("event", id);
  go(parameters);
  show();
}

function close() {
  go(new URLSearchParams(shownQuery));
  show();
}

// Shows the event that the address names, or none.
async function show() {
  const id = currentEvent();
  mark();
  const wasOpen = document.body.classList.contains("open");
  if (id && !wasOpen) listPosition = window.scrollY;
  document.body.classList.toggle("open", id !== null);
  if (!id) {
    detail.replaceChildren(element("p", { className: "hint" }, [text.choose]));
    if (wasOpen && narrow.matches) {
      draw(); // it was hidden and may have missed a change of width
      window.scrollTo(0, listPosition);
    }
    return;
  }
  if (narrow.matches) window.scrollTo(0, 0);
  try {
    const record = await get(`/api/event/${encodeURIComponent(id)}`);
    if (currentEvent() !== id) return;
    showEvent(detail, record, { english, cameraName, close });
    detail.focus({ preventScroll: true });
  } catch (error) {
    if (currentEvent() !== id) return;
    const back = element("button", { type: "button", id: "back" }, [text.back]);
    back.addEventListener("click", close);
    detail.replaceChildren(back, element("p", {}, failureNotice(error, show)));
  }
}

function restore() {
  const parameters = new URLSearchParams(location.search);
  for (const name of FIELDS) {
    const field = form.elements[name];
    const value = parameters.get(name) ?? "";
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) {
      field.append(element("option", { value }, [value])); // the answer says that there is no such camera
    }
    // A time with an offset, say: shown as it is rather than dropped.
    if (TIMES.includes(name)) field.type = !value || WALL_CLOCK.test(value) ? "datetime-local" : "text";
    field.value = value;
  }
  if (filters().toString() !== shownQuery) search();
  show();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(filters());
  show();
  search();
});
form.addEventListener("reset", () => setTimeout(() => form.requestSubmit()));
more.addEventListener("click", () => search({ append: true }));
window.addEventListener("popstate", restore);
let drawnWidth = 0;
new ResizeObserver(() => {
  if (timeline.clientWidth && timeline.clientWidth !== drawnWidth) {
    drawnWidth = timeline.clientWidth;
    draw();
  }
}).observe(timeline);

// The select needs its cameras before the address can choose one of them.
try {
  for (const camera of await get("/api/cameras")) {
    cameras.set(camera.camera_id, camera);
    form.elements.camera.append(element("option", { value: camera.camera_id }, [cameraName(camera.camera_id)]));
  }
} catch {
  // search() meets the same failure and shows it.
}
restore();
