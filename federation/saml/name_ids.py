"""How our identity provider names people to applications (SAML core 8.3): formats, and names that tell nothing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from federation.saml.responses import NameId
from federation.saml.rules import NAME_FORMAT

PERSISTENT: Final = f"{NAME_FORMAT}persistent"
TRANSIENT: Final = f"{NAME_FORMAT}transient"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
FORMATS: Final = (PERSISTENT, TRANSIENT, EMAIL, UNSPECIFIED)
"""What we issue. Some applications take the first that metadata list: it tells them least, and stays."""
QUALIFIED = frozenset({PERSISTENT, TRANSIENT})
"""Formats whose names are good between one identity provider and one application (SAML core 8.3.7, 8.3.8)."""


def persistent_id(secret: bytes, entity_id: str, user_sub: str) -> str:
    """Return the name of a person at one application: always the same one, and at each application another.

    Nobody without the secret can tell whose it is, nor that two of them are one person's (SAML core 8.3.7).

    Raises:
        ValueError: the secret is empty, or so short that it can be guessed.

    """
    if len(secret) < hashlib.sha256().digest_size:
        raise ValueError("a secret of 32 bytes at least makes persistent names")
    of_application = hmac.digest(secret, entity_id.encode(), "sha256")
    return hmac.digest(of_application, user_sub.encode(), "sha256").hex()


def transient_id() -> str:
    """Return a name for one sign-in (SAML core 8.3.8)."""
    return f"_{secrets.token_hex(20)}"


def name_id(value: str, name_format: str, *, issuer: str, application: str) -> NameId:
    """Return a name in its format, with both entity ids where it is good between these two alone.

    Raises:
        ValueError: the format is not among :data:`FORMATS`.

    """
    if name_format not in FORMATS:
        raise ValueError("not a format of names that is issued")
    return NameId(value, name_format, *((issuer, application) if name_format in QUALIFIED else ()))
