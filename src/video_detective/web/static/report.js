// Report: choose a period, see what is in it, then open, print or save the file that the service makes.
import { failureNotice, get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { daysAfter, daysBetween, midnight, readPeriod } from "./period.js";
import { listen, markChoice, parameters, start } from "./period-choice.js";
import { columns, legend, number, plot } from "./plot.js";
import { toast } from "./shell.js";
import { slotsOf, tipOf } from "./statistics-slots.js";
import { duration } from "./time.js";

const RISKS = ["critical", "high", "medium", "low"];
const byId = (id) => document.getElementById(id);
const [words, report, title, covered, summary, told] = ["words", "report", "report-title", "covered", "summary", "told"].map(byId);
let devices = [];
let account = null;
let asking = null;

const sum = (values) => values.reduce((total, value) => total + value, 0);

// A report of all cameras is on the clock of the first one.
function chosen() {
  const known = devices.find((one) => one.id === parameters().get("device")) ?? null;
  const first = [...devices].sort((a, b) => (a.cameraId < b.cameraId ? -1 : 1))[0];
  const timezone = (known ?? first)?.timezone ?? account.timezone;
  const language = ["zh-TW", "en"].find((code) => code === parameters().get("in")) ?? document.documentElement.lang;
  return { device: known, timezone, language, ...readPeriod(parameters(), timezone, "yesterday") };
}

function addressOf(state) {
  const query = new URLSearchParams({ from: state.first, to: daysAfter(state.last, 1), lang: state.language });
  if (state.device) query.set("camera", state.device.cameraId);
  return `/api/report?${query}`;
}

function showChoice(state) {
  markChoice(state);
  words.value = state.language;
  const days = state.first === state.last ? state.first : `${state.first} ~ ${state.last}`;
  title.textContent = fill(text.report_of, { days });
  byId("open").href = addressOf(state);
  Object.assign(byId("download"), { href: addressOf(state), download: `${text.report_file}_${state.first}_${state.last}.html` });
  report.hidden = false;
}

function tile(value, name) {
  return element("div", { className: "tile" }, [element("strong", {}, [number(value)]), element("span", {}, [name])]);
}

function overview([people, events, alerts, crossings], state) {
  const recorded = sum(events.devices.map((one) => one.recordedSeconds));
  covered.textContent = fill(events.devices.length > 1 ? text.covered_many : text.covered_one, {
    days: state.device?.name ?? text.all_cameras, zone: state.timezone, hours: duration(recorded), cameras: events.devices.length,
  });
  const total = (found, wanted = () => true) => sum(found.series.filter(wanted).map((one) => one.total));
  const slots = slotsOf(events, { timezone: state.timezone, days: state.days });
  const series = RISKS.map((risk) => ({
    name: text[`risk_${risk}`],
    values: slots.map((_, n) => sum(events.series.filter((one) => one.riskLevel === risk).map((one) => one.counts[n]))),
  }));
  const isNothing = !recorded && !total(events) && !total(alerts);
  return [
    ...(isNothing ? [element("p", { className: "notice" }, [text.nothing_recorded])] : []),
    element("div", { className: "tiles" }, [
      tile(total(events), text.events_title), tile(total(alerts, (one) => one.severity === "critical"), text.critical_alerts),
      tile(total(alerts), text.alerts_title), tile(total(people, (one) => one.type === "person"), text.people_tracked), tile(total(crossings), text.crossings_title),
    ]),
    element("h3", {}, [text.events_by_risk]),
    plot(text.events_by_risk, columns({ slots, series, unit: text.unit.events, tip: tipOf(slots, series) })),
    legend(series.map((one) => one.name), slots),
  ];
}

async function show() {
  const state = chosen();
  state.days = daysBetween(state.first, state.last) + 1;
  showChoice(state);
  asking?.abort();
  const mine = asking = new AbortController();
  told.replaceChildren();
  summary.setAttribute("aria-busy", "true");
  const query = {
    startDate: midnight(state.first, state.timezone), endDate: midnight(daysAfter(state.last, 1), state.timezone),
    deviceId: state.device?.id, groupBy: state.days > 3 ? "day" : "hour",
  };
  try {
    const found = await Promise.all(["people", "events", "alerts", "crossings"].map((what) =>
      get(`/api/v1/statistics/${what}`, query, { signal: mine.signal }).then((body) => body.data)));
    summary.replaceChildren(...overview(found, state));
    summary.removeAttribute("aria-busy");
  } catch (error) {
    if (mine.signal.aborted) return;
    summary.removeAttribute("aria-busy");
    summary.replaceChildren(element("p", { className: "failure", role: "alert" }, failureNotice(error, show)));
  }
}

// The report has no script and lets nobody frame it: it is opened, and this page prints it there.
byId("print").addEventListener("click", () => {
  const opened = window.open(byId("open").href);
  if (!opened) return toast(text.print_blocked);
  opened.addEventListener("load", () => opened.print(), { once: true });
});

const go = listen({ chosen, show });
words.addEventListener("change", () => go((next) => next.set("in", words.value)));
start((who, cameras) => {
  [account, devices] = [who, cameras];
  show();
});
