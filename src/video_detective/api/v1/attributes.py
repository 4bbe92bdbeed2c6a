"""``/api/v1/analysis/attributes`` and those of insights: what the persons in view looked like."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.attributes.base import as_wire
from video_detective.services import attributes as found_attributes
from video_detective.services.access import Caller
from video_detective.services.attributes import AttributeFilter
from video_detective.services.times import utc_text
from video_detective.services.workspace import Places, Workspace
from video_detective.storage.attributes.base import (
    AttributeRow,
    AttributeStatistics,
    AttributeSums,
)

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
InsightId = Annotated[UUID, Path(alias="id", description="The insight's id")]
RecordId = Annotated[UUID, Path(alias="id", description="The record's id")]
_DEVICE = "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e90"
_COUNTS: dict[str, int] = {
    "female": 8, "male": 7, "ageLess18": 2, "age18To60": 10, "ageOver60": 3,
    "front": 5, "side": 6, "back": 4, "hat": 3, "glasses": 4, "handBag": 2, "shoulderBag": 1,
    "backpack": 3, "holdObjectsInFront": 1, "shortSleeve": 6, "longSleeve": 9, "longCoat": 2,
    "trousers": 8, "shorts": 3, "skirtDress": 4, "boots": 1, "upperBlack": 4, "upperWhite": 3,
    "upperRed": 2, "upperPurple": 1, "upperYellow": 2, "upperGray": 3,
}  # fmt: skip
_RECORD: dict[str, Any] = {
    "id": "0199a2c4-5d12-7000-8000-000000000009",
    "capturedAt": "2026-02-25T10:29:55Z",
    "totalPersons": 15,
    "attributes": _COUNTS,
}
_PLACE: dict[str, Any] = {
    "deviceId": _DEVICE,
    "deviceName": "入口攝影機",
    "sceneId": "0199a2c4-5d11-7000-8000-000000000001",
    "sceneName": "主入口排隊區",
    "source": "onnx",
    "createdAt": "2026-02-25T10:29:56Z",
}


class Counts(Wire):
    """How many of the persons have each attribute; null where nothing could determine it."""

    female: int | None
    male: int | None
    age_less18: int | None
    age18_to60: int | None
    age_over60: int | None
    front: int | None
    side: int | None
    back: int | None
    hat: int | None
    glasses: int | None
    hand_bag: int | None
    shoulder_bag: int | None
    backpack: int | None
    hold_objects_in_front: int | None
    short_sleeve: int | None
    long_sleeve: int | None
    long_coat: int | None
    trousers: int | None
    shorts: int | None
    skirt_dress: int | None
    boots: int | None
    upper_black: int | None
    upper_white: int | None
    upper_red: int | None
    upper_purple: int | None
    upper_yellow: int | None
    upper_gray: int | None


class Gender(Wire):
    """Persons by gender; null where nothing could determine it."""

    female: int | None
    male: int | None


class Ages(Wire):
    """Persons by age; null where nothing could determine it."""

    age_less18: int | None
    age18_to60: int | None
    age_over60: int | None


class NearRecord(Wire):
    """What the persons in view looked like at one moment near an insight."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RECORD]})

    id: str
    captured_at: str
    total_persons: int
    attributes: Counts


class Record(NearRecord):
    """What the persons in view looked like at one moment, before which device.

    ``source`` tells what determined more than colours: ``colour`` (nothing did), ``onnx``, ``vlm``.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{**_RECORD, **_PLACE}]})

    device_id: str | None
    device_name: str
    scene_id: str | None
    scene_name: str
    source: Literal["colour", "onnx", "vlm"]
    created_at: str


class FullRecord(Record):
    """A record with who made it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_RECORD,
                    **_PLACE,
                    "computeNodeId": "5d5a7f0e-1c53-4f0e-9a5c-3a1d0a6a6f10",
                    "userId": None,
                    "updatedAt": "2026-02-25T10:29:56Z",
                }
            ]
        }
    )

    compute_node_id: str | None
    user_id: str | None
    updated_at: str


class Stretch(Wire):
    """Sums of one local hour or day; ``timestamp`` is its beginning in UTC."""

    timestamp: str
    person_count: int
    attributes: Counts


