// First steps: a camera or a video, a first zone, first rules; then the analysis begins.
import { ApiError, explain, failureNotice, get, may, refusal, send } from "./api.js";
import { element, fill, text } from "./dom.js";
import { sceneCanvas } from "./scene-canvas.js";
import "./shell.js";
import { startUpload } from "./videos-upload.js";

const LOOK_MS = 1500;
const WAIT_FOR_PICTURE_MS = 8000;
const WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]];
const byId = (id) => document.getElementById(id);
const [source, rules, told, zoneName, progress, bar] = ["source", "rules", "told", "zone-name", "progress", "bar"].map(byId);
const made = { device: null, hasScene: false, job: null }; // what exists already, when something failed half-way
let canvas = null;
let shapes = [];

const kind = () => source.elements.kind.value;
const failureOf = (form) => form.querySelector(".failure");

function showKind() {
  for (const node of source.querySelectorAll("[data-kind]")) node.hidden = node.dataset.kind !== kind();
}

// A picture from inside a video that never left this computer; null where the browser cannot play it.
async function pictureOf(file) {
  const video = element("video", { muted: true, playsInline: true, preload: "auto", src: URL.createObjectURL(file) });
  try {
    await new Promise((resolve, reject) => {
      video.onseeked = resolve;
      video.onerror = reject;
      video.onloadeddata = () => { video.currentTime = Math.min(1, video.duration / 2 || 0); };
      setTimeout(reject, WAIT_FOR_PICTURE_MS);
    });
    return await createImageBitmap(video);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(video.src);
  }
}

async function pictureFrom(address) {
  const response = await fetch("/api/v1/devices/try-source", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ source: address }),
  }).catch(() => { throw new ApiError(0); });
  if (!response.ok) throw await refusal(response.status, await response.json().catch(() => null));
  return response.blob();
}

function problemOfSource() {
  const { name, address, file } = source.elements;
  if (!name.value.trim()) return [name, text.name_missing];
  if (kind() === "live" && !address.value.trim()) return [address, text.address_missing];
  if (kind() === "file" && !file.files.length) return [file, text.file_missing];
  return null;
}

async function showPicture(event) {
  event.preventDefault();
  const failure = failureOf(source);
  failure.replaceChildren();
  const problem = problemOfSource();
  if (problem) {
    failure.replaceChildren(problem[1]);
    problem[0].focus();
    return;
  }
  const button = source.querySelector("[type=submit]");
  button.disabled = true;
  byId("picture-told").textContent = text.loading;
  try {
    const still = kind() === "live" ? await pictureFrom(source.elements.address.value.trim()) : await pictureOf(source.elements.file.files[0]);
    for (const id of ["step-zone", "step-rules"]) byId(id).hidden = false;
    canvas ??= sceneCanvas(byId("canvas"), { onchange: changed, onmode: (mode) => byId("draw").setAttribute("aria-pressed", String(mode === "zone")) });
    byId("picture-told").textContent = still ? "" : text.no_picture;
    if (still) await canvas.setStill(still);
    byId("step-zone").querySelector("h2").focus();
  } catch (error) {
    failure.replaceChildren(explain(error));
  } finally {
    button.disabled = false;
  }
}

// One zone only: drawing another one takes the first one's place.
function changed(next) {
  shapes = next.slice(-1);
  if (shapes.length !== next.length) canvas.setShapes(shapes);
  failureOf(rules).replaceChildren();
  if (shapes.length && !zoneName.value) zoneName.value = shapes[0].name;
}

function useWhole() {
  shapes = [{ key: "zone:zone-1", kind: "zone", id: "zone-1", name: text.whole_picture, points: WHOLE, leftToRight: "", rightToLeft: "" }];
  failureOf(rules).replaceChildren();
  canvas.setShapes(shapes);
  zoneName.value = text.whole_picture;
}

function sceneDocument() {
  const [{ id, points }] = shapes;
  const { intrusion, loitering, crowding, min_seconds: seconds, min_people: people } = rules.elements;
  const chosen = [];
  if (intrusion.checked) chosen.push({ id: "intrusion", type: "intrusion", zone: id });
  if (loitering.checked) chosen.push({ id: "loitering", type: "loitering", zone: id, min_seconds: Number(seconds.value) });
  if (crowding.checked) chosen.push({ id: "crowding", type: "crowding", zone: id, min_people: Number(people.value), min_seconds: 3 });
  return { zones: { [id]: { name: zoneName.value.trim() || text.first_zone, points } }, rules: chosen };
}

function problemOfRules(document) {
  if (!shapes.length) return text.zone_missing;
  if (!document.rules.length) return text.rule_missing;
  return null;
}

