"""``/api/v1/channels``: where notifications go."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ConfigDict, Field, StringConstraints

from video_detective.api.envelope import PageQuery, Wire, answer, caller_of, page_of, responses
from video_detective.api.v1.paging import id_cursor
from video_detective.pipeline.clock import now_ns
from video_detective.services import channels
from video_detective.services.access import Caller
from video_detective.services.notices import Lack
from video_detective.services.times import utc_text
from video_detective.services.workspace import Workspace
from video_detective.storage.notices.base import ChannelRow

Reader = Annotated[Caller, Security(caller_of, scopes=["analytics:read"])]
Admin = Annotated[Caller, Security(caller_of, scopes=["admin"])]
ChannelId = Annotated[UUID, Path(alias="id", description="The channel's id")]

Kind = Literal["webhook", "email", "mqtt"]
Told = Literal["new", "update", "end"]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
_Recipients = Annotated[
    list[Annotated[str, Field(min_length=3, max_length=254)]], Field(min_length=1, max_length=20)
]
_Cooldown = Annotated[float, Field(ge=0, le=86_400)]
_EXAMPLE: dict[str, Any] = {
    "id": "0199a2c4-5d10-7c3e-9f00-2b1a6c7d8e91",
    "kind": "webhook",
    "name": "值班中心",
    "url": "https://receiver.example/hooks/video",
    "recipients": None,
    "filters": {
        "deviceIds": [],
        "severities": ["critical"],
        "alertRules": [],
        "tell": ["new", "update", "end"],
        "includePast": False,
    },
    "cooldownSeconds": 60.0,
    "isEnabled": True,
    "secret": None,
    "problem": None,
    "createdAt": "2026-01-15T14:00:00.000Z",
    "updatedAt": "2026-01-15T14:00:00.000Z",
}


class ChannelFilters(Wire):
    """Which alerts a channel is told; an empty list means all.

    ``tell``: that an alert is there (``new``, always), that the model has described it
    (``update``), that it is over (``end``). ``includePast``: also alerts about footage that was
    more than 15 minutes old when it was analysed.
    """

    device_ids: list[str]
    severities: list[Literal["warning", "critical"]]
    alert_rules: list[str]
    tell: list[Told]
    include_past: bool


class FilterChange(Wire):
    """What to set of a channel's filters; what is left out stays."""

    device_ids: list[UUID] | None = Field(default=None, max_length=1000)
    severities: list[Literal["warning", "critical"]] | None = Field(default=None, max_length=2)
    alert_rules: list[Annotated[str, Field(min_length=1, max_length=64)]] | None = Field(
        default=None, max_length=100
    )
    tell: list[Told] | None = Field(default=None, min_length=1, max_length=3)
    include_past: bool | None = None


class ChannelProblem(Wire):
    """What the service's settings lack for a channel, and what to do about it."""

    key: Literal["server_unset", "password_unset"]
    setting: str
    found: str
    remedy: str


class Channel(Wire):
    """Where notifications go.

    ``secret`` is there once, when it was made; webhooks are signed with it. Callers without the
    scope ``admin`` see only the host of ``url`` and no ``recipients``; a query is shown to nobody.
    While there is a ``problem`` nothing reaches anybody through the channel: it waits for a day.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    kind: Kind
    name: str
    url: str | None
    recipients: list[str] | None
    filters: ChannelFilters
    cooldown_seconds: float
    is_enabled: bool
    secret: str | None
    problem: ChannelProblem | None
    created_at: str
    updated_at: str


class ChannelCreation(Wire):
    """A channel to make.

    ``url`` is a webhook's, ``recipients`` are those of e-mail; an MQTT channel has neither: its
    broker is in the settings. E-mail is only told of new alerts unless ``filters.tell`` says more.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "webhook",
                    "name": "值班中心",
                    "url": "https://receiver.example/hooks/video",
                    "filters": {"severities": ["critical"]},
                    "cooldownSeconds": 60,
                }
            ]
        }
    )

    kind: Kind
    name: _Name
    url: _Url | None = Field(default=None, description="https:// or http://, without password")
    recipients: _Recipients | None = None
    filters: FilterChange = FilterChange()
    cooldown_seconds: _Cooldown = Field(
        default=0.0,
        description="After an alert of a rule of a device, none of the same for so long",
    )
    is_enabled: bool = True


class ChannelUpdate(Wire):
    """What to change of a channel; what is left out stays. ``rotateSecret`` makes a new secret, and
    the old one is worth nothing from then on.
    """  # noqa: D205 - one sentence

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"isEnabled": False, "cooldownSeconds": 300}]}
    )

    name: _Name | None = None
    url: _Url | None = None
    recipients: _Recipients | None = None
    filters: FilterChange | None = None
    cooldown_seconds: _Cooldown | None = None
    is_enabled: bool | None = None
    rotate_secret: bool = False


