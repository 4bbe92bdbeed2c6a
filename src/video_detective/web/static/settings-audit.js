// Who did what; the filter stands in the address.
import { explain, failureNotice, get } from "./api.js";
import { button, element, fill, text } from "./dom.js";
import { field } from "./settings-forms.js";
import { card, empty, number, state, table, when, zoneHint } from "./settings-parts.js";

const words = text.settings_audit;

function details(entry) {
  const pairs = Object.entries(entry.details);
  if (!pairs.length) return "";
  return element("details", {}, [
    element("summary", {}, [words.details]),
    element("pre", { lang: "en" }, [JSON.stringify(entry.details, null, 1)]),
  ]);
}

// The command line and the program itself have no names of their own.
function who({ actorKind, actorName }) {
  const kind = words.actor_of[actorKind];
  return actorKind === "user" || actorKind === "key" ? [words.actor_named[actorName] ?? actorName, element("div", { className: "hint" }, [kind])] : kind;
}

export async function show(root, { caller, isCurrent, go }) {
  const query = new URLSearchParams(location.search);
  let items = [];
  let cursor = null;
  let total = 0;
  let turn = 0;
  const action = field({
    name: "action", label: words.action, kind: "select", value: query.get("action") ?? "",
    options: [["", words.all_actions], ...Object.entries(words.kind_of)],
  });
  const from = field({ name: "from", label: words.from, kind: "date", value: query.get("from") ?? "" });
  const to = field({ name: "to", label: words.to, kind: "date", value: query.get("to") ?? "" });
  const place = element("div", {});
  place.setAttribute("aria-live", "polite");
  const told = element("div", { className: "verified" });
  told.setAttribute("role", "status");

  const nextDay = (day) => new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);

  async function load(more = false) {
    const mine = turn += 1;
    go({ tab: "audit", action: action.read(), from: from.read(), to: to.read() }, { isSame: true });
    try {
      const { data, meta } = await get("/api/v1/audit", {
        action: action.read(), limit: 50, cursor: more ? cursor : undefined,
        startDate: from.read() && `${from.read()}T00:00:00`, endDate: to.read() && `${nextDay(to.read())}T00:00:00`,
      });
      if (mine !== turn) return;
      items = more ? [...items, ...data] : data;
      ({ total, nextCursor: cursor } = meta.pagination);
      if (isCurrent()) draw();
    } catch (error) {
      if (mine === turn) place.replaceChildren(element("div", { className: "notice" }, failureNotice(error, () => load(more))));
    }
  }

  for (const one of [action, from, to]) one.inputs[0].addEventListener("change", () => load());

  const verify = button(words.verify, async () => {
    verify.disabled = true;
    told.replaceChildren(words.verifying);
    try {
      const { data } = await get("/api/v1/audit/verify");
      told.replaceChildren(
        state(data.isIntact ? words.intact : words.broken, data.isIntact ? "good" : "bad"), " ",
        data.isIntact ? fill(words.rows, { n: number(data.rows) }) : fill(words.broken_at, { n: data.brokenAt }),
        ...(data.problem ? [element("div", { className: "hint", lang: "en" }, [data.problem])] : []),
        element("div", { className: "hint" }, [words.head, " ", element("code", {}, [data.head])]),
      );
    } catch (error) {
      told.replaceChildren(explain(error));
    } finally {
      verify.disabled = false;
    }
  });

  function draw() {
    if (!items.length) return place.replaceChildren(empty(words.none));
    place.replaceChildren(
      element("p", { className: "hint" }, [fill(words.shown, { n: number(items.length), total: number(total) })]),
      table(words.audit, [
        { label: words.number, isNumber: true }, { label: words.time }, { label: words.who }, { label: words.action }, { label: words.target }, { label: words.details },
      ], items.map((entry) => [
        String(entry.number), when(entry.time, caller.timezone),
        who(entry),
        words.action_of[entry.action] ?? entry.action,
        element("code", { className: "target" }, [entry.targetId]), details(entry),
      ])),
      ...(cursor ? [button(text.settings_more, () => load(true), { className: "more" })] : []),
    );
  }

  await load();
  root.append(card(words.audit, [told, element("div", { className: "fields filter" }, [action.node, from.node, to.node]), place], {
    hint: words.audit_hint, actions: [verify],
  }), zoneHint(caller.timezone));
}
