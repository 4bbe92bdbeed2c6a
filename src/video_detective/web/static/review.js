// The queue of alerts: what is new, what was decided, and the evidence beside it. What is shown is
// in the address: state, conditions, and the alert that is open.
import { explain, failureNotice, get, may, send } from "./api.js";
import { element, fill, text } from "./dom.js";
import { subscribe } from "./live.js";
import { askReason, setReviews } from "./review-actions.js";
import { addressOf, asked, currentAlert, queryKey, tabOf } from "./review-address.js";
import { makeBulk } from "./review-bulk.js";
import { makeDetail } from "./review-detail.js";
import { clearForm, fillCameras, fillForm, watchForm } from "./review-filters.js";
import { watchKeys } from "./review-keys.js";
import { makeList } from "./review-list.js";
import { makeTabs } from "./review-tabs.js";
import { toast } from "./shell.js";

const PAGE = 50;
const TOGETHER_MS = 400;

const at = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 52rem)");
let writes = false;
let stop = null;
let next = null; // cursor of what is not loaded yet
let listedFor = null; // the query that is listed
let checking = 0;
let settled = 0; // how often the reader decided

const list = makeList(at("list"), {
  address: (id) => addressOf({ alert: id }), open, picked: () => bulk.draw(), mayWrite: () => writes,
});
const bulk = makeBulk(list, { act, load: (cursor) => load(cursor, stop.signal, 100), matching: () => tabs.total(tabOf()), hasMore: () => next !== null });
const tabs = makeTabs(at("tabs"), { chosen: follow });
const detail = makeDetail(at("detail"), { act: (state) => act([detail.shownId], state), close, mayWrite: () => writes });

// --- the list

function load(cursor, signal, limit = PAGE) {
  const state = tabOf();
  return get("/api/v1/alerts", { ...asked(), reviewState: state, limit, cursor }, { signal });
}

async function run() {
  stop?.abort();
  const mine = stop = new AbortController();
  const key = queryKey();
  const root = at("list");
  at("problem").hidden = at("fresh").hidden = true;
  root.setAttribute("aria-busy", "true");
  if (list.isEmpty()) root.replaceChildren(...[1, 2, 3].map(() => element("div", { className: "skeleton" })));
  count();
  try {
    const page = await load(null, mine.signal);
    if (stop !== mine) return;
    if (listedFor !== key) list.pick(list.chosen(), false);
    listedFor = key;
    list.show(page.data, tabOf());
    list.setCurrent(currentAlert());
    next = page.meta.pagination.nextCursor;
    drawEnd();
  } catch (error) {
    if (stop !== mine || error.name === "AbortError") return;
    listedFor = null;
    list.show([], tabOf());
    problem(error, run);
    at("end").replaceChildren();
  } finally {
    if (stop === mine) root.removeAttribute("aria-busy");
  }
}

async function more() {
  if (!next) return;
  const cursor = next;
  next = null;
  try {
    const page = await load(cursor, stop.signal);
    list.add(page.data);
    next = page.meta.pagination.nextCursor;
    drawEnd();
  } catch (error) {
    next = cursor;
    if (error.name !== "AbortError") problem(error, () => { at("problem").hidden = true; more(); });
  }
}

function problem(error, again) {
  at("problem").hidden = false;
  at("problem").replaceChildren(...failureNotice(error, again));
}

async function count() {
  await tabs.count();
  if (list.isEmpty() && !at("list").hasAttribute("aria-busy")) drawEnd();
}

