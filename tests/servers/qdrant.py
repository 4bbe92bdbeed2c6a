"""A Qdrant server of our own: the part of its REST API that the program uses, and misbehaviour.

It checks requests as https://api.qdrant.tech documents them, answers in the documented shapes, and
compares vectors exactly. What is not documented is refused.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

Json = dict[str, Any]

BEHAVIOURS: Mapping[str, str] = {
    "ok": "answers",
    "500": "internal error",
    "html": "a proxy's error page",
    "other-json": "status 200 and JSON of another shape",
    "wait": "answers when release() is called",
    "hang-up": "takes the request, does it, and closes the connection without an answer",
}


class RefusedError(Exception):
    """A request that the API does not document, or that cannot be served."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Collection:
    """Points of one size."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.points: dict[str, Json] = {}
        self.indexes: dict[str, str] = {}


class QdrantServer:
    """Serves on a port of 127.0.0.1 from threads of its own.

    Args:
        key: If not "", every request must bear it.
        port: 0 for any free one.

    Attributes:
        collections: By name.
        requests: Method and path of each so far.
        behaviour: Of ``BEHAVIOURS``, from the next request on.
    """

    def __init__(self, *, key: str = "", port: int = 0) -> None:
        self.collections: dict[str, Collection] = {}
        self.requests: list[str] = []
        self.behaviour = "ok"
        self._key = key
        self._lock = threading.Lock()
        self._released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server._serve(self)

            do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that hangs up is no news."""

        self._server = Quiet(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    # What tests use

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def release(self) -> None:
        """Answer what waits, and whatever comes."""
        self._released.set()

    def event_ids(self) -> set[str]:
        """Events of which there are points, in any collection."""
        return {
            point["payload"]["event_id"]
            for collection in self.collections.values()
            for point in collection.points.values()
        }

    def asked(self, words: str) -> int:
        """How many requests had these words in method and path."""
        return sum(words in request for request in self.requests)

    def __enter__(self) -> QdrantServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # The server

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        with self._lock:
            self.requests.append(f"{handler.command} {handler.path}")
            behaviour = self.behaviour
        if behaviour == "wait":
            self._released.wait(60)
        if behaviour == "500":
            return _answer(handler, 500, {"status": {"error": "disk is on fire"}, "time": 0.0})
        if behaviour == "html":
            return _answer(handler, 502, b"<html>Bad gateway</html>")
        if behaviour == "other-json":
            return _answer(handler, 200, {"result": ["elsewhere"], "status": "ok", "time": 0.0})
        if self._key and handler.headers.get("api-key") != self._key:
            return _answer(handler, 401, b"Must provide an API key")
        try:
            with self._lock:
                result = self._do(handler.command, handler.path, json.loads(body or b"null"))
        except RefusedError as refused:
            words = {"status": {"error": str(refused)}, "time": 0.0}
            return _answer(handler, refused.status, words)
        if behaviour == "hang-up":
            handler.close_connection = True
            return None
        return _answer(handler, 200, {"result": result, "status": "ok", "time": 0.001})

    def _do(self, method: str, target: str, body: Any) -> Any:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        if query not in ({}, {"wait": ["true"]}):
            raise RefusedError(400, f"unknown parameters {query}")
        root, _, rest = parts.path.lstrip("/").partition("/")
        name, _, action = rest.partition("/")
        if root != "collections" or not name:
            raise RefusedError(404, "no such path")
        if (method, action) == ("PUT", ""):
            return self._create(name, body)
        if name not in self.collections:
            raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")
        collection = self.collections[name]
        served = {
            ("GET", ""): _describe,
            ("PUT", "index"): _index,
            ("PUT", "points"): _upsert,
            ("POST", "points/delete"): _delete,
            ("POST", "points/query"): _query,
        }.get((method, action))
        if served is None:
            raise RefusedError(404, "no such path")
        return served(collection, body)

    def _create(self, name: str, body: Any) -> bool:
        vectors = _fields(body, {"vectors"})["vectors"]
        _fields(vectors, {"size", "distance"}, {"datatype"})
        if name in self.collections:
            raise RefusedError(409, f"Wrong input: Collection `{name}` already exists!")
        size = vectors["size"]
        if not isinstance(size, int) or not 1 <= size <= 65_536:
            raise RefusedError(422, "size must be 1 to 65536")
        if vectors["distance"] not in {"Cosine", "Euclid", "Dot", "Manhattan"}:
            raise RefusedError(400, "unknown distance")
        if vectors.get("datatype", "float32") not in {"float32", "uint8", "float16"}:
            raise RefusedError(400, "unknown datatype")
        self.collections[name] = Collection(size)
        return True


def _describe(collection: Collection, body: Any) -> Json:
    if body is not None:
        raise RefusedError(400, "a GET has no body")
    return {
        "status": "green",
        "points_count": len(collection.points),
        "config": {"params": {"vectors": {"size": collection.size, "distance": "Cosine"}}},
        "payload_schema": {
            name: {"data_type": kind, "points": 0} for name, kind in collection.indexes.items()
        },
    }


def _index(collection: Collection, body: Any) -> Json:
    _fields(body, {"field_name", "field_schema"})
    if body["field_schema"] not in {"keyword", "integer", "float", "bool", "datetime", "uuid"}:
        raise RefusedError(400, "unknown field_schema")
    collection.indexes[body["field_name"]] = body["field_schema"]
    return {"operation_id": 0, "status": "completed"}


def _upsert(collection: Collection, body: Any) -> Json:
    points = _fields(body, {"points"})["points"]
    for point in points:
        _fields(point, {"id", "vector"}, {"payload"})
        _check_id(point["id"])
        _check_vector(collection, point["vector"])
    # Qdrant normalises vectors of collections that compare by cosine.
    for point in points:
        vector = np.array(point["vector"])
        collection.points[point["id"]] = {
            "vector": vector / np.linalg.norm(vector),
            "payload": point.get("payload") or {},
        }
    return {"operation_id": 1, "status": "completed"}


def _delete(collection: Collection, body: Any) -> Json:
    for point_id in _fields(body, {"points"})["points"]:
        _check_id(point_id)
        collection.points.pop(point_id, None)
    return {"operation_id": 2, "status": "completed"}


def _query(collection: Collection, body: Any) -> Json:
    _fields(body, {"query"}, {"filter", "limit", "with_payload"})
    _check_vector(collection, body["query"])
    conditions = _fields(body.get("filter", {}), set(), {"must"}).get("must", [])
    for condition in conditions:
        if condition["key"] not in collection.indexes:
            raise RefusedError(400, f"Index required but not found for {condition['key']!r}")
    question = np.array(body["query"])
    found = [
        (float(point["vector"] @ question / np.linalg.norm(question)), point_id, point["payload"])
        for point_id, point in collection.points.items()
        if all(_meets(point["payload"], condition) for condition in conditions)
    ]
    found.sort(key=lambda entry: -entry[0])
    shown = body.get("with_payload", False)
    return {
        "points": [
            {
                "id": point_id,
                "version": 1,
                "score": score,
                **(
                    {"payload": {key: payload[key] for key in shown if key in payload}}
                    if isinstance(shown, list)
                    else {}
                ),
            }
            for score, point_id, payload in found[: body.get("limit", 10)]
        ]
    }


def _meets(payload: Json, condition: Json) -> bool:
    _fields(condition, {"key"}, {"match", "range"})
    value = payload.get(condition["key"])
    if match := condition.get("match"):
        _fields(match, set(), {"value", "any"})
        return value in match["any"] if "any" in match else value == match["value"]
    limits = _fields(condition["range"], set(), {"gt", "gte", "lt", "lte"})
    return (
        isinstance(value, int | float)
        and value > limits.get("gt", -np.inf)
        and value >= limits.get("gte", -np.inf)
        and value < limits.get("lt", np.inf)
        and value <= limits.get("lte", np.inf)
    )


def _fields(body: Any, required: set[str], optional: set[str] = frozenset()) -> Json:  # type: ignore[assignment]
    if not isinstance(body, dict) or not required <= set(body) <= required | optional:
        raise RefusedError(400, f"Format error in JSON body: {str(body)[:200]}")
    return body


def _check_id(point_id: object) -> None:
    try:
        if isinstance(point_id, int) and point_id >= 0:
            return
        uuid.UUID(str(point_id))
    except ValueError:
        raise RefusedError(400, f"{point_id!r} is not a valid point ID") from None


def _check_vector(collection: Collection, vector: object) -> None:
    if not isinstance(vector, list) or not all(isinstance(x, int | float) for x in vector):
        raise RefusedError(400, "a vector is a list of numbers")
    if len(vector) != collection.size:
        words = f"expected dim: {collection.size}, got {len(vector)}"
        raise RefusedError(400, f"Wrong input: Vector dimension error: {words}")


def _answer(handler: BaseHTTPRequestHandler, status: int, body: Json | bytes) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "text/html" if body is data else "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)
