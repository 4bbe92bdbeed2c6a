// The program, its machines, and whether they are well.
import { get } from "./api.js";
import { element, fill, text } from "./dom.js";
import { card, facts, state, table, when, zoneHint } from "./settings-parts.js";
import { duration } from "./time.js";

const words = text.settings_about;

async function isReady() {
  const response = await fetch("/readyz").catch(() => null);
  return response?.ok ?? false;
}

export async function show(root, { caller }) {
  const [{ data: nodes }, ready] = await Promise.all([get("/api/v1/nodes"), isReady()]);
  const versions = [...new Set(nodes.filter((one) => one.state === "online").map((one) => one.version))];
  root.append(
    card(words.program, [
      facts([
        [words.name, text.title],
        [words.version, versions.join(", ")],
        [words.health, state(ready ? words.well : words.unwell, ready ? "good" : "bad")],
        [words.signed_in, caller.name],
        [words.interface, element("a", { href: "/api/openapi.json" }, ["OpenAPI"])],
      ]),
      ...(versions.length > 1 ? [element("p", { className: "failure" }, [words.versions_differ])] : []),
    ]),
    card(words.nodes, [nodes.length ? table(words.nodes, [
      { label: words.name }, { label: words.state }, { label: words.version }, { label: words.started }, { label: words.heard, isNumber: true }, { label: words.cpus, isNumber: true },
    ], nodes.map((one) => [
      [element("strong", {}, [one.name]), element("div", { className: "hint" }, [element("code", {}, [one.id])])],
      state(one.state === "online" ? words.online : words.offline, one.state === "online" ? "good" : "bad"),
      one.version, when(one.startedAt, caller.timezone), fill(words.ago, { time: duration(one.silentSeconds) }), String(one.cpus ?? "—"),
    ])) : element("p", {}, [words.no_nodes])], { hint: words.nodes_hint }),
    zoneHint(caller.timezone),
  );
}
