"""Certificates of providers that end soon: told once each to operators, by mail and log, and counted for metrics.

A certificate that has ended is taken all the same, as SAML trusts keys and not dates (SAML metadata 2.6.1); but most
who run a provider change its key then, and people do not get in who come by a key that nobody here knows.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import F, Q, QuerySet

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.telemetry import Gauge
from pools.models import IdentityProvider
from pools.services import atomic_part, audit
from pools.services.audit import Tag
from pools.services.messages import compose, outbox, texts
from pools.services.operators import operators

log = structlog.get_logger(__name__)
SOON = timedelta(days=30)


def is_soon(provider: IdentityProvider) -> bool:
    """Say whether the last of a provider's certificates ends within thirty days, or has ended."""
    return provider.ends_at is not None and provider.ends_at < clock.now() + SOON


def tell_due(*, by: Actor, limit: int = 100) -> int:
    """Tell operators of each provider whose certificates end soon, once; return of how many."""
    untold = _soon().filter(Q(expiry_told=None) | ~Q(expiry_told=F("ends_at"))).select_related("pool")
    return sum(_tell(provider, by=by) for provider in untold[:limit])


def _tell(provider: IdentityProvider, *, by: Actor) -> bool:
    pool, end = provider.pool, provider.ends_at
    if end is None:
        return False
    composed = texts.certificate_ends(pool, provider.name, end)
    mails = [compose.notice(pool, to=to, composed=composed, in_bulk=True) for to in operators.addresses()]
    with atomic_part.begin():
        rows = IdentityProvider.objects.filter(Q(expiry_told=None) | ~Q(expiry_told=end), ends_at=end)
        if not rows.filter(pool_id=provider.pool_id, id=provider.id).update(expiry_told=end):
            return False
        for mail in mails:
            outbox.queue(mail)
        detail = {"provider": provider.name, "until": end.isoformat()}
        audit.record(Tag.PROVIDER_CERTIFICATE_ENDS, pool=pool, subject=provider.name, by=by, detail=detail)
    log.warning("provider_certificate_ends", provider=provider.name, pool=pool.public_id, until=end.isoformat())
    return True


def _soon() -> QuerySet[IdentityProvider]:
    return IdentityProvider.objects.filter(ends_at__lt=clock.now() + SOON, pool__deleted_at=None)


def gauges() -> list[Gauge]:
    """Return how many providers' certificates end within thirty days, or have ended."""
    says = "Identity providers whose last certificate ends within thirty days."
    return [Gauge("cognate_provider_certificates_ending", says, _soon().count())]
