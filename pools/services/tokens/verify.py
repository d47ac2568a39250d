"""Check a token of ours, and return whom it speaks for.

Whether person and session still live is asked of PostgreSQL each time, by one statement, and never held.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from identity.foundation import clock
from identity.foundation.errors import (
    ClientNotFound,
    LoginRefused,
    PoolNotFound,
    ProofTooOld,
    ScopeMissing,
    TokenExpired,
    TokenRefused,
    TokenRevoked,
    UserDisabled,
    UserNotFound,
)
from pools import ports
from pools.models import AppClient, UserPool, hot
from pools.models.hot import Person
from pools.services import access, assurance
from pools.services.pools import resource_servers, signing_keys
from pools.services.tokens import claims

Use = signing_keys.Use


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a verified, live access token speaks for."""

    person: Person
    client: AppClient
    scopes: frozenset[str]
    claims: dict[str, Any]

    @property
    def pool(self) -> UserPool:
        """Return the pool."""
        return self.client.pool

    @property
    def user_id(self) -> uuid.UUID:
        """Return the user's internal id."""
        return self.person.id

    @property
    def sub(self) -> uuid.UUID:
        """Return the user's public id."""
        return self.person.sub

    @property
    def username(self) -> str:
        """Return the internal username."""
        return self.person.username


def verify_access(
    token: str, *, scope: str | None = None, pool: UserPool | None = None, changing_proof: bool = False
) -> Bearer:
    """Return whom a live access token of a person speaks for: one signature check, one statement.

    ``changing_proof`` is for what changes how its person signs in: where the pool says so, only who did of late may, as
    on the pages. Refreshing and another app's session keep the time of the sign-in, so neither makes it later.

    Raises:
        TokenRefused: not an access token of ours (of this pool, where one is given).
        TokenExpired, TokenRevoked, ScopeMissing: as named.
        UserDisabled, UserNotFound: the person was disabled or deleted.
        ProofTooOld: the person signed in too long ago for that change.

    """
    payload, client = _verified(token, Use.ACCESS, pool)
    if payload.get("token_use") != "access" or "username" not in payload:
        raise TokenRefused
    scopes = frozenset(str(payload.get("scope", "")).split())
    live = _live(client, payload)
    if scope is not None and scope not in scopes:
        raise ScopeMissing
    bearer = Bearer(live, client, scopes, payload)
    if changing_proof:
        check_proof(bearer)
    return bearer


def verify_holder(token: str, *, scope: str, pool: UserPool) -> tuple[AppClient, Person | None]:
    """Return the app that a live access token with a scope was issued to, and the person it acts for, if any.

    Whether the app itself still lives, and may still have that scope, is asked too.

    Raises:
        TokenRefused: not an access token of this pool.
        TokenExpired, TokenRevoked, ScopeMissing: as named.
        UserDisabled, UserNotFound: the person was disabled or deleted.

    """
    payload, client = _verified(token, Use.ACCESS, pool)
    if payload.get("token_use") != "access":
        raise TokenRefused
    person = _live(client, payload) if "username" in payload else None
    if person is None and not AppClient.objects.filter(pool_id=client.pool_id, id=client.id).exists():
        raise TokenRefused(detail="the client is gone")
    if scope not in str(payload.get("scope", "")).split() or scope not in resource_servers.granted_scopes(client):
        raise ScopeMissing
    return client, person


def check_proof(bearer: Bearer) -> None:
    """Refuse a change of how somebody signs in, where the pool asks for a recent sign-in and theirs is not.

    Raises:
        ProofTooOld: as named.

    """
    auth_time = bearer.claims.get("auth_time")
    if not bearer.pool.recent_proof:
        return
    if not isinstance(auth_time, int) or not assurance.is_recent(datetime.fromtimestamp(auth_time, UTC)):
        raise ProofTooOld


def _verified(token: str, use: Use, pool: UserPool | None) -> tuple[dict[str, Any], AppClient]:
    """Return a token's claims and client, after signature, issuer, times and client were checked."""
    unverified = signing_keys.read(token)
    try:
        issuing = access.pool(signing_keys.issuer_pool(unverified.claims))
    except PoolNotFound:
        raise TokenRefused(detail="foreign issuer") from None
    if pool is not None and issuing.pk != pool.pk:
        raise TokenRefused(detail="another pool's token")
    payload = signing_keys.check(issuing, use, unverified)
    if payload is None:
        raise TokenRefused(detail="signature")
    expires, issued_at = payload.get("exp"), payload.get("iat")
    if not isinstance(expires, int) or not isinstance(issued_at, int):
        raise TokenRefused(detail="times")
    if expires <= clock.epoch():
        raise TokenExpired
    try:
        client = access.client_in(issuing, str(payload.get("client_id") or payload.get("aud") or ""))
    except ClientNotFound:
        raise TokenRefused(detail="the client is gone") from None
    return payload, client


def _live(client: AppClient, payload: dict[str, Any]) -> Person:
    """Return the person of a verified token, if person and family still live."""
    try:
        sub = uuid.UUID(str(payload.get("sub")))
        family = uuid.UUID(str(payload.get("origin_jti") or payload.get("sid")))
    except ValueError:
        raise TokenRefused(detail="claims") from None
    found = hot.bearer(client.pool_id, sub, family)
    if found is None:
        raise UserNotFound
    if not found.person.enabled:
        raise UserDisabled
    if found.family_id is None or found.family_revoked_at is not None or found.family_epoch != found.person.epoch:
        raise TokenRevoked
    return found.person


def verify_id(token: str, *, pool: UserPool, client_ids: Sequence[str]) -> tuple[dict[str, Any], Person]:
    """Return the claims of one of this pool's ID tokens, and whose it is, for an identity pool with these clients.

    Whether person and session still live is asked each time, by one statement, whatever ServerSideTokenCheck says: AWS
    credentials are never given on less than can be checked here.

    Raises:
        LoginRefused: in Cognito's words.

    """
    unverified = signing_keys.read(token)
    if not unverified.claims:
        raise LoginRefused(ports.NOT_A_TOKEN)
    if signing_keys.issuer_pool(unverified.claims) != pool.public_id:
        raise LoginRefused(ports.OTHER_ISSUER)
    payload = signing_keys.check(pool, Use.ID, unverified)
    if payload is None:
        if signing_keys.check(pool, Use.ACCESS, unverified) is not None:
            raise ports.claim_missing("aud")
        raise LoginRefused(ports.NOT_SIGNED)
    now = clock.epoch()
    expires = payload.get("exp")
    if payload.get("token_use") != "id" or not isinstance(expires, int):
        raise LoginRefused("Invalid login token.")
    if expires <= now:
        raise ports.login_expired(expires, now)
    if payload.get("aud") not in client_ids:
        raise LoginRefused(ports.OTHER_APPLICATION)
    return payload, _still_live(pool, payload)


def _still_live(pool: UserPool, payload: dict[str, Any]) -> Person:
    try:
        return _live(access.client_in(pool, str(payload["aud"])), payload)
    except (ClientNotFound, TokenRefused, UserDisabled, UserNotFound) as problem:
        raise LoginRefused("Invalid login token. Token is no longer valid.", detail=problem.message) from None


def attributes_of(person: Person, client: AppClient) -> dict[str, str]:
    """Return a person's attributes that a client may read, as wire texts."""
    return claims.visible(client, person, None)
