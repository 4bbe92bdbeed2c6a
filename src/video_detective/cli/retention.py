"""``retention``: how long what happened is kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    run,
    say,
)
from video_detective.cli.local import AccountName, acting, when
from video_detective.errors import UsageError
from video_detective.pipeline.clock import now_ns
from video_detective.services.retention import (
    Standing,
    Swept,
    change_retention,
    run_round,
    standing,
    sweep,
)
from video_detective.storage.retention import Deleted, RetentionRow

app = typer.Typer(help="How long what happened is kept.", rich_markup_mode=None)
_EVER = "for-ever"


@app.command("show")
def show_command(
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """What an account keeps and for how long, and what was deleted last."""

    async def read() -> Standing:
        async with acting(data_dir, database, account) as (workspace, caller):
            return await standing(workspace, caller)

    _show(run(read()), as_json=as_json)


@app.command("set")
def set_command(
    media: Annotated[
        str, typer.Option(help=f"Days to keep pictures and clips, or '{_EVER}'.")
    ] = "",
    records: Annotated[
        str, typer.Option(help=f"Days to keep events and all they have, or '{_EVER}'.")
    ] = "",
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Change for how many days things are kept; the service deletes what is older."""
    changes = {
        name: _days(text, option)
        for name, text, option in (
            ("media_days", media, "--media"),
            ("record_days", records, "--records"),
        )
        if text
    }
    if not changes:
        raise UsageError("Nothing is to be set", remedy="Give --media, --records or both.")

    async def change() -> Standing:
        async with acting(data_dir, database, account) as (workspace, caller):
            await change_retention(workspace, caller, changes, now_ns=now_ns())
            return await standing(workspace, caller)

    _show(run(change()), as_json=as_json)


@app.command("run")
def run_command(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Delete what is too old now, of every account, and files that nothing refers to."""

    async def work() -> tuple[list[RetentionRow], Swept]:
        async with acting(data_dir, database) as (workspace, _):
            retention = workspace.database.retention
            ended = []
            for account_id in await retention.wanted():
                await retention.hasten(account_id, now_ns=now_ns())
                row = await run_round(workspace, account_id)
                if row is not None:
                    ended.append(row)
            return ended, await sweep(workspace, now_ns=now_ns()) if ended else Swept()

    rows, swept = run(work())
    if as_json:
        print_json({"accounts": [asdict(row) for row in rows], "swept": asdict(swept)})
        return
    if not rows:
        say("Everything is kept: no account has days set, or another process is at it.")
    for row in rows:
        if row.last is not None:
            say(f"{row.account_id}: {_told(row.last.deleted)}")
    if rows:
        say(f"{swept.files} files ({_size(swept.bytes)}) removed")


def _days(text: str, option: str) -> int | None:
    if text == _EVER:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 36_500):
        raise UsageError(
            f"{option} {text!r} is no number of days", remedy=f"Give 1 to 36500, or '{_EVER}'."
        )
    return int(text)


def _show(found: Standing, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    row, usage = found.row, found.usage
    for what, days in (("pictures and clips", row.media_days), ("events", row.record_days)):
        say(f"{what}: kept {'for ever' if days is None else f'{days} days'}")
    say(
        f"{usage.files} files ({_size(usage.bytes)}) since {when(usage.first_media_ns, '-')}, "
        f"{usage.events} events since {when(usage.first_event_ns, '-')}, {usage.kept} of them kept"
    )
    say(f"{_size(found.free_bytes)} of {_size(found.total_bytes)} free")
    if row.round is not None:
        say(f"deleting since {when(row.round.started_ns)}: {_told(row.round.deleted)}")
    if row.last is not None:
        say(f"last deletion {when(row.last.ended_ns)}: {_told(row.last.deleted)}")


def _told(deleted: Deleted) -> str:
    return (
        f"{deleted.events} events, {deleted.files} files ({_size(deleted.bytes)}), "
        f"{deleted.rows} rows of what was tracked"
    )


def _size(size: int) -> str:
    for unit, power in (("KiB", 10), ("MiB", 20)):
        if size < 1 << (power + 10):
            return f"{size / (1 << power):.1f} {unit}"
    return f"{size / (1 << 30):.1f} GiB"
