// Times as people read them: on the camera's wall clock, whatever the viewer's zone is.
import { fill, text } from "./dom.js";

export const dayOf = (time) => time.slice(0, 10);
export const clockOf = (time) => time.slice(11, 19);

// "+08:00" of a time that carries its offset, "+00:00" of one in UTC.
export function offsetOf(time) {
  return time.endsWith("Z") ? "+00:00" : time.slice(-6);
}

// "2026-01-15 22:05:00 ~ 22:06:30" of two local times; a moment is written once.
export function period(start, end) {
  const [day, clock] = [dayOf(start), clockOf(start)];
  if (end === null) return `${day} ${clock} ~ ${text.ongoing}`;
  const [lastDay, lastClock] = [dayOf(end), clockOf(end)];
  if (day === lastDay && clock === lastClock) return `${day} ${clock}`;
  return `${day} ${clock} ~ ${day === lastDay ? "" : `${lastDay} `}${lastClock}`;
}

// "2026-01-15T22:05:00+08:00" of a time in UTC, so that the functions above can read it.
export function zoned(time, timezone) {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone, dateStyle: "short", timeStyle: "medium",
  }).format(new Date(time));
  const offset = new Intl.DateTimeFormat("en", { timeZone: timezone, timeZoneName: "longOffset" })
    .formatToParts(new Date(time)).find((part) => part.type === "timeZoneName").value;
  return `${parts.replace(" ", "T")}${offset === "GMT" ? "+00:00" : offset.slice(3)}`;
}

// "1 h 5 min" of seconds: the two largest units that are not zero.
export function duration(seconds) {
  const whole = Math.round(seconds);
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].map(([unit, size], at, all) => [
    unit, Math.floor((at ? whole % all[at - 1][1] : whole) / size),
  ]);
  const first = parts.findIndex(([, n]) => n > 0);
  if (first < 0) return fill(text.units.s, { n: 0 });
  return parts.slice(first, first + 2).filter(([, n]) => n > 0)
    .map(([unit, n]) => fill(text.units[unit], { n })).join(" ");
}
