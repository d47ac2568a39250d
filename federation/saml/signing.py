"""Signs SAML elements, enveloped and in the one form that :mod:`federation.saml.signatures` reads (SAML core 5.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from federation.saml.documents import Element
from federation.saml.rules import saml
from federation.saml.signatures import DS, SIGNATURE


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs, and the certificate that says so to whoever does not know it."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate


def signed(element: Element, key: SigningKey) -> Element:
    """Return an element with a signature of all of it, which holds the key's certificate.

    It stands where schemas have it: behind the Issuer of a message (SAML core 3.2.1), and first in metadata (SAML
    metadata 2.3.2). The element is a root of its own, with an ID. It is taken: what is returned stands for it.
    """
    place = etree.Element(SIGNATURE, {"Id": "placeholder"}, nsmap={"ds": DS})
    sender = element.find(saml("Issuer"))
    element.insert(0 if sender is None else element.index(sender) + 1, place)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    reference = f"#{element.get('ID')}"
    return signer.sign(element, key=key.key, cert=[key.certificate], reference_uri=reference, id_attribute="ID")
