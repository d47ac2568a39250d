"""Turn a refresh token into new tokens, and into its successor where the client rotates.

Whether a family is still good is asked of PostgreSQL each time, by one statement, and never held.
"""

from __future__ import annotations

import hmac
import json
import os
from datetime import datetime, timedelta

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import FlowNotEnabled, RefreshRefused, RefreshReused, UserDisabled
from pools.models import AppClient, RefreshFamily, hot
from pools.services.audit import Tag
from pools.services.tokens import bound, issue, refresh_tokens, revoke
from pools.services.tokens.claims import Grant
from pools.services.tokens.issue import TokenSet

COARSE = timedelta(minutes=15)
"""How exact ``last_active_at`` is: a refresh that rotates nothing writes no more often."""
MOST = 16
"""How many replaced tokens of a family are good at a time; who rotates faster loses the oldest."""


def refresh(client: AppClient, token: str, *, by: Actor, rotating: bool = True) -> TokenSet:
    """Issue new tokens for a live family; with rotation, a new refresh token too, which keeps the remaining life.

    ``rotating=False`` is InitiateAuth's, which clients with rotation may not use.

    Raises:
        FlowNotEnabled: rotation is on and the caller cannot carry a new token.
        RefreshRefused: unreadable, another client's, expired, revoked, signed out or disabled.
        RefreshReused: a rotated token came back after its grace time; the family is ended.

    """
    if client.rotation and not rotating:
        raise FlowNotEnabled("Refresh token rotation is enabled for this client; use GetTokensFromRefreshToken.")
    presented = refresh_tokens.unpack(client, token)
    if presented is None:
        raise RefreshRefused(detail="unreadable")
    family = hot.family(client.pool_id, presented.family_id)
    now = clock.now()
    if family is None:  # the token is ours: what it was of ended, and has been purged since
        raise RefreshRefused("Refresh Token has been revoked", detail="the family is gone")
    if family.client_pk != client.pk:
        raise RefreshRefused(detail="another client's family")
    if family.revoked_at is not None:
        raise RefreshRefused("Refresh Token has been revoked")
    if family.expires_at <= now:
        raise RefreshRefused("Refresh Token has expired")
    person = family.person
    if person is None:
        raise RefreshRefused("Refresh Token has been revoked", detail="the user is gone")
    if not person.enabled:
        raise UserDisabled
    if person.epoch != family.epoch:
        raise RefreshRefused("Refresh Token has been revoked", detail="signed out everywhere")
    grant = Grant(
        family.id,
        family.event_id,
        family.auth_time,
        bound.read(family.bound),
        tuple(family.methods),
        refreshed=True,
    )
    successor = _turn(client, family, presented, by)
    issue.issued_by("refresh_token").inc()
    return issue.sign(client, person, family.groups, grant, successor)


def _turn(client: AppClient, family: hot.Family, presented: refresh_tokens.Presented, by: Actor) -> str | None:
    """Rotate where the client rotates; return the successor, None where the token stays.

    Raises:
        RefreshReused: not the present generation, nor one that was replaced within the grace time.

    """
    now = clock.now()
    current = presented.generation == family.generation and hmac.compare_digest(presented.salt, family.salt)
    if current and not client.rotation:
        if family.last_active_at < now - COARSE:
            RefreshFamily.objects.filter(pool_id=client.pool_id, pk=family.id).update(last_active_at=now)
        return None
    if current:
        salt = os.urandom(16)
        rotations = json.dumps(_within_grace(client, family, now))
        if hot.execute(hot.ROTATE, (salt, now, now, rotations, client.pool_id, family.id, family.generation)) == 1:
            return refresh_tokens.pack(client, family.id, family.generation + 1, salt)
        again = hot.family(client.pool_id, family.id)  # a duplicate was faster: both get the same successor
        if again is None or again.revoked_at is not None:
            raise RefreshRefused("Refresh Token has been revoked")
        family = again
    # Salts are no secret from who shows a token whose MAC holds.
    if presented.salt.hex() in _within_grace(client, family, now):
        return refresh_tokens.pack(client, family.id, family.generation, family.salt)
    revoke.end_reused(client, family.id, family.person, Tag.TOKEN_REUSED, by=by)
    raise RefreshReused


def _within_grace(client: AppClient, family: hot.Family, now: datetime) -> dict[str, float]:
    """Return the salts of the tokens that are replaced and still good, each with the moment of its rotation.

    Each stays good for the grace time after its own rotation, whatever became of its successor
    meanwhile: of two that hold one token, the slower must not end both sessions because the faster refreshed twice.
    RFC 9700 section 4.14.2 counts as reuse what comes after it was made invalid.
    """
    moments = dict(family.rotations)
    if family.previous_salt is not None and family.rotated_at is not None:
        moments[family.previous_salt.hex()] = family.rotated_at.timestamp()
    since = now.timestamp() - client.rotation_grace_seconds
    good = sorted((moment, salt) for salt, moment in moments.items() if moment >= since)
    return {salt: moment for moment, salt in good[-MOST:]}
