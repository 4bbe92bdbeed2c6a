// Licences of weights, models in use and installed packages.
import { get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { field } from "./settings-forms.js";
import { weights } from "./settings-models.js";
import { card, empty, table } from "./settings-parts.js";

const words = text.settings_licences;

export async function show(root) {
  const { data } = await get("/api/v1/licences");
  const search = field({ name: "search", label: words.search, kind: "search" });
  const place = element("div", {});
  const count = element("p", { className: "hint" });
  count.setAttribute("role", "status");

  function draw() {
    const wanted = search.read().toLowerCase();
    const found = data.packages.filter(({ name, licence }) => `${name} ${licence ?? ""}`.toLowerCase().includes(wanted));
    count.textContent = fill(words.shown, { n: found.length, total: data.packages.length });
    place.replaceChildren(found.length
      ? table(words.packages, [{ label: words.name }, { label: words.version }, { label: words.licence }],
        found.map((one) => [one.name, one.version, one.licence ?? words.unknown]))
      : empty(words.none));
  }

  search.inputs[0].addEventListener("input", draw);
  draw();
  root.append(
    card(words.weights, [weights(data.weights)], { hint: words.weights_hint }),
    ...(data.models.length ? [card(words.models, [table(words.models, [{ label: words.model }, { label: words.server }, { label: words.licence }],
      data.models.map((one) => [one.model, one.server, one.licence ?? words.unknown_model]))], { hint: words.models_hint })] : []),
    card(words.packages, [element("div", { className: "fields filter" }, [search.node]), count, place], { hint: words.packages_hint }),
  );
}
