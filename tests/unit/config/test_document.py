"""The camera document: what is accepted, and how each mistake is told."""

from pathlib import Path

import pytest

from video_detective import config
from video_detective.errors import FieldError, InvalidRulesError, MissingError, UsageError
from video_detective.rules import Schedule

GOOD = """\
schema_version: 1
cameras:
  cam01:
    name: 後門攝影機
    zones:
      back_door: {name: 後門禁入區, points: [[0.1, 0.45], [0.55, 0.45], [0.55, 0.95], [0.1, 0.95]]}
    tripwires:
      fence: {points: [[0.2, 0.6], [0.8, 0.6]], directions: {left_to_right: 進入}}
    rules:
      - {id: cross, type: line_crossing, tripwire: fence}
      - {id: yard, type: intrusion, zone: back_door, schedule: "22:00-06:00", severity: critical}
      - {id: loiter, type: loitering, zone: back_door, min_seconds: {person: 20}}
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(InvalidRulesError) as caught:
        config.parse(text, name="cam.yaml")
    return caught.value.problems


def with_rule(rule: str) -> str:
    return GOOD + f"      - {rule}\n"


def test_a_good_document_becomes_a_scene() -> None:
    scene = config.parse(GOOD).camera("cam01").scene("cam01")
    assert scene.timezone == "Asia/Taipei"
    assert scene.zones[0].name == "後門禁入區"
    assert scene.tripwires[0].left_to_right == "進入"
    assert [rule.type for rule in scene.rules] == ["line_crossing", "intrusion", "loitering"]
    assert scene.rules[1].schedule == (Schedule(start_minute=1320, end_minute=360),)


def test_json_is_accepted_as_well() -> None:
    camera = config.parse('{"schema_version": 1, "cameras": {"a": {"rules": []}}}').camera("a")
    assert camera.rules == ()


def test_pixel_coordinates_become_relative() -> None:
    text = """
schema_version: 1
cameras:
  c:
    frame_size: [640, 480]
    zones: {z: {points: [[0, 0], [320, 0], [320, 480]]}}
