"""What a person is told when disk, file or server let the database down."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from video_detective.errors import StorageError, UsageError
from video_detective.storage import CameraRow
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database
from video_detective.storage.dialects import FILE_NAME

CAMERA = CameraRow(camera_id="cam01", name="後門", timezone="UTC", document={})
SECRET = "hunter2-p4ssw0rd"

FILL = """
import asyncio, sys
from pathlib import Path
from video_detective.errors import StorageError
from video_detective.storage import EventQuery, FrameRow, RunKey, Step
from video_detective.storage.blobs import BlobStore
from video_detective.storage.database import Database

def frames(first):
    return [
        FrameRow(
            frame_id=f"f{n}", camera_id="c", time_ns=n, frame=n, size=(1, 1), summary_zh="x" * 500
        )
        for n in range(first, first + 500)
    ]

async def main(folder):
    db = await Database.open(folder)
    run = await db.begin_run(RunKey(camera_id="c", fingerprint="f", settings_hash="s"), {}, 0)
    steps = 0
    try:
        while steps < 100:
            await db.commit_step(run, Step(checkpoint=b"x", frames=frames(500 * steps)))
            steps += 1
    except StorageError as error:
        print(error)
    assert len(await db.frames("c", 0, 10**9)) == 500 * steps, "a step is there by half"
    await db.close()
    blobs = BlobStore(folder / "blobs")
    try:
        for n in range(100):
            blobs.put(bytes([n]) * 100_000, ".jpg")
    except StorageError as error:
        print(error)
    kept = [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    assert all(path.stat().st_size == 100_000 for path in kept), "a file is there by half"

asyncio.run(main(Path(sys.argv[1])))
"""


async def refusal(data_dir: Path, url: str | None = None, *, lock_timeout_s: float = 0.2) -> str:
    """The one line that opening and writing gives."""
    with pytest.raises(StorageError) as refused:
        async with await Database.open(data_dir, url, lock_timeout_s=lock_timeout_s) as db:
            await db.save_camera(CAMERA)
    line = str(refused.value)
    assert "\n" not in line
    assert refused.value.remedy in line
    return line


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"JFIF" * 4096)

    line = await refusal(tmp_path)

    assert str(tmp_path / FILE_NAME) in line
    assert "not a database" in line


async def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")

    assert str(tmp_path / "data") in await refusal(tmp_path / "data")


async def test_a_folder_in_place_of_the_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()

    assert "cannot be opened" in await refusal(tmp_path)


async def test_a_damaged_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    async with await Database.open(tmp_path) as db:
        await db.save_camera(CAMERA)
    file = tmp_path / FILE_NAME
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (file.stat().st_size - 4096))

    assert "damaged" in await refusal(tmp_path)


async def test_a_database_that_another_program_holds_is_said_to_be_locked(tmp_path: Path) -> None:
    async with await Database.open(tmp_path, lock_timeout_s=0.2) as db:
        other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StorageError, match="locked"):
                await db.save_camera(CAMERA)
            assert await db.cameras() == []  # reading goes on
        finally:
            other.close()
        await db.save_camera(CAMERA)  # and writing once the other has ended


def bound_by_permissions(arguments: list[str]) -> list[str]:
    """The command, run so that permissions bind it: root's right to pass over them is dropped."""
    if os.geteuid() != 0:
        return arguments
    if shutil.which("setpriv") is None:
        pytest.skip("permissions do not bind root, and setpriv is not here to change that")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *arguments]


@pytest.mark.parametrize("what", ["new", "file", "blobs"])
async def test_a_read_only_folder_is_said_to_be_so(tmp_path: Path, what: str) -> None:
    if what == "file":
        await (await Database.open(tmp_path)).close()
        (tmp_path / FILE_NAME).chmod(0o444)
    tmp_path.chmod(0o555)
    open_database = "asyncio.run(Database.open(Path(sys.argv[1])))"
    put_blob = "BlobStore(Path(sys.argv[1]) / 'blobs').put(b'x', '.jpg')"
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from video_detective.errors import StorageError\n"
        "from video_detective.storage.blobs import BlobStore\n"
        "from video_detective.storage.database import Database\n"
        f"try:\n    {put_blob if what == 'blobs' else open_database}\n"
        "except StorageError as error:\n    print(error)\n"
    )
    command = bound_by_permissions([sys.executable, "-c", script, str(tmp_path)])
    done = subprocess.run(command, capture_output=True, text=True)
    tmp_path.chmod(0o755)

    assert done.stderr == ""
    assert "writable" in done.stdout
    assert str(tmp_path) in done.stdout


