"""One method for each route of version 1.

Written by ``make openapi`` from the OpenAPI document: do not edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import TypeAdapter

from video_detective.client.base import UNSET, Connection, Page, Unset, each
from video_detective.client.models import (
    Account,
    Alert,
    AlertStatistics,
    Channel,
    Counts2,
    CrossingStatistics,
    Delivery,
    DeliveryDetail,
    Device,
    Done,
    DryRunResult,
    DwellStatistics,
    Entered,
    Entry,
    Event,
    EventStatistics,
    FilterChange,
    FullRecord,
    HeatMapStatistics,
    Insight,
    InsightDetail,
    Invitation,
    Job,
    Key,
    Licences,
    LiveStatus,
    ModelsState,
    NearRecord,
    NewAccount,
    NewKey,
    Node,
    PeopleStatistics,
    Queue,
    Record,
    Removed,
    RemovedChannel,
    RemovedScene,
    Replayed,
    RetentionPreview,
    RetentionSettings,
    ReviewedAlert,
    Scene,
    SceneSchema,
    SearchAnswer,
    Snapshot,
    Statistics,
    TestResult,
    Track,
    User,
    Verification,
    Version,
    VlmSummary,
    Who,
)


class Operations(Connection):
    """Every route as a method; see ``docs/api.md`` for what each means."""

    def attribute_stats(
        self,
        *,
        start_date: str,
        end_date: str,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        group_by: Literal["hour", "day"] | Unset = UNSET,
    ) -> Statistics:
        """Sums by local hours or days of the account's clock (LEVEL_02)."""
        return self.call(
            "GET",
            "/api/v1/analysis/insights/attributes/stats",
            TypeAdapter(Statistics),
            query={
                "startDate": start_date,
                "endDate": end_date,
                "deviceId": device_id,
                "sceneId": scene_id,
                "groupBy": group_by,
            },
        )

    def attributes_of_insight(self, id_: str) -> list[NearRecord]:
        """The records from 30 s before to 30 s after an insight, at most 50 (LEVEL_02)."""
        return self.call(
            "GET", f"/api/v1/analysis/insights/{id_}/attributes", TypeAdapter(list[NearRecord])
        )

    def list_attributes(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Page[Record]:
        """Records of the devices that have attributes (LEVEL_02), newest first."""
        return self.page(
            "/api/v1/analysis/attributes",
            TypeAdapter(list[Record]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "deviceId": device_id,
                "sceneId": scene_id,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def each_attributes(
        self,
        *,
        limit: int | Unset = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Iterator[Record]:
        """As ``list_attributes``: every item, page after page."""
        return each(
            lambda cursor: self.list_attributes(
                limit=limit,
                device_id=device_id,
                scene_id=scene_id,
                start_date=start_date,
                end_date=end_date,
                cursor=cursor,
            )
        )

    def get_attributes(self, id_: str) -> FullRecord:
        """One record (LEVEL_02)."""
        return self.call("GET", f"/api/v1/analysis/attributes/{id_}", TypeAdapter(FullRecord))

    def list_insights(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
        severity: Literal["warning", "critical"] | Unset | None = UNSET,
        vlm_status: Literal["pending", "completed", "failed"] | Unset | None = UNSET,
        has_vlm_summary: bool | Unset | None = UNSET,
        has_attributes: bool | Unset | None = UNSET,
    ) -> Page[Insight]:
        """Insights, the newest trigger first."""
        return self.page(
            "/api/v1/analysis/insights",
            TypeAdapter(list[Insight]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "q": q,
                "deviceId": device_id,
                "sceneId": scene_id,
                "startDate": start_date,
                "endDate": end_date,
                "severity": severity,
                "vlmStatus": vlm_status,
                "hasVlmSummary": has_vlm_summary,
                "hasAttributes": has_attributes,
            },
        )

    def each_insights(
        self,
        *,
        limit: int | Unset = UNSET,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
        severity: Literal["warning", "critical"] | Unset | None = UNSET,
        vlm_status: Literal["pending", "completed", "failed"] | Unset | None = UNSET,
        has_vlm_summary: bool | Unset | None = UNSET,
        has_attributes: bool | Unset | None = UNSET,
    ) -> Iterator[Insight]:
        """As ``list_insights``: every item, page after page."""
        return each(
            lambda cursor: self.list_insights(
                limit=limit,
                q=q,
                device_id=device_id,
                scene_id=scene_id,
                start_date=start_date,
                end_date=end_date,
                severity=severity,
                vlm_status=vlm_status,
                has_vlm_summary=has_vlm_summary,
                has_attributes=has_attributes,
                cursor=cursor,
            )
        )

    def list_vlm_summaries(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Page[VlmSummary]:
        """Summaries of insights that have one, the newest trigger first."""
        return self.page(
            "/api/v1/analysis/insights/vlm-summaries",
            TypeAdapter(list[VlmSummary]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "q": q,
                "deviceId": device_id,
                "sceneId": scene_id,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def each_vlm_summaries(
        self,
        *,
        limit: int | Unset = UNSET,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Iterator[VlmSummary]:
        """As ``list_vlm_summaries``: every item, page after page."""
        return each(
            lambda cursor: self.list_vlm_summaries(
                limit=limit,
                q=q,
                device_id=device_id,
                scene_id=scene_id,
                start_date=start_date,
                end_date=end_date,
                cursor=cursor,
            )
        )

    def search_insights(self, *, query: str, limit: int | Unset = UNSET) -> SearchAnswer:
        """The insights that answer a question, best first."""
        return self.call(
            "POST",
            "/api/v1/analysis/insights/search",
            TypeAdapter(SearchAnswer),
            body={"query": query, "limit": limit},
        )

    def get_insight(self, id_: str) -> InsightDetail:
        """One insight with all there is to it."""
        return self.call("GET", f"/api/v1/analysis/insights/{id_}", TypeAdapter(InsightDetail))

    def list_snapshots(self, id_: str) -> list[Snapshot]:
        """The pictures of an insight, in order of time."""
        return self.call(
            "GET", f"/api/v1/analysis/insights/{id_}/snapshots", TypeAdapter(list[Snapshot])
        )

    def get_session(
        self,
    ) -> Who:
        """Who one is, and what one may do."""
        return self.call("GET", "/api/v1/session", TypeAdapter(Who))

    def start_session(
        self, *, name: str, password: str, account: str | Unset | None = UNSET
    ) -> Entered:
        """Sign in by name and password."""
        return self.call(
            "POST",
            "/api/v1/session",
            TypeAdapter(Entered),
            body={"name": name, "password": password, "account": account},
        )

    def end_session(
        self,
    ) -> Done:
        """Sign out."""
        return self.call("DELETE", "/api/v1/session", TypeAdapter(Done))

    def set_up(self, *, token: str, name: str, password: str) -> Entered:
        """Make a user by a one-time link, and sign them in."""
        return self.call(
            "POST",
            "/api/v1/session/set-up",
            TypeAdapter(Entered),
            body={"token": token, "name": name, "password": password},
        )

    def change_password(self, *, present: str, password: str) -> Done:
        """Give oneself another password."""
        return self.call(
            "POST",
            "/api/v1/session/password",
            TypeAdapter(Done),
            body={"present": present, "password": password},
        )

    def list_accounts(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
    ) -> Page[Account]:
        """One's own account; to admins of the default account all of them."""
        return self.page(
            "/api/v1/accounts",
            TypeAdapter(list[Account]),
            {"page": page, "limit": limit, "cursor": cursor},
        )

    def each_accounts(self, *, limit: int | Unset = UNSET) -> Iterator[Account]:
        """As ``list_accounts``: every item, page after page."""
        return each(lambda cursor: self.list_accounts(limit=limit, cursor=cursor))

    def create_account(
        self,
        *,
        name: str,
        timezone: str | Unset = UNSET,
        language: Literal["zh-TW", "en"] | Unset = UNSET,
    ) -> NewAccount:
        """Make an account, and the one-time link for its first admin."""
        return self.call(
            "POST",
            "/api/v1/accounts",
            TypeAdapter(NewAccount),
            body={"name": name, "timezone": timezone, "language": language},
        )

    def get_account(self, id_: str) -> Account:
        """One account."""
        return self.call("GET", f"/api/v1/accounts/{id_}", TypeAdapter(Account))

    def update_account(
        self,
        id_: str,
        *,
        timezone: str | Unset | None = UNSET,
        language: Literal["zh-TW", "en"] | Unset | None = UNSET,
    ) -> Account:
        """Change time zone or language."""
        return self.call(
            "PATCH",
            f"/api/v1/accounts/{id_}",
            TypeAdapter(Account),
            body={"timezone": timezone, "language": language},
        )

    def list_users(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
    ) -> Page[User]:
        """Users of one's account in order of creation, disabled ones too."""
        return self.page(
            "/api/v1/users",
            TypeAdapter(list[User]),
            {"page": page, "limit": limit, "cursor": cursor},
        )

    def each_users(self, *, limit: int | Unset = UNSET) -> Iterator[User]:
        """As ``list_users``: every item, page after page."""
        return each(lambda cursor: self.list_users(limit=limit, cursor=cursor))

    def create_user(
        self,
        *,
        name: str,
        password: str,
        role: Literal["admin", "operator", "viewer"],
        device_ids: list[str] | Unset | None = UNSET,
    ) -> User:
        """Make a user."""
        return self.call(
            "POST",
            "/api/v1/users",
            TypeAdapter(User),
            body={"name": name, "password": password, "role": role, "deviceIds": device_ids},
        )

    def create_invitation(self, *, role: Literal["admin", "operator", "viewer"]) -> Invitation:
        """Make a one-time link with which somebody makes a user; good for 24 hours."""
        return self.call(
            "POST", "/api/v1/users/invitations", TypeAdapter(Invitation), body={"role": role}
        )

    def get_user(self, id_: str) -> User:
        """One user."""
        return self.call("GET", f"/api/v1/users/{id_}", TypeAdapter(User))

    def update_user(
        self,
        id_: str,
        *,
        role: Literal["admin", "operator", "viewer"] | Unset | None = UNSET,
        password: str | Unset | None = UNSET,
        device_ids: list[str] | Unset | None = UNSET,
        is_disabled: bool | Unset | None = UNSET,
    ) -> User:
        """Change a user. A new password, or being disabled, ends their sessions."""
        return self.call(
            "PATCH",
            f"/api/v1/users/{id_}",
            TypeAdapter(User),
            body={
                "role": role,
                "password": password,
                "deviceIds": device_ids,
                "isDisabled": is_disabled,
            },
        )

    def remove_user(self, id_: str) -> User:
        """Disable a user and end their sessions; their name stays theirs in the log."""
        return self.call("DELETE", f"/api/v1/users/{id_}", TypeAdapter(User))

    def list_keys(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
    ) -> Page[Key]:
        """Keys of one's account, the newest first, revoked ones too."""
        return self.page(
            "/api/v1/keys", TypeAdapter(list[Key]), {"page": page, "limit": limit, "cursor": cursor}
        )

    def each_keys(self, *, limit: int | Unset = UNSET) -> Iterator[Key]:
        """As ``list_keys``: every item, page after page."""
        return each(lambda cursor: self.list_keys(limit=limit, cursor=cursor))

    def make_key(
        self,
        *,
        name: str,
        scopes: list[
            Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
        ],
        device_ids: list[str] | Unset | None = UNSET,
        expires_at: str | Unset | None = UNSET,
    ) -> NewKey:
        """Make a key; the answer is the only one that has it."""
        return self.call(
            "POST",
            "/api/v1/keys",
            TypeAdapter(NewKey),
            body={"name": name, "scopes": scopes, "deviceIds": device_ids, "expiresAt": expires_at},
        )

    def get_key(self, id_: str) -> Key:
        """One key."""
        return self.call("GET", f"/api/v1/keys/{id_}", TypeAdapter(Key))

    def update_key(
        self,
        id_: str,
        *,
        name: str | Unset | None = UNSET,
        scopes: list[
            Literal["analytics:read", "analytics:write", "devices:read", "devices:write", "admin"]
        ]
        | Unset
        | None = UNSET,
        device_ids: list[str] | Unset | None = UNSET,
        expires_at: str | Unset | None = UNSET,
    ) -> Key:
        """Change what a key may do, until when, or its name."""
        return self.call(
            "PATCH",
            f"/api/v1/keys/{id_}",
            TypeAdapter(Key),
            body={"name": name, "scopes": scopes, "deviceIds": device_ids, "expiresAt": expires_at},
        )

    def remove_key(self, id_: str) -> Key:
        """Revoke a key: within a second nobody can use it any more. Again is harmless."""
        return self.call("DELETE", f"/api/v1/keys/{id_}", TypeAdapter(Key))

    def list_entries(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        action: str | Unset | None = UNSET,
        target_id: str | Unset | None = UNSET,
        actor_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Page[Entry]:
        """The log of one's account, newest first."""
        return self.page(
            "/api/v1/audit",
            TypeAdapter(list[Entry]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "action": action,
                "targetId": target_id,
                "actorId": actor_id,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def each_entries(
        self,
        *,
        limit: int | Unset = UNSET,
        action: str | Unset | None = UNSET,
        target_id: str | Unset | None = UNSET,
        actor_id: str | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Iterator[Entry]:
        """As ``list_entries``: every item, page after page."""
        return each(
            lambda cursor: self.list_entries(
                limit=limit,
                action=action,
                target_id=target_id,
                actor_id=actor_id,
                start_date=start_date,
                end_date=end_date,
                cursor=cursor,
            )
        )

    def verify(
        self,
    ) -> Verification:
        """Walk the whole log and check every hash."""
        return self.call("GET", "/api/v1/audit/verify", TypeAdapter(Verification))

    def list_channels(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
    ) -> Page[Channel]:
        """Channels in order of creation."""
        return self.page(
            "/api/v1/channels",
            TypeAdapter(list[Channel]),
            {"page": page, "limit": limit, "cursor": cursor},
        )

    def each_channels(self, *, limit: int | Unset = UNSET) -> Iterator[Channel]:
        """As ``list_channels``: every item, page after page."""
        return each(lambda cursor: self.list_channels(limit=limit, cursor=cursor))

    def create_channel(
        self,
        *,
        kind: Literal["webhook", "email", "mqtt"],
        name: str,
        url: str | Unset | None = UNSET,
        recipients: list[str] | Unset | None = UNSET,
        filters: FilterChange | Unset = UNSET,
        cooldown_seconds: float | Unset = UNSET,
        is_enabled: bool | Unset = UNSET,
    ) -> Channel:
        """Make a channel. The answer has a webhook's secret: keep it, it is not shown again."""
        return self.call(
            "POST",
            "/api/v1/channels",
            TypeAdapter(Channel),
            body={
                "kind": kind,
                "name": name,
                "url": url,
                "recipients": recipients,
                "filters": filters,
                "cooldownSeconds": cooldown_seconds,
                "isEnabled": is_enabled,
            },
        )

    def get_channel(self, id_: str) -> Channel:
        """One channel."""
        return self.call("GET", f"/api/v1/channels/{id_}", TypeAdapter(Channel))

    def change_channel(
        self,
        id_: str,
        *,
        name: str | Unset | None = UNSET,
        url: str | Unset | None = UNSET,
        recipients: list[str] | Unset | None = UNSET,
        filters: FilterChange | Unset | None = UNSET,
        cooldown_seconds: float | Unset | None = UNSET,
        is_enabled: bool | Unset | None = UNSET,
        rotate_secret: bool | Unset = UNSET,
    ) -> Channel:
        """Change some of a channel. The answer has its secret if that is new."""
        return self.call(
            "PATCH",
            f"/api/v1/channels/{id_}",
            TypeAdapter(Channel),
            body={
                "name": name,
                "url": url,
                "recipients": recipients,
                "filters": filters,
                "cooldownSeconds": cooldown_seconds,
                "isEnabled": is_enabled,
                "rotateSecret": rotate_secret,
            },
        )

    def remove_channel(self, id_: str) -> RemovedChannel:
        """Delete a channel and the record of its deliveries."""
        return self.call("DELETE", f"/api/v1/channels/{id_}", TypeAdapter(RemovedChannel))

    def test_channel(self, id_: str) -> TestResult:
        """Send a test notification now and tell what came of it."""
        return self.call("POST", f"/api/v1/channels/{id_}/test", TypeAdapter(TestResult))

    def list_deliveries(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        channel_id: str | Unset | None = UNSET,
        alert_id: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        kind: Literal["new", "update", "end"] | Unset | None = UNSET,
        status: Literal["waiting", "done", "failed", "skipped"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Page[Delivery]:
        """Deliveries, newest first."""
        return self.page(
            "/api/v1/deliveries",
            TypeAdapter(list[Delivery]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "channelId": channel_id,
                "alertId": alert_id,
                "deviceId": device_id,
                "kind": kind,
                "status": status,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def each_deliveries(
        self,
        *,
        limit: int | Unset = UNSET,
        channel_id: str | Unset | None = UNSET,
        alert_id: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        kind: Literal["new", "update", "end"] | Unset | None = UNSET,
        status: Literal["waiting", "done", "failed", "skipped"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Iterator[Delivery]:
        """As ``list_deliveries``: every item, page after page."""
        return each(
            lambda cursor: self.list_deliveries(
                limit=limit,
                channel_id=channel_id,
                alert_id=alert_id,
                device_id=device_id,
                kind=kind,
                status=status,
                start_date=start_date,
                end_date=end_date,
                cursor=cursor,
            )
        )

    def replay_deliveries(
        self,
        *,
        start_date: str,
        end_date: str,
        channel_id: str | Unset | None = UNSET,
        kind: Literal["new", "update", "end"] | Unset | None = UNSET,
        status: Literal["done", "failed", "skipped"] | Unset | None = UNSET,
    ) -> Replayed:
        """Have every ended delivery of a range told again."""
        return self.call(
            "POST",
            "/api/v1/deliveries/replay",
            TypeAdapter(Replayed),
            body={
                "startDate": start_date,
                "endDate": end_date,
                "channelId": channel_id,
                "kind": kind,
                "status": status,
            },
        )

    def get_delivery(self, id_: str) -> DeliveryDetail:
        """One delivery with what it told."""
        return self.call("GET", f"/api/v1/deliveries/{id_}", TypeAdapter(DeliveryDetail))

    def replay_delivery(self, id_: str) -> Delivery:
        """Have a delivery that has ended told again, under the same id."""
        return self.call("POST", f"/api/v1/deliveries/{id_}/replay", TypeAdapter(Delivery))

    def list_devices(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
    ) -> Page[Device]:
        """Devices in order of creation."""
        return self.page(
            "/api/v1/devices",
            TypeAdapter(list[Device]),
            {"page": page, "limit": limit, "cursor": cursor},
        )

    def each_devices(self, *, limit: int | Unset = UNSET) -> Iterator[Device]:
        """As ``list_devices``: every item, page after page."""
        return each(lambda cursor: self.list_devices(limit=limit, cursor=cursor))

    def create_device(
        self,
        *,
        name: str,
        source: str | Unset | None = UNSET,
        timezone: str | Unset | None = UNSET,
        plan: Literal["LEVEL_01", "LEVEL_02"] | Unset = UNSET,
        tags: list[str] | Unset = UNSET,
        aliases: list[str] | Unset = UNSET,
    ) -> Device:
        """Make a device; it has no scene yet."""
        return self.call(
            "POST",
            "/api/v1/devices",
            TypeAdapter(Device),
            body={
                "name": name,
                "source": source,
                "timezone": timezone,
                "plan": plan,
                "tags": tags,
                "aliases": aliases,
            },
        )

    def try_source(self, *, source: str, device_id: str | Unset | None = UNSET) -> bytes:
        """What an address shows, before a device is given it. Nothing is kept."""
        return self.send(
            "POST", "/api/v1/devices/try-source", body={"source": source, "deviceId": device_id}
        ).content

    def get_device(self, id_: str) -> Device:
        """One device."""
        return self.call("GET", f"/api/v1/devices/{id_}", TypeAdapter(Device))

    def change_device(
        self,
        id_: str,
        *,
        name: str | Unset | None = UNSET,
        source: str | Unset | None = UNSET,
        timezone: str | Unset | None = UNSET,
        plan: Literal["LEVEL_01", "LEVEL_02"] | Unset | None = UNSET,
        tags: list[str] | Unset | None = UNSET,
        aliases: list[str] | Unset | None = UNSET,
    ) -> Device:
        """Change some of a device."""
        return self.call(
            "PATCH",
            f"/api/v1/devices/{id_}",
            TypeAdapter(Device),
            body={
                "name": name,
                "source": source,
                "timezone": timezone,
                "plan": plan,
                "tags": tags,
                "aliases": aliases,
            },
        )

    def remove_device(self, id_: str) -> Removed:
        """Hide a device and all it has: events, alerts, insights. Its live analysis ends."""
        return self.call("DELETE", f"/api/v1/devices/{id_}", TypeAdapter(Removed))

    def get_snapshot(self, id_: str) -> bytes:
        """What a device shows now; where its camera is out of reach, its newest stored picture."""
        return self.send("GET", f"/api/v1/devices/{id_}/snapshot").content

    def list_scenes(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
    ) -> Page[Scene]:
        """Scenes in order of creation."""
        return self.page(
            "/api/v1/scenes",
            TypeAdapter(list[Scene]),
            {"page": page, "limit": limit, "cursor": cursor, "deviceId": device_id},
        )

    def each_scenes(
        self, *, limit: int | Unset = UNSET, device_id: str | Unset | None = UNSET
    ) -> Iterator[Scene]:
        """As ``list_scenes``: every item, page after page."""
        return each(
            lambda cursor: self.list_scenes(limit=limit, device_id=device_id, cursor=cursor)
        )

    def create_scene(
        self,
        *,
        device_id: str,
        name: str | Unset | None = UNSET,
        document: dict[str, Any] | Unset = UNSET,
        note: str | Unset = UNSET,
    ) -> Scene:
        """Give a device its scene."""
        return self.call(
            "POST",
            "/api/v1/scenes",
            TypeAdapter(Scene),
            body={"deviceId": device_id, "name": name, "document": document, "note": note},
        )

    def get_schema(
        self,
    ) -> SceneSchema:
        """The schema of a scene's document, from which a program makes forms."""
        return self.call("GET", "/api/v1/scenes/schema", TypeAdapter(SceneSchema))

    def get_scene(self, id_: str) -> Scene:
        """One scene at the version in force."""
        return self.call("GET", f"/api/v1/scenes/{id_}", TypeAdapter(Scene))

    def change_scene(
        self,
        id_: str,
        *,
        name: str | Unset | None = UNSET,
        document: dict[str, Any] | Unset | None = UNSET,
        base_version: int | Unset | None = UNSET,
        note: str | Unset = UNSET,
    ) -> Scene:
        """Rename a scene or give it a new version. A live analysis takes it up by itself."""
        return self.call(
            "PATCH",
            f"/api/v1/scenes/{id_}",
            TypeAdapter(Scene),
            body={"name": name, "document": document, "baseVersion": base_version, "note": note},
        )

    def remove_scene(self, id_: str) -> RemovedScene:
        """Take a device's scene away: nothing is watched for any more. What it gave stays."""
        return self.call("DELETE", f"/api/v1/scenes/{id_}", TypeAdapter(RemovedScene))

    def list_versions(
        self,
        id_: str,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
    ) -> Page[Version]:
        """Versions, newest first, without their documents."""
        return self.page(
            f"/api/v1/scenes/{id_}/versions",
            TypeAdapter(list[Version]),
            {"page": page, "limit": limit, "cursor": cursor},
        )

    def each_versions(self, id_: str, *, limit: int | Unset = UNSET) -> Iterator[Version]:
        """As ``list_versions``: every item, page after page."""
        return each(lambda cursor: self.list_versions(id_, limit=limit, cursor=cursor))

    def get_version(self, id_: str, number: int) -> Version:
        """One version with its document."""
        return self.call("GET", f"/api/v1/scenes/{id_}/versions/{number}", TypeAdapter(Version))

    def restore_version(self, id_: str, number: int) -> Scene:
        """Put an earlier version in force again, as a new one."""
        return self.call(
            "POST", f"/api/v1/scenes/{id_}/versions/{number}/restore", TypeAdapter(Scene)
        )

    def dry_run(
        self,
        id_: str,
        *,
        document: dict[str, Any] | Unset | None = UNSET,
        from_: str | Unset | None = UNSET,
        to: str | Unset | None = UNSET,
        hours: float | Unset = UNSET,
    ) -> DryRunResult:
        """Play stored tracks of a period under a draft; nothing is changed. It may take a
        while: hang up to end it.
        """
        return self.call(
            "POST",
            f"/api/v1/scenes/{id_}/dry-run",
            TypeAdapter(DryRunResult),
            body={"document": document, "from": from_, "to": to, "hours": hours},
        )

    def start_analysis(self, *, device_id: str) -> LiveStatus:
        """Have a device analysed live from now on, by whichever node has room; again is
        harmless.
        """
        return self.call(
            "POST", "/api/v1/analysis/start", TypeAdapter(LiveStatus), body={"deviceId": device_id}
        )

    def stop_analysis(self, *, device_id: str) -> LiveStatus:
        """End a device's live analysis; its open events end in order. Again is harmless."""
        return self.call(
            "POST", "/api/v1/analysis/stop", TypeAdapter(LiveStatus), body={"deviceId": device_id}
        )

    def analysis_status(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
    ) -> Page[LiveStatus]:
        """How the live analysis of each device goes, in order of device id."""
        return self.page(
            "/api/v1/analysis/status",
            TypeAdapter(list[LiveStatus]),
            {"page": page, "limit": limit, "cursor": cursor, "deviceId": device_id},
        )

    def each_analysis_status(
        self, *, limit: int | Unset = UNSET, device_id: str | Unset | None = UNSET
    ) -> Iterator[LiveStatus]:
        """As ``analysis_status``: every item, page after page."""
        return each(
            lambda cursor: self.analysis_status(limit=limit, device_id=device_id, cursor=cursor)
        )

    def announce_file(
        self,
        *,
        device_id: str,
        file_name: str,
        size_bytes: int,
        sha256: str | Unset | None = UNSET,
        start_time: str | Unset | None = UNSET,
    ) -> Job:
        """Announce a video of a device; ``Location`` is where its bytes go."""
        return self.call(
            "POST",
            "/api/v1/analysis/files",
            TypeAdapter(Job),
            body={
                "deviceId": device_id,
                "fileName": file_name,
                "sizeBytes": size_bytes,
                "sha256": sha256,
                "startTime": start_time,
            },
        )

    def file_state(self, id_: str) -> Job:
        """Where a file stands: ``Upload-Offset`` and ``Upload-Length``; also by ``HEAD``."""
        return self.call("GET", f"/api/v1/analysis/files/{id_}", TypeAdapter(Job))

    def send_file(self, id_: str, content: bytes, *, upload_offset: int) -> Job:
        """Send a piece of a file, from where it stands on."""
        return self.call(
            "PATCH",
            f"/api/v1/analysis/files/{id_}",
            TypeAdapter(Job),
            content=content,
            headers={
                "Content-Type": "application/offset+octet-stream",
                "upload-offset": str(upload_offset),
            },
        )

    def list_jobs(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        status: Literal["uploading", "queued", "running", "done", "failed", "cancelled"]
        | Unset
        | None = UNSET,
    ) -> Page[Job]:
        """Uploaded videos and their analyses, the newest first."""
        return self.page(
            "/api/v1/analysis/jobs",
            TypeAdapter(list[Job]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "deviceId": device_id,
                "status": status,
            },
        )

    def each_jobs(
        self,
        *,
        limit: int | Unset = UNSET,
        device_id: str | Unset | None = UNSET,
        status: Literal["uploading", "queued", "running", "done", "failed", "cancelled"]
        | Unset
        | None = UNSET,
    ) -> Iterator[Job]:
        """As ``list_jobs``: every item, page after page."""
        return each(
            lambda cursor: self.list_jobs(
                limit=limit, device_id=device_id, status=status, cursor=cursor
            )
        )

    def get_job(self, id_: str) -> Job:
        """One job, with progress, report or error."""
        return self.call("GET", f"/api/v1/analysis/jobs/{id_}", TypeAdapter(Job))

    def cancel_job(self, id_: str) -> Job:
        """End a job, at once or within seconds; what was found until then stays."""
        return self.call("POST", f"/api/v1/analysis/jobs/{id_}/cancel", TypeAdapter(Job))

    def list_nodes(
        self,
    ) -> list[Node]:
        """Machines on which the service runs or ran, in order of name; they are no account's."""
        return self.call("GET", "/api/v1/nodes", TypeAdapter(list[Node]))

    def get_retention(
        self,
    ) -> RetentionSettings:
        """How long one's account keeps what it has, how much that is, and what was deleted
        last.
        """
        return self.call("GET", "/api/v1/retention", TypeAdapter(RetentionSettings))

    def update_retention(
        self, *, media_days: int | Unset | None = UNSET, record_days: int | Unset | None = UNSET
    ) -> RetentionSettings:
        """Change for how many days things are kept. The deletion begins within a minute."""
        return self.call(
            "PATCH",
            "/api/v1/retention",
            TypeAdapter(RetentionSettings),
            body={"mediaDays": media_days, "recordDays": record_days},
        )

    def preview_retention(
        self, *, media_days: int | Unset | None = UNSET, record_days: int | Unset | None = UNSET
    ) -> RetentionPreview:
        """What would be deleted now if so many days were kept; nothing is."""
        return self.call(
            "GET",
            "/api/v1/retention/preview",
            TypeAdapter(RetentionPreview),
            query={"mediaDays": media_days, "recordDays": record_days},
        )

    def get_models(
        self,
    ) -> ModelsState:
        """Model servers and what they are used for; servers are asked at most twice a minute."""
        return self.call("GET", "/api/v1/models", TypeAdapter(ModelsState))

    def probe_models(
        self,
    ) -> ModelsState:
        """Ask each model in use some five small questions, to find out what it really can do."""
        return self.call("POST", "/api/v1/models/probe", TypeAdapter(ModelsState))

    def get_licences(
        self,
    ) -> Licences:
        """Licences of weights, of models in use, and of every installed package."""
        return self.call("GET", "/api/v1/licences", TypeAdapter(Licences))

    def get_queue(
        self,
    ) -> Queue:
        """What waits for models and receivers, the hour's budget, and what fell short and why."""
        return self.call("GET", "/api/v1/queue", TypeAdapter(Queue))

    def list_events(
        self,
        *,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        type: Literal[
            "line_crossing",
            "intrusion",
            "loitering",
            "pacing",
            "abandoned_object",
            "crowding",
            "metric",
            "wrong_way",
            "speed",
            "post_left",
            "camera_tampered",
        ]
        | Unset
        | None = UNSET,
        risk_level: Literal["low", "medium", "high", "critical"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Page[Event]:
        """Events, the newest first."""
        return self.page(
            "/api/v1/events",
            TypeAdapter(list[Event]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "deviceId": device_id,
                "type": type,
                "riskLevel": risk_level,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def each_events(
        self,
        *,
        limit: int | Unset = UNSET,
        device_id: str | Unset | None = UNSET,
        type: Literal[
            "line_crossing",
            "intrusion",
            "loitering",
            "pacing",
            "abandoned_object",
            "crowding",
            "metric",
            "wrong_way",
            "speed",
            "post_left",
            "camera_tampered",
        ]
        | Unset
        | None = UNSET,
        risk_level: Literal["low", "medium", "high", "critical"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Iterator[Event]:
        """As ``list_events``: every item, page after page."""
        return each(
            lambda cursor: self.list_events(
                limit=limit,
                device_id=device_id,
                type=type,
                risk_level=risk_level,
                start_date=start_date,
                end_date=end_date,
                cursor=cursor,
            )
        )

    def get_event(self, id_: str) -> Event:
        """One event; also one whose footage was analysed again since."""
        return self.call("GET", f"/api/v1/events/{id_}", TypeAdapter(Event))

    def update_event(self, id_: str, *, is_kept: bool | Unset | None = UNSET) -> Event:
        """Keep an event with its pictures however old it becomes, or no longer."""
        return self.call(
            "PATCH", f"/api/v1/events/{id_}", TypeAdapter(Event), body={"isKept": is_kept}
        )

    def export_event(self, id_: str, *, lang: Literal["zh-TW", "en"] | Unset = UNSET) -> bytes:
        """An event's evidence as one file: record, page to read, pictures, clip, hashes."""
        return self.send("GET", f"/api/v1/events/{id_}/export", query={"lang": lang}).content

    def list_tracks(
        self,
        *,
        device_id: str,
        start_date: str,
        end_date: str,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        points: bool | Unset = UNSET,
    ) -> Page[Track]:
        """Tracks of a device in order of their first time."""
        return self.page(
            "/api/v1/tracks",
            TypeAdapter(list[Track]),
            {
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "deviceId": device_id,
                "startDate": start_date,
                "endDate": end_date,
                "points": points,
            },
        )

    def each_tracks(
        self,
        *,
        device_id: str,
        start_date: str,
        end_date: str,
        limit: int | Unset = UNSET,
        points: bool | Unset = UNSET,
    ) -> Iterator[Track]:
        """As ``list_tracks``: every item, page after page."""
        return each(
            lambda cursor: self.list_tracks(
                limit=limit,
                device_id=device_id,
                start_date=start_date,
                end_date=end_date,
                points=points,
                cursor=cursor,
            )
        )

    def list_alerts(
        self,
        *,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        severity: Literal["warning", "critical"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
        page: int | Unset = UNSET,
        limit: int | Unset = UNSET,
        cursor: str | Unset | None = UNSET,
        review_state: list[Literal["new", "seen", "confirmed", "dismissed"]] | Unset = UNSET,
    ) -> Page[Alert]:
        """Alerts, the newest first. Those of footage that was analysed again are not listed."""
        return self.page(
            "/api/v1/alerts",
            TypeAdapter(list[Alert]),
            {
                "q": q,
                "deviceId": device_id,
                "sceneId": scene_id,
                "severity": severity,
                "startDate": start_date,
                "endDate": end_date,
                "page": page,
                "limit": limit,
                "cursor": cursor,
                "reviewState": review_state,
            },
        )

    def each_alerts(
        self,
        *,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        severity: Literal["warning", "critical"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
        limit: int | Unset = UNSET,
        review_state: list[Literal["new", "seen", "confirmed", "dismissed"]] | Unset = UNSET,
    ) -> Iterator[Alert]:
        """As ``list_alerts``: every item, page after page."""
        return each(
            lambda cursor: self.list_alerts(
                q=q,
                device_id=device_id,
                scene_id=scene_id,
                severity=severity,
                start_date=start_date,
                end_date=end_date,
                limit=limit,
                review_state=review_state,
                cursor=cursor,
            )
        )

    def count_alerts(
        self,
        *,
        q: str | Unset | None = UNSET,
        device_id: str | Unset | None = UNSET,
        scene_id: str | Unset | None = UNSET,
        severity: Literal["warning", "critical"] | Unset | None = UNSET,
        start_date: str | Unset | None = UNSET,
        end_date: str | Unset | None = UNSET,
    ) -> Counts2:
        """How many alerts there are in each state of review."""
        return self.call(
            "GET",
            "/api/v1/alerts/counts",
            TypeAdapter(Counts2),
            query={
                "q": q,
                "deviceId": device_id,
                "sceneId": scene_id,
                "severity": severity,
                "startDate": start_date,
                "endDate": end_date,
            },
        )

    def review_alerts(
        self,
        *,
        state: Literal["new", "seen", "confirmed", "dismissed"],
        ids: list[str],
        reason: str | Unset | None = UNSET,
        only_from: Literal["new", "seen", "confirmed", "dismissed"] | Unset | None = UNSET,
    ) -> list[ReviewedAlert]:
        """Set the review of up to 500 alerts, all or none; former states set again undo it."""
        return self.call(
            "POST",
            "/api/v1/alerts/reviews",
            TypeAdapter(list[ReviewedAlert]),
            body={"state": state, "reason": reason, "onlyFrom": only_from, "ids": ids},
        )

    def get_alert(self, id_: str) -> Alert:
        """One alert."""
        return self.call("GET", f"/api/v1/alerts/{id_}", TypeAdapter(Alert))

    def review_alert(
        self,
        id_: str,
        *,
        state: Literal["new", "seen", "confirmed", "dismissed"],
        reason: str | Unset | None = UNSET,
        only_from: Literal["new", "seen", "confirmed", "dismissed"] | Unset | None = UNSET,
    ) -> Alert:
        """Set the review of an alert. The answer has what holds then."""
        return self.call(
            "PATCH",
            f"/api/v1/alerts/{id_}",
            TypeAdapter(Alert),
            body={"state": state, "reason": reason, "onlyFrom": only_from},
        )

    def people_statistics(
        self,
        *,
        start_date: str,
        end_date: str,
        device_id: str | Unset | None = UNSET,
        group_by: Literal["hour", "day"] | Unset = UNSET,
    ) -> PeopleStatistics:
        """Tracks of persons, vehicles and things by local hour or day, and the most at once."""
        return self.call(
            "GET",
            "/api/v1/statistics/people",
            TypeAdapter(PeopleStatistics),
            query={
                "startDate": start_date,
                "endDate": end_date,
                "deviceId": device_id,
                "groupBy": group_by,
            },
        )

    def crossing_statistics(
        self,
        *,
        start_date: str,
        end_date: str,
        device_id: str | Unset | None = UNSET,
        group_by: Literal["hour", "day"] | Unset = UNSET,
    ) -> CrossingStatistics:
        """Crossings of tripwires by direction and local hour or day."""
        return self.call(
            "GET",
            "/api/v1/statistics/crossings",
            TypeAdapter(CrossingStatistics),
            query={
                "startDate": start_date,
                "endDate": end_date,
                "deviceId": device_id,
                "groupBy": group_by,
            },
        )

    def event_statistics(
        self,
        *,
        start_date: str,
        end_date: str,
        device_id: str | Unset | None = UNSET,
        group_by: Literal["hour", "day"] | Unset = UNSET,
    ) -> EventStatistics:
        """Events by type, risk level and the local hour or day in which they began."""
        return self.call(
            "GET",
            "/api/v1/statistics/events",
            TypeAdapter(EventStatistics),
            query={
                "startDate": start_date,
                "endDate": end_date,
                "deviceId": device_id,
                "groupBy": group_by,
            },
        )

    def alert_statistics(
        self,
        *,
        start_date: str,
        end_date: str,
        device_id: str | Unset | None = UNSET,
        group_by: Literal["hour", "day"] | Unset = UNSET,
    ) -> AlertStatistics:
        """Alerts by severity and local hour or day."""
        return self.call(
            "GET",
            "/api/v1/statistics/alerts",
            TypeAdapter(AlertStatistics),
            query={
                "startDate": start_date,
                "endDate": end_date,
                "deviceId": device_id,
                "groupBy": group_by,
            },
        )

    def dwell_statistics(
        self, *, device_id: str, start_date: str, end_date: str, type: str | Unset = UNSET
    ) -> DwellStatistics:
        """How long tracks stayed in each zone of the scene in force, by visit."""
        return self.call(
            "GET",
            "/api/v1/statistics/dwell",
            TypeAdapter(DwellStatistics),
            query={
                "deviceId": device_id,
                "startDate": start_date,
                "endDate": end_date,
                "type": type,
            },
        )

    def heat_map(
        self, *, device_id: str, start_date: str, end_date: str, type: str | Unset = UNSET
    ) -> HeatMapStatistics:
        """Seconds of presence on a grid of 64 × 36 cells over a device's picture."""
        return self.call(
            "GET",
            "/api/v1/statistics/heat-map",
            TypeAdapter(HeatMapStatistics),
            query={
                "deviceId": device_id,
                "startDate": start_date,
                "endDate": end_date,
                "type": type,
            },
        )