async function begin(event) {
  event.preventDefault();
  const failure = failureOf(rules);
  const document = shapes.length ? sceneDocument() : null;
  const problem = problemOfRules(document);
  failure.replaceChildren(problem ?? "");
  if (problem) return;
  const button = rules.querySelector("[type=submit]");
  button.disabled = true;
  try {
    const { name, address, file, start } = source.elements;
    const isLive = kind() === "live";
    made.device ??= (await send("POST", "/api/v1/devices", {
      name: name.value.trim(), ...(isLive ? { source: address.value.trim() } : {}),
    })).data;
    const deviceId = made.device.id;
    if (!made.hasScene) await send("POST", "/api/v1/scenes", { deviceId, document });
    made.hasScene = true;
    if (isLive) await send("POST", "/api/v1/analysis/start", { deviceId });
    else {
      const [video] = file.files;
      made.job ??= (await send("POST", "/api/v1/analysis/files", {
        deviceId, fileName: video.name, sizeBytes: video.size, ...(start.value ? { startTime: start.value } : {}),
      })).data;
    }
    for (const id of ["step-source", "step-zone", "step-rules"]) byId(id).hidden = true;
    byId("step-done").hidden = false;
    byId("step-done").querySelector("h2").focus();
    if (isLive) watchLive(deviceId);
    else await sendVideo(made.job, file.files[0]);
  } catch (error) {
    failure.replaceChildren(explain(error));
    button.disabled = false;
  }
}

function onward(links) {
  byId("onward").replaceChildren(...links.map(([label, href], at) => element("a", { href, className: at ? "button" : "button primary" }, [label])));
}

async function watchLive(deviceId) {
  onward([[text.to_cameras, "/cameras"], [text.to_ask, "/"]]);
  try {
    const [status] = (await get("/api/v1/analysis/status", { deviceId })).data;
    progress.textContent = status?.state === "running" ? text.live_runs : text.live_begins;
    if (status?.state === "running") return;
  } catch (error) {
    progress.replaceChildren(...failureNotice(error, () => watchLive(deviceId)));
    return;
  }
  setTimeout(() => watchLive(deviceId), LOOK_MS);
}

async function sendVideo(job, file) {
  bar.hidden = false;
  const show = () => {
    bar.value = upload.sent / upload.total;
    progress.textContent = upload.isWaiting ? text.connection_lost : fill(text.sending, { percent: Math.floor(100 * bar.value) });
  };
  const upload = startUpload(job, file, () => show());
  try {
    await upload.ended;
    await watchJob(job.id);
  } catch (error) {
    progress.replaceChildren(...failureNotice(error, () => location.assign("/videos")));
  }
}

async function follow(id) {
  await watchJob(id).catch((error) => progress.replaceChildren(...failureNotice(error, () => follow(id))));
}

async function watchJob(id) {
  const job = (await get(`/api/v1/analysis/jobs/${id}`)).data;
  if (job.status === "done") {
    bar.value = 1;
    progress.textContent = fill(text.found, { n: Object.values(job.report.events).reduce((sum, count) => sum + count, 0) });
    onward([[text.to_events, `/?camera=${encodeURIComponent(made.device.cameraId)}`], [text.to_scene, `/cameras?device=${made.device.id}&tab=scene`]]);
  } else if (job.status === "failed" || job.status === "cancelled") {
    bar.hidden = true;
    progress.replaceChildren(text.failed_video, " ", element("span", { className: "hint", lang: "en" }, [job.error?.message ?? ""]));
    onward([[text.to_videos, "/videos"]]);
  } else {
    bar.value = (job.progress.percent ?? 0) / 100;
    progress.textContent = fill(text.analysing, { percent: Math.floor(job.progress.percent ?? 0) });
    setTimeout(() => follow(id), LOOK_MS);
  }
}

zoneName.addEventListener("input", () => {
  shapes = shapes.map((shape) => ({ ...shape, name: zoneName.value }));
  canvas.setShapes(shapes);
});
source.addEventListener("submit", showPicture);
source.addEventListener("change", showKind);
rules.addEventListener("submit", begin);
byId("draw").addEventListener("click", () => canvas.setMode(byId("draw").getAttribute("aria-pressed") === "true" ? "select" : "zone"));
byId("middle").addEventListener("click", () => canvas.place("zone"));
byId("whole").addEventListener("click", useWhole);
byId("clear").addEventListener("click", () => {
  shapes = [];
  canvas.setMode("select");
  canvas.setShapes([]);
  zoneName.value = "";
});
window.addEventListener("beforeunload", (event) => {
  if (!bar.hidden && made.job && bar.value < 1 && !byId("onward").hasChildNodes()) event.preventDefault();
});

try {
  if (await may("devices:write")) {
    byId("steps").hidden = false;
    const { data } = await get("/api/v1/devices", { limit: 1 });
    if (data.length) told.replaceChildren(element("p", { className: "hint" }, [text.have_cameras, " ", element("a", { href: "/cameras" }, [text.to_cameras])]));
  } else told.replaceChildren(element("p", { className: "card empty" }, [text.ask_admin]));
} catch (error) {
  told.replaceChildren(element("p", { className: "card notice failure" }, failureNotice(error, () => location.reload())));
}
