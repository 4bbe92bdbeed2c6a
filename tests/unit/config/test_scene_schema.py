"""The schema from which forms of rules are made says what the reader of documents takes."""

from typing import Any, get_args

import pytest

from video_detective.config import parse_scene, scene_schema
from video_detective.errors import FieldError
from video_detective.rules import Rule

SCHEMA = scene_schema()
GIVEN: dict[str, Any] = {
    "id": "one",
    "zone": "yard",
    "tripwire": "line",
    "metric": "zones.yard.count",
    "threshold": 1.0,
    "allowed": [1, 0],
    "radius": 0.2,
}
SCENE = {
    "zones": {"yard": {"points": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}},
    "tripwires": {"line": {"points": [[0.1, 0.5], [0.9, 0.5]]}},
}


@pytest.mark.parametrize("kind", [kind.__name__ for kind in get_args(Rule)])
def test_a_rule_made_of_the_schema_is_taken_up_to_its_bounds(kind: str) -> None:
    part = SCHEMA["$defs"][kind]
    needed = {name: GIVEN[name] for name in part["required"]} | {
        name: GIVEN[name] for name in ("radius",) if name in part["properties"]
    }
    rule = {"type": part["properties"]["type"]["const"], **needed}
    parse_scene({**SCENE, "rules": [rule]})
    for name, field in part["properties"].items():
        if field.get("type") not in {"number", "integer"}:
            continue
        parse_scene({**SCENE, "rules": [{**rule, name: field["minimum"]}]})
        with pytest.raises(FieldError) as refused:
            parse_scene({**SCENE, "rules": [{**rule, name: field["maximum"] * 2}]})
        assert [where for where, _ in refused.value.problems] == [f"document.rules[0].{name}"]
