// The form of conditions; the address holds them.
import { all } from "./all.js";
import { element } from "./dom.js";
import { FILTERS, addressOf, condition } from "./review-address.js";

const TYPING_MS = 300;
const form = document.getElementById("filters");
const clear = document.getElementById("clear");
const more = document.getElementById("more");
let typing = 0;

export function fillForm() {
  for (const name of FILTERS) form.elements[name].value = condition(name);
  clear.hidden = !FILTERS.some(condition);
}

// `changed` after each change; `cleared` when all were taken away, which one can go back from.
export function watchForm({ changed, cleared }) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      // While the cameras are not known, the one that the address names cannot be chosen: it stays.
      const known = FILTERS.filter((name) => name !== "camera" || form.elements.camera.length > 1);
      const values = known.map((name) => [name, form.elements[name].value.trim() || null]);
      history.replaceState(null, "", addressOf(Object.fromEntries(values)));
      clear.hidden = !FILTERS.some(condition);
      changed();
    }, event.target.name === "q" ? TYPING_MS : 0);
  });
  clear.addEventListener("click", () => { clearForm(); cleared(); });
  more.addEventListener("click", () => {
    more.setAttribute("aria-expanded", String(form.classList.toggle("open")));
  });
}

export function clearForm() {
  history.pushState(null, "", addressOf({ ...Object.fromEntries(FILTERS.map((name) => [name, null])), alert: null }));
}

export async function fillCameras() {
  const select = form.elements.camera;
  try {
    const devices = await all("/api/v1/devices");
    select.append(...devices.map((device) => element("option", { value: device.id }, [device.name])));
  } catch {
    // The list says what is wrong; other conditions work.
  }
  select.value = condition("camera");
}
