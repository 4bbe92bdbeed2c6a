// The start page: a question, what was understood, the answer, time line, list, evidence. What is
// shown is in the address: question, conditions, and the event that is open.
import { failureNotice, get } from "./api.js";
import { answerNodes, chipNodes, citations, conditions, looser, missingNodes, originText } from "./ask-answer.js";
import { wallClock } from "./ask-axis.js";
import { card } from "./ask-cards.js";
import { makeList } from "./ask-list.js";
import { makeTimeline } from "./ask-timeline.js";
import { button, element, english, fill, text } from "./dom.js";
import "./shell.js";

const FIELDS = ["q", "camera", "from", "to"];
const WALL_CLOCK = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/;
const FIRST = 20; // enough for a window, and as many as the template asks for early
const WORDED = 12; // so many events a model is shown
const PATIENCE_MS = 300;
const REMEMBERED = 6;
const RECENT = "vd_questions";

const at = (id) => document.getElementById(id);
const form = at("query");
const { elements: fields } = form;
const answer = at("answer");
const detail = at("detail");
const overview = at("overview");
const language = document.documentElement.lang;
const narrow = matchMedia("(max-width: 52rem)");
const cameras = new Map();
let asked = {}; // the conditions of what is shown
let shownQuery = null;
let stop = null;
let listPosition = 0;
let numbers = new Map();

const cameraName = (id) => {
  const name = cameras.get(id)?.name || id;
  const isShared = [...cameras.values()].some((other) => other.name === name && other.camera_id !== id);
  return isShared ? `${name} (${id})` : name;
};
const filters = () => Object.fromEntries(FIELDS.map((name) => [name, fields[name].value.trim()]).filter(([, value]) => value));
const currentEvent = () => new URLSearchParams(location.search).get("event");
const addressOf = (query, event) => {
  const parameters = new URLSearchParams(query);
  if (event) parameters.set("event", event);
  return parameters.size ? `?${parameters}` : location.pathname;
};
const page = (result) => ({ entries: result.timeline, next: result.next_cursor, total: result.total });
const ask = (more, conditions = asked) =>
  get("/api/search", { ...conditions, lang: language, answer: "template", ...more }, stop);
const askLine = (more) => get("/api/search/timeline", { ...asked, ...more }, stop);

// Leads to an event; in a tab of its own if that is wanted.
function linkTo(id, properties, children) {
  const link = element("a", { href: addressOf(shownQuery, id), ...properties }, children);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(id);
  });
  return link;
}

const list = makeList(at("list"), {
  card: (entry) => card(entry, { linkTo, cameraName, number: numbers.get(entry.event_id) }),
  load: (cursor, limit) => ask({ cursor, limit }).then(page),
  failed: (error, again) => at("list-failure").replaceChildren(...failureNotice(error, () => {
    at("list-failure").replaceChildren();
    again();
  })),
});
const line = makeTimeline(at("timeline"), {
  open, cameraName,
  choose: (from, to, zone) => {
    for (const [name, time] of [["from", Math.floor(from / 1000)], ["to", Math.ceil(to / 1000)]]) {
      fields[name].type = "datetime-local";
      fields[name].value = wallClock(time * 1000, zone).replace(" ", "T");
    }
    form.requestSubmit();
  },
  more: (from, to, resolution) => askLine({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), resolution }),
});

// The template's answer at once; a model's words, where one is configured, take its place later.
async function run(position = 0) {
  stop?.abort();
  list.hold();
  const mine = stop = new AbortController();
  asked = filters();
  shownQuery = String(new URLSearchParams(asked));
  at("list-failure").replaceChildren();
  answer.ariaBusy = "true";
  const slow = setTimeout(() => wait(mine), PATIENCE_MS);
  try {
    const [result] = await Promise.all([ask({ limit: FIRST }), knowCameras]);
    if (stop !== mine) return;
    show(result);
    scrollTo(0, position);
    drawLine(mine);
    if (result.answer_note === "not_asked" && result.total) word(result, mine);
  } catch (error) {
    if (stop !== mine || error.name === "AbortError") return;
    at("chips").replaceChildren();
    at("split").classList.add("none");
    overview.hidden = true;
    list.show(null);
    answer.replaceChildren(element("p", { className: "failure" }, failureNotice(error, () => run(position))));
  } finally {
    clearTimeout(slow);
    if (stop === mine) answer.ariaBusy = "false";
  }
}

