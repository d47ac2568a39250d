"""An identity provider of the tests: it issues by lxml, signxml and cryptography, and may be told to do it wrong."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import SignatureReference, XMLSigner

from identity.foundation import clock

Element = Any
Edit = Callable[[Element], None]
ISSUER = "https://idp.example/metadata"
ACS = "https://pool.example/saml2/idpresponse"
AUDIENCE = "urn:amazon:cognito:sp:eu-west-1_abc"
REQUEST = "_request1"
NAME = "ada@example.com"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
XENC = "http://www.w3.org/2001/04/xmlenc#"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
NS = {"saml": SAML, "samlp": PROTOCOL, "ds": DS, "xenc": XENC, "md": MD}
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
THEIRS = "the provider's"


def rsa_key(name: str = THEIRS) -> rsa.RSAPrivateKey:
    """Return an RSA key by its name, made once."""
    return made_for(name)


@cache
def made_for(name: str) -> rsa.RSAPrivateKey:
    """Make an RSA key."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(bits: int = 256) -> ec.EllipticCurvePrivateKey:
    """Return a key of a curve."""
    return ec.generate_private_key({256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}[bits])


@cache
def certificate(key: Key, *, years: tuple[int, int] = (2020, 2045)) -> x509.Certificate:
    """Return a key's certificate, which it signs itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    begins, ends = (datetime(year, 1, 1, tzinfo=UTC) for year in years)
    builder = builder.public_key(key.public_key()).not_valid_before(begins).not_valid_after(ends)
    return builder.sign(key, hashes.SHA256())


def at(seconds: float = 0) -> str:
    """Return a moment, so many seconds from now."""
    return (clock.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def new_id() -> str:
    """Return an ID."""
    return "_" + os.urandom(16).hex()


def put(parent: Element, name: str, text: str | None = None, /, **attributes: str) -> Element:
    """Add an element, named as ``saml:Issuer`` is, at the end of another."""
    prefix, _, local = name.partition(":")
    made = etree.SubElement(parent, f"{{{NS[prefix]}}}{local}", attributes)
    made.text = text
    return made


def one(element: Element, path: str) -> Element:
    """Return the one element at a path."""
    [found] = element.xpath(path, namespaces=NS)
    return found


def nothing(element: Element) -> None:
    """Edit nothing."""


@dataclass
class IdentityProvider:
    """What issues. Each member is one thing that it may do otherwise."""

    key: Key | str = THEIRS
    """Or its name: keys are made when they are first needed."""
    entity_id: str = ISSUER
    signs: Sequence[str] = ("assertion",)
    """``assertion`` and ``response``."""
    method: SignatureMethod | None = None
    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    prefixes: Sequence[str] = ()
    """Of InclusiveNamespaces."""
    before: Edit = nothing
    """Edits a response, its assertion in it, before anything is signed."""
    between: Edit = nothing
    """Edits a response after its assertion was signed, and before itself is."""
    encrypt: Edit = nothing
    """Replaces the assertion in a response."""

    def response(self) -> Element:
        """Return a response, signed."""
        root = self.unsigned()
        self.before(root)
        if "assertion" in self.signs:
            assertion = one(root, "saml:Assertion")
            assertion.getparent().replace(assertion, self.signed(assertion))
        self.between(root)
        self.encrypt(root)
        if "response" in self.signs:
            root = self.signed(root)
        return root

    def unsigned(self) -> Element:
        """Return a response that nobody signed."""
        root = etree.Element(
            f"{{{PROTOCOL}}}Response",
            {"ID": new_id(), "Version": "2.0", "IssueInstant": at(), "Destination": ACS, "InResponseTo": REQUEST},
            nsmap={"samlp": PROTOCOL, "saml": SAML},
        )
        put(root, "saml:Issuer", self.entity_id)
        put(put(root, "samlp:Status"), "samlp:StatusCode", Value=SUCCESS)
        assertion = put(root, "saml:Assertion", ID=new_id(), Version="2.0", IssueInstant=at())
        put(assertion, "saml:Issuer", self.entity_id)
        self.describe(assertion)
        return root

    def describe(self, assertion: Element) -> None:
        """Say whom an assertion is about."""
        subject = put(assertion, "saml:Subject")
        put(subject, "saml:NameID", NAME, Format=PERSISTENT, SPNameQualifier=AUDIENCE)
        confirmation = put(subject, "saml:SubjectConfirmation", Method=BEARER)
        put(
            confirmation,
            "saml:SubjectConfirmationData",
            NotOnOrAfter=at(300),
            Recipient=ACS,
            InResponseTo=REQUEST,
        )
        conditions = put(assertion, "saml:Conditions", NotBefore=at(-30), NotOnOrAfter=at(300))
        put(put(conditions, "saml:AudienceRestriction"), "saml:Audience", AUDIENCE)
        statement = put(
            assertion, "saml:AuthnStatement", AuthnInstant=at(-5), SessionIndex="_s1", SessionNotOnOrAfter=at(3600)
        )
        put(put(statement, "saml:AuthnContext"), "saml:AuthnContextClassRef", PASSWORD)
        attributes = put(assertion, "saml:AttributeStatement")
        for name, values in ATTRIBUTES.items():
            made = put(attributes, "saml:Attribute", Name=name)
            for value in values:
                put(made, "saml:AttributeValue", value)

    def signed(self, element: Element) -> Element:
        """Return an element with its signature, behind its Issuer."""
        tail, element.tail = element.tail, None
        placeholder = etree.Element(f"{{{DS}}}Signature", {"Id": "placeholder"}, nsmap={"ds": DS})
        one(element, "saml:Issuer").addnext(placeholder)
        key = rsa_key(self.key) if isinstance(self.key, str) else self.key
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        signer = Signer(
            signature_algorithm=self.method or (SignatureMethod.RSA_SHA256 if is_rsa else SignatureMethod.ECDSA_SHA256),
            digest_algorithm=self.digest,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        made = signer.sign(
            element,
            key=key,
            cert=[certificate(key).public_bytes(Encoding.PEM).decode()],
            reference_uri=[SignatureReference(URI=f"#{element.get('ID')}", inclusive_ns_prefixes=list(self.prefixes))],
            id_attribute="ID",
        )
        made.tail = tail
        return made


class Signer(XMLSigner):
    """Signs by anything, SHA-1 too, and says which prefixes are inclusive."""

    def _build_transforms_for_reference(
        self, *, transforms_node: Element, reference: SignatureReference, exclude_c14n_transform_element: bool = True
    ) -> None:
        super()._build_transforms_for_reference(
            transforms_node=transforms_node,
            reference=reference,
            exclude_c14n_transform_element=exclude_c14n_transform_element,
        )
        if prefixes := " ".join(reference.inclusive_ns_prefixes or ()):
            name = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
            etree.SubElement(transforms_node[-1], name, {"PrefixList": prefixes}, nsmap={"ec": EXCLUSIVE})

    def check_deprecated_methods(self) -> None:
        """Say nothing of methods that are not safe any more."""


ATTRIBUTES: dict[str, list[str]] = {
    "email": [NAME],
    "http://schemas.xmlsoap.org/claims/Group": ["admins", "users & <others>"],
    "given name": ["Ada Ünïcode 中"],
}


def written(root: Element) -> bytes:
    """Return a document's bytes."""
    return bytes(etree.tostring(root))


def posted(root: Element | bytes) -> str:
    """Return a document as a form field has it."""
    return base64.b64encode(root if isinstance(root, bytes) else written(root)).decode()
