// One event's evidence: frames with boxes, clip, the facts of the rule, hashes.
import { element, markCurrent, text } from "./dom.js";
import { period } from "./time.js";

// Told by the sentence already, or only of use as data.
const UNLISTED = new Set(["ended", "way", "message", "direction", "parts"]);

// Facts carry UTC; people read the camera's clock.
function shown(value, timezone) {
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short", timeStyle: "medium" }).format(new Date(value));
  }
  if (Array.isArray(value)) return value.map((item) => shown(item, timezone)).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  return text.value[value] ?? String(value);
}

function definitions(pairs) {
  const node = element("dl");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    node.append(element("dt", {}, [name]), element("dd", {}, [value]));
  }
  return node;
}

function gallery(frames, english) {
  let current = 0;
  let boxes = true;
  const image = element("img", { className: "frame" });
  const link = element("a", { target: "_blank", rel: "noopener", title: text.full_size }, [image]);
  const caption = element("span", { ariaLive: "polite" });
  const toggle = element("button", { type: "button" });
  const previous = element("button", { type: "button", ariaLabel: text.previous }, ["◀"]);
  const next = element("button", { type: "button", ariaLabel: text.next }, ["▶"]);
  const thumbs = frames.map((frame, index) => {
    const button = element("button", { type: "button" }, [
      element("img", { src: frame.frame_link, alt: frame.timestamp.slice(11, 19), width: 96, height: 72 }),
    ]);
    button.addEventListener("click", () => show(index));
    return button;
  });
  function show(index) {
    current = (index + frames.length) % frames.length;
    const frame = frames[current];
    const what = `${frame.timestamp.slice(11, 19)} ${english ? frame.what_en : frame.what}`;
    image.src = boxes ? frame.frame_link : frame.frame_link.replace("_boxes.jpg", ".jpg");
    link.href = image.src;
    image.alt = what;
    caption.textContent = `${what} (${current + 1}/${frames.length})`;
    toggle.textContent = boxes ? text.original : text.with_boxes;
    thumbs.forEach((thumb, i) => markCurrent(thumb, i === current));
    // scrollIntoView would move the page as well.
    const strip = thumbs[current].parentElement;
    if (strip) strip.scrollLeft = thumbs[current].offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + 48;
  }
  toggle.addEventListener("click", () => { boxes = !boxes; show(current); });
  previous.addEventListener("click", () => show(current - 1));
  next.addEventListener("click", () => show(current + 1));
  const strip = element("div", { className: "thumbs" }, thumbs);
  const figure = element("figure", { role: "group", ariaLabel: text.frames }, [
    link,
    element("figcaption", {}, [caption, previous, next, toggle]),
    strip,
  ]);
  strip.hidden = previous.hidden = next.hidden = frames.length < 2;
  figure.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    show(current + (event.key === "ArrowLeft" ? -1 : 1));
  });
  show(0);
  return figure;
}

function clip(record) {
  if (!record.clip_link) return [element("p", { className: "hint" }, [text.no_clip])];
  const size = record.media.find((item) => item.kind === "clip");
  const video = element("video", {
    src: record.clip_link, controls: true, preload: "metadata", playsInline: true, muted: true,
    width: size.width, height: size.height, ariaLabel: text.clip,
  });
  const poster = record.evidence.find((item) => item.frame_link);
  if (poster) video.poster = poster.frame_link.replace("_boxes.jpg", ".jpg");
  return [element("h3", {}, [text.clip]), video];
}

export function showEvent(root, record, { english, cameraName, close }) {
  const back = element("button", { type: "button", id: "back" }, [text.back]);
  back.addEventListener("click", close);
  const frames = record.evidence.filter((item) => item.frame_link);
  const zone = record.start_time.slice(-6);
  const facts = Object.entries(record.facts).filter(([key]) => !UNLISTED.has(key));
  const raw = { facts: record.facts, parameters: record.parameters };
  root.replaceChildren(
    back,
    element("div", { className: "top" }, [
      element("h2", {}, [english ? record.type_en : record.event_type]),
      element("span", { className: `risk ${record.risk_level}` }, [`${text.risk} ${text[`risk_${record.risk_level}`]}`]),
    ]),
    element("p", {}, [english ? record.summary_en : record.summary_zh]),
    element("p", { className: "hint" }, [text.by_template]),
    frames.length ? gallery(frames, english) : element("p", { className: "hint" }, [text.no_frames]),
    ...clip(record),
    element("h3", {}, [text.facts]),
    definitions([
      [text.event_id, record.event_id],
      [text.period, period(record.start_time, record.end_time)],
      [text.timezone, `${record.timezone} (UTC${zone})`],
      [text.camera, cameraName(record.camera_id)],
      [text.rule, record.rule_id],
      [text.zone, record.zone_name ?? record.zone],
      [text.tripwire, record.tripwire_name ?? record.tripwire],
      [text.actors, record.actors.map((actor) => actor.track_id).join(", ")],
      ...facts.map(([key, value]) => [text.fact[key] ?? key, shown(value, record.timezone)]),
    ]),
    element("h3", {}, [text.evidence]),
    element("ul", {}, record.evidence.map((item) => element("li", {}, [`${item.timestamp.slice(11, 19)} ${english ? item.what_en : item.what}`]))),
    element("details", {}, [
      element("summary", {}, [text.integrity]),
      element("ul", {}, record.media.map((m) => element("li", {}, [
        `${text.media[m.kind]} ${m.timestamp.slice(11, 19)} `, element("code", {}, [m.sha256]),
      ]))),
    ]),
    element("details", {}, [element("summary", {}, [text.raw]), element("pre", { tabIndex: 0 }, [JSON.stringify(raw, null, 1)])]),
  );
  root.scrollTop = 0;
}
