"""How a provider fares: how reading what it publishes went, and which sign-ins by it were refused.

Looking asks nobody; a check asks the provider at once, when an operator wants to know. What a process holds by itself,
each knows for itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from pools import ports
from pools.models import AuditEvent, IdentityProvider
from pools.ports import ProviderDocument
from pools.services import atomic_part, receipts
from pools.services.audit import Tag
from pools.services.providers import fetching
from pools.services.receipts import Receipt


def of(provider: IdentityProvider) -> Sequence[ProviderDocument]:
    """Return what is known of each document; nothing of a provider that publishes none."""
    kind = ports.provider_kinds.get(provider.type)
    if kind is None:
        return ()
    kept = fetching.document(provider)
    return kind.documents(provider.details) if kept is None else (kept, *kind.documents(provider.details))


def check(provider: IdentityProvider, *, receipt: Receipt | None = None) -> Sequence[ProviderDocument]:
    """Ask for each document now, through the guarded client and within its time-out; return what is known then.

    Raises:
        AlreadyAccepted: the form that asks for it was accepted before.
        Overloaded: too many calls are under way.

    """
    kind = ports.provider_kinds.get(provider.type)
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
    if kind is None:
        return ()
    if fetching.document(provider) is not None:
        provider = fetching.refresh(provider)
    kind.read_documents(provider.details)
    return of(provider)


def refused(provider: IdentityProvider, *, limit: int = 10) -> list[AuditEvent]:
    """Return the latest sign-ins by a provider that were refused, the newest first; each names the check."""
    rows = AuditEvent.objects.filter(pool_id=provider.pool_id, subject=provider.name, tag=Tag.PROVIDER_LOGIN_REFUSED)
    return list(rows.order_by("-id")[:limit])
