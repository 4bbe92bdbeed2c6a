"""E-mail about alerts: text and HTML, in the account's language."""

from __future__ import annotations

import html
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import aiosmtplib

from video_detective.alerts.notification import Notification
from video_detective.errors import ReceiverError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh-TW": {
        "new": "警示", "update": "警示說明", "end": "警示結束", "test": "測試通知",
        "critical": "嚴重", "warning": "警告", "device": "攝影機", "scene": "場景",
        "time": "時間", "ended": "結束時間", "severity": "嚴重程度", "message": "內容",
        "measured": "量測值", "summary": "說明", "suggestions": "建議", "pictures": "截圖",
        "picture": "截圖 {number}", "colon": "：", "between": "、", "subject": "【{what}】{rest}",
        "is_test": "這是影片偵探的測試通知，收到表示設定正確。",
        "footer": "影片偵探自動寄出，請勿直接回覆。",
    },
    "en": {
        "new": "Alert", "update": "Alert described", "end": "Alert ended",
        "test": "Test notification", "critical": "critical", "warning": "warning",
        "device": "Camera", "scene": "Scene", "time": "Time", "ended": "Ended",
        "severity": "Severity", "message": "Message", "measured": "Measured",
        "summary": "Description", "suggestions": "Suggestions", "pictures": "Pictures",
        "picture": "Picture {number}", "colon": ": ", "between": "; ", "subject": "[{what}] {rest}",
        "is_test": "This is a test notification of Video Detective: your settings are right.",
        "footer": "Sent by Video Detective; answers are not read.",
    },
}  # fmt: skip
_SIGNS = {"GT": ">", "GTE": "≥", "LT": "<", "LTE": "≤", "EQ": "="}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Who sends.

    Args:
        host, port: Where it is.
        security: ``starttls``, ``tls`` from the first byte, or ``none``.
        username, password: "" to send without signing in.
        sender: The From address.
        ca_file: Certificates of an authority of one's own.
        timeout_s: For each exchange.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str | None = None
    timeout_s: float = 20.0


class EmailSender:
    """Sends e-mail through one server."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._tls: ssl.SSLContext | None = None
        if server.security != "none":
            self._tls = ssl.create_default_context()
            if server.ca_file is not None:
                self._tls.load_verify_locations(Path(server.ca_file))

    async def send(self, recipients: tuple[str, ...], notification: Notification) -> str:
        """Send one notification to every recipient.

        Returns:
            What the server said, in words.

        Raises:
            ReceiverError: it was not taken, or not for all recipients.
        """
        server = self._server
        message = compose(notification, server.sender, recipients)
        try:
            refused, answer = await aiosmtplib.send(
                message,
                recipients=list(recipients),
                sender=server.sender,
                hostname=server.host,
                port=server.port,
                username=server.username or None,
                password=server.password or None,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                tls_context=self._tls,
                timeout=server.timeout_s,
            )
        except aiosmtplib.SMTPResponseException as cause:
            raise self._failed(f"it said {cause.code}", 400 <= cause.code < 500) from cause
        except aiosmtplib.SMTPRecipientsRefused as cause:
            codes = sorted({refusal.code for refusal in cause.recipients})
            transient = any(code < 500 for code in codes)
            raise self._failed(f"no recipient was taken ({codes})", transient) from cause
        except (aiosmtplib.SMTPException, OSError, ValueError) as cause:
            raise self._failed(_one_line(str(cause))[:200], True) from cause
        if refused:
            # Those that were taken have it: sending it again would double it for them.
            codes = sorted({response.code for response in refused.values()})
            return f"sent; {len(refused)} of {len(recipients)} recipients were refused {codes}"
        return f"sent: {_one_line(answer)[:100]}"

    def _failed(self, reason: str, transient: bool) -> ReceiverError:
        return ReceiverError(
            f"The mail server {self._server.host!r} did not take the message ({reason})",
            remedy="Check notifications.smtp in settings.yaml, and the recipients.",
            transient=transient,
        )


def compose(notification: Notification, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The message of a notification.

    Names and texts come from users and models: nothing of them can begin a header, or be markup.

    Args:
        notification: What is told.
        sender: Address without a name.
        recipients: Likewise.
    """
    words = _WORDS[notification.language]
    alert: Mapping[str, Any] = notification.body.get("alert") or {}
    what = words[notification.kind]
    severity = words.get(str(alert.get("severity")), "")
    rest = [severity, _one_line(alert.get("deviceName")), _one_line(alert.get("message"))]
    between = words["between"] if notification.language == "zh-TW" else " - "
    subject = words["subject"].format(what=what, rest=between.join(part for part in rest if part))
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _one_line(subject)[:200]
    message["From"] = _address(sender, "影片偵探" if notification.language == "zh-TW" else None)
    message["To"] = [_address(recipient) for recipient in recipients]
    domain = sender.rpartition("@")[2]
    message["Message-ID"] = f"<{notification.delivery_id}@{domain}>"
    if thread := alert.get("id"):
        message["References"] = f"<{thread}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = _lines(notification, words)
    links = _links(notification)
    message.set_content(_text(lines, links, words))
    message.add_alternative(_html(what, lines, links, words, notification.language), "html")
    return message


