// The whole of one event's evidence; its parts are modules of their own.
import { element, fill, text } from "./dom.js";
import { gallery } from "./evidence-gallery.js";
import { integrity } from "./evidence-integrity.js";
import { deleted, keeper } from "./evidence-keep.js";
import { player } from "./evidence-player.js";
import { words } from "./evidence-words.js";
import { clockOf, period } from "./time.js";

const listeners = new WeakMap();

function definitions(pairs) {
  const node = element("dl");
  for (const [name, ...values] of pairs) {
    if (values[0] === null || values[0] === undefined || values[0] === "") continue;
    node.append(element("dt", {}, [name]), element("dd", {}, values));
  }
  return node;
}

function heading(record, english) {
  return element("div", { className: "evidence-head" }, [
    element("h2", {}, [english ? record.type_en : record.event_type]),
    element("span", { className: `risk ${record.risk_level}` }, [`${text.risk} ${text[`risk_${record.risk_level}`]}`]),
    keeper(record),
    element("a", {
      className: "button evidence-export", download: "",
      href: `/api/v1/events/${encodeURIComponent(record.event_id)}/export?lang=${english ? "en" : "zh-TW"}`,
    }, [text.export]),
  ]);
}

// What was measured, and beside it what the rule asks for.
function measures(record, english) {
  const own = (item, name) => item[english ? `${name}_en` : name];
  return definitions(record.measures.map((item) => [
    own(item, "name"),
    element("strong", {}, [own(item, "text")]),
    ...(item.limit ? [element("span", { className: "hint" }, [fill(text.asked, { limit: own(item.limit, "text") })])] : []),
    ...(item.rule_id === record.rule_id ? [] : [element("span", { className: "hint" }, [fill(text.of_rule, { rule: item.rule_id })])]),
  ]));
}

function facts(record, english, cameraName) {
  const zone = record.start_time.slice(-6);
  return element("section", { className: "evidence-facts" }, [
    element("h3", {}, [text.facts]),
    element("div", {}, [
      ...(record.measures.length ? [measures(record, english)] : []),
      definitions([
        [text.period, period(record.start_time, record.end_time)],
        [text.established, clockOf(record.established_time)],
        [text.timezone, fill(text.zoned, { time: record.timezone, zone })],
        [text.camera, cameraName(record.camera_id)],
        [text.zone, record.zone_name ?? record.zone],
        [text.tripwire, record.tripwire_name ?? record.tripwire],
        [text.actors, [...new Set(record.actors.map((actor) => actor.track_id))].join(" · ")],
        [text.rule, record.rule_id],
        [text.event_id, record.event_id],
      ]),
    ]),
    element("details", {}, [
      element("summary", {}, [text.raw]),
      element("pre", { tabIndex: 0 }, [JSON.stringify({ facts: record.facts, parameters: record.parameters }, null, 1)]),
    ]),
  ]);
}

export function drawEvidence(root, record, { english, cameraName, close, isTold }) {
  // The page may hear the clip's keys too, by naming the part of it whose keys are the event's.
  const keys = root.closest("[data-keys]") ?? root;
  listeners.get(keys)?.abort();
  const ends = new AbortController();
  listeners.set(keys, ends);
  const film = player(record, english);
  const pictures = gallery(record, english);
  const back = element("button", { type: "button", className: "evidence-back" }, [`‹ ${text.back}`]);
  back.addEventListener("click", () => close?.());
  const panel = element("div", { className: "evidence" }, [
    ...(close ? [back] : []),
    heading(record, english),
    element("p", { className: "evidence-sentence" }, [(english ? record.summary_en : record.summary_zh) || record.summary_zh]),
    element("p", { className: "hint" }, [text.by_template]),
    ...(isTold ? [] : words(record.narration)),
    record.media_deleted_time ? deleted(record) : element("div", { className: "evidence-media" }, [
      pictures?.node ?? element("p", { className: "hint" }, [text.no_frames]),
      film?.node ?? element("p", { className: "hint" }, [text.no_clip]),
    ]),
    facts(record, english, cameraName),
    integrity(record, ends.signal),
  ]);
  keys.addEventListener("keydown", (event) => film?.key(event), { signal: ends.signal });
  root.replaceChildren(panel);
  root.scrollTop = 0;
}
