"""A second process that makes search documents, while the first one stores them.

``python -m video_detective.storage.preparing``: it reads pickled values from its standard input,
first the database's address, then one ``Stretch`` after the other, and answers each with its
documents. It is no child of ``multiprocessing``, which would run the caller's script once more.
"""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from video_detective.storage.dialects import Address
from video_detective.storage.documents import Built
from video_detective.storage.reindexing import Prepare, Stretch, prepare

_LOCK_TIMEOUT_S = 30.0
_SIZE_BYTES = 8
"""Of the number before each answer: how many bytes it has."""


@asynccontextmanager
async def second_process(address: Address, otherwise: Prepare) -> AsyncIterator[Prepare]:
    """Prepare in a process of its own, with a connection of its own.

    Args:
        address: Of the database.
        otherwise: Prepares when the process cannot be started or ends before its time.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    except OSError:
        yield otherwise
        return
    try:
        yield _Elsewhere(process, address, otherwise)
    finally:
        # It may be at work still, when this one was ended before its time.
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


class _Elsewhere:
    """Asks the second process; answers come in the order in which it was asked."""

    def __init__(self, process: Process, address: Address, otherwise: Prepare) -> None:
        self._process = process
        self._otherwise = otherwise
        self._turn = asyncio.Lock()
        self._send(address)

    async def __call__(self, stretch: Stretch) -> list[Built]:
        self._send(stretch)
        try:
            async with self._turn:
                answer = await self._answer()
        except (asyncio.IncompleteReadError, ConnectionError):
            return await self._otherwise(stretch)
        built: list[Built] = await asyncio.to_thread(pickle.loads, answer)
        return built

    def _send(self, value: Address | Stretch) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(pickle.dumps(value))

    async def _answer(self) -> bytes:
        answers = self._process.stdout
        if answers is None:
            raise ConnectionError("the process has no output")
        size = int.from_bytes(await answers.readexactly(_SIZE_BYTES), "big")
        return await answers.readexactly(size)


def main() -> None:
    """Answer until there is nothing more to read."""
    # The first process is told as well, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is made has no cycles, and looking for some takes a tenth of the time.
    gc.disable()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    address: Address = pickle.load(asked)  # noqa: S301 - what the first process says
    engine = address.migration_engine(_LOCK_TIMEOUT_S)
    with engine.connect() as connection, suppress(EOFError, BrokenPipeError):
        while True:
            stretch: Stretch = pickle.load(asked)  # noqa: S301
            with connection.begin():
                built = pickle.dumps(prepare(connection, stretch), pickle.HIGHEST_PROTOCOL)
            answers.write(len(built).to_bytes(_SIZE_BYTES, "big"))
            answers.write(built)
            answers.flush()
    engine.dispose()


if __name__ == "__main__":
    main()
