// Words in the page's language why the server refused a request; asked for when it has.
import { bytes } from "./bytes.js";

const language = document.documentElement.lang;
let asked = null;

// undefined where they do not come; the next error asks for them again.
function fetched() {
  asked ??= fetch(`/static/texts/${language}/problems.json`).then((answer) => answer.json()).catch(() => { asked = null; });
  return asked;
}

function shown(name, value, words) {
  if (Array.isArray(value)) return value.map((one) => shown(name, one, words)).join(words.comma);
  if (typeof value !== "number") return words.terms[name]?.[value] ?? value;
  return name.endsWith("_bytes") ? bytes(value) : value.toLocaleString(language);
}

// undefined without a reason, or with one that is younger than this page.
function said({ reason, values }, words) {
  return words.reasons[reason]?.replace(/\{(\w+)\}/g, (whole, name) => shown(name, values?.[name] ?? whole, words));
}

// "document.rules[2].zone" is "Scene › Rules 3 › Zone".
function named(path, words) {
  return path.split(".").map((part) => {
    const [name, ...places] = part.split(/[[\]]+/).filter(Boolean);
    return [words.fields[name] ?? name, ...places.map((place) => Number(place) + 1)].join(" ");
  }).join(" › ");
}

// Puts an error's message and problems into the page's language, each also with its field's name as
// `told`; what has no reason stays in the server's English.
export async function translate(error) {
  const words = await fetched();
  if (!words) return;
  error.details = error.details?.map((one) => {
    const problem = said(one, words) ?? one.problem;
    return { ...one, problem, told: words.of_field.replace("{field}", () => named(one.field, words)).replace("{problem}", () => problem) };
  });
  error.message = error.details?.map(({ told }) => told).join(" ") ?? said(error, words) ?? error.message;
}
