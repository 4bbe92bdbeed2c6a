"""How long what happened is kept, and the deletion of what is older.

Rows first, then files: a file goes once no row of any account refers to it. So a process that is
killed in between leaves files that nothing refers to, and the next look finds them.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from video_detective.errors import StorageError, no_such
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns as clock
from video_detective.services.access import Caller
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.accounts.audit import AuditEntry
from video_detective.storage.blobs import BlobStore
from video_detective.storage.retention import Cutoffs, Deleted, RetentionRow, Round, Usage

EVERY_NS = 6 * 3600 * NS_PER_S
"""From the end of a round until the next."""
LOOK_AGAIN_S = 60.0
"""Between two looks whether a round is due."""
PAUSE_S = 0.05
"""Between two steps, so that cameras and people come first."""
YOUNG_NS = 3600 * NS_PER_S
"""Files younger than this stay: their rows may be being written."""
_AT_ONCE = 5000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an account wants, has, and what would go now.

    Args:
        row: What it wants, and how its deletion stands.
        usage: What it has.
        free_bytes, total_bytes: Of the disk with the pictures.
    """

    row: RetentionRow
    usage: Usage
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """Files that were removed because nothing refers to them."""

    files: int = 0
    bytes: int = 0


async def standing(workspace: Workspace, caller: Caller) -> Standing:
    """What the caller's account wants and has."""
    retention = workspace.database.retention
    disk = shutil.disk_usage(_existing(workspace.data_dir))
    return Standing(
        row=await retention.get(caller.account_id),
        usage=await retention.usage(caller.account_id),
        free_bytes=disk.free,
        total_bytes=disk.total,
    )


async def preview(
    workspace: Workspace,
    caller: Caller,
    *,
    media_days: int | None,
    record_days: int | None,
    now_ns: int,
) -> tuple[Cutoffs, Deleted]:
    """What would be deleted now if so many days were kept; None: for ever."""
    row = RetentionRow(account_id=caller.account_id, media_days=media_days, record_days=record_days)
    cutoffs = row.cutoffs(now_ns)
    return cutoffs, await workspace.database.retention.preview(caller.account_id, cutoffs)


async def change_retention(
    workspace: Workspace, caller: Caller, changes: Mapping[str, int | None], *, now_ns: int
) -> RetentionRow:
    """Change ``media_days`` or ``record_days``; None keeps for ever."""
    retention = workspace.database.retention
    before = await retention.get(caller.account_id)
    if all(getattr(before, name) == value for name, value in changes.items()):
        return before
    names = {"media_days": "mediaDays", "record_days": "recordDays"}
    details = {names[name]: value for name, value in changes.items()}
    entry = caller.entry("retention.change", caller.account_id, time_ns=now_ns, details=details)
    return await retention.change(
        caller.account_id, changes, now_ns=now_ns, entry=entry, ended=_entry(caller.account_id)
    )


async def keep_event(
    workspace: Workspace, caller: Caller, event_id: str, *, kept: bool, now_ns: int
) -> None:
    """Keep an event with its pictures however old it becomes, or no longer.

    Raises:
        MissingError: there is no such event in reach.
    """
    action = "event.keep" if kept else "event.release"
    entry = caller.entry(action, event_id, time_ns=now_ns)
    found = "\0" not in event_id and await workspace.database.retention.keep(
        caller.reach, event_id, kept=kept, now_ns=now_ns, entry=entry
    )
    if not found:
        raise no_such("event", event_id, remedy="List them with GET /api/v1/events.")


# --- the deletion


async def run_round(
    workspace: Workspace,
    account_id: str,
    *,
    stop: asyncio.Event | None = None,
    pause_s: float = 0.0,
    now_ns: Callable[[], int] = clock,
    on_step: Callable[[Round], None] = lambda _: None,
) -> RetentionRow | None:
    """Take steps of an account's deletion until it ends, or until told to stop.

    Returns:
        How it stands; None when none is due, or another process does it.
    """
    row: RetentionRow | None = None
    while stop is None or not stop.is_set():
        taken = await workspace.database.retention.step(
            account_id, now_ns=now_ns(), every_ns=EVERY_NS, entry=_entry(account_id)
        )
        if taken is None:
            return row
        row = taken
        if row.round is None:
            return row
        on_step(row.round)
        await asyncio.sleep(pause_s)
    return row


async def sweep(workspace: Workspace, *, now_ns: int, stop: asyncio.Event | None = None) -> Swept:
    """Remove the files of this data directory to which no row refers any more."""
    before_ns = now_ns - YOUNG_NS
    blobs, files, size = workspace.blobs, 0, 0
    await asyncio.to_thread(blobs.mend, before_ns=before_ns)
    waiting: dict[str, list[Path]] = {}
    folders = await asyncio.to_thread(blobs.folders)
    for folder in folders:
        if stop is not None and stop.is_set():
            break
        waiting |= await asyncio.to_thread(_old_files, blobs, folder, before_ns)
        if len(waiting) < _AT_ONCE and folder != folders[-1]:
            continue
        unused = await workspace.database.retention.unused(set(waiting))
        for sha256 in sorted(unused):
            for path in waiting[sha256]:
                removed = await asyncio.to_thread(blobs.remove, path, before_ns=before_ns)
                files, size = files + (removed > 0), size + removed
        waiting = {}
    if files:
        _log.info("retention removed %d files (%d bytes) that nothing refers to", files, size)
    return Swept(files=files, bytes=size)


async def keep_retaining(workspace: Workspace, stop: asyncio.Event) -> None:
    """Delete what is too old as long as the service runs; nothing where all is kept.

    Every node does: rows once, by whoever comes first, and each the files that lie with it, as soon
    as it sees that a deletion has ended.
    """
    swept_for: dict[str, int | None] = {}
    while not stop.is_set():
        try:
            retention = workspace.database.retention
            ended: dict[str, int | None] = {}
            for account_id in await retention.wanted():
                await run_round(workspace, account_id, stop=stop, pause_s=PAUSE_S)
                last = (await retention.get(account_id)).last
                if last is not None:
                    ended[account_id] = last.ended_ns
            if ended != swept_for and not stop.is_set():
                await sweep(workspace, now_ns=clock(), stop=stop)
                swept_for = ended
        except StorageError as error:
            _log.warning("what is too old is not deleted: %s", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_AGAIN_S)


def _old_files(blobs: BlobStore, folder: str, before_ns: int) -> dict[str, list[Path]]:
    old: dict[str, list[Path]] = {}
    for sha256, paths in blobs.files(folder).items():
        for path in paths:
            with suppress(OSError):  # another removed it
                if path.stat().st_mtime_ns < before_ns:
                    old.setdefault(sha256, []).append(path)
    return old


def _entry(account_id: str) -> Callable[[Round], AuditEntry]:
    def made(ended: Round) -> AuditEntry:
        deleted, cutoffs = ended.deleted, ended.cutoffs
        return AuditEntry(
            account_id=account_id,
            time_ns=ended.ended_ns or ended.started_ns,
            actor_kind="system",
            actor_id="retention",
            actor_name="retention",
            action="retention.delete",
            target_kind="retention",
            target_id=account_id,
            details={
                "mediaBefore": _time(cutoffs.media_ns),
                "recordsBefore": _time(cutoffs.records_ns),
                "firstEvent": _time(deleted.first_ns),
                "lastEvent": _time(deleted.last_ns),
                "events": deleted.events,
                "files": deleted.files,
                "bytes": deleted.bytes,
                "rows": deleted.rows,
            },
        )

    return made


def _time(time_ns: int | None) -> str | None:
    return None if time_ns is None else utc_text(time_ns)


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
