"""How the events of two plays differ."""

from dataclasses import replace

from video_detective.geometry import NS_PER_S
from video_detective.rules import Actor, Event
from video_detective.services.replay import compare


def event(number: int, start_s: float, end_s: float | None, **fields: object) -> Event:
    made = Event(
        event_id=f"evt_20260115_cam01_{number:04d}",
        camera_id="cam01",
        type="intrusion",
        risk_level="high",
        rule_id="yard",
        zone="yard",
        start_ns=round(start_s * NS_PER_S),
        established_ns=round(start_s * NS_PER_S),
        end_ns=None if end_s is None else round(end_s * NS_PER_S),
        frames=(0, 1),
        actors=(Actor(track_id="p01", type="person"),),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def by(track_id: str, role: str = "subject") -> tuple[Actor, ...]:
    return (Actor(track_id=track_id, type="person", role=role),)


def test_nothing_differs_from_itself_whatever_the_ids() -> None:
    events = [event(1, 0, 5), event(2, 9, None), event(3, 9, 12, actors=by("p02"))]
    found = compare(events, [replace(one, event_id="x") for one in reversed(events)])
    assert found.same == tuple(events)
    assert found.appear == found.vanish == found.moved == ()


def test_nothing_at_all_is_no_difference() -> None:
    found = compare([], [])
    assert (found.appear, found.vanish, found.moved, found.same) == ((), (), (), ())


def test_events_of_a_rule_place_and_track_move_and_others_come_and_go() -> None:
    now = [event(1, 0, 5), event(2, 20, 25, rule_id="gate"), event(3, 30, 31, actors=by("p09"))]
    draft = [event(1, 1, 5), event(2, 20, 25, rule_id="door"), event(3, 30, 31, actors=by("p08"))]
    found = compare(now, draft)
    (moved,) = found.moved
    assert (moved.now, moved.draft) == (now[0], draft[0])
    assert moved.changed == ("start", "established")
    assert found.vanish == (now[1], now[2])
    assert found.appear == (draft[1], draft[2])


def test_of_several_events_of_a_track_each_moves_to_the_nearest() -> None:
    now = [event(1, 0, 5), event(2, 100, 105), event(3, 200, 205)]
    draft = [event(1, 101, 106), event(2, 199, 205)]
    found = compare(now[1:], draft)
    assert [(one.now, one.draft) for one in found.moved] == [
        (now[1], draft[0]),
        (now[2], draft[1]),
    ]
    assert compare(now[1:], draft).vanish == ()


def test_a_crowd_is_the_same_one_only_when_it_overlaps_or_nearly() -> None:
    crowd = event(1, 0, 10, type="crowding", actors=by("p01", "member"))
    same = event(1, 5, 15, type="crowding", actors=by("p02", "member"))
    later = event(1, 500, 510, type="crowding", actors=by("p01", "member"))
    assert compare([crowd], [same]).moved[0].changed == ("start", "established", "end", "actors")
    found = compare([crowd], [later])
    assert (found.vanish, found.appear, found.moved) == ((crowd,), (later,), ())


def test_a_graver_risk_alone_is_a_move() -> None:
    now, draft = event(1, 0, 5), event(1, 0, 5, risk_level="critical")
    (moved,) = compare([now], [draft]).moved
    assert moved.changed == ("risk",)
