// Comes in by password or by a one-time link. The link's secret is in the address' fragment, which
// no server sees and no log has.

const form = document.getElementById("door");
const text = JSON.parse(document.getElementById("text").textContent);

// Back to where one was; never to another site.
function goal() {
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  const address = new URL(next, location.origin);
  return address.origin === location.origin ? address.pathname + address.search : "/";
}

// Whoever is the first here begins with a camera.
async function firstGoal() {
  const known = await fetch("/api/v1/devices?limit=1").then((answer) => answer.json()).catch(() => null);
  return known?.data?.length === 0 ? "/welcome" : "/";
}

function fail(message) {
  const place = form.querySelector(".failure");
  place.textContent = message;
  place.hidden = false;
}

async function words(status, { error, message }) {
  if (status === 401) return text.refused;
  if (status === 429) return text.too_many;
  if (![400, 409, 410].includes(status)) return text.door_failed;
  const told = { ...error, message };
  await import("./problems.js").then(({ translate }) => translate(told), () => {});
  return told.message;
}

async function submit(event) {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form));
  if ("again" in given) {
    if (given.again !== given.password) return fail(text.differ);
    delete given.again;
  }
  if ("link" in form.dataset) given.token = location.hash.slice(1);
  if (!given.account) delete given.account;
  const button = form.querySelector("button");
  button.disabled = true;
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
    if (answer.ok) return location.replace("link" in form.dataset ? await firstGoal() : goal());
    fail(await words(answer.status, await answer.json()));
    form.querySelector("[type=password]").focus();
  } catch {
    fail(text.door_failed);
  } finally {
    button.disabled = false;
    form.removeAttribute("aria-busy");
  }
}

if (form) {
  form.addEventListener("submit", submit);
  if ("link" in form.dataset && location.hash.length < 2) fail(text.no_link);
  // Whoever came from another site may have a session all the same: ask from here.
  if ("look" in form.dataset) {
    const answer = await fetch("/api/v1/session");
    if (answer.ok) location.replace(goal());
  }
}

// The choice of a language keeps the link's secret.
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", () => { const parameters = new URLSearchParams(location.search);
    parameters.set("lang", link.lang);
    link.href = `?${parameters}${location.hash}`; });
}
