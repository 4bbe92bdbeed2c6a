// Comes in by password or by a one-time link. The link's secret is in the address' fragment, which
// no server sees and no log has.

const form = document.getElementById("door");
const doorText = JSON.parse(document.getElementById("text").textContent);

function fail(message) {
  const place = form.querySelector(".failure");
  place.textContent = message;
  place.hidden = false;
}

function words(status, problem) {
  if (status === 401) return doorText.refused;
  if (status === 409) return doorText.name_taken;
  if (status === 410) return doorText.link_used;
  if (status === 429) return doorText.too_many;
  if (status === 400) return problem;
  return doorText.failed;
}

async function submit(event) {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(form));
  if ("again" in given) {
    if (given.again !== given.password) return fail(doorText.differ);
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
    if (answer.ok) return location.replace("/");
    const body = await answer.json();
    fail(words(answer.status, body.message));
    form.querySelector("[type=password]").focus();
  } catch {
    fail(doorText.failed);
  } finally {
    button.disabled = false;
    form.removeAttribute("aria-busy");
  }
}

if (form) {
  form.addEventListener("submit", submit);
  if ("link" in form.dataset && location.hash.length < 2) fail(doorText.no_link);
  // Whoever came from another site may have a session all the same: ask from here.
  if ("look" in form.dataset) {
    const answer = await fetch("/api/v1/session");
    if (answer.ok) location.replace("/");
  }
}

// The choice of a language keeps the link's secret.
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", () => { link.href = link.getAttribute("href") + location.hash; });
}
