// Videos: sending files, and how their analyses go. The chosen state lives in the address.
import { all } from "./all.js";
import { explain, failureNotice, get, may, send } from "./api.js";
import { bytes } from "./bytes.js";
import { ask, confirmAction } from "./dialog.js";
import { element, english, fill, text } from "./dom.js";
import { toast } from "./shell.js";
import { duration, zoned } from "./time.js";
import { startUpload } from "./videos-upload.js";

const ACTIVE = new Set(["uploading", "queued", "running"]);
const BUSY_MS = 2000;
const IDLE_MS = 20_000;
const PAGE = 20;
const byId = (id) => document.getElementById(id);
const [camera, start, drop, files, state, list, more, told] = ["camera", "start", "drop", "files", "state", "jobs", "more", "told"].map(byId);
const devices = new Map();
const uploads = new Map(); // job id: the upload that this page does
const waiting = []; // files chosen while another one is sent
let jobs = [];
let cursor = null;
let timer = 0;
let turn = 0;
let mayWrite = false;
let isBeginning = false; // the next upload, which the service does not know yet

function eventWords(events) {
  const parts = Object.entries(events).map(([type, count]) => `${text.event_types[type] ?? type} ${count}`);
  return parts.length ? parts.join(english ? ", " : "、") : text.no_events;
}

// What has been sent or seen, how fast, and how long it will still take.
function figures(job, upload) {
  if (job.status === "uploading") {
    const sent = upload?.sent ?? job.receivedBytes;
    const rate = upload?.rate();
    const parts = [fill(text.sent_of, { sent: bytes(sent), total: bytes(job.sizeBytes) })];
    if (upload?.isPaused) parts.push(text.paused);
    else if (upload?.isWaiting) parts.push(text.connection_lost);
    else if (rate) {
      parts.push(fill(text.a_second, { size: bytes(rate) }));
      parts.push(fill(text.left, { time: duration((job.sizeBytes - sent) / rate) }));
    }
    return parts;
  }
  if (job.status === "queued") return [text.waits];
  if (job.status !== "running") return [];
  const { percent, rate, secondsLeft, events } = job.progress;
  const parts = [percent === null ? text.begins : `${percent.toFixed(1)} %`];
  if (rate) parts.push(fill(text.times_real, { rate: rate.toFixed(1) }));
  if (secondsLeft !== null) parts.push(fill(text.left, { time: duration(secondsLeft) }));
  parts.push(fill(text.events_so_far, { n: events }));
  return parts;
}

function eventsLink(job, device) {
  const { startTime, videoSeconds } = job.report;
  const from = zoned(startTime, device.timezone);
  const to = zoned(new Date(Date.parse(startTime) + 1000 * Math.ceil(videoSeconds + 1)).toISOString(), device.timezone);
  const parameters = new URLSearchParams({ camera: device.cameraId, from: from.slice(0, 19), to: to.slice(0, 19) });
  return element("a", { href: `/?${parameters}`, className: "button primary" }, [text.see_events]);
}

function result(job, device) {
  const { report } = job;
  const when = device ? zoned(report.startTime, device.timezone) : report.startTime;
  const nodes = [
    element("p", {}, [eventWords(report.events)]),
    element("p", { className: "hint figures" }, [
      fill(text.analysed, { video: duration(report.videoSeconds), wall: duration(report.wallSeconds) }), element("br"),
      fill(text.began_at, { time: `${when.slice(0, 10)} ${when.slice(11, 19)}`, from: text.start_from[report.startFrom] ?? report.startFrom }),
    ]),
  ];
  if (report.status === "already_done") nodes.push(element("p", { className: "hint" }, [text.already_done]));
  if (report.drops.length) {
    nodes.push(element("details", {}, [
      element("summary", {}, [fill(text.dropped, { n: report.drops.reduce((sum, item) => sum + item.count, 0) })]),
      element("ul", {}, report.drops.map((item) => element("li", {}, [`${item.detail} (${item.count})`]))),
    ]));
  }
  if (device) nodes.push(element("div", { className: "toolbar" }, [eventsLink(job, device)]));
  return nodes;
}

// What the program found is in English; what kind it is, and what to do, in ours.
function failure({ code, message }) {
  const words = text.job_error[code];
  const told = element("p", { className: words ? "hint" : "failure", lang: "en" }, [message]);
  return words ? [element("p", { className: "failure" }, [words]), told] : [told];
}

function button(label, act) {
  const node = element("button", { type: "button" }, [label]);
  node.addEventListener("click", act);
  return node;
}

