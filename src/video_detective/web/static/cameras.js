// Cameras: the list with its health, one camera, and its scene. What is shown stands in the address.
import { failureNotice, may } from "./api.js";
import { showDevice } from "./cameras-device.js";
import { showList } from "./cameras-list.js";
import { confirmAction } from "./dialog.js";
import { element, fill, text } from "./dom.js";
import { subscribe } from "./live.js";
import { setTitle } from "./shell.js";

const root = document.getElementById("cameras");
let view = null;
let turn = 0;
let shownAddress = location.href;

// Goes to another view of this page; `isSame` where nobody would want to come back from it.
function go(parameters, { isSame = false } = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  history[isSame ? "replaceState" : "pushState"](null, "", query.size ? `/cameras?${query}` : "/cameras");
  return show();
}

async function mayLeave() {
  if (!view?.isDirty) return true;
  // The draft is kept for this tab, so nothing is lost; whoever leaves is to know that.
  return confirmAction({ title: text.leave_title, body: text.leave_body, action: text.leave_action });
}

async function show() {
  const query = new URLSearchParams(location.search);
  const [device, tab, panel] = ["device", "tab", "panel"].map((name) => query.get(name));
  if (view?.takes?.({ device, tab, panel })) {
    shownAddress = location.href;
    return;
  }
  if (!await mayLeave()) {
    history.pushState(null, "", shownAddress);
    return;
  }
  shownAddress = location.href;
  turn += 1;
  const mine = turn;
  view?.destroy();
  view = null;
  root.setAttribute("aria-busy", "true");
  try {
    const canEdit = await may("devices:write");
    const isCurrent = () => mine === turn;
    const shown = device
      ? await showDevice(root, { id: device, tab: tab ?? "overview", panel, canEdit, go, isCurrent })
      : await showList(root, { canEdit, go, isCurrent });
    if (!isCurrent()) return void shown?.destroy();
    view = shown;
    setTitle(shown?.title ? fill(text.camera_title, { name: shown.title }) : text.nav.cameras);
  } catch (error) {
    if (mine !== turn) return;
    root.replaceChildren(
      element("h1", {}, [text.nav.cameras]),
      element("div", { className: "card notice" }, [
        ...failureNotice(error, error.status === 404 ? null : show), " ",
        ...(device ? [element("a", { className: "button", href: "/cameras" }, [text.all_cameras])] : []),
      ]),
    );
  } finally {
    if (mine === turn) root.removeAttribute("aria-busy");
  }
}

window.addEventListener("popstate", show);
// What changes meanwhile is told; the slow polling of the views is for figures that nobody tells.
let told = 0;
const refresh = () => {
  clearTimeout(told);
  told = setTimeout(() => view?.update(), 300);
};
subscribe({ device: refresh, reconnected: refresh });
// Links within the page change the view without fetching the page again.
root.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/cameras']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || link.target) return;
  event.preventDefault();
  go(Object.fromEntries(new URL(link.href).searchParams)).then(() => {
    scrollTo(0, 0);
    document.getElementById("main").focus({ preventScroll: true });
  });
});
show();
