"""Authorization codes (RFC 6749 section 4.1, RFC 7636): written for a browser's session, turned into tokens once.

A code is spent, and its family made, by one statement; then the tokens are signed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from datetime import timedelta

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import GrantRefused
from identity.foundation.names import uuid7
from pools.models import AppClient, AuthorizationCode, hot
from pools.services import assurance
from pools.services.audit import Tag
from pools.services.tokens import bound as bounds
from pools.services.tokens import issue, refresh_tokens, revoke
from pools.services.tokens.bound import Bound
from pools.services.tokens.claims import Grant
from pools.services.tokens.issue import TokenSet

CODE_LIFE = timedelta(minutes=5)


def issue_code(
    client: AppClient, session: hot.BrowserSession, *, redirect_uri: str, bound: Bound, code_challenge: str = ""
) -> str:
    """Write an authorization code for a browser's session and return it: five minutes, one use, bound to all given."""
    code = str(uuid.uuid4())
    AuthorizationCode(
        id=uuid7(),
        pool_id=client.pool_id,
        client_id=client.pk,
        user_id=session.person.id,
        hashed=sealing.keyed_hash("authorization_code", code),
        redirect_uri=redirect_uri,
        bound=bound.document(),
        # For processes of the release before, while both run.
        scopes=list(bound.scopes),
        nonce=bound.nonce,
        code_challenge=code_challenge,
        auth_time=session.auth_time,
        methods=assurance.of_tokens(session.methods),
        epoch=session.epoch,
        event_id=session.event_id,
        family_id=uuid7(),
        expires_at=clock.now() + CODE_LIFE,
    ).save(force_insert=True)
    return code


def redeem(client: AppClient, code: str, *, redirect_uri: str, verifier: str | None, by: Actor) -> TokenSet:
    """Turn a code into tokens, once. A second use ends what the first one made (RFC 6749 section 4.1.2).

    Raises:
        GrantRefused: unknown, used, expired, another client's or redirect URI's, or the PKCE verifier is wrong.

    """
    salt, now = os.urandom(16), clock.now()
    found = hot.redeem(
        pool=client.pool_id,
        hashes=sealing.keyed_hashes("authorization_code", code[:200]),
        client=client.pk,
        redirect_uri=redirect_uri,
        challenge=_challenge(verifier),
        salt=salt,
        family_expires_at=now + timedelta(seconds=client.refresh_seconds),
        now=now,
    )
    if found is None:
        raise GrantRefused(detail="unknown code")
    if found.person is None or not found.redeemed:
        raise _refusal(client, found, redirect_uri, verifier, by)
    grant = Grant(
        found.family_id,
        found.event_id,
        found.auth_time,
        bounds.read(found.bound),
        tuple(found.methods),
    )
    refresh_token = refresh_tokens.pack(client, found.family_id, 0, salt)
    issued = issue.sign(client, found.person, found.groups, grant, refresh_token)
    issue.issued_by("authorization_code").inc()
    return issued


def _challenge(verifier: str | None) -> str:
    """Return the S256 challenge of a verifier (RFC 7636), empty without one: as the code must hold it, exactly."""
    if not verifier:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _refusal(
    client: AppClient, found: hot.RedeemedCode, redirect_uri: str, verifier: str | None, by: Actor
) -> GrantRefused:
    """Return why a code was not redeemed."""
    if found.client_pk != client.pk:
        return GrantRefused(detail="another client's code")
    if found.consumed_at is None:
        person = found.person
        if found.expires_at <= clock.now():
            return GrantRefused(detail="expired code")
        if found.redirect_uri != redirect_uri:
            return GrantRefused(detail="another redirect_uri")
        if found.code_challenge != _challenge(verifier):
            return GrantRefused(detail="wrong verifier, or a verifier without a challenge")
        if person is None or not person.enabled or person.epoch != found.epoch:
            return GrantRefused(detail="the user is gone, disabled or signed out")
    # Before, or by a duplicate that was faster.
    revoke.end_reused(client, found.family_id, found.person, Tag.CODE_REUSED, by=by)
    return GrantRefused(detail="code used twice")
