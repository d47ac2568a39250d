"""Discovery documents and key sets, of user pools and of the identity pools: bytes made once, for anyone to read."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from identity.foundation import names
from identity.foundation.call import Answer, Call
from pools.oidc import endpoints, errors
from pools.oidc.endpoints import endpoint
from pools.services.pools import assurance_levels, pool_domains, signing_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from pools.models import UserPool

HELD = 4096
DOCUMENT = {"content-type": "application/json", "cache-control": "public, max-age=3600"}
# Short: a key that an operator rotates at once must not hide behind somebody's cache.
KEYS = {"content-type": "application/json", "cache-control": "public, max-age=60"}


@lru_cache(maxsize=HELD)
def pool_document(public_id: str, address: str, levels: tuple[str, ...], *, registers: bool) -> bytes:
    """Return the discovery document (OpenID Connect Discovery section 3, RFC 8414) of a pool.

    Its pages are at that address, and its tokens tell these levels of assurance. With ``registers`` it says where apps
    register themselves.
    """
    issuer = names.issuer(public_id)
    proof = ["client_secret_basic", "client_secret_post", "none"]
    document: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{address}/oauth2/authorize",
        "token_endpoint": f"{address}/oauth2/token",
        "userinfo_endpoint": f"{address}/oauth2/userInfo",
        "revocation_endpoint": f"{address}/oauth2/revoke",
        "end_session_endpoint": f"{address}/logout",
        **({"registration_endpoint": f"{address}/oauth2/register"} if registers else {}),
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": proof,
        "revocation_endpoint_auth_methods_supported": proof,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": levels,
        "prompt_values_supported": ["none", "login", "select_account"],
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "jti", "origin_jti"),
            *("sid", "event_id", "token_use", "cognito:username", "cognito:groups", "cognito:roles"),
            *("cognito:preferred_role", "name", "given_name", "family_name", "middle_name", "nickname"),
            *("preferred_username", "profile", "picture", "website", "email", "email_verified", "gender"),
            *("birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified", "address", "updated_at"),
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }
    return json.dumps(document, separators=(",", ":")).encode()


@lru_cache(maxsize=1)
def identity_document() -> bytes:
    """Return the discovery document of the identity pools: what an STS reads to find the keys."""
    issuer = names.identity_issuer()
    document = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "aud", "exp", "iat", "iss", "amr"],
    }
    return json.dumps(document, separators=(",", ":")).encode()


@endpoint("GET")
def discovery(call: Call, pool: UserPool) -> Answer:
    """OpenID Connect Discovery section 4."""
    del call
    address, levels = pool_domains.address(pool), assurance_levels.reached(pool)
    document = pool_document(pool.public_id, address, levels, registers=pool.registration)
    return Answer(200, document, DOCUMENT)


@endpoint("GET")
def jwks(call: Call, pool: UserPool) -> Answer:
    """RFC 7517 section 5."""
    del call
    return Answer(200, signing_keys.jwks(pool), KEYS)


def identity_discovery(call: Call) -> Answer:
    """Answer for the identity pools' issuer."""
    return reading(call, identity_document, DOCUMENT)


def identity_jwks(call: Call) -> Answer:
    """Answer with the identity pools' keys, each with its certificate."""
    return reading(call, signing_keys.identity_jwks, KEYS)


def reading(call: Call, body: Callable[[], bytes], headers: dict[str, str]) -> Answer:
    """Answer a read. Never limited and never redirected: an STS fetches this while we wait for it."""
    if call.method in {"GET", "HEAD"}:
        return endpoints.crossing(endpoints.answered(lambda: Answer(200, body(), headers), call))
    return endpoints.crossing(errors.answer("invalid_request", "The method is not allowed.", 405, {"allow": "GET"}))
