// Pictures of cameras. A camera that is out of reach takes seconds to say so: few are asked at once,
// so that the rest of the page does not wait for them.
import { element, fill, text } from "./dom.js";
import { clockOf, dayOf, zoned } from "./time.js";

const AT_ONCE = 2;
const waiting = [];
let busy = 0;

async function next() {
  if (busy >= AT_ONCE || !waiting.length) return;
  busy += 1;
  await waiting.shift()().catch(() => {});
  busy -= 1;
  next();
}

export async function drawPicture(canvas, bytes) {
  const bitmap = await createImageBitmap(bytes);
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    waiting.push(target.fetchPicture);
    next();
  }
}, { rootMargin: "200px" });

// The newest picture of a device; fetched when it comes into sight.
export function thumbnail(device) {
  const canvas = element("canvas", { className: "thumb", width: 16, height: 9, role: "img", ariaLabel: fill(text.picture_of, { name: device.name }) });
  const note = element("span", { className: "thumb-note" });
  const node = element("div", { className: "thumb-frame skeleton" }, [canvas, note]);
  node.fetchPicture = async () => {
    if (!node.isConnected) return;
    const response = await fetch(`/api/v1/devices/${device.id}/snapshot`).catch(() => null);
    node.classList.remove("skeleton");
    if (!response?.ok) {
      note.textContent = text.no_picture;
      return;
    }
    await drawPicture(canvas, await response.blob());
    node.classList.add("loaded");
    if (response.headers.get("X-Snapshot-Origin") === "stored") {
      const time = zoned(response.headers.get("X-Snapshot-Time"), device.timezone);
      // Short, for it stands on a small picture: of other years the day says enough.
      const isThisYear = dayOf(time).slice(0, 4) === String(new Date().getFullYear());
      note.textContent = fill(text.stored_picture, {
        time: isThisYear ? `${dayOf(time).slice(5)} ${clockOf(time).slice(0, 5)}` : dayOf(time),
      });
      note.title = `${dayOf(time)} ${clockOf(time)}`;
    }
  };
  seen.observe(node);
  return node;
}
