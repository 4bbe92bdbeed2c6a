// What the address of the queue says: state, conditions, and the alert that is open.
export const STATES = ["new", "seen", "confirmed", "dismissed"];
// Conditions by their name in the address, and in the interface.
const FIELDS = { q: "q", camera: "deviceId", severity: "severity", from: "startDate", to: "endDate" };
export const FILTERS = Object.keys(FIELDS);

const parameters = () => new URLSearchParams(location.search);

// The state that is listed; "" for all of them.
export function tabOf() {
  const state = parameters().get("state") ?? "new";
  return STATES.includes(state) ? state : "";
}

export const currentAlert = () => parameters().get("alert");
export const condition = (name) => parameters().get(name)?.trim() ?? "";

// The same address with something else; null takes it away.
export function addressOf(change) {
  const query = parameters();
  for (const [name, value] of Object.entries(change)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  query.delete("lang");
  return query.size ? `?${query}` : location.pathname;
}

export function asked() {
  return Object.fromEntries(FILTERS.map((name) => [FIELDS[name], condition(name)]).filter(([, value]) => value));
}

export const queryKey = () => JSON.stringify([tabOf(), asked()]);
