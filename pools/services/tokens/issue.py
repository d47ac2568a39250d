"""Sign tokens for a grant: a person's, a client's own, an identity pool's.

Writes nothing, and never signs inside a transaction. Only ``sign_in.machine.complete`` issues for a person who signs
in; codes and refresh tokens continue what it began.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from prometheus_client import Counter

from identity.foundation import clock
from pools.models import AppClient, hot
from pools.models.hot import Person, UserGroup
from pools.services import triggers
from pools.services.pools import resource_servers, signing_keys
from pools.services.tokens import claims, refresh_tokens
from pools.services.tokens.claims import Grant

ISSUED = Counter("cognate_tokens_issued_total", "Tokens issued.", ["grant"])
# Looking a label up takes longer than counting.
issued_by = cache(ISSUED.labels)
Use = signing_keys.Use


class TokenSet(NamedTuple):
    """What a grant gives."""

    access: str
    id: str | None
    refresh: str | None
    expires_in: int
    scopes: tuple[str, ...]


class Issued(NamedTuple):
    """Signed tokens, and the row that makes them live."""

    tokens: TokenSet
    family: hot.NewFamily


def issue(client: AppClient, person: Person, groups: Sequence[UserGroup], grant: Grant) -> Issued:
    """Sign tokens for a grant; nothing is written. The caller makes the family in the transaction of the proof."""
    salt = os.urandom(16)
    now = clock.now()
    family = hot.NewFamily(
        id=grant.family_id,
        pool=client.pool_id,
        client=client.pk,
        user=person.id,
        salt=salt,
        epoch=person.epoch,
        bound=json.dumps(grant.bound.document()),
        auth_time=grant.auth_time,
        proofs=list(grant.methods),
        event=grant.event_id,
        expires_at=now + timedelta(seconds=client.refresh_seconds),
        now=now,
    )
    refresh_token = refresh_tokens.pack(client, family.id, 0, salt)
    return Issued(sign(client, person, groups, grant, refresh_token), family)


def sign(
    client: AppClient, person: Person, groups: Sequence[UserGroup], grant: Grant, refresh_token: str | None
) -> TokenSet:
    """Sign access and ID token of a grant.

    Raises:
        TriggerUnavailable: something that cannot be called may change what they say.

    """
    triggers.check(client.pool, *triggers.OF_TOKENS)
    # A resource server, or a scope of one, may have gone since it was granted (AWS: API_DeleteResourceServer).
    scopes = resource_servers.present(client.pool, grant.bound.scopes)
    if scopes != grant.bound.scopes:
        grant = replace(grant, bound=replace(grant.bound, scopes=scopes))
    common = claims.shared(client, person, groups, grant)
    access_token = signing_keys.sign(client.pool, Use.ACCESS, claims.access(common, client, person, grant))
    id_token = None
    if not grant.bound.oauth or "openid" in grant.bound.scopes:
        # API tokens go without at_hash, since their clients check it by halves.
        at_hash = half_hash(access_token) if grant.bound.oauth else ""
        told = claims.identity(common, client, person, groups, grant, at_hash=at_hash)
        id_token = signing_keys.sign(client.pool, Use.ID, told)
    return TokenSet(access_token, id_token, refresh_token, client.access_seconds, grant.bound.scopes)


def half_hash(access_token: str) -> str:
    """Return what binds an ID token to its access token: ``at_hash`` (OpenID Connect Core section 3.1.3.6)."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).decode().rstrip("=")


def client_credentials(client: AppClient, scopes: Sequence[str]) -> TokenSet:
    """Issue an access token to a client that has proven its secret. Asks the database nothing.

    Raises:
        TriggerUnavailable: something that cannot be called may change what it says.

    """
    triggers.check_for_client(client.pool)
    issued_by("client_credentials").inc()
    token = signing_keys.sign(client.pool, Use.ACCESS, claims.of_client(client, scopes))
    return TokenSet(token, None, None, client.access_seconds, tuple(scopes))


def identity_pool_token(payload: dict[str, Any]) -> str:
    """Sign an identity pool's token for STS."""
    issued_by("identity").inc()
    return signing_keys.sign(None, Use.IDENTITY, payload)
