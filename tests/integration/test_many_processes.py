"""Two services on one PostgreSQL: what one does, the other knows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from tests.api import quick
from tests.commands import finish, start
from tests.streams import streaming
from tests.tenants import Tenant, make_tenant
from tests.videos import write_video

from video_detective.client import ApiError, Client
from video_detective.services.workspace import open_workspace

LIMITS = {"schema_version": 1, "limits": {"per_key": 100_000, "searches": 6}}


@contextmanager
def serving(data_dir: Path, url: str) -> Iterator[str]:
    """A service as a process of its own; its address."""
    process = start("serve", "--data-dir", data_dir, "--database", url, "--port", "0")
    try:
        assert process.stdout is not None
        address = ""
        while "http://" not in address:
            address = process.stdout.readline()
            assert address or process.poll() is None, finish(process)
        found = next(word for word in address.split() if word.startswith("http://"))
        yield "/".join(found.split("/")[:3])
    finally:
        process.terminate()
        finish(process)


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, new_postgres_database: Callable[[], str]
) -> Iterator[tuple[list[str], Tenant]]:
    """Addresses of both services, and an account in their database."""
    folder, url = tmp_path_factory.mktemp("shared") / "data", new_postgres_database()
    folder.mkdir()
    (folder / "settings.yaml").write_text(json.dumps(LIMITS), "utf-8")

    async def fill() -> Tenant:
        async with open_workspace(folder, url) as workspace:
            return await make_tenant(
                quick(workspace), folder, "zanthorim ltd", "zanthorim", url=url
            )

    tenant = asyncio.run(fill())
    with ExitStack() as stack:
        yield [stack.enter_context(serving(folder, url)) for _ in range(2)], tenant


@pytest.fixture
def clients(both: tuple[list[str], Tenant]) -> Iterator[tuple[Client, Client]]:
    (one, other), tenant = both
    with Client(one, tenant.key) as first, Client(other, tenant.key) as second:
        yield first, second


def status_of(client: Client) -> int:
    try:
        client.list_devices()
    except ApiError as error:
        return error.status
    return 200


@pytest.mark.xdist_group("many-processes")
def test_a_key_made_and_revoked_at_one_counts_at_the_other(
    both: tuple[list[str], Tenant], clients: tuple[Client, Client]
) -> None:
    made = clients[0].make_key(name="twice", scopes=["devices:read"])
    with Client(both[0][1], made.key) as other:
        assert len(other.list_devices()) == 2
        clients[0].remove_key(made.id)
        deadline = time.monotonic() + 60
        while status_of(other) == 200:
            assert time.monotonic() < deadline, "a revoked key is still taken"
            time.sleep(0.1)
        assert status_of(other) == 401


@pytest.mark.xdist_group("many-processes")
def test_what_is_changed_at_one_is_read_at_the_other_at_once(
    clients: tuple[Client, Client],
) -> None:
    one, other = clients
    made = one.create_device(name="側門")
    assert other.get_device(made.id).name == "側門"
    other.change_device(made.id, name="西側門", aliases=["小門"])
    assert one.get_device(made.id).name == "西側門"
    assert {d.id for d in one.each_devices(limit=1)} == {d.id for d in other.each_devices()}
    one.remove_device(made.id)
    with pytest.raises(ApiError):
        other.get_device(made.id)
    assert [e.event_id for e in one.list_events()] == [e.event_id for e in other.list_events()]


@pytest.mark.xdist_group("many-processes")
def test_both_count_one_limit(clients: tuple[Client, Client]) -> None:
    for number in range(6):
        clients[number % 2].search_insights(query=f"闖入 {number}")
    for number in range(4):
        with pytest.raises(ApiError) as refused:
            clients[number % 2].search_insights(query=f"闖入 {number}")
        assert refused.value.status == 429
        assert refused.value.retry_after_s


@pytest.mark.xdist_group("many-processes")
def test_a_job_is_known_to_both(
    clients: tuple[Client, Client], both: tuple[list[str], Tenant], tmp_path: Path
) -> None:
    film = write_video(tmp_path / "film.mp4", frames=10)
    device = both[1].ids["device"]
    job = clients[0].announce_file(
        device_id=device, file_name="film.mp4", size_bytes=film.stat().st_size
    )
    assert clients[1].get_job(job.id).status == "uploading"
    assert job.id in {item.id for item in clients[1].each_jobs(device_id=device)}
    ended = clients[1].cancel_job(job.id)
    assert clients[0].get_job(job.id).status == ended.status == "cancelled"


@pytest.mark.xdist_group("many-processes")
def test_a_stream_of_either_tells_what_the_other_did_and_goes_on_at_the_other(
    clients: tuple[Client, Client], both: tuple[list[str], Tenant]
) -> None:
    (one, other), tenant = both
    alert = tenant.ids["alert"]
    with streaming(one, tenant.key) as stream:
        states: tuple[Literal["seen", "confirmed"], ...] = ("seen", "confirmed")
        for client, state in zip(clients, states, strict=True):
            client.review_alert(alert, state=state)
            assert stream.next().data["state"] == state
        place = stream.last_id
    clients[0].review_alert(alert, state="dismissed", reason="duplicate")
    with streaming(other, tenant.key, after=place) as stream:
        assert stream.next().data["state"] == "dismissed"
        clients[0].review_alert(alert, state="new")
        assert stream.next().data["state"] == "new"


@pytest.mark.xdist_group("many-processes")
def test_every_change_is_in_one_audit_log_in_one_chain(clients: tuple[Client, Client]) -> None:
    before = clients[0].list_entries(limit=1).pagination.total
    made = [clients[number % 2].create_device(name=f"門 {number}") for number in range(6)]
    for number, device in enumerate(made):
        clients[(number + 1) % 2].remove_device(device.id)
    assert clients[1].list_entries(limit=1).pagination.total == before + 12
    assert clients[0].verify().broken_at is None
    assert clients[0].verify().head == clients[1].verify().head
