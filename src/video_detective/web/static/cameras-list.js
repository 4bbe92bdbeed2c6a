// Every camera with its picture and its health.
import { all } from "./all.js";
import { explain, failureNotice, send } from "./api.js";
import { editDevice } from "./cameras-dialog.js";
import { figureList, stateBadge, stateOf, statuses, troubleOf } from "./cameras-health.js";
import { thumbnail } from "./cameras-pictures.js";
import { element, fill, text } from "./dom.js";
import { toast } from "./shell.js";

const POLL_MS = 5000;
const SEARCH_FROM = 8;

export async function showList(root, { canEdit, go, isCurrent }) {
  let [devices, health] = await Promise.all([all("/api/v1/devices"), statuses()]);
  let asked = 0;
  let known = 0; // the newest look that was answered
  if (!isCurrent()) return null;
  const rows = new Map();
  const list = element("ul", { className: "camera-list" });
  const summary = element("p", { className: "hint", role: "status" });
  const add = element("button", { type: "button", className: "primary", hidden: !canEdit }, [text.add_camera]);
  add.addEventListener("click", async () => {
    const made = await editDevice(null);
    if (made) go({ device: made.id, tab: "scene" });
  });
  const search = element("input", { type: "search", placeholder: text.find_camera, ariaLabel: text.find_camera });
  search.addEventListener("input", filter);
  const failed = element("p", { className: "failure", role: "status" });

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    for (const device of devices) {
      const words = [device.name, ...device.aliases, ...device.tags].join(" ").toLowerCase();
      rows.get(device.id).node.hidden = !words.includes(wanted);
    }
  }

  function row(device) {
    const state = element("span");
    const figures = element("div");
    const toggle = element("button", { type: "button", hidden: !canEdit || !device.source });
    toggle.addEventListener("click", () => startOrStop(device, toggle));
    const error = element("p", { className: "hint camera-error" });
    const scene = device.sceneId ? fill(text.scene_version, { n: device.sceneVersion }) : text.no_scene;
    const node = element("li", { className: "card camera" }, [
      thumbnail(device),
      element("div", { className: "camera-main" }, [
        element("h2", {}, [element("a", { href: `/cameras?device=${device.id}` }, [device.name])]),
        element("div", { className: "camera-signs" }, [
          state, element("span", { className: device.sceneId ? "hint" : "hint missing" }, [scene]),
          ...device.tags.map((tag) => element("span", { className: "tag" }, [tag])),
        ]),
        error,
      ]),
      figures,
      element("div", { className: "camera-actions" }, [
        element("a", { className: "button", href: `/cameras?device=${device.id}&tab=scene` }, [
          device.sceneId || !canEdit ? text.open_scene : text.draw_scene,
        ]),
        toggle,
      ]),
    ]);
    const update = () => {
      const status = health.get(device.id);
      state.replaceChildren(stateBadge(device, status));
      figures.replaceChildren(...(device.source ? [figureList(device, status)] : []));
      error.textContent = troubleOf(device, status);
      toggle.textContent = status?.wanted ? text.stop : text.start;
      toggle.ariaLabel = `${toggle.textContent} ${device.name}`;
    };
    return { node, update };
  }

  function refresh() {
    for (const { update } of rows.values()) update();
    const counts = {};
    for (const device of devices) {
      const state = stateOf(device, health.get(device.id));
      counts[state] = (counts[state] ?? 0) + 1;
    }
    const words = fill(text.camera_count, { n: devices.length });
    const parts = Object.entries(counts).map(([state, n]) => `${text.state[state]} ${n}`);
    const told = [words, ...parts].join(" · ");
    if (summary.textContent !== told) summary.textContent = told;
  }

  async function startOrStop(device, button) {
    const isOn = health.get(device.id)?.wanted;
    button.disabled = true;
    try {
      const { data } = await send("POST", `/api/v1/analysis/${isOn ? "stop" : "start"}`, { deviceId: device.id });
      known = asked += 1; // a look that is under way may not have seen it
      health.set(device.id, { ...data, at: performance.now() });
      refresh();
      toast(fill(isOn ? text.is_stopped : text.is_started, { name: device.name }));
    } catch (error) {
      toast(explain(error));
    } finally {
      button.disabled = false;
    }
  }

  async function poll() {
    if (document.hidden) return;
    const mine = asked += 1;
    try {
      const found = await statuses();
      if (mine < known) return;
      [known, health] = [mine, found];
      failed.replaceChildren();
      refresh();
    } catch (error) {
      if (isCurrent()) failed.replaceChildren(...failureNotice(error, poll));
    }
  }

  for (const device of devices) rows.set(device.id, row(device));
  list.replaceChildren(...[...rows.values()].map(({ node }) => node));
  const isEmpty = devices.length === 0;
  root.replaceChildren(
    element("div", { className: "page-head" }, [element("div", {}, [element("h1", {}, [text.nav.cameras]), summary]), add]),
    ...(devices.length >= SEARCH_FROM ? [search] : []),
    failed,
    ...(isEmpty ? [element("div", { className: "card empty" }, [element("p", {}, [text.no_cameras]), element("p", {}, [canEdit ? text.no_cameras_hint : text.forbidden_hint])])] : [list]),
  );
  refresh();
  const timer = setInterval(poll, POLL_MS);
  return {
    update: poll,
    destroy: () => clearInterval(timer),
  };
}
