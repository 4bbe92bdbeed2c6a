// The states of review as tabs, each with how many alerts meet the conditions.
import { get } from "./api.js";
import { element, text } from "./dom.js";
import { STATES, addressOf, asked, tabOf } from "./review-address.js";

export function makeTabs(root, { chosen }) {
  let counts = null;

  // How many are in a state, "" for all of them; null while nobody knows.
  const total = (tab) => (counts === null ? null : tab ? counts[tab] : STATES.reduce((sum, state) => sum + counts[state], 0));

  function draw() {
    const tab = tabOf();
    const links = [...STATES, ""].map((state) => {
      const link = element("a", { href: addressOf({ state: state === "new" ? null : state || "all", alert: null }) }, [
        state ? text.states[state] : text.all_states,
        ...(counts ? [element("span", { className: "count" }, [String(total(state))])] : []),
      ]);
      link.dataset.state = state || "all";
      if (state === tab) link.setAttribute("aria-current", "page");
      return link;
    });
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.state : null;
    root.replaceChildren(...links);
    if (focused) links.find((link) => link.dataset.state === focused).focus();
  }

  async function count() {
    try {
      counts = (await get("/api/v1/alerts/counts", asked())).data;
    } catch {
      counts = null; // the list says what is wrong
    }
    draw();
  }

  root.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    chosen();
  });
  return { draw, count, total };
}
