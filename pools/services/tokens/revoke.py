"""End refresh families, and with each every access token of it."""

from __future__ import annotations

import uuid

from django.db import transaction

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import RevocationDisabled, TokenOfAnotherClient, UnsupportedToken
from pools.models import AppClient, RefreshFamily
from pools.models.hot import Person
from pools.services import audit
from pools.services.audit import Tag
from pools.services.pools import signing_keys
from pools.services.tokens import refresh_tokens


def revoke(client: AppClient, token: str, *, by: Actor) -> None:
    """End a refresh token and every access token of its family. Unknown and dead ones are no error (RFC 7009).

    Raises:
        RevocationDisabled: the client has it switched off.
        UnsupportedToken: an ID or access token.
        TokenOfAnotherClient: another client of the pool was given it.

    """
    if not client.revocation:
        raise RevocationDisabled
    presented = refresh_tokens.unpack(client, token)
    if presented is None:
        if signing_keys.unverified_header(token):
            raise UnsupportedToken
        if _anothers(client, token):
            raise TokenOfAnotherClient
        return
    with transaction.atomic(durable=True):
        if _end(client.pool_id, presented.family_id):
            detail = {"client_id": client.client_id}
            audit.record(Tag.TOKEN_REVOKED, pool=client.pool, subject=presented.family_id, by=by, detail=detail)


def _anothers(client: AppClient, token: str) -> bool:
    """Say whether another client of the pool was given this refresh token."""
    raw = refresh_tokens.read(token)
    if raw is None:
        return False
    families = RefreshFamily.objects.filter(pool_id=client.pool_id, pk=uuid.UUID(bytes=raw[0]))
    owner_pk = families.values_list("client_id", flat=True).first()
    if owner_pk is None or owner_pk == client.pk:
        return False
    owner = AppClient.objects.filter(pool_id=client.pool_id, pk=owner_pk).first()
    if owner is None:
        return False
    owner.pool = client.pool
    return refresh_tokens.unpack(owner, token) is not None


def end_reused(client: AppClient, family_id: uuid.UUID, person: Person | None, tag: Tag, *, by: Actor) -> None:
    """End the family of a single-use thing that came again; of many times, one leaves an audit row."""
    with transaction.atomic(durable=True):
        if _end(client.pool_id, family_id):
            subject = person.sub if person else ""
            detail = {"client_id": client.client_id}
            audit.record(tag, pool=client.pool, subject=subject, outcome="refused", by=by, detail=detail)


def _end(pool_id: int, family_id: uuid.UUID) -> bool:
    live = RefreshFamily.objects.filter(pool_id=pool_id, pk=family_id, revoked_at=None)
    return live.update(revoked_at=clock.now()) == 1
