"""Addresses of machines as proxies and people write them: one form for each, and none for what cannot be read.

Knows nothing of requests: whom to believe is ``identity.middleware``'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

WITH_PORT = re.compile(r"^(?:\[(?P<bracketed>[^\[\]]*)\]|(?P<plain>[^:\[\]]*))(?::\d{1,5})?$")
"""``1.2.3.4:5678`` and ``[2001:db8::1]:443``; without brackets a second colon belongs to the address."""
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("2000::/3"))
"""Where visitors come from: all of IPv4, and what of IPv6 is given to networks (RFC 4291 2.4)."""
A_SIXTEENTH = 16
MAPPED = 96
"""Bits before the IPv4 address in ``::ffff:0:0/96`` (RFC 4291 2.5.5.2)."""


@lru_cache(maxsize=4096)
def parsed(text: str) -> Address | None:
    """Return an address in its one form: without a zone, and IPv4 where it is that in IPv6's clothes."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def configured(text: str) -> str:
    """Return an address that a setting gives in the form in which addresses are compared. Empty for empty.

    Raises:
        ValueError: it is none.

    """
    found = parsed(text)
    if text and found is None:
        raise ValueError("it is no address of a machine")
    return str(found or "")


def forwarded(hop: str) -> Address | None:
    """Return the address of one element of ``X-Forwarded-For``: quoted, in brackets, with a port, as proxies write."""
    bare = hop.strip().strip('"').strip()
    if split := WITH_PORT.match(bare):
        bare = split["bracketed"] if split["bracketed"] is not None else split["plain"]
    return parsed(bare)


def network(given: Network) -> Network:
    """Return a network in the form that its members have: IPv4 where it is that in IPv6's clothes."""
    mapped = given.network_address.ipv4_mapped if isinstance(given, IPv6Network) else None
    return IPv4Network((mapped, given.prefixlen - MAPPED)) if mapped and given.prefixlen >= MAPPED else given


def are_everyone(networks: Iterable[Network]) -> bool:
    """Say whether networks hold, together, so much of the internet that anyone may be in them.

    A sixteenth of it is more than any owner of proxies has, private networks and clouds included.
    """
    every = [network(each) for each in networks]
    return any(
        sum(min(each.num_addresses, whole.num_addresses) for each in collapsed(every, whole)) * A_SIXTEENTH
        >= whole.num_addresses
        for whole in EVERYWHERE
    )


def collapsed(networks: Iterable[Network], whole: Network) -> Iterable[Network]:
    """Return what of these networks lies in another, each address once."""
    if isinstance(whole, IPv4Network):
        return collapse_addresses(each for each in networks if isinstance(each, IPv4Network))
    return collapse_addresses(each for each in networks if isinstance(each, IPv6Network) and each.overlaps(whole))
