"""Connections to addresses that were looked at: resolved, checked, and connected to without asking again.

What a name resolves to is checked once and that very address is used, so that a name cannot point elsewhere
a moment later (DNS rebinding). Every read goes by the clock of the call under way, not by a time-out a byte.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from functools import lru_cache
from typing import Any

import certifi
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from identity.foundation import clock
from identity.foundation.destinations import remaining
from identity.foundation.errors import OutsideUnavailable

CONNECT = 1.0
"""Seconds to resolve a name and connect."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
INSIDE = tuple(
    map(
        ipaddress.ip_network,
        (
            "168.63.129.16/32",  # the host under a machine at Azure, though the number is a public one
            "192.0.0.0/24",  # for protocols; metadata at Oracle's is 192.0.0.192
            "192.88.99.0/24",  # relays from IPv4 to 6to4, long withdrawn: whoever answers is near
            "fec0::/10",  # site-local, from before there was fc00::/7
            "3fff::/20",  # for documentation, as 2001:db8::/32
        ),
    )
)
"""What the standard library takes for the world and is not."""


class AddressRefused(OutsideUnavailable):
    """The place is inside our own network, where nobody may send us."""


def behind(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def is_public(address: Address) -> bool:
    """Say whether an address is out in the world, as the one it stands for and as itself."""
    real = behind(address)
    if real.is_multicast or real.is_unspecified or real.is_reserved:
        return False
    if any(address in network or real in network for network in INSIDE):
        return False
    return real.is_global and not address.is_multicast


def may_reach(host: str, address: Address, *, private: bool) -> bool:
    """Say whether a host may be called at an address. ``private``: an operator configured this very place."""
    if is_public(address) or private or host.lower() in settings.OUTBOUND_PRIVATE_HOSTS:
        return True
    # Cloud metadata lives at link-local addresses: development has no business there either.
    return settings.OUTBOUND_PRIVATE and not behind(address).is_link_local


@lru_cache(maxsize=1)
def resolvers() -> ThreadPoolExecutor:
    """Return the threads that ask for names: the resolver has no time-out of its own."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolver")


def resolve(host: str, port: int, seconds: float) -> list[tuple[socket.AddressFamily, Any]]:
    """Return a host's addresses, ready to connect to.

    Raises:
        TimeoutError: nobody answered in time.
        OSError: there is no such host.

    """
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        asked = resolvers().submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = asked.result(seconds)
        except Late:
            asked.cancel()
            raise TimeoutError(f"{host} does not resolve in time") from None
        return [(family, where) for family, _, _, _, where in found]
    if literal.version == 4:  # noqa: PLR2004
        return [(socket.AF_INET, (host, port))]
    return [(socket.AF_INET6, (host, port, 0, 0))]


class TimedSocket(socket.socket):
    """A socket whose every read ends with the call under way."""

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """Read what is there, within what is left of the call's time."""
        self.settimeout(remaining())
        return super().recv_into(*arguments, **options)


class TimedTlsSocket(ssl.SSLSocket):
    """The same over TLS."""

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """Read what is there, within what is left of the call's time."""
        self.settimeout(remaining())
        return super().recv_into(*arguments, **options)


def tls() -> ssl.SSLContext:
    """Return how TLS is spoken: certificates checked by the public authorities, 1.2 at least."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TimedTlsSocket
    return context


class GuardedConnection(HTTPConnection):
    """A connection to a checked address."""

    private = False

    def _new_conn(self) -> socket.socket:
        """Resolve, check, connect.

        Raises:
            AddressRefused: every address is inside our own network.

        """
        try:
            until = clock.monotonic() + min(CONNECT, remaining())
            return self._connected(until)
        except TimeoutError as problem:
            raise ConnectTimeoutError(self, f"{self.host} cannot be reached in time") from problem
        except OSError as problem:
            raise NewConnectionError(self, f"{self.host} cannot be reached: {problem.strerror}") from problem

    def _connected(self, until: float) -> socket.socket:
        host = self._dns_host.strip("[]")
        found = resolve(host, self.port, until - clock.monotonic())
        allowed = [
            (family, where)
            for family, where in found
            if may_reach(host, ipaddress.ip_address(where[0].partition("%")[0]), private=self.private)
        ]
        if not allowed:
            raise AddressRefused(detail=f"{host} is at a private address")
        for last, (family, where) in zip([False] * (len(allowed) - 1) + [True], allowed, strict=True):
            connected = TimedSocket(family, socket.SOCK_STREAM)
            try:
                connected.settimeout(max(0.001, until - clock.monotonic()))
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connected.connect(where)
            except OSError:
                connected.close()
                if last or clock.monotonic() >= until:
                    raise
            else:
                return connected
        raise AssertionError


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """The same, with TLS for the name that was asked for."""


class OwnConnection(GuardedConnection):
    """To a place that the operator configured, wherever it is."""

    private = True


class OwnTlsConnection(GuardedTlsConnection):
    """The same over TLS."""

    private = True


class GuardedPool(HTTPConnectionPool):
    """Connections to a place that anyone may have named."""

    ConnectionCls = GuardedConnection


class GuardedTlsPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = GuardedTlsConnection


class OwnPool(HTTPConnectionPool):
    """Connections to a configured place."""

    ConnectionCls = OwnConnection


class OwnTlsPool(HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = OwnTlsConnection


POOLS = {
    False: {"http": GuardedPool, "https": GuardedTlsPool},
    True: {"http": OwnPool, "https": OwnTlsPool},
}
