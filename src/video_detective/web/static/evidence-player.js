// The clip of an event: frame by frame, on the camera's clock, with the moments of evidence marked.
import { element, fill, shape, text } from "./dom.js";

const LEAD_S = 3;
const SPEEDS = [0.25, 0.5, 1, 2];
// Clips have at most so many frames a second; the frames of slower footage lie further apart.
const FRAMES_A_SECOND = 15;
const MOST_TURNS = 30; // of drawing
const TYPING = "input:not([type=range]), select, textarea, [contenteditable]";
// Drawn, since not every font has such signs.
const ICONS = {
  play: "M6 3l12 7-12 7z", pause: "M5 3h4v14H5zM11 3h4v14h-4z", back: "M4 3h2v14H4zM17 3v14L7 10z",
  on: "M14 3h2v14h-2zM3 3l10 7-10 7z", full: "M3 3h6v2H5v4H3zM11 3h6v6h-2V5h-4zM3 11h2v4h4v2H3zM15 11h2v6h-6v-2h4z",
};
const ms = (time) => new Date(time).getTime();

// A clip shows stretches of time one after the other: where a moment lies in it, and what time a
// place in it is. Both in seconds; a moment that was left out has none.
function clockOfClip(record) {
  let at = 0;
  const spans = record.clip_spans.map((span) => {
    const [from, to] = [ms(span.start_time) / 1000, ms(span.end_time) / 1000];
    const placed = { at, from, to };
    at += to - from;
    return placed;
  });
  // A frame that begins a span may be some milliseconds late.
  const place = (time) => {
    const span = spans.find(({ from, to }) => time >= from - 0.1 && time <= to + 0.1);
    return span ? Math.max(span.at + time - span.from, 0) : null;
  };
  const sign = record.start_time.slice(-6, -5) === "-" ? -1 : 1;
  const [hours, minutes] = record.start_time.slice(-5).split(":").map(Number);
  const offset = sign * (hours * 3600 + minutes * 60);
  const tell = (seconds) => {
    const span = spans.findLast((one) => seconds >= one.at - 0.001) ?? spans[0];
    const wall = span.from + seconds - span.at + offset;
    return new Date(Math.floor(wall * 10 + 0.001) * 100).toISOString().slice(11, 21);
  };
  return { place, tell };
}

