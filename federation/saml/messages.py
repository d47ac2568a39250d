"""Messages and metadata that are written here: of elements, never of text put together, and their signatures.

Says nothing of what a message tells: who writes one knows its schema. Nothing here reads what others wrote.
"""

from __future__ import annotations

import copy
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from federation.saml.documents import Element
from federation.saml.rules import PROTOCOL, SAML, saml, samlp
from federation.saml.signatures import DS
from identity.foundation import clock

PREFIXES: Final = {"samlp": PROTOCOL, "saml": SAML}
"""Of protocol messages, as most who write them have it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs, and the certificate that says so to whoever does not know it."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was written here, unsigned."""

    root: Element
    id: str
    """By which its answer names it."""

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return written(self.root)


def begin(name: str, *, issuer: str, destination: str) -> Message:
    """Return a message that says who sends it, to which address and when (SAML core 3.2.1 and 3.2.2)."""
    identifier = new_id()
    told = {"ID": identifier, "Version": "2.0", "IssueInstant": instant(), "Destination": destination}
    root = etree.Element(samlp(name), told, nsmap=PREFIXES)
    put(root, saml("Issuer"), issuer)
    return Message(root, identifier)


def put(parent: Element, name: str, text: str | None = None, /, **attributes: str) -> Element:
    """Add an element at the end of another and return it. Raises ValueError for characters that XML does not have."""
    made = etree.SubElement(parent, name, attributes)
    made.text = text
    return made


def new_id() -> str:
    """Return an ID that nobody guesses (SAML core 1.3.4)."""
    return "_" + secrets.token_hex(20)


def instant(seconds: int = 0) -> str:
    """Return a moment as SAML writes it, so many seconds from now (SAML core 1.3.3)."""
    return (clock.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def written(root: Element) -> bytes:
    """Return the bytes of a document."""
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=False))


def signed(root: Element, key: SigningKey) -> bytes:
    """Return the bytes of a document that has an ID, with an enveloped signature where schemas have it.

    That is behind the Issuer of a message (SAML core 3.2.1), and first in metadata (SAML metadata 2.3.2). It has the
    form that :mod:`federation.saml.signatures` takes.
    """
    root = copy.deepcopy(root)
    place = etree.Element(f"{{{DS}}}Signature", {"Id": "placeholder"}, nsmap={"ds": DS})
    sender = root.find(saml("Issuer"))
    root.insert(0 if sender is None else root.index(sender) + 1, place)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    certificates = [key.certificate]
    return written(signer.sign(root, key=key.key, cert=certificates, reference_uri=root.get("ID"), id_attribute="ID"))
