// The keys of the queue: each does what a button does too. Never while somebody types.
const typesInto = (node) => node.matches("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");

export function watchKeys({ go, act, pick, leave }) {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || typesInto(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    // Within the evidence the arrows are the player's.
    const isElsewhere = !event.target.closest("#detail > *");
    const does = {
      j: () => go(1), k: () => go(-1),
      ...(isElsewhere ? { ArrowDown: () => go(1), ArrowUp: () => go(-1) } : {}),
      x: () => pick(event.shiftKey),
      s: () => act("seen"), c: () => act("confirmed"), d: () => act("dismissed"),
      Escape: leave,
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });
}
