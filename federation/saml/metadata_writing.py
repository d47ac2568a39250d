"""Writes what a pool tells other SAML systems of itself (SAML metadata 2): as service or as identity provider.

What others tell is read by :mod:`federation.saml.metadata`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from federation.saml import signing
from federation.saml.aggregates import ENTITY, IDP, MD, md
from federation.saml.documents import Element
from federation.saml.encryption import TRANSPORT_MGF1_SHA1, XENC11
from federation.saml.metadata import POST, REDIRECT, ds
from federation.saml.rules import PROTOCOL
from federation.saml.signatures import DS
from federation.saml.signing import SigningKey
from federation.saml.writing import put, root, written

ENCRYPTION_METHODS: Final = (f"{XENC11}aes256-gcm", TRANSPORT_MGF1_SHA1)
"""What senders shall encrypt by: others are read too, and these are the best that all of them know."""
BOTH: Final = (POST, REDIRECT)


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """What a pool tells identity providers."""

    entity_id: str
    acs_url: str
    """Where responses are brought, by POST."""
    slo_url: str
    """Where logout messages are brought, by both bindings."""
    signing: Sequence[x509.Certificate]
    """Of keys that sign now or may sign soon."""
    encryption: Sequence[x509.Certificate] = ()
    """Of keys for which assertions may be encrypted: senders take the first that they understand."""
    name_id_formats: Sequence[str] = ()
    signs_requests: bool = True


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """What a pool tells applications."""

    entity_id: str
    sso_url: str
    """Where requests are brought, by both bindings."""
    slo_url: str
    """Where logout messages are brought, by both bindings."""
    signing: Sequence[x509.Certificate]
    """Of keys that sign now or may sign soon."""
    name_id_formats: Sequence[str] = ()
    wants_requests_signed: bool = False


def of_service_provider(provider: ServiceProvider, key: SigningKey | None = None) -> bytes:
    """Return the metadata of a service provider (SAML metadata 2.4.4), signed if there is a key."""
    found, role = entity(provider.entity_id, md("SPSSODescriptor"))
    role.set("AuthnRequestsSigned", truth(provider.signs_requests))
    role.set("WantAssertionsSigned", "true")
    put_keys(role, "signing", provider.signing)
    put_keys(role, "encryption", provider.encryption, ENCRYPTION_METHODS)
    put_addresses(role, "SingleLogoutService", provider.slo_url)
    put_formats(role, provider.name_id_formats)
    service = put(role, md("AssertionConsumerService"), Binding=POST, Location=provider.acs_url)
    service.set("index", "0")
    service.set("isDefault", "true")
    return finished(found, key)


def of_identity_provider(provider: IdentityProvider, key: SigningKey | None = None) -> bytes:
    """Return the metadata of an identity provider (SAML metadata 2.4.3), signed if there is a key."""
    found, role = entity(provider.entity_id, IDP)
    role.set("WantAuthnRequestsSigned", truth(provider.wants_requests_signed))
    put_keys(role, "signing", provider.signing)
    put_addresses(role, "SingleLogoutService", provider.slo_url)
    put_formats(role, provider.name_id_formats)
    put_addresses(role, "SingleSignOnService", provider.sso_url)
    return finished(found, key)


def entity(entity_id: str, name: str) -> tuple[Element, Element]:
    """Return an entity and its one role of SAML 2.0."""
    found = root(ENTITY, {"md": MD, "ds": DS}, ID=identifier(entity_id), entityID=entity_id)
    return found, put(found, name, protocolSupportEnumeration=PROTOCOL)


def identifier(entity_id: str) -> str:
    """Return the ID of an entity's document, which is the same as long as the document is."""
    return f"_{hashlib.sha256(entity_id.encode()).hexdigest()[:40]}"


def finished(found: Element, key: SigningKey | None) -> bytes:
    """Return the bytes of a document, signed if there is a key."""
    return written(found if key is None else signing.signed(found, key))


def put_keys(role: Element, use: str, certificates: Sequence[x509.Certificate], methods: Sequence[str] = ()) -> None:
    """Add a KeyDescriptor for each certificate (SAML metadata 2.4.1.1)."""
    for certificate in certificates:
        descriptor = put(role, md("KeyDescriptor"), use=use)
        data = put(put(descriptor, ds("KeyInfo")), ds("X509Data"))
        put(data, ds("X509Certificate"), base64.b64encode(certificate.public_bytes(Encoding.DER)).decode())
        for method in methods:
            put(descriptor, md("EncryptionMethod"), Algorithm=method)


def put_addresses(role: Element, name: str, url: str) -> None:
    """Add an address by both bindings."""
    for binding in BOTH:
        put(role, md(name), Binding=binding, Location=url)


def put_formats(role: Element, formats: Sequence[str]) -> None:
    """Add the formats of names (SAML metadata 2.4.2)."""
    for each in formats:
        put(role, md("NameIDFormat"), each)


def truth(is_so: bool) -> str:  # noqa: FBT001 - the value itself
    """Return a truth as XML Schema writes it."""
    return "true" if is_so else "false"
