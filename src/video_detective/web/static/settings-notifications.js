// Channels that are told of alerts, and what became of each delivery.
import { all } from "./all.js";
import { explain, failureNotice, get, send } from "./api.js";
import { confirmAction } from "./dialog.js";
import { button, element, fill, text } from "./dom.js";
import { dialogForm, field } from "./settings-forms.js";
import { card, empty, joined, showOnce, state, table, when, zoneHint } from "./settings-parts.js";
import { toast } from "./shell.js";

const words = text.settings_notifications;
const KINDS = ["webhook", "email", "mqtt"];

function fieldsOf(kind, channel, devices) {
  const filters = channel?.filters ?? { severities: [], deviceIds: [], tell: kind === "email" ? ["new"] : ["new", "update", "end"] };
  const fields = [field({ name: "name", label: words.name, value: channel?.name ?? "", isRequired: true, maxLength: 200 })];
  if (kind === "webhook") fields.push(field({ name: "url", label: words.url, kind: "url", value: channel?.url ?? "", isRequired: !channel, hint: words.url_hint }));
  if (kind === "email") fields.push(field({ name: "recipients", label: words.recipients, kind: "area", value: (channel?.recipients ?? []).join("\n"), isRequired: true, hint: words.recipients_hint }));
  fields.push(field({ name: "severities", label: words.severities, kind: "checks", value: filters.severities, hint: words.all_if_none, options: Object.entries(words.severity_of) }));
  fields.push(field({ name: "deviceIds", label: words.devices, kind: "checks", value: filters.deviceIds, hint: words.all_if_none, options: devices.map((one) => [one.id, one.name]) }));
  fields.push(field({ name: "tell", label: words.tell, kind: "checks", value: filters.tell, options: Object.entries(words.tell_of), isRequired: true }));
  fields.push(field({ name: "cooldownSeconds", label: words.cooldown, kind: "number", value: String(channel?.cooldownSeconds ?? 0), min: 0, max: 86400, step: "any", hint: words.cooldown_hint, isRequired: true }));
  return fields;
}

// An address is shown without its query: only one that was changed is sent back.
function bodyOf(kind, { name, url, recipients, severities, deviceIds, tell, cooldownSeconds }, before) {
  return {
    name, cooldownSeconds: Number(cooldownSeconds), filters: { severities, deviceIds, tell },
    ...(kind === "webhook" && url && url !== before?.url ? { url } : {}),
    ...(kind === "email" ? { recipients: recipients.split(/[\s,;，；]+/).filter(Boolean) } : {}),
  };
}

function told({ filters, recipients, url }, names) {
  const parts = [];
  if (filters.severities.length) parts.push(joined(filters.severities.map((one) => words.severity_of[one])));
  if (filters.deviceIds.length) parts.push(joined(filters.deviceIds.map((id) => names.get(id) ?? id)));
  return [
    element("div", {}, [url ?? joined(recipients ?? [])]),
    element("div", { className: "hint" }, [parts.length ? joined(parts) : words.all_alerts]),
  ];
}

// What the service's settings lack for a channel, in words; "" where all is set.
const lacking = ({ problem }) => problem ? fill(words.problem_of[problem.key], { setting: problem.setting }) : "";

function standing(channel) {
  const mark = !channel.isEnabled ? state(words.is_off, "") : channel.problem ? state(words.is_mute, "bad") : state(words.is_on, "good");
  return channel.problem ? [mark, element("div", { className: "hint" }, [lacking(channel)])] : [mark];
}

