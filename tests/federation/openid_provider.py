"""An OpenID provider on loopback that says what a test wants it to say, and signs it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.registry import HeaderParameter

from federation.provider_keys import CURVES
from identity.foundation import clock
from tests.federation.emulator import Answerer, Asked, Emulator, Reply, sent_on, told

CLIENT, SECRET = "the-client", "s3cret & more of it, as HS256 wants"
ACCESS = "an-access-token"
CALLBACK = "https://pool.example/oauth2/idpresponse"
SUBJECT = "subject-1"
Key = RSAKey | ECKey | OctKey


@lru_cache(maxsize=32)
def rsa_key(kid: str = "k1") -> RSAKey:
    """Return a key of the tests', made once."""
    return RSAKey.generate_key(2048, {"kid": kid})


@lru_cache(maxsize=8)
def ec_key(alg: str = "ES256", kid: str = "e1") -> ECKey:
    """Return a key of the tests' for an algorithm, made once."""
    return ECKey.generate_key(CURVES[alg], {"kid": kid})


def signed(claims: Mapping[str, Any] | bytes, header: Mapping[str, Any], key: Key | None) -> str:
    """Return a token of any claims and any header."""
    registry = jws.JWSRegistry(
        header_registry={"odd": HeaderParameter("odd", "str")}, algorithms=[header["alg"]], strict_check_header=False
    )
    registry.check_header = lambda header: None  # type: ignore[method-assign]  # the header is what is tested
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jws.serialize_compact(dict(header), payload, key, registry=registry)


def half_hash(token: str, bits: int = 256) -> str:
    """Return how an ID token names an access token."""
    digest = hashlib.new(f"sha{bits}", token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


class OpenIdProvider(Emulator):
    """Right in everything, but for what a test changes."""

    def __init__(self) -> None:
        """Be right."""
        super().__init__()
        self.key: Key = rsa_key()
        self.published: list[dict[str, Any]] = [public(rsa_key())]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}
        self.discovery: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.tokens: dict[str, Any] = {}
        self.person: dict[str, Any] = {}
        self.answered: dict[str, Any] = {}
        self.forge: Callable[[dict[str, Any]], str] | None = None
        """Makes the ID token of its claims, in place of signing them."""

    def routes(self) -> Mapping[str, Answerer]:
        """Return what answers."""
        return {
            "GET /.well-known/openid-configuration": lambda _: told(self.document()),
            "GET /authorize": self.authorize,
            "POST /token": self.token,
            "GET /me": self.userinfo,
            "POST /me": self.userinfo,
            "GET /keys": lambda _: told({"keys": self.published}),
        }

    def document(self) -> dict[str, Any]:
        """Return what the provider tells of itself."""
        return without_none(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/me",
                "jwks_uri": f"{self.url}/keys",
                **self.discovery,
            }
        )

    def details(self, **changes: str) -> dict[str, str]:
        """Return details of this provider."""
        return {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "authorize_scopes": "openid email",
            "oidc_issuer": self.url,
            "attributes_request_method": "GET",
            **changes,
        }

    def authorize(self, asked: Asked) -> Reply:
        """Send a browser back with a code."""
        needed = ("response_type", "client_id", "redirect_uri", "scope", "state", "nonce")
        self.expect(asked, (*needed, "code_challenge", "code_challenge_method"), ("login_hint", "prompt", "acr_values"))
        self.check(asked["response_type"] == "code", "another flow")
        fields = {"code": self.code(asked), "state": asked["state"], **self.answered}
        return sent_on(asked["redirect_uri"], **without_none(fields))

    def token(self, asked: Asked) -> Reply:
        """Trade a code for tokens."""
        self.expect(asked, ("grant_type", "code", "redirect_uri", "client_id", "code_verifier"), ("client_secret",))
        begun = self.redeem(asked, verifies=True)
        if begun is None:
            return told({"error": "invalid_grant", "error_description": f"No such code. {SUBJECT}"}, 400)
        if asked["client_secret"] != SECRET:
            return told({"error": "invalid_client"}, 401)
        claims = without_none(
            {
                "iss": self.url,
                "sub": SUBJECT,
                "aud": CLIENT,
                "nonce": begun["nonce"],
                "iat": clock.epoch(),
                "exp": clock.epoch() + 300,
                "email": "ada@id.example",
                **self.claims,
            }
        )
        token = self.forge(claims) if self.forge else signed(claims, self.header, self.key)
        answer = {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 60, "id_token": token, **self.tokens}
        return told(without_none(answer))

    def userinfo(self, asked: Asked) -> Reply:
        """Tell of the person."""
        self.check(asked.bearer == ACCESS, "userinfo: another access token")
        return told(without_none({"sub": SUBJECT, "email": "ada@me.example", **self.person}))


def public(key: Key, **changes: Any) -> dict[str, Any]:
    """Return what of a key is published."""
    return without_none({**key.as_dict(private=False), "use": "sig", **changes})


def without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not None."""
    return {name: value for name, value in given.items() if value is not None}
