// The start page: a question, what was understood, the answer, time line, list, evidence. What is
// shown is in the address: question, conditions, and the event that is open.
import { failureNotice, get } from "./api.js";
import { answerNodes, chipNodes, citations, conditions, looser, missingNodes, originText } from "./ask-answer.js";
import { wallClock } from "./ask-axis.js";
import { card } from "./ask-cards.js";
import { makeList } from "./ask-list.js";
import { makeTimeline } from "./ask-timeline.js";
import { element, english, fill, text } from "./dom.js";
import "./shell.js";

const FIELDS = ["q", "camera", "from", "to"];
const TIMES = ["from", "to"];
const WALL_CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/;
const FIRST = 30; // enough for a window; the others come while it is read
const WORDED = 12; // so many events a model is shown
const PATIENCE_MS = 300;
const REMEMBERED = 6;
const RECENT = "vd_questions";

const at = (id) => document.getElementById(id);
const form = at("query");
const answer = at("answer");
const detail = at("detail");
const narrow = matchMedia("(max-width: 52rem)");
const cameras = new Map();
let shownQuery = null;
let stop = null;
let listPosition = 0;
let numbers = new Map();

const cameraName = (id) => {
  const name = cameras.get(id)?.name || id;
  const isShared = [...cameras.values()].some((other) => other.name === name && other.camera_id !== id);
  return isShared ? `${name} (${id})` : name;
};
const filters = () => Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
const currentEvent = () => new URLSearchParams(location.search).get("event");
const addressOf = (query, id) => {
  const parameters = new URLSearchParams(query);
  if (id) parameters.set("event", id);
  return parameters.size ? `?${parameters}` : location.pathname;
};
const eventAddress = (id) => addressOf(shownQuery, id);

const list = makeList(at("list"), {
  card: (entry) => card(entry, { address: eventAddress, open, cameraName, number: numbers.get(entry.event_id) }),
  load: (cursor, limit) => ask(JSON.parse(shownFilters), { cursor, limit }, stop.signal).then(page),
  failed: (error, again) => {
    const notice = at("list-failure");
    notice.hidden = false;
    notice.replaceChildren(...failureNotice(error, () => { notice.hidden = true; again(); }));
  },
});
const line = makeTimeline(at("timeline"), {
  open, cameraName,
  choose: (from, to, zone) => {
    form.elements.from.type = form.elements.to.type = "datetime-local";
    form.elements.from.value = wallClock(Math.floor(from / 1000) * 1000, zone);
    form.elements.to.value = wallClock(Math.ceil(to / 1000) * 1000, zone);
    form.requestSubmit();
  },
  more: (from, to, resolution) => askLine({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), resolution }),
});
let shownFilters = "{}";

function ask(asked, more, signal) {
  return get("/api/search", { ...asked, lang: english ? "en" : "zh-TW", answer: "template", ...more }, { signal });
}

function askLine(more) {
  return get("/api/search/timeline", { ...JSON.parse(shownFilters), ...more }, { signal: stop.signal });
}

const page = (result) => ({ entries: result.timeline, next: result.next_cursor, total: result.total });

// The template's answer at once; a model's words, where one is configured, take its place later.
async function run(position = 0) {
  stop?.abort();
  const mine = stop = new AbortController();
  const asked = filters();
  shownFilters = JSON.stringify(asked);
  shownQuery = String(new URLSearchParams(asked));
  at("list-failure").hidden = true;
  answer.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => wait(mine), PATIENCE_MS);
  try {
    const [result] = await Promise.all([ask(asked, { limit: FIRST }, mine.signal), knowCameras]);
    if (stop !== mine) return;
    show(result, asked);
    scrollTo({ top: position, behavior: "instant" });
    drawLine(mine);
    if (result.answer_note === "not_asked" && result.total) word(result, asked, mine);
  } catch (error) {
    if (stop !== mine || error.name === "AbortError") return;
    clear();
    answer.replaceChildren(element("p", { className: "failure" }, failureNotice(error, () => run(position))));
  } finally {
    clearTimeout(slow);
    if (stop === mine) answer.removeAttribute("aria-busy");
  }
}

function clear() {
  at("chips").replaceChildren();
  at("count").textContent = "";
  at("overview").hidden = true;
  at("split").classList.add("none");
  list.show(null);
}

function wait(mine) {
  const cancel = element("button", { type: "button" }, [text.cancel]);
  cancel.addEventListener("click", () => {
    mine.abort();
    const again = element("button", { type: "button" }, [text.retry]);
    again.addEventListener("click", () => run());
    answer.replaceChildren(element("p", {}, [text.cancelled, " ", again]));
  });
  answer.replaceChildren(
    element("p", { className: "toolbar" }, [text.loading, cancel]),
    element("div", { className: "skeleton" }), element("div", { className: "skeleton short" }),
  );
}

