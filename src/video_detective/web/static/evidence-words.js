// What a language model said of an event: marked as its words, with what it saw and why not more.
import { element, fill, text } from "./dom.js";

// A reason is a stable key, and words in English where more is known.
export function why(reason) {
  return fill(text.words_reason, { reason: text.words_reasons[reason.split(":")[0]] ?? reason });
}

export function whose(said) {
  return said.model ? fill(text.words_by, { model: said.model, seen: text.words_levels[said.level] ?? "" }) : text.words_by_some;
}

// What the check of a model's words found, each thing once.
export function found(flags) {
  return [...new Set(flags.map((flag) => text.words_flags[flag.replace(/_differs$/, "")] ?? flag))];
}

// A model's words are never mixed with the facts: a block of their own says whose they are.
export function words(said) {
  if (!said) return [];
  const isSaid = said.status === "done" && said.text && said.level !== "template";
  const notes = [];
  if (said.status === "pending") notes.push(text.words_pending);
  else if (!isSaid) notes.push(text.words_none);
  if (said.reason) notes.push(why(said.reason));
  const flags = found(said.flags);
  return [element("section", { className: "evidence-words" }, [
    element("h3", {}, [text.words]),
    ...(isSaid ? [
      element("p", { lang: said.language }, [said.text]),
      element("p", { className: "hint" }, [whose(said)]),
    ] : []),
    ...notes.map((note) => element("p", { className: "hint" }, [note])),
    ...(flags.length ? [element("ul", { className: "hint" }, flags.map((flag) => element("li", {}, [flag])))] : []),
  ])];
}
