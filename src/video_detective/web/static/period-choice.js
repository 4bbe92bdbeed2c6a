// The form of a period and a camera, alike on the pages of statistics and of reports; both stand in
// the address.
import { all } from "./all.js";
import { failureNotice, session } from "./api.js";
import { element, fill, text } from "./dom.js";
import { daysBetween, writePeriod } from "./period.js";

const LONGEST_DAYS = 92;
const byId = (id) => document.getElementById(id);
const [choice, device, own, from, to, problem, told] = ["choice", "device", "own", "from", "to", "own-problem", "told"].map(byId);
const presets = [...document.querySelectorAll("[data-preset]")];

export const parameters = () => new URLSearchParams(location.search);

// Shows in the form what is chosen.
export function markChoice(state) {
  for (const button of presets) button.setAttribute("aria-pressed", String(button.dataset.preset === state.preset));
  own.hidden = state.preset !== "own";
  [from.value, to.value, problem.textContent] = [state.first, state.last, ""];
  device.value = state.device?.id ?? "";
}

// `chosen` reads the address, `show` shows what it says. Gives `go`, which changes the address.
export function listen({ chosen, show }) {
  function go(change) {
    const next = parameters();
    change(next);
    history.pushState(null, "", `${location.pathname}?${next}`);
    show();
  }

  for (const button of presets) {
    button.addEventListener("click", () => {
      const preset = button.dataset.preset;
      const { first, last } = chosen();
      go((next) => writePeriod(next, { preset, first, last }));
      if (preset === "own") from.focus();
    });
  }
  device.addEventListener("change", () => go((next) => (device.value ? next.set("device", device.value) : next.delete("device"))));
  choice.addEventListener("submit", (event) => {
    event.preventDefault();
    const days = daysBetween(from.value, to.value) + 1;
    problem.textContent = days < 1 ? text.ends_before : days > LONGEST_DAYS ? fill(text.too_long, { days: LONGEST_DAYS }) : "";
    to.setAttribute("aria-invalid", String(Boolean(problem.textContent)));
    if (!problem.textContent) go((next) => writePeriod(next, { preset: "own", first: from.value, last: to.value }));
  });
  // Until the cameras are known there is nothing to show.
  window.addEventListener("popstate", () => { if (!choice.inert) show(); });
  return go;
}

// Fills the form with cameras and opens it, then calls `ready(account, devices)`.
export async function start(ready) {
  let known;
  try {
    known = await Promise.all([session(), all("/api/v1/devices")]);
  } catch (error) {
    told.replaceChildren(element("div", { className: "card notice failure", role: "alert" }, failureNotice(error, () => start(ready))));
    return;
  }
  told.replaceChildren();
  device.append(...known[1].map((one) => element("option", { value: one.id }, [one.name])));
  choice.inert = false;
  ready(...known);
}
