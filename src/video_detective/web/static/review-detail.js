// What is known of one alert: its review and what may be done, then the evidence of its event.
import { failureNotice, get } from "./api.js";
import { element, english, fill, text } from "./dom.js";
import { showEvent } from "./event.js";
import { reasonText } from "./review-actions.js";
import { nameOf, stateChip } from "./review-card.js";
import { clockOf, dayOf, zoned } from "./time.js";

const ACTIONS = ["confirmed", "dismissed", "seen", "new"];

export function actionButtons(act, isOffered) {
  return ACTIONS.filter(isOffered).map((state) => {
    const button = element("button", {
      type: "button", className: state === "confirmed" ? "primary" : "",
    }, [text[`act_${state}`]]);
    button.addEventListener("click", () => act(state));
    return button;
  });
}

function back(close) {
  const button = element("button", { type: "button", className: "back quiet" }, [`‹ ${text.back}`]);
  button.addEventListener("click", close);
  return button;
}

function review(alert, { act, close, mayWrite }) {
  const { state, by, at, reason } = alert.review;
  const when = at && zoned(at, alert.timezone);
  return [
    element("div", { className: "toolbar" }, [
      stateChip(alert),
      ...(mayWrite && !alert.isGone ? actionButtons(act, (one) => one !== state && !(one === "seen" && state !== "new")) : []),
      back(close),
    ]),
    ...(by ? [element("p", { className: "hint" }, [
      fill(text.reviewed_by, { state: text.states[state], by, at: `${dayOf(when)} ${clockOf(when)}` }),
      ...(reason ? [element("br"), fill(text.reviewed_why, { reason: reasonText(reason) })] : []),
    ])] : []),
    ...(mayWrite ? [] : [element("p", { className: "hint" }, [text.read_only])]),
  ];
}

export function makeDetail(root, options) {
  const head = element("div", { className: "review" });
  const evidence = element("div");
  let shown = null;
  let stop = null;

  function empty() {
    stop?.abort();
    shown = null;
    root.classList.remove("filled");
    root.replaceChildren(element("div", { className: "empty" }, [
      element("p", {}, [text.choose]), element("p", { className: "hint keys" }, [text.key_help]),
    ]));
  }

  function drawHead(alert) {
    const focused = head.contains(document.activeElement);
    head.replaceChildren(...review(alert, { ...options, mayWrite: options.mayWrite() }));
    if (focused) root.focus({ preventScroll: true });
  }

  async function drawEvidence(alert) {
    stop?.abort();
    const mine = stop = new AbortController();
    evidence.setAttribute("aria-busy", "true");
    try {
      const record = await get(`/api/event/${encodeURIComponent(alert.eventId)}`, {}, { signal: mine.signal });
      if (stop !== mine) return;
      await showEvent(evidence, record, { english, cameraName: () => alert.deviceName });
    } catch (error) {
      if (stop !== mine || error.name === "AbortError") return;
      evidence.replaceChildren(element("p", { className: "failure", role: "alert" }, failureNotice(error, () => drawEvidence(alert))));
    } finally {
      if (stop === mine) evidence.removeAttribute("aria-busy");
    }
  }

  return {
    empty,
    show(alert) {
      const isSame = shown?.id === alert.id;
      // Words and pictures may have come since.
      const isEvidence = isSame && shown.vlmStatus === alert.vlmStatus && shown.thumbnailUrl?.split("?")[0] === alert.thumbnailUrl?.split("?")[0];
      shown = alert;
      root.classList.add("filled");
      root.setAttribute("aria-label", `${text.evidence_of}: ${nameOf(alert)}`);
      drawHead(alert);
      if (!isSame) {
        evidence.replaceChildren(element("div", { className: "skeleton picture" }));
        root.replaceChildren(head, evidence);
        root.scrollTop = 0;
      }
      if (!isEvidence) drawEvidence(alert);
    },
    // The alert that the address names cannot be shown.
    fail(error, again) {
      shown = null;
      root.classList.add("filled");
      root.replaceChildren(element("p", { className: "failure", role: "alert" },
        [400, 404].includes(error.status) ? [text.missing_alert] : failureNotice(error, again)), back(options.close));
    },
    get shownId() { return shown?.id ?? null; },
  };
}
