"""Sign in with Apple."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from federation import details as checks
from federation.code_flow import CodeFlow
from federation.details import Table, refused
from identity.foundation.errors import Invalid

ISSUER = "https://appleid.apple.com"
ARMOUR = re.compile(r"\s*-----BEGIN PRIVATE KEY-----(?P<body>.*)-----END PRIVATE KEY-----\s*", re.DOTALL)
"""PEM of PKCS #8 (RFC 7468 10), as Apple's file has it. Amazon takes its body alone; both are taken here."""
LONGEST_KEY = 4096


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Return the key that a PEM file or its body holds.

    Raises:
        ValueError: it is none for ES256.

    """
    if len(text) > LONGEST_KEY:
        raise ValueError("too long")
    # A file that went through a shell or JSON twice has its line ends spelled out.
    text = text.replace("\\n", "\n")
    found = ARMOUR.fullmatch(text)
    body = "".join((found["body"] if found else text).split())
    key = load_der_private_key(base64.b64decode(body, validate=True), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("no key of P-256")  # noqa: TRY004 - the type that cannot be read is the text's
    return key


def key_problems(key: str, value: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being the private key of a Services ID."""
    try:
        private_key(value)
    except (ValueError, TypeError, UnicodeError):
        yield refused(key, "private_key", "Provided private key cannot be used for Sign in with Apple.")


class SignInWithApple(CodeFlow):
    """``SignInWithApple``: OpenID Connect without userinfo, by a secret that is signed anew for each call."""

    table = Table(
        required=("client_id", "private_key", "team_id", "key_id", "authorize_scopes"),
        missing="clientId, privateKey, teamId, and keyId are all required idp details.",
        checks={
            "client_id": checks.name_problems,
            "team_id": checks.name_problems,
            "key_id": checks.name_problems,
            "private_key": key_problems,
            "authorize_scopes": checks.scope_problems,
            "oidc_issuer": checks.matching(re.escape(ISSUER), f"oidc_issuer of Apple is {ISSUER}"),
            **{key: check for key, check in checks.ENDPOINTS.items() if key != "attributes_url"},
        },
        defaults={
            "attributes_url_add_attributes": "false",
            "authorize_url": "https://appleid.apple.com/auth/authorize",
            "oidc_issuer": ISSUER,
            "token_request_method": "POST",
            "token_url": "https://appleid.apple.com/auth/token",
        },
    )
