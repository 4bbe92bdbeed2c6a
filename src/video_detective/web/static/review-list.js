// The list of alerts: by day, with what is selected. Cards stay where they are while somebody reads;
// only what the reader does takes one away.
import { element, fill, english, markCurrent, text } from "./dom.js";
import { card, localTime } from "./review-card.js";
import { dayOf, offsetOf } from "./time.js";

const WEEKDAY = new Intl.DateTimeFormat(english ? "en" : "zh-TW", { weekday: "long", timeZone: "UTC" });

export function makeList(root, { address, open, picked, mayWrite }) {
  const alerts = new Map(); // by id, in order
  const nodes = new Map();
  const chosen = new Set(); // also ids that are not loaded
  let tab = "";
  let current = null;
  let anchor = null; // where a range begins

  const shownIds = () => [...alerts.keys()];

  function make(alert) {
    const node = card(alert, {
      address, tab, isPicked: chosen.has(alert.id), isCurrent: alert.id === current, mayWrite: mayWrite(),
    });
    nodes.set(alert.id, node);
    return node;
  }

  function sectionOf(alert) {
    const at = localTime(alert);
    const key = dayOf(at) + offsetOf(at);
    const last = root.lastElementChild;
    if (last?.dataset.day === key) return last.lastElementChild;
    const list = element("ul");
    const section = element("section", {}, [
      element("h3", {}, [
        `${dayOf(at)} ${WEEKDAY.format(new Date(`${dayOf(at)}T00:00:00Z`))}`,
        element("span", { className: "hint" }, [fill(text.day_zone, { offset: offsetOf(at) })]),
      ]),
      list,
    ]);
    section.dataset.day = key;
    root.append(section);
    return list;
  }

  function add(found) {
    for (const alert of found) {
      if (alerts.has(alert.id)) continue;
      alerts.set(alert.id, alert);
      sectionOf(alert).append(make(alert));
    }
  }

  function show(found, state) {
    tab = state;
    alerts.clear();
    nodes.clear();
    root.replaceChildren();
    add(found);
  }

  // Another picture of the same card: nothing moves, and the focus stays.
  function update(alert) {
    const old = nodes.get(alert.id);
    if (!old) return;
    alerts.set(alert.id, alert);
    const focused = old.contains(document.activeElement) ? (document.activeElement.matches("a") ? "a" : "input") : null;
    const node = make(alert);
    old.replaceWith(node);
    if (focused) node.querySelector(focused)?.focus({ preventScroll: true });
  }

  // Takes cards away; gives the id of the card that is then to be read.
  function remove(ids) {
    const gone = new Set(ids);
    const order = shownIds();
    const from = order.indexOf(focusedId() ?? current);
    const following = order.slice(Math.max(0, from)).find((id) => !gone.has(id))
      ?? order.slice(0, Math.max(0, from)).findLast((id) => !gone.has(id)) ?? null;
    const hadFocus = root.contains(document.activeElement);
    for (const id of gone) {
      const node = nodes.get(id);
      alerts.delete(id);
      nodes.delete(id);
      if (!node) continue;
      const section = node.closest("section");
      node.remove();
      if (!section.querySelector("li")) section.remove();
    }
    if (gone.has(current)) setCurrent(following);
    if (hadFocus && !root.contains(document.activeElement)) focusOn(following);
    return following;
  }

  function setCurrent(id) {
    const before = nodes.get(current);
    if (before) markCurrent(before, false);
    current = id;
    const node = nodes.get(id);
    if (node) markCurrent(node, true);
  }

  function focusOn(id) {
    const link = nodes.get(id)?.querySelector("a");
    if (!link) return;
    link.focus({ preventScroll: true });
    link.closest("li").scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const order = shownIds();
    if (!order.length) return null;
    const at = order.indexOf(focusedId() ?? current);
    const goal = order[at < 0 ? 0 : Math.max(0, Math.min(order.length - 1, at + step))];
    focusOn(goal);
    return goal;
  }

  const focusedId = () => document.activeElement?.closest?.("[data-alert]")?.dataset.alert ?? null;

  function pick(ids, isPicked) {
    for (const id of ids) {
      if (isPicked) chosen.add(id);
      else chosen.delete(id);
      const node = nodes.get(id);
      if (!node) continue;
      node.classList.toggle("picked", isPicked);
      const check = node.querySelector("input");
      if (check) check.checked = isPicked;
    }
    picked();
  }

  function pickTo(id, isPicked, isRange) {
    const order = shownIds();
    const [from, to] = [order.indexOf(anchor), order.indexOf(id)].sort((a, b) => a - b);
    pick(isRange && from >= 0 ? order.slice(from, to + 1) : [id], isPicked);
    anchor = id;
  }

  root.addEventListener("click", (event) => {
    const id = event.target.closest("[data-alert]")?.dataset.alert;
    if (!id || event.ctrlKey || event.metaKey) return;
    if (event.target.matches("input")) return pickTo(id, event.target.checked, event.shiftKey);
    if (!event.target.closest("a")) return;
    event.preventDefault();
    if (event.shiftKey && mayWrite()) pickTo(id, true, true);
    else open(id);
  });

  return {
    show, add, update, remove, setCurrent, focusOn, move, focusedId, pick,
    toggle: (id, isRange) => pickTo(id, !chosen.has(id), isRange),
    get: (id) => alerts.get(id),
    ids: shownIds,
    chosen: () => [...chosen],
    currentId: () => current,
    isEmpty: () => alerts.size === 0,
  };
}
