// The picture under a scene: taken now, or one that is stored.
import { ApiError, explain, get, refusal } from "./api.js";
import { element, fill, text } from "./dom.js";
import { clockOf, dayOf, zoned } from "./time.js";

const MOMENTS = 30;

async function fetchPicture(address) {
  const response = await fetch(address).catch(() => { throw new ApiError(0); });
  if (!response.ok) throw await refusal(response.status, await response.json().catch(() => null));
  return { bytes: await response.blob(), time: response.headers.get("X-Snapshot-Time"), origin: response.headers.get("X-Snapshot-Origin") };
}

export function stillBar({ device, canvas, ontrails }) {
  const told = element("span", { className: "hint", role: "status" });
  const trail = element("span");
  const clear = element("button", { type: "button", className: "quiet" }, [text.hide_trail]);
  const trailPart = element("div", { className: "trail-told", role: "status", hidden: true }, [trail, clear]);
  clear.addEventListener("click", ontrails);
  const again = element("button", { type: "button", className: "quiet" }, [text.new_still]);
  again.addEventListener("click", refresh);
  const moments = element("select", { ariaLabel: text.other_still });
  moments.append(element("option", { value: "" }, [text.other_still]));
  moments.addEventListener("focus", loadMoments, { once: true });
  moments.addEventListener("pointerdown", loadMoments, { once: true });
  moments.addEventListener("change", () => {
    const [option] = moments.selectedOptions;
    if (moments.value) show(moments.value, { time: option.dataset.time, origin: "stored" });
    else refresh();
  });
  const node = element("div", { className: "still-bar" }, [
    told, element("span", { className: "toolbar" }, [again, moments]), trailPart,
  ]);
  let isLoaded = false;
  let turn = 0;

  function tellTime(time, origin) {
    const local = time && zoned(time, device.timezone);
    told.textContent = local
      ? fill(origin === "live" ? text.still_live : text.still_stored, { time: `${dayOf(local)} ${clockOf(local)}` }) : "";
  }

  async function show(address, known = {}) {
    const mine = turn += 1;
    again.disabled = true;
    told.textContent = text.loading;
    canvas.element.classList.remove("no-still");
    try {
      const picture = await fetchPicture(address);
      if (mine !== turn) return;
      await canvas.setStill(picture.bytes);
      tellTime(known.time ?? picture.time, known.origin ?? picture.origin);
    } catch (error) {
      if (mine !== turn) return;
      canvas.element.classList.add("no-still");
      if (error.status === 404) told.replaceChildren(`${text.no_still} `, element("a", { href: "/videos" }, [text.nav.videos]));
      else told.textContent = error instanceof ApiError ? `${text.still_failed} ${explain(error)}` : text.still_failed;
    } finally {
      if (mine === turn) again.disabled = false;
    }
  }

  function refresh() {
    moments.value = "";
    return show(`/api/v1/devices/${device.id}/snapshot`);
  }

  // Pictures of events: their plain frames, the newest first.
  async function loadMoments() {
    if (isLoaded) return;
    isLoaded = true;
    const { data } = await get("/api/v1/events", { deviceId: device.id, limit: MOMENTS }).catch(() => ({ data: [] }));
    for (const event of data) {
      const frame = event.media.find((one) => one.kind === "original");
      if (!frame) continue;
      const local = zoned(frame.timestamp, device.timezone);
      const option = element("option", { value: frame.link }, [`${dayOf(local)} ${clockOf(local)} ${text.rule_kind[event.type] ?? event.type}`]);
      option.dataset.time = frame.timestamp;
      moments.append(option);
    }
    if (moments.options.length === 1) moments.append(element("option", { disabled: true }, [text.no_moments]));
  }

  return {
    node, refresh,
    tell(words, isShown) { trail.textContent = words; trailPart.hidden = !isShown; },
  };
}
