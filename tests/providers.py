"""Identity providers as tests give them: details of each kind that nobody has to be asked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pools.ports import KeyPair, OurSide
from tests import servers

_file = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
APPLES_KEY = "".join(_file.decode().splitlines()[1:-1])
SOCIAL = {"client_id": "the-client", "client_secret": "the-secret", "authorize_scopes": "email profile"}
CORP = {
    "client_id": "the-client",
    "client_secret": "the-secret",
    "authorize_scopes": "openid email",
    "oidc_issuer": "https://corp.example",
    "attributes_request_method": "GET",
    "authorize_url": "https://corp.example/authorize",
    "token_url": "https://corp.example/token",
    "attributes_url": "https://corp.example/me",
    "jwks_uri": "https://corp.example/keys",
}
DETAILS = {
    "OIDC": CORP,
    "Google": SOCIAL,
    "Facebook": {**SOCIAL, "authorize_scopes": "public_profile,email", "api_version": "v21.0"},
    "LoginWithAmazon": {**SOCIAL, "authorize_scopes": "profile postal_code"},
    "SignInWithApple": {
        "client_id": "com.example.web",
        "team_id": "TEAM123456",
        "key_id": "KEY1234567",
        "private_key": APPLES_KEY,
        "authorize_scopes": "email name",
    },
}
"""By type, what is needed and no more, but that Corp's endpoints are given, so that nobody asks for them."""

STAFF = (servers.ROOT / "tests" / "clients" / "terraform" / "providers" / "staff.xml").read_text()
"""Metadata of an identity provider that speaks SAML, and whose key nobody has."""


class Unmade:
    """The keys of a pool that no provider of a test asks for."""

    def signing(self) -> KeyPair:
        """Fail."""
        raise AssertionError("nothing is signed")

    def decryption(self) -> Sequence[KeyPair]:
        """Fail."""
        raise AssertionError("nothing is encrypted")


def ours(callback: str) -> OurSide:
    """Return a pool as its providers know it that send people back to this address."""
    return OurSide("urn:amazon:cognito:sp:pool", callback, callback.replace("response", "logout"), Unmade())


def named(kind: str) -> str:
    """Return the name of a provider of a type: its own, where it is a social network."""
    return "Corp" if kind == "OIDC" else kind


def request(kind: str, **more: Any) -> dict[str, Any]:
    """Return what CreateIdentityProvider takes for a provider of a type, but for the pool."""
    return {"ProviderName": named(kind), "ProviderType": kind, "ProviderDetails": DETAILS[kind], **more}
