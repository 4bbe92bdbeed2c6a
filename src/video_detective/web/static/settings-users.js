// People who sign in: made, invited, changed, disabled.
import { all } from "./all.js";
import { explain, send } from "./api.js";
import { confirmAction } from "./dialog.js";
import { button, element, fill, text } from "./dom.js";
import { dialogForm, field, userName } from "./settings-forms.js";
import { card, joined, showOnce, state, table, when, zoneHint } from "./settings-parts.js";
import { toast } from "./shell.js";

const words = text.settings_users;
const ROLES = ["viewer", "operator", "admin"];

const roleField = (value) => field({
  name: "role", label: words.role, kind: "select", value, hint: words.role_hint, options: ROLES.map((role) => [role, words.role_of[role]]),
});
const devicesField = (value, devices) => field({
  name: "deviceIds", label: words.devices, kind: "checks", value: value ?? [], hint: words.devices_hint, options: devices.map((one) => [one.id, one.name]),
});

export async function show(root, { caller, isCurrent }) {
  const devices = await all("/api/v1/devices");
  const names = new Map(devices.map((one) => [one.id, one.name]));
  const place = element("div", {});

  async function load() {
    const users = await all("/api/v1/users");
    if (isCurrent()) draw(users);
  }

  async function attempt(work) {
    try {
      await work();
    } catch (error) {
      toast(explain(error));
    }
  }

  const make = () => attempt(async () => {
    const name = field({ name: "name", label: words.name, isRequired: true, maxLength: 200, autocomplete: "username" });
    const password = field({ name: "password", label: words.password, kind: "password", isRequired: true, minLength: 10, hint: words.password_hint, autocomplete: "new-password" });
    const made = await dialogForm(words.new_user, [name, password, roleField("viewer"), devicesField(null, devices)], {
      label: words.make,
      act: async ({ deviceIds, ...values }) => (await send("POST", "/api/v1/users", { ...values, deviceIds: deviceIds.length ? deviceIds : null })).data,
    });
    if (!made) return;
    await load();
    toast(fill(words.made, { name: made.name }));
  });

  const invite = () => attempt(async () => {
    const made = await dialogForm(words.invite, [roleField("viewer")], {
      label: words.make_link,
      intro: [element("p", { className: "hint" }, [words.invite_hint])],
      act: async (values) => (await send("POST", "/api/v1/users/invitations", values)).data,
    });
    if (made) await showOnce(words.link_title, words.link_hint, words.link, made.url);
  });

  const edit = (user) => attempt(async () => {
    const password = field({ name: "password", label: words.new_password, kind: "password", minLength: 10, hint: words.new_password_hint, autocomplete: "new-password" });
    const changed = await dialogForm(fill(words.edit_title, { name: user.name }), [roleField(user.role), devicesField(user.deviceIds, devices), password], {
      label: words.save, before: [userName(user.name)],
      act: async (values) => (await send("PATCH", `/api/v1/users/${user.id}`, {
        role: values.role, deviceIds: values.deviceIds.length ? values.deviceIds : null,
        ...(values.password ? { password: values.password } : {}),
      })).data,
    });
    if (!changed) return;
    await load();
    toast(words.saved);
  });

  const disable = (user) => attempt(async () => {
    const isOff = user.isDisabled;
    if (!isOff && !await confirmAction({ title: fill(words.disable_title, { name: user.name }), body: words.disable_body, action: words.disable, danger: true })) return;
    await send("PATCH", `/api/v1/users/${user.id}`, { isDisabled: !isOff });
    await load();
    toast(fill(isOff ? words.enabled : words.disabled, { name: user.name }));
  });

  function draw(users) {
    place.replaceChildren(card(words.users, [table(words.users, [
      { label: words.name }, { label: words.role }, { label: words.devices }, { label: words.state }, { label: words.last_login }, { label: words.actions, isHidden: true },
    ], users.map((user) => [
      [element("strong", {}, [user.name]), ...(user.id === caller.id ? [element("span", { className: "hint" }, [` ${words.you}`])] : [])],
      words.role_of[user.role],
      user.deviceIds ? joined(user.deviceIds.map((id) => names.get(id) ?? id)) : words.all_devices,
      user.isDisabled ? state(words.is_disabled, "bad") : user.isLocked ? state(words.is_locked, "bad") : state(words.is_active, "good"),
      when(user.lastLoginAt, caller.timezone),
      element("div", { className: "toolbar row-actions" }, [
        button(words.edit, () => edit(user)),
        ...(user.id === caller.id ? [] : [button(user.isDisabled ? words.enable : words.disable, () => disable(user))]),
      ]),
    ]))], {
      hint: words.users_hint,
      actions: [element("div", { className: "toolbar" }, [button(words.invite, invite, { className: "primary" }), button(words.new_user, make)])],
    }));
  }

  await load();
  root.append(place, zoneHint(caller.timezone));
}
