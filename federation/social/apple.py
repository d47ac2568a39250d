"""Sign in with Apple."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.utils.translation import gettext_lazy
from joserfc import jwt
from joserfc.jwk import ECKey

from federation import claims, json_answers
from federation import details as checks
from federation.code_flow import Trip
from federation.detail_fields import scopes
from federation.details import Details, Table, refused
from federation.openid_flow import OpenIdFlow
from federation.refusals import forged
from federation.social import places
from identity.foundation import clock
from identity.foundation.errors import Invalid
from pools.ports.kinds import About, Control, Detail

ISSUER = "https://appleid.apple.com"
ARMOUR = re.compile(r"\s*-----BEGIN PRIVATE KEY-----(?P<body>.*)-----END PRIVATE KEY-----\s*", re.DOTALL)
"""PEM of PKCS #8 (RFC 7468 10), as Apple's file has it. Amazon takes its body alone; both are taken here."""
LONGEST_KEY = 4096
JWKS_URI = f"{ISSUER}/auth/keys"
SECRET_SECONDS = 300
"""How long a secret is good. Apple takes up to six months; it is made for one call."""
LONGEST_USER = 4096
FLAGS = ("email_verified", "is_private_email")
"""Claims that Apple writes as true or as "true"."""
ABOUT = About(
    "SignInWithApple",
    "apple",
    gettext_lazy("Sign in with Apple"),
    gettext_lazy("People sign in with their Apple Account, and may hide their address."),
    gettext_lazy(
        "In Apple’s developer account, under Certificates, Identifiers & Profiles, make an App ID with Sign in "
        "with Apple, a Services ID with the redirect URI above as its Return URL, and a key."
    ),
    (
        Detail("client_id", gettext_lazy("Services ID"), gettext_lazy("Like com.example.web; not the App ID.")),
        Detail("team_id", gettext_lazy("Team ID"), gettext_lazy("At the top right of the developer account.")),
        Detail("key_id", gettext_lazy("Key ID"), gettext_lazy("Of the key that was made for it.")),
        Detail(
            "private_key",
            gettext_lazy("Private key"),
            gettext_lazy("The whole text of the .p8 file, which Apple lets you download once."),
            Control.FILE,
        ),
        scopes("email name"),
    ),
    mapping={
        "email": "email",
        "email_verified": "email_verified",
        "name": "name",
        "given_name": "firstName",
        "family_name": "lastName",
    },
    subject_claim="sub",
    is_social=True,
    button=gettext_lazy("Sign in with Apple"),
    mark="hosted/marks/apple.svg",
)


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


class SignInWithApple(OpenIdFlow):
    """``SignInWithApple``: OpenID Connect without userinfo, by a secret that is signed anew for each call."""

    about = ABOUT
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
    has_verifier = False

    def place(self, url: str) -> str:
        """Return where a URL is asked for."""
        return places.at(url)

    def scope(self, details: Details) -> str:
        """Return the scopes as they are: an ID token comes without ``openid`` too."""
        return details["authorize_scopes"]

    def more(self, details: Details) -> Mapping[str, str]:
        """Return how the answer comes: whoever asks for a name or an address has it posted."""
        del details
        return {"response_mode": "form_post"}

    def secret(self, details: Details) -> str:
        """Return a secret for one call, signed by the key of the Services ID (Creating a client secret)."""
        now = clock.epoch()
        about = {
            "iss": details["team_id"],
            "iat": now,
            "exp": now + SECRET_SECONDS,
            "aud": ISSUER,
            "sub": details["client_id"],
        }
        key = ECKey.import_key(private_key(details["private_key"]))
        return jwt.encode({"alg": "ES256", "kid": details["key_id"]}, about, key)

    def issuers(self, details: Details) -> Collection[str]:
        """Return Apple's name."""
        del details
        return (ISSUER,)

    def jwks_uri(self, details: Details) -> str:
        """Return what Apple's discovery document says."""
        del details
        return JWKS_URI

    def more_claims(self, trip: Trip, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the name that a browser brings with somebody's first sign-in, and flags as what they are.

        The address beside it is not read: only the one in the ID token is Apple's word.
        """
        flags = {name: known[name] in {True, "true"} for name in FLAGS if isinstance(known.get(name), bool | str)}
        return {**flags, **(names(trip.answer["user"]) if trip.answer.get("user") else {})}


def names(user: str) -> dict[str, str]:
    """Return what a person chose to be called, of the ``user`` that a browser brings.

    Raises:
        LoginRefused: it is not what Apple posts.

    """
    told = json_answers.object_of(user) if len(user) <= LONGEST_USER else None
    if told is None:
        raise forged("answer: user is no JSON object")
    given = told.get("name")
    parts = {
        name: found
        for name in ("firstName", "lastName")
        if isinstance(given, dict) and (found := claims.word(given.get(name)))
    }
    return {**parts, "name": " ".join(parts.values())} if parts else {}
