"""Checks of ID tokens (OpenID Connect Core 3.1.3.7), each of which refuses alone and says which it is."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from federation import claims as read
from federation import json_answers, provider_keys
from federation.provider_keys import ALGORITHMS
from federation.refusals import forged
from identity.foundation import clock

LONGEST = 1 << 16
"""Characters of a token: groups make some long, and none that long."""
LEEWAY = 60
"""Seconds by which a provider's clock may be wrong."""
PROOFS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
"""Claims that are about the token and nobody else's business."""


class Registry(jws.JWSRegistry):
    """What joserfc takes: headers with a certificate in them, and tokens as long as here."""

    max_header_length = 1 << 14
    max_payload_length = LONGEST
    max_signature_length = 1 << 11


REGISTRY = Registry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token has to say."""

    issuers: Collection[str]
    """What the provider calls itself: one of these, exactly."""
    audience: str
    """Our client id there."""
    nonce: str = field(repr=False)
    access_token: str = field(repr=False, default="")


def verify_id_token(token: object, expected: Expected, *, jwks_uri: str) -> dict[str, Any]:
    """Return the claims of an ID token that its provider signed for us, for this very trip, and just now.

    Raises:
        LoginRefused: it is not; the detail names the check.
        OutsideUnavailable: the provider's keys cannot be had.
        Overloaded: too many calls are under way.

    """
    if not token:
        raise forged("id token: none in the token response")
    if not isinstance(token, str) or len(token) > LONGEST or not token.isascii():
        raise forged("id token: too long, or no text")
    signed = parsed(token)
    headers = signed.headers()
    check_signature(signed, headers, jwks_uri)
    claims = payload(signed)
    for problem in problems(claims, expected, str(headers["alg"])):
        raise forged(f"id token: {problem}")
    return claims


def parsed(token: str) -> jws.CompactSignature:
    """Return a token, taken apart. Raises LoginRefused where it is none, or its header asks for too much."""
    try:
        signed = jws.extract_compact(token.encode(), registry=REGISTRY)
        headers = dict(signed.headers())  # which joserfc takes for an object, whatever it is
        alg = headers["alg"]
    except (JoseError, ValueError, TypeError, LookupError, RecursionError):
        raise forged("id token: not a signed token") from None
    # No extension is understood here (RFC 7515 4.1.11), and without crit b64 is none (RFC 7797 3).
    if "crit" in headers or "b64" in headers:
        raise forged("id token: crit is not understood")
    if alg not in ALGORITHMS:
        raise forged("id token: alg is not allowed")
    try:
        REGISTRY.check_header(headers)
    except JoseError:
        raise forged("id token: a header is not of its kind") from None
    return signed


def check_signature(signed: jws.CompactSignature, headers: Mapping[str, Any], jwks_uri: str) -> None:
    """Raise LoginRefused unless a key of the provider signed a token. Raises as :func:`verify_id_token` besides."""
    kid, alg = headers.get("kid", ""), headers["alg"]
    keys = provider_keys.find(jwks_uri, kid=kid, alg=alg)
    if not keys:
        raise forged("id token: no key of its kid for its alg")
    if not kid and len(keys) > 1:
        raise forged("id token: no kid among several keys")
    if not any(is_signed(signed, each) for each in keys):
        raise forged("id token: the signature is wrong")


def is_signed(signed: jws.CompactSignature, key: provider_keys.ProviderKey) -> bool:
    """Say whether a key signed a token."""
    return jws.validate_compact(signed, key.key, registry=REGISTRY)


def payload(signed: jws.CompactSignature) -> dict[str, Any]:
    """Return the claims of a token whose signature was checked."""
    claims = json_answers.object_of(signed.payload or b"")
    if claims is None:
        raise forged("id token: its claims are no JSON object")
    return claims


def problems(claims: Mapping[str, Any], expected: Expected, alg: str) -> Iterator[str]:
    """Yield what claims say that they should not."""
    if claims.get("iss") not in expected.issuers:
        yield "iss is another issuer"
    yield from audience_problems(claims, expected.audience)
    yield from time_problems(claims)
    if not read.is_subject(claims.get("sub")):
        yield "sub is missing"
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        yield "nonce is another trip's"
    at_hash = claims.get("at_hash")
    if at_hash is not None and at_hash != half_hash(expected.access_token, alg):
        yield "at_hash is another access token's"


def audience_problems(claims: Mapping[str, Any], us: str) -> Iterator[str]:
    """Yield what keeps us from being whom a token is for."""
    audience = claims.get("aud")
    everyone = audience if isinstance(audience, list) else [audience]
    if us not in everyone:
        yield "aud is somebody else"
    party = claims.get("azp")
    if party is None and len(everyone) > 1:
        yield "azp is missing beside several aud"
    if party is not None and party != us:
        yield "azp is somebody else"


def time_problems(claims: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps a token from being of this moment."""
    now = clock.epoch()
    ends, made, begins = read.seconds(claims.get("exp")), read.seconds(claims.get("iat")), claims.get("nbf")
    if ends is None:
        yield "exp is missing"
    elif ends + LEEWAY <= now:
        yield "exp is past"
    if made is None:
        yield "iat is missing"
    elif made - LEEWAY > now:
        yield "iat is to come"
    if begins is not None and ((at := read.seconds(begins)) is None or at - LEEWAY > now):
        yield "nbf is to come"


def half_hash(token: str, alg: str) -> str:
    """Return how an ID token names the access token beside it (OpenID Connect Core 3.1.3.6)."""
    digest = hashlib.new(f"sha{alg[-3:]}", token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
