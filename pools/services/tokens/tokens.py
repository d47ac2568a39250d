"""Tokens: issue, redeem, refresh, revoke, verify.

Only ``sign_in.machine.complete`` issues for a person who signs in; codes and refresh tokens continue what it began.
No signature inside a transaction: a sign-in signs and then writes, a code is spent and then signed for. Whether a
token is still good is asked of PostgreSQL each time, by one statement, and never held.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from prometheus_client import Counter

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    ClientNotFound,
    FlowNotEnabled,
    GrantRefused,
    LoginRefused,
    PoolNotFound,
    ProofTooOld,
    RefreshRefused,
    RefreshReused,
    RevocationDisabled,
    ScopeMissing,
    TokenExpired,
    TokenOfAnotherClient,
    TokenRefused,
    TokenRevoked,
    UnsupportedToken,
    UserDisabled,
    UserNotFound,
)
from identity.foundation.names import uuid7
from pools.models import AppClient, AuthorizationCode, RefreshFamily, UserPool, hot
from pools.models.hot import Member, Person
from pools.services import access, assurance, audit
from pools.services.audit import Tag
from pools.services.pools import signing_keys
from pools.services.tokens import claims
from pools.services.tokens.claims import Grant

ISSUED = Counter("cognate_tokens_issued_total", "Tokens issued.", ["grant"])
CODE_LIFE = timedelta(minutes=5)
COARSE = timedelta(minutes=15)
REFRESH = struct.Struct(">16sI16s32s")
Use = signing_keys.Use


class TokenSet(NamedTuple):
    """What a grant gives."""

    access: str
    id: str | None
    refresh: str | None
    expires_in: int
    scopes: tuple[str, ...]


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


# -- issuing ---------------------------------------------------------------------------------------------------------


class Issued(NamedTuple):
    """Signed tokens, and the row that makes them live."""

    tokens: TokenSet
    family: hot.Start


def issue(client: AppClient, person: Person, groups: Sequence[Member], grant: Grant) -> Issued:
    """Sign tokens for a grant; nothing is written. The caller makes the family in the transaction of the proof."""
    salt = os.urandom(16)
    now = clock.now()
    family = hot.Start(
        id=grant.family_id,
        pool=client.pool_id,
        client=client.pk,
        user=person.id,
        salt=salt,
        epoch=person.epoch,
        scopes=list(grant.scopes),
        oauth=grant.oauth,
        nonce=grant.nonce,
        auth_time=grant.auth_time,
        proofs=list(grant.methods),
        event=grant.event_id,
        expires_at=now + timedelta(seconds=client.refresh_seconds),
        now=now,
    )
    refresh_token = pack(client, family.id, 0, salt)
    return Issued(sign(client, person, groups, grant, refresh_token), family)


def sign(
    client: AppClient, person: Person, groups: Sequence[Member], grant: Grant, refresh_token: str | None
) -> TokenSet:
    """Sign access and ID token of a grant."""
    common = claims.shared(client, person, groups, grant)
    access_token = signing_keys.sign(client.pool, Use.ACCESS, claims.access(common, client, person, grant))
    id_token = None
    if not grant.oauth or "openid" in grant.scopes:
        # API tokens go without at_hash, since their clients check it by halves; OAuth tokens have it (OIDC 3.1.3.6).
        half = hashlib.sha256(access_token.encode()).digest()[:16] if grant.oauth else b""
        at_hash = base64.urlsafe_b64encode(half).decode().rstrip("=")
        id_token = signing_keys.sign(
            client.pool, Use.ID, claims.identity(common, client, person, groups, grant, at_hash=at_hash)
        )
    return TokenSet(access_token, id_token, refresh_token, client.access_seconds, grant.scopes)


def client_credentials(client: AppClient, scopes: Sequence[str]) -> TokenSet:
    """Issue an access token to a client that has proven its secret. Asks the database nothing."""
    ISSUED.labels("client_credentials").inc()
    token = signing_keys.sign(client.pool, Use.ACCESS, claims.of_client(client, scopes))
    return TokenSet(token, None, None, client.access_seconds, tuple(scopes))


def identity_token(payload: dict[str, Any]) -> str:
    """Sign an identity pool's token for STS (STS.md 3)."""
    ISSUED.labels("identity").inc()
    return signing_keys.sign(None, Use.IDENTITY, payload)


# -- authorization codes ---------------------------------------------------------------------------------------------


