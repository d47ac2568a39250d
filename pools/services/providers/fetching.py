"""What a provider publishes and its kind wants kept: asked for when it is made, and every six hours again.

The last that was good stays until there is a better one. What a kind holds in its own process is not kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q

from identity.foundation import clock, later
from identity.foundation.errors import Invalid, OutsideUnavailable, Overloaded
from identity.foundation.task_names import Task
from pools import ports
from pools.models import ENDS, IdentityProvider
from pools.models.identity_provider import of_pool
from pools.ports import ProviderDocument, ProviderKind
from pools.services import configuration
from pools.services.providers import provider_rules

log = structlog.get_logger(__name__)
COLUMNS = ("fetched", "fetched_at", "fetch_failed_at", "fetch_problem", "ends_at")
"""What is known of what a provider publishes."""
EVERY = timedelta(hours=6)
"""AWS: SAML user pool IdP names and identifiers: metadata is read again every six hours, or before it expires."""


def put(provider: IdentityProvider, kind: ProviderKind, details: Mapping[str, str], *, in_job: bool = False) -> None:
    """Ask for what a provider publishes, and put it into a row that is to be saved.

    Raises:
        Invalid: it cannot be understood.
        OutsideUnavailable: it cannot be had.
        Overloaded: too many calls are under way.

    """
    found = kind.fetch(details, in_job=in_job)
    provider.fetched = dict(found)
    provider.fetched_at = clock.now() if found else None
    provider.ends_at = datetime.fromisoformat(found[ENDS]) if ENDS in found else None
    provider.fetch_failed_at, provider.fetch_problem = None, ""


def ask_soon(provider: IdentityProvider) -> None:
    """Have what a provider publishes read by a worker, where nobody has read it yet: beat asks for it too."""
    about = provider_rules.about(provider.type)
    if about is not None and provider.details.get(about.fetched_from) and provider.fetched_at is None:
        later.after_commit(Task.FETCH_PROVIDERS, queue="tasks")


def document(provider: IdentityProvider) -> ProviderDocument | None:
    """Return how asking went lately; None of a provider that is asked for nothing."""
    about = provider_rules.about(provider.type)
    url = provider.details.get(about.fetched_from) if about is not None else ""
    if not url:
        return None
    return ProviderDocument("metadata", url, provider.fetched_at, provider.fetch_failed_at, provider.fetch_problem)


def refresh_due(*, limit: int = 20) -> int:
    """Ask again for what was read six hours ago, or never yet; return of how many providers."""
    now, done = clock.now(), 0
    for about in provider_rules.kinds():
        if not about.fetched_from:
            continue
        rows = IdentityProvider.objects.filter(
            type=about.type, details__has_key=about.fetched_from, pool__deleted_at=None
        )
        old = Q(fetched_at=None) | Q(fetched_at__lt=now - EVERY)
        # One that does not answer is asked as often as the others, and does not keep them waiting.
        due = rows.filter(old, Q(fetch_failed_at=None) | Q(fetch_failed_at__lt=now - EVERY)).select_related("pool")
        for provider in due.order_by(F("fetched_at").asc(nulls_first=True))[:limit]:
            refresh(provider)
            done += 1
    return done


def refresh(provider: IdentityProvider) -> IdentityProvider:
    """Ask now, outside any transaction, and return the row; what fails is noted, and changes nothing else."""
    kind = ports.provider_kinds[provider.type]
    before = provider.details
    row = IdentityProvider(pool=provider.pool, id=provider.id, type=provider.type, details=before)
    changes: dict[str, object]
    try:
        put(row, kind, {**before}, in_job=True)
        changes = {name: getattr(row, name) for name in COLUMNS}
    except (Invalid, OutsideUnavailable, Overloaded) as problem:
        log.warning("provider_not_read", provider=provider.name, why=problem.detail or problem.code)
        changes = {"fetch_failed_at": clock.now(), "fetch_problem": problem.code}
    with transaction.atomic(durable=True):
        # Of a provider whose details were changed meanwhile nothing was read.
        rows = IdentityProvider.objects.filter(pool_id=provider.pool_id, id=provider.id, details=before)
        if rows.update(**changes):
            configuration.touch(provider.pool)
    return of_pool(provider.pool_id).filter(id=provider.id).first() or provider
