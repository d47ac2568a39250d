"""Reads what an application tells of itself (SAML metadata 2.4.4): an operator's file, or what is at its address.

Who gives it is trusted to tell the truth; how it is written is not. Fetches nothing and keeps nothing.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from federation.saml import aggregates, documents
from federation.saml.aggregates import SP, md, refused
from federation.saml.documents import Element
from federation.saml.metadata import (
    LARGEST,
    MOST_CERTIFICATES,
    POST,
    REDIRECT,
    TRUE,
    certificates_of,
    checked,
    name_of,
)
from federation.saml.name_ids import FORMATS
from federation.saml.rules import PROTOCOL, text
from identity.foundation import clock
from identity.foundation.errors import LoginRefused
from pools.ports import RegisteredApplication

MOST_INDEX: Final = 65535
"""SAML metadata 2.2.3: an unsigned short."""


def read(data: bytes) -> RegisteredApplication:
    """Return what the one application of a document tells.

    Raises:
        Invalid: it is not readable, or nobody could be sent there. ``field`` is ``provider_details.MetadataFile``.

    """
    found = aggregates.find(io.BytesIO(data), role=SP, largest=LARGEST)
    try:
        entity = documents.parse(found)
    except LoginRefused as problem:
        raise aggregates.unreadable(problem.detail) from None
    roles = [role for role in entity.iterfind(SP) if PROTOCOL in role.get("protocolSupportEnumeration", "").split()]
    if len(roles) != 1:
        raise refused("no_application", "The metadata describe no application of SAML 2.0, or several.")
    [role] = roles
    end = aggregates.valid_until(entity, role)
    if end is not None and end <= clock.now():
        raise refused("expired_metadata", "The metadata's validUntil is in the past.")
    formats = [text(each) or "" for each in role.iterfind(md("NameIDFormat"))]
    signing = list(dict.fromkeys(certificates(role, "signing")))
    if len(signing) > MOST_CERTIFICATES:
        raise refused("too_many_certificates", "The metadata have too many certificates.", most=MOST_CERTIFICATES)
    return RegisteredApplication(
        entity_id=name_of(entity),
        acs_urls=dict(addresses(role)),
        slo_url=slo_url(role),
        certificates=signing,
        signs_requests=role.get("AuthnRequestsSigned") in TRUE,
        encryption_certificate=next(certificates(role, "encryption", only_rsa=True), ""),
        name_id_format=next((each.strip().rpartition(":")[2] for each in formats if each.strip() in FORMATS), ""),
    )


def addresses(role: Element) -> list[tuple[int, str]]:
    """Return where an application takes answers by POST, with their indexes; the default one first.

    Raises:
        Invalid: there is none, two have one index, or one is no address.

    """
    services = [each for each in role.iterfind(md("AssertionConsumerService")) if each.get("Binding") == POST]
    # SAML metadata 2.2.3: the first that says so, else the first that does not deny it.
    services.sort(key=lambda each: 0 if each.get("isDefault") in TRUE else 1 if each.get("isDefault") is None else 2)
    found = [(index(each), checked(each.get("Location", ""), "AssertionConsumerService")) for each in services]
    if not found:
        raise refused("no_acs_url", "No AssertionConsumerService with HTTP-POST is in the metadata.")
    if len({number for number, _ in found}) != len(found):
        raise refused("acs_index", "Two AssertionConsumerServices of the metadata have one index, or one has none.")
    return found


def index(service: Element) -> int:
    """Return the index of an address. Raises Invalid where it has none."""
    told = service.get("index", "")
    if not (told.isascii() and told.isdigit() and len(told) <= len(str(MOST_INDEX)) and int(told) <= MOST_INDEX):
        raise refused("acs_index", "Two AssertionConsumerServices of the metadata have one index, or one has none.")
    return int(told)


def slo_url(role: Element) -> str:
    """Return where an application takes logout messages by redirect; empty where it takes none. Raises Invalid."""
    services = (each for each in role.iterfind(md("SingleLogoutService")) if each.get("Binding") == REDIRECT)
    return next((checked(each.get("Location", ""), "SingleLogoutService") for each in services), "")


def certificates(role: Element, use: str, *, only_rsa: bool = False) -> Iterator[str]:
    """Yield the certificates of an application's keys for a use, DER in base64. Raises Invalid."""
    for key in role.iterfind(md("KeyDescriptor")):
        if key.get("use", use) == use:
            for found in certificates_of(key):
                if not only_rsa or isinstance(found.public_key(), rsa.RSAPublicKey):
                    yield base64.b64encode(found.public_bytes(Encoding.DER)).decode()
