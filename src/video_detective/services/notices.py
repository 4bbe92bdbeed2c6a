"""Tells alerts to channels while the service runs."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from video_detective.alerts.addresses import AddressPolicy
from video_detective.alerts.email import EmailSender, MailServer
from video_detective.alerts.home_assistant import Topics, life_cycle
from video_detective.alerts.mqtt import Broker, MqttLink
from video_detective.alerts.notification import Notification
from video_detective.alerts.webhook import WebhookSender
from video_detective.config.notifications import NotificationSettings
from video_detective.config.settings import FILE_NAME
from video_detective.errors import ReceiverError, UsageError
from video_detective.geometry import NS_PER_S
from video_detective.pipeline.clock import now_ns
from video_detective.pipeline.deliverer import Deliverer, Later, Skip
from video_detective.services.announcer import Announcer, standing_of
from video_detective.services.media_links import MediaLinks
from video_detective.services.node import node_id
from video_detective.services.notice_bodies import body_of, with_links, without_links
from video_detective.services.workspace import Workspace
from video_detective.storage.notices.base import AlertFacts, ChannelKind, ChannelRow, Claimed

_log = logging.getLogger(__name__)
PICTURES_WAIT_NS = 20 * NS_PER_S
"""How long a channel that is told nothing but the alert waits for its pictures: those of a live
event lie in a piece that the recorder has yet to close."""
LINKS_LIFE_S = 86_400
"""How long links in notifications are good: mail of the night is read in the morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A notification, with what its record keeps."""

    notification: Notification
    facts: AlertFacts
    record: Mapping[str, Any]


class Senders:
    """Whoever tells: webhooks, the mail server, the MQTT broker; as the settings say.

    Args:
        workspace: Whose settings.
        mqtt: The connection to the broker; None makes one for each message.
    """

    def __init__(self, workspace: Workspace, mqtt: MqttLink | None = None) -> None:
        settings = workspace.settings.notifications
        self._settings = settings
        self._mqtt = mqtt
        ca_file = settings.webhook_ca_file
        self._webhook = WebhookSender(
            AddressPolicy(settings.allow_networks),
            timeout_s=settings.webhook_timeout_s,
            ca_file=None if ca_file is None else Path(ca_file),
        )

    async def send(
        self,
        channel: ChannelRow,
        notification: Notification,
        *,
        attempt: int = 1,
        state: Mapping[str, Any] | None = None,
    ) -> str:
        """Send a notification to a channel; what the receiver said.

        Args:
            channel: Where to.
            notification: What.
            attempt: Which one, from 1.
            state: How its device stands, for those who are told that too (MQTT).

        Raises:
            ReceiverError: it was not taken.
            UsageError: the settings lack the password's variable.
        """
        if channel.kind == "webhook":
            url = str(channel.settings.get("url", ""))
            return await self._webhook.send(
                url, channel.secret, notification, now_ns=now_ns(), attempt=attempt
            )
        if channel.kind == "email":
            recipients = tuple(channel.settings.get("recipients", ()))
            server = mail_server_of(self._settings)
            return await EmailSender(server).send(recipients, notification)
        if self._mqtt is not None:
            return await _publish(self._mqtt, self._topics(), notification, state)
        client_id = f"vd-test-{uuid.uuid4().hex[:16]}"
        async with MqttLink(broker_of(self._settings), client_id, is_service=False) as link:
            return await _publish(link, self._topics(), notification, state)

    def _topics(self) -> Topics:
        return broker_of(self._settings).topics


def mail_server_of(settings: NotificationSettings) -> MailServer:
    """The mail server of the section ``notifications``.

    Raises:
        ReceiverError: it names none.
        UsageError: the environment lacks its password.
    """
    smtp = settings.smtp
    if smtp is None:
        raise _unset("smtp", "a mail server")
    return MailServer(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        sender=smtp.sender,
        username=smtp.username,
        password=smtp.password(),
        ca_file=smtp.ca_file,
        timeout_s=smtp.timeout_s,
    )


def broker_of(settings: NotificationSettings) -> Broker:
    """The broker of the section ``notifications``.

    Raises:
        ReceiverError: it names none.
        UsageError: the environment lacks its password.
    """
    mqtt = settings.mqtt
    if mqtt is None:
        raise _unset("mqtt", "an MQTT broker")
    return Broker(
        host=mqtt.host,
        port=mqtt.port,
        topics=Topics(prefix=mqtt.prefix, discovery_prefix=mqtt.discovery_prefix),
        username=mqtt.username,
        password=mqtt.password(),
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
    )


def _unset(section: str, what: str) -> ReceiverError:
    return ReceiverError(
        f"{FILE_NAME} names no {what.partition(' ')[2]}",
        remedy=f"Add notifications.{section} to it, and restart the service.",
        transient=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What the settings lack for channels of a kind: until they have it, nothing reaches anybody.

    Args:
        key: What it is, for a page that says it in its reader's language.
        setting: What is to be set, such as ``notifications.smtp``.
        found, remedy: The same in English, as deliveries answer.
    """

    key: Literal["server_unset", "password_unset"]
    setting: str
    found: str
    remedy: str


def lack_of(settings: NotificationSettings, kind: ChannelKind) -> Lack | None:
    """What is lacking for channels of a kind; None where all is set."""
    try:
        if kind == "email":
            mail_server_of(settings)
        elif kind == "mqtt":
            broker_of(settings)
    except (ReceiverError, UsageError) as error:
        section = "notifications.smtp" if kind == "email" else "notifications.mqtt"
        is_unset = isinstance(error, ReceiverError)
        return Lack(
            key="server_unset" if is_unset else "password_unset",
            setting=section if is_unset else f"{section}.password_env",
            found=error.message,
            remedy=error.remedy,
        )
    return None


