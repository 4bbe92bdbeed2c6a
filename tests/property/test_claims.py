"""Whatever a model says, the account speaks of known tracks and of the event's time."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from tests.told_scenes import event_answer, material

from video_detective.narration.claims import checked_event, reworded, words_of
from video_detective.narration.language import corrected
from video_detective.narration.replies import EventReply

KNOWN = material()
TRACKS = st.builds("{}{}".format, st.sampled_from("pvaofPV"), st.integers(1, 99))
TIMES = st.one_of(
    st.builds(
        "{:02}:{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)
    ),
    st.builds("2025-12-{:02}T22:05:10+08:00".format, st.integers(1, 28)),
    st.builds("{} 點 {:02} 分".format, st.integers(0, 23), st.integers(0, 59)),
)
SENTENCES = st.builds(
    "{}{} {}{}".format,
    st.sampled_from(["在 ", "", "At "]),
    st.one_of(TRACKS, TIMES),
    st.sampled_from(["走進門口", "leaves", "與 p12 交談", ""]),
    st.sampled_from(["。", "！", ". ", "\n", ""]),
)
TEXTS = st.lists(SENTENCES, min_size=1, max_size=6).map("".join)


@given(TEXTS, st.lists(TEXTS, max_size=5), TRACKS, TIMES)
def test_no_invented_track_or_time_is_left(
    summary: str, bullets: list[str], track: str, time: str
) -> None:
    said = event_answer(
        summary_zh=f"有人。{summary}"[:1200],
        timeline_bullets=[bullet[:300] for bullet in bullets],
        actors=[{"track_id": track, "type": "person", "notes": summary[:300]}],
        evidence=[{"timestamp": time, "what": summary[:300]}],
    )
    found = checked_event(EventReply.model_validate(said), KNOWN)
    kept = {key: value for key, value in found.result.items() if key != "differences"}
    text = json.dumps(kept, ensure_ascii=False) + found.summary
    assert set(re.findall(r"(?<![A-Za-z0-9])[pvaofPV]\d+", text.lower())) <= {"p12", "p13"}
    for hour, minute in re.findall(r"(?<![\d:+])(\d\d):(\d\d):\d\d", text):
        assert (hour, minute) in {("22", "04"), ("22", "05")}
    assert found.result["event_json"]["start_time"] == "2025-12-16T22:05:00.000+08:00"
    assert not set(re.findall(r"2025-12-(\d\d)", text)) - {"16"}


@given(st.text(max_size=200))
def test_putting_words_right_ends_at_once_and_never_fails(text: str) -> None:
    once = corrected(text, "zh-TW", names=("后门",))
    assert corrected(once, "zh-TW", names=("后门",)) == once


@given(st.recursive(st.text(max_size=5) | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "notes", "what"]), inner), max_leaves=8))  # noqa: E501  # fmt: skip
def test_what_is_reworded_is_what_counts_as_words(data: object) -> None:
    changed = reworded(data, lambda text: text + "!")
    assert list(words_of(changed)) == [word + "!" for word in words_of(data)]
