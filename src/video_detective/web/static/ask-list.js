// A list of very many: only the cards near the window are in the document, and only the pages near
// those in memory. Pages come by cursor, one after the other; one that was let go is asked for again.
import { element, markCurrent } from "./dom.js";

const PAGE = 100;
const CATCH_UP = 500; // what the service gives at most, for those who drag the scroll bar far down
const KEPT = 1500;
const OVERSCAN = 6;
const MOST_ROWS = 100_000; // higher elements than these rows make, browsers do not draw

export function makeList(root, { load, card, failed }) {
  const nodes = new Map();
  let pages = [];
  let next = null;
  let count = 0;
  let at = 0; // the card that Tab goes to
  let row = 1;
  let current = null;
  let turn = 0;
  let isLoading = false;
  let isAsked = false;

  const loaded = () => (pages.length ? pages.at(-1).start + pages.at(-1).count : 0);
  const entryAt = (index) => {
    const page = pages.find((each) => index < each.start + each.count);
    return page?.entries?.[index - page.start];
  };

  function measure() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    row = parseFloat(getComputedStyle(root).getPropertyValue("--row")) * rem;
    root.style.height = `${count * row}px`;
    for (const [index, node] of nodes) node.style.transform = `translateY(${index * row}px)`;
  }

  function range() {
    const top = root.getBoundingClientRect().top;
    return [
      Math.max(0, Math.floor(-top / row) - OVERSCAN),
      Math.min(count, Math.ceil((innerHeight - top) / row) + OVERSCAN),
    ];
  }

  function make(index) {
    const entry = entryAt(index);
    const node = entry ? card(entry) : element("li", { className: "row waiting", tabIndex: -1 }, [element("span", { className: "skeleton" })]);
    node.style.transform = `translateY(${index * row}px)`;
    node.setAttribute("aria-setsize", count);
    node.setAttribute("aria-posinset", index + 1);
    node.dataset.index = index;
    const link = node.querySelector("a");
    if (link) {
      link.tabIndex = index === at ? 0 : -1;
      markCurrent(node, entry.event_id === current);
    }
    return node;
  }

  function draw() {
    isAsked = false;
    if (!root.isConnected || !root.offsetParent) return; // the evidence is shown instead
    const [first, last] = range();
    const focused = root.contains(document.activeElement) ? Number(document.activeElement.closest("li").dataset.index) : -1;
    for (const [index, node] of nodes) {
      if ((index < first || index >= last) && index !== focused) {
        node.remove();
        nodes.delete(index);
      }
    }
    // Tab must find a card also when the one it stood on has been scrolled away.
    if (focused < 0 && (at < first || at >= last)) at = Math.min(last - 1, first + OVERSCAN);
    let before = null;
    for (let index = first; index < last; index += 1) {
      let node = nodes.get(index);
      const isWaiting = node?.classList.contains("waiting");
      if (!node || (isWaiting && entryAt(index))) {
        const fresh = make(index);
        const hadFocus = isWaiting && index === focused;
        if (node) node.replaceWith(fresh);
        else if (before) before.after(fresh);
        else root.prepend(fresh);
        nodes.set(index, fresh);
        node = fresh;
        if (hadFocus) fresh.querySelector("a").focus({ preventScroll: true });
      }
      const link = node.querySelector("a");
      if (link) link.tabIndex = index === at ? 0 : -1;
      before = node;
    }
    fetchMissing(first, last);
  }

  function drawSoon() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(draw);
  }

  async function fetchMissing(first, last) {
    if (isLoading) return;
    const gone = pages.find((page) => !page.entries && page.start < last && page.start + page.count > first);
    if (!gone && (!next || last + OVERSCAN <= loaded())) return;
    const mine = turn;
    const cursor = gone ? gone.cursor : next;
    const limit = gone ? gone.count : last - loaded() > 2 * PAGE ? CATCH_UP : PAGE;
    isLoading = true;
    try {
      const page = await load(cursor, limit);
      if (mine !== turn) return;
      if (gone) gone.entries = page.entries;
      else add(cursor, page);
    } catch (error) {
      if (mine === turn) failed(error, () => { isLoading = false; drawSoon(); });
      return; // stays "loading": nothing more is asked for until somebody tries again
    }
    isLoading = false;
    forget();
    drawSoon();
  }

  function add(cursor, { entries, next: following, total }) {
    pages.push({ start: loaded(), count: entries.length, cursor, entries });
    next = following;
    const rows = Math.min(MOST_ROWS, next ? Math.max(total, loaded() + 1) : loaded());
    if (rows !== count) {
      count = rows;
      root.style.height = `${count * row}px`;
    }
  }

  function forget() {
    const [first, last] = range();
    const distance = (page) => Math.max(page.start - last, first - page.start - page.count, 0);
    const held = pages.filter((page) => page.entries).sort((a, b) => distance(a) - distance(b));
    let kept = 0;
    for (const page of held) {
      kept += page.count;
      if (kept > KEPT && distance(page) > 0) page.entries = null;
    }
  }

  function focusOn(goal) {
    const index = Math.max(0, Math.min(count - 1, goal));
    at = index;
    const top = root.getBoundingClientRect().top + index * row;
    if (top < 0 || top + row > innerHeight) {
      scrollBy(0, top < 0 ? top - 8 : top + row - innerHeight + 8);
    }
    draw();
    const node = nodes.get(index);
    (node?.querySelector("a") ?? node)?.focus({ preventScroll: true });
  }

  root.addEventListener("keydown", (event) => {
    const item = event.target.closest("li");
    if (!item || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = Number(item.dataset.index);
    const page = Math.max(1, Math.floor(innerHeight / row) - 1);
    const goal = {
      ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: count - 1,
    }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    focusOn(goal);
  });
  root.addEventListener("focusin", (event) => {
    const index = Number(event.target.closest("li")?.dataset.index ?? at);
    if (index === at) return;
    const old = nodes.get(at)?.querySelector("a");
    if (old) old.tabIndex = -1;
    at = index;
    const link = nodes.get(at)?.querySelector("a");
    if (link) link.tabIndex = 0;
  });
  addEventListener("scroll", drawSoon, { passive: true });
  addEventListener("resize", () => { measure(); drawSoon(); });

  return {
    // Asks for no more of an answer that another one is about to follow.
    hold() {
      turn += 1;
      isLoading = true;
    },
    // The first page of another answer.
    show(page) {
      turn += 1;
      pages = [];
      next = null;
      count = 0;
      at = 0;
      isLoading = false;
      root.replaceChildren();
      nodes.clear();
      if (page) add(null, page);
      measure();
      draw();
    },
    mark(id) {
      current = id;
      for (const node of nodes.values()) if (node.dataset.event) markCurrent(node, node.dataset.event === id);
    },
    // Draws all cards anew; the focus stays.
    renew() {
      for (const node of nodes.values()) node.classList.add("waiting");
      draw();
    },
    draw,
  };
}
