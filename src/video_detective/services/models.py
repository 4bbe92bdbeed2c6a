"""The model servers of a data directory: opened when asked for, and what a probe showed of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from video_detective.config.settings import Settings
from video_detective.llm.base import Abilities
from video_detective.services.output import write_whole

if TYPE_CHECKING:
    from video_detective.llm.client import ModelClient
    from video_detective.llm.probe import Finding

PROBES = "model-probes.json"
"""In the data directory: what the last probe of each server and model showed."""

_ABILITIES = TypeAdapter(Abilities)


class Models:
    """Clients by the name of their server; each is opened at its first use.

    Args:
        settings: Names the servers and what they are used for.
        data_dir: Where results of probes are kept; None keeps none.
    """

    def __init__(self, settings: Settings, data_dir: Path | None = None) -> None:
        self.settings = settings
        self._probes = None if data_dir is None else data_dir / PROBES
        self._clients: dict[str, ModelClient] = {}

    def client(self, server: str) -> ModelClient:
        """The client of a server.

        Args:
            server: Its name in the settings.

        Raises:
            UsageError: the environment lacks the server's key.
        """
        if server not in self._clients:
            # Most commands ask no model; the HTTP client takes a tenth of a second to load.
            from video_detective.llm.client import ModelClient

            self._clients[server] = ModelClient(self.settings.server(server))
        return self._clients[server]

    def abilities(self, server: str, model: str) -> Abilities | None:
        """What the last probe of a server and model showed; None before the first."""
        found = self._known().get(self._key(server, model))
        try:
            return None if found is None else _ABILITIES.validate_python(found)
        except ValidationError:  # of another version; the next probe writes it anew
            return None

    async def probe(
        self, server: str, model: str, *, images: bool = False, embeddings: bool = False
    ) -> Finding:
        """Ask a server what it really does, and keep what it showed.

        Args:
            server: Its name in the settings.
            model: Which of its models.
            images: Pictures are to be sent to it.
            embeddings: It is to give embeddings, and nothing else.

        Raises:
            UsageError: the environment lacks the server's key.
            StorageError: what it showed cannot be written down.
        """
        from video_detective.llm.probe import probe

        finding = await probe(self.client(server), model, images=images, embeddings=embeddings)
        if self._probes is not None and self._probes.parent.is_dir():
            known = self._known() | {
                self._key(server, model): dataclasses.asdict(finding.abilities)
            }
            text = json.dumps(known, indent=1, sort_keys=True)
            write_whole(self._probes, lambda file: file.write(text.encode()))
        return finding

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    def _key(self, server: str, model: str) -> str:
        """By address, not by name: another server under the same name was not probed."""
        return f"{self.settings.servers[server].url} {model}"

    def _known(self) -> dict[str, Any]:
        try:
            known = json.loads(self._probes.read_text("utf-8")) if self._probes else {}
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}
