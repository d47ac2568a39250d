"""What is sent to an STS: a token that says who an identity is; and the credentials that come back. Writes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from identity.foundation import clock, names
from identity.foundation.errors import RoleRefused
from pools import ports
from pools.models import DEVELOPERS, Identity, IdentityPool
from pools.ports import Credentials, VerifiedLogin
from pools.services.identity_pools import session_policies
from pools.services.identity_pools.logins import DEVELOPER_USER, TAGS_CLAIM, developer_name
from pools.services.tokens import issue

TOKEN_LIFE = 600
EARLIER = 30
"""Seconds by which ``iat`` lies in the past: some servers allow no clock to be ahead of their own."""
CREDENTIALS_LIFE = 3600
SESSION_NAME = "CognitoIdentityCredentials"


def token(
    identity: Identity,
    logins: Sequence[VerifiedLogin],
    tags: Mapping[str, str],
    *,
    life: int = TOKEN_LIFE,
    developer_user: str | None = None,
) -> str:
    """Sign the token that the STS will read.

    One for a pool's developers says who it is there: only by that may it be brought back as a login.
    """
    now = clock.epoch()
    methods = [name for login in logins for name in _methods(identity.pool, login)]
    claims: dict[str, Any] = {
        "iss": names.identity_issuer(),
        "sub": identity.public_id,
        "aud": identity.pool.public_id,
        "amr": ["authenticated", *methods] if logins else ["unauthenticated"],
        "iat": now - EARLIER,
        "exp": now + life,
        "jti": str(uuid.uuid4()),
    }
    if developer_user is not None:
        claims[DEVELOPER_USER] = developer_user
    if tags:
        values = {tag: [value] for tag, value in tags.items()}
        claims[TAGS_CLAIM] = {"principal_tags": values, "transitive_tag_keys": []}
    return issue.identity_pool_token(claims)


def _methods(pool: IdentityPool, login: VerifiedLogin) -> tuple[str, str]:
    """Return the names of a login's provider and of the login, as tokens tell them."""
    if login.provider == DEVELOPERS:
        name = developer_name(pool)
        return name, f"{name}:{pool.public_id}:{login.subject}"
    return login.provider, login.name


def credentials(identity: Identity, logins: Sequence[VerifiedLogin], tags: Mapping[str, str], role: str) -> Credentials:
    """Ask the STS; once more with a new token, if that one was too old or the key that signs changed meanwhile.

    Raises:
        RoleRefused: the role cannot be assumed.
        OutsideUnavailable: the STS does not answer.
        Overloaded: too many ask.

    """
    policy = _policy(identity, logins, tags)

    def ask(sent: str) -> Credentials:
        return ports.credential_issuers[ports.STS].issue(
            role_arn=role, token=sent, session_name=SESSION_NAME, duration=CREDENTIALS_LIFE, policy=policy
        )

    first = token(identity, logins, tags)
    try:
        return ask(first)
    except RoleRefused as refusal:
        again = token(identity, logins, tags)
        same_key = first.partition(".")[0] == again.partition(".")[0]  # the header names the key
        if same_key and not isinstance(refusal, ports.TokenTooOld):
            raise
        return ask(again)


def _policy(identity: Identity, logins: Sequence[VerifiedLogin], tags: Mapping[str, str]) -> str | None:
    """Return what confines the caller within the role."""
    pool = identity.pool
    if not logins:
        return session_policies.for_guest(pool.guest_session_policy, identity_id=identity.public_id)
    if not pool.member_session_policy:
        return None
    return session_policies.render(pool.member_session_policy, identity_id=identity.public_id, tags=tags)
