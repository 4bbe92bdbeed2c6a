"""What the index keeps of events and frames, and the text of which vectors are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from video_detective.detection.base import CLASS_GROUPS
from video_detective.narration.catalogue import event_name
from video_detective.rules import Event
from video_detective.search.base import Document
from video_detective.search.tokens import fold, folded_tokens


def event_document(
    event: Event,
    *,
    summary_zh: str,
    summary_en: str,
    keywords_zh: Sequence[str],
    told: str = "",
    names: Sequence[str] = (),
) -> Document:
    """What the index keeps of an event.

    Besides its words it holds what the rules established as concepts: ``type:loitering`` (also of
    a merged event's parts), ``class:car`` with its group ``class:vehicle``, ``risk:high``,
    ``camera:cam01``, ``zone:yard@cam01``, ``tripwire:fence@cam01``, ``rule:…``.

    Args:
        event: The event as it stands.
        summary_zh: The sentence made from its facts.
        summary_en: The same in English.
        keywords_zh: Terms under which people look for it.
        told: A model's words about it, "" while there are none.
        names: Names of its camera, zone and tripwire, where the keywords may lack them.
    """
    parts = [str(part["type"]) for part in event.facts.get("parts", ())]
    held = {
        *_facts(
            event.camera_id,
            event.zone,
            event.tripwire,
            event.rule_id,
            event.risk_level,
            (event.type, *parts),
        ),
        *_classes(actor.type for actor in event.actors),
        *(fold(actor.track_id) for actor in event.actors),
        fold(event.event_id),
    }
    folded = [fold(part) for part in (summary_zh, summary_en, *keywords_zh, told, *names) if part]
    return _document(held, folded)


def frame_document(
    *,
    camera_id: str,
    classes: Iterable[str] = (),
    words: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Document:
    """What the index keeps of one frame of an event.

    Args:
        camera_id: Whose frame.
        classes: Of what was detected in it.
        words: A model's words about it: summary, actions, notable things.
        names: Names of camera and zone.
    """
    held = {f"camera:{fold(camera_id)}", *_classes(classes)}
    return _document(held, [fold(part) for part in (*words, *names) if part])


def embedding_text(
    event: Event,
    *,
    summary_zh: str,
    keywords_zh: Sequence[str],
    told: str = "",
    names: Sequence[str] = (),
) -> str:
    """The text of which an event's vector is made.

    Args:
        event: The event as it stands.
        summary_zh: The sentence made from its facts.
        keywords_zh: Terms under which people look for it.
        told: A model's words about it; they follow the sentence.
        names: Names of its camera, zone and tripwire.
    """
    where = " ".join(
        dict.fromkeys([event.camera_id, *names, event.zone or "", event.tripwire or ""])
    )
    return "\n".join(
        [
            f"[事件類型] {event_name(event.type)}",
            f"[地點] {' '.join(where.split())}",
            f"[摘要] {' '.join(part for part in (summary_zh, told) if part)}",
            f"[關鍵詞] {', '.join(keywords_zh)}",
        ]
    )


def _document(held: set[str], folded: Sequence[str]) -> Document:
    text = "\n".join(folded)
    return Document(tokens=tuple(sorted(held.union(folded_tokens(text)))), text=text)


def _facts(
    camera: str,
    zone: str | None,
    tripwire: str | None,
    rule: str,
    risk: str,
    types: Sequence[str],
) -> list[str]:
    held = [f"type:{kind}" for kind in types]
    held += [f"risk:{risk}", f"camera:{camera}".lower(), f"rule:{rule}@{camera}".lower()]
    held += [f"zone:{zone}@{camera}".lower()] if zone else []
    held += [f"tripwire:{tripwire}@{camera}".lower()] if tripwire else []
    return held


def _classes(kinds: Iterable[str]) -> list[str]:
    return [
        f"class:{name}"
        for kind in dict.fromkeys(kinds)
        for name in (kind, CLASS_GROUPS.get(kind, kind))
    ]