// The player of a record, or null where no clip is kept: its node, and what it does with a key.
export function player(record, english) {
  if (!record.clip_link) return null;
  const clock = clockOfClip(record);
  const size = record.media.find((item) => item.kind === "clip");
  const video = element("video", {
    src: record.clip_link, preload: "metadata", playsInline: true, muted: true,
    width: size.width, height: size.height, ariaLabel: text.clip,
  });
  let shown = 0; // time of the frame that is seen
  let isSeen = false; // whether that is the frame of the last seek
  const seek = (seconds) => {
    isSeen = false;
    // Before the clip is there, it is where it will begin.
    video.currentTime = Math.min(Math.max(seconds, 0), video.duration || Infinity);
  };

  const button = (label, name, act, className = "") => {
    const node = element("button", { type: "button", className, ariaLabel: name, title: name }, [label]);
    node.addEventListener("click", act);
    return node;
  };
  const icon = (name) => shape("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true" }, [shape("path", { d: ICONS[name] })]);
  const toggle = () => (video.paused ? video.play().catch(() => {}) : video.pause());
  const play = button(icon("play"), text.play, toggle, "primary");
  const time = element("output", { className: "evidence-clock" });
  const range = element("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0, ariaLabel: text.clip_position });
  const marks = element("div", { className: "evidence-marks", ariaHidden: "true" });
  const speed = element("select", { ariaLabel: text.speed, title: text.speed },
    SPEEDS.map((value) => element("option", { value, selected: value === 1 }, [`${value}×`])));
  speed.addEventListener("change", () => { video.playbackRate = Number(speed.value); });

  function draw() {
    const at = clock.tell(shown);
    time.textContent = at;
    range.value = shown;
    range.setAttribute("aria-valuetext", at);
    for (const moment of moments) moment.node.toggleAttribute("aria-current", Math.abs(moment.at - shown) < 0.5 / FRAMES_A_SECOND);
  }

  // Of each frame its own time is heard, so that a step is a frame, however far apart they are.
  const see = (seconds) => {
    shown = seconds;
    isSeen = true;
    draw();
  };
  const hear = (_, frame) => {
    see(frame.mediaTime);
    video.requestVideoFrameCallback(hear);
  };
  if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(hear);
  else for (const kind of ["timeupdate", "seeked"]) video.addEventListener(kind, () => see(video.currentTime));

  // Until the frame of the last seek is seen, however slow the machine. A browser that does not tell
  // of a frame it showed before is not waited for long.
  async function settled() {
    let turns = MOST_TURNS;
    while (!video.error && (video.seeking || (!isSeen && turns-- > 0))) await new Promise(requestAnimationFrame);
  }
  // Presses are counted while a step is under way or the clip is not there yet, so that none is lost.
  let asked = 0;
  let stepping = false;
  async function step(direction) {
    asked += direction;
    if (stepping) return;
    stepping = true;
    if (video.readyState < 1) await new Promise((resolve) => { video.addEventListener("loadedmetadata", resolve, { once: true }); });
    video.pause();
    await settled();
    while (asked !== 0) {
      const before = shown;
      const on = asked > 0;
      asked -= Math.sign(asked);
      if (!on) {
        seek(before - 0.001);
        await settled();
      } else for (let n = 1; n <= 3 * FRAMES_A_SECOND && shown === before && before + n / FRAMES_A_SECOND < video.duration; n += 1) {
        seek(before + n / FRAMES_A_SECOND + 0.001);
        await settled();
      }
    }
    stepping = false;
  }

  const moments = [];
  for (const item of record.evidence) {
    const at = clock.place(ms(item.timestamp) / 1000);
    const told = english ? item.what_en : item.what;
    const same = moments.find((moment) => moment.at === at);
    if (same) same.told += `${text.and}${told}`;
    else if (at !== null) moments.push({ at, told });
  }
  for (const moment of moments) {
    const { at, told } = moment;
    moment.mark = element("i");
    marks.append(moment.mark);
    moment.node = button(
      element("span", {}, [element("b", {}, [clock.tell(at)]), ` ${told}`]),
      "", () => { video.pause(); seek(at + 0.001); }, "chip",
    );
    moment.node.removeAttribute("aria-label");
  }
  const established = clock.place(ms(record.established_time) / 1000);

  video.addEventListener("loadedmetadata", () => {
    range.max = video.duration;
    for (const { mark, at } of moments) mark.style.left = `${100 * Math.min(at / video.duration, 1)}%`;
    draw();
  });
  const failed = element("p", { className: "failure", role: "alert", hidden: true }, [text.clip_failed]);
  video.addEventListener("error", () => { failed.hidden = false; });
  for (const kind of ["play", "pause", "ended"]) {
    video.addEventListener(kind, () => {
      play.replaceChildren(icon(video.paused ? "play" : "pause"));
      play.ariaLabel = play.title = video.paused ? text.play : text.pause;
    });
  }
  video.addEventListener("click", toggle);
  range.addEventListener("input", () => { video.pause(); seek(Number(range.value)); });

  const figure = element("figure", { role: "group", ariaLabel: text.clip, className: "evidence-clip" }, [
    element("h3", {}, [text.clip]),
    video, failed,
    element("div", { className: "evidence-range" }, [range, marks]),
    element("div", { className: "toolbar" }, [
      play,
      button(icon("back"), text.frame_back, () => step(-1)),
      button(icon("on"), text.frame_on, () => step(1)),
      time, speed,
      ...(established === null ? [] : [button(fill(text.before_moment, { n: LEAD_S }), text.before_moment_hint, () => seek(established - LEAD_S))]),
      ...(document.fullscreenEnabled ? [button(icon("full"), text.full_screen, () => figure.requestFullscreen())] : []),
    ]),
    element("div", { className: "evidence-moments", role: "group", ariaLabel: text.evidence }, moments.map(({ node }) => node)),
    element("p", { className: "hint evidence-keys" }, [text.keys]),
  ]);

  function key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(TYPING)) return;
    const steps = { ",": () => step(-1), ".": () => step(1) };
    if (figure.contains(event.target)) {
      steps.ArrowLeft = () => seek(shown - 1);
      steps.ArrowRight = () => seek(shown + 1);
    }
    // A button that has the focus is pressed by the space bar.
    if (!event.target.closest("button, a, summary, input")) steps[" "] = toggle;
    if (event.target === range) steps[" "] = toggle;
    if (!steps[event.key]) return;
    event.preventDefault();
    // A key that is held does not run on after it is let go.
    if (!(event.repeat && stepping)) steps[event.key]();
  }
  draw();
  return { node: figure, key };
}
