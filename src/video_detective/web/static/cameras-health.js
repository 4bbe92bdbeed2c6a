// How the live analysis of a camera goes, as words and numbers.
import { all } from "./all.js";
import { element, fill, text } from "./dom.js";
import { duration } from "./time.js";

export async function statuses(parameters = {}) {
  const at = performance.now();
  const rows = await all("/api/v1/analysis/status", parameters);
  return new Map(rows.map((row) => [row.deviceId, { ...row, at }]));
}

export function stateOf(device, status) {
  if (!device.source) return "files";
  if (!status) return "stopped";
  if (status.state === "waiting" || status.state === "failed") return status.wanted ? "lost" : "stopped";
  return status.state;
}

// What is wrong with an analysis that is wanted, and what to do; "" where nothing is.
export function troubleOf(device, status) {
  return device.source && status?.wanted && status.error ? text.trouble[status.state] ?? text.trouble.failed : "";
}

export function stateBadge(device, status) {
  const state = stateOf(device, status);
  return element("span", { className: `state ${state}` }, [text.state[state]]);
}

// Seconds since the last frame, as of now.
function ageOf(status) {
  if (status?.lastFrameAgeSeconds === null || status?.lastFrameAgeSeconds === undefined) return null;
  return status.lastFrameAgeSeconds + (performance.now() - status.at) / 1000;
}

export function figures(device, status) {
  const none = text.no_figure;
  const age = ageOf(status);
  const isGoing = device.source && ["running", "lost"].includes(stateOf(device, status));
  const drops = (status?.drops ?? []).reduce((sum, drop) => sum + drop.count, 0);
  return [
    [text.last_frame, age === null ? none : fill(text.ago, { time: duration(Math.max(age, 0)) })],
    [text.frame_rate, isGoing && status.fps !== null ? status.fps.toFixed(1) : none],
    [text.lag, isGoing && status.lagSeconds !== null ? fill(text.seconds, { n: status.lagSeconds.toFixed(1) }) : none],
    [text.drops, status ? String(drops) : none],
  ];
}

export function figureList(device, status) {
  return element("dl", { className: "figures" }, figures(device, status).map(([name, value]) => element("div", {}, [
    element("dt", {}, [name]), element("dd", {}, [value]),
  ])));
}
