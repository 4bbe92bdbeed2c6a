// Hours and days of an answer: what they are called, and what is said of each.
import { fill, text } from "./dom.js";
import { clockIn } from "./period.js";
import { isWhole, number } from "./plot.js";

// What the stretches of an answer are called, and how much of each was recorded.
export function slotsOf(found, context) {
  const clock = clockIn(context.timezone);
  const now = Date.now();
  const byDay = found.groupBy === "day";
  return found.stretches.map((stretch, index) => {
    const local = clock(stretch.start);
    const [start, end] = [Date.parse(stretch.start), Date.parse(stretch.end)];
    // Of the hour that is under way, what could be recorded by now.
    const seconds = (Math.min(end, Math.max(now, start)) - start) / 1000 * Math.max(found.devices.length, 1);
    const isMidnight = local.endsWith("T00:00");
    const name = byDay ? local.slice(0, 10) : `${local.slice(0, 10)} ${local.slice(11)}–${clock(stretch.end).slice(11)}`;
    return {
      name,
      label: byDay || (isMidnight && context.days > 1) ? local.slice(5, 10) : local.slice(11),
      nth: byDay ? index : Number(local.slice(11, 13)) + 24 * (Number(local.slice(8, 10)) % 2),
      recorded: start >= now ? null : stretch.recordedSeconds / seconds,
      recordedSeconds: stretch.recordedSeconds,
    };
  });
}

function recordedWords(slot) {
  if (slot.recorded === null) return text.to_come;
  if (slot.recorded === 0) return text.not_recorded;
  return isWhole(slot) ? null : fill(text.partly_recorded, { share: Math.round(slot.recorded * 100) });
}

export function tipOf(slots, series) {
  return (n) => {
    const slot = slots[n];
    const counted = slot.recorded === 0 && !series.some((one) => one.values[n])
      ? [] : series.filter((one) => one.values[n] || series.length === 1).map((one) => `${one.name} ${number(one.values[n])}`);
    if (!counted.length && slot.recorded) counted.push(text.none);
    return [slot.name, ...counted, recordedWords(slot)].filter(Boolean);
  };
}
