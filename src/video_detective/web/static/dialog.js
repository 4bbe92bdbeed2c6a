// Questions that must be answered before anything else.
import { element, text } from "./dom.js";

// Opens a dialog with these nodes; resolves to the value of the button that closed it, "" for Escape.
export function ask(title, body, buttons) {
  const heading = element("h2", { id: `dialog-${Date.now()}` }, [title]);
  const form = element("form", { method: "dialog" }, [
    heading, ...body,
    element("div", { className: "toolbar end" }, buttons.map(({ label, value, className = "", plain = false }) =>
      element("button", { value, className, formNoValidate: plain }, [label]))),
  ]);
  const dialog = element("dialog", {}, [form]);
  dialog.setAttribute("aria-labelledby", heading.id);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

// Whether somebody who was asked in a dialog said yes.
export async function confirmAction({ title, body = "", action, danger = false }) {
  const chosen = await ask(title, body ? [element("p", {}, [body])] : [], [
    { label: text.cancel, value: "", plain: true },
    { label: action, value: "yes", className: danger ? "danger" : "primary" },
  ]);
  return chosen === "yes";
}
