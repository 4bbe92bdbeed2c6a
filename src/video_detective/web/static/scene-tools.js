// The tools over the picture: what is drawn next, and how it is finished.
import { element, fill, text } from "./dom.js";
import { leastPoints } from "./scene-drawing.js";

const KINDS = ["zone", "tripwire"];

const hasKeys = () => !matchMedia("(pointer: coarse), (max-width: 52rem)").matches;

export function toolbar({ canvas, canEdit }) {
  const hint = element("p", { className: "hint tool-hint", role: "status" });
  const starts = KINDS.map((kind) => {
    const button = element("button", { type: "button" }, [kind === "zone" ? text.tool_zone : text.tool_tripwire]);
    button.addEventListener("click", () => canvas.setMode(button.ariaPressed === "true" ? "select" : kind));
    return button;
  });
  let mode = "select";
  const make = (label, action, className = "") => {
    const button = element("button", { type: "button", className }, [label]);
    button.addEventListener("click", action);
    return button;
  };
  const place = make(text.place_shape, () => canvas.place(mode));
  const back = make(text.take_back, () => canvas.takeBack());
  const done = make(text.finish_shape, () => canvas.finish(), "finish");
  const cancel = make(text.cancel, () => { canvas.setMode("select"); starts[0].focus(); }, "quiet");
  const node = element("div", { className: "scene-tools toolbar" }, [...starts, place, back, done, cancel]);

  function show(next, count) {
    mode = next;
    const isDrawing = mode !== "select";
    starts.forEach((button, i) => { button.ariaPressed = String(mode === KINDS[i]); button.hidden = isDrawing && mode !== KINDS[i]; });
    place.hidden = !isDrawing || count > 0;
    [back.hidden, done.hidden] = [count === 0, count === 0];
    cancel.hidden = !isDrawing;
    const least = leastPoints({ kind: mode });
    done.disabled = count < least;
    hint.textContent = !canEdit ? "" : !isDrawing ? (hasKeys() ? text.hint_select : text.hint_select_touch)
      : count < least ? fill(mode === "zone" ? text.hint_zone : text.hint_tripwire, { n: least - count }) : text.hint_finish;
  }
  return { node, hint, show };
}
