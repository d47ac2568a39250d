# pretend: pools/oidc/refusals.py
"""An adapter that keeps its own books."""

from identity.foundation.actor import Actor
from pools.services import audit


def refuse(client_id: str) -> None:
    """Record that a client was refused."""
    audit.record(audit.Tag.CLIENT_REFUSED, subject=client_id, outcome="refused", by=Actor.visitor())