class Statistics(Wire):
    """Sums over records; ``timeline`` has the hours or days with records, in order of time."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "totalRecords": 1250,
                    "totalPersons": 18750,
                    "genderDistribution": {"female": 9800, "male": 8950},
                    "ageDistribution": {"ageLess18": 2500, "age18To60": 12500, "ageOver60": 3750},
                    "timeline": [
                        {
                            "timestamp": "2026-02-25T08:00:00Z",
                            "personCount": 180,
                            "attributes": {**_COUNTS, "female": 95, "male": 85},
                        }
                    ],
                }
            ]
        }
    )

    total_records: int
    total_persons: int
    gender_distribution: Gender
    age_distribution: Ages
    timeline: list[Stretch]


class AttributesQuery(PageQuery):
    """Which records: those captured in [startDate, endDate)."""

    device_id: UUID | None = None
    scene_id: UUID | None = None
    start_date: str | None = Field(default=None, min_length=1, max_length=40)
    end_date: str | None = Field(default=None, min_length=1, max_length=40)


class StatisticsQuery(Wire):
    """Sums over which records: those captured in [startDate, endDate)."""

    start_date: str = Field(min_length=1, max_length=40, examples=["2026-02-25T00:00:00Z"])
    end_date: str = Field(min_length=1, max_length=40, examples=["2026-02-26T00:00:00Z"])
    device_id: UUID | None = None
    scene_id: UUID | None = None
    group_by: Literal["hour", "day"] = "hour"


def routes(workspace: Workspace) -> APIRouter:
    """The routes of attributes over an open workspace."""
    router = APIRouter(prefix="/api/v1/analysis", tags=["attributes"])

    @router.get("/insights/attributes/stats", responses=responses(Statistics, 404))
    async def attribute_stats(
        request: Request, caller: Reader, query: Annotated[StatisticsQuery, Query()]
    ) -> Response:
        """Sums by local hours or days of the account's clock (LEVEL_02)."""
        found = await found_attributes.attribute_statistics(
            workspace, caller, _filter(query), group=query.group_by
        )
        return answer(request, _statistics(found.statistics), timezone=found.timezone)

    @router.get("/insights/{id}/attributes", responses=responses(list[NearRecord], 404))
    async def attributes_of_insight(
        request: Request, caller: Reader, insight_id: InsightId
    ) -> Response:
        """The records from 30 s before to 30 s after an insight, at most 50 (LEVEL_02)."""
        rows = await found_attributes.insight_attributes(workspace, caller, str(insight_id))
        return answer(request, [_near(row) for row in rows])

    @router.get("/attributes", responses=responses(list[Record], 404))
    async def list_attributes(
        request: Request, caller: Reader, query: Annotated[AttributesQuery, Query()]
    ) -> Response:
        """Records of the devices that have attributes (LEVEL_02), newest first."""
        found = await found_attributes.attribute_page(
            workspace,
            caller,
            _filter(query),
            limit=query.limit,
            offset=query.offset,
            cursor=query.cursor,
        )
        places = await workspace.within(caller.reach).places()
        return answer(
            request,
            [_record(row, places) for row in found.page.rows],
            pagination=page_of(found.page.total, query, found.page.next_cursor),
            timezone=found.timezone if query.start_date or query.end_date else None,
        )

    @router.get("/attributes/{id}", responses=responses(FullRecord, 404))
    async def get_attributes(request: Request, caller: Reader, attribute_id: RecordId) -> Response:
        """One record (LEVEL_02)."""
        row = await found_attributes.attribute_record(workspace, caller, str(attribute_id))
        places = await workspace.within(caller.reach).places()
        return answer(
            request,
            {
                **_record(row, places),
                "computeNodeId": row.node_id,
                "userId": row.user_id,
                "updatedAt": utc_text(row.updated_ns),
            },
        )

    return router


def _filter(query: AttributesQuery | StatisticsQuery) -> AttributeFilter:
    return AttributeFilter(
        device_id=None if query.device_id is None else str(query.device_id),
        scene_id=None if query.scene_id is None else str(query.scene_id),
        start=query.start_date,
        end=query.end_date,
    )


def _near(row: AttributeRow) -> dict[str, Any]:
    return {
        "id": row.attribute_id,
        "capturedAt": utc_text(row.captured_ns),
        "totalPersons": row.total_persons,
        "attributes": dict(as_wire(row.attributes)),
    }


def _record(row: AttributeRow, places: Places) -> dict[str, Any]:
    device = places.device(row.camera_id)
    return {
        **_near(row),
        "deviceId": None if device is None else device.device_id,
        "deviceName": places.name(row.camera_id),
        "sceneId": row.scene_id,
        "sceneName": "" if device is None else device.scene_name,
        "source": row.source,
        "createdAt": utc_text(row.created_ns),
    }


def _statistics(found: AttributeStatistics) -> dict[str, Any]:
    counts = as_wire(found.whole.attributes)
    return {
        "totalRecords": found.whole.records,
        "totalPersons": found.whole.total_persons,
        "genderDistribution": {name: counts[name] for name in ("female", "male")},
        "ageDistribution": {name: counts[name] for name in ("ageLess18", "age18To60", "ageOver60")},
        "timeline": [_stretch(begin_ns, sums) for begin_ns, sums in found.timeline.items()],
    }


def _stretch(begin_ns: int, sums: AttributeSums) -> dict[str, Any]:
    return {
        "timestamp": utc_text(begin_ns),
        "personCount": sums.total_persons,
        "attributes": dict(as_wire(sums.attributes)),
    }