def mint_code(
    client: AppClient,
    session: hot.Browser,
    *,
    redirect_uri: str,
    scopes: Sequence[str],
    nonce: str = "",
    code_challenge: str = "",
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
        scopes=list(scopes),
        nonce=nonce,
        code_challenge=code_challenge,
        auth_time=session.auth_time,
        methods=session.methods,
        epoch=session.epoch,
        event_id=session.event_id,
        family_id=uuid7(),
        expires_at=clock.now() + CODE_LIFE,
    ).save(force_insert=True)
    return code


def redeem_code(client: AppClient, code: str, *, redirect_uri: str, verifier: str | None, by: Actor) -> TokenSet:
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
        tuple(found.scopes),
        oauth=True,
        nonce=found.nonce,
        methods=tuple(found.methods),
    )
    issued = sign(client, found.person, found.groups, grant, pack(client, found.family_id, 0, salt))
    ISSUED.labels("authorization_code").inc()
    return issued


def _challenge(verifier: str | None) -> str:
    """Return the S256 challenge of a verifier (RFC 7636), empty without one: as the code must hold it, exactly."""
    if not verifier:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _refusal(client: AppClient, found: hot.Grant, redirect_uri: str, verifier: str | None, by: Actor) -> GrantRefused:
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
    return _reused(client, found, by)  # before, or by a duplicate that was faster


def _reused(client: AppClient, found: hot.Grant, by: Actor) -> GrantRefused:
    """Revoke the family of a code that came twice; return the refusal."""
    with transaction.atomic(durable=True):
        if _revoke(client.pool_id, found.family_id):  # once: a stranger may send a used code again and again
            subject = found.person.sub if found.person else ""
            detail = {"client_id": client.client_id}
            audit.record(Tag.CODE_REUSED, pool=client.pool, subject=subject, outcome="refused", by=by, detail=detail)
    return GrantRefused(detail="code used twice")


# -- refresh tokens --------------------------------------------------------------------------------------------------


def pack(client: AppClient, family_id: uuid.UUID, generation: int, salt: bytes) -> str:
    """Return a refresh token: family, generation, salt and a MAC over them, pool and client."""
    mac = sealing.keyed_hash("refresh", _covered(client, family_id, generation, salt))
    return base64.urlsafe_b64encode(REFRESH.pack(family_id.bytes, generation, salt, mac)).decode().rstrip("=")


def _covered(client: AppClient, family_id: uuid.UUID, generation: int, salt: bytes) -> bytes:
    return b"|".join([client.pool.public_id.encode(), client.pk.bytes, family_id.bytes, b"%d" % generation, salt])


class Presented(NamedTuple):
    """A refresh token whose MAC holds."""

    family_id: uuid.UUID
    generation: int
    salt: bytes


def unpack(client: AppClient, token: str) -> Presented | None:
    """Return what a refresh token says if its MAC holds for this client: garbage costs no query."""
    raw = _unpacked(token)
    if raw is None:
        return None
    family, generation, salt, mac = raw
    family_id = uuid.UUID(bytes=family)
    if not sealing.matches("refresh", _covered(client, family_id, generation, salt), mac):
        return None
    return Presented(family_id, generation, salt)