function show(result, asked) {
  const isFresh = result.total === 0 && result.coverage.length === 0 && Object.keys(asked).length === 0;
  at("empty").hidden = !isFresh;
  at("split").hidden = isFresh;
  if (isFresh) return;
  const found = conditions(result.interpretation, asked, { cameraName, takeOut, clear: (name) => submit({ [name]: "" }) });
  at("chips").replaceChildren(...chipNodes(found, result.interpretation));
  tell(result, result.answer_note === "not_asked" && result.total > 0, found);
  const count = result.total.toLocaleString(document.documentElement.lang);
  const words = result.total === 1 ? text.count_one : result.total_is_exact ? text.count : text.count_more;
  at("count").textContent = result.total ? fill(words, { count }) : result.timeline.length ? text.nearest_hint : "";
  at("split").classList.toggle("none", result.timeline.length === 0);
  list.mark(currentEvent());
  list.show(page(result));
  remember(asked.q);
}

function tell(result, isWaiting, found = []) {
  numbers = citations(result.sentences);
  const link = (id, number) => {
    const node = element("a", { href: eventAddress(id), className: "cite", ariaLabel: fill(text.cite, { number }) }, [`[${number}]`]);
    node.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(id);
    });
    return node;
  };
  answer.replaceChildren(
    ...answerNodes(result.sentences, numbers, link),
    ...(result.total || !found.length ? [] : [element("div", { className: "toolbar" }, [element("span", {}, [text.loosen]), ...looser(found)])]),
    ...missingNodes(result),
    element("p", { className: "hint" }, [originText(result, isWaiting)]),
  );
}

async function word(result, asked, mine) {
  const worded = await ask(asked, { limit: WORDED, answer: "auto" }, mine.signal).catch(() => null);
  if (stop !== mine) return;
  const is = worded?.answer_by === "model";
  tell({
    ...result, sentences: is ? worded.sentences : result.sentences, answer_by: is ? "model" : "template",
    answer_model: worded?.answer_model, answer_note: worded?.answer_note ?? "failed",
  }, false);
  list.renew(); // other events may be cited
}

async function drawLine(mine) {
  try {
    const data = await askLine({ resolution: narrow.matches ? 120 : 240 });
    if (stop !== mine) return;
    at("overview").hidden = false; // it has no width while it is hidden
    at("overview").hidden = !line.show(data);
    at("overview").classList.remove("waiting");
    at("part").textContent = data.is_part ? fill(text.timeline_part, { time: data.counted_from.slice(0, 16).replace("T", " ") }) : "";
  } catch (error) {
    if (stop !== mine || error.name === "AbortError") return;
    at("overview").hidden = false;
    at("part").replaceChildren(...failureNotice(error, () => drawLine(mine)));
  }
}

// Asks again with some fields changed.
function submit(changes) {
  for (const [name, value] of Object.entries(changes)) form.elements[name].value = value;
  form.requestSubmit();
}

function takeOut(chip) {
  const letters = [...JSON.parse(shownFilters).q]; // whole characters, as the service counts
  letters.splice(chip.start, chip.end - chip.start);
  submit({ q: letters.join("").trim() });
  form.elements.q.focus();
}

function recent() {
  try {
    return JSON.parse(sessionStorage.getItem(RECENT) ?? "[]");
  } catch {
    return [];
  }
}

function remember(question) {
  if (question) sessionStorage.setItem(RECENT, JSON.stringify([question, ...recent().filter((old) => old !== question)].slice(0, REMEMBERED)));
  suggest();
}

// What could be asked, while nothing is: with this site's own names, and what was asked before.
function suggest() {
  at("start").hidden = Boolean(form.elements.q.value.trim());
  const known = [...cameras.values()];
  const placed = known.find((each) => Object.keys(each.zones).length);
  const names = { camera: known[0]?.name || known[0]?.camera_id, zone: placed && Object.values(placed.zones)[0] };
  const examples = Object.values(text.questions).filter((each) => ["camera", "zone"].every((name) => names[name] || !each.includes(`{${name}}`)));
  for (const [id, questions] of [["examples", examples.map((each) => fill(each, names))], ["recent", recent()]]) {
    at(id).hidden = questions.length === 0;
    at(id).replaceChildren(element("span", { className: "hint" }, [text[id]]), ...questions.map((question) => {
      const button = element("button", { type: "button", className: "chip" }, [question]);
      button.addEventListener("click", () => submit({ q: question }));
      return button;
    }));
  }
}

