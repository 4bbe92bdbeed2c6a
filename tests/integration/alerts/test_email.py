"""E-mail through a real SMTP server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from tests.servers.webhook import CERTIFICATES

from video_detective.alerts.email import EmailSender, MailServer, compose
from video_detective.alerts.notification import Notification
from video_detective.alerts.wording import Language
from video_detective.errors import ReceiverError

ALERT: dict[str, Any] = {
    "id": "0199-alert",
    "deviceId": "0199-device",
    "deviceName": "後門攝影機",
    "sceneName": "後院",
    "metricPath": "zones.yard.intrusion.dwell_s",
    "operator": "GTE",
    "threshold": 1.0,
    "actualValue": 1.5,
    "severity": "critical",
    "message": "Intrusion time reached threshold: 1.5 s >= 1 s",
    "triggeredAt": "2026-01-15T14:00:10Z",
    "endedAt": None,
}
INSIGHT: dict[str, Any] = {
    "vlmSummary": "一名男子翻越圍籬進入後院。",
    "vlmStructuredResult": {"suggestions": ["派人查看", "檢查圍籬"]},
    "snapshotUrls": ["https://video.example/media/1.jpg?a=1&b=2"],
}
TOLD = Notification(
    delivery_id="0199-delivery",
    kind="new",
    account_id="account",
    device_id="device",
    language="zh-TW",
    timezone="Asia/Taipei",
    body={"alert": ALERT, "insight": INSIGHT},
)


class Mailbox:
    """Keeps every message; refuses addresses that begin with ``no``."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.signed_in: list[str] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("no"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        if isinstance(session.auth_data, str):
            self.signed_in.append(session.auth_data)
        return self.answer


@asynccontextmanager
async def mail_server(mailbox: Mailbox, **more: Any) -> AsyncIterator[MailServer]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="mail.test", loop=loop, **more), "127.0.0.1", 0
    )
    try:
        yield MailServer(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            security="none",
            sender="alerts@example.com",
            timeout_s=3,
        )
    finally:
        server.close()
        await server.wait_closed()


@dataclass(frozen=True)
class Parts:
    text: str
    html: str


def parts(message: EmailMessage) -> Parts:
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    return Parts(text=plain.get_content(), html=rich.get_content())


async def test_an_alert_arrives_as_text_and_html_in_the_accounts_language() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as server:
        answer = await EmailSender(server).send(("a@example.com", "b@example.com"), TOLD)
    assert answer.startswith("sent")
    assert mailbox.recipients == ["a@example.com", "b@example.com"]
    [message] = mailbox.messages
    assert message["Subject"] == (
        "【警示】嚴重、後門攝影機、Intrusion time reached threshold: 1.5 s >= 1 s"
    )
    assert message["From"] == "影片偵探 <alerts@example.com>"
    assert message["Message-ID"] == "<0199-delivery@example.com>"
    both = parts(message)
    for said in (
        "攝影機",
        "後院",
        "2026-01-15 22:00:10 (Asia/Taipei)",
        "一名男子翻越圍籬進入後院。",
    ):
        assert said in both.text
        assert said in both.html
    assert "說明：一名男子翻越圍籬進入後院。" in both.text
    assert "建議：派人查看、檢查圍籬" in both.text
    assert "https://video.example/media/1.jpg?a=1&b=2" in both.text
    assert "https://video.example/media/1.jpg?a=1&amp;b=2" in both.html


async def test_english_accounts_are_told_in_english() -> None:
    message = compose(replace(TOLD, language="en", kind="end"), "a@example.com", ("b@c.de",))
    assert message["Subject"].startswith("[Alert ended] critical - 後門攝影機 - Intrusion")
    assert "Camera: 後門攝影機" in parts(message).text


def test_punctuation_of_chinese_mail_is_full_width() -> None:
    text = parts(compose(TOLD, "a@example.com", ("b@c.de",))).text
    assert "\uff1a" in text
    assert "\u3001" in text
    assert "影片偵探自動寄出\uff0c請勿直接回覆\u3002" in text


