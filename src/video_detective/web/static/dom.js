// Builds nodes from data; text always as text nodes, never as markup.
export const text = JSON.parse(document.getElementById("text").textContent);
export const english = document.documentElement.lang === "en";

export function element(name, properties = {}, children = []) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

export function button(label, act, properties = {}) {
  const node = element("button", { type: "button", ...properties }, [label]);
  node.addEventListener("click", act);
  return node;
}

export function shape(name, attributes = {}, children = []) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// fill("{n} of {total}", { n: 3, total: 9 }) is "3 of 9".
export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// aria-current without a value means "not current": it needs the word.
export function markCurrent(node, isCurrent) {
  if (isCurrent) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}
