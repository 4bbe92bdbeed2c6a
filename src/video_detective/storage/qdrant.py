"""A Qdrant server as a derived index of vectors: told what the database has, asked for candidates.

It may be down, lag behind, or be wiped at any time: nothing is only there, and whatever it finds is
compared again in the database.

Source: Qdrant's REST API, https://api.qdrant.tech (collections, points, query).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any, Self

import httpx

from video_detective.errors import VectorServerError
from video_detective.geometry import NS_PER_S
from video_detective.search.base import IndexQuery
from video_detective.storage.vectors_outbox import OutboxEntry, Point

_QUERY_S = 2.0
"""After this the database has long answered itself."""
_WRITE_S = 30.0
_CONNECT_S = 2.0
_OPEN_END_S = 1 << 40
"""End of events that go on."""
_POINTS = uuid.UUID("5c1d0d6e-54d7-5f2c-9a0b-7f6b1f3d2a44")
"""Name space of point ids: any that nobody else uses."""
_FILTERED = {"model": "keyword", "camera_id": "keyword", "start_s": "integer", "end_s": "integer"}

Json = dict[str, Any]


class Qdrant:
    """One collection of a server. Belongs to one event loop; close it there.

    Vectors of another size go into a collection of their own (``NAME-1024``), so that no other
    is ever deleted.

    Args:
        url: ``http`` or ``https`` address of the server.
        collection: Name without size.
        api_key: "" for none. Never shown.
    """

    def __init__(self, url: str, collection: str, api_key: str = "") -> None:
        self._url = url.rstrip("/")
        self._collection = collection
        self._http = httpx.AsyncClient(
            headers={"api-key": api_key} if api_key else {},
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(_WRITE_S, connect=_CONNECT_S),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def has(self, size: int) -> bool:
        """Whether there is a collection for vectors of a size.

        Raises:
            VectorServerError: the server cannot be used.
        """
        return await self._look(size) is not None

    async def prepare(self, size: int) -> None:
        """Make the collection for vectors of a size, or what is missing of it.

        Raises:
            VectorServerError: the server cannot be used.
        """
        path, there = self._path(size), await self._look(size)
        if there is None:
            vectors = {"size": size, "distance": "Cosine", "datatype": "float16"}
            await self._call("PUT", path, {"vectors": vectors}, timeout_s=_WRITE_S)
        for name, schema in _FILTERED.items():
            if name not in (there or {}).get("payload_schema", {}):
                body = {"field_name": name, "field_schema": schema}
                await self._call("PUT", f"{path}/index?wait=true", body, timeout_s=_WRITE_S)

    async def tell(self, size: int, entries: Sequence[OutboxEntry]) -> None:
        """Let the collection have what entries of the outbox say; again is harmless.

        Raises:
            VectorServerError: the server did not take them, or not all.
        """
        path = f"{self._path(size)}/points"
        points = [_point(entry.event_id, entry.point) for entry in entries if entry.point]
        if points:
            await self._call("PUT", f"{path}?wait=true", {"points": points}, timeout_s=_WRITE_S)
        gone = [point_id(entry.event_id) for entry in entries if not entry.point]
        if gone:
            body = {"points": gone}
            await self._call("POST", f"{path}/delete?wait=true", body, timeout_s=_WRITE_S)

    async def candidates(
        self, vector: Sequence[float], model: str, query: IndexQuery, limit: int
    ) -> list[str]:
        """Ids of the events that seem nearest, most similar first.

        Args:
            vector: The question's.
            model: The one that made it.
            query: Cameras and period are read; an event at the edge of the period may be outside.
            limit: At most so many.

        Raises:
            VectorServerError: the server did not answer within two seconds, or nothing usable.
        """
        body = {
            "query": list(vector),
            "filter": {"must": _conditions(model, query)},
            "limit": limit,
            "with_payload": ["event_id"],
        }
        path = f"{self._path(len(vector))}/points/query"
        result = await self._call("POST", path, body, timeout_s=_QUERY_S)
        try:
            return [str(point["payload"]["event_id"]) for point in result["points"]]
        except (KeyError, TypeError) as cause:
            raise self._failed("answers with something else than points") from cause

    async def _look(self, size: int) -> Json | None:
        path = self._path(size)
        there = await self._call("GET", path, timeout_s=_WRITE_S, may_be_missing=True)
        return there if isinstance(there, dict) else None

    def _path(self, size: int) -> str:
        return f"/collections/{self._collection}-{size}"

    async def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        timeout_s: float,
        may_be_missing: bool = False,
    ) -> Any:
        """The ``result`` of an answer; None when it may be missing and is."""
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._http.request(method, self._url + path, json=body)
                if may_be_missing and answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                data = answer.json()
        except (TimeoutError, httpx.TimeoutException) as cause:
            raise self._failed(f"did not answer within {timeout_s:g} s") from cause
        except httpx.HTTPError as cause:
            raise self._failed(f"cannot be reached ({type(cause).__name__})") from cause
        except ValueError as cause:
            raise self._failed(f"answers status {answer.status_code} and no JSON") from cause
        if not answer.is_success or not isinstance(data, dict) or "result" not in data:
            said = data.get("status") if isinstance(data, dict) else None
            words = str(said.get("error", ""))[:300] if isinstance(said, dict) else ""
            raise self._failed(f"answers status {answer.status_code}: {words or '(no reason)'}")
        return data["result"]

    def _failed(self, what: str) -> VectorServerError:
        return VectorServerError(
            f"The Qdrant server {self._url} {what}",
            remedy="Check that it runs, its address and its key; search works without it meanwhile",
        )


def point_id(event_id: str) -> str:
    """The id of an event's point: Qdrant takes only numbers and UUIDs."""
    return str(uuid.uuid5(_POINTS, event_id))


def _point(event_id: str, point: Point) -> Json:
    end_s = _OPEN_END_S if point.end_ns is None else point.end_ns // NS_PER_S
    return {
        "id": point_id(event_id),
        "vector": point.vector.tolist(),
        "payload": {
            "event_id": event_id,
            "model": point.model,
            "camera_id": point.camera_id,
            "start_s": point.start_ns // NS_PER_S,
            "end_s": end_s,
        },
    }


def _conditions(model: str, query: IndexQuery) -> list[Json]:
    conditions: list[Json] = [{"key": "model", "match": {"value": model}}]
    if query.cameras:
        conditions.append({"key": "camera_id", "match": {"any": list(query.cameras)}})
    if query.until_ns is not None:
        conditions.append({"key": "start_s", "range": {"lte": query.until_ns // NS_PER_S}})
    if query.since_ns is not None:
        conditions.append({"key": "end_s", "range": {"gte": query.since_ns // NS_PER_S}})
    return conditions