def test_a_full_disk_is_said_to_be_full_and_nothing_is_there_by_half(tmp_path: Path) -> None:
    inside = f"mount -t tmpfs -o size=2m full '{tmp_path}' && exec \"$@\""
    command = ["unshare", "-Urm", "sh", "-c", inside, "sh"]
    probe = [*command, sys.executable, "-c", ""]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here (needs unprivileged user namespaces)")
    done = subprocess.run(
        [*command, sys.executable, "-c", FILL, str(tmp_path)], capture_output=True, text=True
    )

    assert done.stderr == ""
    database, blobs = done.stdout.splitlines()
    assert FILE_NAME in database
    assert "disk is full" in database
    assert "disk is full" in blobs


def test_a_file_that_may_not_grow_further_leaves_nothing_by_half(tmp_path: Path) -> None:
    """As a full disk, by the limit every process has (``ulimit -f``): works everywhere."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000))\n"
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from video_detective.errors import StorageError\n"
        "from video_detective.storage.blobs import BlobStore\n"
        "try:\n    BlobStore(Path(sys.argv[1])).put(b'x' * 100_000, '.jpg')\n"
        "except StorageError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limit + script, str(tmp_path)], capture_output=True, text=True
    )

    assert done.stderr == ""
    assert "full" in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    BlobStore(tmp_path).put(b"x" * 100_000, ".jpg")


# --- addresses


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://root:{SECRET}@db/events",
        f"postgresql+asyncpg://root:{SECRET}@db/events",
        f"http://root:{SECRET}@db/events",
        f"postgresql://root:{SECRET}@db:notaport/events",
        f"{SECRET}",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
    ],
)
async def test_an_address_that_cannot_be_used_is_refused_without_showing_its_password(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(UsageError) as refused:
        await Database.open(tmp_path, url)

    assert SECRET not in str(refused.value)
    assert "postgresql://" in refused.value.remedy or "sqlite:////" in refused.value.remedy


async def test_a_server_that_does_not_answer_is_named_without_user_and_password(
    tmp_path: Path,
) -> None:
    line = await refusal(tmp_path, f"postgresql://keeper:{SECRET}@127.0.0.1:1/events")

    assert "127.0.0.1:1/events" in line
    assert "cannot be reached" in line
    assert SECRET not in line
    assert "keeper" not in line


async def test_a_password_in_the_options_of_an_address_is_not_shown_either(tmp_path: Path) -> None:
    line = await refusal(tmp_path, f"postgresql:///events?host=127.0.0.1&port=1&password={SECRET}")

    assert SECRET not in line


async def test_a_wrong_password_is_said_to_be_wrong(
    tmp_path: Path, postgres_url: str, postgres_folder: Path
) -> None:
    rules = postgres_folder / "pg_hba.conf"
    original = rules.read_text()
    rules.write_text(f"local all keeper scram-sha-256\n{original}")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE keeper LOGIN PASSWORD 'right'")
        connection.execute("SELECT pg_reload_conf()")
        try:
            url = make_url(postgres_url).set(username="keeper", password=SECRET)
            line = await refusal(tmp_path, url.render_as_string(hide_password=False))
        finally:
            rules.write_text(original)
            connection.execute("DROP ROLE keeper")
            connection.execute("SELECT pg_reload_conf()")

    assert "password" in line
    assert SECRET not in line
    assert "keeper" not in line


async def test_a_database_that_does_not_exist_on_the_server_is_named(
    tmp_path: Path, postgres_url: str
) -> None:
    url = make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)

    line = await refusal(tmp_path, url)

    assert "/nowhere" in line
    assert "does not exist" in line


async def test_a_database_that_cannot_hold_chinese_is_refused(
    tmp_path: Path, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    url = make_url(postgres_url).set(database="latin").render_as_string(hide_password=False)

    assert "LATIN1" in await refusal(tmp_path, url)


async def test_a_connection_that_the_server_ends_is_made_anew(
    tmp_path: Path, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE cut ENCODING 'UTF8' TEMPLATE template0")
        url = make_url(postgres_url).set(database="cut").render_as_string(hide_password=False)
        async with await Database.open(tmp_path, url) as db:
            await db.save_camera(CAMERA)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'"
            )
            assert await db.cameras() == [CAMERA]
