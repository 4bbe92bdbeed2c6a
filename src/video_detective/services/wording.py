"""Answers in a model's words, kept only as far as the events it cites bear them out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from video_detective.errors import ModelError, UsageError
from video_detective.narration.answer import (
    MAX_CANDIDATES,
    Candidate,
    WordedAnswer,
    answer_request,
)
from video_detective.narration.answer_template import Sentence
from video_detective.narration.catalogue import Language
from video_detective.narration.language import check, corrected
from video_detective.narration.template import event_name, event_synonyms, moment_text
from video_detective.search.citations import Cited, check_answer
from video_detective.services.times import rfc3339, time_range
from video_detective.services.workspace import Places, Workspace
from video_detective.storage import StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """What a model made of the candidates.

    Args:
        sentences: Those that hold, in order; none when the template answer must stand.
        model: Which model was asked; None when none is configured.
        dropped: (sentence, why) of those that did not hold.
        reason: Why there are no sentences; "" when there are some.
    """

    sentences: tuple[Sentence, ...] = ()
    model: str | None = None
    dropped: tuple[tuple[str, str], ...] = ()
    reason: str = ""


async def word_answer(
    workspace: Workspace,
    question: str,
    events: Sequence[StoredEvent],
    *,
    places: Places,
    since_ns: int | None,
    until_ns: int | None,
    period: str,
    total: int,
    now_ns: int,
    language: Language,
) -> Worded:
    """Ask the configured model for an answer over the events that were found.

    Args:
        workspace: Its settings name the model.
        question: As it was asked.
        events: Found, best first; all visible to the asker. None of them: no model is asked.
        places: Names and zones of cameras.
        since_ns: Begin of the time asked for; None is open.
        until_ns: Its end, exclusive; None is open.
        period: The same in words.
        total: How many events match.
        now_ns: When it was asked.
        language: Of the answer.

    Returns:
        The sentences that hold. Never an error for what a model or its server does.
    """
    settings = workspace.settings.answers
    if settings is None or not events:
        return Worded(reason="no_model" if settings is None else "no_candidates")
    shown = list(events[:MAX_CANDIDATES])
    keys = [f"E{number}" for number in range(1, len(shown) + 1)]
    records = [_record(stored, places, language) for stored in shown]
    request = answer_request(
        question,
        [
            Candidate(key=key, event_id=stored.event.event_id, record=record)
            for key, stored, record in zip(keys, shown, records, strict=True)
        ],
        model=settings.model,
        language=language,
        period=period,
        total=total,
    )
    try:
        async with asyncio.timeout(settings.timeout_s):
            completion = await workspace.models.client(settings.server).complete(
                request, abilities=workspace.models.abilities(settings.server, settings.model)
            )
    except TimeoutError:
        return Worded(model=settings.model, reason="timeout")
    except ModelError as error:
        return Worded(model=settings.model, reason=error.reason)
    except UsageError:  # the key is not in the environment; doctor says so
        return Worded(model=settings.model, reason="refused")
    answer = completion.data
    if not isinstance(answer, WordedAnswer):
        return Worded(model=settings.model, reason="invalid")
    candidates = {
        key: _cited(stored, places, record)
        for key, stored, record in zip(keys, shown, records, strict=True)
    }
    every_name = [name for key in places.scenes for name in camera_names(places, key)]
    verdicts = check_answer(
        [(sentence.text, sentence.cites) for sentence in answer.sentences],
        candidates,
        since_ns=since_ns,
        until_ns=until_ns,
        now_ns=now_ns,
        cameras=every_name,
    )
    dropped: list[tuple[str, str]] = [
        (v.text, v.dropped) for v in verdicts if v.dropped is not None
    ]
    sentences: list[Sentence] = []
    for verdict in verdicts:
        if verdict.dropped is not None:
            continue
        text = corrected(verdict.text, language, names=every_name)
        if check([text], language, names=every_name, instructions=request.system):
            dropped.append((verdict.text, "language"))
        else:
            sentences.append(Sentence(text=text, cites=verdict.cites))
    return Worded(
        sentences=tuple(sentences),
        model=completion.model,
        dropped=tuple(dropped),
        reason="" if sentences else "unfounded",
    )


def camera_names(places: Places, camera_id: str) -> tuple[str, ...]:
    """Everything that names a camera: id, name, aliases."""
    names = (camera_id, places.name(camera_id), *places.aliases.get(camera_id, ()))
    return tuple(dict.fromkeys(name for name in names if name))


def _record(stored: StoredEvent, places: Places, language: Language) -> dict[str, Any]:
    """What the model is told of an event: facts in words, and no more than an answer needs."""
    event = stored.event
    scene = places.scene(event.camera_id)
    zone = ZoneInfo(scene.timezone)
    told = stored.narration.text if stored.narration else ""
    record: dict[str, Any] = {
        "camera": f"{places.name(event.camera_id)} ({event.camera_id})",
        "time": time_range(event.start_ns, event.end_ns, zone),
        "event_type": event_name(event.type, language),
        "risk_level": event.risk_level,
        "summary": stored.summary_zh if language == "zh-TW" else stored.summary_en,
        "evidence": [
            f"{rfc3339(m.time_ns, zone)[11:19]} {moment_text(m, event, language, scene=scene)}"
            for m in event.moments
        ][:3],
    }
    return record | ({"described_by_model": told} if told else {})


def _type_words(stored: StoredEvent) -> list[str]:
    """What the event's types are called; a stay may be told as pacing, and the other way round."""
    types = {stored.event.type, *(str(p["type"]) for p in stored.event.facts.get("parts", ()))}
    if types & {"loitering", "pacing"}:
        types |= {"loitering", "pacing"}
    return [word for word, kind in event_synonyms() if kind in types]


def _cited(stored: StoredEvent, places: Places, record: dict[str, Any]) -> Cited:
    event = stored.event
    return Cited(
        event_id=event.event_id,
        start_ns=event.start_ns,
        end_ns=event.end_ns,
        zone=places.zone(event.camera_id),
        camera_names=camera_names(places, event.camera_id),
        text=" ".join([*map(str, record.values()), *stored.keywords_zh, *_type_words(stored)]),
    )
