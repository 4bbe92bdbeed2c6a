"""Accounts with equal data, every piece of it marked with a word of the account's own.

What one of them is answered must not hold the other's word, nor any of the other's ids.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, make_url, select
from sqlalchemy.pool import NullPool
from tests.api import make_account, make_key, make_user
from tests.service import evidence, ns
from tests.videos import write_video

from video_detective.alerts.base import Alert
from video_detective.attributes.base import AttributeRecord, Attributes
from video_detective.rules import Actor, Event, Moment
from video_detective.services.access import Caller
from video_detective.services.devices import NewDevice, create_device
from video_detective.services.scenes import create_scene
from video_detective.services.workspace import Workspace
from video_detective.storage import RunKey, Step, StoredEvent, TrackRow
from video_detective.storage.attributes.base import AttributeStretch
from video_detective.storage.base import PointRow
from video_detective.storage.ids import new_id
from video_detective.storage.insights.base import AlertContext
from video_detective.storage.notices.base import ChannelRow, DeliveryQuery, Filters
from video_detective.storage.service_tables import ALERTS, ATTRIBUTES, INSIGHTS
from video_detective.storage.work.base import JobRow
from video_detective.tracking import Track

NODE = "5f0c2b60-36c8-4c0e-9d7d-0e3b8f9a1c11"
STREAM_PASSWORD = "s7reamPa55word"
WEBHOOK_SECRET = "whsec_c4naryc4naryc4naryc4nary"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """An account and what it has.

    Args:
        name: Of the account.
        word: In every name, message and summary of it.
        caller: Its command line, which may do everything in it.
        key: Text of a key with every scope.
        ids: An id of each kind, as routes take them: ``device``, ``scene``, ``event`` …; and
            ``camera``, ``frame``.
        own: Everything that only this account may ever be told: ids and the word.
    """

    name: str
    word: str
    caller: Caller
    key: str
    ids: dict[str, str]
    own: frozenset[str]
    devices: tuple[str, ...] = field(default=())


async def make_tenant(
    workspace: Workspace, folder: Path, name: str, word: str, *, url: str | None = None
) -> Tenant:
    """A further account with two devices, each with a scene, events, alerts, insights, attributes,
    tracks and a job; a channel with deliveries; a user; a key."""
    caller = await make_account(workspace, name)
    key = await make_key(workspace, account=name, name=f"鑰匙 {word}")
    now = time.time_ns()
    channel = ChannelRow(
        channel_id=new_id(now),
        account_id=caller.account_id,
        kind="webhook",
        name=f"通知 {word}",
        settings={"url": f"https://{word}.example/hook"},
        secret=WEBHOOK_SECRET,
        filters=Filters(include_past=True),
        cooldown_s=0.0,
        is_enabled=True,
        created_ns=now,
        updated_ns=now,
    )
    await workspace.database.notices.add_channel(channel)
    clip = write_video(folder / f"{word}.mp4", frames=20, options={"movflags": "faststart"})
    first = await _make_device(workspace, caller, word, clip, url, number=1)
    second = await _make_device(workspace, caller, word, clip, url, number=2)
    user = await make_user(workspace, f"user-{word}", account=name)
    keys, _ = await workspace.database.accounts.keys.page(caller.reach, limit=10)
    told, _ = await workspace.database.notices.deliveries(caller.reach, DeliveryQuery(limit=10))
    ids = first | {
        "channel": channel.channel_id,
        "delivery": told[0].delivery_id,
        "key": keys[0].key_id,
        "user": user,
        "account": caller.account_id,
        "node": NODE,
    }
    return Tenant(
        name=name,
        word=word,
        caller=caller,
        key=key,
        ids=ids,
        own=frozenset({word, *ids.values(), *second.values()} - {NODE}),
        devices=(first["device"], second["device"]),
    )


async def _make_device(
    workspace: Workspace, caller: Caller, word: str, clip: Path, url: str | None, *, number: int
) -> dict[str, str]:
    database, now = workspace.database, time.time_ns()
    device = await create_device(
        workspace,
        caller,
        NewDevice(
            name=f"攝影機 {word} {number}",
            aliases=(f"{word}門{number}",),
            plan="LEVEL_02",
            tags=(word,),
            source=f"rtsp://viewer:{STREAM_PASSWORD}@127.0.0.1:1/{word}",
        ),
        now_ns=now,
    )
    scene = await create_scene(
        workspace,
        caller,
        device_id=device.device_id,
        name=f"場景 {word} {number}",
        document={
            "zones": {
                "yard": {
                    "name": f"院子 {word}",
                    "points": [[0.1, 0.4], [0.6, 0.4], [0.6, 0.9], [0.1, 0.9]],
                }
            },
            "rules": [{"id": "yard", "type": "intrusion", "zone": "yard"}],
        },
        note=word,
        now_ns=now,
    )
    camera = device.camera_id
    events = [_event(camera, n) for n in (1, 2)]
    run = await database.begin_run(
        RunKey(camera_id=camera, fingerprint=word, settings_hash="s"), {"name": word}, ns(0)
    )
    await database.commit_step(
        run,
        Step(
            checkpoint=b"1",
            tracks=[
                TrackRow(
                    track_id="p01", type="person", first_ns=ns(5), last_ns=ns(30), best_conf=0.9
                )
            ],
            points=[
                PointRow(
                    time_ns=ns(at),
                    frame=at * 10,
                    track=Track(
                        track_id="p01", type="person", conf=0.9, bbox=(1.0, 2.0, 30.0, 60.0)
                    ),
                )
                for at in range(5, 30)
            ],
            events=[
                StoredEvent(
                    event=item,
                    summary_zh=f"有人闖入院子 {word}",
                    summary_en=f"Somebody entered the yard {word}",
                    keywords_zh=("闖入", word),
                )
                for item in events
            ],
            coverage=[(ns(0), ns(100))],
            alerts=[_alert(item, word) for item in events],
            alerting=AlertContext(now_ns=now, request_id=f"req-{word}", node_id=NODE),
            attributes=AttributeStretch(
                spans=[(ns(0), ns(100))],
                records=[
                    AttributeRecord(
                        captured_ns=ns(at),
                        total_persons=2,
                        attributes=Attributes(female=1, male=1, upper_red=1),
                    )
                    for at in (12, 14, 42)
                ],
                node_id=NODE,
                stored_ns=now,
            ),
        ),
    )
    for item in events:
        rows, frames = evidence(workspace, item, clip)
        await database.add_evidence(item.event_id, rows, frames)
    await database.finish_run(run, {})
    job = JobRow(
        job_id=new_id(now),
        account_id=caller.account_id,
        camera_id=camera,
        device_id=device.device_id,
        status="done",
        file_name=f"{word}.mp4",
        size_bytes=1000,
        received_bytes=1000,
        node_id=NODE,
        request_id=f"req-{word}",
        created_by=f"user-{word}",
        created_ns=now,
    )
    await database.work.jobs.add(job, None)
    return {
        "device": device.device_id,
        "camera": camera,
        "scene": scene.scene_id,
        "event": events[0].event_id,
        "frame": frames[0].frame_id,
        "picture": f"{events[-1].event_id}/{frames[0].frame_id}.jpg",
        "job": job.job_id,
        **_ids_in(workspace, url, camera),
    }


def _ids_in(workspace: Workspace, url: str | None, camera: str) -> dict[str, str]:
    """The first alert of a camera, its insight, and an attribute record within its half minute."""
    address = make_url(url or f"sqlite:///{workspace.data_dir}/video-detective.db")
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address, poolclass=NullPool)
    alert = select(ALERTS).where(ALERTS.c.camera_id == camera).order_by(ALERTS.c.triggered_ns)
    with engine.connect() as connection:
        alert_id = connection.execute(alert).first().alert_id  # type: ignore[union-attr]
        insight_id = connection.scalar(
            select(INSIGHTS.c.insight_id).where(INSIGHTS.c.alert_id == alert_id)
        )
        attribute_id = connection.scalar(
            select(ATTRIBUTES.c.attribute_id).where(ATTRIBUTES.c.camera_id == camera)
        )
    engine.dispose()
    assert insight_id
    assert attribute_id
    return {"alert": alert_id, "insight": insight_id, "attribute": attribute_id}


def _event(camera: str, number: int) -> Event:
    at_s = 10.0 + 30 * number
    return Event(
        event_id=f"evt_20260115_{camera}_{number:04d}",
        camera_id=camera,
        type="intrusion",
        risk_level="high",
        rule_id="yard",
        start_ns=ns(at_s),
        established_ns=ns(at_s + 1),
        end_ns=ns(at_s + 6),
        frames=(int(at_s * 10), int((at_s + 6) * 10)),
        zone="yard",
        actors=(Actor(track_id="p01", type="person"),),
        moments=(
            Moment(time_ns=ns(at_s), frame=int(at_s * 10), what="entered", track_ids=("p01",)),
            Moment(
                time_ns=ns(at_s + 6), frame=int(at_s * 10) + 60, what="left", track_ids=("p01",)
            ),
        ),
        facts={"dwell_s": 6.0},
        parameters={"id": "yard", "enter_s": 1.0},
    )


def _alert(event: Event, word: str) -> Alert:
    return Alert(
        event_id=event.event_id,
        camera_id=event.camera_id,
        alert_rule="every-event",
        kind="event",
        metric_path="zones.yard.intrusion.dwell_s",
        operator="GTE",
        threshold=1.0,
        actual_value=6.0,
        severity="critical",
        message=f"Somebody entered {word}: 6 >= 1",
        triggered_ns=event.established_ns,
    )
