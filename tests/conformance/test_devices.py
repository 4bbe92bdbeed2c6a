"""What is promised of devices and scenes, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from tests.locks import until_waiting

from video_detective.config import Camera, SceneDocument
from video_detective.errors import ConflictError, MissingError
from video_detective.rules import Event
from video_detective.storage import CameraRow, RunKey, StoredEvent
from video_detective.storage.accounts.rows import AccountRow
from video_detective.storage.database import Database
from video_detective.storage.devices import DeviceChange, DeviceRow
from video_detective.storage.devices.reading import locked
from video_detective.storage.ids import new_id
from video_detective.storage.reach import Reach
from video_detective.storage.tables import CAMERAS

NOW = 1_765_893_900_000_000_000
EMPTY: dict[str, Any] = SceneDocument().model_dump(mode="json")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/video-detective.db"
    create: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return create()


@pytest.fixture
async def db(url: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path, url) as database:
        yield database


def camera(camera_id: str = "cam01", **fields: Any) -> CameraRow:
    document = Camera.model_validate({"name": "後門", **fields})
    return CameraRow(
        camera_id=camera_id,
        name=document.name,
        timezone=document.timezone,
        document=document.model_dump(mode="json"),
    )


def document(*names: str) -> dict[str, Any]:
    corners = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
    zones = {name: {"name": name, "points": corners} for name in names}
    return SceneDocument.model_validate({"zones": zones}).model_dump(mode="json")


async def default_reach(db: Database) -> Reach:
    return Reach(account_id=(await db.accounts.default()).account_id)


async def other_reach(db: Database) -> Reach:
    account = AccountRow(
        account_id=new_id(NOW),
        name="acme",
        timezone="UTC",
        language="en",
        is_default=False,
        created_ns=NOW,
    )
    await db.accounts.add(account, None)
    return Reach(account_id=account.account_id)


async def make(db: Database, reach: Reach, number: int = 1, **fields: Any) -> DeviceRow:
    device = DeviceRow(
        device_id=new_id(NOW + number * 1_000_000),
        account_id=reach.account_id,
        camera_id=f"cam-{number:04d}",
        name=f"門 {number}",
        created_ns=NOW + number * 1_000_000,
        updated_ns=NOW,
        **fields,
    )
    await db.devices.create(device, None)
    return device


async def give_scene(db: Database, reach: Reach, device: DeviceRow, **fields: Any) -> str:
    scene = await db.devices.create_scene(
        reach,
        device.device_id,
        name="院子",
        document=fields.get("document", document("yard")),
        author="mei",
        now_ns=NOW,
        entry=lambda scene_id: None,
    )
    return scene.scene_id


async def test_a_saved_camera_is_a_device_of_the_default_account_with_a_scene(
    db: Database,
) -> None:
    await db.save_camera(camera(aliases=("後面",)))
    reach = await default_reach(db)
    device = await db.devices.of_camera(reach, "cam01")
    assert device is not None
    assert (device.name, device.aliases, device.timezone) == ("後門", ("後面",), "Asia/Taipei")
    assert device.plan == "LEVEL_01"
    scene = await db.devices.scene_of_camera(reach, "cam01")
    assert scene is not None
    assert (scene.device_id, scene.version, scene.author) == (device.device_id, 1, "command line")
    assert not {"name", "aliases", "timezone"} & set(scene.document)
    assert (await db.devices.infos())["cam01"].scene_version == 1


async def test_a_camera_saved_again_makes_a_version_only_when_its_scene_changed(
    db: Database,
) -> None:
    reach = await default_reach(db)
    zone = {"yard": {"points": [[0, 0], [1, 0], [1, 1]]}}
    for row in (
        camera(),
        camera(aliases=("x",), timezone="UTC"),
        replace(camera(), document={k: v for k, v in camera().document.items() if k != "alerts"}),
        camera(zones=zone),
        camera(zones=zone),
    ):
        await db.save_camera(row)
    scene = await db.devices.scene_of_camera(reach, "cam01")
    assert scene is not None
    assert scene.version == 2
    assert set(scene.document["zones"]) == {"yard"}
    versions = await db.devices.versions(reach, scene.scene_id)
    assert [version.version for version in versions.versions] == [2, 1]
    assert versions.total == 2


async def test_an_analysis_and_an_import_of_unknown_cameras_make_devices(db: Database) -> None:
    await db.begin_run(RunKey(camera_id="cam07", fingerprint="f", settings_hash="s"), {}, NOW)
    event = Event(
        event_id="evt_20251216_cam08_0001",
        camera_id="cam08",
        type="intrusion",
        risk_level="high",
        rule_id="r",
        start_ns=NOW,
        established_ns=NOW,
        end_ns=NOW,
        frames=(0, 1),
    )
    await db.import_events([StoredEvent(event=event)])
    await db.import_events([StoredEvent(event=event)])
    page = await db.devices.devices(await default_reach(db))
    assert [device.camera_id for device in page.devices] == ["cam07", "cam08"]
    assert [device.name for device in page.devices] == ["cam07", "cam08"]
    assert page.devices[1].scene_id is None


async def test_nothing_of_another_account_can_be_read_or_changed(db: Database) -> None:
    own, other = await default_reach(db), await other_reach(db)
    device = await make(db, other)
    scene_id = await give_scene(db, other, device)
    narrow = replace(other, cameras=frozenset({"cam-0002"}))
    for reach in (own, narrow):
        assert await db.devices.device(reach, device.device_id) is None
        assert await db.devices.of_camera(reach, device.camera_id) is None
        assert (await db.devices.devices(reach)).total == 0
        assert await db.devices.scene(reach, scene_id) is None
        assert (await db.devices.scenes(reach)).total == 0
        assert (await db.devices.versions(reach, scene_id)).total == 0
        assert await db.devices.version(reach, scene_id, 1) is None
        with pytest.raises(MissingError):
            await db.devices.change(
                reach, device.device_id, DeviceChange(name="x"), now_ns=NOW, entry=None
            )
        with pytest.raises(MissingError):
            await db.devices.remove(reach, device.device_id, now_ns=NOW, entry=None)
        with pytest.raises(MissingError):
            await db.devices.change_scene(
                reach, scene_id, document=EMPTY, author="x", now_ns=NOW, entry=None
            )
        with pytest.raises(MissingError):
            await db.devices.remove_scene(reach, scene_id, author="x", now_ns=NOW, entry=None)
    assert (await db.devices.device(other, device.device_id)) is not None
    assert (await db.devices.device(None, device.device_id)) is not None


async def test_a_removed_device_and_its_scene_are_gone_and_its_address_forgotten(
    db: Database,
) -> None:
    reach = await default_reach(db)
    device = await make(db, reach, source="rtsp://u:p@h/1", wanted=True)
    scene_id = await give_scene(db, reach, device)
    await db.devices.remove(reach, device.device_id, now_ns=NOW, entry=None)
    assert await db.devices.device(reach, device.device_id) is None
    assert await db.devices.scene(reach, scene_id) is None
    assert device.camera_id not in await db.devices.infos()
    with pytest.raises(MissingError):
        await db.devices.remove(reach, device.device_id, now_ns=NOW, entry=None)
    await db.save_camera(camera(device.camera_id))  # somebody works with it again
    back = await db.devices.device(reach, device.device_id)
    assert back is not None
    assert (back.source, back.wanted, back.scene_id) == ("", False, scene_id)


async def test_a_changed_device_keeps_what_was_not_changed(db: Database) -> None:
    reach = await default_reach(db)
    device = await make(db, reach, source="rtsp://u:p@h/1", tags=("a",))
    await give_scene(db, reach, device)
    changed = await db.devices.change(
        reach,
        device.device_id,
        DeviceChange(name="前門", plan="LEVEL_02", timezone="UTC"),
        now_ns=NOW + 5,
        entry=None,
    )
    assert (changed.name, changed.plan, changed.timezone) == ("前門", "LEVEL_02", "UTC")
    assert (changed.source, changed.tags, changed.updated_ns) == ("rtsp://u:p@h/1", ("a",), NOW + 5)
    row = next(row for row in await db.cameras() if row.camera_id == device.camera_id)
    assert set(row.document["zones"]) == {"yard"}
    assert (row.document["name"], row.document["timezone"]) == ("前門", "UTC")


async def test_a_scene_changes_in_versions_and_tells_the_camera(db: Database) -> None:
    reach = await default_reach(db)
    device = await make(db, reach)
    scene_id = await give_scene(db, reach, device)
    with pytest.raises(ConflictError):
        await give_scene(db, reach, device)
    changed = await db.devices.change_scene(
        reach,
        scene_id,
        name="花園",
        document=document("lawn"),
        base_version=1,
        author="lin",
        note="smaller",
        now_ns=NOW + 9,
        entry=None,
    )
    assert (changed.version, changed.name, changed.author) == (2, "花園", "lin")
    with pytest.raises(ConflictError, match="version 2"):
        await db.devices.change_scene(
            reach, scene_id, document=EMPTY, base_version=1, author="x", now_ns=NOW, entry=None
        )
    first = await db.devices.version(reach, scene_id, 1)
    assert first is not None
    assert set(first.document["zones"]) == {"yard"}
    (row,) = await db.cameras()
    assert set(row.document["zones"]) == {"lawn"}
    assert row.document["name"] == "門 1"


async def test_of_changes_from_one_version_at_once_one_is_taken(db: Database) -> None:
    reach = await default_reach(db)
    device = await make(db, reach)
    scene_id = await give_scene(db, reach, device)

    async def change(name: str) -> bool:
        try:
            await db.devices.change_scene(
                reach,
                scene_id,
                document=document(name),
                base_version=1,
                author=name,
                now_ns=NOW,
                entry=None,
            )
        except ConflictError:
            return False
        return True

    taken = await asyncio.gather(*(change(f"zone{n}") for n in range(6)))
    assert sum(taken) == 1
    scene = await db.devices.scene(reach, scene_id)
    assert scene is not None
    assert scene.version == 2


async def test_a_removed_scene_watches_for_nothing_and_a_later_one_goes_on_from_it(
    db: Database,
) -> None:
    reach = await default_reach(db)
    device = await make(db, reach)
    scene_id = await give_scene(db, reach, device)
    await db.devices.remove_scene(reach, scene_id, author="lin", now_ns=NOW, entry=None)
    assert await db.devices.scene(reach, scene_id) is None
    assert (await db.devices.infos())[device.camera_id].scene_id is None
    (row,) = await db.cameras()
    assert row.document["zones"] == {}
    assert await give_scene(db, reach, device) == scene_id
    scene = await db.devices.scene(reach, scene_id)
    assert scene is not None
    assert scene.version == 3


async def test_pages_are_complete_and_in_order_by_number_and_by_cursor(db: Database) -> None:
    reach = await default_reach(db)
    made = [await make(db, reach, number) for number in range(1, 6)]
    for device in made:
        await give_scene(db, reach, device)
    wanted = [device.device_id for device in made]
    by_cursor: list[str] = []
    cursor = None
    while True:
        page = await db.devices.devices(reach, limit=2, cursor=cursor)
        by_cursor += [device.device_id for device in page.devices]
        assert page.total == 5
        if (cursor := page.next_cursor) is None:
            break
    assert by_cursor == wanted
    second = await db.devices.devices(reach, limit=2, offset=2)
    assert [device.device_id for device in second.devices] == wanted[2:4]
    scenes = await db.devices.scenes(reach, limit=3)
    assert len(scenes.scenes) == 3
    rest = await db.devices.scenes(reach, limit=3, cursor=scenes.next_cursor)
    assert [*scenes.scenes, *rest.scenes] == sorted(
        [*scenes.scenes, *rest.scenes], key=lambda scene: scene.scene_id
    )
    assert len(rest.scenes) == 2
    of_one = await db.devices.scenes(reach, device_id=wanted[3])
    assert [scene.device_id for scene in of_one.scenes] == [wanted[3]]


async def test_the_stamp_changes_with_every_change(db: Database) -> None:
    reach = await default_reach(db)
    stamps = [await db.devices.stamp()]
    device = await make(db, reach)
    stamps.append(await db.devices.stamp())
    scene_id = await give_scene(db, reach, device)
    stamps.append(await db.devices.stamp())
    await db.devices.change(
        reach, device.device_id, DeviceChange(plan="LEVEL_02"), now_ns=NOW, entry=None
    )
    stamps.append(await db.devices.stamp())
    await db.devices.change_scene(reach, scene_id, name="x", author="x", now_ns=NOW, entry=None)
    stamps.append(await db.devices.stamp())
    await db.devices.remove(reach, device.device_id, now_ns=NOW, entry=None)
    stamps.append(await db.devices.stamp())
    await db.save_camera(camera())
    stamps.append(await db.devices.stamp())
    assert len(set(stamps)) == len(stamps)
    await db.devices.infos()
    assert await db.devices.stamp() == stamps[-1]


async def test_a_camera_is_saved_while_its_device_is_changed(
    tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    """Each waits for the other, not both for good."""
    async with await Database.open(tmp_path, new_postgres_database()) as db:
        await db.save_camera(camera())
        device_id = (await db.devices.infos())["cam01"].device_id
        async with db._writing() as connection:
            await locked(connection, None, device_id)  # as every change of a device begins
            saving = asyncio.create_task(db.save_camera(camera(name="側門")))
            await until_waiting(db, 1)
            await connection.execute(update(CAMERAS).values(name="前門"))
        await saving

        device = await db.devices.device(None, device_id)
        assert device is not None
        assert device.name == "側門"
