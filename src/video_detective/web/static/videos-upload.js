// Sends one file in pieces; a connection that breaks costs a piece at most, and goes on by itself.
import { ApiError, refusal, send } from "./api.js";

const PIECE = 8 << 20;
const RATE_WINDOW_MS = 15_000;
const WAITS_MS = [1000, 2000, 4000, 8000, 15_000];
const FOR_GOOD = new Set([400, 401, 403, 404, 413, 415]);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Not fetch: it does not say how much of a body has gone.
function sendPiece(path, blob, offset, upload) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    upload.request = request;
    request.open("PATCH", path);
    request.setRequestHeader("Content-Type", "application/offset+octet-stream");
    request.setRequestHeader("Upload-Offset", offset);
    request.responseType = "json";
    request.upload.onprogress = (event) => upload.progress(offset + event.loaded);
    request.onload = async () => {
      if (request.status < 300) return resolve(request.response.data);
      reject(await refusal(request.status, request.response));
    };
    request.onerror = request.onabort = () => reject(new ApiError(0));
    request.send(blob);
  });
}

async function reached(path) {
  const answer = await fetch(path, { method: "HEAD" }).catch(() => null);
  if (answer === null || answer.status >= 500) throw new ApiError(0);
  if (!answer.ok) throw new ApiError(answer.status);
  return Number(answer.headers.get("Upload-Offset"));
}

// An upload of `file` as the job `job`; `changed` is called when there is something to show.
export function startUpload(job, file, changed) {
  const path = `/api/v1/analysis/files/${job.id}`;
  const marks = [];
  const upload = {
    sent: job.receivedBytes, total: file.size, isPaused: false, isWaiting: false, ended: null, request: null,
    // Bytes a second over the last seconds; null until that means something.
    rate() {
      const [first, last] = [marks[0], marks.at(-1)];
      if (!last || last.at - first.at < 500) return null;
      return (last.sent - first.sent) / ((last.at - first.at) / 1000);
    },
    progress(sent) {
      upload.sent = sent;
      marks.push({ at: performance.now(), sent });
      while (marks.at(-1).at - marks[0].at > RATE_WINDOW_MS) marks.shift();
      changed();
    },
    pause() {
      upload.isPaused = true;
      upload.request?.abort();
      marks.length = 0;
      changed();
    },
    resume() {
      upload.isPaused = false;
      upload.ended = run();
      changed();
    },
    cancel() {
      upload.isPaused = true;
      upload.request?.abort();
      return send("POST", `/api/v1/analysis/jobs/${job.id}/cancel`);
    },
  };

  let turn = 0;

  async function run() {
    const mine = turn += 1;
    const isOver = () => upload.isPaused || mine !== turn; // paused, or resumed since: one sends at a time
    let failures = 0;
    let at = upload.sent;
    while (!isOver()) {
      try {
        if (failures || at !== upload.sent) at = await reached(path);
        if (isOver()) return null;
        if (at >= file.size) return null;
        const piece = file.slice(at, at + PIECE);
        const now = await sendPiece(path, piece, at, upload);
        at = now.receivedBytes;
        failures = 0;
        upload.isWaiting = false;
        upload.progress(at);
        if (at >= file.size) return now;
      } catch (error) {
        if (isOver()) return null;
        if (FOR_GOOD.has(error.status)) throw error;
        upload.isWaiting = true;
        marks.length = 0;
        changed();
        await pause(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)]);
        failures += 1;
      }
    }
    return null;
  }

  upload.ended = run();
  return upload;
}
