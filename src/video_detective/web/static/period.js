// Periods of whole days on a camera's clock, and how they stand in the address.
export const PRESETS = ["today", "yesterday", "7d", "30d"];
const DAY = /^\d{4}-\d\d-\d\d$/;

// "2026-01-16" is a day after "2026-01-15": days of the calendar, whatever the clocks do.
export function daysAfter(day, count) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date + count)).toISOString().slice(0, 10);
}

export function daysBetween(first, last) {
  return Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000);
}

// Writes times of one zone; an Intl formatter takes long to make, so there is one.
export function clockIn(timezone) {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short", timeStyle: "short" });
  return (time) => format.format(new Date(time)).replace(" ", "T");
}

export function today(timezone) {
  return clockIn(timezone)(Date.now()).slice(0, 10);
}

// {preset, first, last} of the address: both days belong to the period.
export function readPeriod(parameters, timezone, otherwise = "7d") {
  const [from, to] = [parameters.get("from"), parameters.get("to")];
  if (DAY.test(from) && DAY.test(to) && from <= to) return { preset: "own", first: from, last: to };
  const now = today(timezone);
  const asked = parameters.get("period");
  const preset = PRESETS.includes(asked) ? asked : otherwise;
  const before = { today: [0, 0], yesterday: [1, 1], "7d": [6, 0], "30d": [29, 0] }[preset];
  return { preset, first: daysAfter(now, -before[0]), last: daysAfter(now, -before[1]) };
}

export function writePeriod(parameters, period) {
  for (const name of ["period", "from", "to"]) parameters.delete(name);
  if (period.preset === "own") {
    parameters.set("from", period.first);
    parameters.set("to", period.last);
  } else parameters.set("period", period.preset);
}

// The moment at which a day begins on a zone's clock, in UTC.
export function midnight(day, timezone) {
  const clock = clockIn(timezone);
  const wanted = Date.parse(`${day}T00:00:00Z`);
  const behind = (time) => Date.parse(`${clock(time)}:00Z`) - time;
  const once = wanted - behind(wanted);
  return new Date(wanted - behind(once)).toISOString();
}
