"""``accounts``: tenants, whose data nobody else sees."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from video_detective.api.security import set_up_link
from video_detective.cli.console import (
    DEFAULT_DATA_DIR,
    AsJson,
    DatabaseUrl,
    DataDir,
    print_json,
    run,
    say,
)
from video_detective.cli.local import acting
from video_detective.cli.users import Address
from video_detective.pipeline.clock import now_ns
from video_detective.services.accounts import add_account
from video_detective.storage.accounts.rows import AccountRow

app = typer.Typer(help="Tenants, whose data nobody else sees.", rich_markup_mode=None)


@app.command("add")
def add_command(
    name: Annotated[str, typer.Argument(help="What people call it; unique.")],
    timezone: Annotated[str, typer.Option(help="IANA name.")] = "Asia/Taipei",
    language: Annotated[Literal["zh-TW", "en"], typer.Option(help="Of its words.")] = "zh-TW",
    address: Address = "http://127.0.0.1:8377",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make an account, and a one-time link for its first admin."""

    async def add() -> tuple[AccountRow, str]:
        async with acting(data_dir, database) as (workspace, caller):
            account, token, _ = await add_account(
                workspace, caller, name=name, timezone=timezone, language=language, now_ns=now_ns()
            )
            return account, set_up_link(address, token)

    account, link = run(add())
    if as_json:
        print_json({**asdict(account), "link": link})
    else:
        say(f"Made account {account.name} ({account.account_id})")
        say(f"Its first admin is made, within 24 hours, at {link}")


@app.command("list")
def list_command(
    data_dir: DataDir = DEFAULT_DATA_DIR, database: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Every account."""

    async def read() -> list[AccountRow]:
        async with acting(data_dir, database) as (workspace, _):
            rows, _ = await workspace.database.accounts.page(limit=100_000)
            return rows

    rows = run(read())
    if as_json:
        print_json([asdict(row) for row in rows])
    else:
        for row in rows:
            mark = "  (default)" if row.is_default else ""
            say(f"{row.name}  {row.account_id}  {row.timezone}  {row.language}{mark}")
