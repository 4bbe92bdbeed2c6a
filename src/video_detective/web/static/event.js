// One event's evidence: frames with boxes, clip, the facts of the rule, hashes.
import { element, text } from "./dom.js";

function facts(pairs) {
  const node = element("dl");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    const shown = typeof value === "object" ? JSON.stringify(value) : String(value);
    node.append(element("dt", {}, [name]), element("dd", {}, [shown]));
  }
  return node;
}

function gallery(frames, english) {
  let current = 0;
  let boxes = true;
  const image = element("img", { className: "frame" });
  const caption = element("span");
  const toggle = element("button", { type: "button" });
  const previous = element("button", { type: "button", ariaLabel: text.previous }, ["◀"]);
  const next = element("button", { type: "button", ariaLabel: text.next }, ["▶"]);
  const thumbs = frames.map((frame, index) => {
    const button = element("button", { type: "button" }, [element("img", { src: frame.frame_link, alt: frame.timestamp.slice(11, 19), loading: "lazy" })]);
    button.addEventListener("click", () => show(index));
    return button;
  });
  function show(index) {
    current = Math.min(Math.max(index, 0), frames.length - 1);
    const frame = frames[current];
    const what = english ? frame.what_en : frame.what;
    image.src = boxes ? frame.frame_link : frame.frame_link.replace("_boxes.jpg", ".jpg");
    image.alt = `${frame.timestamp.slice(11, 19)} ${what}`;
    caption.textContent = `${frame.timestamp.slice(11, 19)} ${what} (${current + 1}/${frames.length})`;
    toggle.textContent = boxes ? text.original : text.with_boxes;
    previous.disabled = current === 0;
    next.disabled = current === frames.length - 1;
    thumbs.forEach((thumb, i) => thumb.toggleAttribute("aria-current", i === current));
  }
  toggle.addEventListener("click", () => { boxes = !boxes; show(current); });
  previous.addEventListener("click", () => show(current - 1));
  next.addEventListener("click", () => show(current + 1));
  const figure = element("figure", { tabIndex: 0 }, [
    image,
    element("figcaption", {}, [caption, previous, next, toggle]),
    element("div", { className: "thumbs" }, thumbs),
  ]);
  figure.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(current - 1);
    if (event.key === "ArrowRight") show(current + 1);
  });
  show(0);
  return figure;
}

export function showEvent(root, record, english, close) {
  const back = element("button", { type: "button", id: "back" }, [text.back]);
  back.addEventListener("click", close);
  const frames = record.evidence.filter((item) => item.frame_link);
  const period = `${record.start_time.replace("T", " ")} ~ ${record.end_time ? record.end_time.replace("T", " ") : text.ongoing}`;
  root.replaceChildren(
    back,
    element("div", { className: "top" }, [
      element("h2", {}, [english ? record.type_en : record.event_type]),
      element("span", { className: `risk ${record.risk_level}` }, [`${text.risk}: ${text[`risk_${record.risk_level}`]}`]),
    ]),
    element("p", {}, [english ? record.summary_en : record.summary_zh]),
    element("p", { className: "hint" }, [text.by_template]),
    frames.length ? gallery(frames, english) : element("p", { className: "hint" }, [text.no_frames]),
  );
  if (record.clip_link) {
    root.append(
      element("h3", {}, [text.clip]),
      element("video", { src: record.clip_link, controls: true, preload: "metadata", playsInline: true, muted: true }),
    );
  } else {
    root.append(element("p", { className: "hint" }, [text.no_clip]));
  }
  root.append(
    element("h3", {}, [text.facts]),
    facts([
      [text.event_id, record.event_id],
      [text.period, period],
      [text.camera, record.camera_id],
      [text.rule, record.rule_id],
      [text.zone, record.zone_name ?? record.zone],
      [text.tripwire, record.tripwire_name ?? record.tripwire],
      [text.actors, record.actors.map((a) => a.track_id).join(", ")],
      ...Object.entries(record.facts),
    ]),
    element("h3", {}, [text.evidence]),
    element("ul", {}, record.evidence.map((item) => element("li", {}, [`${item.timestamp.slice(11, 19)} ${english ? item.what_en : item.what}`]))),
    element("details", {}, [
      element("summary", {}, [text.integrity]),
      element("ul", {}, record.media.map((m) => element("li", {}, [
        `${m.kind} ${m.timestamp.slice(11, 19)} `, element("code", {}, [m.sha256]),
      ]))),
    ]),
  );
}
