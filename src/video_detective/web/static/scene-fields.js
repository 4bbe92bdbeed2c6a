// Fields of a form, made from the schema of what they hold. Names, units and explanations come from
// the catalogue by the field's name; a field without a text is shown by its name.
import { element, text } from "./dom.js";
import { fieldName, labelOf, ruleTitle } from "./scene-document.js";
import { scheduleField } from "./scene-schedule.js";

const UNITS = [[/_px_s$/, "px_s"], [/(_s|_seconds|seconds)$/, "s"], [/_deg$/, "deg"], [/fps$/, "fps"]];
const HEIGHTS = new Set(["radius", "owner_distance", "max_shift", "min_distance", "min_leg", "hysteresis"]);
const COMPASS = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];
let numbering = 0;

export function resolve(schema, root) {
  return schema.$ref ? root.$defs[schema.$ref.split("/").pop()] : schema;
}

// The forms that a value may have, without null; and whether it may be left out.
function formsOf(schema, root) {
  const forms = (schema.anyOf ?? [schema]).map((form) => resolve(form, root));
  const isOptional = forms.some((form) => form.type === "null");
  return { forms: forms.filter((form) => form.type !== "null"), isOptional };
}

function unitOf(name) {
  if (HEIGHTS.has(name)) return text.unit.heights;
  const found = UNITS.find(([pattern]) => pattern.test(name));
  return found ? text.unit[found[1]] : "";
}

// { node, path }: the node has its label, explanation and place for a complaint.
// context: { root (the schema), document (the draft), kind (of the rule), item (the rule) }.
export function field(name, schema, value, context, onchange) {
  const { forms, isOptional } = formsOf(schema, context.root);
  const control = controlFor(name, schema, forms, isOptional, value, context, onchange);
  const label = fieldName(context.kind, name);
  const explained = text.explained_of[context.kind]?.[name] ?? text.explained[name];
  numbering += 1;
  const hint = explained ? element("span", { className: "hint", id: `explained-${numbering}` }, [explained]) : null;
  const complaint = element("span", { className: "failure", id: `complaint-${numbering}`, hidden: true });
  const unit = control.unit ? element("span", { className: "unit" }, [control.unit]) : null;
  const isGroup = Boolean(control.group);
  const title = element("span", { className: "field-name" }, [label, ...(control.isRequired ? [element("span", { className: "needed" }, [text.required])] : [])]);
  const input = control.node;
  const node = isGroup
    ? element("fieldset", { className: "field scene-field" }, [element("legend", {}, [label]), input])
    : element("label", { className: "field scene-field" }, [title, unit ? element("span", { className: "with-unit" }, [input, unit]) : input]);
  const target = isGroup ? node : input;
  target.setAttribute("aria-describedby", [hint?.id, complaint.id].filter(Boolean).join(" "));
  const whole = element("div", { className: "field-whole" }, [node, ...(hint ? [hint] : []), complaint]);
  whole.complain = (words) => {
    complaint.hidden = !words;
    complaint.textContent = words ?? "";
    if (words) target.setAttribute("aria-invalid", "true");
    else target.removeAttribute("aria-invalid");
  };
  whole.input = isGroup ? input.querySelector("input, select, button") : input;
  return whole;
}

function controlFor(name, schema, forms, isOptional, value, context, onchange) {
  const [form] = forms;
  if (name === "schedule") return { group: true, node: scheduleField(value ?? [], onchange) };
  if (schema["x-paths"]) return { node: metricField(schema["x-paths"], value, context, onchange), isRequired: true };
  if (schema["x-refers"]) return { node: reference(name, schema["x-refers"], isOptional, value, context, onchange), isRequired: !isOptional };
  if (forms.length === 2 && forms[1].type === "object") return numberByClass(name, forms, value, context, onchange);
  if (form.type === "array" && form.prefixItems) return { node: direction(value, onchange) };
  if (form.type === "array" && (form.items?.enum || form.items?.["x-refers"])) return { group: true, node: boxes(form.items, value ?? [], context, onchange) };
  if (form.enum) return { node: choice(name, form.enum, isOptional, value, onchange, context) };
  if (form.type === "boolean") return { node: checkbox(value, onchange) };
  if (form.type === "number" || form.type === "integer") return { node: number(form, isOptional, value, onchange), unit: unitOf(name) };
  return { node: words(form, isOptional, value, onchange) };
}

export function number(form, isOptional, value, onchange) {
  const input = element("input", { type: "number", inputMode: "decimal", value: value ?? "", required: !isOptional });
  input.step = form.type === "integer" ? "1" : "any";
  if (form.minimum > -1e9) input.min = form.minimum;
  if (form.maximum < 1e9) input.max = form.maximum;
  if (isOptional) input.placeholder = text.value_none;
  input.addEventListener("input", () => {
    onchange(input.value === "" || Number.isNaN(input.valueAsNumber) ? null : input.valueAsNumber);
  });
  return input;
}

