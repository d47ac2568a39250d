"""What ID and access tokens say. Pure: from a person, a client and a grant to claims."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from identity.foundation import clock, names
from pools.models import AppClient
from pools.models.hot import Person, UserGroup
from pools.services.people import attributes
from pools.services.pools import app_clients, assurance_levels, openid, schema
from pools.services.tokens.bound import Bound

BY_API = Bound(scopes=("aws.cognito.signin.user.admin",))
"""What signing in by the API gives."""
EMAIL = frozenset({"email", "email_verified"})
PHONE = frozenset({"phone_number", "phone_number_verified"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is issued for: how the person signed in, for how much, in which family."""

    family_id: uuid.UUID
    event_id: uuid.UUID
    auth_time: datetime
    bound: Bound = BY_API
    methods: tuple[str, ...] = ()
    """How the person proved who they are (RFC 8176 values)."""
    refreshed: bool = False
    """By a refresh token: what answers one request was said before."""


def shared(client: AppClient, person: Person, groups: Sequence[UserGroup], grant: Grant) -> dict[str, Any]:
    """Return the claims that both tokens have; each may have a ``jti`` of its own."""
    found: dict[str, Any] = {"sub": str(person.sub)}
    if groups:
        found["cognito:groups"] = [group.name for group in groups]
    found["iss"] = names.issuer(client.pool.public_id)
    if client.revocation:
        found["origin_jti"] = str(grant.family_id)
        found["jti"] = names.uuid4_text()
    else:
        # Such clients promise no revocation, but a sign-out everywhere still has to find the session.
        found["sid"] = str(grant.family_id)
    found["event_id"] = str(grant.event_id)
    found["auth_time"] = int(grant.auth_time.timestamp())
    found["iat"] = clock.epoch()
    return found


def access(common: Mapping[str, Any], client: AppClient, person: Person, grant: Grant) -> dict[str, Any]:
    """Return the access token's claims (4.3): the shared ones, no audience, no attributes."""
    found = dict(common)
    found["exp"] = found["iat"] + client.access_seconds
    found["client_id"] = client.client_id
    found["token_use"] = "access"  # noqa: S105 - a claim
    found["scope"] = " ".join(grant.bound.scopes)
    found["username"] = person.username
    if grant.bound.oauth:
        found["version"] = 2
    if grant.methods and openid.tells_assurance(client, in_id_token=False):
        found["acr"] = assurance_levels.of(client.pool, grant.methods)
    return found


def identity(
    common: Mapping[str, Any],
    client: AppClient,
    person: Person,
    groups: Sequence[UserGroup],
    grant: Grant,
    *,
    at_hash: str = "",
) -> dict[str, Any]:
    """Return the ID token's claims (4.2): the shared ones, and attributes that client may read and scopes cover."""
    found = dict(common)
    if "jti" in found:
        found["jti"] = names.uuid4_text()
    found["exp"] = found["iat"] + client.id_seconds
    found["aud"] = client.client_id
    found["token_use"] = "id"  # noqa: S105 - a claim
    found["cognito:username"] = person.username
    if roles := role_claims(groups):
        found.update(roles)
    if grant.bound.nonce and not grant.refreshed:  # OpenID Connect Core section 12.2
        found["nonce"] = grant.bound.nonce
    if grant.methods and openid.tells_assurance(client, in_id_token=True):
        found["acr"] = assurance_levels.of(client.pool, grant.methods)
    if at_hash:
        found["at_hash"] = at_hash
    for name, value in visible(client, person, grant.bound.scopes if grant.bound.oauth else None).items():
        found.setdefault(name, typed(name, value))
    return found


def role_claims(groups: Sequence[UserGroup]) -> dict[str, Any]:
    """Return ``cognito:roles`` and, where the best groups agree, ``cognito:preferred_role`` (2.5)."""
    with_roles = [group for group in groups if group.role_arn]
    roles = list(dict.fromkeys(group.role_arn for group in with_roles))
    if not roles:
        return {}
    found: dict[str, Any] = {"cognito:roles": roles}
    ranked = [group for group in with_roles if group.precedence is not None]
    best = min((group.precedence for group in ranked if group.precedence is not None), default=None)
    candidates = {group.role_arn for group in ranked if group.precedence == best} if ranked else set(roles)
    if len(candidates) == 1:
        found["cognito:preferred_role"] = candidates.pop()
    return found


def visible(client: AppClient, person: Person, scopes: Sequence[str] | None) -> dict[str, str]:
    """Return the attributes that the client may read, and of them those that the scopes cover (None: all)."""
    allowed = app_clients.readable(client, client.pool)
    seen = {name: value for name, value in attributes.of(person).items() if name == "sub" or name in allowed}
    if scopes is None:
        return seen
    narrowing = {"email", "phone", "profile"}.intersection(scopes)
    if "openid" not in scopes:
        return {"sub": seen["sub"]}
    if not narrowing:
        return seen
    return {name: value for name, value in seen.items() if name == "sub" or covered(name, narrowing)}


def covered(name: str, scopes: set[str]) -> bool:
    """Say whether email, phone or profile scope covers an attribute; profile has all that the others have not."""
    if name in EMAIL:
        return "email" in scopes
    if name in PHONE:
        return "phone" in scopes
    return "profile" in scopes


def typed(name: str, value: str) -> object:
    """Return an attribute as the ID token types it: two booleans, one number, one object, else text."""
    if name in {"email_verified", "phone_number_verified"}:
        return value == "true"
    if name == "address":
        return {"formatted": value}
    if name == "updated_at":
        return int(value) if schema.NUMBER.fullmatch(value) else value
    return value


def of_client(client: AppClient, scopes: Sequence[str]) -> dict[str, Any]:
    """Return the access token's claims of client credentials: the client is its own subject."""
    now = clock.epoch()
    return {
        "sub": client.client_id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": names.issuer(client.pool.public_id),
        "exp": now + client.access_seconds,
        "iat": now,
        "version": 2,
        "jti": names.uuid4_text(),
        "client_id": client.client_id,
    }


def user_info(client: AppClient, person: Person, scopes: Sequence[str]) -> Mapping[str, object]:
    """Return userInfo's claims by scope: texts, as Cognito has them there, but for the address (5.5).

    Where OpenID Connect's rules hold, they are typed as in the ID token (OpenID Connect Core section 5.1).
    """
    types_all = openid.rules(client).types_user_info
    found = {
        name: typed(name, value) if types_all or name == "address" else value
        for name, value in visible(client, person, scopes).items()
    }
    return {**found, "username": person.username}
