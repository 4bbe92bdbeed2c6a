// The card of an event in the list of results.
import { element, english, text } from "./dom.js";

const PASSING_MS = 80; // pictures of cards that only pass by are not asked for

export function card(entry, { linkTo, cameraName, number }) {
  const picture = entry.frame_links[0];
  const name = english ? entry.type_en : entry.event_type;
  const image = picture && element("img", { alt: "", decoding: "async", width: 128, height: 96 });
  if (image) setTimeout(() => { if (image.isConnected) image.src = picture; }, PASSING_MS);
  const link = linkTo(entry.event_id, {}, [
    image ?? element("span", { className: "blank" }),
    element("span", { className: "told" }, [
      element("span", { className: "top" }, [
        ...(number ? [element("span", { className: "cited" }, [`[${number}]`])] : []),
        element("strong", {}, [name]),
        element("span", { className: `risk ${entry.risk_level}` }, [text[`risk_${entry.risk_level}`]]),
        ...(entry.match === "partial" ? [element("span", { className: "part" }, [text.partial])] : []),
      ]),
      element("span", { className: "when" }, [`${entry.time_range}${entry.end_time ? "" : ` ${text.ongoing}`} · ${cameraName(entry.camera_id)}`]),
      element("span", { className: "what" }, [english ? entry.description_en : entry.description]),
    ]),
  ]);
  const item = element("li", { className: "row card" }, [link]);
  item.dataset.event = entry.event_id;
  return item;
}