@pytest.mark.parametrize("language", ["zh-TW", "en"])
def test_names_and_texts_can_neither_begin_a_header_nor_be_markup(language: Language) -> None:
    evil = "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>\u202e\u2028"
    alert = {**ALERT, "deviceName": evil, "message": evil, "sceneName": evil}
    insight = {**INSIGHT, "vlmSummary": evil, "snapshotUrls": ["https://x/'><script>"]}
    told = replace(TOLD, body={"alert": alert, "insight": insight}, language=language)
    message = message_from_bytes(
        compose(told, "a@example.com", ("b@c.de",)).as_bytes(), policy=policy.default
    )
    assert isinstance(message, EmailMessage)
    assert message["Bcc"] is None
    assert "Bcc: victim" in message["Subject"]
    assert "\u202e" not in message["Subject"]
    assert "<script>" not in parts(message).html
    assert "https://x/&#x27;&gt;&lt;script&gt;" in parts(message).html


def test_an_alert_and_what_follows_it_are_one_thread() -> None:
    first = compose(TOLD, "a@example.com", ("b@c.de",))
    later = compose(
        replace(TOLD, kind="update", delivery_id="another"), "a@example.com", ("b@c.de",)
    )
    assert first["References"] == later["References"] == "<0199-alert@example.com>"
    assert first["Message-ID"] != later["Message-ID"]


def test_a_test_says_that_it_is_one() -> None:
    message = compose(replace(TOLD, kind="test"), "a@example.com", ("b@c.de",))
    assert "測試通知" in message["Subject"]
    assert "設定正確" in parts(message).text


@pytest.mark.parametrize(("answer", "transient"), [("451 later", True), ("554 never", False)])
async def test_what_the_server_refuses_is_told_with_its_code(answer: str, transient: bool) -> None:
    async with mail_server(Mailbox(answer)) as server:
        sending = EmailSender(server).send(("a@example.com",), TOLD)
        with pytest.raises(ReceiverError, match=answer[:3]) as raised:
            await sending
    assert raised.value.transient is transient


async def test_recipients_that_are_refused_are_counted_the_others_have_it() -> None:
    mailbox = Mailbox()
    async with mail_server(mailbox) as server:
        answer = await EmailSender(server).send(("a@example.com", "nobody@example.com"), TOLD)
        assert "1 of 2 recipients were refused [550]" in answer
        assert len(mailbox.messages) == 1
        with pytest.raises(ReceiverError, match="550") as raised:
            await EmailSender(server).send(("nobody@example.com",), TOLD)
    assert not raised.value.transient


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with mail_server(Mailbox()) as server:
        gone = server
    with pytest.raises(ReceiverError) as raised:
        await EmailSender(gone).send(("a@example.com",), TOLD)
    assert raised.value.transient


class Gate:
    """Lets in one user with one password."""

    def __call__(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = (data.login, data.password) == (b"alerts", b"pass word")
        return AuthResult(
            success=good, handled=False, auth_data=data.login.decode() if good else None
        )


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "receiver.pem")
    return context


async def test_starttls_comes_before_the_password_and_the_certificate_is_checked() -> None:
    mailbox = Mailbox()
    async with mail_server(
        mailbox, tls_context=tls_context(), authenticator=Gate(), auth_required=True
    ) as server:
        strange = replace(
            server, host="localhost", security="starttls", username="alerts", password="pass word"
        )
        with pytest.raises(ReceiverError, match="certificate"):
            await EmailSender(strange).send(("a@example.com",), TOLD)
        known = replace(strange, ca_file=str(CERTIFICATES / "authority.pem"))
        with pytest.raises(ReceiverError, match=r"127\.0\.0\.1"):
            await EmailSender(replace(known, host="127.0.0.1")).send(("a@example.com",), TOLD)
        assert mailbox.messages == []
        await EmailSender(known).send(("a@example.com",), TOLD)
        assert mailbox.signed_in == ["alerts"]
        with pytest.raises(ReceiverError, match="535"):
            await EmailSender(replace(known, password="wrong")).send(("a@example.com",), TOLD)


def test_no_password_is_in_a_representation() -> None:
    server = MailServer(
        host="h", port=25, security="none", sender="a@b.c", username="u", password="s3cret"
    )
    assert "s3cret" not in repr(server)