// What stands under the list, or instead of it.
function drawEnd() {
  const end = at("end");
  const tab = tabOf();
  const has = !list.isEmpty();
  at("all").hidden = !writes || !has;
  at("keys").hidden = !has;
  bulk.draw();
  if (has) {
    const button = element("button", { type: "button" }, [text.more_alerts]);
    button.addEventListener("click", more);
    end.replaceChildren(...(next ? [button] : [element("p", { className: "hint" }, [text.no_more])]));
    ending.disconnect();
    if (next) ending.observe(button);
    return;
  }
  if (!listedFor) return;
  const isFiltered = Object.keys(asked()).length > 0;
  const none = tabs.total("") === 0 && !isFiltered;
  const [title, hint] = isFiltered ? [text.empty_filtered] : none ? [text.empty_all, text.empty_all_hint]
    : tab === "new" ? [text.empty_new, text.empty_new_hint] : [text.empty_state];
  const clear = element("button", { type: "button" }, [text.clear_filters]);
  clear.addEventListener("click", () => { clearForm(); follow(); });
  end.replaceChildren(element("div", { className: "empty card" }, [
    element("p", {}, [element("strong", {}, [title])]),
    ...(hint ? [element("p", {}, [hint])] : []),
    ...(isFiltered ? [clear] : []),
    ...(none ? [element("a", { className: "button primary", href: "/cameras" }, [text.to_cameras])] : []),
  ]));
}

// The next page comes before somebody is at the end of this one.
const ending = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) more();
}, { rootMargin: "600px" });

// --- selecting and deciding

async function act(ids, state) {
  if (!writes || !ids.length || ids[0] === null) return;
  const reason = state === "dismissed" ? await askReason(ids.length) : undefined;
  if (reason === null) return;
  await setReviews(ids, state, { reason, changed: (done) => settle(done, state, ids), undone: () => { run(); renewOpen(); } });
}

// What the reader decided goes away where it is no longer listed, and the next is read.
function settle(done, state, ids) {
  settled += 1;
  list.pick(ids, false);
  for (const one of done) renew(one.id, { review: one.review });
  const tab = tabOf();
  const isOpen = ids.includes(detail.shownId);
  if (tab && state !== tab && state !== "seen") {
    const following = list.remove(done.map((one) => one.id));
    if (isOpen && following && !narrow.matches) open(following, { isFollowing: true });
    else if (isOpen) close();
    if ((list.isEmpty() && next) || at("list").hasAttribute("aria-busy")) run();
    else drawEnd();
  }
  countSoon();
}

// The same alert with something changed.
function renew(id, change) {
  const alert = list.get(id);
  if (!alert) return;
  const fresh = { ...alert, ...change };
  list.update(fresh);
  if (detail.shownId === id) detail.show(fresh);
}

// --- the evidence

async function open(id, { isFollowing = false } = {}) {
  const hasOpen = currentAlert() !== null;
  if (currentAlert() !== id) history[hasOpen ? "replaceState" : "pushState"](null, "", addressOf({ alert: id }));
  await showOpen();
  if (!isFollowing) at("detail").focus({ preventScroll: !narrow.matches });
}

async function showOpen() {
  const id = currentAlert();
  document.body.classList.toggle("open", id !== null);
  list.setCurrent(id);
  if (id === null) {
    const before = detail.shownId;
    detail.empty();
    if (before) list.focusOn(before);
    return;
  }
  let alert = list.get(id);
  if (!alert) {
    try {
      alert = (await get(`/api/v1/alerts/${encodeURIComponent(id)}`)).data;
    } catch (error) {
      if (currentAlert() === id) detail.fail(error, showOpen);
      return;
    }
    if (currentAlert() !== id) return;
  }
  if (narrow.matches) scrollTo({ top: 0, behavior: "instant" });
  detail.show(alert);
  if (writes && alert.review.state === "new") markSeen(alert);
}

async function markSeen(alert) {
  try {
    // Not where somebody else has decided meanwhile.
    const { data } = await send("PATCH", `/api/v1/alerts/${alert.id}`, { state: "seen", onlyFrom: "new" });
    const now = list.get(alert.id);
    // Nor where the reader has, whose answer overtook this one.
    if (["new", "seen"].includes(now?.review.state)) renew(alert.id, { review: data.review });
    else if (!now && detail.shownId === alert.id) detail.show(data);
  } catch (error) {
    toast(explain(error));
  }
}

async function renewOpen() {
  const id = detail.shownId;
  if (!id) return;
  const found = await get(`/api/v1/alerts/${id}`).catch(() => null);
  if (found && detail.shownId === id) {
    renew(id, found.data);
    detail.show(found.data);
  }
}

