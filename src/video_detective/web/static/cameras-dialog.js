// Adding and changing a camera. An address is tried before it is kept.
import { ApiError, explain, refusal, send, session } from "./api.js";
import { drawPicture } from "./cameras-pictures.js";
import { element, text } from "./dom.js";

const list = (words) => words.split(/[,，、]/).map((word) => word.trim()).filter(Boolean);

async function tryAddress(source, deviceId) {
  const response = await fetch("/api/v1/devices/try-source", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ source, deviceId }),
  }).catch(() => { throw new ApiError(0); });
  if (!response.ok) throw await refusal(response.status, await response.json().catch(() => null));
  return response.blob();
}

// Asks for a new camera (device: null) or changes one; resolves to it, or to null.
export function editDevice(device) {
  return new Promise((resolve) => { build(device, resolve); });
}

async function build(device, resolve) {
  const { timezone } = device ?? await session().catch(() => ({ timezone: "Asia/Taipei" }));
  const fields = {};
  let tried = device?.source ?? "";
  let isForced = false;

  function field(name, label, input, hint) {
    fields[name] = input;
    const complaint = element("span", { className: "failure", id: `device-${name}-wrong`, hidden: true });
    input.name = name;
    const explained = hint ? [element("span", { className: "hint", id: `device-${name}-hint` }, [hint])] : [];
    input.setAttribute("aria-describedby", [complaint.id, ...explained.map((node) => node.id)].join(" "));
    input.complain = (words) => {
      complaint.hidden = !words;
      complaint.textContent = words ?? "";
      if (words) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    };
    input.addEventListener("input", () => input.complain(null));
    return element("div", { className: "field-whole" }, [element("label", { className: "field" }, [label, input]), ...explained, complaint]);
  }

  const live = element("input", { type: "radio", name: "kind", checked: !device || Boolean(device.source) });
  const files = element("input", { type: "radio", name: "kind", checked: Boolean(device) && !device.source });
  const picture = element("canvas", { className: "tried-picture", hidden: true, role: "img", ariaLabel: text.tried_picture });
  const told = element("p", { className: "hint", role: "status" });
  const test = element("button", { type: "button" }, [text.try_address]);
  test.addEventListener("click", () => attempt());
  const zones = element("datalist", { id: "zones" }, (Intl.supportedValuesOf?.("timeZone") ?? []).map((name) => element("option", { value: name })));
  const zone = element("input", { value: timezone, required: true, autocomplete: "off" });
  zone.setAttribute("list", "zones");
  const source = element("input", {
    value: device?.source ?? "", inputMode: "url", autocomplete: "off", spellcheck: false, placeholder: "rtsp://user:password@192.0.2.7:554/stream1",
  });
  source.addEventListener("input", () => { isForced = false; picture.hidden = true; told.textContent = ""; save.textContent = text.save; });
  const sourcePart = element("div", { className: "source-part" }, [
    field("source", text.source, source, device?.hasCredentials ? text.source_hint_kept : text.source_hint),
    element("div", { className: "toolbar" }, [test, told]), picture,
  ]);
  const showKind = () => { sourcePart.hidden = files.checked; source.required = live.checked; };
  for (const radio of [live, files]) radio.addEventListener("change", showKind);

  const save = element("button", { type: "submit", className: "primary" }, [text.save]);
  const cancel = element("button", { type: "button" }, [text.cancel]);
  const failed = element("p", { className: "failure", role: "alert" });
  const heading = element("h2", { id: "device-title" }, [device ? text.edit_camera : text.add_camera]);
  const form = element("form", { className: "device-form" }, [
    heading,
    field("name", text.camera_name, element("input", { value: device?.name ?? "", required: true, maxLength: 200, autocomplete: "off" })),
    element("fieldset", { className: "kind-choice" }, [
      element("legend", {}, [text.source_kind]),
      element("label", { className: "check" }, [live, text.source_live]),
      element("label", { className: "check" }, [files, text.source_files]),
    ]),
    sourcePart,
    element("details", {}, [
      element("summary", {}, [text.more_about]),
      element("div", { className: "scene-fields" }, [
        field("timezone", text.timezone, zone), zones,
        field("plan", text.plan, element("select", {}, Object.entries(text.plans).map(([key, label]) => element("option", { value: key, selected: key === (device?.plan ?? "LEVEL_01") }, [label])))),
        field("tags", text.tags, element("input", { value: device?.tags.join(", ") ?? "" }), text.comma_hint),
        field("aliases", text.aliases, element("input", { value: device?.aliases.join(", ") ?? "" }), text.aliases_hint),
      ]),
    ]),
    failed,
    element("div", { className: "toolbar end" }, [cancel, save]),
  ]);
  const dialog = element("dialog", {}, [form]);
  dialog.setAttribute("aria-labelledby", heading.id);
  cancel.addEventListener("click", () => dialog.close());
  let result = null;
  dialog.addEventListener("close", () => { dialog.remove(); resolve(result); });

  async function attempt() {
    const address = source.value.trim();
    if (!address) { source.complain(text.source_needed); source.focus(); return false; }
    test.disabled = save.disabled = true;
    told.textContent = text.trying_address;
    told.className = "hint";
    try {
      await drawPicture(picture, await tryAddress(address, device?.id ?? null));
      picture.hidden = false;
      told.textContent = text.address_works;
      tried = address;
      return true;
    } catch (error) {
      picture.hidden = true;
      const detail = error.details?.find((one) => one.field === "source");
      source.complain(detail?.problem ?? explain(error));
      told.textContent = "";
      // A camera may be off today: who insists keeps the address as it is.
      if (!detail) { isForced = true; save.textContent = text.save_anyway; }
      return false;
    } finally {
      test.disabled = save.disabled = false;
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const address = live.checked ? source.value.trim() : "";
    if (address && address !== tried && !isForced && !await attempt()) return;
    const body = {
      name: fields.name.value, timezone: fields.timezone.value, plan: fields.plan.value,
      tags: list(fields.tags.value), aliases: list(fields.aliases.value), source: address || null,
    };
    save.disabled = true;
    failed.textContent = "";
    try {
      const { data } = device ? await send("PATCH", `/api/v1/devices/${device.id}`, body) : await send("POST", "/api/v1/devices", body);
      result = data;
      dialog.close();
    } catch (error) {
      const named = (error.details ?? []).filter(({ field: name }) => fields[name]);
      for (const { field: name, problem } of named) fields[name].complain(problem);
      if (named.length) {
        form.querySelector("details").open = true;
        fields[named[0].field].focus();
      } else failed.textContent = explain(error);
    } finally {
      save.disabled = false;
    }
  });

  showKind();
  document.body.append(dialog);
  dialog.showModal();
  fields.name.focus();
}
