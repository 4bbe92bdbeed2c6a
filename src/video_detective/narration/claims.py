"""What a model claims against what is known: facts win, and every difference is on record.

Type, times, risk and actors of the result are always those of the rules. Sentences that speak of
a track that nobody tracked, of a time outside the event, or of looks that nobody saw are left out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from video_detective.detection.base import CLASS_GROUPS
from video_detective.geometry import NS_PER_S
from video_detective.narration.catalogue import LANGUAGES, Language, class_name, event_name
from video_detective.narration.claimed_times import EventTimes
from video_detective.narration.keyframes import AROUND_NS
from video_detective.narration.material import Material, timestamp
from video_detective.narration.pictures import KeyFrame
from video_detective.narration.replies import EventReply, FrameReply, Observed
from video_detective.tracking.base import Track

MARGIN_NS = AROUND_NS + NS_PER_S
"""A claim's time may lie so far outside the event: notes tell of ``AROUND_NS`` before and after
it, and times are written in whole seconds."""
SAME_NS = NS_PER_S
"""Two times that differ by no more are the same one, written in whole seconds or not."""

NOT_WORDS = frozenset(
    {
        "timestamp",
        "camera_id",
        "track_id",
        "type",
        "event_type",
        "start_time",
        "end_time",
        "risk_level",
        "frame_id",
        "differences",
    }
)
"""Fields whose values are no sentences."""

_TRACK = re.compile(r"(?<![A-Za-z0-9])[pvaofPV]\d{1,7}(?![A-Za-z0-9])")
_SENTENCES = re.compile(r"[^。！？\n]*?(?:[。！？\n]+|[!?.](?=\s)|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An answer after the check.

    Args:
        summary: What may be shown; "" when nothing of it holds.
        result: The answer's fields as plain JSON, facts in the place of claims; under
            ``differences`` each claim that differed: ``{"field", "model", "fact"}``.
        flags: Stable keys of what was found, in order, each once.
    """

    summary: str
    result: Mapping[str, Any]
    flags: tuple[str, ...]


def checked_event(reply: EventReply, material: Material, *, is_seen: bool = True) -> Checked:
    """Check an answer to prompt 2.

    Args:
        reply: Valid by its schema.
        material: What is known.
        is_seen: The model saw pictures; otherwise what it says of looks is made up, and left out.
    """
    return _Check(material, is_seen=is_seen).event(reply)


def checked_frame(reply: FrameReply, material: Material, frame: KeyFrame) -> Checked:
    """Check an answer to prompt 1.

    Args:
        reply: Valid by its schema.
        material: What is known.
        frame: The frame that was asked about.
    """
    return _Check(material, is_seen=True).frame(reply, frame)


def words_of(data: object) -> Iterator[str]:
    """The sentences and words within an answer's JSON, in order."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key not in NOT_WORDS:
                yield from words_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from words_of(value)


def reworded(data: Any, change: Callable[[str], str]) -> Any:
    """The same JSON with ``change`` applied to what ``words_of`` gives."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, Mapping):
        return {
            key: value if key in NOT_WORDS else reworded(value, change)
            for key, value in data.items()
        }
    return [reworded(value, change) for value in data] if isinstance(data, list) else data


