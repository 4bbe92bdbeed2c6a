"""Which addresses webhooks may go to: public ones, and networks that the owner allowed.

A user of the service chooses a webhook's address; it must not make this machine call what only this
machine can reach. Names are resolved once, every address is judged, and the connection goes to an
address that was judged, whatever the name says a moment later.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

from video_detective.errors import ReceiverError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name, best first; raises OSError."""

SETTING = "notifications.allow_networks"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SPECIAL: tuple[tuple[str, Network], ...] = (
    # A public address, and yet only a virtual machine's own host answers there.
    ("a cloud's metadata service", ipaddress.IPv4Network("168.63.129.16/32")),
    ("a cloud's metadata service", ipaddress.IPv4Network("169.254.169.254/32")),
    ("a cloud's metadata service", ipaddress.IPv4Network("100.100.100.200/32")),
    ("a cloud's metadata service", ipaddress.IPv6Network("fd00:ec2::254/128")),
    ("shared (carrier) address space", ipaddress.IPv4Network("100.64.0.0/10")),
    ("a relay to other networks", ipaddress.IPv4Network("192.88.99.0/24")),
    ("local translation of addresses", _NAT64_LOCAL),
    # Not public by the registries of special addresses (IANA), of which Python 3.11 does not know
    # all; what is for the nearest machine of a kind (192.0.0.9, 192.0.0.10) is one's own, too.
    ("addresses of protocols", ipaddress.IPv4Network("192.0.0.0/24")),
    ("addresses for documentation", ipaddress.IPv6Network("3fff::/20")),
    ("addresses of segment routing", ipaddress.IPv6Network("5f00::/16")),
    ("addresses where all is discarded", ipaddress.IPv6Network("100:0:0:1::/64")),
)


class AddressPolicy:
    """Judges addresses.

    Args:
        allowed: Networks (CIDR) to which one may go although they are not public.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = tuple(ipaddress.ip_network(network) for network in allowed)

    def problem(self, text: str) -> str | None:
        """Why nothing may be sent to an address; None when it may.

        Args:
            text: An IPv4 or IPv6 address as the resolver gives it.
        """
        meant = _meant(ipaddress.ip_address(text.partition("%")[0]))
        if meant.is_unspecified:
            return "the unspecified address"
        if meant.is_multicast:
            return "a multicast address"
        if any(meant.version == net.version and meant in net for net in self._allowed):
            return None
        for what, network in _SPECIAL:
            if meant.version == network.version and meant in network:
                return what
        if meant.is_loopback:
            return "this machine itself (loopback)"
        if meant.is_link_local:
            return "a link-local address"
        is_site_local = isinstance(meant, ipaddress.IPv6Address) and meant.is_site_local
        if meant.is_reserved and not meant.is_private:
            return "a reserved address"
        if not meant.is_global or is_site_local:
            return "a private address"
        return None

    async def resolve(self, host: str, port: int, resolve: Resolve | None = None) -> list[str]:
        """The addresses of a host, all of which may be called.

        Args:
            host: A name, or an address in any spelling that the system takes (``127.1``).
            port: For the resolver.
            resolve: Another resolver than the system's.

        Raises:
            ReceiverError: it has no address, or one to which nothing may be sent. One is enough: a
                name that leads to both is not to be trusted.
        """
        try:
            found = await (resolve or system_resolver)(host.strip("[]"), port)
        except (OSError, UnicodeError) as cause:
            raise ReceiverError(
                f"The host {host!r} has no address",
                remedy="Check its name, and this machine's DNS.",
                transient=True,
            ) from cause
        if not found:
            raise ReceiverError(
                f"The host {host!r} has no address",
                remedy="Check its name, and this machine's DNS.",
                transient=True,
            )
        for address in found:
            if (problem := self.problem(address)) is not None:
                raise ReceiverError(
                    f"The host {host!r} has the address {address}: {problem}",
                    remedy=f"If that is meant, add its network to {SETTING} in settings.yaml.",
                    transient=False,
                )
        return list(found)


async def system_resolver(host: str, port: int) -> list[str]:
    """What the operating system says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, however it is wrapped; else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_compatible = address in _IPV4_COMPATIBLE and int(address) > 1
    if address in _NAT64 or is_compatible:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
