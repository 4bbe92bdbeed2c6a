"""``audit``: who did what, and whether the log is as it was written."""

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
from video_detective.services.audit import audit_page
from video_detective.storage.accounts.audit import AuditRow, AuditState
from video_detective.storage.accounts.rows import AccountRow

app = typer.Typer(
    help="Who did what, and whether the log is as it was written.", rich_markup_mode=None
)


@app.command("list")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    action: Annotated[str, typer.Option(help="Only this: key.revoke, or key for all.")] = "",
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """The newest entries of an account's log."""

    async def read() -> list[AuditRow]:
        async with acting(data_dir, database, account) as (workspace, caller):
            return (await audit_page(workspace, caller, limit=limit, action=action)).rows

    rows = run(read())
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    for row in rows:
        entry = row.entry
        who = f"{entry.actor_kind} {entry.actor_name}"
        say(f"{row.number}  {when(entry.time_ns)}  {who}  {entry.action}  {entry.target_id}")


@app.command("verify")
def verify_command(
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of every account (or one); ends with 1 when one does not hold."""

    async def check() -> list[tuple[AccountRow, AuditState]]:
        async with acting(data_dir, database, account) as (workspace, caller):
            accounts = workspace.database.accounts
            if account:
                rows = [await accounts.get(caller.account_id)]
            else:
                rows, _ = await accounts.page(limit=100_000)
            return [(row, await accounts.verify_audit(row.account_id)) for row in rows]

    found = run(check())
    if as_json:
        print_json([{"account": row.name, **asdict(state)} for row, state in found])
    for row, state in () if as_json else found:
        if state.broken_at is None:
            say(f"{row.name}: all {state.rows} rows hold; the last one's hash is {state.head}")
        else:
            say(f"{row.name}: row {state.broken_at} does not hold: {state.problem}", style="red")
    if any(state.broken_at is not None for _, state in found):
        raise typer.Exit(1)
