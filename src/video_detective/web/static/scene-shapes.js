// The shapes of a draft beside the picture: their names, and where their corners are, as numbers.
import { element, fill, markCurrent, text } from "./dom.js";
import { colourOf, isClosed, leastPoints, nameOf } from "./scene-drawing.js";
import { clamp, crossingEdges, rounded } from "./scene-geometry.js";

export function shapesPanel({ canEdit, onselect, onchange, onremove }) {
  const list = element("ul", { className: "shape-list" });
  const detail = element("div", { className: "shape-detail" });
  const node = element("section", { className: "shapes", ariaLabel: text.shapes_title }, [list, detail]);
  let shown = null;
  let inputs = [];

  function changeShape(shapes, shape, change, what) {
    onchange(shapes.map((one) => (one.key === shape.key ? { ...one, ...change } : one)), what);
  }

  function textField(shape, property, label, state) {
    const input = element("input", { value: shape[property], maxLength: 60, disabled: !canEdit });
    input.addEventListener("input", () => changeShape(state.shapes, shape, { [property]: input.value }, `${shape.key} ${property}`));
    inputs.push({ input, read: (now) => now[property] });
    return element("label", { className: "field" }, [label, input]);
  }

  function coordinate(shape, index, axis, state) {
    const name = axis ? "y" : "x";
    const input = element("input", {
      type: "number", min: 0, max: 100, step: 0.1, disabled: !canEdit, value: (shape.points[index][axis] * 100).toFixed(1),
      ariaLabel: fill(text.coordinate_label, { axis: name, n: index + 1 }),
    });
    input.addEventListener("input", () => {
      if (input.value === "" || Number.isNaN(input.valueAsNumber)) return;
      const points = state.shape.points.map((point, i) => (
        i === index ? point.map((part, a) => (a === axis ? rounded(clamp(input.valueAsNumber / 100)) : part)) : point));
      changeShape(state.shapes, shape, { points }, `number ${shape.key} ${index} ${axis}`);
    });
    inputs.push({ input, read: (now) => (now.points[index][axis] * 100).toFixed(1) });
    return element("td", {}, [input]);
  }

  function corners(shape, state) {
    const rows = shape.points.map((_, index) => {
      const remove = element("button", {
        type: "button", className: "quiet", ariaLabel: fill(text.remove_corner, { n: index + 1 }),
        disabled: !canEdit || shape.points.length <= leastPoints(shape),
      }, ["×"]);
      remove.addEventListener("click", () => changeShape(
        state.shapes, shape, { points: state.shape.points.filter((__, i) => i !== index) }, `corner ${Math.random()}`,
      ));
      return element("tr", {}, [
        element("th", { scope: "row" }, [String(index + 1)]),
        coordinate(shape, index, 0, state), coordinate(shape, index, 1, state), element("td", {}, [remove]),
      ]);
    });
    const add = element("button", { type: "button", className: "quiet", hidden: !canEdit }, [text.add_corner]);
    add.addEventListener("click", () => {
      const { points } = state.shape;
      const [a, b] = isClosed(shape) ? [points[points.length - 1], points[0]] : points.slice(-2);
      const next = isClosed(shape) ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : [2 * b[0] - a[0], 2 * b[1] - a[1]];
      changeShape(state.shapes, shape, { points: [...points, next.map(rounded)] }, `corner ${Math.random()}`);
    });
    const table = element("table", { className: "corner-table" }, [
      element("thead", {}, [element("tr", {}, [
        element("th", { scope: "col" }, [text.corner]), element("th", { scope: "col" }, ["x %"]), element("th", { scope: "col" }, ["y %"]),
        element("td"),
      ])]),
      element("tbody", {}, rows),
    ]);
    return element("details", { open: state.isOpen }, [element("summary", {}, [text.corners_title]), table, add]);
  }

  function build(shape, state) {
    inputs = [];
    const wrong = element("p", { className: "failure", role: "alert", hidden: true });
    const swap = element("button", { type: "button", className: "quiet" }, [text.swap_directions]);
    swap.addEventListener("click", () => changeShape(
      state.shapes, shape, { points: [...state.shape.points].reverse() }, `turn ${Math.random()}`,
    ));
    const remove = element("button", { type: "button", className: "quiet" }, [isClosed(shape) ? text.remove_zone : text.remove_tripwire]);
    remove.addEventListener("click", () => onremove(shape.key));
    detail.replaceChildren(
      textField(shape, "name", text.shape_name, state),
      wrong,
      corners(shape, state),
      element("div", { className: "toolbar", hidden: !canEdit }, [...(isClosed(shape) ? [] : [swap]), remove]),
    );
    return wrong;
  }

  // Rebuilt where something else is shown; else only the numbers and names are written anew, so that
  // nobody loses the field that they type in.
  function render(shapes, key) {
    list.replaceChildren(...shapes.map((shape) => {
      const button = element("button", { type: "button", className: `shape-name ${colourOf(shapes, shape)}` }, [
        element("span", { className: `swatch ${shape.kind}` }), nameOf(shape),
      ]);
      markCurrent(button, shape.key === key);
      button.addEventListener("click", () => onselect(shape.key));
      return element("li", {}, [button]);
    }));
    const shape = shapes.find((one) => one.key === key);
    const same = shape && shown?.key === key && shown.count === shape.points.length;
    if (!shape) {
      shown = null;
      detail.replaceChildren(element("p", { className: "hint" }, [shapes.length ? text.choose_shape : text.no_shapes]));
      return;
    }
    if (!same) {
      const isOpen = shown?.key === key && Boolean(detail.querySelector("details")?.open);
      const state = { shapes, shape, isOpen };
      shown = { key, count: shape.points.length, state, wrong: build(shape, state) };
    }
    Object.assign(shown.state, { shapes, shape });
    for (const { input, read } of inputs) if (input !== document.activeElement) input.value = read(shape);
    const edges = isClosed(shape) ? crossingEdges(shape.points) : null;
    shown.wrong.hidden = !edges;
    shown.wrong.textContent = edges ? fill(text.problem_crosses, { name: nameOf(shape), a: edges[0] + 1, b: edges[1] + 1 }) : "";
  }

  return { node, render };
}