def _unpacked(token: str) -> tuple[bytes, int, bytes, bytes] | None:
    """Return family, generation, salt and MAC of what has a refresh token's form, None for anything else."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        family, generation, salt, mac = REFRESH.unpack(raw)
    except (ValueError, struct.error):
        return None
    return family, generation, salt, mac


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
    presented = unpack(client, token)
    if presented is None:
        raise RefreshRefused(detail="unreadable")
    family = hot.family(client.pool_id, presented.family_id)
    now = clock.now()
    if family is None or family.client_pk != client.pk:
        raise RefreshRefused(detail="unknown family")
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
        tuple(family.scopes),
        family.oauth,
        methods=tuple(family.methods),
    )
    successor = _turn(client, family, presented, by)
    ISSUED.labels("refresh_token").inc()
    return sign(client, person, family.groups, grant, successor)


def _turn(client: AppClient, family: hot.Family, presented: Presented, by: Actor) -> str | None:
    """Rotate where the client rotates; return the successor, None where the token stays.

    Raises:
        RefreshReused: not the present generation, and not the one before within its grace time.

    """
    now = clock.now()
    current = presented.generation == family.generation and hmac.compare_digest(presented.salt, family.salt)
    if current and not client.rotation:
        if family.last_active_at < now - COARSE:
            RefreshFamily.objects.filter(pool_id=client.pool_id, pk=family.id).update(last_active_at=now)
        return None
    if current:
        salt = os.urandom(16)
        turned = (salt, now, now, client.pool_id, family.id, family.generation)
        if hot.count(hot.ROTATE, turned) == 1:
            return pack(client, family.id, family.generation + 1, salt)
        again = hot.family(client.pool_id, family.id)  # a duplicate was faster: both get the same successor
        if again is None or again.revoked_at is not None:
            raise RefreshRefused("Refresh Token has been revoked")
        family = again
    grace = timedelta(seconds=client.rotation_grace_seconds)
    if (
        presented.generation == family.generation - 1
        and family.previous_salt is not None
        and hmac.compare_digest(presented.salt, family.previous_salt)
        and family.rotated_at is not None
        and family.rotated_at + grace >= now
    ):
        return pack(client, family.id, family.generation, family.salt)
    with transaction.atomic(durable=True):
        _revoke(client.pool_id, family.id)
        subject = family.person.sub if family.person else ""
        detail = {"client_id": client.client_id}
        audit.record(Tag.TOKEN_REUSED, pool=client.pool, subject=subject, outcome="refused", by=by, detail=detail)
    raise RefreshReused


def _revoke(pool_id: int, family_id: uuid.UUID) -> bool:
    live = RefreshFamily.objects.filter(pool_id=pool_id, pk=family_id, revoked_at=None)
    return live.update(revoked_at=clock.now()) == 1


def revoke(client: AppClient, token: str, *, by: Actor) -> None:
    """End a refresh token and every access token of its family. Unknown and dead ones are no error (RFC 7009).

    Raises:
        RevocationDisabled: the client has it switched off.
        UnsupportedToken: an ID or access token.
        TokenOfAnotherClient: another client of the pool was given it.

    """
    if not client.revocation:
        raise RevocationDisabled
    presented = unpack(client, token)
    if presented is None:
        if signing_keys.unverified_header(token):
            raise UnsupportedToken
        if _anothers(client, token):
            raise TokenOfAnotherClient
        return
    with transaction.atomic(durable=True):
        if _revoke(client.pool_id, presented.family_id):
            detail = {"client_id": client.client_id}
            audit.record(Tag.TOKEN_REVOKED, pool=client.pool, subject=presented.family_id, by=by, detail=detail)


def _anothers(client: AppClient, token: str) -> bool:
    """Say whether another client of the pool was given this refresh token."""
    raw = _unpacked(token)
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
    return unpack(owner, token) is not None


# -- verifying -------------------------------------------------------------------------------------------------------


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


def _verified(token: str, use: signing_keys.Use, pool: UserPool | None) -> tuple[dict[str, Any], AppClient]:
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
        LoginRefused: in the words of COGNITO.md 2.8.

    """
    unverified = signing_keys.read(token)
    if signing_keys.issuer_pool(unverified.claims) != pool.public_id:
        raise LoginRefused("Invalid login token. Issuer doesn't match providerName")
    payload = signing_keys.check(pool, Use.ID, unverified)
    if payload is None:
        if signing_keys.check(pool, Use.ACCESS, unverified) is not None:
            raise LoginRefused("Invalid login token. Missing a required claim: aud")
        raise LoginRefused("Invalid login token. Couldn't verify signed token.")
    now = clock.epoch()
    expires = payload.get("exp")
    if payload.get("token_use") != "id" or not isinstance(expires, int):
        raise LoginRefused("Invalid login token.")
    if expires <= now:
        raise LoginRefused(f"Invalid login token. Token expired: {expires} >= {now}")
    if payload.get("aud") not in client_ids:
        raise LoginRefused("Token is not from a supported provider of this identity pool.")
    return payload, _still_live(pool, payload)


def _still_live(pool: UserPool, payload: dict[str, Any]) -> Person:
    try:
        return _live(access.client_in(pool, str(payload["aud"])), payload)
    except (ClientNotFound, TokenRefused, UserDisabled, UserNotFound) as problem:
        raise LoginRefused("Invalid login token. Token is no longer valid.", detail=problem.message) from None


def attributes_of(person: Person, client: AppClient) -> dict[str, str]:
    """Return a person's attributes that a client may read, as wire texts."""
    return claims.visible(client, person, None)