function go(goal) {
  if (goal !== (location.search || location.pathname)) history.pushState(null, "", goal);
}

function open(id) {
  go(eventAddress(id));
  showEvidence();
}

function close() {
  const id = currentEvent();
  go(addressOf(shownQuery));
  showEvidence();
  document.querySelector(`#list [data-event="${CSS.escape(id)}"] a`)?.focus({ preventScroll: true });
}

// Texts, style and modules of the evidence: fetched when the first event is opened.
let parts = null;
function evidence() {
  parts ??= Promise.all([
    get(`/static/texts/${document.documentElement.lang}/evidence.json`).then((more) => Object.assign(text, more)),
    new Promise((onload, onerror) => {
      document.head.append(element("link", { rel: "stylesheet", href: "/static/evidence.css", onload, onerror }));
    }),
  ]).then(() => import("./event.js")).catch((error) => {
    parts = null;
    throw error;
  });
  return parts;
}

// The event that the address names, or none.
async function showEvidence() {
  const id = currentEvent();
  const wasOpen = document.body.classList.contains("open");
  if (id && !wasOpen) listPosition = scrollY;
  document.body.classList.toggle("open", id !== null);
  list.mark(id);
  if (!id) {
    line.mark(null);
    detail.replaceChildren(element("p", { className: "empty" }, [text.choose]));
    if (wasOpen && narrow.matches) {
      line.draw();
      scrollTo({ top: listPosition, behavior: "instant" });
      list.draw();
    }
    return;
  }
  if (narrow.matches) scrollTo({ top: 0, behavior: "instant" });
  const slow = setTimeout(() => detail.replaceChildren(element("div", { className: "skeleton picture" })), PATIENCE_MS);
  try {
    const [record, { showEvent }] = await Promise.all([
      get(`/api/event/${encodeURIComponent(id)}`), evidence(), knowCameras,
    ]);
    if (currentEvent() !== id) return;
    line.mark({ id, camera: record.camera_id, from: Date.parse(record.start_time) });
    clearTimeout(slow);
    showEvent(detail, record, { english, cameraName, close });
    if (!at("timeline").contains(document.activeElement)) detail.scrollIntoView({ block: "nearest", behavior: "instant" });
    detail.focus({ preventScroll: true });
  } catch (error) {
    if (currentEvent() !== id) return;
    const back = element("button", { type: "button" }, [text.to_list]);
    back.addEventListener("click", close);
    clearTimeout(slow);
    detail.replaceChildren(back, element("p", {}, failureNotice(error, showEvidence)));
  } finally {
    clearTimeout(slow);
  }
}

function restore() {
  const parameters = new URLSearchParams(location.search);
  for (const name of FIELDS) {
    const field = form.elements[name];
    const value = parameters.get(name) ?? "";
    if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) {
      field.append(element("option", { value }, [value])); // its name comes later, if there is such a camera
    }
    // A time with an offset, say: shown as it is rather than dropped.
    if (TIMES.includes(name)) field.type = !value || WALL_CLOCK.test(value) ? "datetime-local" : "text";
    field.value = value;
  }
  suggest();
  if (String(new URLSearchParams(filters())) !== shownQuery) run(history.state?.top);
  showEvidence();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go(addressOf(filters()));
  suggest();
  showEvidence();
  run();
});
form.addEventListener("reset", () => setTimeout(() => form.requestSubmit()));
at("q").addEventListener("input", suggest);
at("more").addEventListener("click", () => {
  const isOpen = at("filters").classList.toggle("open");
  at("more").setAttribute("aria-expanded", String(isOpen));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  at("q").select();
});

// Coming back from another page leads to the same place in the list.
history.scrollRestoration = "manual";
let settled = 0;
addEventListener("scroll", () => {
  clearTimeout(settled);
  settled = setTimeout(() => {
    if (!(narrow.matches && currentEvent())) history.replaceState({ top: scrollY }, "");
  }, PATIENCE_MS);
}, { passive: true });
addEventListener("popstate", restore);

const knowCameras = get("/api/cameras").then((known) => {
  const select = form.elements.camera;
  for (const each of known) cameras.set(each.camera_id, each);
  const named = known.map((each) => element("option", { value: each.camera_id }, [cameraName(each.camera_id)]));
  const unknown = [...select.options].slice(1).filter((option) => !cameras.has(option.value));
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...named, ...unknown);
  select.value = chosen;
  suggest();
}).catch(() => {}); // the search meets the same failure and shows it
restore();