def _lines(notification: Notification, words: Mapping[str, str]) -> list[tuple[str, str]]:
    alert: Mapping[str, Any] = notification.body.get("alert") or {}
    insight: Mapping[str, Any] = notification.body.get("insight") or {}
    zone = ZoneInfo(notification.timezone)
    if notification.kind == "test":
        return [("", words["is_test"])]
    sign = _SIGNS.get(str(alert.get("operator")), "")
    measured = f"{_number(alert.get('actualValue'))} {sign} {_number(alert.get('threshold'))}"
    result = insight.get("vlmStructuredResult") or {}
    suggestions = words["between"].join(_one_line(line) for line in result.get("suggestions", ()))
    pairs = [
        ("device", _one_line(alert.get("deviceName"))),
        ("scene", _one_line(alert.get("sceneName"))),
        ("time", _local(alert.get("triggeredAt"), zone)),
        ("ended", _local(alert.get("endedAt"), zone)),
        ("severity", words.get(str(alert.get("severity")), "")),
        ("message", _one_line(alert.get("message"))),
        ("measured", f"{_one_line(alert.get('metricPath'))} {measured}"),
        ("summary", _one_line(insight.get("vlmSummary"))),
        ("suggestions", suggestions),
    ]
    return [(words[key], value) for key, value in pairs if value]


def _links(notification: Notification) -> list[str]:
    insight: Mapping[str, Any] = notification.body.get("insight") or {}
    return [url for url in insight.get("snapshotUrls") or () if isinstance(url, str)]


def _text(lines: list[tuple[str, str]], links: list[str], words: Mapping[str, str]) -> str:
    said = [f"{name}{words['colon']}{value}" if name else value for name, value in lines]
    if links:
        said += ["", words["pictures"], *links]
    return "\n".join([*said, "", "-- ", words["footer"], ""])


def _html(
    what: str,
    lines: list[tuple[str, str]],
    links: list[str],
    words: Mapping[str, str],
    language: str,
) -> str:
    rows = "".join(
        f"<tr><th align='left' valign='top'>{html.escape(name)}</th>"
        f"<td>{html.escape(value)}</td></tr>"
        for name, value in lines
    )
    shown = "".join(
        f"<li><a href='{html.escape(url)}'>"
        f"{html.escape(words['picture'].format(number=number))}</a></li>"
        for number, url in enumerate(links, 1)
    )
    pictures = f"<p>{html.escape(words['pictures'])}</p><ul>{shown}</ul>" if shown else ""
    return (
        f"<!doctype html><html lang='{language}'><body><h2>{html.escape(what)}</h2>"
        f"<table cellpadding='4'>{rows}</table>{pictures}"
        f"<p><small>{html.escape(words['footer'])}</small></p></body></html>\n"
    )


def _address(address: str, name: str | None = None) -> Address:
    try:
        return Address(display_name=name or "", addr_spec=address)
    except (ValueError, MessageError, IndexError) as cause:
        raise ReceiverError(
            f"{address!r} is no e-mail address",
            remedy="Write it like name@example.com.",
            transient=False,
        ) from cause


def _one_line(text: object) -> str:
    """Without line breaks and characters that turn the direction of writing."""
    return " ".join(_CONTROL.sub(" ", "" if text is None else str(text)).split())


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else ""


def _local(time: object, zone: ZoneInfo) -> str:
    if not isinstance(time, str):
        return ""
    moment = datetime.fromisoformat(time).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S} ({zone.key})"
