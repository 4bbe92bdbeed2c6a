// What is selected, and what may be done with all of it.
import { explain } from "./api.js";
import { element, fill, text } from "./dom.js";
import { tabOf } from "./review-address.js";
import { actionButtons } from "./review-detail.js";
import { toast } from "./shell.js";

const MOST = 2000;
const bar = document.getElementById("bulk");
const picked = document.getElementById("picked");
const every = document.getElementById("pick-all");

export function makeBulk(list, { act, load, matching, hasMore }) {
  function draw() {
    const chosen = list.chosen();
    const shown = list.ids();
    every.checked = shown.length > 0 && shown.every((id) => chosen.includes(id));
    every.indeterminate = chosen.length > 0 && !every.checked;
    bar.hidden = chosen.length === 0;
    if (!chosen.length) return;
    picked.textContent = fill(text.picked, { n: chosen.length });
    const tab = tabOf();
    const rest = element("button", { type: "button", className: "quiet" }, [fill(text.pick_matching, { n: matching() })]);
    rest.addEventListener("click", pickMatching);
    document.getElementById("bulk-actions").replaceChildren(
      ...actionButtons((state) => act(list.chosen(), state), (state) => state !== tab && !(state === "new" && !tab)),
      ...(hasMore() && every.checked && matching() > chosen.length ? [rest] : []),
    );
  }

  // Also those that are not loaded.
  async function pickMatching() {
    picked.textContent = text.picking;
    const found = [];
    let cursor = null;
    try {
      do {
        const page = await load(cursor);
        found.push(...page.data.map((alert) => alert.id));
        cursor = page.meta.pagination.nextCursor;
      } while (cursor && found.length < MOST);
      if (cursor) toast(fill(text.pick_most, { n: MOST }));
    } catch (error) {
      if (error.name !== "AbortError") toast(explain(error));
    }
    list.pick(found, true);
  }

  document.getElementById("unpick").addEventListener("click", () => {
    list.pick(list.chosen(), false);
    every.focus();
  });
  every.addEventListener("change", () => list.pick(every.checked ? list.ids() : list.chosen(), every.checked));
  return { draw };
}
