// Statistics: a period and a camera, both in the address, and a figure for each question.
import { failureNotice, get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { daysAfter, daysBetween, readPeriod, writePeriod } from "./period.js";
import { listen, markChoice, parameters, start } from "./period-choice.js";
import "./shell.js";
import { figures } from "./statistics-figures.js";
import { duration } from "./time.js";

const byId = (id) => document.getElementById(id);
const [covered, told, place] = ["covered", "told", "figures"].map(byId);
let devices = [];
let account = null;
let asking = null;

function chosen() {
  const known = devices.find((one) => one.id === parameters().get("device")) ?? null;
  const timezone = known?.timezone ?? account.timezone;
  return { device: known, timezone, ...readPeriod(parameters(), timezone) };
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
  markChoice(state);
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

const go = listen({ chosen, show });
start((who, cameras) => {
  [account, devices] = [who, cameras];
  show();
});
