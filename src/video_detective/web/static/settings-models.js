// Model servers, what their models are used for and can do, and weights of detectors.
import { explain, get, send } from "./api.js";
import { bytes } from "./bytes.js";
import { button, element, fill, text } from "./dom.js";
import { card, empty, facts, joined, number, state, table, when, zoneHint } from "./settings-parts.js";
import { toast } from "./shell.js";

const words = text.settings_models;

// What was found and what to do come from the program in English; what kind it is, in ours.
function problem({ key, found, remedy }) {
  const told = element("p", { className: "hint", lang: "en" }, [`${found}. ${remedy.replace(/\.$/, "")}.`]);
  return element("li", {}, [state(words.problem_of[key] ?? words.problem, "bad"), told]);
}

function problems(list) {
  return list.length ? [element("ul", { className: "problems" }, list.map(problem))] : [];
}

function server(found, timezone) {
  return element("li", { className: "card entry" }, [
    element("div", { className: "panel-top" }, [
      element("h3", {}, [found.name]),
      found.isReachable ? state(words.reachable, "good") : state(words.unreachable, "bad"),
    ]),
    facts([
      [words.kind, found.kind],
      [words.address, element("code", {}, [found.address])],
      [words.key, found.hasKey ? words.key_set : words.key_none],
      [words.limits, fill(words.limits_of, { n: found.concurrency, s: found.timeoutSeconds })],
      [words.has, found.models.length ? joined(found.models) : null],
      [words.checked, when(found.checkedAt, timezone)],
    ]),
    ...problems(found.problem ? [found.problem] : []),
  ]);
}

// Of what could not be asked nothing is known.
const HOPELESS = new Set(["server", "key", "model", "settings", "timeout", "unreachable", "overloaded"]);

function abilities({ abilities: found, problems: list }) {
  if (!found || list.some(({ key }) => HOPELESS.has(key))) return null;
  const parts = [];
  if (found.embeddingSize) parts.push(fill(words.embedding, { n: number(found.embeddingSize) }));
  else {
    parts.push(words.structured[found.structured]);
    parts.push(found.severalImages ? words.several_images : found.images ? words.one_image : words.no_images);
  }
  if (found.contextTokens) parts.push(fill(words.context, { n: number(found.contextTokens) }));
  if (found.tokensPerSecond) parts.push(fill(words.speed, { n: found.tokensPerSecond.toFixed(0) }));
  if (found.gpuShare !== null) parts.push(fill(words.gpu, { n: Math.round(found.gpuShare * 100) }));
  return joined(parts);
}

function use(found, timezone) {
  const isWell = found.probedAt && !found.problems.length;
  return element("li", { className: "card entry" }, [
    element("div", { className: "panel-top" }, [
      element("h3", {}, [words.use_of[found.use]]),
      isWell ? state(words.works, "good") : found.problems.length ? state(fill(words.problems, { n: found.problems.length }), "bad") : state(words.not_probed, ""),
    ]),
    facts([
      [words.model, found.model],
      [words.server, found.server],
      [words.can, abilities(found)],
      [words.licence, found.licence],
      [words.probed, found.probedAt ? when(found.probedAt, timezone) : null],
    ]),
    ...problems(found.problems),
  ]);
}

// What weights are for; those that this page does not know say it in English.
function what(one) {
  const known = words.what_of[one.name];
  return element("div", { className: "hint", ...(known ? {} : { lang: "en" }) }, [known ?? one.what]);
}

export function weights(list) {
  return table(words.weights, [
    { label: words.name }, { label: words.state }, { label: words.licence }, { label: words.source },
    { label: words.size, isNumber: true }, { label: "SHA-256" },
  ], list.map((one) => [
    [element("strong", {}, [one.name]), what(one)],
    state(words.state_of[one.state], one.state === "ready" ? "good" : "bad"),
    one.licence, [one.source, element("div", { className: "hint" }, [one.member])], bytes(one.bytes),
    element("code", { className: "hash" }, [one.sha256]),
  ]));
}

export async function show(root, { caller, isCurrent }) {
  const probe = button(words.probe, async () => {
    probe.disabled = true;
    told.textContent = words.probing;
    try {
      const { data } = await send("POST", "/api/v1/models/probe");
      if (!isCurrent()) return;
      draw(data);
      told.textContent = "";
      const count = data.uses.reduce((sum, one) => sum + one.problems.length, 0);
      toast(count ? fill(words.probed_badly, { n: count }) : words.probed_well);
    } catch (error) {
      told.textContent = explain(error);
    } finally {
      probe.disabled = false;
    }
  }, { className: "primary" });
  const told = element("p", { className: "hint" });
  told.setAttribute("role", "status");
  const body = element("div", { className: "stack" });

  function draw(found) {
    const uses = found.uses.length
      ? [element("ul", { className: "entries" }, found.uses.map((one) => use(one, caller.timezone)))]
      : [empty(words.none)];
    const servers = found.servers.length
      ? [card(words.servers, [element("ul", { className: "entries" }, found.servers.map((one) => server(one, caller.timezone)))], { hint: words.servers_hint })]
      : [];
    body.replaceChildren(
      card(words.uses, [told, ...uses], { hint: words.uses_hint, actions: found.uses.length ? [probe] : [] }),
      ...servers,
      card(words.weights, [weights(found.weights)], { hint: words.weights_hint }),
    );
  }

  draw((await get("/api/v1/models")).data);
  root.append(body, zoneHint(caller.timezone));
}