function close() {
  const id = currentAlert();
  if (id === null) return;
  history.pushState(null, "", addressOf({ alert: null }));
  showOpen();
}

// --- what changes meanwhile

// What is new stands above the list only when somebody asks for it: nothing moves under the eyes.
async function check() {
  checking = 0;
  // What is asked for already comes first: on a busy site it would never come.
  if (at("list").hasAttribute("aria-busy")) return checkSoon();
  count();
  if (listedFor === null || list.isEmpty()) return run();
  const key = queryKey();
  const before = settled;
  let page;
  try {
    page = await load(null, stop.signal, 100);
  } catch {
    return; // the next change, or the next try of the stream, asks again
  }
  if (key !== queryKey()) return;
  if (before !== settled) return checkSoon(); // it may not know what was decided meanwhile
  const known = new Set(list.ids());
  const first = list.get(list.ids()[0]);
  for (const alert of page.data) if (known.has(alert.id)) renewIfChanged(alert);
  const fresh = page.data.filter((alert) => !known.has(alert.id) && (!first || alert.triggeredAt >= first.triggeredAt));
  at("fresh").hidden = fresh.length === 0;
  at("fresh").textContent = fill(fresh.length < 100 ? text.fresh : text.fresh_many, { n: fresh.length });
  if (fresh.length) at("said").textContent = at("fresh").textContent;
}

function renewIfChanged(alert) {
  const { thumbnailUrl, ...now } = alert;
  const { thumbnailUrl: before, ...held } = list.get(alert.id);
  if (JSON.stringify(now) !== JSON.stringify(held) || Boolean(thumbnailUrl) !== Boolean(before)) renew(alert.id, alert);
}

function checkSoon() {
  checking ||= setTimeout(check, TOGETHER_MS);
}

let counting = 0;
function countSoon() {
  counting ||= setTimeout(() => { counting = 0; count(); }, TOGETHER_MS);
}

async function onInsight({ alertId, vlmStatus }) {
  if (!list.get(alertId)) return countSoon();
  if (vlmStatus === "hidden") {
    renew(alertId, { isGone: true });
    return countSoon();
  }
  const found = await get(`/api/v1/alerts/${alertId}`).catch(() => null);
  if (found) renew(alertId, found.data);
}

function onReview({ alertId, state }) {
  const alert = list.get(alertId);
  if (alert && alert.review.state !== state) renew(alertId, { review: { ...alert.review, state, by: null, reason: null } });
  if (detail.shownId === alertId) renewOpen();
  if (!alert && state === tabOf()) checkSoon();
  else countSoon();
}

// --- filters, tabs and keys

at("fresh").addEventListener("click", async () => {
  await run();
  scrollTo({ top: 0, behavior: "instant" });
  list.focusOn(list.ids()[0]);
});

// Shows what the address says.
function follow() {
  fillForm();
  tabs.draw();
  if (queryKey() !== listedFor) run();
  showOpen();
}
addEventListener("popstate", follow);

watchForm({ changed: run, cleared: follow });
watchKeys({
  go,
  act: (state) => act(list.chosen().length ? list.chosen() : [list.focusedId() ?? currentAlert()], state),
  pick: (isRange) => {
    const id = list.focusedId() ?? currentAlert();
    if (writes && id) list.toggle(id, isRange);
  },
  leave: () => (list.chosen().length ? list.pick(list.chosen(), false) : close()),
});

function go(step) {
  const id = list.move(step);
  if (id && currentAlert() !== null && !narrow.matches) open(id, { isFollowing: true });
}

async function start() {
  fillForm();
  tabs.draw();
  detail.empty();
  fillCameras();
  writes = await may("analytics:write").catch(() => false);
  // First: what changes while the list is on its way is not missed.
  subscribe({ alert: checkSoon, insight: onInsight, review: onReview, reconnected: () => { checkSoon(); renewOpen(); } });
  await run();
  await showOpen();
}

start();
