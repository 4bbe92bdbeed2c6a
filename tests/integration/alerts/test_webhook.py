"""Webhooks against real receivers: signed, and only to where they may go."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Sequence

import pytest
from tests.servers.webhook import CERTIFICATES, Receiver

from video_detective.alerts.addresses import SETTING, AddressPolicy
from video_detective.alerts.notification import Notification
from video_detective.alerts.webhook import MAX_ANSWER_BYTES, WebhookSender, url_problem
from video_detective.errors import ReceiverError

HERE = AddressPolicy(["127.0.0.0/8"])
NOW_NS = 1_700_000_000_000_000_000
TOLD = Notification(
    delivery_id="0190-delivery",
    kind="new",
    account_id="account",
    device_id="device",
    language="zh-TW",
    timezone="Asia/Taipei",
    body={"kind": "alert.created", "alert": {"message": "排隊人數超過門檻：15 > 10"}},
    request_id="req-1",
)


async def send(
    url: str, *, policy: AddressPolicy = HERE, timeout_s: float = 5.0, secret: str = "s3"
) -> str:
    sender = WebhookSender(policy, timeout_s=timeout_s)
    return await sender.send(url, secret, TOLD, now_ns=NOW_NS)


async def refused(url: str, policy: AddressPolicy = HERE, timeout_s: float = 5.0) -> ReceiverError:
    with pytest.raises(ReceiverError) as raised:
        await send(url, policy=policy, timeout_s=timeout_s)
    return raised.value


async def test_a_webhook_is_json_whose_signature_covers_time_and_body() -> None:
    with Receiver() as receiver:
        assert await send(receiver.url) == "HTTP 204"
        [request] = receiver.received
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["X-VD-Signature"])
    assert found is not None
    signed = found[1].encode() + b"." + request.body
    assert hmac.compare_digest(found[2], hmac.new(b"s3", signed, hashlib.sha256).hexdigest())
    assert found[1] == "1700000000"
    assert request.json == TOLD.body
    assert request.headers["X-VD-Delivery"] == "0190-delivery"
    assert request.headers["X-VD-Event"] == "alert.created"
    assert request.headers["X-Request-Id"] == "req-1"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_what_a_receiver_does_not_take_is_tried_again(status: int) -> None:
    with Receiver([status]) as receiver:
        error = await refused(receiver.url)
    assert error.transient
    assert f"HTTP {status}" in str(error)


async def test_a_receiver_that_is_gone_for_good_is_not_tried_again() -> None:
    with Receiver([410]) as receiver:
        error = await refused(receiver.url)
    assert not error.transient


async def test_redirects_are_refused_wherever_they_lead() -> None:
    with Receiver() as other, Receiver(["redirect"], redirect_to=other.url) as receiver:
        error = await refused(receiver.url)
        assert not error.transient
        assert "redirects" in str(error)
        assert other.received == []


async def test_a_receiver_that_hangs_is_given_up_in_time() -> None:
    with Receiver(["hang"]) as receiver:
        error = await refused(receiver.url, timeout_s=0.2)
    assert error.transient
    assert "within 0.2 s" in str(error)


async def test_a_connection_that_breaks_off_is_tried_again() -> None:
    with Receiver(["drop"]) as receiver:
        error = await refused(receiver.url)
    assert error.transient


async def test_nobody_there_is_tried_again() -> None:
    with Receiver() as receiver:
        url = receiver.url
    assert (await refused(url)).transient


async def test_an_answer_without_end_is_not_read_to_the_end() -> None:
    with Receiver(["huge"]) as receiver:
        assert await asyncio.wait_for(send(receiver.url), 60) == "HTTP 200"
    # What the kernel buffers on both sides comes on top.
    assert receiver.sent_bytes < MAX_ANSWER_BYTES + 32 * 1024 * 1024


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0x7f.1", "loopback"),
        ("0x7f000001", "loopback"),
        ("2130706433", "loopback"),
        ("localhost", "loopback"),
        ("[::1]", "loopback"),
        ("[::ffff:127.0.0.1]", "loopback"),
        ("[::ffff:7f00:1]", "loopback"),
        ("[::127.0.0.1]", "loopback"),
        ("[64:ff9b::7f00:1]", "loopback"),
        ("[2002:7f00:1::]", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0", "unspecified"),
        ("[::]", "unspecified"),
        ("0.1.2.3", "private"),
        ("10.0.0.1", "private"),
        ("172.16.5.4", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("192.168.257", "private"),
        ("[::ffff:192.168.1.1]", "private"),
        ("[fd12:3456::1]", "private"),
        ("[fec0::1]", "private"),
        ("100.64.0.1", "shared"),
        ("169.254.169.254", "metadata"),
        ("2852039166", "metadata"),
        ("[::ffff:a9fe:a9fe]", "metadata"),
        ("[fd00:ec2::254]", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("169.254.1.1", "link-local"),
        ("[fe80::1]", "link-local"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("[ff02::1]", "multicast"),
        ("255.255.255.255", ""),
        ("240.0.0.1", ""),
        ("192.88.99.1", "relay"),
        ("198.18.0.1", "private"),
        ("192.0.2.1", "private"),
        ("192.0.0.8", "protocols"),
        ("192.0.0.9", "protocols"),
        ("[3fff:fff::1]", "documentation"),
        ("[5f00::1]", "segment routing"),
        ("[100:0:0:1::1]", "discarded"),
        ("[100::1]", "private"),
        ("[2001:2::1]", "private"),
        ("[2001:db8::1]", "private"),
    ],
)
async def test_addresses_that_are_not_public_are_refused_and_named(host: str, why: str) -> None:
    error = await refused(f"http://{host}:9/x", AddressPolicy())
    assert not error.transient
    assert why in str(error)
    assert SETTING in str(error)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert AddressPolicy().problem(address) is None


def test_an_allowed_network_opens_itself_alone() -> None:
    policy = AddressPolicy(["192.168.7.0/24", "fd00:7::/32"])
    assert policy.problem("192.168.7.9") is None
    assert policy.problem("::ffff:192.168.7.9") is None
    assert policy.problem("fd00:7::1") is None
    assert policy.problem("192.168.8.9") is not None
    assert policy.problem("127.0.0.1") is not None
    assert AddressPolicy(["0.0.0.0/0"]).problem("224.0.0.1") is not None


async def test_a_name_that_leads_here_is_refused() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    with Receiver() as receiver:
        sender = WebhookSender(AddressPolicy(), resolve=resolve)
        with pytest.raises(ReceiverError, match=r"'inward\.test' has the address 127\.0\.0\.1"):
            await sender.send(f"http://inward.test:{receiver.port}/", "s", TOLD, now_ns=NOW_NS)
        assert receiver.received == []


async def test_one_forbidden_address_among_others_is_enough() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8", "10.0.0.1"]

    sender = WebhookSender(AddressPolicy(), resolve=resolve)
    with pytest.raises(ReceiverError, match=r"10\.0\.0\.1: a private address"):
        await sender.send("http://both.test/", "s", TOLD, now_ns=NOW_NS)


async def test_a_name_that_changes_after_the_check_changes_nothing() -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with Receiver() as receiver:
        sender = WebhookSender(AddressPolicy(["127.0.0.1/32"]), resolve=resolve)
        url = f"http://rebinding.test:{receiver.port}/hook"
        assert await sender.send(url, "s", TOLD, now_ns=NOW_NS) == "HTTP 204"
        assert asked == ["rebinding.test"]
        assert receiver.received[0].headers["Host"] == f"rebinding.test:{receiver.port}"
        with pytest.raises(ReceiverError, match=r"127\.0\.0\.2"):
            await sender.send(url, "s", TOLD, now_ns=NOW_NS)


async def to_here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def test_the_certificate_is_checked_for_the_name_not_for_the_address() -> None:
    authority = CERTIFICATES / "authority.pem"
    with Receiver(tls=True) as receiver:
        sender = WebhookSender(HERE, ca_file=authority, resolve=to_here)
        url = f"https://receiver.test:{receiver.port}/hook"
        assert await sender.send(url, "s", TOLD, now_ns=NOW_NS) == "HTTP 204"
        other = f"https://other.test:{receiver.port}/hook"
        with pytest.raises(ReceiverError, match="CERTIFICATE_VERIFY_FAILED"):
            await sender.send(other, "s", TOLD, now_ns=NOW_NS)
        with pytest.raises(ReceiverError, match="CERTIFICATE_VERIFY_FAILED"):
            await WebhookSender(HERE, resolve=to_here).send(url, "s", TOLD, now_ns=NOW_NS)
        assert len(receiver.received) == 1


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver, Receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        await send(receiver.url)
        assert len(receiver.received) == 1
        assert proxy.received == []


async def test_errors_never_show_path_or_query() -> None:
    with Receiver([500, "redirect"]) as receiver:
        for _ in range(2):
            error = await refused(f"{receiver.url}/T0KEN?key=T0KEN")
            assert "T0KEN" not in str(error)
    assert "T0KEN" not in str(await refused("http://10.0.0.1/T0KEN", AddressPolicy()))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "receiver.example",
        "ftp://receiver.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/",
        "http://",
        "https:///path",
        "https://user:password@receiver.example/",
        "https://receiver.example/a b",
        "https://receiver.example\\@127.0.0.1/",
        "https://receiver.example/\r\nX: y",
        "https://receiver.example/#part",
        "https://receiver.example:99999/",
        "https://receiver.example:0/",
        "http://0177.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "https://" + "a" * 2000 + ".example/",
    ],
)
def test_what_is_no_address_of_a_receiver_is_told(url: str) -> None:
    problem = url_problem(url)
    assert problem is not None
    assert "password@" not in problem


@pytest.mark.parametrize(
    "url",
    ["https://receiver.example", "http://10.0.0.5:8080/hook?x=1", "https://[2001:db8::1]/x"],
)
def test_addresses_of_receivers_are_taken(url: str) -> None:
    assert url_problem(url) is None
