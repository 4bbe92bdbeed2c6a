"""The model servers of a data directory, opened when something asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_detective.config.settings import Settings

if TYPE_CHECKING:
    from video_detective.llm.client import ModelClient


class Models:
    """Clients by the name of their server; each is opened at its first use.

    Args:
        settings: Names the servers and what they are used for.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
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

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
