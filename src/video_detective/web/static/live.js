// What changes, as it changes: one stream of server-sent events for the whole page. Browsers open
// few connections to a service at once, so a page that nobody sees lets its own go.
import { get } from "./api.js";

const KINDS = ["alert", "insight", "review", "job", "device"];
const HIDDEN_MS = 20_000;
const LEAST_MS = 2000;
const MOST_MS = 60_000;
const listeners = new Set();
let source = null;
let isBroken = false; // something may have been missed
let isOver = false; // nobody is signed in any more
let wait = LEAST_MS;
let again = 0;
let hiding = 0;

// Functions by kind, each called with the event's data; `reconnected` after a break, when whatever
// is shown should be asked for again. Gives back what ends it.
export function subscribe(functions) {
  listeners.add(functions);
  open();
  return () => {
    listeners.delete(functions);
    if (!listeners.size) close();
  };
}

function tell(kind, data) {
  for (const functions of listeners) functions[kind]?.(data);
}

function open() {
  if (source || again || isOver || document.hidden || !listeners.size) return;
  const stream = source = new EventSource("/api/v1/live");
  for (const kind of KINDS) stream.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
  stream.addEventListener("reset", () => tell("reconnected"));
  stream.addEventListener("open", () => {
    wait = LEAST_MS;
    if (isBroken) tell("reconnected");
    isBroken = false;
  });
  stream.addEventListener("error", () => {
    isBroken = true;
    // Where the connection broke the browser tries by itself, from where it was.
    if (stream.readyState === EventSource.CLOSED && stream === source) retry();
  });
}

function close() {
  source?.close();
  source = null;
  clearTimeout(again);
  again = 0;
}

// The service refused: it is asked less and less often, and not at all by whom it does not know.
function retry() {
  close();
  again = setTimeout(async () => {
    try {
      await get("/api/v1/session");
    } catch (error) {
      isOver = error.status === 401;
    }
    again = 0;
    open();
  }, wait * (0.75 + Math.random() / 2));
  wait = Math.min(MOST_MS, wait * 2);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (!document.hidden) return open();
  hiding = setTimeout(() => {
    if (source) isBroken = true;
    close();
  }, HIDDEN_MS);
});
