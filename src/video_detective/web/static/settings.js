// Settings: one part at a time; which one stands in the address.
import { failureNotice, session } from "./api.js";
import { element, markCurrent, text } from "./dom.js";
import { setTitle } from "./shell.js";

// What each part needs, in the order of the tabs. A module is fetched when its part is opened.
const PARTS = [
  ["general", null, () => import("./settings-general.js")],
  ["models", "admin", () => import("./settings-models.js")],
  ["queue", "analytics:read", () => import("./settings-queue.js")],
  ["notifications", "analytics:read", () => import("./settings-notifications.js")],
  ["users", "admin", () => import("./settings-users.js")],
  ["keys", "admin", () => import("./settings-keys.js")],
  ["retention", "admin", () => import("./settings-retention.js")],
  ["audit", "admin", () => import("./settings-audit.js")],
  ["licences", "admin", () => import("./settings-licences.js")],
  ["about", "devices:read", () => import("./settings-about.js")],
];
const tabs = document.getElementById("tabs");
const root = document.getElementById("part");
let leave = () => {};
let turn = 0;

function go(parameters, { isSame = false } = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  history[isSame ? "replaceState" : "pushState"](null, "", `/settings?${query}`);
}

function drawTabs(shown, current) {
  tabs.replaceChildren(...shown.map(([name]) => {
    const link = element("a", { href: `/settings?tab=${name}` }, [text.settings_tabs[name]]);
    if (name === current) markCurrent(link, true);
    return link;
  }));
  const link = tabs.querySelector("[aria-current]");
  if (link) tabs.scrollLeft = link.offsetLeft - (tabs.clientWidth - link.offsetWidth) / 2;
}

async function show() {
  turn += 1;
  const mine = turn;
  leave();
  leave = () => {};
  root.setAttribute("aria-busy", "true");
  try {
    const caller = await session();
    const shown = PARTS.filter(([, needs]) => !needs || caller.scopes.includes(needs));
    const wanted = new URLSearchParams(location.search).get("tab");
    const [name, , open] = shown.find(([one]) => one === wanted) ?? shown[0];
    drawTabs(shown, name);
    setTitle(`${text.settings_tabs[name]} · ${text.nav.settings}`);
    const isCurrent = () => mine === turn;
    const part = await open();
    if (!isCurrent()) return;
    // Built apart from the page, so that a part that was left shows nothing any more.
    const place = element("section", { className: `part part-${name}` });
    const end = await part.show(place, { caller, isAdmin: caller.scopes.includes("admin"), isCurrent, go });
    if (!isCurrent()) return end?.();
    leave = end ?? leave;
    root.replaceChildren(place);
  } catch (error) {
    // A mistake of ours is for the console; people are told all the same.
    if (error.status === undefined) console.error(error);
    if (mine === turn) root.replaceChildren(element("div", { className: "card notice" }, failureNotice(error, show)));
  } finally {
    if (mine === turn) root.removeAttribute("aria-busy");
  }
}

tabs.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show().then(() => {
    if (!root.contains(document.activeElement)) tabs.querySelector("[aria-current]")?.focus();
  });
});
window.addEventListener("popstate", show);
show();
