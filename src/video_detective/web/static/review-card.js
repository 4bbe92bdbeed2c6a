// The card of an alert in the queue.
import { get } from "./api.js";
import { element, fill, markCurrent, text } from "./dom.js";
import { clockOf, zoned } from "./time.js";

export const nameOf = (alert) => text.event_types[alert.eventType] ?? alert.eventType ?? alert.alertRule;
export const localTime = (alert) => zoned(alert.triggeredAt, alert.timezone);

// A signed link is good for some minutes: one that was too old is asked for anew, once.
function picture(alert) {
  if (!alert.thumbnailUrl) return element("span", { className: "blank" }, [text.no_picture]);
  const own = (link) => link.replace(/^https?:\/\/[^/]+/, "");
  const image = element("img", { src: own(alert.thumbnailUrl), alt: "", loading: "lazy", decoding: "async", width: 128, height: 96 });
  image.addEventListener("error", async () => {
    const { data } = await get(`/api/v1/alerts/${alert.id}`).catch(() => ({ data: null }));
    if (data?.thumbnailUrl) image.src = own(data.thumbnailUrl);
  }, { once: true });
  return image;
}

// What a model wrote is never shown as a fact.
function words(alert) {
  if (alert.vlmStatus === "pending") return [element("span", { className: "what hint" }, [text.told_pending])];
  if (!alert.vlmSummary) return [element("span", { className: "what hint" }, [text.told_failed])];
  const isModel = alert.describedBy === "model";
  return [
    ...(isModel ? [element("span", { className: "mark" }, [text.by_model_mark])] : []),
    element("span", { className: isModel ? "what model" : "what" }, [alert.vlmSummary]),
  ];
}

export function stateChip(alert) {
  if (alert.isGone) return element("span", { className: "state" }, [text.gone]);
  return element("span", { className: `state ${alert.review.state}` }, [text.states[alert.review.state]]);
}

// `tab`: the state that is listed; cards in it do not repeat it.
export function card(alert, { address, tab, isPicked, isCurrent, mayWrite }) {
  const at = localTime(alert);
  const name = nameOf(alert);
  const where = [alert.deviceName, alert.placeName].filter(Boolean).join(" · ");
  const check = element("input", {
    type: "checkbox", checked: isPicked, ariaLabel: fill(text.pick_one, { what: `${name} ${clockOf(at)} ${where}` }),
  });
  const isElsewhere = alert.isGone || (tab ? alert.review.state !== tab : true);
  const link = element("a", { href: address(alert.id) }, [
    picture(alert),
    element("span", { className: "told" }, [
      element("span", { className: "top" }, [
        element("strong", {}, [name]),
        element("span", { className: `risk ${alert.severity === "critical" ? "critical" : "medium"}` }, [text.severities[alert.severity]]),
        ...(isElsewhere ? [stateChip(alert)] : []),
      ]),
      element("span", { className: "where" }, [
        element("time", { dateTime: alert.triggeredAt }, [clockOf(at)]), ` · ${where}`,
      ]),
      ...words(alert),
    ]),
  ]);
  const item = element("li", { className: "alert card" }, [
    ...(mayWrite ? [element("label", { className: "pick" }, [check])] : []), link,
  ]);
  item.dataset.alert = alert.id;
  item.classList.toggle("done", Boolean(tab) && isElsewhere);
  item.classList.toggle("fresh", alert.review.state === "new" && !alert.isGone);
  item.classList.toggle("picked", isPicked);
  markCurrent(item, isCurrent);
  return item;
}