async def _publish(
    link: MqttLink, topics: Topics, notification: Notification, state: Mapping[str, Any] | None
) -> str:
    place = (notification.account_id, notification.device_id)
    cycle = life_cycle(notification.kind, notification.body)
    topic = topics.alerts(*place)
    await link.publish(topic, {"id": notification.delivery_id, **cycle})
    if state is not None:
        await link.publish(topics.state(*place), state, retain=True)
    return f"published to {topic}"


class Teller:
    """Composes deliveries and has them sent (``pipeline.deliverer.Teller``).

    Args:
        workspace: Where.
        senders: Who sends.
        announcer: Who keeps the states of devices, where there is a broker.
    """

    def __init__(
        self,
        workspace: Workspace,
        senders: Senders,
        announcer: Announcer | None = None,
    ) -> None:
        self._workspace = workspace
        self._notices = workspace.database.notices
        self._senders = senders
        self._announcer = announcer

    async def compose(self, claimed: Claimed) -> Composed | Skip | Later:
        """What to tell; one that was attempted before says the same again, with fresh links."""
        if not claimed.channel.is_enabled:
            return Skip(reason="not told: the channel is switched off")
        facts = await self._notices.facts(claimed.alert_id)
        if facts is None or facts.is_gone:
            return Skip(reason="not told: the alert or its device was removed")
        due_ns = claimed.created_ns + PICTURES_WAIT_NS
        if self._awaits_pictures(claimed, facts) and now_ns() < due_ns:
            return Later(due_ns=due_ns)
        record = claimed.payload or body_of(
            claimed.kind,
            facts,
            delivery_id=claimed.delivery_id,
            created_ns=claimed.created_ns,
            request_id=claimed.request_id,
        )
        links = await self._links(claimed, facts)
        body = with_links(record, links, of_trigger=_of_trigger(facts))
        notification = Notification(
            delivery_id=claimed.delivery_id,
            kind=claimed.kind,
            account_id=facts.account_id,
            device_id=facts.device_id,
            language=facts.language,
            timezone=facts.timezone,
            body=body,
            request_id=claimed.request_id,
        )
        return Composed(notification=notification, facts=facts, record=without_links(record))

    def _awaits_pictures(self, claimed: Claimed, facts: AlertFacts) -> bool:
        """Whether links to pictures would come too late: nothing is told that could bring them."""
        return (
            claimed.kind == "new"
            and claimed.attempts == 1
            and "update" not in claimed.channel.filters.tell
            and self._workspace.settings.service.public_url is not None
            and facts.insight is not None
            and not facts.insight["snapshots"]
        )

    async def _links(self, claimed: Claimed, facts: AlertFacts) -> list[str] | None:
        """Addresses of the insight's pictures, in order; None where people have no address of us.

        They are made for the channel: that somebody looked is in the audit log.
        """
        base = self._workspace.settings.service.public_url
        if base is None or facts.insight is None:
            return None
        links = MediaLinks(
            base=base.rstrip("/"),
            account_id=facts.account_id,
            holder=f"channel:{claimed.channel.channel_id}",
            expires_s=now_ns() // NS_PER_S + LINKS_LIFE_S,
            secret=await self._workspace.secret("media"),
        )
        return [links.link(picture["sha256"]) for picture in facts.insight["snapshots"]]

    async def send(self, claimed: Claimed, told: Composed) -> str:
        """Tell it; see ``Senders.send``."""
        state = None
        if claimed.channel.kind == "mqtt":
            state = await standing_of(self._notices, claimed, told.facts)
        said = await self._senders.send(
            claimed.channel, told.notification, attempt=claimed.attempts, state=state
        )
        if state is not None and self._announcer is not None:
            self._announcer.note(told.facts.account_id, told.facts.device_id, state)
        return said


def _of_trigger(facts: AlertFacts) -> int:
    """Which of the insight's pictures is nearest to the trigger, as in the interface; 0 of none."""
    times = [picture["timeNs"] for picture in (facts.insight or {}).get("snapshots", ())]
    at_ns = facts.alert["triggered_ns"]
    return min(range(len(times)), key=lambda place: abs(times[place] - at_ns), default=0)


async def keep_telling(workspace: Workspace, stop: asyncio.Event) -> None:
    """Deliver notifications until ``stop`` is set.

    Without the broker's password the other channels are told all the same.

    Raises:
        StorageError: the node's id cannot be made.
    """
    worker = f"{node_id(workspace)}:{uuid.uuid4().hex[:12]}"
    async with AsyncExitStack() as stack:
        link, announcer = None, None
        if (broker := _broker(workspace)) is not None:
            births = asyncio.Event()
            link = MqttLink(broker, f"vd-{uuid.uuid4().hex[:16]}", on_birth=births.set)
            await stack.enter_async_context(link)
            announcer = Announcer(workspace.database.notices, link, broker.topics)
            announcing = asyncio.create_task(announcer.run(stop, births))
            stack.push_async_callback(_ended, announcing)
        senders = Senders(workspace, link)
        teller = Teller(workspace, senders, announcer)
        deliverer = Deliverer(workspace.database.notices, teller, worker=worker)
        await deliverer.run(stop)


def _broker(workspace: Workspace) -> Broker | None:
    if workspace.settings.notifications.mqtt is None:
        return None
    try:
        return broker_of(workspace.settings.notifications)
    except UsageError as error:
        _log.error("nothing is told by MQTT: %s", error)
        return None


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait({task}, timeout=1.0)
    task.cancel()
    await asyncio.wait({task})
