// Asks the REST interface, and says in words what went wrong.
import { element, fill, text } from "./dom.js";

export class ApiError extends Error {
  constructor(status, body, retryAfter) {
    super(body?.message);
    Object.assign(this, body?.error, { status, retryAfter });
  }
}

// The error of an answer, in the page's language where it gives reasons.
export async function refusal(...given) {
  const error = new ApiError(...given);
  if (error.reason || error.details) await import("./problems.js").then((told) => told.translate(error), () => {});
  return error;
}

// Leads back to where one is at the click: what is asked for may have changed since it was drawn.
function signInLink(label) {
  const link = element("a", { className: "button" }, [label]);
  const aim = () => { link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`; };
  aim();
  link.addEventListener("click", aim);
  return link;
}

// Shown once, above whatever page it is; what is on the page stays there.
function tellSignedOut() {
  const banner = document.getElementById("banner");
  if (!banner.hidden) return;
  banner.hidden = false;
  banner.replaceChildren(`${text.expired} `, signInLink(text.expired_link));
}

async function ask(path, options) {
  const response = await fetch(path, options).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  });
  const body = response.status === 204 ? null : await response.json().catch(() => options.signal?.throwIfAborted());
  if (response.ok && body !== undefined) return body;
  if (response.status === 401 && !body?.error?.reason) tellSignedOut();
  throw await refusal(response.status, body, response.headers.get("Retry-After"));
}

// Parameters that are null, undefined or "" are left out; a list is given once for each item.
export function get(path, parameters = {}, { signal } = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const item of [value].flat()) if (item !== null && item !== undefined && item !== "") query.append(name, item);
  }
  return ask(query.size ? `${path}?${query}` : path, { signal, headers: { Accept: "application/json" } });
}

export function send(method, path, body, { signal, headers } = {}) {
  return ask(path, {
    method, signal,
    headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

export function explain(error) {
  if (error.reason) return error.message;
  if (error.status === 401) return `${text.expired} ${text.expired_hint}`;
  if (error.status === 403) return `${text.forbidden} ${text.forbidden_hint}`;
  if (error.status === 429) return fill(text.too_many, { seconds: error.retryAfter ?? 60 });
  if (error.status >= 500) return `${text.failed} ${error.message}`;
  return error.status ? error.message : `${text.failed} ${text.failed_hint}`;
}

// What happened and what to do next, as nodes.
export function failureNotice(error, again) {
  if (error.status === 401) {
    return [explain(error), " ", signInLink(text.sign_in)];
  }
  if (!again) return [explain(error)];
  const retry = element("button", { type: "button" }, [text.retry]);
  retry.addEventListener("click", again);
  return [explain(error), " ", retry];
}

let who = null;

// Who is signed in; asked once a page, and again after a failure.
export function session() {
  who ??= get("/api/v1/session").then((body) => body.data).catch((error) => {
    who = null;
    throw error;
  });
  return who;
}

export async function may(scope) {
  return (await session()).scopes.includes(scope);
}
