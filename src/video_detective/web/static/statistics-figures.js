// The figures of the page of statistics: what each asks for, and how it is drawn.
import { failureNotice, get } from "./api.js";
import { element, english, fill, text } from "./dom.js";
import { clockIn } from "./period.js";
import { columns, isWhole, legend, number, plot, rows } from "./plot.js";
import { behind } from "./plot-table.js";
import { heatMap } from "./statistics-heat.js";
import { slotsOf, tipOf } from "./statistics-slots.js";
import { duration } from "./time.js";

const MOST_SERIES = 6;
const VEHICLES = ["bicycle", "car", "motorcycle", "bus", "truck"];
const SEVERITIES = ["critical", "warning"];
const comma = english ? ", " : "，";
const sum = (values) => values.reduce((total, value) => total + value, 0);

// A card with a heading: waits, then shows what was found, or why not and what to do.
function shell(title, { wide = false } = {}) {
  const body = element("div", { className: "body" }, [element("div", { className: "skeleton tall" })]);
  body.setAttribute("aria-busy", "true");
  const node = element("section", { className: wide ? "card figure wide" : "card figure" }, [element("h2", {}, [title]), body]);
  const set = (...nodes) => {
    body.removeAttribute("aria-busy");
    body.replaceChildren(...nodes);
  };
  return { node, set };
}

const hint = (words) => element("p", { className: "hint" }, [words]);

// Failing, a figure says so in its own place, and the others stay.
function figure(title, context, draw, options) {
  const { node, set } = shell(title, options);
  const load = async (people) => {
    try {
      set(...await draw(people));
    } catch (error) {
      if (context.signal.aborted) return;
      set(element("p", { className: "failure", role: "alert" }, failureNotice(error, () => load(people))));
    }
  };
  return { node, load };
}

const ask = async (what, context, more = {}) =>
  (await get(`/api/v1/statistics/${what}`, { ...context.period, ...more }, { signal: context.signal })).data;

// The largest series by name; those beyond the palette are one.
function merged(series) {
  const byName = new Map();
  for (const { name, values, total } of series) {
    const known = byName.get(name);
    if (!known) byName.set(name, { name, values: [...values], total });
    else {
      known.values = known.values.map((value, n) => value + values[n]);
      known.total += total;
    }
  }
  const all = [...byName.values()].sort((a, b) => b.total - a.total);
  if (all.length <= MOST_SERIES) return all;
  const rest = all.slice(MOST_SERIES - 1);
  return [...all.slice(0, MOST_SERIES - 1), {
    name: text.others, total: sum(rest.map((one) => one.total)),
    values: rest[0].values.map((_, n) => sum(rest.map((one) => one.values[n]))),
  }];
}

function fileName(what, context) {
  return `${what}_${context.first}_${context.last}.csv`;
}

// Stacked columns over time with everything that belongs to them.
function overTime(title, file, found, series, context, unit) {
  const slots = slotsOf(found, context);
  if (!series.some((one) => one.total)) {
    return [hint(sum(found.stretches.map((one) => one.recordedSeconds)) ? text.none_in_period : text.not_recorded_in_period)];
  }
  return [
    plot(title, columns({ slots, series, unit, tip: tipOf(slots, series) })),
    ...(series.length > 1 || !slots.every(isWhole) ? [legend(series.map((one) => one.name), slots)] : []),
    behind(title, fileName(file, context), [found.groupBy === "day" ? text.day : text.hour, ...series.map((one) => one.name), text.recorded_seconds],
      slots.map((slot, n) => [slot.name, ...series.map((one) => (slot.recorded === 0 && !one.values[n] ? null : one.values[n])), Math.round(slot.recordedSeconds)])),
  ];
}

function tile(value, name) {
  return element("div", { className: "tile" }, [element("strong", {}, [value]), element("span", {}, [name])]);
}

async function peopleDrawn(found, context) {
  const persons = found.series.filter((one) => one.type === "person");
  const series = merged(persons.map((one) => ({ name: context.device ? text.people : one.deviceName, values: one.counts, total: one.total })));
  const tiles = element("div", { className: "tiles" }, [
    tile(number(sum(persons.map((one) => one.total))), text.people_tracked),
    tile(number(Math.max(0, ...persons.map((one) => one.peak))), context.device ? text.most_at_once : text.most_at_once_one_camera),
  ]);
  return [tiles, ...overTime(text.people_title, "people", found, series, context, text.unit.people), hint(text.people_note)];
}

