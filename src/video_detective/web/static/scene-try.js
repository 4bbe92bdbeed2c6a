// Tries a draft on what was seen: which events would appear, vanish or change.
import { failureNotice, get, send } from "./api.js";
import { element, fill, text } from "./dom.js";
import { ruleTitle } from "./scene-document.js";
import { clockOf, dayOf, duration, period, zoned } from "./time.js";

const PERIODS = [["1", "try_hour"], ["24", "try_day"], ["168", "try_week"], ["", "try_chosen"]];
const KINDS = ["appear", "vanish", "move", "same"];
const SHOWN_AT_ONCE = 20;
const AROUND_S = 2;

// onproblems(error) is told what the server complains of; ontrails(lists of points) draws ways.
export function tryPanel({ device, sceneId, draft, check, onproblems, ontrails, picture }) {
  const root = element("div", { className: "try" });
  const result = element("div", { className: "try-result", ariaLive: "polite" });
  let running = null;

  const choice = element("select", { id: "try-period" }, PERIODS.map(([hours, word]) => element("option", { value: hours, selected: hours === "24" }, [text[word]])));
  const from = element("input", { type: "datetime-local", step: 1, ariaLabel: text.try_from });
  const to = element("input", { type: "datetime-local", step: 1, ariaLabel: text.try_to });
  const times = element("div", { className: "try-times", hidden: true }, [from, to]);
  choice.addEventListener("change", () => { times.hidden = choice.value !== ""; });
  const start = element("button", { type: "submit", className: "primary" }, [text.try_start]);
  const form = element("form", { className: "try-form" }, [
    element("label", { className: "field" }, [text.try_period, choice]), times, start,
  ]);
  form.addEventListener("submit", (event) => { event.preventDefault(); run(); });

  function asked() {
    if (choice.value) return { hours: Number(choice.value) };
    return { ...(from.value ? { from: from.value } : {}), ...(to.value ? { to: to.value } : {}) };
  }

  async function run() {
    if (running) return;
    const id = sceneId();
    if (!id || !check()) {
      if (!id) result.replaceChildren(element("p", { className: "notice" }, [text.try_save_first]));
      return;
    }
    running = new AbortController();
    const begun = Date.now();
    const meter = element("progress", { ariaLabel: text.try_running });
    const told = element("span");
    const cancel = element("button", { type: "button" }, [text.cancel]);
    cancel.addEventListener("click", () => running?.abort());
    const tick = () => { told.textContent = fill(text.try_running_for, { time: duration((Date.now() - begun) / 1000) }); };
    tick();
    const timer = setInterval(tick, 1000);
    start.disabled = true;
    ontrails([]);
    result.replaceChildren(element("div", { className: "toolbar" }, [meter, told, cancel]));
    try {
      const { data } = await send("POST", `/api/v1/scenes/${id}/dry-run`, { document: draft.document, ...asked() }, { signal: running.signal });
      result.replaceChildren(...outcome(data));
    } catch (error) {
      if (error.name === "AbortError") result.replaceChildren(element("p", { className: "hint" }, [text.try_cancelled]));
      else {
        onproblems(error);
        result.replaceChildren(element("p", { className: "notice failure" }, failureNotice(error, run)));
      }
    } finally {
      clearInterval(timer);
      start.disabled = false;
      running = null;
    }
  }

  let isOneDay = false;
  const local = (time) => zoned(time, device.timezone);
  const ruleOf = (id) => [...draft.document.rules, ...draft.saved.rules].find((rule) => rule.id === id);
  // With its id only where another rule is called the same.
  function nameOfRule(id) {
    const rule = ruleOf(id);
    if (!rule) return id;
    const title = ruleTitle(draft.document, rule);
    const isShared = draft.document.rules.some((one) => one.id !== id && ruleTitle(draft.document, one) === title);
    return isShared ? `${title} (${id})` : title;
  }

  function tile(kind, count) {
    return element("div", { className: `tile ${kind}` }, [
      element("strong", {}, [String(count)]), element("span", {}, [text[`try_${kind}`]]),
    ]);
  }

  // Appear, vanish and move of each rule, counted from the lists; of a merged event it is the rule that it is of.
  function byRule(data) {
    const rows = data.byRule.map((one) => {
      const of = (list, pick = (event) => event) => list.filter((event) => pick(event).ruleId === one.ruleId).length;
      return [nameOfRule(one.ruleId), one.now, one.draft, of(data.events.appear), of(data.events.vanish), of(data.events.move, (moved) => moved.draft)];
    });
    const heads = [text.try_rule, text.try_now, text.try_draft, text.try_appear, text.try_vanish, text.try_move];
    return element("div", { className: "table-wrap", tabIndex: 0, role: "region", ariaLabel: text.try_by_rule }, [
      element("table", {}, [
        element("thead", {}, [element("tr", {}, heads.map((head, i) => element("th", { scope: "col", className: i ? "number" : "" }, [head])))]),
        element("tbody", {}, rows.map(([name, ...numbers]) => element("tr", {}, [
          element("th", { scope: "row" }, [name]), ...numbers.map((n) => element("td", { className: "number" }, [String(n)])),
        ]))),
      ]),
    ]);
  }

  function outcome(data) {
    const [since, until] = [local(data.from), local(data.to)];
    const events = [...data.events.appear, ...data.events.vanish, ...data.events.same, ...data.events.move.map((one) => one.draft)];
    isOneDay = new Set(events.map((event) => dayOf(local(event.startTime)))).size === 1;
    const [now, then] = [data.alerts.now.total, data.alerts.draft.total];
    const alerts = now === then ? fill(text.try_alerts_same, { n: now }) : fill(text.try_alerts, { now, draft: then });
    const limits = data.limits.map((limit) => element("li", {}, [text.try_limit[limit.code] ?? limit.message]));
    const isEqual = data.counts.appear + data.counts.vanish + data.counts.move === 0;
    return [
      element("p", { className: "hint" }, [
        `${fill(text.zoned, { time: period(since, until), zone: since.slice(-6) })} · ${fill(text.try_watched, { time: duration(data.watchedSeconds) })}`,
      ]),
      element("div", { className: "tiles" }, KINDS.map((kind) => tile(kind, data.counts[kind]))),
      ...[isEqual ? text.try_no_difference : "", alerts].filter(Boolean).map((words) => element("p", {}, [words])),
      ...(data.byRule.length ? [byRule(data)] : []),
      ...KINDS.flatMap((kind) => eventList(kind, data.events[kind], data.counts[kind])),
      ...(limits.length ? [element("details", { className: "limits" }, [element("summary", {}, [fill(text.try_limits, { n: limits.length })]), element("ul", {}, limits)])] : []),
    ];
  }

  function eventList(kind, events, count) {
    if (!events.length) return [];
    const list = element("ul", { className: "try-events" });
    const more = element("button", { type: "button" }, [text.try_more]);
    let shown = 0;
    const extend = () => {
      list.append(...events.slice(shown, shown + SHOWN_AT_ONCE).map((event) => row(kind, event)));
      shown = list.children.length;
      more.hidden = shown >= events.length;
    };
    more.addEventListener("click", extend);
    extend();
    const cut = events.length < count ? [element("p", { className: "hint" }, [fill(text.try_cut, { n: events.length })])] : [];
    return [element("details", { open: kind !== "same" }, [
      element("summary", {}, [`${text[`try_${kind}`]} · ${count}`]), list, more, ...cut,
    ])];
  }

  function when(event) {
    const [start_, end] = [local(event.startTime), event.endTime && local(event.endTime)];
    if (isOneDay && end && dayOf(start_) === dayOf(end)) return `${clockOf(start_)} ~ ${clockOf(end)}`;
    return period(start_, end);
  }

  // "start -0.4 s, end +1.2 s": what is other under the draft.
  function changes({ now, draft: then, changed }) {
    const at = { start: "startTime", established: "establishedTime", end: "endTime" };
    return changed.map((one) => {
      const name = text.try_change[one] ?? one;
      const [before, after] = [now[at[one]], then[at[one]]];
      if (!before || !after) return name;
      const by = (Date.parse(after) - Date.parse(before)) / 1000;
      return `${name} ${by < 0 ? "−" : "+"}${fill(text.units.s, { n: Math.abs(by).toFixed(1) })}`;
    }).join(text.list_comma);
  }

  function row(kind, entry) {
    const event = kind === "move" ? entry.draft : entry;
    const see = element("button", { type: "button", className: "quiet" }, [text.try_show]);
    see.ariaLabel = `${text.try_show} ${when(event)}`;
    see.addEventListener("click", () => showWays(event, see));
    const stored = kind === "move" ? entry.now.eventId ?? event.eventId : event.eventId;
    return element("li", {}, [
      element("span", { className: "what" }, [element("span", { className: "when" }, [when(event)]), " ", nameOfRule(event.ruleId)]),
      ...(kind === "move" ? [element("span", { className: "hint" }, [changes(entry)])] : []),
      element("span", { className: "ways" }, [
        see,
        element("a", {
          className: "button quiet", target: "_blank", rel: "noopener",
          href: stored ? `/?event=${encodeURIComponent(stored)}` : footage(event),
        }, [stored ? text.try_evidence : text.try_footage]),
      ]),
    ]);
  }

  // An event that only the draft finds has no evidence yet: what else there was at that time.
  function footage(event) {
    const around = (time, by) => local(new Date(Date.parse(time) + by * 1000).toISOString()).slice(0, 19);
    return `/?${new URLSearchParams({ camera: device.cameraId, from: around(event.startTime, -60), to: around(event.endTime ?? event.startTime, 60) })}`;
  }

  async function showWays(event, button) {
    button.disabled = true;
    const end = Math.min(Date.parse(event.endTime ?? event.establishedTime), Date.parse(event.startTime) + 3_500_000);
    try {
      const { data } = await get("/api/v1/tracks", {
        deviceId: device.id, points: true, limit: 100,
        startDate: new Date(Date.parse(event.startTime) - AROUND_S * 1000).toISOString(),
        endDate: new Date(end + AROUND_S * 1000).toISOString(),
      });
      const [width, height] = [picture.width, picture.height];
      const ways = data.filter((track) => event.trackIds.includes(track.trackId))
        .map((track) => track.points.map(({ bbox: [x1, , x2, y2] }) => [(x1 + x2) / 2 / width, Math.min(1, y2 / height)]));
      ontrails(ways, fill(text.try_trail, { time: clockOf(local(event.startTime)), what: nameOfRule(event.ruleId) }));
    } catch (error) {
      button.after(element("span", { className: "failure" }, failureNotice(error)));
    } finally {
      button.disabled = false;
    }
  }

  root.append(element("p", { className: "hint" }, [text.try_explained]), form, result);
  return { node: root, run, stop: () => running?.abort() };
}
