// One event's evidence, the same on every page: pictures, clip, facts, words, hashes, export.
const turns = new WeakMap();

// Draws the record of /api/event/{id} into an element. What it needs is fetched when the first event
// is opened. `close` goes back to where the event was chosen; without it there is no such button.
// `isTold`: a model's words stand on the page already.
export async function showEvent(root, record, options) {
  const turn = (turns.get(root) ?? 0) + 1;
  turns.set(root, turn);
  const { drawEvidence } = await import("./evidence-panel.js");
  if (turns.get(root) === turn) drawEvidence(root, record, options);
}