// Of several days: how a usual day goes, hours without recording left out.
async function usualDay(context) {
  const found = await ask("people", context, { groupBy: "hour" });
  const clock = clockIn(context.timezone);
  const persons = found.series.filter((one) => one.type === "person");
  const hours = Array.from({ length: 24 }, () => ({ count: 0, watched: 0 }));
  found.stretches.forEach((stretch, n) => {
    const hour = hours[Number(clock(stretch.start).slice(11, 13))];
    hour.count += sum(persons.map((one) => one.counts[n]));
    hour.watched += Math.min(1, stretch.recordedSeconds / 3600); // by any camera
  });
  if (!persons.length) return [hint(text.none_in_period)];
  const slots = hours.map((hour, n) => {
    const [start, end] = [n, (n + 1) % 24].map((at) => `${String(at).padStart(2, "0")}:00`);
    return { name: `${start}–${end}`, label: start, nth: n, recorded: hour.watched ? 1 : 0 };
  });
  const series = [{ name: text.people_an_hour, values: hours.map((hour) => (hour.watched ? hour.count / hour.watched : 0)), total: 1 }];
  const title = text.usual_day;
  return [
    plot(title, columns({ slots, series, unit: text.people_an_hour, tip: tipOf(slots, series) })),
    ...(slots.some((slot) => !slot.recorded) ? [legend([text.people_an_hour], slots)] : []),
    hint(text.usual_day_note),
    behind(title, fileName("hours", context), [text.hour, text.people_an_hour, text.hours_recorded],
      slots.map((slot, n) => [slot.name, hours[n].watched ? Math.round(series[0].values[n] * 100) / 100 : null, Math.round(hours[n].watched * 100) / 100])),
  ];
}

async function vehicles(found, context) {
  const seen = found.series.filter((one) => VEHICLES.includes(one.type));
  const series = merged(seen.map((one) => ({ name: text.classes[one.type], values: one.counts, total: one.total })));
  return overTime(text.vehicles_title, "vehicles", found, series, context, text.unit.vehicles);
}

async function crossings(context, groupBy) {
  const found = await ask("crossings", context, { groupBy });
  const way = (one) => one.directionName || text.directions[one.direction] || one.direction;
  const lines = Map.groupBy(found.series, (one) => `${one.deviceName} ${one.tripwire}`);
  const nodes = [];
  for (const ones of lines.values()) {
    const name = context.device ? ones[0].tripwireName : `${ones[0].deviceName}${comma}${ones[0].tripwireName}`;
    const series = ones.map((one) => ({ name: way(one), values: one.counts, total: one.total }));
    nodes.push(
      element("h3", {}, [name]),
      element("div", { className: "tiles" }, series.map((one) => tile(number(one.total), one.name))),
      ...overTime(`${text.crossings_title}${comma}${name}`, `crossings_${ones[0].tripwire}`, found, series, context, text.unit.crossings),
    );
  }
  return [...(nodes.length ? nodes : [hint(text.no_crossings)]), hint(text.crossings_note)];
}

async function events(context, groupBy) {
  const found = await ask("events", context, { groupBy });
  const series = merged(found.series.map((one) => ({ name: text.event_types[one.type] ?? one.type, values: one.counts, total: one.total })));
  return overTime(text.events_title, "events", found, series, context, text.unit.events);
}

async function alerts(context) {
  const found = await ask("alerts", context, { groupBy: context.days > 1 ? "day" : "hour" });
  const series = SEVERITIES.map((severity) => {
    const ones = found.series.filter((one) => one.severity === severity);
    return { name: text.severities[severity], values: found.stretches.map((_, n) => sum(ones.map((one) => one.counts[n]))), total: sum(ones.map((one) => one.total)) };
  });
  return overTime(text.alerts_title, "alerts", found, series, context, text.unit.alerts);
}

// Visits and heat maps are of one camera's picture.
function chooseOne(context) {
  const buttons = context.devices.slice(0, 12).map((one) => {
    const button = element("button", { type: "button" }, [one.name]);
    button.addEventListener("click", () => context.chooseDevice(one.id));
    return button;
  });
  return [hint(text.choose_camera), element("div", { className: "toolbar" }, buttons)];
}

function visitRange(edges, n) {
  return n + 1 < edges.length ? `${duration(edges[n])} – ${duration(edges[n + 1])}` : fill(text.and_more, { time: duration(edges[n]) });
}