"""
    zone = config.parse(text).camera("c").scene("c").zones[0]
    assert zone.polygon.points == ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ('"08:00-17:30"', Schedule(start_minute=480, end_minute=1050)),
        ("22:00-06:00", Schedule(start_minute=1320, end_minute=360)),
        (
            "{days: [sat, sun], hours: 00:00-24:00, timezone: Asia/Tokyo}",
            Schedule(days=("sat", "sun"), start_minute=0, end_minute=1440, timezone="Asia/Tokyo"),
        ),
        ("{days: mon}", Schedule(days=("mon",))),
    ],
)
def test_schedules_are_read_in_each_written_form(hours: str, expected: Schedule) -> None:
    rule = f"{{id: s, type: crowding, zone: back_door, schedule: {hours}}}"
    assert config.parse(with_rule(rule)).camera("cam01").rules[-1].schedule == (expected,)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{id: x, type: intrusion, zone: bak_door}", "rules[3].zone: there is no zone 'bak_door'"),
        ("{id: x, type: line_crossing, tripwire: no}", "rules[3].tripwire: there is no tripwire"),
        ("{id: x, type: intrusion, zone: back_door, enter_s: '1'}", 'rules[3].enter_s: "1" should'),
        ("{id: x, type: intrusion, zone: back_door, enter_s: -1}", "-1 must be at least 0"),
        ("{id: x, type: intrusion, zone: back_door, enter_s: .inf}", 'enter_s: ".inf"'),
        ("{id: x, type: intrusion, zone: back_door, colour: red}", "rules[3].colour: there is no"),
        ("{id: x, type: intrusion}", "rules[3].zone: is missing"),
        ("{id: x, type: intruder, zone: back_door}", "no rule type 'intruder'; use one of"),
        ("{id: x, zone: back_door}", "rules[3]: a rule needs a type"),
        ("{id: yard, type: crowding, zone: back_door}", "already the id of another rule"),
        ("{id: ../x, type: crowding, zone: back_door}", "only letters, digits"),
        ("{id: x, type: crowding}", "needs a zone, a radius, or both"),
        ("{id: x, type: crowding, zone: back_door, classes: [ghost]}", "no class 'ghost'"),
        ("{id: x, type: crowding, zone: back_door, schedule: 25:00-06:00}", "rules[3].schedule"),
        ("{id: x, type: crowding, zone: back_door, schedule: {days: [Montag]}}", "Montag"),
        ("{id: x, type: crowding, zone: back_door, severity: warn}", "rules[3].severity"),
        ("{id: x, type: metric, metric: zones.nope.count, threshold: 1}", "no zone 'nope'"),
        ("{id: x, type: metric, metric: count, threshold: 1}", "'count' is no metric"),
        ("{id: x, type: wrong_way, zone: back_door, allowed: [0, 0]}", "points nowhere"),
    ],
)
def test_a_wrong_rule_is_told_with_line_and_field(rule: str, message: str) -> None:
    (problem,) = problems(with_rule(rule))
    assert problem.startswith("cam.yaml:13: cameras.cam01.")
    assert message in problem


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "must be a mapping"),
        ("just text", 1, "must be a mapping"),
        ("a: [1\nb: 2", 2, "expected"),
        ("schema_version: 1\nschema_version: 1", 2, "second time"),
        ("schema_version: 2\ncameras: {}", 1, "schema_version"),
        ("schema_version: 1\ncameras: {../x: {}}", 2, "only letters, digits"),
        ("schema_version: 1\ncameras: {c: {timezone: Asia/Taipi}}", 2, "no time zone"),
        ("schema_version: 1\ncameras: {c: {name: &a x, aliases: [*a]}}", 2, "aliases"),
        ("schema_version: 1\ncameras: {c: {name: !!python/name:os.x ''}}", 2, "tag"),
        ("schema_version: 1\ncameras: {c: {sampling: {fps: 1, idle_fps: 5}}}", 2, "more than fps"),
        ("schema_version: 1\ncameras: {c: {sampling: {fps: 0}}}", 2, "fps: 0"),
        (
            "schema_version: 1\ncameras: {c: {zones: {z: {points: [[0,0],[1,1],[1,0],[0,1]]}}}}",
            2,
            "crosses itself",
        ),
        (
            "schema_version: 1\ncameras: {c: {zones: {z: {points: [[0,0],[1,1],[0.5,0.5]]}}}}",
            2,
            "no area",
        ),
        (
            "schema_version: 1\ncameras: {c: {zones: {z: {points: [[0,0],[1,0],[1,1.5]]}}}}",
            2,
            "points[2]: [1.0, 1.5] lies outside the picture",
        ),
        (
            "schema_version: 1\ncameras: {c: {tripwires: {w: {points: [[0,0],[0,0]]}}}}",
            2,
            "the same point",
        ),
    ],
)
def test_a_wrong_document_is_told_with_its_line(text: str, line: int, message: str) -> None:
    told = problems(text)
    assert told[0].startswith(f"cam.yaml:{line}:")
    assert message in " ".join(told)


def test_every_problem_is_told_not_only_the_first() -> None:
    text = with_rule("{id: x, type: intrusion, zone: nope}").replace("Asia", "Asia")
    text += "      - {id: y, type: line_crossing, tripwire: none}\n"
    assert [p.split(":")[1] for p in problems(text)] == ["13", "14"]


def test_deep_nesting_and_huge_files_are_refused(tmp_path: Path) -> None:
    assert problems("schema_version: 1\ncameras: " + "[" * 500 + "]" * 500)
    big = tmp_path / "big.yaml"
    big.write_text("#" * (2 << 20))
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        config.load(big)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no rules file"):
        config.load(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        config.load(tmp_path)
    binary = tmp_path / "x.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UsageError, match="not UTF-8"):
        config.load(binary)


def test_an_unknown_camera_is_told_with_those_there_are() -> None:
    with pytest.raises(MissingError, match="cam01"):
        config.parse(GOOD).camera("cam02")


@pytest.mark.parametrize("camera_id", ["../x", "", "a/b", "a b", "-x", "x" * 65, "相機"])
def test_camera_ids_that_could_leave_their_folder_are_refused(camera_id: str) -> None:
    with pytest.raises(UsageError, match="not allowed"):
        config.check_camera_id(camera_id)


def test_a_change_of_a_rule_changes_the_settings_hash_and_an_alias_does_not() -> None:
    camera = config.parse(GOOD).camera("cam01")
    other = config.parse(GOOD.replace("20}", "21}")).camera("cam01")
    alias = config.parse(GOOD.replace("name: 後門攝影機", "name: 後門攝影機\n    aliases: [x]"))
    assert camera.settings_hash() != other.settings_hash()
    assert camera.settings_hash() == alias.camera("cam01").settings_hash()


WITH_ALERTS = (
    GOOD
    + """\
    alerts:
      - {id: night, rules: [yard], types: [intrusion], schedule: "22:00-06:00", cooldown_s: 60}
    attributes: {every_s: 5}
