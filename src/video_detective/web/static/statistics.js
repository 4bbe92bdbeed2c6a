// Statistics: a period and a camera, both in the address, and a figure for each question.
import { failureNotice, get, session } from "./api.js";
import { element, fill, text } from "./dom.js";
import { daysAfter, daysBetween, readPeriod, writePeriod } from "./period.js";
import "./shell.js";
import { figures } from "./statistics-figures.js";
import { duration } from "./time.js";

const LONGEST_DAYS = 92;
const byId = (id) => document.getElementById(id);
const [choice, device, own, from, to, problem, covered, told, place] = ["choice", "device", "own", "from", "to", "own-problem", "covered", "told", "figures"].map(byId);
const presets = [...document.querySelectorAll("[data-preset]")];
let devices = [];
let account = null;
let asking = null;

const parameters = () => new URLSearchParams(location.search);

function chosen() {
  const known = devices.find((one) => one.id === parameters().get("device")) ?? null;
  const timezone = known?.timezone ?? account.timezone;
  return { device: known, timezone, ...readPeriod(parameters(), timezone) };
}

function go(change, { replace = false } = {}) {
  const next = parameters();
  change(next);
  const address = `${location.pathname}?${next}`;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  show();
}

function showChoice({ preset, first, last }) {
  for (const button of presets) button.setAttribute("aria-pressed", String(button.dataset.preset === preset));
  own.hidden = preset !== "own";
  [from.value, to.value, problem.textContent] = [first, last, ""];
  device.value = parameters().get("device") ?? "";
  if (device.selectedIndex < 0) device.value = "";
}

// The newest event says where something is to be seen.
async function wayToNewest(state) {
  const { data } = await get("/api/v1/events", { limit: 1, deviceId: state.device?.id });
  if (!data.length) return [element("a", { className: "button primary", href: "/videos" }, [text.add_video])];
  const local = new Date(data[0].startTime).toLocaleDateString("sv-SE", { timeZone: state.timezone });
  const button = element("button", { type: "button", className: "primary" }, [fill(text.go_to_newest, { day: local })]);
  button.addEventListener("click", () => go((next) => writePeriod(next, { preset: "own", first: local, last: local })));
  return [button];
}

async function nothingRecorded(state) {
  const notice = element("div", { className: "card empty" }, [element("p", {}, [text.nothing_recorded])]);
  told.replaceChildren(notice);
  notice.append(...await wayToNewest(state).catch(() => []));
}

function sayCovered(state, found) {
  const recorded = found.devices.reduce((sum, one) => sum + one.recordedSeconds, 0);
  const days = state.first === state.last ? state.first : `${state.first} ~ ${state.last}`;
  covered.textContent = fill(found.devices.length > 1 ? text.covered_many : text.covered_one, {
    days, zone: state.timezone, hours: duration(recorded), cameras: found.devices.length,
  });
  return recorded;
}

async function show() {
  const state = chosen();
  showChoice(state);
  asking?.abort();
  const mine = asking = new AbortController();
  told.replaceChildren();
  const period = { startDate: state.first, endDate: daysAfter(state.last, 1), deviceId: state.device?.id };
  const days = daysBetween(state.first, state.last) + 1;
  const context = { ...state, days, period, devices, signal: mine.signal, chooseDevice: (id) => go((next) => next.set("device", id)) };
  const shells = figures(context);
  place.replaceChildren(...shells.map((one) => one.node));
  try {
    const people = (await get("/api/v1/statistics/people", { ...period, groupBy: days > 3 ? "day" : "hour" }, { signal: mine.signal })).data;
    if (!sayCovered(state, people) && !people.series.length) {
      const events = (await get("/api/v1/statistics/events", { ...period, groupBy: "day" }, { signal: mine.signal })).data;
      if (!events.series.length) {
        place.replaceChildren();
        return await nothingRecorded(state);
      }
    }
    await Promise.all(shells.map((one) => one.load(people)));
  } catch (error) {
    if (mine.signal.aborted) return;
    place.replaceChildren();
    told.replaceChildren(element("div", { className: "card notice failure", role: "alert" }, failureNotice(error, show)));
  }
}

for (const button of presets) {
  button.addEventListener("click", () => {
    const preset = button.dataset.preset;
    const { first, last } = chosen();
    go((next) => writePeriod(next, { preset, first, last }));
    if (preset === "own") from.focus();
  });
}
device.addEventListener("change", () => go((next) => (device.value ? next.set("device", device.value) : next.delete("device"))));
choice.addEventListener("submit", (event) => {
  event.preventDefault();
  const days = daysBetween(from.value, to.value) + 1;
  problem.textContent = days < 1 ? text.ends_before : days > LONGEST_DAYS ? fill(text.too_long, { days: LONGEST_DAYS }) : "";
  to.setAttribute("aria-invalid", String(Boolean(problem.textContent)));
  if (!problem.textContent) go((next) => writePeriod(next, { preset: "own", first: from.value, last: to.value }));
});
window.addEventListener("popstate", show);

async function start() {
  try {
    [account, devices] = await Promise.all([session(), get("/api/v1/devices", { limit: 100 }).then((body) => body.data)]);
  } catch (error) {
    told.replaceChildren(element("div", { className: "card notice failure", role: "alert" }, failureNotice(error, start)));
    return;
  }
  device.append(...devices.map((one) => element("option", { value: one.id }, [one.name])));
  show();
}

start();
