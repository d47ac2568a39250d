"""ID tokens that are brought as logins of an identity pool: without a trip around them that could have a nonce.

The signature is checked as everywhere (``id_tokens``). What else differs from the end of a trip is that several clients
may be meant, and that a refusal is in Amazon's words (of which each is printed by somebody who met it).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from federation import claims as read
from federation import discovery, id_tokens
from federation.social import places
from identity.foundation import clock, names
from identity.foundation.errors import LoginRefused, OutsideUnavailable
from pools.ports import (
    NOT_A_TOKEN,
    NOT_SIGNED,
    OTHER_APPLICATION,
    OTHER_ISSUER,
    VerifiedLogin,
    claim_missing,
    login_expired,
)

OTHER_TYPES = frozenset({"bearer", "refresh", "offline", "logout"})
"""What Keycloak calls tokens, in ``typ`` of their claims, that are no ID tokens but may be for the same client."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's ID tokens."""

    name: str
    issuers: Collection[str]
    """What it calls itself: one of these, exactly."""
    jwks_uri: Callable[[], str]
    """Returns where its keys are, asked once a token says that it is this provider's."""
    is_presented_by_others: bool = False
    """Its tokens for one client may be got by another (``azp``) of the same owner."""


def verify(token: str, provider: Provider, audiences: Collection[str]) -> VerifiedLogin:
    """Return whom an ID token is about that its provider signed for one of these clients, and that has not ended.

    Raises:
        LoginRefused: it is not; the detail names the check.
        OutsideUnavailable: the provider's keys cannot be had.
        Overloaded: too many calls are under way.

    """
    with said(NOT_A_TOKEN):
        if len(token) > id_tokens.LONGEST or not token.isascii():
            raise LoginRefused(detail="id token: too long, or no text")
        signed = id_tokens.parsed(token)
        headers, claims = signed.headers(), id_tokens.payload(signed)
    if claims.get("iss") not in provider.issuers:  # asked first: what is somebody else's costs nobody a call
        raise LoginRefused(OTHER_ISSUER)
    with said(NOT_SIGNED):
        id_tokens.check_signature(signed, headers, provider.jwks_uri())
    for refusal in refusals(claims, headers):
        raise refusal
    audience = audience_of(claims, provider, audiences)
    return VerifiedLogin(provider.name, claims["sub"], audience, {**claims, "aud": audience}, kind=audience)


@contextmanager
def said(text: str) -> Iterator[None]:
    """Give a refusal these words."""
    try:
        yield
    except LoginRefused as problem:
        raise LoginRefused(text, detail=problem.detail) from None


def refusals(claims: Mapping[str, Any], headers: Mapping[str, Any]) -> Iterator[LoginRefused]:
    """Yield what keeps a token from being an ID token of now."""
    for name in ("aud", "exp", "sub"):
        if claims.get(name) in (None, "", []):
            yield claim_missing(name)
    # Explicit types (RFC 8725 3.11): an access token (RFC 9068) or a logout token may be for the same client.
    kind, typed = str(headers.get("typ") or "").lower(), str(claims.get("typ") or "").lower()
    if kind.endswith("+jwt") or typed in OTHER_TYPES or claims.get("token_use", "id") != "id" or "events" in claims:
        yield LoginRefused(NOT_A_TOKEN, detail="id token: it is of another type")
    expires, now = read.seconds(claims["exp"]), clock.epoch()
    if expires is not None and expires + id_tokens.LEEWAY <= now:
        yield login_expired(expires, now)
    for problem in id_tokens.time_problems(claims):
        yield LoginRefused(detail=f"id token: {problem}")
    if not read.is_subject(claims["sub"]):
        yield LoginRefused(detail="id token: sub names nobody")


def audience_of(claims: Mapping[str, Any], provider: Provider, audiences: Collection[str]) -> str:
    """Return the client, of those that are trusted, for whom a token was made (OpenID Connect Core 3.1.3.7).

    Raises:
        LoginRefused: it was made for none of them, or for others too and not at the wish of one of them.

    """
    given, party = claims["aud"], claims.get("azp")
    everyone = given if isinstance(given, list) else [given]
    trusted = [each for each in everyone if isinstance(each, str) and each in audiences]
    if not trusted:
        raise LoginRefused(OTHER_APPLICATION, detail="id token: aud is somebody else")
    if len(everyone) == 1 and (party is None or provider.is_presented_by_others):
        return trusted[0]
    # Whoever is named beside us could bring it here: only who asked for it may.
    if not isinstance(party, str) or party not in audiences:
        raise LoginRefused(OTHER_APPLICATION, detail="id token: azp is somebody else")
    return party if party in trusted else trusted[0]


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider of the public whose issuer and keys are known: a ``LoginVerifier``."""

    name: str
    issuers: tuple[str, ...]
    jwks_uri: str
    is_presented_by_others: bool = False

    def verify(self, token: str, *, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token is about. Raises as :meth:`pools.ports.LoginVerifier.verify`."""
        return verify(
            token,
            Provider(self.name, self.issuers, lambda: places.at(self.jwks_uri), self.is_presented_by_others),
            audiences,
        )


class AnyIssuer:
    """Whatever provider its issuer's discovery document tells of: an ``IssuerVerifier``."""

    def verify(self, token: str, *, issuer: str, audiences: Collection[str]) -> VerifiedLogin:
        """Return who a token is about. Raises as :meth:`pools.ports.IssuerVerifier.verify`."""

        def jwks_uri() -> str:
            found = discovery.read(issuer).endpoints.get("jwks_uri")
            if not found:
                raise OutsideUnavailable(detail=f"the discovery document of {issuer} has no jwks_uri")
            return found

        return verify(token, Provider(names.without_scheme(issuer), discovery.names(issuer), jwks_uri), audiences)
