"""Webhooks: signed JSON by HTTP POST to an address that somebody chose, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import ssl
from pathlib import Path

import httpx

import video_detective
from video_detective.alerts.addresses import AddressPolicy, Resolve
from video_detective.alerts.notification import EVENT_KINDS, Notification
from video_detective.alerts.signing import HEADER, sign
from video_detective.errors import Flaw, ReceiverError
from video_detective.geometry import NS_PER_S

MAX_ANSWER_BYTES = 64 * 1024
"""What is read of an answer; only its status counts."""
_GONE = 410


def url_problem(url: str) -> Flaw | None:
    """Why a webhook cannot have this address, or None when it can. Never repeats it."""
    if len(url) > 2000:
        return Flaw("is longer than 2000 characters", reason="address_too_long", most=2000)
    if not url.isprintable() or " " in url or "\\" in url:
        return Flaw(
            "must not hold spaces, backslashes or control characters", reason="spaces_in_address"
        )
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError):
        return Flaw("is no address; write https://receiver.example/path", reason="no_address")
    if parsed.scheme not in {"http", "https"} or not host:
        return Flaw("must begin with https:// or http:// and a host", reason="no_address")
    if parsed.userinfo:
        return Flaw(
            "must not hold a user or password: requests are signed", reason="password_in_address"
        )
    if parsed.fragment:
        return Flaw("must not hold a part after '#'", reason="fragment_in_address")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        return Flaw("must have a port from 1 to 65535", reason="port_wrong", least=1, most=65535)
    return None


class WebhookSender:
    """Sends webhooks.

    Args:
        policy: Which addresses may be called.
        timeout_s: For the whole of a request.
        ca_file: Certificates of an authority of one's own, beside the public ones.
        resolve: Another resolver than the system's.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        timeout_s: float = 10.0,
        ca_file: Path | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._policy = policy
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._tls: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)
        if ca_file is not None:
            self._tls.load_verify_locations(ca_file)

    async def send(
        self, url: str, secret: str, notification: Notification, *, now_ns: int, attempt: int = 1
    ) -> str:
        """Send one notification.

        Args:
            url: As ``url_problem`` lets it pass.
            secret: With which it is signed.
            notification: What is told.
            now_ns: The time that is signed.
            attempt: Which one this is, from 1.

        Returns:
            What the receiver said, in words: ``HTTP 204``.

        Raises:
            ReceiverError: it was not taken. The text names the host, never the whole address.
        """
        if (problem := url_problem(url)) is not None:
            raise ReceiverError(
                f"The channel's address {problem}",
                remedy="Set another address.",
                transient=False,
            )
        body = json.dumps(
            notification.body, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"VideoDetective/{video_detective.__version__}",
            "Accept-Encoding": "identity",
            HEADER: sign(secret, body, now_ns // NS_PER_S),
            "X-VD-Delivery": notification.delivery_id,
            "X-VD-Event": EVENT_KINDS[notification.kind],
            "X-VD-Attempt": str(attempt),
        }
        if notification.request_id:
            headers["X-Request-Id"] = notification.request_id
        target = httpx.URL(url)
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._post(target, headers, body)
        except TimeoutError as cause:
            raise ReceiverError(
                f"The receiver at {target.host!r} did not answer within {self._timeout_s:g} s",
                remedy="It is tried again; let it answer at once and work afterwards.",
                transient=True,
            ) from cause
        except (httpx.HTTPError, OSError) as cause:
            raise self._unreachable(target, cause) from cause
        return _judged(target, status)

    async def _post(self, target: httpx.URL, headers: dict[str, str], body: bytes) -> int:
        host = target.raw_host.decode("ascii")
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = await self._policy.resolve(host, port, self._resolve)
        failure: httpx.HTTPError | None = None
        for address in addresses:
            try:
                return await self._post_to(address, target, headers, body)
            except httpx.ConnectError as error:
                failure = error
        assert failure is not None  # noqa: S101 - resolvers give an address or raise
        raise failure

    async def _post_to(
        self, address: str, target: httpx.URL, headers: dict[str, str], body: bytes
    ) -> int:
        """POST to an address that was judged; name and certificate are the host's."""
        pinned = target.copy_with(host=address)
        named = {**headers, "Host": target.netloc.decode("ascii")}
        host = target.raw_host.decode("ascii")
        extensions = {} if _is_address(host) else {"sni_hostname": host}
        # A proxy of the environment would look the name up itself.
        async with (
            httpx.AsyncClient(
                verify=self._tls, trust_env=False, follow_redirects=False, timeout=self._timeout_s
            ) as client,
            client.stream(
                "POST", pinned, content=body, headers=named, extensions=extensions
            ) as answer,
        ):
            read = 0
            # The status is what counts; a body that breaks off changes nothing of it.
            with contextlib.suppress(httpx.HTTPError):
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read > MAX_ANSWER_BYTES:
                        break
            return answer.status_code

    @staticmethod
    def _unreachable(target: httpx.URL, cause: Exception) -> ReceiverError:
        reason = " ".join(str(cause).split())[:200] or type(cause).__name__
        return ReceiverError(
            f"The receiver at {target.host!r} cannot be reached ({reason})",
            remedy="Check that it runs, and its certificate.",
            transient=True,
        )


def _judged(target: httpx.URL, status: int) -> str:
    if 200 <= status < 300:
        return f"HTTP {status}"
    if 300 <= status < 400:
        raise ReceiverError(
            f"The receiver at {target.host!r} redirects (HTTP {status}), which is not followed",
            remedy="Set the channel to the address itself.",
            transient=False,
        )
    raise ReceiverError(
        f"The receiver at {target.host!r} answered HTTP {status}",
        remedy="Look into its log."
        if status != _GONE
        else "It says that it is gone for good: remove the channel.",
        transient=status != _GONE,
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
