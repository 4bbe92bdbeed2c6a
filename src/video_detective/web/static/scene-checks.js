// What can be told to be wrong with a draft before it is sent, in the reader's language.
import { fill, text } from "./dom.js";
import { resolve } from "./scene-fields.js";
import { area, crossingEdges } from "./scene-geometry.js";
import { ruleKinds } from "./scene-rules.js";

const LEAST_AREA = 1e-5;

function* numberProblems(path, part, value) {
  const forms = part.anyOf ?? [part];
  const form = forms.find((one) => one.type === "number" || one.type === "integer");
  if (!form) return;
  const isOptional = forms.some((one) => one.type === "null");
  const values = value !== null && typeof value === "object" ? Object.values(value) : [value];
  for (const one of values) {
    if (one === null || one === undefined) {
      if (!isOptional) yield [path, text.problem_number];
    } else if (form.type === "integer" && !Number.isInteger(one)) yield [path, text.problem_whole];
    else if (form.minimum > -1e9 && one < form.minimum) yield [path, fill(text.problem_least, { least: form.minimum })];
    else if (one <= form.exclusiveMinimum) yield [path, fill(text.problem_above, { least: form.exclusiveMinimum })];
    else if (one >= form.exclusiveMaximum) yield [path, fill(text.problem_below, { most: form.exclusiveMaximum })];
    else if (one > form.maximum) yield [path, fill(text.problem_most, { most: form.maximum })];
  }
}

function* ruleProblems(path, rule, part, document) {
  for (const [name, schema] of Object.entries(part.properties)) {
    const value = rule[name];
    const refers = schema["x-refers"];
    if (refers && !value && part.required.includes(name)) yield [`${path}.${name}`, refers === "zones" ? text.problem_choose_zone : text.problem_choose_tripwire];
    else if (refers && value && !document[refers][value]) yield [`${path}.${name}`, fill(text.problem_gone, { id: value })];
    if (schema["x-paths"]) {
      const [shapes, id] = (value ?? "").split(".");
      if (!document[shapes]?.[id]) yield [`${path}.${name}`, text.problem_choose_metric];
    }
    yield* numberProblems(`${path}.${name}`, schema, value);
  }
  if (rule.type === "crowding" && !rule.zone && rule.radius === null) yield [`${path}.zone`, text.problem_crowding];
  if (rule.type === "wrong_way" && !rule.allowed) yield [`${path}.allowed`, text.problem_choose_direction];
}

function* idProblems(part, list, pattern) {
  const seen = new Set();
  for (const [index, { id }] of list.entries()) {
    const path = `${part}[${index}].id`;
    if (!pattern.test(id ?? "")) yield [path, text.problem_id];
    else if (seen.has(id)) yield [path, fill(text.problem_twice, { id })];
    seen.add(id);
  }
}

// [path, words] of everything that is wrong; paths as the server has them, without "document.".
export function* problemsOf(document, schema) {
  const kinds = Object.fromEntries(ruleKinds(schema));
  for (const [id, zone] of Object.entries(document.zones)) {
    const path = `zones.${id}.points`;
    const edges = crossingEdges(zone.points);
    if (edges) yield [path, fill(text.problem_crosses, { name: zone.name || id, a: edges[0] + 1, b: edges[1] + 1 })];
    else if (area(zone.points) < LEAST_AREA) yield [path, fill(text.problem_flat, { name: zone.name || id })];
  }
  for (const [index, rule] of document.rules.entries()) {
    if (kinds[rule.type]) yield* ruleProblems(`rules[${index}]`, rule, kinds[rule.type], document);
  }
  for (const part of ["sampling", "detection", "attributes"]) {
    const { properties } = resolve(schema.properties[part], schema);
    for (const [name, field] of Object.entries(properties)) {
      if (document[part] && name in document[part]) yield* numberProblems(`${part}.${name}`, field, document[part][name]);
    }
  }
  const alert = schema.$defs.AlertRule;
  const pattern = new RegExp(alert.properties.id.pattern);
  yield* idProblems("rules", document.rules, pattern);
  yield* idProblems("alerts", document.alerts ?? [], pattern);
  for (const [index, one] of (document.alerts ?? []).entries()) {
    for (const [name, part] of Object.entries(alert.properties)) yield* numberProblems(`alerts[${index}].${name}`, part, one[name]);
  }
}
