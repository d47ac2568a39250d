"""A pool of the tests as a provider's other side, and what it keeps of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation import saml_details as names
from federation.saml import documents, service_provider
from pools.ports import KeyPair, OurSide
from tests.federation.saml.encryptor import OURS
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    NAME,
    PERSISTENT,
    Edit,
    Element,
    certificate,
    nothing,
    rsa_key,
    written,
)
from tests.federation.saml.test_metadata import published

SIGNED_OUT = "https://pool.example/saml2/logout"
STATE = "the state & more"
SESSION = {"value": NAME, "format": PERSISTENT, "sp_name_qualifier": AUDIENCE, "index": "_s1"}


def pair(name: str) -> KeyPair:
    """Return a key as a pool keeps it."""
    key = rsa_key(name)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(certificate(key).public_bytes(Encoding.DER), private)


class Keys:
    """A pool's keys, of which two decrypt."""

    def signing(self) -> KeyPair:
        """Return the one that signs."""
        return pair("signing")

    def decryption(self) -> list[KeyPair]:
        """Return the new one first."""
        return [pair("the next"), pair(OURS)]


POOL = OurSide(AUDIENCE, ACS, SIGNED_OUT, Keys())


def details(edit: Edit = nothing, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return a provider's details, and what is kept of its metadata."""
    root = published()
    edit(root)
    given = {names.FILE: written(root).decode(), **more}
    return {**given, **service_provider.fetched(given, in_job=False)}


def sent(url: str, name: str = "SAMLRequest") -> tuple[Element, Mapping[str, str]]:
    """Return the message of an address, and the parameters beside it."""
    fields = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    return documents.parse(documents.redirected(fields[name])), fields