function wait(mine) {
  const cancel = button(text.cancel, () => {
    mine.abort();
    answer.replaceChildren(element("p", { className: "toolbar" }, [text.cancelled, button(text.retry, () => run())]));
  });
  answer.replaceChildren(
    element("p", { className: "toolbar" }, [text.loading, cancel]),
    element("div", { className: "skeleton" }), element("div", { className: "skeleton short" }),
  );
}

function show(result) {
  const isFresh = !result.total && !result.coverage.length && !shownQuery;
  at("empty").hidden = !isFresh;
  at("split").hidden = isFresh;
  if (isFresh) at("start").hidden = true;
  const found = conditions(result.interpretation, asked, { cameraName, takeOut, clear: (name) => submit({ [name]: "" }) });
  at("chips").replaceChildren(...chipNodes(found, result.interpretation));
  tell(result, result.answer_note === "not_asked" && result.total, found);
  const words = result.total === 1 ? text.count_one : result.total_is_exact ? text.count : text.count_more;
  at("count").textContent = result.total ? fill(words, { count: result.total.toLocaleString(language) }) : text.nearest_hint;
  at("split").classList.toggle("none", !result.timeline.length);
  list.mark(currentEvent());
  list.show(page(result));
}

function tell(result, isWaiting, found = []) {
  numbers = citations(result.sentences);
  const link = (id, number) => linkTo(id, { className: "cite", ariaLabel: fill(text.cite, { number }) }, [`[${number}]`]);
  answer.replaceChildren(
    ...answerNodes(result.sentences, numbers, link),
    ...(result.total ? [] : looser(found)),
    ...missingNodes(result),
    element("p", { className: "hint" }, [originText(result, isWaiting)]),
  );
}

async function word(result, mine) {
  const worded = await ask({ limit: WORDED, answer: "auto" }).catch(() => ({ answer_note: "failed" }));
  if (stop !== mine) return;
  const isWorded = worded.answer_by === "model";
  tell({ ...result, ...worded, ...(isWorded ? {} : { sentences: result.sentences }), missing_info: result.missing_info });
  list.renew(); // other events may be cited
}

async function drawLine(mine) {
  const part = at("part");
  try {
    const data = await askLine({ resolution: narrow.matches ? 120 : 240 });
    if (stop !== mine) return;
    overview.classList.remove("waiting");
    overview.hidden = false; // it has no width while it is hidden
    overview.hidden = !line.show(data);
    part.textContent = data.is_part ? fill(text.timeline_part, { time: data.counted_from.slice(0, 16).replace("T", " ") }) : "";
  } catch (error) {
    if (stop !== mine || error.name === "AbortError") return;
    overview.classList.remove("waiting");
    part.replaceChildren(...failureNotice(error, () => drawLine(mine)));
  }
}

// Asks again with some fields changed.
function submit(changes) {
  for (const [name, value] of Object.entries(changes)) fields[name].value = value;
  form.requestSubmit();
}

function takeOut(chip, q) {
  const letters = [...q]; // whole characters, as the service counts
  letters.splice(chip.start, chip.end - chip.start);
  submit({ q: letters.join("").trim() });
  fields.q.focus();
}

function recent() {
  return JSON.parse(sessionStorage.getItem(RECENT) ?? "[]");
}

function remember(question) {
  if (question) sessionStorage.setItem(RECENT, JSON.stringify([...new Set([question, ...recent()])].slice(0, REMEMBERED)));
}

