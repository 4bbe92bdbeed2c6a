// The axis of the time line: where times lie, and how they are written on a clock of some zone.
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND), ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR), ...[1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY),
];
const LEAST = 10 * SECOND;
const clocks = new Map();

// "2026-01-15 22:05:00" on the zone's clock; made once for each zone, as making one takes long.
export function wallClock(time, zone) {
  if (!clocks.has(zone)) {
    clocks.set(zone, new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }));
  }
  return clocks.get(zone).format(time);
}

// How far the zone's clock is before UTC, in ms.
function offset(time, zone) {
  const whole = Math.floor(time / SECOND) * SECOND;
  return Date.parse(`${wallClock(whole, zone)}Z`) - whole;
}

export function offsetText(time, zone) {
  const minutes = Math.round(offset(time, zone) / MINUTE);
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

// Ticks at whole steps of the clock, at least `space` pixels apart, as [time, label, isDay].
export function ticks({ from, to }, width, zone, space) {
  const step = STEPS.find((each) => (each / (to - from)) * width >= space) ?? STEPS.at(-1);
  const shift = offset(from, zone);
  const found = [];
  for (let local = Math.ceil((from + shift) / step) * step; local - shift <= to; local += step) {
    // Where the clock is set forward or back in between, it still says what is written there.
    const clock = wallClock(local - shift, zone);
    const isDay = clock.endsWith(" 00:00:00");
    const label = step >= DAY || isDay ? clock.slice(5, 10) : clock.slice(11, step < MINUTE ? 19 : 16);
    found.push([local - shift, label, isDay]);
  }
  return found;
}

// The part of a whole that is shown: never more than all, never less than a few seconds.
export function clamped({ from, to }, whole) {
  const length = Math.min(Math.max(to - from, Math.min(LEAST, whole.to - whole.from)), whole.to - whole.from);
  const begin = Math.min(Math.max(from, whole.from), whole.to - length);
  return { from: begin, to: begin + length };
}

export function zoomed({ from, to }, factor, about = (from + to) / 2) {
  return { from: about - (about - from) * factor, to: about + (to - about) * factor };
}