function actions(job, upload) {
  if (!mayWrite || !ACTIVE.has(job.status)) return [];
  const parts = [];
  if (upload) parts.push(upload.isPaused ? button(text.resume, () => { upload.resume(); follow(job, upload); }) : button(text.pause, () => upload.pause()));
  else if (job.status === "uploading") parts.push(element("p", { className: "hint" }, [text.choose_again]));
  parts.push(job.cancelRequested ? element("p", { className: "hint" }, [text.ending]) : button(text.cancel_job, () => cancel(job, upload)));
  return [element("div", { className: "toolbar" }, parts)];
}

function draw(job) {
  const upload = uploads.get(job.id);
  const device = devices.get(job.deviceId);
  const share = job.status === "uploading" ? (upload?.sent ?? job.receivedBytes) / job.sizeBytes : (job.progress.percent ?? 0) / 100;
  const node = element("li", { className: "card job" }, [
    element("div", { className: "top" }, [
      element("h3", {}, [job.fileName]),
      element("span", { className: `state ${job.status}` }, [text.job_state[job.status]]),
    ]),
    element("p", { className: "hint" }, [[device?.name ?? text.removed_camera, bytes(job.sizeBytes), fill(text.by, { name: job.createdBy })].join(" · ")]),
  ]);
  node.dataset.job = job.id;
  if (ACTIVE.has(job.status)) {
    const bar = element("progress", { value: share, max: 1 });
    bar.setAttribute("aria-label", `${job.fileName} ${text.job_state[job.status]}`);
    node.append(bar, element("p", { className: "figures" }, [figures(job, upload).join(" · ")]));
  }
  if (job.status === "done" && job.report) node.append(...result(job, device));
  if (job.error) node.append(...failure(job.error));
  node.append(...actions(job, upload));
  return node;
}

// Only what changed is drawn anew: nobody's button goes away under their finger.
function redraw(job) {
  const old = list.querySelector(`[data-job="${job.id}"]`);
  if (!old) return;
  const held = old.contains(document.activeElement) ? [...old.querySelectorAll("button, a")].indexOf(document.activeElement) : -1;
  const [before, parts] = [old, draw(job)].map((node) => [...node.children]);
  if (before.length !== parts.length) old.replaceChildren(...parts);
  else parts.forEach((part, n) => { if (!part.isEqualNode(before[n])) before[n].replaceWith(part); });
  if (held >= 0 && !old.contains(document.activeElement)) (old.querySelectorAll("button, a")[held] ?? old.querySelector("button, a"))?.focus();
}

function drawAll() {
  list.replaceChildren(...jobs.map(draw));
  more.hidden = !cursor;
  if (jobs.length) told.replaceChildren();
  else told.replaceChildren(element("p", { className: "card empty" }, [state.value ? text.none_in_state : mayWrite ? text.nothing_yet : text.nothing_yet_reader]));
}

async function load({ append = false } = {}) {
  const mine = ++turn;
  clearTimeout(timer);
  try {
    const body = await get("/api/v1/analysis/jobs", { limit: PAGE, status: state.value, cursor: append ? cursor : null });
    if (mine !== turn) return;
    const before = jobs.map((job) => job.id).join();
    jobs = append ? [...jobs, ...body.data] : [...body.data, ...jobs.slice(PAGE).filter((job) => !body.data.some((one) => one.id === job.id))];
    if (append || jobs.length <= PAGE) cursor = body.meta.pagination.nextCursor;
    if (append || before !== jobs.map((job) => job.id).join() || !jobs.length) drawAll();
    else jobs.forEach(redraw);
    if (told.querySelector(".failure")) told.replaceChildren();
  } catch (error) {
    if (mine !== turn) return;
    told.replaceChildren(element("p", { className: "card notice failure" }, failureNotice(error, () => load())));
    if (error.status === 401) return;
  }
  timer = setTimeout(() => load(), jobs.some((job) => ACTIVE.has(job.status)) ? BUSY_MS : IDLE_MS);
}

async function cancel(job, upload) {
  const wanted = await confirmAction({ title: fill(text.cancel_title, { name: job.fileName }), body: text.cancel_body, action: text.cancel_job, danger: true });
  if (!wanted) return;
  try {
    await (upload ? upload.cancel() : send("POST", `/api/v1/analysis/jobs/${job.id}/cancel`));
  } catch (error) {
    toast(explain(error));
  }
  uploads.delete(job.id);
  await load();
  next();
}

