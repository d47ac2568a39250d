"""How often one address may fail to sign in at a pool's pages, whatever the names: beside the lock of each account.

Only for browsers. An address that asks the wire API is a whole application's server, and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from identity.foundation import errors, limits

if TYPE_CHECKING:
    from pools.web.page_request import PageRequest

NAME = "hosted-sign-in-failed"
FAILURES = 50
"""Success costs nothing, so an office behind one address stays below; whoever tries names in turn gets little."""
WINDOW = 300
"""Seconds: long enough to slow a list of passwords down, short enough for those who share the address to wait."""
NETWORK = 64
"""Bits of an IPv6 address that count: the rest is its owner's to choose."""
COUNTED = (
    errors.PasswordIncorrect,
    errors.UserNotFound,
    errors.UserDisabled,
    errors.WrongState,
    errors.CodeMismatch,
    errors.CodeExpired,
)


@contextmanager
def count(page_request: PageRequest) -> Iterator[None]:
    """Let a proof be looked at, and count it if it is wrong. Failures of known and unknown names count alike.

    Raises:
        LockedOut: too many failed lately from this address; nothing was looked at.

    """
    key = f"{page_request.pool.public_id}:{source(page_request.by.address)}"
    if wait := limits.wait(NAME, key, limit=FAILURES, window=WINDOW):
        raise errors.LockedOut(retry_after=wait, detail="many failures from one address")
    try:
        yield
    except COUNTED:
        limits.take(NAME, key, limit=FAILURES, window=WINDOW)
        raise


def source(address: str) -> str:
    """Return what one household or machine cannot change of its address."""
    if address and isinstance(ip_address(address), IPv6Address):
        return str(ip_network((address, NETWORK), strict=False))
    return address
