// Keeping an event however old it becomes, and what is said where its pictures are deleted.
import { explain, may, send } from "./api.js";
import { button, element, fill, text } from "./dom.js";
import { toast } from "./shell.js";
import { dayOf } from "./time.js";

// A button for those who may; nothing is shown to others.
export function keeper(record) {
  let isKept = record.is_kept;
  const node = button(isKept ? text.release : text.keep, async () => {
    node.disabled = true;
    try {
      const { data } = await send("PATCH", `/api/v1/events/${encodeURIComponent(record.event_id)}`, { isKept: !isKept });
      isKept = data.isKept;
      node.textContent = isKept ? text.release : text.keep;
      toast(isKept ? text.now_kept : text.now_released);
    } catch (error) {
      toast(explain(error));
    } finally {
      node.disabled = false;
    }
  }, { className: "evidence-keep", hidden: true });
  may("analytics:write").then((isAllowed) => { node.hidden = !isAllowed; }, () => {});
  return node;
}

export function deleted(record) {
  return element("p", { className: "card notice" }, [fill(text.media_deleted, { day: dayOf(record.media_deleted_time) })]);
}
