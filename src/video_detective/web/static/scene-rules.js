// The rules of a draft and which events are alerts: one form for each, made from the schema.
import { element, fill, text } from "./dom.js";
import { ruleTitle } from "./scene-document.js";
import { field, resolve } from "./scene-fields.js";

// Seen at once; everything else of a rule is under "more".
const FIRST = [
  "zone", "tripwire", "direction", "metric", "operator", "threshold", "for_seconds", "enter_s", "min_seconds",
  "min_people", "min_crossings", "allowed", "limit_px_s", "severity", "min_risk", "rules", "schedule",
];
const FIRST_OF = { rule: new Set(FIRST), alert: new Set(["severity", "min_risk", "rules", "schedule", "cooldown_s"]) };
const HIDDEN = new Set(["type"]);
// What is looked for at all, beside the rules; files of models are set where the service runs.
const LOOKING = { sampling: ["fps", "idle_fps"], detection: ["threshold", "classes"], attributes: ["every_s"] };

export function ruleKinds(schema) {
  return Object.entries(schema.properties.rules.items.discriminator.mapping)
    .map(([kind, ref]) => [kind, resolve({ $ref: ref }, schema)]);
}

function defaultsOf(schema) {
  return Object.fromEntries(Object.entries(schema.properties).map(([name, part]) => [name, structuredClone(part.default ?? null)]));
}

function freeId(list, stem) {
  const taken = new Set(list.map((one) => one.id));
  let n = 1;
  while (taken.has(`${stem}-${n}`)) n += 1;
  return `${stem}-${n}`;
}

// A rule of that kind with the schema's defaults, about the shape that is selected or the only one.
export function newRule(schema, kind, document, selectedKey = null) {
  const part = ruleKinds(schema).find(([name]) => name === kind)[1];
  const rule = defaultsOf(part);
  rule.id = freeId(document.rules, kind.replaceAll("_", "-"));
  const [selectedKind, selectedId] = selectedKey?.split(/:(.*)/s) ?? [];
  for (const [name, shapes] of [["zone", document.zones], ["tripwire", document.tripwires]]) {
    if (!(name in part.properties)) continue;
    const ids = Object.keys(shapes);
    const isNeeded = part.required.includes(name);
    if (selectedKind === name && (isNeeded || name === "zone")) rule[name] = selectedId;
    else if (isNeeded) rule[name] = ids.length === 1 ? ids[0] : "";
  }
  if ("metric" in part.properties) {
    const zone = selectedKind === "zone" ? selectedId : Object.keys(document.zones)[0];
    const wire = Object.keys(document.tripwires)[0];
    rule.metric = zone ? `zones.${zone}.count` : wire ? `tripwires.${wire}.left_to_right` : "";
    rule.threshold = 5;
  }
  if (kind === "wrong_way") rule.allowed = [1, 0];
  if (kind === "crowding" && !rule.zone) rule.radius = 0.2;
  return rule;
}

