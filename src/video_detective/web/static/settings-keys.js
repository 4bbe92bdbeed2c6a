// API keys for other programs: shown once, revoked at any time.
import { all } from "./all.js";
import { explain, send } from "./api.js";
import { confirmAction } from "./dialog.js";
import { button, element, fill, text } from "./dom.js";
import { dialogForm, field } from "./settings-forms.js";
import { card, empty, joined, showOnce, state, table, when, zoneHint } from "./settings-parts.js";
import { toast } from "./shell.js";

const words = text.settings_keys;
const SCOPES = ["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"];

export async function show(root, { caller, isCurrent }) {
  const devices = await all("/api/v1/devices");
  const names = new Map(devices.map((one) => [one.id, one.name]));
  const place = element("div", {});

  async function load() {
    const keys = await all("/api/v1/keys");
    if (isCurrent()) draw(keys);
  }

  async function make() {
    const fields = [
      field({ name: "name", label: words.name, isRequired: true, maxLength: 100, hint: words.name_hint, autocomplete: "off" }),
      field({ name: "scopes", label: words.scopes, kind: "checks", isRequired: true, value: ["analytics:read", "devices:read"], options: SCOPES.map((one) => [one, words.scope_of[one]]) }),
      field({ name: "deviceIds", label: words.devices, kind: "checks", hint: words.devices_hint, options: devices.map((one) => [one.id, one.name]) }),
      field({ name: "expiresAt", label: words.expires, kind: "date", hint: words.expires_hint }),
    ];
    const made = await dialogForm(words.new_key, fields, {
      label: words.make,
      act: async ({ name, scopes, deviceIds, expiresAt }) => (await send("POST", "/api/v1/keys", {
        name, scopes, deviceIds: deviceIds.length ? deviceIds : null, expiresAt: expiresAt ? `${expiresAt}T23:59:59` : null,
      })).data,
    });
    if (!made) return;
    await load();
    await showOnce(words.key_title, words.key_hint, words.key, made.key);
  }

  async function revoke(key) {
    if (!await confirmAction({ title: fill(words.revoke_title, { name: key.name }), body: words.revoke_body, action: words.revoke, danger: true })) return;
    await send("DELETE", `/api/v1/keys/${key.id}`);
    await load();
    toast(fill(words.revoked, { name: key.name }));
  }

  const attempt = (work) => work().catch((error) => toast(explain(error)));

  function stateOf({ revokedAt, expiresAt }) {
    if (revokedAt) return state(words.is_revoked, "bad");
    if (expiresAt && Date.parse(expiresAt) <= Date.now()) return state(words.is_expired, "bad");
    return state(words.is_good, "good");
  }

  function draw(keys) {
    const list = keys.length
      ? table(words.keys, [
        { label: words.name }, { label: words.scopes }, { label: words.devices }, { label: words.state }, { label: words.expires }, { label: words.last_used },
        { label: words.actions, isHidden: true },
      ], keys.map((key) => [
        [element("strong", {}, [key.name]), element("div", { className: "hint" }, [element("code", {}, [`${key.prefix}…`]), " ", fill(words.by, { name: key.createdBy })])],
        joined(key.scopes.map((one) => words.scope_of[one] ?? one)),
        key.deviceIds ? joined(key.deviceIds.map((id) => names.get(id) ?? id)) : words.all_devices,
        stateOf(key), when(key.expiresAt, caller.timezone), when(key.lastUsedAt, caller.timezone),
        key.revokedAt ? "" : button(words.revoke, () => attempt(() => revoke(key))),
      ]))
      : empty(words.none);
    place.replaceChildren(card(words.keys, [list], {
      hint: words.keys_hint, actions: [button(words.new_key, () => attempt(make), { className: "primary" })],
    }));
  }

  await load();
  root.append(place, zoneHint(caller.timezone));
}
