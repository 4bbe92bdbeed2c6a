// Builds nodes from data; text always as text nodes, never as markup.
export const text = JSON.parse(document.getElementById("text").textContent);

export function element(name, properties = {}, children = []) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

export function shape(name, attributes, children = []) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// aria-current without a value means "not current": it needs the word.
export function markCurrent(node, isCurrent) {
  if (isCurrent) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}

// "2026-01-15 22:05:00 ~ 22:06:30" on the camera's wall clock; a moment is written once.
export function period(start, end) {
  const [day, clock] = [start.slice(0, 10), start.slice(11, 19)];
  if (end === null) return `${day} ${clock} ~ ${text.ongoing}`;
  const [lastDay, lastClock] = [end.slice(0, 10), end.slice(11, 19)];
  if (day === lastDay && clock === lastClock) return `${day} ${clock}`;
  return `${day} ${clock} ~ ${day === lastDay ? "" : `${lastDay} `}${lastClock}`;
}
