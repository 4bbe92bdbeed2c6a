// One insight: what was said of the alert and by whom, pictures, looks, evidence of its event.
import { explain, failureNotice, get } from "./api.js";
import { element, english, fill, text } from "./dom.js";
import { showEvent } from "./event.js";
import { found, whose, why } from "./evidence-words.js";
import { described, local, saidOf, severityChip, timeOf } from "./insights-list.js";
import { setTitle, toast } from "./shell.js";
import { clockOf, zoned } from "./time.js";

const SIGNS = { GT: ">", GTE: "≥", LT: "<", LTE: "≤", EQ: "=" };
let turn = 0;

function definitions(pairs) {
  return element("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .flatMap(([name, value]) => [element("dt", {}, [name]), element("dd", {}, [value].flat())]));
}

function words(insight, timeline) {
  const said = insight.vlmStructuredResult;
  const isModel = insight.describedBy === "model";
  const notes = [];
  if (insight.vlmStatus === "pending") notes.push(text.pending_hint);
  if (insight.reason) notes.push(why(insight.reason));
  notes.push(...found(insight.flags));
  return element("section", { className: isModel ? "evidence-words" : "" }, [
    ...(isModel ? [element("h3", {}, [text.words])] : []),
    element("p", { className: "said" }, saidOf(insight)),
    ...(isModel ? [element("p", { className: "hint by" }, [text.words_by_some])]
      : insight.vlmStatus === "pending" ? [] : [element("p", { className: "hint" }, [text.by_template])]),
    ...notes.map((note) => element("p", { className: "hint" }, [note])),
    ...(insight.vlmError ? [element("p", { className: "failure" }, [insight.vlmError])] : []),
    ...(said ? [definitions([
      [text.persons, said.personCount],
      [text.risk, element("span", { className: `risk ${said.riskLevel}` }, [text[`risk_${said.riskLevel}`]])],
      [text.activities, said.activities.join(text.comma)],
      [text.suggestions, said.suggestions.join(text.comma)],
      [text.environment, said.environment],
    ])] : []),
    ...(timeline.some(([, value]) => value) ? [definitions(timeline)] : []),
  ]);
}

function snapshots(urls) {
  if (!urls.length) return [element("p", { className: "hint" }, [text.no_snapshots])];
  return [element("div", { className: "snapshots" }, urls.map((url, at) => {
    const name = fill(text.snapshot_of, { n: at + 1, count: urls.length });
    return element("a", { href: local(url), target: "_blank", rel: "noopener" }, [
      element("img", { src: local(url), alt: name, loading: "lazy" }),
    ]);
  }))];
}

function looksOf(record, timezone) {
  const seen = Object.entries(record.attributes).filter(([, number]) => number);
  return element("tr", {}, [
    element("td", {}, [clockOf(zoned(record.capturedAt, timezone))]),
    element("td", { className: "number" }, [record.totalPersons]),
    element("td", {}, seen.map(([name, number]) => element("span", { className: "look" }, [`${text.look[name] ?? name} ${number}`]))),
  ]);
}

// Records of the minute around it; a camera whose plan has none says so.
async function looks(insight, device, timezone) {
  if (device?.plan === "LEVEL_01") return [element("p", { className: "hint" }, [text.looks_plan])];
  try {
    const { data } = await get(`/api/v1/analysis/insights/${insight.id}/attributes`);
    if (!data.length) return [element("p", { className: "hint" }, [text.no_looks])];
    const head = [text.time, text.persons, text.looks].map((name) => element("th", { scope: "col" }, [name]));
    return [element("div", { className: "table-wrap", tabIndex: 0, role: "region", ariaLabel: text.looks }, [
      element("table", {}, [element("thead", {}, [element("tr", {}, head)]),
        element("tbody", {}, data.map((record) => looksOf(record, timezone)))]),
    ])];
  } catch (error) {
    return [element("p", { className: "hint" }, [error.status === 403 ? text.looks_plan : explain(error)])];
  }
}

function copyable(value) {
  if (!value) return null;
  const button = element("button", { type: "button", className: "quiet copy", ariaLabel: fill(text.copy_one, { value }) }, [text.copy]);
  const code = element("code", {}, [value]);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value);
      toast(text.copied);
    } catch {
      // Browsers let only secure pages write the clipboard: leave it marked for Ctrl+C.
      getSelection().selectAllChildren(code);
      toast(text.copy_marked);
    }
  });
  return [code, button];
}