class _Check:
    """One check: what is known, and what was found so far."""

    def __init__(self, material: Material, *, is_seen: bool) -> None:
        self._material = material
        self._looks = None if is_seen else _looks_beyond(material)
        self._event = material.event
        first, last = material.span_ns
        self._times = EventTimes(material.scene, first - MARGIN_NS, last + MARGIN_NS)
        self._tracks = {track_id.lower() for track_id in material.track_ids}
        self._flags: list[str] = []
        self._differences: list[dict[str, str]] = []

    def event(self, reply: EventReply) -> Checked:
        said, event = reply.event_json, self._event
        scene, language = self._material.scene, self._material.language
        end = None if event.end_ns is None else timestamp(event.end_ns, scene)
        names = {event.type, *(event_name(event.type, one) for one in LANGUAGES)}
        if said.event_type not in names:
            self._differs("event_type", said.event_type, event_name(event.type, language))
        self._compare_time("start_time", said.start_time, event.start_ns)
        if event.end_ns is not None:
            self._compare_time("end_time", said.end_time, event.end_ns)
        if said.risk_level != {"critical": "high"}.get(event.risk_level, event.risk_level):
            self._differs("risk_level", said.risk_level, event.risk_level)
        result = {
            "timeline_bullets": self._bullets(reply),
            "event_json": {
                "event_type": event_name(event.type, language),
                "start_time": timestamp(event.start_ns, scene),
                "end_time": end,
                "actors": self._actors(reply),
                "evidence": self._evidence(said.evidence),
                "risk_level": event.risk_level,
                "search_keywords_zh": [
                    word
                    for word in dict.fromkeys(said.search_keywords_zh)
                    if word and self._holds(word)
                ],
            },
        }
        summary = self._sentences(reply.summary_zh)
        if not summary:
            summary = "\n".join(result["timeline_bullets"])
        return self._checked(summary, {**result, "summary_zh": summary})

    def frame(self, reply: FrameReply, frame: KeyFrame) -> Checked:
        self._compare_time("timestamp", reply.timestamp, frame.time_ns)
        if reply.camera_id != self._event.camera_id:
            self._differs("camera_id", reply.camera_id, self._event.camera_id)
        summary = self._sentences(reply.summary_zh)
        result = {
            "timestamp": timestamp(frame.time_ns, self._material.scene),
            "camera_id": self._event.camera_id,
            "scene_summary": self._sentences(reply.scene_summary),
            "entities": [
                {**entity.model_dump(), "notable": self._sentences(entity.notable)}
                for entity in reply.entities
                if self._holds(entity.type)
            ],
            "actions": self._those_that_hold(reply.actions),
            "suspicious_score": reply.suspicious_score,
            "suspicious_reasons": self._those_that_hold(reply.suspicious_reasons),
            "unsure": self._those_that_hold(reply.unsure),
        }
        summary = summary or str(result["scene_summary"])
        return self._checked(summary, {**result, "summary_zh": summary})

    def _checked(self, summary: str, result: Mapping[str, Any]) -> Checked:
        return Checked(
            summary=summary,
            result={**result, "differences": self._differences},
            flags=tuple(dict.fromkeys(self._flags)),
        )

    def _differs(self, field: str, said: str, fact: str) -> None:
        self._flags.append(f"{field}_differs")
        self._differences.append({"field": field, "model": said, "fact": fact})

    def _compare_time(self, field: str, said: str, fact_ns: int) -> None:
        spans = self._times.first_in(said)
        if not any(a - SAME_NS <= fact_ns < b + SAME_NS for a, b in spans):
            self._differs(field, said, timestamp(fact_ns, self._material.scene))

    def _bullets(self, reply: EventReply) -> list[str]:
        kept = self._those_that_hold(reply.timeline_bullets)
        times = [next((a for a, _ in self._times.first_in(bullet)), None) for bullet in kept]
        known = [time for time in times if time is not None]
        if len(known) < len(kept) or known == sorted(known):
            return kept
        self._flags.append("order")
        return [bullet for _, _, bullet in sorted(zip(known, range(len(kept)), kept, strict=True))]

    def _actors(self, reply: EventReply) -> list[dict[str, str]]:
        """Those who take part, in the event's order, then others whom the model tells of."""
        types = {track.track_id: track.type for track in self._tracks_seen()}
        types.update({actor.track_id: actor.type for actor in self._event.actors})
        notes: dict[str, str] = {actor.track_id: "" for actor in self._event.actors}
        for said in reply.event_json.actors:
            track_id = said.track_id.strip().lower()
            if track_id not in self._tracks:
                self._flags.append("unknown_track")
                self._differences.append({"field": "track_id", "model": said.track_id, "fact": ""})
                continue
            kind = types.get(track_id, "")
            if kind and said.type not in _kind_names(kind):
                self._differs("actor_type", f"{track_id}: {said.type}", f"{track_id}: {kind}")
            notes[track_id] = notes.get(track_id) or self._sentences(said.notes)
        return [
            {"track_id": track_id, "type": types.get(track_id, ""), "notes": note}
            for track_id, note in notes.items()
        ]

    def _tracks_seen(self) -> Iterator[Track]:
        for sample in self._material.samples:
            yield from sample.tracks
        for frame in self._material.frames:
            yield from frame.tracks

    def _evidence(self, said: list[Observed]) -> list[dict[str, str | None]]:
        kept: list[tuple[int, str]] = []
        for one in said:
            spans = self._times.first_in(one.timestamp)
            times = [span[0] for span in spans if self._times.holds(span)]
            if not times:
                self._flags.append("time_outside")
                self._differences.append({"field": "evidence", "model": one.timestamp, "fact": ""})
            elif self._holds(one.what) and one.what:
                kept.append((times[0], one.what))
        scene = self._material.scene
        return [
            {
                "timestamp": timestamp(time_ns, scene),
                "what": what,
                "frame_id": self._frame_at(time_ns),
            }
            for time_ns, what in sorted(kept)
        ]

    def _frame_at(self, time_ns: int) -> str | None:
        """The key frame that a time means, which may have been cut to the second."""
        near = [
            (abs(frame.time_ns - time_ns), frame.frame_id)
            for frame in self._material.frames
            if abs(frame.time_ns - time_ns) < SAME_NS
        ]
        return min(near)[1] if near else None

    def _sentences(self, text: str) -> str:
        """The text without the sentences that do not hold."""
        parts = [match[0] for match in _SENTENCES.finditer(text)]
        return "".join(part for part in parts if self._holds(part)).strip()

    def _those_that_hold(self, lines: list[str]) -> list[str]:
        return [line for line in dict.fromkeys(lines) if line and self._holds(line)]

    def _holds(self, text: str) -> bool:
        """Whether a text speaks of known tracks, of the event's time, and of what was seen."""
        plain = unicodedata.normalize("NFKC", text)
        unknown = [t for t in _TRACK.findall(plain) if t.lower() not in self._tracks]
        outside = not self._times.is_kept_by(plain)
        unseen = self._looks is not None and self._looks.search(plain) is not None
        self._flags += ["unknown_track"] * bool(unknown) + ["time_outside"] * outside
        self._flags += ["unseen"] * unseen
        self._differences += [{"field": "text", "model": text.strip(), "fact": ""}] * bool(
            unknown or outside or unseen
        )
        return not unknown and not outside and not unseen


@cache
def _looks(language: Language) -> tuple[str, ...]:
    """Words for what only a picture shows."""
    resource = files("video_detective.narration").joinpath("wording/looks.json")
    words: tuple[str, ...] = tuple(json.loads(resource.read_text(encoding="utf-8"))[language])
    return words


def _looks_beyond(material: Material) -> re.Pattern[str]:
    """Any of those words that the facts do not say themselves (白色大門, 背包)."""
    language = material.language
    known = [*material.names, *(class_name(kind, language) for kind in CLASS_GROUPS)]
    facts = " ".join(known).lower()
    words = [re.escape(word) for word in _looks(language) if word not in facts]
    pattern = "|".join(sorted(words, key=len, reverse=True))
    return re.compile(pattern if language == "zh-TW" else rf"\b(?:{pattern})\b", re.IGNORECASE)


def _kind_names(kind: str) -> set[str]:
    """Every word for a class that is no contradiction of it."""
    group = CLASS_GROUPS.get(kind, kind)
    return {word for one in (kind, group) for word in (one, *_names(one))}


def _names(kind: str) -> Iterator[str]:
    for language in LANGUAGES:
        yield class_name(kind, language)
