// The draft of a scene: what is changed, undone and done again; it outlives a reload of the page.
import { isSame } from "./scene-document.js";

const MOST_STEPS = 100;

// `base` is what the server has, `version` its number. A kept draft is gone on with; `isStale` says
// that somebody saved another version since it was begun.
export function openDraft({ key, base, version, now = () => Date.now() }) {
  const listeners = new Set();
  let saved = base;
  let baseVersion = version;
  let past = [];
  let future = [];
  let present = base;
  let last = { what: null, at: 0 };
  let isStale = false;

  const kept = read(key);
  if (kept && !isSame(kept.document, base)) {
    present = kept.document;
    past = [base];
    baseVersion = kept.version;
    isStale = kept.version !== version;
  }

  function keep() {
    try {
      if (isSame(present, saved)) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify({ version: baseVersion, document: present }));
    } catch {
      // Full or forbidden: the draft then lives as long as the page.
    }
  }

  function tell(origin) {
    keep();
    for (const listener of listeners) listener(origin);
  }

  // Steps with the same `what` that follow each other within a second are one.
  function change(document, what, origin = "page") {
    if (isSame(document, present)) return;
    const merges = what === last.what && now() - last.at < 1000 && past.length > 0;
    if (!merges) past = [...past, present].slice(-MOST_STEPS);
    future = [];
    present = document;
    last = { what, at: now() };
    tell(origin);
  }

  function step(from, to) {
    if (!from.length) return [from, to];
    const next = [...to, present];
    present = from[from.length - 1];
    last = { what: null, at: 0 };
    return [from.slice(0, -1), next];
  }

  return {
    get document() { return present; },
    get saved() { return saved; },
    get version() { return baseVersion; },
    get isStale() { return isStale; },
    get isDirty() { return !isSame(present, saved); },
    get canUndo() { return past.length > 0; },
    get canRedo() { return future.length > 0; },
    change,
    undo() { [past, future] = step(past, future); tell("history"); },
    redo() { [future, past] = step(future, past); tell("history"); },
    // The draft is now what the server has.
    settle(document, newVersion) {
      [saved, present, baseVersion, past, future, isStale] = [document, document, newVersion, [], [], false];
      tell("saved");
    },
    // Another version is in force by now: the draft is to go on top of that one.
    rebase(document, newVersion) {
      [saved, baseVersion, isStale] = [document, newVersion, false];
      tell("saved");
    },
    discard() { change(saved, "discard", "history"); },
    onchange(listener) { listeners.add(listener); },
  };
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}
