// The editor of a scene: shapes over a still, rules as forms, trying, saving, versions.
import { ApiError, failureNotice, get, send } from "./api.js";
import { ask, confirmAction } from "./dialog.js";
import { element, fill, text } from "./dom.js";
import { sceneCanvas } from "./scene-canvas.js";
import { problemsOf } from "./scene-checks.js";
import { relative, shapesOf, withShapes } from "./scene-document.js";
import { openDraft } from "./scene-draft.js";
import { rulesPanel } from "./scene-rules.js";
import { shapesPanel } from "./scene-shapes.js";
import { stillBar } from "./scene-still.js";
import { toolbar } from "./scene-tools.js";
import { tryPanel } from "./scene-try.js";
import { differenceList, versionsPanel } from "./scene-versions.js";
import { toast } from "./shell.js";

const EMPTY = { zones: {}, tripwires: {}, rules: [], alerts: null };
const PANELS = ["rules", "try", "versions"];

// Opens the editor in `root`. `device` is that of the API; `panel` is one of PANELS, and `onpanel` is
// told when another one is chosen. Gives back { destroy, isDirty }.
export async function openEditor(root, { device, canEdit, panel = "rules", onpanel = () => {}, onsaved = () => {} }) {
  const [schema, scene] = await Promise.all([
    get("/api/v1/scenes/schema").then(({ data }) => data.document),
    device.sceneId ? get(`/api/v1/scenes/${device.sceneId}`).then(({ data }) => data) : null,
  ]);
  let sceneId = scene?.id ?? null;
  let selected = null;
  let knownNames = "";
  const draft = openDraft({
    key: `scene:${device.id}`, base: relative(scene?.document ?? { ...EMPTY, ...defaults(schema) }), version: scene?.version ?? 0,
  });
  const shapes = () => shapesOf(draft.document);
  const changeShapes = (next, what) => draft.change(withShapes(draft.document, next), what, "shapes");

  // --- the picture and what is drawn on it
  const left = element("div", { className: "scene-left" });
  const canvas = sceneCanvas(left, {
    shapes: shapes(), canEdit, onchange: changeShapes, onselect: (key) => choose(key),
    onmode: (mode, count) => tools.show(mode, count ?? 0),
  });
  const tools = toolbar({ canvas, canEdit });
  const still = stillBar({ device, canvas, ontrails: () => showTrails([]) });
  const panelOfShapes = shapesPanel({
    canEdit, onselect: (key) => { canvas.select(key); choose(key); }, onchange: changeShapes, onremove: (key) => canvas.remove(key),
  });
  left.prepend(tools.hint);
  left.append(still.node, panelOfShapes.node);

  function choose(key) {
    selected = key;
    panelOfShapes.render(shapes(), selected);
  }

  function showTrails(trails, words = "") {
    canvas.showTrails(trails);
    still.tell(words, trails.length > 0);
    if (trails.length) canvas.element.scrollIntoView({ block: "nearest" });
  }

  // --- rules, trying, versions
  const rules = rulesPanel({
    schema, draft, canEdit, selectedKey: () => selected,
    onselect: (key) => { if (key && key !== selected) { canvas.select(key); choose(key); } },
  });
  const trial = tryPanel({
    device, sceneId: () => sceneId, draft, check, onproblems: tellProblems, ontrails: showTrails, picture: canvas.picture,
  });
  const versions = versionsPanel({ device, sceneId: () => sceneId, draft, canEdit, onrestore: onsaved });
  const panels = { rules: rules.node, try: trial.node, versions: versions.node };
  const tabs = PANELS.map((name) => {
    const tab = element("button", { type: "button", id: `tab-${name}`, role: "tab" }, [text[`panel_${name}`]]);
    tab.setAttribute("aria-controls", `panel-${name}`);
    tab.addEventListener("click", () => { showPanel(name); onpanel(name); });
    return tab;
  });
  const tabList = element("div", { className: "tabs", role: "tablist", ariaLabel: text.panels }, tabs);
  tabList.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = PANELS[(PANELS.indexOf(panel) + by + PANELS.length) % PANELS.length];
    showPanel(next);
    onpanel(next);
    tabs[PANELS.indexOf(next)].focus();
  });
  const right = element("div", { className: "scene-right" }, [tabList, ...PANELS.map((name) => element("div", {
    id: `panel-${name}`, role: "tabpanel",
  }, [panels[name]]))]);
  PANELS.forEach((name, i) => right.children[i + 1].setAttribute("aria-labelledby", `tab-${name}`));

  function showPanel(name) {
    panel = PANELS.includes(name) ? name : "rules";
    PANELS.forEach((one, i) => {
      tabs[i].setAttribute("aria-selected", String(one === panel));
      tabs[i].tabIndex = one === panel ? 0 : -1;
      right.children[i + 1].hidden = one !== panel;
    });
    if (panel === "versions") versions.load();
    if (panel !== "try") showTrails([]);
  }

  // --- undo, saving
  const state = element("span", { className: "draft-state", role: "status" });
  const undo = iconButton("↶", text.undo_step, () => draft.undo());
  const redo = iconButton("↷", text.redo_step, () => draft.redo());
  const discard = element("button", { type: "button", className: "quiet" }, [text.discard]);
  discard.addEventListener("click", () => draft.discard());
  const save = element("button", { type: "button", className: "primary" }, [text.save]);
  save.addEventListener("click", () => saveDraft());
  const stale = element("p", { className: "notice stale", role: "alert", hidden: true });
  const problems = element("div", { className: "notice failure problems", role: "alert", hidden: true });
  const bar = element("div", { className: "scene-bar toolbar" }, [
    ...(canEdit ? [tools.node] : []), state, ...(canEdit ? [discard, undo, redo, save] : []),
  ]);
  // Stays in sight with what it complains of.
  const head = element("div", { className: "scene-head" }, [bar, stale, problems]);
  root.replaceChildren(head, element("div", { className: "scene-editor" }, [left, right]));

  function iconButton(sign, label, action) {
    const button = element("button", { type: "button", className: "icon", title: label, ariaLabel: label }, [sign]);
    button.addEventListener("click", action);
    return button;
  }

  function refresh(origin) {
    canvas.setShapes(shapes());
    panelOfShapes.render(shapes(), selected = shapes().some((shape) => shape.key === selected) ? selected : null);
    // Forms are made anew where something else than their own field changed.
    const names = JSON.stringify(shapes().map(({ key, name, leftToRight, rightToLeft }) => [key, name, leftToRight, rightToLeft]));
    if (origin !== "field" && (origin !== "shapes" || names !== knownNames)) rules.render();
    knownNames = names;
    state.textContent = !canEdit ? text.read_only : draft.isDirty ? text.not_saved : sceneId ? fill(text.is_saved, { n: draft.version }) : text.not_begun;
    state.classList.toggle("dirty", draft.isDirty);
    [undo.disabled, redo.disabled, discard.hidden, save.disabled] = [!draft.canUndo, !draft.canRedo, !draft.isDirty, !draft.isDirty];
    stale.hidden = !draft.isStale;
    stale.textContent = text.stale_draft;
    if (!problems.hidden) check();
  }

  // Shows what is wrong where it is wrong; true when nothing is.
  function check() {
    const found = new Map([...problemsOf(draft.document, schema)].reverse());
    return showProblems(found, text.problems_found);
  }

  // `lines`: what the list says of some instead.
  function showProblems(found, title, lines = new Map()) {
    const left_ = rules.complain(found);
    problems.hidden = found.size === 0;
    problems.replaceChildren(element("strong", {}, [title]));
    const shown = left_.size ? left_ : new Map();
    if (shown.size) {
      problems.append(element("ul", {}, [...shown].map(([path, words]) => element("li", {}, [lines.get(path) ?? words]))));
    }
    return found.size === 0;
  }

  // What the server complains of, at the fields that it names.
  function tellProblems(error) {
    if (!(error instanceof ApiError) || error.status !== 400 || !error.details) return false;
    const named = error.details.map((one) => [one.field.replace(/^document\./, ""), one]);
    showProblems(
      new Map(named.map(([path, { problem }]) => [path, problem])), text.server_refused,
      new Map(named.map(([path, { told, problem }]) => [path, told ?? `${path}: ${problem}`])),
    );
    showPanel("rules");
    rules.focusFirst();
    return true;
  }

  async function saveDraft() {
    if (!check()) {
      showPanel("rules");
      rules.focusFirst();
      return;
    }
    const note = element("input", { maxLength: 500, name: "note", autocomplete: "off" });
    const chosen = await ask(text.save_title, [
      differenceList(draft.saved, draft.document),
      element("label", { className: "field" }, [text.save_note, note]),
    ], [{ label: text.cancel, value: "", plain: true }, { label: text.save, value: "yes", className: "primary" }]);
    if (chosen !== "yes") return;
    save.disabled = true;
    const { document } = draft;
    try {
      const { data } = sceneId
        ? await send("PATCH", `/api/v1/scenes/${sceneId}`, { document, baseVersion: draft.version, note: note.value })
        : await send("POST", "/api/v1/scenes", { deviceId: device.id, document, note: note.value });
      sceneId = data.id;
      // What was changed since it was sent is not saved, and not lost.
      draft[draft.document === document ? "settle" : "rebase"](relative(data.document), data.version);
      toast(fill(text.saved_version, { n: data.version }));
      onsaved(data);
      if (panel === "versions") versions.load();
    } catch (error) {
      save.disabled = false;
      if (error.status === 409) await takeOver(error);
      else if (!tellProblems(error)) showFailure(error);
    }
  }

  function showFailure(error) {
    problems.hidden = false;
    problems.replaceChildren(...failureNotice(error, saveDraft));
  }

  // Somebody else saved meanwhile: the draft may go on top of that, or wait.
  async function takeOver(error) {
    const { data: [now] } = await get("/api/v1/scenes", { deviceId: device.id }).catch(() => ({ data: [] }));
    if (!now) { showFailure(error); return; }
    const words = fill(text.conflict_body, { n: now.version, author: now.author });
    if (!await confirmAction({ title: text.conflict_title, body: words, action: text.conflict_action })) return;
    sceneId = now.id;
    draft.rebase(relative(now.document), now.version);
    await saveDraft();
  }

  function keys(event) {
    if (!canEdit || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    if (event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, dialog")) return;
    event.preventDefault();
    if (event.shiftKey) draft.redo();
    else draft.undo();
  }
  const leaving = (event) => { if (draft.isDirty) event.preventDefault(); };
  document.addEventListener("keydown", keys);
  window.addEventListener("beforeunload", leaving);

  draft.onchange(refresh);
  refresh("begin");
  tools.show("select", 0);
  showPanel(panel);
  if (canEdit && draft.isDirty) toast(text.draft_kept, { action: text.discard, run: () => draft.discard() });
  still.refresh(); // a camera that is out of reach takes seconds to say so
  return {
    get isDirty() { return draft.isDirty; },
    showPanel,
    destroy() {
      trial.stop();
      canvas.destroy();
      document.removeEventListener("keydown", keys);
      window.removeEventListener("beforeunload", leaving);
    },
  };
}

// What a scene without anything else has, as the server would write it.
function defaults(schema) {
  return Object.fromEntries(["sampling", "detection", "attributes"].map((part) => [part, schema.properties[part].default]));
}