export function rulesPanel({ schema, draft, canEdit, selectedKey, onselect }) {
  const root = element("div", { className: "rules" });
  const fields = new Map();
  const opened = new Set();
  let complaints = new Map();

  const alertSchema = resolve({ $ref: "#/$defs/AlertRule" }, schema);
  const partOf = (kind) => ruleKinds(schema).find(([name]) => name === kind)?.[1];

  function change(part, index, name, value) {
    const list = draft.document[part].map((one, i) => (i === index ? { ...one, [name]: value } : one));
    const path = `${part}[${index}].${name}`;
    fields.get(path)?.complain(null);
    // Of another tripwire the directions are called otherwise.
    draft.change({ ...draft.document, [part]: list }, path, name === "tripwire" ? "rules" : "field");
  }

  function removeAt(part, index) {
    const list = draft.document[part].filter((_, i) => i !== index);
    const next = { ...draft.document, [part]: list };
    if (part === "rules" && next.alerts) {
      const gone = draft.document.rules[index].id;
      // An alert rule that named only this one would then take every rule.
      next.alerts = next.alerts
        .filter((alert) => !(alert.rules.length === 1 && alert.rules[0] === gone))
        .map((alert) => ({ ...alert, rules: alert.rules.filter((id) => id !== gone) }));
    }
    draft.change(next, `remove ${part} ${Math.random()}`, "rules");
  }

  function card(part, item, index, itemSchema, title) {
    const context = { root: schema, document: draft.document, item, kind: part === "alerts" ? "alert" : item.type };
    const first = FIRST_OF[part === "alerts" ? "alert" : "rule"];
    const make = (name) => {
      const path = `${part}[${index}].${name}`;
      const node = field(name, itemSchema.properties[name], item[name], context, (value) => {
        change(part, index, name, value);
        heading.textContent = part === "rules" ? ruleTitle(draft.document, draft.document.rules[index]) : title;
      });
      fields.set(path, node);
      return node;
    };
    const names = Object.keys(itemSchema.properties).filter((name) => !HIDDEN.has(name));
    const order = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : 99);
    const heading = element("h2", {}, [title]);
    const remove = element("button", { type: "button", className: "quiet", hidden: !canEdit, ariaLabel: fill(text.remove_named, { name: `${title} (${item.id})` }) }, [text.remove]);
    remove.addEventListener("click", () => removeAt(part, index));
    const key = `${part}:${item.id}`;
    const more = element("details", { open: opened.has(key) }, [
      element("summary", {}, [text.more_settings]),
      element("div", { className: "scene-fields" }, names.filter((name) => !first.has(name)).map(make)),
    ]);
    more.addEventListener("toggle", () => (more.open ? opened.add(key) : opened.delete(key)));
    const complaint = element("p", { className: "failure", hidden: true });
    const node = element("li", { className: "card rule" }, [
      element("div", { className: "rule-head" }, [heading, remove]),
      complaint,
      element("div", { className: "scene-fields" }, names.filter((name) => first.has(name)).sort((a, b) => order(a) - order(b)).map(make)),
      more,
    ]);
    node.complain = (words) => { complaint.hidden = !words; complaint.textContent = words ?? ""; };
    fields.set(`${part}[${index}]`, node);
    if (!canEdit) for (const input of node.querySelectorAll("input, select, button")) input.disabled = true;
    node.addEventListener("focusin", () => {
      if (part === "rules") onselect(item.zone ? `zone:${item.zone}` : item.tripwire ? `tripwire:${item.tripwire}` : null);
    });
    return node;
  }

  function addRule() {
    const kind = element("select", { id: "new-rule-kind", ariaLabel: text.new_rule_kind }, [
      element("option", { value: "" }, [text.choose_rule]),
      ...ruleKinds(schema).map(([name]) => element("option", { value: name }, [text.rule_kind[name] ?? name])),
    ]);
    const hint = element("p", { className: "hint", ariaLive: "polite" });
    const add = element("button", { type: "button", disabled: true }, [text.add_rule]);
    kind.addEventListener("change", () => {
      add.disabled = !kind.value;
      hint.textContent = text.rule_meaning[kind.value] ?? "";
    });
    add.addEventListener("click", () => {
      const { document } = draft;
      draft.change({ ...document, rules: [...document.rules, newRule(schema, kind.value, document, selectedKey())] }, `add rule ${Math.random()}`, "rules");
      root.querySelector(".rule-list > li:last-child select, .rule-list > li:last-child input")?.focus();
    });
    return [element("div", { className: "toolbar add-rule" }, [kind, add]), hint];
  }

  function alertsPart() {
    const { document } = draft;
    const every = element("input", { type: "radio", name: "alerts", checked: document.alerts === null });
    const some = element("input", { type: "radio", name: "alerts", checked: document.alerts !== null });
    const newAlert = (list) => ({ ...defaultsOf(alertSchema), id: freeId(list, "alert") });
    every.addEventListener("change", () => draft.change({ ...draft.document, alerts: null }, "alerts", "rules"));
    some.addEventListener("change", () => draft.change({ ...draft.document, alerts: [newAlert([])] }, "alerts", "rules"));
    const add = element("button", { type: "button", hidden: !canEdit || document.alerts === null }, [text.add_alert]);
    add.addEventListener("click", () => draft.change(
      { ...draft.document, alerts: [...draft.document.alerts, newAlert(draft.document.alerts)] }, `add alert ${Math.random()}`, "rules",
    ));
    every.disabled = some.disabled = !canEdit;
    return [
      element("fieldset", { className: "alerts-choice" }, [
        element("legend", {}, [text.alerts_title]),
        element("label", { className: "check" }, [every, text.alerts_every]),
        element("label", { className: "check" }, [some, text.alerts_some]),
      ]),
      element("ul", { className: "rule-list" }, (document.alerts ?? []).map((alert, index) => card("alerts", alert, index, alertSchema, fill(text.an_alert_rule, { id: alert.id })))),
      add,
    ];
  }

  function lookingPart() {
    const { document } = draft;
    const made = Object.entries(LOOKING).flatMap(([part, names]) => {
      const { properties } = resolve(schema.properties[part], schema);
      return names.map((name) => {
        const path = `${part}.${name}`;
        const node = field(name, properties[name], document[part]?.[name] ?? properties[name].default, { root: schema, document, kind: part }, (value) => {
          fields.get(path).complain(null);
          draft.change({ ...draft.document, [part]: { ...draft.document[part], [name]: value } }, path, "field");
        });
        fields.set(path, node);
        if (!canEdit) for (const input of node.querySelectorAll("input")) input.disabled = true;
        return node;
      });
    });
    const node = element("details", { className: "looking", open: opened.has("looking") }, [
      element("summary", {}, [text.looking_title]), element("div", { className: "scene-fields" }, made),
    ]);
    node.addEventListener("toggle", () => (node.open ? opened.add("looking") : opened.delete("looking")));
    return node;
  }

  function render() {
    const { document } = draft;
    fields.clear();
    root.replaceChildren(
      ...(canEdit ? addRule() : []),
      element("ul", { className: "rule-list" }, document.rules.flatMap((rule, index) => {
        const part = partOf(rule.type);
        return part ? [card("rules", rule, index, part, ruleTitle(document, rule))] : [];
      })),
      ...(document.rules.length ? [] : [element("p", { className: "empty" }, [text.no_rules])]),
      ...alertsPart(),
      lookingPart(),
    );
    complain(complaints);
  }

  // Complaints by path, such as "rules[2].zone"; gives back those that no field here has.
  function complain(found) {
    complaints = found;
    const left = new Map(found);
    for (const [path, node] of fields) {
      const exact = found.get(path);
      // "classes[3]" or "schedule[0].hours" is told at the field that has it.
      const inner = node.input ? [...found].find(([at]) => at.startsWith(`${path}[`) || at.startsWith(`${path}.`)) : null;
      node.complain(exact ?? inner?.[1] ?? null);
      if (exact) left.delete(path);
      if (inner) left.delete(inner[0]);
      if ((exact || inner) && node.closest("details")) node.closest("details").open = true;
    }
    return left;
  }

  function focusFirst() {
    const node = [...fields.values()].find((one) => one.input?.closest?.(".field-whole")?.querySelector(".failure:not([hidden])"));
    node?.input.focus();
  }

  render();
  return { node: root, render, complain, focusFirst };
}
