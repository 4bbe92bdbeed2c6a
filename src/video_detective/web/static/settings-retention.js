// How long things are kept, what that takes, and what a change would delete.
import { explain, get, send } from "./api.js";
import { bytes } from "./bytes.js";
import { confirmAction } from "./dialog.js";
import { element, fill, text } from "./dom.js";
import { field, form } from "./settings-forms.js";
import { card, facts, number, when, zoneHint } from "./settings-parts.js";
import { toast } from "./shell.js";

const words = text.settings_retention;
const PAUSE_MS = 300;
const AGAIN_MS = 3000;
const days = (value) => (value === "" ? null : Number(value));

function amount({ events, files, bytes: size }) {
  return fill(words.amount, { events: number(events), files: number(files), size: bytes(size) });
}

function usage({ usage: found }, timezone) {
  const taken = element("meter", { min: 0, max: found.totalBytes, high: found.totalBytes * 0.9, optimum: 0, value: found.totalBytes - found.freeBytes });
  taken.setAttribute("aria-label", words.disk);
  return card(words.usage, [
    facts([
      [words.media, `${bytes(found.bytes)} · ${fill(words.files, { n: number(found.files) })}`],
      [words.first_media, when(found.firstMediaAt, timezone)],
      [words.events, `${number(found.events)} · ${fill(words.kept, { n: number(found.keptEvents) })}`],
      [words.first_event, when(found.firstEventAt, timezone)],
      [words.disk, [taken, " ", fill(words.free, { free: bytes(found.freeBytes), total: bytes(found.totalBytes) })]],
    ]),
  ]);
}

function rounds({ round, lastRound, nextRoundAt }, timezone) {
  const told = (one) => [
    [words.before_media, one.mediaBefore && when(one.mediaBefore, timezone)],
    [words.before_records, one.recordsBefore && when(one.recordsBefore, timezone)],
    [words.deleted, amount(one.deleted)],
  ];
  const parts = [];
  if (round) parts.push(element("h3", {}, [words.under_way]), facts([[words.began, when(round.startedAt, timezone)], ...told(round)]));
  if (lastRound) parts.push(element("h3", {}, [words.last]), facts([[words.ended, when(lastRound.endedAt, timezone)], ...told(lastRound)]));
  if (nextRoundAt) parts.push(element("p", { className: "hint" }, [words.next, " ", when(nextRoundAt, timezone)]));
  return card(words.rounds, parts.length ? parts : [element("p", {}, [words.never])], { hint: words.rounds_hint });
}

export async function show(root, { caller, isCurrent }) {
  let typing = 0;
  let following = 0;
  let asking = 0;
  let { data: found } = await get("/api/v1/retention");
  const facts_ = element("div", { className: "stack" });
  const preview = element("p", { className: "preview" });
  preview.setAttribute("role", "status");
  const input = (name, label, hint) => field({
    name, label, hint, kind: "number", min: 1, max: 36500, step: 1, value: found[name] === null ? "" : String(found[name]), placeholder: words.for_ever,
  });
  const media = input("mediaDays", words.media_days, words.media_hint);
  const records = input("recordDays", words.record_days, words.record_hint);

  function draw() {
    facts_.replaceChildren(usage(found, caller.timezone), rounds(found, caller.timezone));
  }

  const going = async (signal) => (await get("/api/v1/retention/preview", { mediaDays: media.read(), recordDays: records.read() }, { signal })).data.deleted;

  async function tell() {
    asking?.abort?.();
    asking = new AbortController();
    if (!media.read() && !records.read()) return void (preview.textContent = words.keeps_all);
    if ([media, records].some((one) => !one.inputs[0].validity.valid)) return void (preview.textContent = "");
    try {
      const found = await going(asking.signal);
      preview.textContent = found.events || found.files ? fill(words.would_go, { amount: amount(found) }) : words.nothing_goes;
    } catch (error) {
      if (error.name !== "AbortError") preview.textContent = error.status === 400 ? "" : explain(error);
    }
  }

  for (const one of [media, records]) {
    one.inputs[0].addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(tell, PAUSE_MS);
    });
  }

  function followSoon() {
    clearTimeout(following);
    following = setTimeout(follow, AGAIN_MS);
  }

  // While something is being deleted its figures move.
  async function follow() {
    if (!isCurrent()) return;
    try {
      found = (await get("/api/v1/retention")).data;
      if (isCurrent()) draw();
    } catch { /* what is shown stays */ }
    if (found.round && isCurrent()) followSoon();
  }

  const settings = form([media, records], {
    label: words.save, notes: [preview],
    act: async (values) => {
      const wanted = { mediaDays: days(values.mediaDays), recordDays: days(values.recordDays) };
      const gone = wanted.mediaDays || wanted.recordDays ? await going() : { events: 0, files: 0 };
      const isSure = !(gone.events || gone.files) || await confirmAction({
        title: words.confirm_title, body: fill(words.confirm_body, { amount: amount(gone) }), action: words.confirm, danger: true,
      });
      if (!isSure) return;
      found = (await send("PATCH", "/api/v1/retention", wanted)).data;
      draw();
      toast(gone.events || gone.files ? words.saved_deleting : words.saved);
      followSoon();
    },
  });
  draw();
  root.append(card(words.keep, [settings], { hint: words.keep_hint }), facts_, zoneHint(caller.timezone));
  tell();
  if (found.round) followSoon();
  return () => {
    clearTimeout(typing);
    clearTimeout(following);
  };
}
