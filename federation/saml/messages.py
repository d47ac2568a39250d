"""Protocol messages that are begun here (SAML core 3.2): what all requests, and all answers to them, have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation.saml.documents import Element
from federation.saml.rules import PROTOCOL, SAML, saml, samlp
from federation.saml.writing import instant, new_id, put, root, written
from identity.foundation import clock

PREFIXES: Final = {"samlp": PROTOCOL, "saml": SAML}
"""Of protocol messages, as most who write them have it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was written here, unsigned."""

    root: Element
    id: str
    """By which its answer names it."""

    @property
    def data(self) -> bytes:
        """Its bytes. Raises Unwritable: too large."""
        return written(self.root)


def begin(name: str, *, issuer: str, destination: str, identifier: str = "") -> Message:
    """Return a message that says who sends it, to which address and when; by an ID of its own, unless one is given.

    Raises:
        Unwritable: XML cannot hold a name or an address.

    """
    chosen, now = identifier or new_id(), instant(clock.now())
    found = root(samlp(name), PREFIXES, ID=chosen, Version="2.0", IssueInstant=now, Destination=destination)
    put(found, saml("Issuer"), issuer)
    return Message(found, chosen)