async function dwell(context) {
  if (!context.device) return chooseOne(context);
  const found = await ask("dwell", context);
  if (!found.zones.length) return [hint(text.no_zones), element("a", { className: "button", href: `/cameras?device=${context.device.id}&tab=scene` }, [text.draw_zone])];
  const nodes = found.zones.flatMap((zone) => {
    const heading = element("h3", {}, [zone.zoneName]);
    if (!zone.visits) return [heading, hint(text.no_visits)];
    const last = Math.max(zone.histogram.findLastIndex((count) => count > 0), 3);
    const used = zone.histogram.slice(0, last + 1);
    const slots = used.map((_, n) => ({ name: visitRange(found.histogramSeconds, n), label: fill(text.from_time, { time: duration(found.histogramSeconds[n]) }), recorded: 1 }));
    const series = [{ name: text.visits, values: used, total: zone.visits }];
    const title = `${text.dwell_title}${comma}${zone.zoneName}`;
    return [
      heading,
      element("div", { className: "tiles" }, [
        tile(number(zone.visits), text.visits), tile(duration(zone.medianSeconds), text.median),
        tile(duration(zone.p90Seconds), text.ninety), tile(duration(zone.longestSeconds), text.longest),
      ]),
      plot(title, columns({ slots, series, unit: text.unit.visits, tip: tipOf(slots, series) })),
      ...(zone.cutVisits ? [hint(fill(text.cut_visits, { n: number(zone.cutVisits) }))] : []),
      behind(title, fileName(`dwell_${zone.zone}`, context), [text.length_of_stay, text.visits], used.map((count, n) => [slots[n].name, count])),
    ];
  });
  return [...nodes, hint(text.dwell_note)];
}

async function heat(context) {
  if (!context.device) return chooseOne(context);
  return heatMap(await ask("heat-map", context), context, fileName("heat-map", context));
}

const GROUPS = [
  ["sex", ["female", "male"]],
  ["age", ["ageLess18", "age18To60", "ageOver60"]],
  ["colour", ["upperBlack", "upperWhite", "upperGray", "upperRed", "upperYellow", "upperPurple"]],
];

// Sums of the records of the period; the whole of the colours is in its stretches.
async function attributes(context) {
  const able = context.devices.some((one) => one.plan === "LEVEL_02");
  if (context.device ? context.device.plan !== "LEVEL_02" : !able) return [hint(text.needs_plan)];
  const found = (await get("/api/v1/analysis/insights/attributes/stats", { ...context.period, groupBy: "day" }, { signal: context.signal })).data;
  if (!found.totalRecords) return [hint(text.no_attributes)];
  const total = (name) => {
    const known = found.timeline.map((one) => one.attributes[name]).filter((value) => value !== null);
    return known.length ? sum(known) : null;
  };
  const nodes = GROUPS.flatMap(([group, names]) => {
    const counts = names.map((name) => [text.attributes[name], total(name)]).filter(([, value]) => value !== null);
    const all = sum(counts.map(([, value]) => value));
    const heading = element("h3", {}, [text.groups[group]]);
    if (!all) return [heading, hint(text.not_determined)];
    const share = (value) => `${Math.round((value / all) * 100)} %`;
    const items = counts.map(([name, value]) => ({ name, value, wide: english ? name.length * 0.6 : name.length, shown: `${number(value)}${english ? " (" : "（"}${share(value)}${english ? ")" : "）"}` }));
    return [
      heading,
      plot(text.groups[group], rows({ items, tip: (n) => [items[n].name, items[n].shown] })),
      behind(text.groups[group], fileName(group, context), [text.groups[group], text.persons_counted, text.share], counts.map(([name, value]) => [name, value, share(value)])),
    ];
  });
  return [...nodes, hint(fill(text.attributes_note, { records: number(found.totalRecords), persons: number(found.totalPersons) }))];
}

// Every figure, in order; `load` is given the answer about people, which the page has already.
export function figures(context) {
  const groupBy = context.days > 3 ? "day" : "hour";
  const usual = figure(text.usual_day, context, () => usualDay(context));
  const crossed = figure(text.crossings_title, context, () => crossings(context, groupBy));
  const places = [figure(text.heat_title, context, () => heat(context)), figure(text.dwell_title, context, () => dwell(context))];
  // Neighbours are about as tall.
  const first = context.days > 1 && context.days <= 31 ? [usual, crossed, ...places] : [...places, crossed];
  return [
    figure(text.people_title, context, (found) => peopleDrawn(found, context), { wide: true }),
    ...first,
    figure(text.events_title, context, () => events(context, groupBy)),
    figure(text.alerts_title, context, () => alerts(context)),
    figure(text.vehicles_title, context, (found) => vehicles(found, context)),
    figure(text.attributes_title, context, () => attributes(context)),
  ];
}
