// The pictures of an event's moments: with and without drawings, one by one, and large.
import { element, fill, markCurrent, text } from "./dom.js";
import { clockOf, dayOf } from "./time.js";

const LARGEST = 8;

const plain = (frame) => frame.frame_link.replace("_boxes.jpg", ".jpg");

// A dialog with the picture; buttons, + and −, or the wheel make it larger.
function enlarge(address, caption) {
  let scale = 1;
  const image = element("img", { src: address, alt: caption });
  const pane = element("div", { className: "evidence-pane", tabIndex: 0, role: "group", ariaLabel: caption }, [image]);
  const zoom = (factor, x = pane.clientWidth / 2, y = pane.clientHeight / 2) => {
    const before = scale;
    scale = Math.min(Math.max(scale * factor, 1), LARGEST);
    const grown = scale / before;
    const [left, top] = [(pane.scrollLeft + x) * grown - x, (pane.scrollTop + y) * grown - y];
    image.style.width = `${100 * scale}%`;
    image.style.height = `${100 * scale}%`;
    pane.scrollTo(left, top);
  };
  pane.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = pane.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, event.clientX - box.left, event.clientY - box.top);
  });
  const button = (label, name, act) => {
    const node = element("button", { type: "button", ariaLabel: name, title: name }, [label]);
    node.addEventListener("click", act);
    return node;
  };
  const close = button("×", text.close, () => dialog.close());
  const dialog = element("dialog", { className: "evidence-large", ariaLabel: caption }, [
    element("div", { className: "toolbar" }, [
      element("span", {}, [caption]),
      button("−", text.smaller, () => zoom(0.8)),
      button("+", text.larger, () => zoom(1.25)),
      element("a", { className: "button", href: address, target: "_blank", rel: "noopener" }, [text.full_size]),
      close,
    ]),
    pane,
  ]);
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

// The gallery of a record, or null where no picture is kept.
export function gallery(record, english) {
  // Several things may be so in one frame.
  const frames = [];
  for (const item of record.evidence.filter((one) => one.frame_link)) {
    const told = english ? item.what_en : item.what;
    const same = frames.find((frame) => frame.frame_link === item.frame_link);
    if (same) same.told += `${text.and}${told}`;
    else frames.push({ ...item, told });
  }
  if (!frames.length) return null;
  let current = 0;
  let boxes = true;
  const image = element("img", { className: "frame" });
  const size = record.media.find((item) => item.kind === "annotated");
  if (size) Object.assign(image, { width: size.width, height: size.height });
  const link = element("button", { type: "button", className: "evidence-open", title: text.enlarge }, [image]);
  const caption = element("span", { ariaLive: "polite" });
  const toggle = element("button", { type: "button" });
  const previous = element("button", { type: "button", ariaLabel: text.previous, title: text.previous }, ["◀"]);
  const next = element("button", { type: "button", ariaLabel: text.next, title: text.next }, ["▶"]);
  const thumbs = frames.map((frame, index) => {
    const button = element("button", { type: "button" }, [
      element("img", { src: frame.frame_link, alt: what(frame), width: 96, height: 72 }),
    ]);
    button.addEventListener("click", () => show(index));
    return button;
  });
  function what(frame) {
    return `${clockOf(frame.timestamp)} ${frame.told}`;
  }
  function show(index) {
    current = (index + frames.length) % frames.length;
    const frame = frames[current];
    image.src = boxes ? frame.frame_link : plain(frame);
    image.alt = what(frame);
    link.ariaLabel = fill(text.enlarge_one, { what: what(frame) });
    caption.replaceChildren(
      element("strong", {}, [`${dayOf(frame.timestamp)} ${what(frame)}`]), ` (${current + 1}/${frames.length})`,
    );
    toggle.textContent = boxes ? text.original : text.with_boxes;
    thumbs.forEach((thumb, i) => markCurrent(thumb, i === current));
    // scrollIntoView would move the page as well.
    strip.scrollLeft = thumbs[current].offsetLeft - strip.offsetLeft - strip.clientWidth / 2 + 48;
  }
  toggle.addEventListener("click", () => { boxes = !boxes; show(current); });
  previous.addEventListener("click", () => show(current - 1));
  next.addEventListener("click", () => show(current + 1));
  link.addEventListener("click", () => enlarge(image.src, `${dayOf(frames[current].timestamp)} ${image.alt}`));
  const strip = element("div", { className: "evidence-strip" }, thumbs);
  const figure = element("figure", { role: "group", ariaLabel: text.frames }, [
    element("h3", {}, [text.frames]), link, element("figcaption", {}, [caption, previous, next, toggle]), strip,
  ]);
  strip.hidden = previous.hidden = next.hidden = frames.length < 2;
  figure.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    show(current + (event.key === "ArrowLeft" ? -1 : 1));
  });
  show(0);
  return { node: figure, show };
}
