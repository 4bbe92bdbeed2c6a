// A scene's document as shapes for the canvas and back, and what differs between two of them.
import { fill, text } from "./dom.js";
import { rounded } from "./scene-geometry.js";

// With points as shares of the picture, whatever they were written in.
export function relative(document) {
  const plain = structuredClone(document);
  const [width, height] = plain.frame_size ?? [1, 1];
  for (const part of [plain.zones, plain.tripwires]) {
    for (const shape of Object.values(part ?? {})) {
      shape.points = shape.points.map(([x, y]) => [rounded(x / width), rounded(y / height)]);
    }
  }
  return { ...plain, frame_size: null, zones: plain.zones ?? {}, tripwires: plain.tripwires ?? {}, rules: plain.rules ?? [] };
}

export function shapesOf({ zones, tripwires }) {
  return [
    ...Object.entries(zones).map(([id, zone]) => ({
      key: `zone:${id}`, kind: "zone", id, name: zone.name ?? "", points: zone.points, leftToRight: "", rightToLeft: "",
    })),
    ...Object.entries(tripwires).map(([id, wire]) => ({
      key: `tripwire:${id}`, kind: "tripwire", id, name: wire.name ?? "", points: wire.points,
      leftToRight: wire.directions?.left_to_right ?? "", rightToLeft: wire.directions?.right_to_left ?? "",
    })),
  ];
}

export function withShapes(document, shapes) {
  const of = (kind, make) => Object.fromEntries(
    shapes.filter((shape) => shape.kind === kind).map((shape) => [shape.id, make(shape)]),
  );
  return {
    ...document,
    zones: of("zone", ({ name, points }) => ({ name, points })),
    tripwires: of("tripwire", ({ name, points, leftToRight, rightToLeft }) => ({
      name, points, directions: { left_to_right: leftToRight, right_to_left: rightToLeft },
    })),
  };
}

// Whether the same would be stored: a missing field and its default are alike.
export const isSame = (a, b) => stable(a) === stable(b);

function stable(value) {
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  return `{${Object.keys(value).sort().filter((key) => value[key] !== null && value[key] !== undefined)
    .map((key) => `${key}:${stable(value[key])}`).join()}}`;
}

export const labelOf = (document, part, id) => document[part]?.[id]?.name || id;
export const fieldName = (kind, name) => text.field_of[kind]?.[name] ?? text.field[name] ?? name;

export function shown(value) {
  if (value === null || value === undefined) return text.value_none;
  if (typeof value === "boolean") return value ? text.value_yes : text.value_no;
  if (Array.isArray(value)) return value.length ? value.map(shown).join(text.list_comma) : text.value_none;
  if (typeof value === "object") {
    if ("hours" in value || "days" in value) return [...(value.days ?? []).map((day) => text.day[day]), value.hours ?? ""].join(" ").trim();
    return Object.entries(value).map(([key, one]) => `${shown(key)} ${shown(one)}`).join(text.list_comma);
  }
  return text.choice[value] ?? String(value);
}

// "Intrusion · Back door": what a rule is and where.
export function ruleTitle(document, rule) {
  const where = rule.zone ? labelOf(document, "zones", rule.zone)
    : rule.tripwire ? labelOf(document, "tripwires", rule.tripwire) : "";
  const kind = text.rule_kind[rule.type] ?? rule.type;
  return where ? `${kind} · ${where}` : kind;
}

function fieldsThatDiffer(before, after, kind) {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !isSame(before[name], after[name]))
    .map((name) => fill(text.differs_field, { field: fieldName(kind, name), before: shown(before[name]), after: shown(after[name]) }));
}

function compare(before, after, { title, kind, details }) {
  const lines = [];
  for (const id of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[id], after[id]];
    if (!old) lines.push(fill(text.differs_added, { what: title(now, id) }));
    else if (!now) lines.push(fill(text.differs_removed, { what: title(old, id) }));
    else if (!isSame(old, now)) {
      lines.push(fill(text.differs_changed, { what: title(now, id), how: details(old, now, kind?.(now)).join(text.list_semicolon) }));
    }
  }
  return lines;
}

function shapeDetails(old, now) {
  const found = [];
  if ((old.name ?? "") !== (now.name ?? "")) found.push(fill(text.differs_field, { field: text.shape_name, before: old.name, after: now.name }));
  if (!isSame(old.points, now.points)) found.push(text.differs_points);
  if (!isSame(old.directions, now.directions)) found.push(text.differs_directions);
  return found;
}

const byId = (list) => Object.fromEntries((list ?? []).map((one) => [one.id, one]));

// What of one document is other in another, in words, a line for each thing.
export function differences(before, after) {
  const [a, b] = [relative(before), relative(after)];
  const named = (word) => (shape, id) => fill(word, { name: shape.name || id });
  const places = { zones: { ...a.zones, ...b.zones }, tripwires: { ...a.tripwires, ...b.tripwires } };
  const rest = ["sampling", "detection", "attributes"].filter((part) => !isSame(a[part], b[part]));
  return [
    ...compare(a.zones, b.zones, { title: named(text.a_zone), details: shapeDetails }),
    ...compare(a.tripwires, b.tripwires, { title: named(text.a_tripwire), details: shapeDetails }),
    ...compare(byId(a.rules), byId(b.rules), {
      title: (rule) => `${ruleTitle(places, rule)} (${rule.id})`, kind: (rule) => rule.type, details: fieldsThatDiffer,
    }),
    ...compare(byId(a.alerts), byId(b.alerts), {
      title: (alert) => fill(text.an_alert_rule, { id: alert.id }), kind: () => "alert", details: fieldsThatDiffer,
    }),
    ...(a.alerts === null) === (b.alerts === null) ? [] : [b.alerts === null ? text.differs_every_event : text.differs_chosen_events],
    ...rest.flatMap((part) => fieldsThatDiffer(a[part] ?? {}, b[part] ?? {}, part)),
  ];
}
