"""Reads what an identity provider tells of itself (SAML metadata 2): an administrator's file, or one of a federation.

Who gives it is trusted to tell the truth, an operator or a server asked by https: a signature in it is not looked at.
How it is written is not trusted. Fetches nothing and keeps nothing.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from federation import details
from federation.saml import aggregates, documents
from federation.saml.aggregates import IDP, md, refused
from federation.saml.documents import Element
from federation.saml.rules import PROTOCOL, text, word
from federation.saml.signatures import DS
from identity.foundation import clock
from identity.foundation.errors import LoginRefused

LARGEST: Final = 1 << 20
"""Bytes of a file; Amazon takes a tenth."""
BINDINGS: Final = "urn:oasis:names:tc:SAML:2.0:bindings:"
REDIRECT, POST = f"{BINDINGS}HTTP-Redirect", f"{BINDINGS}HTTP-POST"
MOST_CERTIFICATES: Final = 10
"""By each of which a stranger's signature may have to be tried."""
LEAST_BITS: Final = 2048
"""Of an RSA key."""
CURVES = ("secp256r1", "secp384r1", "secp521r1")
TRUE = ("true", "1")


@dataclass(frozen=True, slots=True)
class IdentityProviderMetadata:
    """What an identity provider tells of itself. An address is empty where it has none; one of the first two is not."""

    entity_id: str
    certificates: tuple[x509.Certificate, ...]
    """By whose keys it signs: one at least, each once, in the order of the document."""
    sso_redirect_url: str
    sso_post_url: str
    slo_redirect_url: str
    """Where it takes logout requests."""
    slo_post_url: str
    slo_redirect_response_url: str
    """Where it takes answers to its own logout requests, which often is the same address."""
    slo_post_response_url: str
    wants_requests_signed: bool
    valid_until: datetime | None
    """When all this is no longer true."""
    name_id_formats: tuple[str, ...]


def read(data: bytes, *, entity_id: str = "") -> IdentityProviderMetadata:
    """Return what the one identity provider of a document tells, or of several the one with an entity id.

    Raises:
        Invalid: it is not readable, or nobody could sign in with it. ``field`` is ``provider_details.MetadataFile``.

    """
    found = aggregates.find(io.BytesIO(data), entity_id, largest=LARGEST)
    try:
        entity = documents.parse(found)
    except LoginRefused as problem:
        raise aggregates.unreadable(problem.detail) from None
    return described(entity)


def described(entity: Element) -> IdentityProviderMetadata:
    """Return what an entity tells as an identity provider. Raises as :func:`read`."""
    roles = [role for role in entity.iterfind(IDP) if PROTOCOL in role.get("protocolSupportEnumeration", "").split()]
    if len(roles) != 1:
        raise refused("no_identity_provider", "The metadata describe no identity provider of SAML 2.0, or several.")
    [role] = roles
    end = aggregates.valid_until(entity, role)
    if end is not None and end <= clock.now():
        raise refused("expired_metadata", "The metadata's validUntil is in the past.")
    formats = role.findall(md("NameIDFormat"))
    sso, slo = endpoints(role, "SingleSignOnService"), endpoints(role, "SingleLogoutService")
    if not sso:
        raise refused("no_sso_url", "No SingleSignOn Http redirect binding location found in metadata.")
    return IdentityProviderMetadata(
        entity_id=name_of(entity),
        certificates=certificates(role),
        sso_redirect_url=sso.get(REDIRECT, NOWHERE).url,
        sso_post_url=sso.get(POST, NOWHERE).url,
        slo_redirect_url=slo.get(REDIRECT, NOWHERE).url,
        slo_post_url=slo.get(POST, NOWHERE).url,
        slo_redirect_response_url=slo.get(REDIRECT, NOWHERE).response_url,
        slo_post_response_url=slo.get(POST, NOWHERE).response_url,
        wants_requests_signed=role.get("WantAuthnRequestsSigned") in TRUE,
        valid_until=end,
        name_id_formats=tuple(filter(None, (word((text(each) or "").strip()) for each in formats))),
    )


def name_of(entity: Element) -> str:
    """Return an entity's id (SAML metadata 2.2.1). Raises as :func:`read`."""
    found = word(entity.get("entityID"))
    if not found:
        raise refused("no_entity_id", "The metadata have no usable entityID.")
    return found


# -- addresses -------------------------------------------------------------------------------------------------------


class Endpoint(NamedTuple):
    """Where a provider takes messages of a kind by a binding."""

    url: str
    response_url: str


NOWHERE: Final = Endpoint("", "")


def endpoints(role: Element, name: str) -> Mapping[str, Endpoint]:
    """Return where a provider takes messages, by binding: of each the first. Raises as :func:`read`."""
    found: dict[str, Endpoint] = {}
    for each in role.iterfind(md(name)):
        binding = each.get("Binding")
        if binding in {REDIRECT, POST} and binding not in found:
            url = each.get("Location", "")
            found[binding] = Endpoint(checked(url, name), checked(each.get("ResponseLocation", url), name))
    return found


def checked(url: str, name: str) -> str:
    """Return an address that a browser may be sent to. Raises as :func:`read`."""
    if not details.is_secure_enough(url):
        raise refused("not_https_in_metadata", f"The metadata's {name} must start with https://", name=name)
    if not details.is_address(url):
        raise refused("no_url_in_metadata", f"The metadata's {name} is not a URL.", name=name)
    return url


# -- certificates ----------------------------------------------------------------------------------------------------


def certificates(role: Element) -> tuple[x509.Certificate, ...]:
    """Return the certificates that a provider signs by, each once (SAML metadata 2.4.1.1). Raises as :func:`read`."""
    keys = [key for key in role.iterfind(md("KeyDescriptor")) if key.get("use", "signing") == "signing"]
    found = tuple(dict.fromkeys(certificate for key in keys for certificate in certificates_of(key)))
    if not found:
        raise refused("no_certificate", "The metadata have no certificate to verify signatures with.")
    if len(found) > MOST_CERTIFICATES:
        raise refused("too_many_certificates", "The metadata have too many certificates.", most=MOST_CERTIFICATES)
    return found


def certificates_of(key: Element) -> Iterator[x509.Certificate]:
    """Yield the certificates of one key: in each X509Data the first, as further ones are of who issued it."""
    found = [each.find(ds("X509Certificate")) for each in key.iterfind(ds("KeyInfo/X509Data"))]
    found = [each for each in found if each is not None]
    if not found:
        raise refused("key_without_certificate", "A key in the metadata has no X509Certificate.")
    for each in found:
        yield certificate(text(each) or "")


def certificate(told: str) -> x509.Certificate:
    """Return a certificate whose key is strong enough. Who issued it says nothing. Raises as :func:`read`."""
    try:
        found = x509.load_der_x509_certificate(base64.b64decode("".join(told.split()), validate=True))
        key = found.public_key()
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        raise refused("unreadable_certificate", "A certificate in the metadata cannot be read.") from None
    is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
    )
    if not is_strong:
        raise refused(
            "weak_key", "A key in the metadata is too weak, or of a kind that is not taken.", least=LEAST_BITS
        )
    return found


def ds(path: str) -> str:
    """Return a path of XML Signature's names as lxml reads it."""
    return "/".join(f"{{{DS}}}{step}" for step in path.split("/"))
