"""Signs SAML elements, enveloped and in the one form that :mod:`federation.saml.signatures` reads (SAML core 5.4)."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from federation.saml.documents import Element
from federation.saml.rules import saml
from federation.saml.signatures import DS, SIGNATURE


def signed(element: Element, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> Element:
    """Return an element with a signature of all of it, which holds the key's certificate, right behind its Issuer.

    The element is a root of its own, with an ID and an Issuer. It is taken: what is returned stands for it.
    """
    place = etree.Element(SIGNATURE, {"Id": "placeholder"}, nsmap={"ds": DS})
    element.find(saml("Issuer")).addnext(place)
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    reference = f"#{element.get('ID')}"
    return signer.sign(element, key=key, cert=[certificate], reference_uri=reference, id_attribute="ID")