class RemovedChannel(Wire):
    """What was removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": _EXAMPLE["id"]}]})

    id: str


class TestResult(Wire):
    """What came of a test: ``answer`` is what the receiver said, or why it was not reached."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"delivered": True, "answer": "HTTP 204", "durationMs": 12}]
        }
    )

    delivered: bool
    answer: str
    duration_ms: int


def routes(workspace: Workspace) -> APIRouter:
    """The routes over an open workspace."""
    router = APIRouter(prefix="/api/v1/channels", tags=["notifications"])

    def wire(channel: ChannelRow, caller: Caller, *, secret: str = "") -> Channel:
        return _wire(channel, caller, channels.channel_problem(workspace, channel), secret)

    @router.get("", responses=responses(list[Channel]))
    async def list_channels(
        request: Request, caller: Reader, query: Annotated[PageQuery, Query()]
    ) -> Response:
        """Channels in order of creation."""
        found = await channels.channel_list(workspace, caller)
        after, offset = id_cursor(query.cursor), query.offset
        if after is not None:
            later, offset = [row for row in found if row.channel_id > after], 0
        else:
            later = found
        page = later[offset : offset + query.limit]
        has_more = len(later) > offset + query.limit
        return answer(
            request,
            [wire(row, caller) for row in page],
            pagination=page_of(len(found), query, page[-1].channel_id if has_more else None),
        )

    @router.post("", status_code=201, responses=responses(Channel, 409, 413, 415, status=201))
    async def create_channel(request: Request, caller: Admin, body: ChannelCreation) -> Response:
        """Make a channel. The answer has a webhook's secret: keep it, it is not shown again."""
        made = await channels.create_channel(
            workspace, caller, body.kind, _draft(body), now_ns=now_ns()
        )
        return answer(request, wire(made, caller, secret=made.secret), status=201)

    @router.get("/{id}", responses=responses(Channel, 404))
    async def get_channel(request: Request, caller: Reader, channel_id: ChannelId) -> Response:
        """One channel."""
        found = await channels.find_channel(workspace, caller, str(channel_id))
        return answer(request, wire(found, caller))

    @router.patch("/{id}", responses=responses(Channel, 404, 413, 415))
    async def change_channel(
        request: Request, caller: Admin, channel_id: ChannelId, body: ChannelUpdate
    ) -> Response:
        """Change some of a channel. The answer has its secret if that is new."""
        changed = await channels.change_channel(
            workspace,
            caller,
            str(channel_id),
            _draft(body),
            rotate_secret=body.rotate_secret,
            now_ns=now_ns(),
        )
        secret = changed.secret if body.rotate_secret else ""
        return answer(request, wire(changed, caller, secret=secret))

    @router.delete("/{id}", responses=responses(RemovedChannel, 404))
    async def remove_channel(request: Request, caller: Admin, channel_id: ChannelId) -> Response:
        """Delete a channel and the record of its deliveries."""
        await channels.remove_channel(workspace, caller, str(channel_id), now_ns=now_ns())
        return answer(request, RemovedChannel(id=str(channel_id)))

    @router.post("/{id}/test", responses=responses(TestResult, 404))
    async def test_channel(request: Request, caller: Admin, channel_id: ChannelId) -> Response:
        """Send a test notification now and tell what came of it."""
        tried = await channels.try_channel(workspace, caller, str(channel_id), now_ns=now_ns())
        data = TestResult(
            delivered=tried.delivered, answer=tried.answer, duration_ms=tried.duration_ms
        )
        return answer(request, data)

    return router


def _draft(body: ChannelCreation | ChannelUpdate) -> channels.ChannelDraft:
    filters = body.filters or FilterChange()
    return channels.ChannelDraft(
        name=body.name,
        url=body.url,
        recipients=_tuple(body.recipients),
        device_ids=None
        if filters.device_ids is None
        else tuple(str(device_id) for device_id in filters.device_ids),
        severities=_tuple(filters.severities),
        alert_rules=_tuple(filters.alert_rules),
        tell=None if filters.tell is None else tuple(dict.fromkeys(filters.tell)),
        include_past=filters.include_past,
        cooldown_s=body.cooldown_seconds,
        is_enabled=body.is_enabled,
    )


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def _wire(channel: ChannelRow, caller: Caller, lack: Lack | None, secret: str) -> Channel:
    filters = channel.filters
    return Channel(
        id=channel.channel_id,
        kind=channel.kind,
        name=channel.name,
        url=channels.shown_url(channel, caller),
        recipients=channels.shown_recipients(channel, caller),
        filters=ChannelFilters(
            device_ids=list(filters.device_ids),
            severities=[s for s in ("warning", "critical") if s in filters.severities],
            alert_rules=list(filters.alert_rules),
            tell=list(filters.tell),
            include_past=filters.include_past,
        ),
        cooldown_seconds=channel.cooldown_s,
        is_enabled=channel.is_enabled,
        secret=secret or None,
        problem=None
        if lack is None
        else ChannelProblem(
            key=lack.key, setting=lack.setting, found=lack.found, remedy=lack.remedy
        ),
        created_at=utc_text(channel.created_ns),
        updated_at=utc_text(channel.updated_ns),
    )
