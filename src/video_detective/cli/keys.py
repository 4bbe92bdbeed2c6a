"""``keys``: API keys for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

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
from video_detective.cli.local import AccountName, Devices, acting, limits, when
from video_detective.errors import MissingError
from video_detective.pipeline.clock import now_ns
from video_detective.services.access import SCOPES
from video_detective.services.keys import KEY_MARK, create_key, revoke_key
from video_detective.services.times import parse_time
from video_detective.storage.accounts.rows import KeyRow

app = typer.Typer(help="API keys for programs.", rich_markup_mode=None)
READING = ("analytics:read", "devices:read")


@app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What it may do, again for more: {', '.join(SCOPES)}. "
            f"Without: {' and '.join(READING)}."
        ),
    ] = None,
    device: Devices = None,
    expires: Annotated[str, typer.Option(help="When it ends: 2027-01-01; without: never.")] = "",
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: nothing can show it later."""

    async def create() -> tuple[KeyRow, str]:
        async with acting(data_dir, database, account, create=True) as (workspace, caller):
            zone = ZoneInfo(caller.timezone)
            return await create_key(
                workspace,
                caller,
                name=name,
                scopes=scope or READING,
                devices=device or None,
                expires_ns=parse_time(expires, zone, what="--expires") if expires else None,
                now_ns=now_ns(),
            )

    row, text = run(create())
    if as_json:
        print_json({**_document(row), "key": text})
    else:
        say(text)
        say(f"Key {row.key_id} may {', '.join(row.scopes)}. It is not shown again.")


@app.command("list")
def list_command(
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Every key of an account, the newest first."""

    async def read() -> list[KeyRow]:
        async with acting(data_dir, database, account) as (workspace, caller):
            rows, _ = await workspace.database.accounts.keys.page(caller.reach, limit=100_000)
            return rows

    rows = run(read())
    if as_json:
        print_json([_document(row) for row in rows])
        return
    for row in rows:
        if row.revoked_ns is not None:
            state = f"revoked {when(row.revoked_ns)}"
        else:
            state = f"ends {when(row.expires_ns)}, last used {when(row.last_used_ns)}"
        say(f"{row.key_id}  {KEY_MARK}{row.prefix}…  {row.name}  {state}")
        say(f"{', '.join(row.scopes)}; {limits(row.devices)}; by {row.created_by}", indent=4)


@app.command("revoke")
def revoke_command(
    key: Annotated[str, typer.Argument(help="Its id, or how it begins.")],
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Let a key not be used any more, within a second."""

    async def revoke() -> KeyRow:
        async with acting(data_dir, database, account) as (workspace, caller):
            rows, _ = await workspace.database.accounts.keys.page(caller.reach, limit=100_000)
            for row in rows:
                if key == row.key_id or key[: len(KEY_MARK) + 8] == f"{KEY_MARK}{row.prefix}":
                    return await revoke_key(workspace, caller, row.key_id, now_ns())
            raise MissingError(
                "There is no such key", remedy="List them with: video-detective keys list"
            )

    row = run(revoke())
    say(f"Key {row.key_id} ({row.name}) is revoked")


def _document(row: KeyRow) -> dict[str, Any]:
    values = asdict(row)
    del values["secret_hash"]
    return values
