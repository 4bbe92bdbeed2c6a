// Forms in place and in dialogs; what is wrong stands at its field.
import { explain } from "./api.js";
import { button, element, fill, text } from "./dom.js";

let made = 0;

// One field. `kind` is a type of input, or "select", "area", "checks" (several of a list), "check".
export function field({ name, label, kind = "text", value = "", hint, options = [], ...given }) {
  made += 1;
  const id = `field-${made}`;
  const error = element("p", { className: "failure", id: `${id}-error`, hidden: true });
  const about = hint ? [element("p", { className: "hint", id: `${id}-hint` }, [hint])] : [];
  let inputs;
  let node;
  if (kind === "checks") {
    inputs = options.map(([key, words]) => element("input", { type: "checkbox", value: key, checked: value.includes(key), name: `${name}-${id}` }));
    node = element("fieldset", { className: "checks" }, [
      element("legend", {}, [label]),
      ...about,
      element("div", { className: "choice-list" }, inputs.map((input, at) => element("label", { className: "check" }, [input, options[at][1]]))),
      error,
    ]);
  } else if (kind === "check") {
    inputs = [element("input", { type: "checkbox", id, checked: Boolean(value) })];
    node = element("div", {}, [element("label", { className: "check" }, [inputs[0], label]), ...about, error]);
  } else {
    const input = kind === "select"
      ? element("select", { id }, options.map(([key, words]) => element("option", { value: key, selected: key === value }, [words])))
      : element(kind === "area" ? "textarea" : "input", { id, value, ...(kind === "area" ? { rows: 3 } : { type: kind }), ...given });
    inputs = [input];
    node = element("div", { className: "field" }, [element("label", { htmlFor: id }, [label]), input, ...about, error]);
  }
  const tell = (words) => {
    error.textContent = words;
    error.hidden = !words;
    for (const input of inputs) {
      input.setAttribute("aria-describedby", [words && error.id, hint && `${id}-hint`].filter(Boolean).join(" "));
      if (words) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  };
  tell("");
  for (const input of inputs) input.addEventListener("input", () => tell(""));
  const read = () => {
    if (kind === "checks") return inputs.filter((input) => input.checked).map((input) => input.value);
    if (kind === "check") return inputs[0].checked;
    return kind === "password" ? inputs[0].value : inputs[0].value.trim();
  };
  return { name, node, inputs, read, tell, rules: { kind, ...given } };
}

// What the browser can tell of a value, in the page's own words; "" where nothing is wrong.
function problem({ rules, read, inputs }) {
  const value = read();
  const words = text.settings_forms;
  if (rules.isRequired && !value.length) return rules.kind === "checks" ? words.choose : words.required;
  if (!value.length || rules.kind === "checks") return "";
  if (rules.minLength && value.length < rules.minLength) return fill(words.short, { n: rules.minLength });
  const { badInput, rangeUnderflow, rangeOverflow, stepMismatch, typeMismatch } = inputs[0].validity;
  if (badInput || rangeUnderflow || rangeOverflow || stepMismatch) return fill(words.range, { min: rules.min, max: rules.max });
  return typeMismatch ? words.address : "";
}

// True where every field can be sent; else the first wrong one has the focus.
function check(fields) {
  const wrong = fields.filter((one) => {
    const words = problem(one);
    one.tell(words);
    return words;
  });
  wrong[0]?.inputs[0].focus();
  return !wrong.length;
}

function tellFailure(error, fields, place) {
  const details = error.details ?? [];
  const told = details.flatMap(({ field: path, problem: words }) => {
    const parts = path.split(/[.[\]]/);
    const one = fields.find(({ name }) => parts.includes(name));
    one?.tell(words);
    return one ?? [];
  });
  // What belongs to no field of the form is told below it, with everything else.
  place.textContent = told.length && told.length === details.length ? "" : explain(error);
  place.hidden = !place.textContent;
  (told[0]?.inputs[0] ?? place).focus();
}

// Whose password is asked for, so that password managers know; nobody sees it.
export function userName(name) {
  return element("input", { autocomplete: "username", value: name, readOnly: true, className: "visually-hidden", tabIndex: -1, ariaHidden: "true" });
}

// `act` gets the values by name; the form stays as it is until that has gone well.
export function form(fields, { label, act, extra = [], before = [], notes = [], className = "primary", layout = "fields" }) {
  const failure = element("p", { className: "failure", hidden: true, tabIndex: -1 });
  failure.setAttribute("role", "alert");
  const submit = element("button", { className }, [label]);
  const node = element("form", { noValidate: true, className: "settings-form" }, [
    ...before, element("div", { className: layout }, fields.map((one) => one.node)),
    ...notes, failure,
    element("div", { className: "toolbar" }, [submit, ...extra]),
  ]);
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    failure.hidden = true;
    if (!check(fields)) return;
    submit.disabled = true;
    try {
      await act(Object.fromEntries(fields.map((one) => [one.name, one.read()])));
    } catch (error) {
      if (error.status === undefined) throw error;
      tellFailure(error, fields, failure);
    } finally {
      submit.disabled = false;
    }
  });
  return node;
}

// The same in a dialog, which closes when `act` has gone well; resolves to what it gave, or null.
export function dialogForm(title, fields, { label, act, intro = [], before = [], className }) {
  made += 1;
  const heading = element("h2", { id: `dialog-form-${made}` }, [title]);
  const dialog = element("dialog", {});
  dialog.setAttribute("aria-labelledby", heading.id);
  let given = null;
  dialog.append(heading, ...intro, form(fields, {
    label, className, before, layout: "stack",
    extra: [button(text.cancel, () => dialog.close())],
    act: async (values) => {
      given = await act(values);
      dialog.close();
    },
  }));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(given);
    });
  });
}