function words(form, isOptional, value, onchange) {
  const input = element("input", { value: value ?? "", maxLength: 200, required: !isOptional });
  if (form.pattern) input.pattern = form.pattern.replace(/^\^|\$$/g, "").replace(/_-\]/g, "_\\-]");
  input.addEventListener("input", () => onchange(input.value === "" && isOptional ? null : input.value));
  return input;
}

function checkbox(value, onchange) {
  const input = element("input", { type: "checkbox", checked: Boolean(value) });
  input.addEventListener("change", () => onchange(input.checked));
  return input;
}

function select(options, value, onchange) {
  const input = element("select", {}, options.map(([key, label]) => element("option", { value: key, selected: key === (value ?? "") }, [label])));
  input.addEventListener("change", () => onchange(input.value === "" ? null : input.value));
  return input;
}

// What the directions over a rule's tripwire are called.
function waysOf({ document, item }) {
  const named = document.tripwires[item.tripwire]?.directions ?? {};
  return Object.fromEntries(Object.entries(named).filter(([, name]) => name));
}

function choice(name, values, isOptional, value, onchange, context) {
  const names = name === "direction" ? waysOf(context) : {};
  const options = values.map((one) => [one, names[one] ?? text.choice[one] ?? one]);
  return select(isOptional ? [["", text.no_reference[name] ?? text.value_none], ...options] : options, value, onchange);
}

// The zones or tripwires that are drawn; one that is gone stays to be seen.
function reference(name, part, isOptional, value, { document }, onchange) {
  const known = Object.keys(document[part]);
  const options = known.map((id) => [id, labelOf(document, part, id)]);
  if (isOptional) options.unshift(["", text.no_reference[name] ?? text.value_none]);
  else if (!value || !known.includes(value)) options.unshift([value ?? "", value ? `${value} ${text.reference_gone}` : text.choose]);
  return select(options, value, onchange);
}

function metricField(paths, value, { document }, onchange) {
  const node = element("select");
  if (!value) node.append(element("option", { value: "" }, [text.choose]));
  let isKnown = !value;
  for (const part of ["zones", "tripwires"]) {
    for (const id of Object.keys(document[part])) {
      const group = element("optgroup", { label: labelOf(document, part, id) });
      for (const path of paths.filter((one) => one.startsWith(`${part}.`))) {
        const whole = path.replace("*", id);
        isKnown ||= whole === value;
        group.append(element("option", { value: whole, selected: whole === value }, [text.metric[path.split(".").pop()] ?? path]));
      }
      node.append(group);
    }
  }
  if (!isKnown) node.prepend(element("option", { value, selected: true }, [`${value} ${text.reference_gone}`]));
  node.addEventListener("change", () => onchange(node.value));
  return node;
}

function boxes(items, value, { document }, onchange) {
  const known = items.enum ?? document.rules.map((rule) => rule.id);
  const all = [...new Set([...known, ...value])];
  const chosen = new Set(value);
  if (!all.length) return element("span", { className: "hint" }, [text.value_none]);
  return element("span", { className: "boxes" }, all.map((one) => {
    const input = checkbox(chosen.has(one), (isOn) => {
      if (isOn) chosen.add(one);
      else chosen.delete(one);
      onchange(all.filter((each) => chosen.has(each)));
    });
    const rule = items["x-refers"] && document.rules.find(({ id }) => id === one);
    return element("label", { className: "check" }, [
      input, rule ? `${ruleTitle(document, rule)} (${one})` : text.rule_kind[one] ?? text.choice[one] ?? one,
    ]);
  }));
}

// One number for all, or one for each class.
function numberByClass(name, forms, value, context, onchange) {
  if (value === null || typeof value !== "object") return { node: number(forms[0], false, value, onchange), unit: unitOf(name) };
  const table = { ...value };
  return {
    group: true,
    node: element("span", { className: "boxes" }, Object.keys(table).map((kind) => element("label", { className: "field" }, [
      text.choice[kind] ?? kind,
      number(forms[0], false, table[kind], (next) => { table[kind] = next; onchange({ ...table }); }),
    ]))),
  };
}

// A direction in the picture: eight of them by name; another one stays as it is.
function direction(value, onchange) {
  const index = COMPASS.findIndex(([x, y]) => value && Math.sign(value[0]) === x && Math.sign(value[1]) === y
    && (x === 0 || y === 0 || Math.abs(value[0]) === Math.abs(value[1])));
  const options = COMPASS.map((_, i) => [String(i), text.compass[i]]);
  if (index < 0) options.unshift(["", value ? value.join(", ") : text.choose]);
  return select(options, index < 0 ? "" : String(index), (chosen) => { if (chosen !== null) onchange(COMPASS[chosen]); });
}
