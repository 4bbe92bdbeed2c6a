// What every page has around it: menu, language, appearance, signing out, messages.
import { explain, send, session } from "./api.js";
import { element, fill, text } from "./dom.js";

const YEAR_S = 31_536_000;
const TOAST_MS = 8000;
const root = document.documentElement;
const menu = document.querySelector(".menu");

// On a narrow screen the navigation is wider than its place.
const current = document.querySelector(".pages [aria-current]");
if (current) current.parentElement.scrollLeft = current.offsetLeft - (current.parentElement.clientWidth - current.offsetWidth) / 2;

// The choice of a language stays on the page that is shown.
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const parameters = new URLSearchParams(location.search);
    parameters.set("lang", link.lang);
    location.search = parameters;
  });
}

const themes = document.querySelectorAll("[data-choose-theme]");
for (const button of themes) {
  button.addEventListener("click", () => {
    const theme = button.dataset.chooseTheme;
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    document.cookie = `vd_theme=${theme}; path=/; max-age=${theme ? YEAR_S : 0}; samesite=strict`;
    for (const other of themes) other.setAttribute("aria-pressed", String(other === button));
  });
}

document.addEventListener("click", (event) => {
  if (menu.open && !menu.contains(event.target)) menu.open = false;
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menu.open = false;
  menu.firstElementChild.focus();
});
menu.addEventListener("toggle", async () => {
  if (!menu.open) return;
  const caller = await session().catch(() => null);
  document.getElementById("who").textContent = caller ? fill(text.signed_in_as, { name: caller.name }) : "";
});

document.getElementById("sign-out").addEventListener("click", async () => {
  try {
    await send("DELETE", "/api/v1/session");
  } catch (error) {
    // Whoever leaves must see that they may not have left.
    if (error.status !== 401) return toast(explain(error));
  }
  location.replace("/signed-out");
});

// Once the page itself is there, and without it where somebody has left by then.
if (document.getElementById("nav-new")) {
  const show = () => import("./live-badge.js").then(({ showNew }) => showNew(), () => {});
  if (document.readyState === "complete") show();
  else addEventListener("load", show);
}

export function setTitle(words) {
  document.title = words ? `${words} · ${text.title}` : text.title;
}

// A short message; `action` and what it does may be offered, for example undoing.
export function toast(message, { action, run } = {}) {
  const node = element("div", { className: "toast" }, [element("span", {}, [message])]);
  const end = () => node.remove();
  if (action) {
    const button = element("button", { type: "button" }, [action]);
    button.addEventListener("click", () => { end(); run(); });
    node.append(button);
  }
  const close = element("button", { type: "button", className: "quiet", ariaLabel: text.close }, ["×"]);
  close.addEventListener("click", end);
  node.append(close);
  document.getElementById("toasts").append(node);
  let timer = setTimeout(end, TOAST_MS);
  // Nobody loses a button while going for it.
  for (const kind of ["pointerenter", "focusin"]) node.addEventListener(kind, () => clearTimeout(timer));
  for (const kind of ["pointerleave", "focusout"]) node.addEventListener(kind, () => { timer = setTimeout(end, TOAST_MS); });
}
