// The states of review as tabs, each with how many alerts meet the conditions.
import { get } from "./api.js";
import { element, text } from "./dom.js";
import { STATES, addressOf, asked, tabOf } from "./review-address.js";

export function makeTabs(root, { chosen }) {
  let counts = null;
  let turn = 0;

  // How many are in a state, "" for all of them; null while nobody knows.
  const total = (tab) => (counts === null ? null : tab ? counts[tab] : STATES.reduce((sum, state) => sum + counts[state], 0));

  const links = [...STATES, ""].map((state) => {
    const link = element("a", {}, [state ? text.states[state] : text.all_states, element("span", { className: "count" })]);
    link.dataset.state = state || "all";
    return link;
  });
  root.replaceChildren(...links);

  // The links stay, whatever is counted while somebody presses one.
  function draw() {
    const tab = tabOf();
    for (const [n, state] of [...STATES, ""].entries()) {
      const link = links[n];
      link.href = addressOf({ state: state === "new" ? null : state || "all", alert: null });
      link.lastChild.textContent = total(state) ?? "";
      link.lastChild.hidden = counts === null;
      if (state === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  async function count() {
    const mine = turn += 1;
    draw(); // the links lead on with the conditions that the address has by now
    const found = await get("/api/v1/alerts/counts", asked()).catch(() => null); // the list says what is wrong
    if (mine !== turn) return;
    counts = found?.data ?? null;
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