// What could be asked, while nothing is: with this site's own names, and what was asked before.
function suggest() {
  at("start").hidden = Boolean(fields.q.value.trim());
  const known = [...cameras.values()];
  const zone = known.flatMap((each) => Object.values(each.zones))[0];
  const names = { camera: known[0] && cameraName(known[0].camera_id), zone };
  const examples = Object.values(text.questions).map((each) => fill(each, names)).filter((each) => !/[{]|undefined/.test(each));
  for (const [id, questions] of [["examples", examples], ["recent", recent()]]) {
    at(id).hidden = !questions.length;
    at(id).replaceChildren(
      element("span", { className: "hint" }, [text[id]]),
      ...questions.map((q) => button(q, () => submit({ q }), { className: "chip" })),
    );
  }
}

function go(goal) {
  if (goal !== (location.search || location.pathname)) history.pushState(null, "", goal);
  showEvidence();
}

function open(id) {
  go(addressOf(shownQuery, id));
}

function close() {
  const id = currentEvent();
  go(addressOf(shownQuery));
  document.querySelector(`#list [data-event="${CSS.escape(id)}"] a`)?.focus({ preventScroll: true });
}

// Texts, style and modules of the evidence: fetched when the first event is opened.
let parts = null;
function evidence() {
  parts ??= Promise.all([
    get(`/static/texts/${language}/evidence.json`).then((more) => Object.assign(text, more)),
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
      scrollTo(0, listPosition);
      list.draw();
    }
    return;
  }
  if (narrow.matches) scrollTo(0, 0);
  const slow = setTimeout(() => currentEvent() === id && detail.replaceChildren(element("div", { className: "skeleton picture" })), PATIENCE_MS);
  try {
    const [record, { showEvent }] = await Promise.all([get(`/api/event/${encodeURIComponent(id)}`), evidence(), knowCameras]);
    if (currentEvent() !== id) return;
    line.mark({ id, camera: record.camera_id, from: Date.parse(record.start_time) });
    clearTimeout(slow);
    await showEvent(detail, record, { english, cameraName, close });
    if (currentEvent() !== id) return;
    if (!at("timeline").contains(document.activeElement)) detail.scrollIntoView({ block: "nearest" });
    if (!form.matches(":focus-within")) detail.focus({ preventScroll: true }); // nobody is stopped in the middle of a word
  } catch (error) {
    if (currentEvent() === id) detail.replaceChildren(button(text.to_list, close), element("p", {}, failureNotice(error, showEvidence)));
  } finally {
    clearTimeout(slow);
  }
}

// Its name comes later, if there is such a camera.
function optionOf(value) {
  const { options } = fields.camera;
  return [...options].find((option) => option.value === value) ?? fields.camera.appendChild(element("option", { value, text: value }));
}

function restore() {
  const parameters = new URLSearchParams(location.search);
  for (const name of FIELDS) {
    const field = fields[name];
    const value = parameters.get(name) ?? "";
    if (name === "camera") optionOf(value);
    // A time with an offset, say: shown as it is rather than dropped.
    if (field.matches(".time")) field.type = !value || WALL_CLOCK.test(value) ? "datetime-local" : "text";
    field.value = value;
  }
  suggest();
  if (String(new URLSearchParams(filters())) !== shownQuery) run(history.state?.top);
  showEvidence();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  remember(fields.q.value.trim());
  suggest();
  go(addressOf(filters()));
  run();
});
form.addEventListener("reset", () => setTimeout(() => form.requestSubmit()));
fields.q.addEventListener("input", suggest);
at("more").addEventListener("click", () => {
  at("more").ariaExpanded = String(at("filters").classList.toggle("open"));
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.matches("input, textarea, select")) return;
  event.preventDefault();
  fields.q.select();
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
  for (const each of known) cameras.set(each.camera_id, each);
  for (const value of cameras.keys()) optionOf(value).text = cameraName(value);
  suggest();
}).catch(() => {}); // the search meets the same failure and shows it
restore();