"""
)


def test_alert_rules_and_attributes_are_part_of_a_scene() -> None:
    camera = config.parse(WITH_ALERTS).camera("cam01")
    assert camera.alerts is not None
    (night,) = camera.alerts
    assert (night.id, night.rules, night.cooldown_s) == ("night", ("yard",), 60)
    assert night.schedule == (Schedule(start_minute=22 * 60, end_minute=6 * 60),)
    assert camera.attributes.every_s == 5
    assert config.parse(GOOD).camera("cam01").alerts is None


@pytest.mark.parametrize(
    ("alert", "field", "message"),
    [
        ("{id: a, rules: [nobody]}", "alerts[0].rules[0]", "there is no rule 'nobody'"),
        ("{id: a, types: [dancing]}", "alerts[0].types[0]", "there is no event type 'dancing'"),
        ("{id: a b}", "alerts[0].id", "only letters, digits"),
        ("{id: a, cooldown_s: -1}", "alerts[0].cooldown_s", "at least 0"),
        ("{id: a, threshold: 1e300}", "alerts[0].threshold", "at most"),
        ("{id: a, severity: mild}", "alerts[0].severity", "'warning' or 'critical'"),
        ("{id: a, min_risk: huge}", "alerts[0].min_risk", "'low'"),
        ('{id: a, schedule: "26:00-1"}', "alerts[0].schedule", "22:00-06:00"),
        ("{id: a, colour: red}", "alerts[0].colour", "no such field"),
        ("{rules: [yard]}", "alerts[0].id", "is missing"),
    ],
)
def test_a_wrong_alert_rule_is_told_with_its_field(alert: str, field: str, message: str) -> None:
    (problem,) = problems(GOOD + f"    alerts:\n      - {alert}\n")
    assert f"cameras.cam01.{field}: " in problem
    assert message in problem


def test_two_alert_rules_have_two_ids() -> None:
    (problem,) = problems(GOOD + "    alerts: [{id: a}, {id: a}]\n")
    assert "alerts[1].id" in problem


def test_a_scene_by_itself_is_checked_like_one_in_a_file() -> None:
    camera = config.parse(WITH_ALERTS).camera("cam01")
    written = config.written_scene(
        camera.model_dump(mode="json", exclude={"name", "aliases", "timezone"})
    )
    assert written["rules"][1]["schedule"] == ["22:00-06:00"]
    scene = config.parse_scene(written)
    assert scene.rules == camera.rules
    assert scene.alerts == camera.alerts
    with pytest.raises(FieldError) as caught:
        config.parse_scene({**written, "rules": [{"id": "x", "type": "intrusion", "zone": "no"}]})
    assert [field for field, _ in caught.value.problems] == [
        "document.rules[0].zone",
        "document.alerts[0].rules[0]",
    ]


@pytest.mark.parametrize("data", [None, [], "x", 3, {"zones": [1]}, {"name": "x"}, float("inf")])
def test_what_is_no_scene_is_refused(data: object) -> None:
    with pytest.raises(FieldError):
        config.parse_scene(data)