function alert(insight, timezone) {
  return element("div", { className: "card" }, [
    element("h2", {}, [text.alert]),
    definitions([
      [text.value_then, insight.actualValue],
      [text.condition, `${SIGNS[insight.operator]} ${insight.threshold}`],
      [text.scene, insight.sceneName],
      [text.timezone, timezone],
    ]),
    element("details", {}, [element("summary", {}, [text.ids]), definitions([
      [text.message, element("span", { lang: "en" }, [insight.message])], [text.metric_path, element("code", {}, [insight.metricPath])],
      [text.insight_id, copyable(insight.id)], [text.alert_id, copyable(insight.alertId)],
      [text.event_id, copyable(insight.eventId)], [text.device_id, copyable(insight.deviceId)],
      [text.scene_id, copyable(insight.sceneId)], [text.request_id, copyable(insight.requestId)],
    ])]),
  ]);
}

async function evidence(node, insight, around) {
  try {
    const record = await get(`/api/event/${encodeURIComponent(insight.eventId)}`);
    const names = new Map([...around.devices.values()].map((device) => [device.cameraId, device.name]));
    const by = node.parentElement?.querySelector(".by"); // of this insight, if it is still shown
    if (by && record.narration) by.textContent = whose(record.narration);
    await showEvent(node, record, { english, cameraName: (id) => names.get(id) ?? id, isTold: true });
  } catch (error) {
    const gone = error.status === 404;
    node.replaceChildren(element("h2", {}, [text.event_evidence]), element("p", gone ? {} : { className: "failure", role: "alert" },
      gone ? [text.no_event] : failureNotice(error, () => evidence(node, insight, around))));
  }
}

export async function showInsight(root, id, { surroundings, back, isNew }) {
  const mine = ++turn;
  const button = element("button", { type: "button" }, [`‹ ${text.back}`]);
  button.addEventListener("click", back);
  if (isNew) root.replaceChildren(button, element("div", { className: "skeleton tall" }));
  try {
    const [{ data: insight }, around] = await Promise.all([
      get(`/api/v1/analysis/insights/${encodeURIComponent(id)}`), surroundings(),
    ]);
    if (mine !== turn || root.hidden) return;
    const device = around.devices.get(insight.deviceId);
    const timezone = device?.timezone ?? around.timezone;
    const at = (time) => time && timeOf(time, device, around);
    const title = element("h1", { tabIndex: -1 }, [`${insight.deviceName} · ${at(insight.triggeredAt)}`]);
    setTitle(title.textContent);
    const top = element("div", { className: "top" }, [
      element("div", { className: "toolbar" }, [title, severityChip(insight), element("span", { className: "hint" }, [described(insight)])]),
      element("div", { className: "halves" }, [
        element("div", { className: "card" }, [
          element("h2", {}, [text.summary]),
          words(insight, [
            [text.requested, at(insight.vlmRequestedAt)],
            [text.answered, at(insight.vlmCompletedAt)],
            [text.tokens, insight.vlmTokensUsed && fill(text.tokens_used, { input: insight.vlmInputTokensUsed ?? 0, output: insight.vlmOutputTokensUsed ?? 0 })],
          ]),
        ]),
        alert(insight, timezone),
      ]),
      element("section", { className: "card" }, [element("h2", {}, [text.snapshots]), ...snapshots(insight.snapshotUrls)]),
    ]);
    // What was said changes; the clip that somebody watches stays as it is.
    const before = isNew ? null : root.querySelector(":scope > .top");
    if (before) return before.replaceWith(top);
    const waiting = () => element("p", { className: "hint" }, [text.loading]);
    const seen = element("section", { className: "card" }, [element("h2", {}, [text.looks_near]), waiting()]);
    const proof = element("section", { className: "card" }, [waiting()]);
    root.replaceChildren(button, top, proof, seen);
    title.focus({ preventScroll: true });
    await Promise.all([
      looks(insight, device, timezone).then((nodes) => seen.replaceChildren(seen.firstElementChild, ...nodes)),
      evidence(proof, insight, around),
    ]);
  } catch (error) {
    if (mine !== turn || root.hidden) return;
    root.replaceChildren(button, element("div", { className: "card notice failure", role: "alert" },
      error.status === 404 ? [text.no_insight] : failureNotice(error, () => showInsight(root, id, { surroundings, back, isNew }))));
  }
}
