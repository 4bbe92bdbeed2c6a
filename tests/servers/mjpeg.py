"""A small HTTP server: a motion-JPEG camera, and files."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
from tests.videos import picture


class HttpCamera:
    """Serves ``/mjpeg`` (``pictures`` pictures, then closes) and the files of ``folder``.

    Args:
        pictures: How many a connection gives.
        pause_s: Between two pictures.
        folder: What else may be fetched by name.
    """

    def __init__(
        self, *, pictures: int = 20, pause_s: float = 0.02, folder: Path | None = None
    ) -> None:
        self.requests: list[str] = []
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.requests.append(self.path)
                if self.path.startswith("/mjpeg"):
                    self.send_response(200)
                    self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                    self.end_headers()
                    for number in range(pictures):
                        data = cv2.imencode(".jpg", picture(number))[1].tobytes()
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}"
                        self.wfile.write(head.encode() + b"\r\n\r\n" + data + b"\r\n")
                        time.sleep(pause_s)
                elif folder is not None and (folder / self.path[1:]).is_file():
                    data = (folder / self.path[1:]).read_bytes()
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                else:
                    self.send_error(404)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that hangs up is no news."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def address(self, name: str = "mjpeg") -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def __enter__(self) -> HttpCamera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
