// Hashes of an event's files, and checking them in this browser.
import { element, fill, text } from "./dom.js";
import { clockOf } from "./time.js";

// Where each kept file can be fetched; pictures are found by their moment.
function addressOf(record, file) {
  if (file.kind === "clip") return record.clip_link;
  const link = record.evidence.find((item) => item.frame_link && item.timestamp === file.timestamp)?.frame_link;
  return file.kind === "original" ? link?.replace("_boxes.jpg", ".jpg") : link;
}

async function hashOf(address, signal) {
  const response = await fetch(address, { signal, cache: "no-store" });
  if (!response.ok) throw new Error(String(response.status));
  const digest = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function integrity(record, signal) {
  const rows = record.media.map((file) => ({ file, state: element("td", { className: "evidence-state" }, record.media_deleted_time ? [text.file_deleted] : []) }));
  const result = element("p", { role: "status" });
  const check = element("button", { type: "button" }, [text.verify]);
  check.addEventListener("click", async () => {
    check.disabled = true;
    let sound = 0;
    for (const { file, state } of rows) {
      state.textContent = "…";
      const found = await hashOf(addressOf(record, file), signal).catch(() => null);
      if (signal.aborted) return;
      sound += found === file.sha256;
      state.textContent = found === null ? text.file_unread : found === file.sha256 ? `✓ ${text.file_same}` : `✗ ${text.file_differs}`;
      state.classList.toggle("failure", found !== file.sha256);
    }
    result.textContent = fill(sound === rows.length ? text.verified : text.verified_not, { sound, count: rows.length });
    check.disabled = false;
  });
  const table = element("table", {}, [
    element("thead", {}, [element("tr", {}, [text.file, text.file_size, "SHA-256", text.file_state]
      .map((name) => element("th", { scope: "col" }, [name])))]),
    element("tbody", {}, rows.map(({ file, state }) => element("tr", {}, [
      element("td", {}, [`${clockOf(file.timestamp)} ${text.media[file.kind]}`]),
      element("td", { className: "number" }, [fill(text.kilobytes, { n: Math.ceil(file.bytes / 1024).toLocaleString() })]),
      element("td", {}, [element("code", {}, [file.sha256])]),
      state,
    ]))),
  ]);
  const wrap = element("div", { className: "table-wrap", tabIndex: 0, role: "region", ariaLabel: text.integrity }, [table]);
  return element("details", { className: "evidence-files" }, [
    element("summary", {}, [text.integrity]),
    element("p", { className: "hint" }, [text.audited]),
    // Browsers hash only for pages that nobody on the way can have changed.
    ...(rows.length === 0 ? [element("p", { className: "hint" }, [text.no_files])]
      : record.media_deleted_time ? []
      : globalThis.isSecureContext ? [check, result] : [element("p", { className: "notice" }, [text.verify_insecure])]),
    ...(rows.length ? [wrap] : []),
  ]);
}
