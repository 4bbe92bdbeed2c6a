"""Insights by a question: read by rules, found by facts and words, kept for some seconds."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from video_detective.search.tokens import fold
from video_detective.services.access import Caller
from video_detective.services.search import by_rules
from video_detective.services.times import utc_text
from video_detective.services.understanding import Asked, cameras_of_places, understand
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.insights.index import Words
from video_detective.storage.insights.listing import InsightPage
from video_detective.storage.insights.statements import InsightFilter
from video_detective.storage.reach import Reach

KEPT_S = 5
"""An answer is given again for so long. Any change that this process makes ends it at once; what
another process changes is found after so long at the latest."""
_MOST_KEPT = 256
_NS_PER_S = 1_000_000_000
_SEVERITY = re.compile(
    r"(?P<critical>(?:嚴重|严重|重大|緊急|紧急|危急)的?(?:告警|警報|警报|警示)|critical alerts?)"
    r"|(?P<warning>(?:警告|一般)的?(?:級|等級|级|等级)?的?(?:告警|警報|警报|警示)|警告級?"
    r"|warning alerts?|warnings?\b)",
    re.IGNORECASE,
)
"""How grave an alert is, where the question speaks of alerts: 高風險 is about the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBySearch:
    """What a question found.

    Args:
        page: Its insights, best first, and how many there are.
        interpretation: What was understood of the question, and only that.
        timezone: In which its times were read.
    """

    page: InsightPage
    interpretation: dict[str, Any]
    timezone: str


class InsightSearch:
    """Questions to the insights of a workspace, with the answers of the last seconds.

    Args:
        workspace: Where.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept: OrderedDict[tuple[Reach, str, int], tuple[int, int, FoundBySearch]] = (
            OrderedDict()
        )

    async def search(
        self, caller: Caller, question: str, *, limit: int, now_ns: int
    ) -> FoundBySearch:
        """The insights that answer a question.

        An insight answers by what the rules established of its event (type, place, camera, who)
        and by the words about it; that an event is of a type is for its rule alone to say.

        Args:
            caller: Who asks.
            question: Words or a sentence, Chinese or English.
            limit: At most so many.
            now_ns: When it is asked.
        """
        key = (caller.reach, " ".join(fold(question).split()), limit)
        changes = self._workspace.database.changes
        kept = self._kept.get(key)
        if kept is not None and kept[0] == changes and now_ns < kept[1]:
            return kept[2]
        found = await self._find(caller, question, limit, now_ns)
        # As of before: what was changed meanwhile may not be in it.
        self._kept[key] = (changes, now_ns + KEPT_S * _NS_PER_S, found)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _find(self, caller: Caller, question: str, limit: int, now_ns: int) -> FoundBySearch:
        places = await self._workspace.within(caller.reach).places()
        severity, rest = _severity(question)
        asked = understand(rest, places, now_ns, "", "", "")
        read = asked.interpretation
        wanted = InsightFilter(
            cameras=asked.cameras,
            severity=severity,
            since_ns=asked.since_ns,
            until_ns=asked.until_ns,
        )
        words = Words(groups=by_rules(read.groups), without=read.without)
        page = await self._workspace.database.insights.lists.search(
            caller.reach, wanted, words, limit=limit
        )
        return FoundBySearch(
            page=page,
            interpretation=_interpretation(asked, places, severity),
            timezone=asked.zone.key,
        )


def _severity(question: str) -> tuple[str | None, str]:
    """The severity that is asked for, and the question without that."""
    match = _SEVERITY.search(question)
    if match is None:
        return None, question
    rest = f"{question[: match.start()]} {question[match.end() :]}"
    return ("critical" if match["critical"] else "warning"), rest


def _interpretation(asked: Asked, places: Places, severity: str | None) -> dict[str, Any]:
    read = asked.interpretation
    cameras = asked.cameras or cameras_of_places(read, places)
    devices = [device for key in cameras if (device := places.device(key)) is not None]
    activities = [chip.text for chip in read.chips if chip.kind == "type" and not chip.negated]
    told = {
        "riskLevel": read.risk_level,
        "severity": severity,
        "activityKeywords": list(dict.fromkeys([*activities, *read.activity_keywords])),
        "deviceIds": [device.device_id for device in devices],
        "sceneIds": [device.scene_id for device in devices if device.scene_id is not None],
        "startDate": None if asked.since_ns is None else utc_text(asked.since_ns),
        "endDate": None if asked.until_ns is None else utc_text(asked.until_ns),
        "eventTypes": list(read.event_types),
        "classes": list(read.classes),
        "colours": list(read.colours),
        "zones": list(read.zones),
        "notUnderstood": list(read.not_understood),
    }
    return {name: value for name, value in told.items() if value}
