// Insights: a list with filters, and one of them with all there is to it. The address has the state.
import { all } from "./all.js";
import { session } from "./api.js";
import { showInsight } from "./insights-detail.js";
import { filtersOf, showFilters, showList } from "./insights-list.js";
import { button, element, fill, text } from "./dom.js";
import { subscribe } from "./live.js";
import { setTitle } from "./shell.js";

const listing = document.getElementById("listing");
const detail = document.getElementById("insight");
const form = document.getElementById("filters");
const TYPING_MS = 350;
const RENEW_MS = 500; // many changes are shown at once
let shownList = null;
let shownInsight = null;
let place = 0;
let typing = 0;

const address = () => new URLSearchParams(location.search);

// Cameras by device id, all of them, and the account's zone for what has no camera any more.
async function known() {
  const [caller, devices] = await Promise.all([session(), all("/api/v1/devices")]);
  return { devices: new Map(devices.map((device) => [device.id, device])), timezone: caller.timezone };
}

let around = null;
function surroundings() {
  around ??= known().catch((error) => { around = null; throw error; });
  return around;
}

// Shows what the address says. `again` asks anew for what is shown already.
async function show(again = false) {
  const parameters = address();
  const id = parameters.get("insight");
  if (!again) clearTimeout(typing); // what was typed last does not lead away from where one goes now
  if (id && !listing.hidden) place = scrollY;
  listing.hidden = Boolean(id);
  detail.hidden = !id;
  if (id) {
    if (shownInsight === id && !again) return;
    const isNew = shownInsight !== id;
    shownInsight = id;
    if (isNew) scrollTo(0, 0);
    await showInsight(detail, id, { surroundings, back, isNew });
    return;
  }
  setTitle(listing.querySelector("h1").textContent);
  detail.replaceChildren();
  const left = shownInsight;
  shownInsight = null;
  const query = filtersOf(parameters);
  if (!again) showFilters(form, parameters); // at once: more may be chosen before the answer is there
  if (shownList !== query.toString() || again) {
    shownList = query.toString();
    await showList(query, { surroundings, go });
    for (const each of fresh) if (listed(each)) fresh.delete(each);
    tellNews();
  }
  if (!left || listing.hidden) return;
  scrollTo(0, place);
  document.querySelector(`[data-insight="${CSS.escape(left)}"]`)?.focus({ preventScroll: true });
}

function go(parameters, replaces = false) {
  const query = parameters.toString();
  history[replaces ? "replaceState" : "pushState"](null, "", query ? `?${query}` : location.pathname);
  show();
}

function back() {
  const parameters = address();
  parameters.delete("insight");
  go(parameters);
}

function filter(replaces) {
  clearTimeout(typing);
  const parameters = filtersOf(new FormData(form));
  parameters.delete("page");
  // While the cameras are not known, the one that the address names cannot be chosen: it stays.
  if (form.elements.device.length === 1 && address().has("device")) parameters.set("device", address().get("device"));
  if (parameters.toString() !== address().toString()) go(parameters, replaces);
}

form.addEventListener("submit", (event) => { event.preventDefault(); filter(false); });
form.addEventListener("reset", () => { clearTimeout(typing); setTimeout(() => filter(false)); });
form.addEventListener("change", (event) => { if (event.target.name !== "q") filter(false); });
form.elements.q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => filter(true), TYPING_MS);
});
listing.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-insight]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(new URL(link.href).searchParams);
});
addEventListener("popstate", () => show());

// What changes while the page is open: what is shown is asked for again, what is new is offered, so
// that nothing moves under the hand of somebody who reads.
const news = document.getElementById("news");
const newsText = element("span");
const fresh = new Set();
let renewing = 0;

function renew() {
  renewing ||= setTimeout(() => { renewing = 0; show(true); }, RENEW_MS);
}

news.replaceChildren(newsText, " ", button(text.show_news, () => {
  fresh.clear();
  tellNews();
  const parameters = address();
  parameters.delete("page");
  go(parameters);
  renew();
}));

function tellNews() {
  news.hidden = fresh.size === 0;
  newsText.textContent = fresh.size === 1 ? text.news_one : fill(text.news, { count: fresh.size });
}

const listed = (id) => document.querySelector(`a[data-insight="${CSS.escape(id)}"]`);

function changed({ insightId }) {
  if (!insightId) return;
  if (insightId === shownInsight || (listed(insightId) && !listing.hidden)) renew();
  if (listing.hidden) shownList = null; // asked for again by who goes back to it
}

function raised({ insightId }) {
  if (!insightId || listed(insightId)) return;
  fresh.add(insightId);
  tellNews();
}

subscribe({ alert: raised, insight: changed, reconnected: renew });

show();
