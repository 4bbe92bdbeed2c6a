// How many alerts nobody has looked at, in the navigation of every page.
import { get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { subscribe } from "./live.js";

const MOST = 999;
const TOGETHER_MS = 700; // many alerts are counted once
let timer = 0;

async function count() {
  timer = 0;
  const badge = document.getElementById("nav-new");
  try {
    const { data } = await get("/api/v1/alerts/counts");
    const pages = badge.closest(".pages");
    const before = pages.scrollWidth;
    badge.hidden = data.new === 0;
    badge.replaceChildren(
      element("span", { ariaHidden: "true" }, [data.new > MOST ? `${MOST}+` : String(data.new)]),
      element("span", { className: "visually-hidden" }, [fill(text.nav_new, { n: data.new })]),
    );
    // It pushes what comes after it along: the current page must not slip out of a narrow navigation.
    if (pages.scrollLeft) pages.scrollLeft += pages.scrollWidth - before;
  } catch {
    // It shows what was last known; whoever opens the queue is told what is wrong.
  }
}

function countSoon() {
  timer ||= setTimeout(count, TOGETHER_MS);
}

export function showNew() {
  // First: what changes while it counts is counted again.
  subscribe({ alert: countSoon, insight: countSoon, review: countSoon, reconnected: countSoon });
  count();
}
