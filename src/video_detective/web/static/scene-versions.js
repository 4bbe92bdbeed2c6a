// Versions of a scene: who saved what when, what is other in them, and one of them put in force again.
import { failureNotice, get, send } from "./api.js";
import { confirmAction } from "./dialog.js";
import { element, fill, text } from "./dom.js";
import { differences, relative } from "./scene-document.js";
import { toast } from "./shell.js";
import { clockOf, dayOf, zoned } from "./time.js";

export function differenceList(before, after) {
  const lines = differences(before, after);
  if (!lines.length) return element("p", { className: "hint" }, [text.no_differences]);
  return element("ul", { className: "differences" }, lines.map((line) => element("li", {}, [line])));
}

export function versionsPanel({ device, sceneId, draft, canEdit, onrestore }) {
  const root = element("div", { className: "versions" });
  let cursor = null;
  let list = null;
  const more = element("button", { type: "button", hidden: true }, [text.more_versions]);
  more.addEventListener("click", () => load(false));

  async function load(isFresh = true) {
    const id = sceneId();
    if (!id) {
      root.replaceChildren(element("p", { className: "empty" }, [text.no_versions]));
      return;
    }
    if (isFresh) {
      cursor = null;
      list = element("ul", { className: "version-list" });
      root.replaceChildren(list, more);
    }
    const place = list;
    try {
      const { data, meta } = await get(`/api/v1/scenes/${id}/versions`, { limit: 20, cursor });
      if (place !== list) return; // begun anew meanwhile
      list.append(...data.map((version) => item(id, version)));
      cursor = meta.pagination.nextCursor;
      more.hidden = !cursor;
    } catch (error) {
      if (place === list) root.append(element("p", { className: "notice failure" }, failureNotice(error, () => load(isFresh))));
    }
  }

  function item(id, version) {
    const isPresent = version.version === draft.version;
    const time = zoned(version.createdAt, device.timezone);
    const difference = element("div");
    const compare = element("button", { type: "button", className: "quiet", ariaExpanded: "false", hidden: isPresent && !draft.isDirty }, [text.compare_version]);
    compare.addEventListener("click", () => toggle(compare, difference, id, version));
    const restore = element("button", { type: "button", className: "quiet", hidden: isPresent || !canEdit }, [text.restore_version]);
    restore.addEventListener("click", () => putBack(id, version, restore));
    return element("li", { className: "card version" }, [
      element("div", { className: "version-head" }, [
        element("strong", {}, [fill(text.version_number, { n: version.version })]),
        ...(isPresent ? [element("span", { className: "state running" }, [text.version_present])] : []),
        element("span", { className: "hint" }, [`${dayOf(time)} ${clockOf(time)} · ${text.author_of[version.author] ?? version.author}`]),
      ]),
      ...(version.note ? [element("p", {}, [version.note])] : []),
      element("div", { className: "toolbar" }, [compare, restore]),
      difference,
    ]);
  }

  async function toggle(button, place, id, version) {
    const isOpen = button.ariaExpanded === "true";
    button.ariaExpanded = String(!isOpen);
    place.replaceChildren();
    if (isOpen) return;
    try {
      const { data } = await get(`/api/v1/scenes/${id}/versions/${version.version}`);
      place.replaceChildren(
        element("p", { className: "hint" }, [fill(text.since_version, { n: version.version })]),
        differenceList(data.document, draft.document),
      );
    } catch (error) {
      place.replaceChildren(element("p", { className: "failure" }, failureNotice(error)));
    }
  }

  async function putBack(id, version, button) {
    const body = draft.isDirty ? text.restore_loses_draft : text.restore_makes_version;
    const title = fill(text.restore_title, { n: version.version });
    if (!await confirmAction({ title, body, action: text.restore_version })) return;
    button.disabled = true;
    try {
      const { data } = await send("POST", `/api/v1/scenes/${id}/versions/${version.version}/restore`);
      draft.settle(relative(data.document), data.version);
      onrestore(data);
      toast(fill(text.restored, { n: version.version, now: data.version }));
      await load();
    } catch (error) {
      button.disabled = false;
      button.after(element("span", { className: "failure" }, failureNotice(error)));
    }
  }

  return { node: root, load };
}