// The rest of an upload: when it has ended, the analysis is followed, and the next file sent.
async function follow(job, upload) {
  const { ended } = upload;
  try {
    await ended;
  } catch (error) {
    byId("send-failure").replaceChildren(`${job.fileName}${text.colon}${explain(error)}`);
  }
  if (upload.isPaused || upload.ended !== ended) return; // whoever resumed it follows it
  uploads.delete(job.id);
  await load();
  next();
}

async function begin({ file, deviceId, startTime }) {
  const failure = byId("send-failure");
  isBeginning = true;
  try {
    const known = jobs.find((job) => job.status === "uploading" && !uploads.has(job.id) && job.fileName === file.name && job.sizeBytes === file.size && job.deviceId === deviceId);
    const job = known ?? (await send("POST", "/api/v1/analysis/files", {
      deviceId, fileName: file.name, sizeBytes: file.size, ...(startTime ? { startTime } : {}),
    })).data;
    const upload = startUpload(job, file, () => redraw(job));
    uploads.set(job.id, upload);
    isBeginning = false;
    if (!known) {
      jobs = [job, ...jobs];
      drawAll();
    }
    follow(job, upload);
    load();
  } catch (error) {
    isBeginning = false;
    failure.replaceChildren(`${file.name}${text.colon}${explain(error)}`);
    next();
  }
}

// One file at a time: two would only share the line.
function next() {
  if (!isBeginning && [...uploads.values()].every((upload) => upload.isPaused) && waiting.length) begin(waiting.shift());
  byId("send-title").dataset.waiting = waiting.length;
}

function take(chosen) {
  byId("send-failure").replaceChildren();
  if (!camera.value) {
    byId("send-failure").replaceChildren(text.choose_camera_first);
    camera.focus();
    return;
  }
  for (const file of chosen) waiting.push({ file, deviceId: camera.value, startTime: start.value });
  start.value = "";
  if (waiting.length > 1) toast(fill(text.in_line, { n: waiting.length }));
  next();
}

async function newCamera() {
  const name = element("input", { required: true, maxLength: 100, autocomplete: "off" });
  const chosen = await ask(text.new_camera, [
    element("label", { className: "field" }, [text.camera_name, name]),
    element("p", { className: "hint" }, [text.camera_name_hint]),
  ], [{ label: text.cancel, value: "", plain: true }, { label: text.add, value: "yes", className: "primary" }]);
  camera.value = "";
  if (chosen !== "yes") return;
  try {
    const device = (await send("POST", "/api/v1/devices", { name: name.value.trim() })).data;
    devices.set(device.id, device);
    camera.insertBefore(element("option", { value: device.id }, [device.name]), camera.lastElementChild);
    camera.value = device.id;
    toast(fill(text.camera_added, { name: device.name }), { action: text.draw_scene, run: () => location.assign(`/cameras?device=${device.id}&tab=scene`) });
  } catch (error) {
    byId("send-failure").replaceChildren(explain(error));
  }
}

async function cameras() {
  for (const device of await all("/api/v1/devices")) devices.set(device.id, device);
  camera.append(element("option", { value: "" }, [text.choose_camera]));
  for (const device of devices.values()) camera.append(element("option", { value: device.id }, [device.name]));
  if (await may("devices:write")) camera.append(element("option", { value: "new" }, [text.new_camera]));
  const wanted = new URLSearchParams(location.search).get("device");
  if (devices.has(wanted)) camera.value = wanted;
  else if (devices.size === 1) camera.value = devices.keys().next().value;
}

function restore() {
  state.value = new URLSearchParams(location.search).get("status") ?? "";
  jobs = [];
  load();
}

camera.addEventListener("change", () => { if (camera.value === "new") newCamera(); });
byId("choose").addEventListener("click", () => files.click());
files.addEventListener("change", () => { take(files.files); files.value = ""; });
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
// A video dropped beside the field must not replace the page.
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
more.addEventListener("click", () => load({ append: true }));
state.addEventListener("change", () => {
  history.pushState(null, "", state.value ? `?status=${state.value}` : location.pathname);
  restore();
});
window.addEventListener("popstate", restore);
window.addEventListener("beforeunload", (event) => {
  if ([...uploads.values()].some((upload) => !upload.isPaused) || waiting.length) event.preventDefault();
});

try {
  mayWrite = await may("analytics:write");
  await cameras();
  byId("send").hidden = !mayWrite;
  restore();
} catch (error) {
  told.replaceChildren(element("p", { className: "card notice failure" }, failureNotice(error, () => location.reload())));
}
