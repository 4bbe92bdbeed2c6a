"""Recorded tracks make the events on file, to the last field."""

import json

import pytest
from tests.golden.films import FOLDER, SCENES, events_of, expected_events


@pytest.mark.parametrize("name", SCENES)
def test_a_recording_makes_the_events_on_file(name):
    # A change that is meant: make golden, and read the diff.
    assert json.loads(json.dumps(events_of(name))) == expected_events(name)


def test_every_file_belongs_to_a_scene_and_every_rule_of_the_scenes_is_exercised():
    assert {path.name.split(".")[0] for path in FOLDER.iterdir()} == set(SCENES)
    for name, scene in SCENES.items():
        used = {
            rule_id
            for event in expected_events(name)
            for rule_id in [
                event["rule_id"],
                *(part["rule_id"] for part in event["facts"].get("parts", ())),
            ]
        }
        assert used == {rule.id for rule in scene.rules}
