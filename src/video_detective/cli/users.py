"""``users``: people who sign in."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

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
from video_detective.cli.local import (
    AccountName,
    Devices,
    FromStdin,
    acting,
    asked_password,
    limits,
    when,
)
from video_detective.pipeline.clock import now_ns
from video_detective.services.accounts import add_user, change_user, user_by_name
from video_detective.services.sign_in import invite
from video_detective.storage.accounts.rows import UserRow

app = typer.Typer(help="People who sign in.", rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="The user's name.")]
RoleOption = Annotated[
    Literal["admin", "operator", "viewer"], typer.Option("--role", help="What they may do.")
]
Address = Annotated[
    str, typer.Option(envvar="VIDEO_DETECTIVE_ADDRESS", help="Of the service, for the link.")
]


@app.command("add")
def add_command(
    name: Name,
    role: RoleOption = "viewer",
    device: Devices = None,
    password_stdin: FromStdin = False,
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Make a user; asks for the password."""
    password = asked_password(password_stdin)

    async def add() -> UserRow:
        async with acting(data_dir, database, account) as (workspace, caller):
            return await add_user(
                workspace,
                caller,
                name=name,
                password=password,
                role=role,
                devices=device or None,
                now_ns=now_ns(),
            )

    user = run(add())
    say(f"Made user {user.name} ({user.role}, {limits(user.devices)})")


@app.command("list")
def list_command(
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Every user of an account."""

    async def read() -> list[UserRow]:
        async with acting(data_dir, database, account) as (workspace, caller):
            rows, _ = await workspace.database.accounts.users.page(caller.reach, limit=100_000)
            return rows

    rows = run(read())
    if as_json:
        hidden = {"password_hash"}
        print_json([{k: v for k, v in asdict(r).items() if k not in hidden} for r in rows])
        return
    for row in rows:
        state = "disabled" if row.disabled_ns is not None else "may sign in"
        seen = f"last signed in {when(row.last_login_ns)}"
        say(f"{row.name}  {row.role}  {limits(row.devices)}  {state}  {seen}")


@app.command("disable")
def disable_command(
    name: Name,
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Let a user no longer sign in, and end their sessions."""
    run(_change(name, {"is_disabled": True}, account, data_dir, database))
    say(f"User {name} is disabled; their sessions have ended")


@app.command("enable")
def enable_command(
    name: Name,
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Let a disabled user sign in again."""
    run(_change(name, {"is_disabled": False}, account, data_dir, database))
    say(f"User {name} may sign in")


@app.command("password")
def password_command(
    name: Name,
    password_stdin: FromStdin = False,
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Give a user a new password, which also ends a lock-out and their sessions."""
    changes = {"password": asked_password(password_stdin)}
    run(_change(name, changes, account, data_dir, database))
    say(f"User {name} has a new password; their sessions have ended")


@app.command("invite")
def invite_command(
    role: RoleOption = "viewer",
    address: Address = "http://127.0.0.1:8377",
    account: AccountName = "",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database: DatabaseUrl = None,
) -> None:
    """Print a one-time link with which somebody makes a user; good for 24 hours."""

    async def make() -> str:
        async with acting(data_dir, database, account) as (workspace, caller):
            token, _ = await invite(workspace, caller, role=role, now_ns=now_ns())
            return set_up_link(address, token)

    say(run(make()))


async def _change(
    name: str, changes: dict[str, Any], account: str, data_dir: Path, database: str | None
) -> None:
    async with acting(data_dir, database, account) as (workspace, caller):
        user = await user_by_name(workspace, caller, name)
        await change_user(workspace, caller, user.user_id, changes, now_ns())
