// Sets reviews, one or many, and takes it back.
import { explain, send } from "./api.js";
import { ask } from "./dialog.js";
import { element, fill, text } from "./dom.js";
import { toast } from "./shell.js";

const AT_ONCE = 500; // what the service takes in one request
const LAST_REASON = "vd_dismissed";
const KEYS = Object.keys(text.reasons);

export const reasonText = (reason) => text.reasons[reason] ?? reason;

// Why it is dismissed; null when somebody thinks better of it. The last reason is offered again.
export async function askReason(count) {
  const last = localStorage.getItem(LAST_REASON) ?? KEYS[0];
  const other = element("textarea", {
    rows: 2, maxLength: 500, ariaLabel: text.reason_words, value: KEYS.includes(last) ? "" : last,
  });
  const radios = [...KEYS, "other"].map((key) => element("input", {
    type: "radio", name: "reason", value: key, checked: key === (KEYS.includes(last) ? last : "other"),
  }));
  const isOther = () => radios.at(-1).checked;
  const fit = () => {
    other.hidden = !isOther();
    other.required = isOther();
  };
  for (const radio of radios) radio.addEventListener("change", () => { fit(); if (isOther()) other.focus(); });
  // Spaces alone are no reason.
  other.addEventListener("input", () => other.setCustomValidity(other.value.trim() ? "" : text.reason_words));
  fit();
  const answer = ask(count > 1 ? fill(text.dismiss_many, { n: count }) : text.dismiss_title, [
    element("fieldset", { className: "reasons" }, [
      element("legend", {}, [text.dismiss_why]),
      ...radios.map((radio) => element("label", { className: "check" }, [radio, text.reasons[radio.value] ?? text.reason_other])),
      other,
    ]),
  ], [
    { label: text.cancel, value: "", plain: true },
    { label: text.dismiss_do, value: "yes", className: "primary" },
  ]);
  (radios.find((radio) => radio.checked) ?? radios[0]).focus();
  if (await answer !== "yes") return null;
  const reason = isOther() ? other.value.trim() : radios.find((radio) => radio.checked).value;
  localStorage.setItem(LAST_REASON, reason);
  return reason;
}

async function post(ids, change) {
  const done = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const { data } = await send("POST", "/api/v1/alerts/reviews", { ids: ids.slice(at, at + AT_ONCE), ...change });
    done.push(...data);
  }
  return done;
}

// Sets the state of alerts and offers to undo it. `changed` is told what became of each, also when
// it is undone.
export async function setReviews(ids, state, { reason, changed, undone }) {
  try {
    const done = (await post(ids, { state, reason })).filter((one) => one.changed);
    changed(done);
    if (!done.length) return toast(text.done_none);
    toast(fill(text[`done_${state}`], { n: done.length }), {
      action: text.undo, run: () => undo(done, state, undone),
    });
  } catch (error) {
    toast(explain(error));
  }
}

// Each gets its former state again, unless somebody has decided anew meanwhile.
async function undo(done, state, undone) {
  const groups = new Map();
  for (const one of done) {
    const key = JSON.stringify([one.former.state, one.former.reason]);
    groups.set(key, [...(groups.get(key) ?? []), one.id]);
  }
  try {
    const back = [];
    for (const [key, ids] of groups) {
      const [former, reason] = JSON.parse(key);
      back.push(...await post(ids, { state: former, reason, onlyFrom: state }));
    }
    undone(back);
    toast(fill(text.undone, { n: back.filter((one) => one.changed).length }));
  } catch (error) {
    toast(explain(error));
  }
}
