"""What the rules measure is what the sentences tell: every rule, from tracks to words."""

import pytest

from video_detective.geometry import Polygon
from video_detective.narration import EventTexts, event_texts, moment_text
from video_detective.rules import EVENT_TYPES, Event, Observation, Scene, Tripwire, Zone
from video_detective.rules.engine import RuleEngine
from video_detective.rules.parameters import (
    AbandonedObject,
    CameraTampered,
    Crowding,
    Intrusion,
    LineCrossing,
    Loitering,
    Metric,
    Pacing,
    PostLeft,
    Speed,
    WrongWay,
)
from video_detective.tracking import Track

WIDTH, HEIGHT = 1280, 720
SQUARE = Polygon(((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)))
YARD = Polygon(((0.0, 0.92), (1.0, 0.92), (1.0, 1.0), (0.0, 1.0)))
SCENE = Scene(
    camera_id="cam01",
    timezone="Asia/Taipei",
    zones=(
        Zone(id="back", name="後門", polygon=SQUARE),
        Zone(id="yard", name="院子", polygon=YARD),
    ),
    tripwires=(Tripwire(id="fence", name="圍籬", points=((0.5, 0.0), (0.5, 1.0))),),
    rules=(
        LineCrossing(id="line", tripwire="fence"),
        Intrusion(id="inside", zone="back"),
        Loitering(id="long", zone="yard", min_seconds=5),
        Pacing(id="pacing", zone="back", min_crossings=2, severity="critical"),
        AbandonedObject(id="bag", zone="back", min_seconds=5),
        Crowding(id="crowd", zone="back", min_people=2, min_seconds=2),
        Metric(id="count", metric="zones.back.count", threshold=1, for_seconds=2),
        WrongWay(id="way", zone="back", allowed=(1.0, 0.0)),
        Speed(id="speed", zone="back", limit_px_s=20),
        PostLeft(id="post", zone="back", min_seconds=5),
        CameraTampered(id="lens"),
    ),
)
TOLD = {
    "line_crossing": "人物 p01 越過圍籬，方向：",
    "intrusion": "人物 p02 進入後門，停留約 10 秒，隨後",
    "loitering": "人物 p04 在院子停留約 20 秒，移動緩慢（平均約 0 像素/秒），隨後",
    "pacing": "人物 p01 在後門來回徘徊 ",
    "abandoned_object": "行李箱 o01 被留在後門，約 28 秒無人看管，隨後",
    "crowding": "後門有人群聚，最多 2 人，持續約 10 秒，隨後散去",
    "metric": "後門的人數為 2，超過門檻 1，持續約 10 秒，隨後",
    "wrong_way": "汽車 v01 在後門逆向行進，偏離允許方向約 180 度，持續約 ",
    "speed": "汽車 v01 在後門超速，最高約 192 像素/秒，上限 20 像素/秒，持續約 ",
    "post_left": "後門無人在崗，持續約 ",
    "camera_tampered": "後門攝影機鏡頭異常：畫面全暗，持續約 6 秒，隨後恢復正常",
}


def track(track_id: str, kind: str, x: float, y: float) -> Track:
    """A track whose foot is at the relative point."""
    left, bottom = x * WIDTH - 20, y * HEIGHT
    return Track(
        track_id=track_id, type=kind, conf=0.9, bbox=(left, bottom - 90, left + 40, bottom)
    )


def tracks_at(s: float) -> tuple[Track, ...]:
    """Somebody paces, another comes by; a suitcase stays behind, a car drives to the left."""
    seen = []
    if s < 40:
        seen.append(track("p01", "person", 0.3 + 0.35 * abs(((s / 6) % 2) - 1), 0.5))
    if 10 < s < 20.1:
        seen.append(track("p02", "person", 0.6, 0.7))
    if s < 20.1:
        seen.append(track("p04", "person", 0.95, 0.96))
    if 12 < s < 40:
        seen.append(track("o01", "suitcase", 0.85, 0.3))
    if 5 < s < 9:
        seen.append(track("v01", "car", 0.8 - 0.15 * (s - 5), 0.6))
    return tuple(seen)


@pytest.fixture(scope="module")
def told() -> dict[str, tuple[Event, EventTexts]]:
    """The first event of each type, as it stands in the end, with its words."""
    engine = RuleEngine(SCENE)
    events: dict[str, Event] = {}
    for n in range(400):
        observation = Observation(
            time_ns=1_780_000_000_000_000_000 + n * 200_000_000,
            frame=n,
            size=(WIDTH, HEIGHT),
            tracks=tracks_at(n / 5),
            view="dark" if 60 < n / 5 < 66 else "ok",
        )
        events |= {event.event_id: event for event in engine.update(observation)}
    events |= {event.event_id: event for event in engine.finish()}
    firsts: dict[str, Event] = {}
    for event in events.values():
        firsts.setdefault(event.type, event)
    return {
        kind: (event, event_texts(event, SCENE, camera_name="後門攝影機"))
        for kind, event in firsts.items()
    }


def test_every_rule_s_facts_are_told(told: dict[str, tuple[Event, EventTexts]]) -> None:
    sentences = {kind: texts.summary_zh for kind, (_, texts) in told.items()}
    assert sentences.keys() == set(EVENT_TYPES)
    assert {k: s for k, s in sentences.items() if TOLD[k] not in s} == {}


def test_every_rule_s_evidence_has_words(told: dict[str, tuple[Event, EventTexts]]) -> None:
    for event, _ in told.values():
        assert event.moments
        for moment in event.moments:
            assert moment_text(moment, event, "zh-TW", scene=SCENE) != moment.what
            assert moment_text(moment, event, "en", scene=SCENE) != moment.what
