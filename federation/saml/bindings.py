"""How messages travel with a browser, by redirect and by form (SAML bindings 3.4 and 3.5), and who signed them.

A redirect is signed as the octets of its query, a form as the document in it. Responses to sign-in requests are not
read here: of them an assertion alone may be signed (:mod:`federation.saml.responses`).
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote, unquote_plus

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from signxml.algorithms import SignatureMethod

from federation.refusals import forged
from federation.saml import documents, signatures
from federation.saml.documents import Element
from identity.foundation.errors import LoginRefused

Field = Literal["SAMLRequest", "SAMLResponse"]
RELAY_STATE, ALGORITHM, SIGNATURE, ENCODING = "RelayState", "SigAlg", "Signature", "SAMLEncoding"
OWN: Final = ("SAMLRequest", "SAMLResponse", RELAY_STATE, ALGORITHM, SIGNATURE, ENCODING)
"""Parameters that mean something here. An address may have others of its own."""
DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
LONGEST_QUERY: Final = 128 * 1024
"""Characters: more than browsers, proxies and servers let through, and each may have to be decoded."""
MOST_PARAMETERS: Final = 100
"""Of a query, with those that an address has of its own."""
NOT_IN_QUERIES = re.compile(r"[^\x21-\x7e]")
HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    SignatureMethod.RSA_SHA256.value: hashes.SHA256,
    SignatureMethod.RSA_SHA384.value: hashes.SHA384,
    SignatureMethod.RSA_SHA512.value: hashes.SHA512,
    SignatureMethod.ECDSA_SHA256.value: hashes.SHA256,
    SignatureMethod.ECDSA_SHA384.value: hashes.SHA384,
    SignatureMethod.ECDSA_SHA512.value: hashes.SHA512,
}
"""What is hashed how, by the algorithm's name: those of :data:`federation.saml.signatures.METHODS`."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came, of which all is to be read or nothing."""

    root: Element
    relay_state: str
    """Of a redirect it is signed too; in a form anybody can change it."""
    is_signed: bool


# -- out -------------------------------------------------------------------------------------------------------------


def redirect_url(
    url: str, document: bytes, *, field: Field, relay_state: str = "", key: rsa.RSAPrivateKey | None = None
) -> str:
    """Return where to send a browser with a message, signed if there is a key (SAML bindings 3.4.4.1).

    A query that the address has stays in front, and is not signed.
    """
    pairs: list[tuple[str, str]] = [(field, base64.b64encode(deflated(document)).decode())]
    if relay_state:
        pairs.append((RELAY_STATE, relay_state))
    if key is not None:
        pairs.append((ALGORITHM, SignatureMethod.RSA_SHA256.value))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    if key is not None:
        made = base64.b64encode(key.sign(query.encode("ascii"), PKCS1v15(), hashes.SHA256())).decode()
        query += f"&{SIGNATURE}={quote(made, safe='')}"
    joint = "?" if "?" not in url else "" if url.endswith(("?", "&")) else "&"
    return f"{url}{joint}{query}"


def form_fields(document: bytes, *, field: Field, relay_state: str = "") -> dict[str, str]:
    """Return the fields of a form that a browser posts, with a message that was signed before (SAML bindings 3.5.4)."""
    fields: dict[str, str] = {field: base64.b64encode(document).decode()}
    if relay_state:
        fields[RELAY_STATE] = relay_state
    return fields


def deflated(data: bytes) -> bytes:
    """Return bytes by RFC 1951, without a header."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


# -- in --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """The query of a redirect, whose values are as they came."""

    field: Field
    pairs: Sequence[tuple[str, str]]

    def octets(self, name: str) -> str | None:
        """Return the octets of a parameter's value; None where it is not there."""
        return next((value for found, value in self.pairs if found == name), None)

    def value(self, name: str) -> str:
        """Return the text that a parameter holds; empty where it is not there."""
        return unquote_plus(self.octets(name) or "", errors="replace")

    @property
    def is_signed(self) -> bool:
        """Whether there is a signature, good or bad."""
        return self.octets(SIGNATURE) is not None

    @property
    def covered(self) -> bytes:
        """What a signature covers: octets as they came, in the order that is fixed (SAML bindings 3.4.4.1)."""
        names = (self.field, RELAY_STATE, ALGORITHM)
        return "&".join(f"{name}={found}" for name in names if (found := self.octets(name)) is not None).encode("ascii")


