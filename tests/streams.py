"""Server-sent events as tests read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    """An event of a stream."""

    kind: str
    data: dict[str, Any]
    id: str


class Stream:
    """An open stream.

    Args:
        response: Its answer, being read.
    """

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self.comments = 0
        self.heard = 0
        self._lines = response.iter_lines()

    def begin(self) -> Stream:
        """Wait for the first block, which says where the stream begins."""
        while self.last_id == "":
            self._block()
        return self

    def events(self) -> Iterator[Told]:
        """Events as they come, until the stream ends."""
        while (block := self._block()) is not None:
            if "data" in block:
                kind = block.get("event", "message")
                self.heard += 1
                yield Told(kind, json.loads(block["data"]), self.last_id)

    def next(self) -> Told:
        """The next event."""
        return next(self.events())

    def wait_for(self, place: str) -> None:
        """Read until the stream is at a place, or behind it."""
        number = int(place.partition("-")[2])
        while int(self.last_id.partition("-")[2]) < number:
            block = self._block()
            assert block is not None, "the stream has ended"
            self.heard += "data" in block

    def _block(self) -> dict[str, str] | None:
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                self.last_id = fields.get("id", self.last_id)
                return fields
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.strip()
            else:
                self.comments += 1
        return None


@contextmanager
def streaming(address: str, key: str, after: str | None = None) -> Iterator[Stream]:
    """Open the live stream of a service, from where an earlier one ended."""
    headers = {"Authorization": f"Bearer {key}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    with (
        httpx.Client(base_url=address, headers=headers, timeout=60) as client,
        client.stream("GET", "/api/v1/live") as response,
    ):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response).begin()
