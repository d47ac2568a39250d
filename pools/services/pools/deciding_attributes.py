"""Custom attributes that decide a role or a session tag in identity pools, where some app lets people write them.

Nothing is refused for it: Cognito allows it too. It is told in the console and in the log, since who writes such an
attribute chooses what they may do in AWS. Who may write what is ``app_clients``; roles are chosen by
``identity_pools.roles``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from pools.models import AppClient, IdentityPool, PrincipalTagMap, UserPool
from pools.services.pools import schema

log = structlog.get_logger(__name__)
NAMED = 5
"""How many apps are named; how many more there are is told."""


@dataclass(frozen=True, slots=True)
class SelfWritable:
    """Attributes that decide, and that people write themselves; the first apps that let them, and how many do."""

    attributes: tuple[str, ...] = ()
    apps: tuple[AppClient, ...] = ()
    count: int = 0

    @property
    def more(self) -> int:
        """Return how many apps are not named."""
        return self.count - len(self.apps)


def find(pool: UserPool, client: AppClient | None = None) -> SelfWritable:
    """Return which of a pool's custom attributes decide and can be written through some app (or this one)."""
    deciding = sorted({name for name in _claims(pool) if name.startswith(schema.CUSTOM) and name in pool.schema})
    if not deciding:
        return SelfWritable()
    # An app without a list lets people write all custom attributes (``app_clients.writable``).
    may_write = Q(write_attributes=None) | Q(write_attributes__overlap=deciding)
    rows = AppClient.objects.filter(may_write, pool_id=pool.pk)
    if client is not None:
        rows = rows.filter(pk=client.pk)
    listed = rows.values_list("write_attributes", flat=True).distinct()
    written = {name for names in listed for name in (deciding if names is None else names)}
    found = tuple(name for name in deciding if name in written)
    if not found:
        return SelfWritable()
    return SelfWritable(found, tuple(rows.order_by("id")[:NAMED]), rows.count())


def warn(pool: UserPool) -> None:
    """Leave a line in the log if people write what decides about them; called after a change on either side."""
    found = find(pool)
    if found.attributes:
        apps = [client.client_id for client in found.apps]
        log.warning(
            "self_written_attributes_decide",
            pool=pool.public_id,
            attributes=list(found.attributes),
            clients=apps,
            more=found.more,
        )


def _claims(pool: UserPool) -> Iterator[str]:
    """Walk the claims of a pool's tokens that some identity pool's rules or principal tags read."""
    named = IdentityPool.objects.annotate(named=Cast("providers", TextField()))
    rows = named.filter(deleted_at=None, named__contains=f'/{pool.public_id}"').values_list("pk", "role_mappings")
    found = dict(rows)
    for mappings in found.values():
        yield from _of_rules(pool, mappings)
    for row in PrincipalTagMap.objects.filter(pool_id__in=list(found), provider__endswith=f"/{pool.public_id}"):
        yield from row.tags.values()


def _of_rules(pool: UserPool, mappings: Mapping[str, Any]) -> Iterator[str]:
    for key, mapping in mappings.items():
        _, _, named = key.rpartition("/")
        if named.partition(":")[0] == pool.public_id and mapping.get("type") == "Rules":
            rules = (mapping.get("rules_configuration") or {}).get("rules") or []
            yield from (str(rule["claim"]) for rule in rules)