def verified_redirect(
    raw_query: str, certificates: Sequence[x509.Certificate], *, field: Field, may_be_unsigned: bool = False
) -> Received:
    """Return the message in the query of a redirect, octets as they came, that one of these certificates' keys signed.

    Where it may be unsigned and there is no certificate, a signature is as good as none.

    Raises:
        LoginRefused: it is signed by nobody or another, or breaks one of :data:`RULES` or of those of documents.

    """
    if problem := size_problem(raw_query):
        raise forged(f"saml redirect: {problem}")
    if NOT_IN_QUERIES.search(raw_query):
        raise forged("saml redirect: it is no query")
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in raw_query.split("&"))]
    query = Query(field, pairs)
    for name, is_broken in RULES.items():
        if is_broken(query):
            raise forged(f"saml redirect: {name}")
    is_signed = query.is_signed and bool(certificates or not may_be_unsigned)
    if not is_signed and not may_be_unsigned:
        raise forged("saml redirect: it is not signed")
    if is_signed:
        check_signature(query, certificates)
    root = documents.parse(documents.redirected(query.value(field)))
    return Received(root, query.value(RELAY_STATE), is_signed)


def size_problem(raw_query: str) -> str:
    """Return what makes a query one that costs much to look into; empty where nothing does."""
    if len(raw_query) > LONGEST_QUERY:
        return "it is too long"
    return "it has too many parameters" if raw_query.count("&") >= MOST_PARAMETERS else ""


def verified_form(
    fields: Mapping[str, str],
    certificates: Sequence[x509.Certificate],
    *,
    field: Field,
    may_be_unsigned: bool = False,
) -> Received:
    """Return the message in a posted form, whose document one of these certificates' keys signed.

    As :func:`verified_redirect`, with the rules of :mod:`federation.saml.signatures`. Raises LoginRefused.
    """
    if all(name in fields for name in ("SAMLRequest", "SAMLResponse")):
        raise forged("saml form: it brings a request and a response")
    root = documents.parse(documents.posted(fields.get(field)))
    is_signed = signatures.is_signed(root) and bool(certificates or not may_be_unsigned)
    if is_signed or not may_be_unsigned:
        root = signatures.verified(root, certificates)
    return Received(root, fields.get(RELAY_STATE, ""), is_signed)


def check_signature(query: Query, certificates: Sequence[x509.Certificate]) -> None:
    """Raise LoginRefused unless a certificate's key signed what a query's signature covers."""
    try:
        signature = documents.unarmoured(query.value(SIGNATURE))
    except LoginRefused:
        raise forged("saml redirect: its signature is not base64") from None
    method = query.value(ALGORITHM)
    if not any(is_by(certificate, method, signature, query.covered) for certificate in certificates):
        raise forged("saml redirect: by no certificate of the sender")


def is_by(certificate: x509.Certificate, method: str, signature: bytes, data: bytes) -> bool:
    """Say whether a certificate's key made a signature, by a method that is allowed."""
    key, hashed, is_of_curves = certificate.public_key(), HASHES[method](), "#ecdsa-" in method
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and is_of_curves:
            key.verify(in_der(signature), data, ec.ECDSA(hashed))
        elif isinstance(key, rsa.RSAPublicKey) and not is_of_curves:
            key.verify(signature, data, PKCS1v15(), hashed)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def in_der(signature: bytes) -> bytes:
    """Return a signature of a curve, two numbers of one length (XML Signature 2.0, 6.4.3), as libraries read it."""
    half = len(signature) // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))


# -- what a query may not have ---------------------------------------------------------------------------------------


def has_encoded_name(query: Query) -> bool:
    """Say whether a parameter that means something is written so that only some readers know it."""
    return any(name not in OWN and unquote_plus(name) in OWN for name, _ in query.pairs)


def has_parameter_twice(query: Query) -> bool:
    """Say whether readers that take the first, and those that take the last, read different messages."""
    found = [name for name, _ in query.pairs if name in OWN]
    return len(found) != len(set(found))


def has_both_messages(query: Query) -> bool:
    """Say whether there is a request and a response, of which a signature covers one."""
    return query.octets("SAMLRequest") is not None and query.octets("SAMLResponse") is not None


def has_no_message(query: Query) -> bool:
    """Say whether there is no message of the kind that is read."""
    return not query.octets(query.field)


def has_other_encoding(query: Query) -> bool:
    """Say whether a message is encoded by anything but DEFLATE (SAML bindings 3.4.4)."""
    return query.octets(ENCODING) is not None and query.value(ENCODING) != DEFLATE


def is_half_signed(query: Query) -> bool:
    """Say whether there is a signature without its algorithm, or the reverse."""
    return (query.octets(ALGORITHM) is None) == query.is_signed


def has_other_algorithm(query: Query) -> bool:
    """Say whether it is signed by an algorithm that is not taken: SHA-1 among them."""
    return query.is_signed and query.value(ALGORITHM) not in HASHES


RULES: Mapping[str, Callable[[Query], bool]] = {
    "a parameter's name is encoded": has_encoded_name,
    "a parameter is there twice": has_parameter_twice,
    "it brings a request and a response": has_both_messages,
    "its message is missing": has_no_message,
    "its encoding is another": has_other_encoding,
    "it has a signature or an algorithm alone": is_half_signed,
    "its algorithm is not allowed": has_other_algorithm,
}
"""What breaks a rule, by what the refusal says. Each may rely on those before it."""
