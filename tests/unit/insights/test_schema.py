"""What an answer about an alert may be."""

from typing import Any

import pytest
from pydantic import ValidationError

from video_detective.insights.base import InsightReply
from video_detective.llm.schema import wire_schema

GOOD: dict[str, Any] = {
    "summary": "有人走過。", "personCount": 1, "riskLevel": "low", "activities": ["走動"],
    "suggestions": [], "environment": "室內大廳",
}  # fmt: skip


def test_an_answer_at_every_bound_is_taken() -> None:
    reply = InsightReply.model_validate(
        {
            **GOOD,
            "summary": "字" * 500,
            "personCount": 0,
            "activities": [f"活動{n}" for n in range(5)],
            "suggestions": [f"建議{n}" for n in range(3)],
            "environment": "境" * 50,
        }
    )
    assert len(reply.summary) == 500
    assert len(reply.activities) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"summary": "字" * 501},
        {"summary": " … "},
        {"personCount": -1},
        {"personCount": "many"},
        {"riskLevel": "terrible"},
        {"activities": ["走"] * 6},
        {"suggestions": ["做"] * 4},
        {"environment": "境" * 51},
        {"activities": ["長" * 121]},
    ],
)
def test_an_answer_beyond_a_bound_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InsightReply.model_validate({**GOOD, **wrong})


@pytest.mark.parametrize("missing", GOOD)
def test_every_field_is_needed(missing: str) -> None:
    with pytest.raises(ValidationError):
        InsightReply.model_validate({k: v for k, v in GOOD.items() if k != missing})


@pytest.mark.parametrize(
    ("said", "meant"), [("High", "high"), ("嚴重", "critical"), ("中", "medium"), ("低", "low")]
)
def test_risk_levels_may_be_said_in_other_words(said: str, meant: str) -> None:
    assert InsightReply.model_validate({**GOOD, "riskLevel": said}).riskLevel == meant


def test_what_is_sent_to_servers_binds_no_lengths() -> None:
    schema = str(wire_schema(InsightReply))
    assert "maxLength" not in schema
    assert "maxItems" not in schema
    assert "'critical'" in schema