export async function show(root, { caller, isAdmin, isCurrent }) {
  const devices = await all("/api/v1/devices");
  const names = new Map(devices.map((one) => [one.id, one.name]));
  let channels = [];
  const place = element("div", {});
  const results = new Map(); // channel id: nodes with what came of its last test

  async function load() {
    channels = await all("/api/v1/channels");
    if (isCurrent()) draw();
  }

  async function make(kind) {
    const made = await dialogForm(words.new_of[kind], fieldsOf(kind, null, devices), {
      label: words.make,
      intro: words.about_kind[kind] ? [element("p", { className: "hint" }, [words.about_kind[kind]])] : [],
      act: async (values) => (await send("POST", "/api/v1/channels", { kind, ...bodyOf(kind, values) })).data,
    });
    if (!made) return;
    await load();
    toast(lacking(made) || fill(words.made, { name: made.name }));
    if (made.secret) await showOnce(words.secret_title, words.secret_hint, words.secret, made.secret);
  }

  async function edit(channel) {
    const changed = await dialogForm(fill(words.edit_title, { name: channel.name }), fieldsOf(channel.kind, channel, devices), {
      label: words.save,
      act: async (values) => (await send("PATCH", `/api/v1/channels/${channel.id}`, bodyOf(channel.kind, values, channel))).data,
    });
    if (!changed) return;
    await load();
    toast(words.saved);
    if (changed.secret) await showOnce(words.secret_title, words.secret_hint, words.secret, changed.secret);
  }

  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      toast(explain(error));
    }
  }

  async function test(channel) {
    results.set(channel.id, [words.testing]);
    draw();
    try {
      const { data } = await send("POST", `/api/v1/channels/${channel.id}/test`);
      results.set(channel.id, [
        state(data.delivered ? words.delivered : words.not_delivered, data.delivered ? "good" : "bad"),
        element("div", { className: "hint", lang: "en" }, [`${data.answer} (${data.durationMs} ms)`]),
      ]);
    } catch (error) {
      results.set(channel.id, [state(words.not_delivered, "bad"), element("div", { className: "hint" }, [explain(error)])]);
    }
    if (isCurrent()) draw();
    // Its button was drawn anew; nobody who is elsewhere by now is called back.
    if (document.activeElement === document.body) document.getElementById(`test-${channel.id}`)?.focus();
  }

  const turn = (channel) => attempt(async () => {
    const { data } = await send("PATCH", `/api/v1/channels/${channel.id}`, { isEnabled: !channel.isEnabled });
    await load();
    toast(channel.isEnabled ? words.now_off : lacking(data) || words.now_on);
  });

  const rotate = (channel) => attempt(async () => {
    if (!await confirmAction({ title: words.rotate_title, body: words.rotate_body, action: words.rotate, danger: true })) return;
    const { data } = await send("PATCH", `/api/v1/channels/${channel.id}`, { rotateSecret: true });
    await showOnce(words.secret_title, words.secret_hint, words.secret, data.secret);
  });

  const remove = (channel) => attempt(async () => {
    if (!await confirmAction({ title: fill(words.remove_title, { name: channel.name }), body: words.remove_body, action: words.remove, danger: true })) return;
    await send("DELETE", `/api/v1/channels/${channel.id}`);
    await load();
    toast(words.removed);
    await deliveries.load();
  });

  function actions(channel) {
    if (!isAdmin) return "";
    return element("div", { className: "toolbar row-actions" }, [
      button(words.test, () => test(channel), { id: `test-${channel.id}` }),
      button(words.edit, () => attempt(() => edit(channel))),
      button(channel.isEnabled ? words.off : words.on, () => turn(channel)),
      ...(channel.kind === "webhook" ? [button(words.rotate, () => rotate(channel))] : []),
      button(words.remove, () => remove(channel)),
    ]);
  }

  function draw() {
    const makers = isAdmin ? [element("div", { className: "toolbar" }, KINDS.map((kind) => button(words.new_of[kind], () => attempt(() => make(kind)))))] : [];
    const list = channels.length
      ? [table(words.channels, [
        { label: words.name }, { label: words.kind }, { label: words.where }, { label: words.state }, { label: words.actions, isHidden: true },
      ], channels.map((one) => [
        element("strong", {}, [one.name]), words.kind_of[one.kind], told(one, names),
        [...standing(one), element("div", { role: "status" }, results.get(one.id) ?? [])],
        actions(one),
      ]))]
      : [empty(isAdmin ? words.none : words.none_reader)];
    place.replaceChildren(card(words.channels, [...makers, ...list], { hint: words.channels_hint }));
  }

  const deliveries = deliveryList({ caller, isAdmin, isCurrent, nameOf: (id) => channels.find((one) => one.id === id)?.name ?? id, deviceOf: (id) => names.get(id) ?? id });
  await load();
  await deliveries.load();
  root.append(place, deliveries.node, zoneHint(caller.timezone));
}

function deliveryList({ caller, isAdmin, isCurrent, nameOf, deviceOf }) {
  let items = [];
  let cursor = null;
  let turn = 0;
  const status = field({ name: "status", label: words.state, kind: "select", options: [["", words.all_states], ...Object.entries(words.status_of)] });
  status.inputs[0].addEventListener("change", () => load());
  const place = element("div", {});
  const node = card(words.deliveries, [element("div", { className: "fields filter" }, [status.node]), place], {
    hint: words.deliveries_hint, actions: [button(words.refresh, () => load())],
  });

  async function load(more = false) {
    const mine = turn += 1;
    try {
      const { data, meta } = await get("/api/v1/deliveries", { status: status.read(), limit: 20, cursor: more ? cursor : undefined });
      if (mine !== turn) return;
      items = more ? [...items, ...data] : data;
      cursor = meta.pagination.nextCursor;
      if (isCurrent()) draw();
    } catch (error) {
      if (mine === turn) place.replaceChildren(element("div", { className: "notice" }, failureNotice(error, () => load(more))));
    }
  }

  async function replay(delivery) {
    try {
      await send("POST", `/api/v1/deliveries/${delivery.id}/replay`);
      toast(words.replayed);
      await load();
    } catch (error) {
      toast(explain(error));
    }
  }

  function draw() {
    if (!items.length) return place.replaceChildren(empty(words.no_deliveries));
    place.replaceChildren(table(words.deliveries, [
      { label: words.time }, { label: words.channel }, { label: words.about }, { label: words.state }, { label: words.answer }, { label: words.attempts, isNumber: true },
      { label: words.actions, isHidden: true },
    ], items.map((one) => [
      when(one.createdAt, caller.timezone), nameOf(one.channelId),
      [deviceOf(one.deviceId), element("div", { className: "hint" }, [words.tell_of[one.kind]])],
      state(words.status_of[one.status], { done: "good", failed: "bad" }[one.status] ?? ""),
      [element("span", { lang: "en" }, [one.answer ?? "—"]), ...(one.nextAttemptAt && one.attempts ? [element("div", { className: "hint" }, [words.next_attempt, " ", when(one.nextAttemptAt, caller.timezone)])] : [])],
      String(one.attempts),
      isAdmin && one.status !== "waiting" ? button(words.replay, () => replay(one)) : "",
    ])), ...(cursor ? [button(text.settings_more, () => load(true), { className: "more" })] : []));
  }

  return { node, load };
}
