// What the page says to a question: what was understood, the answer with its evidence, what is missing.
import { button, element, english, fill, text } from "./dom.js";

const MOST_CITED = 3; // a sentence on more events than that tells of the whole list

// Numbers of the events that are cited, in order of mention.
export function citations(sentences) {
  const numbers = new Map();
  for (const { event_ids: ids } of sentences) {
    if (ids.length <= MOST_CITED) for (const id of ids) if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
  }
  return numbers;
}

function sentence({ text: words, event_ids: ids }, numbers, link) {
  const cited = ids.length <= MOST_CITED ? ids : [];
  return [words, ...cited.flatMap((id) => [" ", link(id, numbers.get(id))])];
}

// First what was found, then what tells of single events, one a line, then the rest.
export function answerNodes(sentences, numbers, link) {
  const nodes = [];
  let list = null;
  sentences.forEach((each, at) => {
    const children = sentence(each, numbers, link);
    if (at > 0 && each.event_ids.length) {
      if (!list) nodes.push(list = element("ul"));
      list.append(element("li", {}, children));
    } else {
      list = null;
      nodes.push(element("p", { className: at ? "" : "lead" }, children));
    }
  });
  return nodes;
}

// Whose words they are, and why not a model's where one is configured.
export function originText({ answer_by: by, answer_model: model, answer_note: note, total }, isWaiting) {
  if (by === "model") return fill(text.by.model, { model });
  if (!isWaiting && (note === "no_model" || !total)) return text.by.template;
  return fill(text.by.rules, { why: isWaiting ? text.by.waiting : text.by[note] ?? text.by.failed });
}

export function missingNodes(result) {
  const lines = english ? result.missing_info_en : result.missing_info;
  if (!lines.length) return [];
  const items = lines.map((line) => element("li", {}, [line]));
  return [element("details", {}, [element("summary", {}, [fill(text.missing, { count: lines.length })]), element("ul", {}, items)])];
}

// The period as it was understood, where the question's own words have one.
function periodOf({ startDate, endDate }) {
  const known = startDate ?? endDate;
  if (!known) return "";
  const time = [startDate, endDate].map((one) => one?.slice(0, 16).replace("T", " ") ?? "…").join(" – ");
  return ` · ${fill(text.zoned, { time, zone: known.slice(-6) })}`;
}

function chip(kind, label, name, remove) {
  const node = button(label, remove, { className: "chip", ariaLabel: fill(text.chip_remove, { chip: name }) });
  node.prepend(element("span", { className: "kind" }, [kind]));
  node.append(" ×");
  return element("li", {}, [node]);
}

// What is a condition: [kind, label, how to do without it].
export function conditions(interpretation, filters, { cameraName, takeOut, clear }) {
  const found = interpretation.chips.map((each) => {
    const label = each.negated ? fill(text.chip_not, { text: each.text }) : each.text;
    const isChosen = each.kind === "time" && (filters.from || filters.to);
    return [text.kinds[each.kind] ?? "", each.kind === "time" && !isChosen ? label + periodOf(interpretation) : label, () => takeOut(each, filters.q), label];
  });
  if (filters.camera) found.push([text.camera, cameraName(filters.camera), () => clear("camera")]);
  for (const name of ["from", "to"]) {
    if (filters[name]) found.push([text[name], filters[name].replace("T", " "), () => clear(name)]);
  }
  return found;
}

// What was understood, each part removable, and the words that narrowed nothing.
export function chipNodes(found, { notUnderstood }) {
  const nodes = found.map(([kind, label, remove, name = label]) => chip(kind, label, name, remove));
  if (notUnderstood.length) {
    nodes.push(element("li", { className: "hint" }, [fill(text.not_understood, { words: notUnderstood.join(text.list_comma) })]));
  }
  return nodes;
}

// Which condition to do without where nothing was found.
export function looser(found) {
  if (!found.length) return [];
  return [element("div", { className: "toolbar" }, [text.loosen, ...found.map(
    ([, label, remove, name = label]) => button(fill(text.without, { chip: name }), remove, { className: "small" }),
  )])];
}
