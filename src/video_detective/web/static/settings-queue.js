// What waits, the hour's budget, and what fell short and why; kept up to date while it is shown.
import { get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { card, empty, number, table, when, zoneHint } from "./settings-parts.js";
import { duration } from "./time.js";

const words = text.settings_queue;
const AGAIN_MS = 5000;

function waiting(list) {
  return table(words.waiting, [
    { label: words.kind }, { label: words.waits, isNumber: true }, { label: words.in_work, isNumber: true }, { label: words.oldest, isNumber: true },
  ], list.map((one) => [
    words.kind_of[one.kind], number(one.waiting), number(one.running), one.oldestSeconds === null ? "—" : duration(one.oldestSeconds),
  ]));
}

function bar(name, used, most, left) {
  const meter = element("meter", { min: 0, max: most, high: most * 0.8, optimum: 0, value: used });
  meter.setAttribute("aria-label", fill(words.used_of, { name, used, most }));
  return element("li", {}, [
    element("span", {}, [name]), meter,
    element("span", { className: "number" }, [fill(words.left, { used: number(used), most: number(most), left: number(left) })]),
  ]);
}

function budget(found) {
  if (!found) return empty(words.no_model);
  return element("ul", { className: "bars" }, [
    bar(words.all, found.used, found.perHour, found.left),
    ...found.cameras.map((one) => bar(one.name, one.used, found.perHourPerCamera, one.left)),
  ]);
}

function shortfalls(list, timezone) {
  if (!list.length) return empty(words.none_short);
  return table(words.short, [
    { label: words.reason }, { label: words.kind }, { label: words.count, isNumber: true }, { label: words.examples },
  ], list.map((one) => [
    [element("strong", {}, [words.reason_of[one.reason] ?? one.reason]), element("div", { className: "hint" }, [one.isFailed ? words.not_told : words.told_with_less])],
    words.kind_of[one.kind], number(one.count),
    element("ul", { className: "plain" }, one.examples.map((example) => element("li", {}, [
      element("a", { href: `/?event=${encodeURIComponent(example.eventId)}` }, [when(example.time, timezone)]),
      ...(example.detail ? [element("span", { className: "hint", lang: "en" }, [` ${example.detail}`])] : []),
    ]))),
  ]));
}

export async function show(root, { caller, isCurrent }) {
  let timer = 0;
  let shown = "";
  const body = element("div", { className: "stack" });

  function draw(found) {
    const { waiting: list, budget: calls, shortfalls: short } = found;
    // Nothing is drawn anew under somebody's hands unless it changed.
    const now = JSON.stringify([list, calls, short]);
    if (now === shown || body.contains(document.activeElement)) return;
    shown = now;
    body.replaceChildren(
      card(words.waiting, [waiting(list)], { hint: words.waiting_hint }),
      card(words.budget, [budget(calls)], { hint: calls ? words.budget_hint : undefined }),
      card(words.short, [shortfalls(short, caller.timezone)], { hint: words.short_hint }),
    );
  }

  async function again() {
    try {
      if (!document.hidden) draw((await get("/api/v1/queue")).data);
    } catch { /* what is shown stays; the next look may succeed */ }
    if (isCurrent()) timer = setTimeout(again, AGAIN_MS);
  }

  draw((await get("/api/v1/queue")).data);
  root.append(body, zoneHint(caller.timezone));
  timer = setTimeout(again, AGAIN_MS);
  return () => clearTimeout(timer);
}
