// One camera: how it goes, what is known of it, and its scene.
import { explain, get, send } from "./api.js";
import { editDevice } from "./cameras-dialog.js";
import { figureList, stateBadge, statuses, troubleOf } from "./cameras-health.js";
import { thumbnail } from "./cameras-pictures.js";
import { confirmAction } from "./dialog.js";
import { element, fill, markCurrent, text } from "./dom.js";
import { toast } from "./shell.js";

const POLL_MS = 5000;
const TABS = ["overview", "scene"];

export async function showDevice(root, { id, tab, panel, canEdit, go, isCurrent }) {
  let [{ data: device }, health] = await Promise.all([
    get(`/api/v1/devices/${encodeURIComponent(id)}`), statuses({ deviceId: id }),
  ]);
  if (!isCurrent()) return null;
  const state = element("span");
  const toggle = element("button", { type: "button", hidden: !canEdit || !device.source });
  toggle.addEventListener("click", startOrStop);
  const tabs = TABS.map((name) => {
    const link = element("a", { href: `/cameras?device=${id}${name === "scene" ? "&tab=scene" : ""}` }, [text[`tab_${name}`]]);
    markCurrent(link, name === tab);
    return link;
  });
  const body = element("div", { className: `camera-${tab}` });
  root.replaceChildren(
    element("div", { className: "page-head" }, [
      element("div", {}, [
        element("a", { className: "back", href: "/cameras" }, [`‹ ${text.all_cameras}`]),
        element("h1", {}, [device.name, " ", state]),
      ]),
      toggle,
    ]),
    element("nav", { className: "tabs", ariaLabel: text.camera_views }, tabs),
    body,
  );
  let shown = null;
  let timer = 0;
  let asked = 0;
  let known_ = 0; // the newest look that was answered
  const figures = element("div");
  const trouble = element("div");

  function refresh() {
    const status = health.get(id);
    state.replaceChildren(stateBadge(device, status));
    toggle.textContent = status?.wanted ? text.stop : text.start;
    figures.replaceChildren(...(device.source ? [figureList(device, status)] : [element("p", { className: "hint" }, [text.files_only])]));
    const drops = status?.drops ?? [];
    const words = troubleOf(device, status);
    trouble.replaceChildren(
      ...(words ? [element("p", { className: "failure" }, [words]), element("p", { className: "hint", lang: "en" }, [status.error])] : []),
      ...(drops.length ? [element("h3", {}, [text.drops_title]), element("ul", { className: "drops" }, drops.map((drop) => element("li", {}, [
        `${text.drop_reason[drop.reason] ?? drop.detail} · ${drop.count}`,
      ])))] : []),
    );
  }

  async function startOrStop() {
    const isOn = health.get(id)?.wanted;
    toggle.disabled = true;
    try {
      const { data } = await send("POST", `/api/v1/analysis/${isOn ? "stop" : "start"}`, { deviceId: id });
      known_ = asked += 1; // a look that is under way may not have seen it
      health.set(id, { ...data, at: performance.now() });
      refresh();
      toast(fill(isOn ? text.is_stopped : text.is_started, { name: device.name }));
    } catch (error) {
      toast(explain(error));
    } finally {
      toggle.disabled = false;
    }
  }

  async function poll() {
    if (document.hidden) return;
    // What was last known stays; the page tells of a failure when something is asked of it.
    const mine = asked += 1;
    const found = await statuses({ deviceId: id }).catch(() => null);
    if (mine < known_ || !isCurrent()) return;
    if (found) [known_, health] = [mine, found];
    refresh();
  }

  async function edit() {
    const changed = await editDevice(device);
    if (!changed) return;
    device = changed;
    toast(text.is_changed);
    go({ device: id }, { isSame: true });
  }

  async function remove() {
    const sure = await confirmAction({
      title: fill(text.remove_title, { name: device.name }), body: text.remove_body, action: text.remove_camera, danger: true,
    });
    if (!sure) return;
    try {
      await send("DELETE", `/api/v1/devices/${id}`);
    } catch (error) {
      toast(explain(error));
      return;
    }
    toast(fill(text.is_removed, { name: device.name }));
    go({});
  }

  function overview() {
    const button = (label, action, className = "") => {
      const node = element("button", { type: "button", className, hidden: !canEdit }, [label]);
      node.addEventListener("click", action);
      return node;
    };
    const known = [
      [text.source, device.source ? device.source + (device.hasCredentials ? ` ${text.has_credentials}` : "") : text.source_files],
      [text.timezone, device.timezone],
      [text.plan, text.plans[device.plan]],
      [text.tags, device.tags.join(text.list_comma)],
      [text.aliases, device.aliases.join(text.list_comma)],
      [text.scene, device.sceneId ? fill(text.scene_version, { n: device.sceneVersion }) : text.no_scene],
      [text.camera_id, device.cameraId],
    ];
    body.replaceChildren(
      element("section", { className: "card overview-picture" }, [thumbnail(device)]),
      element("section", { className: "card overview-facts" }, [
        element("h2", {}, [text.health]), figures, trouble,
        element("h2", {}, [text.details]),
        element("dl", {}, known.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, [name]), element("dd", {}, [value])])),
        element("div", { className: "toolbar" }, [
          button(text.edit_camera, edit), button(text.remove_camera, remove, "quiet"),
        ]),
      ]),
    );
    timer = setInterval(poll, POLL_MS);
  }

  async function scene() {
    body.replaceChildren(element("p", { className: "hint" }, [text.loading]));
    const { openEditor } = await import("./scene-editor.js");
    const opened = await openEditor(body, {
      device, canEdit, panel: panel ?? "rules",
      onpanel: (name) => {
        const query = new URLSearchParams(location.search);
        query.set("panel", name);
        history.replaceState(null, "", `?${query}`);
      },
      onsaved: (saved) => { device = { ...device, sceneId: saved.id, sceneVersion: saved.version }; },
    });
    timer = setInterval(poll, POLL_MS * 3);
    return opened;
  }

  refresh();
  if (tab === "scene") shown = await scene();
  else overview();
  return {
    title: device.name,
    get isDirty() { return shown?.isDirty ?? false; },
    update: poll,
    // Another panel of the same editor needs no new one.
    takes(next) {
      if (!shown || next.device !== id || next.tab !== "scene") return false;
      shown.showPanel(next.panel ?? "rules");
      return true;
    },
    destroy() {
      clearInterval(timer);
      shown?.destroy();
    },
  };
}
