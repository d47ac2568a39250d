"""Signatures of SAML messages (SAML core 5.4): one strict form of XML Signature, by a pinned key, and what they cover.

Trust is in the certificates that the provider's metadata hold, as keys: who issued them and until when says nothing
(SAML metadata interoperability profile 2.6.1). What a message says of its own key is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from federation.refusals import forged
from federation.saml import documents
from federation.saml.documents import Element

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
SIGNATURE: Final = f"{{{DS}}}Signature"
INCLUSIVE_NAMESPACES: Final = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
LONGEST_PREFIXES: Final = 256
"""Characters of a list of prefixes, each of which is looked for at every element."""
METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
RULE: Final = "Signature"
"""What is broken, as a refusal's parameters name it."""
METHOD_NAMES = frozenset(method.value for method in METHODS)
DIGEST_NAMES = frozenset(digest.value for digest in DIGESTS)


def is_signed(element: Element) -> bool:
    """Say whether an element has a signature of its own, good or bad."""
    return element.find(SIGNATURE) is not None


def verified(element: Element, certificates: Sequence[x509.Certificate]) -> Element:
    """Return what one of these certificates' keys signed of an element: parsed anew from the very bytes, and all of it.

    What is left of the element itself is not to be read.

    Raises:
        LoginRefused: it is signed by nobody, by another key, or in another way than :data:`RULES` have it.

    """
    for name, is_broken in RULES.items():
        if is_broken(element):
            raise forged(f"saml signature: {name}", rule=RULE)
    [signature] = element.findall(SIGNATURE)
    method = algorithm(signature, "SignedInfo/SignatureMethod")
    data = etree.tostring(element, encoding="UTF-8", with_tail=False)
    fitting = (certificate for certificate in certificates if fits(certificate, method))
    roots = (documents.parse(found) for certificate in fitting if (found := covered(data, certificate)) is not None)
    genuine = next((root for root in roots if is_of(root, element)), None)
    if genuine is None:
        raise forged("saml signature: by no certificate of the provider", rule=RULE)
    return genuine


def is_of(root: Element, element: Element) -> bool:
    """Say whether what a library says is covered is the element, whatever way it found it by its ID."""
    return bool(root.tag == element.tag and root.get("ID") == element.get("ID"))


def fits(certificate: x509.Certificate, method: str) -> bool:
    """Say whether a certificate's key is of the kind that a method takes."""
    kind = ec.EllipticCurvePublicKey if "#ecdsa-" in method else rsa.RSAPublicKey
    return isinstance(certificate.public_key(), kind)


def covered(data: bytes, certificate: x509.Certificate) -> bytes | None:
    """Return the bytes that a certificate's key signed; None where another's did, or they were changed since.

    Raises:
        LoginRefused: nobody can verify that.

    """
    expected = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=certificate.not_valid_before_utc,  # a key is pinned, not a moment
    )
    try:
        found = XMLVerifier().verify(
            data, x509_cert=certificate, id_attribute="ID", parser=documents.parser(), expect_config=expected
        )
    except InvalidSignature:
        return None
    except Exception as problem:  # noqa: BLE001 - whatever libraries make of a stranger's signature is a refusal
        raise forged(f"saml signature: not verifiable ({type(problem).__name__})", rule=RULE) from None
    return None if isinstance(found, list) else found.signed_data


# -- what a signature may not have -----------------------------------------------------------------------------------


def is_missing(element: Element) -> bool:
    """Say whether nothing is signed."""
    return not is_signed(element)


def is_not_alone(element: Element) -> bool:
    """Say whether there are several signatures of one element."""
    return len(element.findall(SIGNATURE)) > 1


def has_object(element: Element) -> bool:
    """Say whether a signature brings content of its own, where wrapped messages hide."""
    return element.find(f"{SIGNATURE}//{{{DS}}}Object") is not None


def has_other_parts(element: Element) -> bool:
    """Say whether a part is missing, there twice or at another place."""
    signature = element.find(SIGNATURE)
    return any(
        tags(found) not in allowed for path, allowed in PARTS.items() for found in signature.findall(in_ds(path))
    )


def has_several_references(element: Element) -> bool:
    """Say whether a signature covers anything but one thing."""
    return len(element.findall(in_ds("Signature/SignedInfo/Reference"))) != 1


def covers_something_else(element: Element) -> bool:
    """Say whether a signature covers anything but the element that it stands in."""
    reference = element.find(in_ds("Signature/SignedInfo/Reference"))
    return not element.get("ID") or reference.get("URI") != f"#{element.get('ID')}"


def has_other_transforms(element: Element) -> bool:
    """Say whether what is covered is changed before it is hashed, in any way but the two that SAML wants."""
    found = element.findall(in_ds("Signature/SignedInfo/Reference/Transforms/Transform"))
    return [each.get("Algorithm") for each in found] != [ENVELOPED, EXCLUSIVE] or len(found[0]) > 0


def has_other_canonicalization(element: Element) -> bool:
    """Say whether canonicalization is another, or is told more than a few prefixes (Exclusive XML C14N 4)."""
    signature = element.find(SIGNATURE)
    method = signature.find(in_ds("SignedInfo/CanonicalizationMethod"))
    told = list(signature.findall(in_ds("SignedInfo/Reference/Transforms/Transform"))[-1])
    return method.get("Algorithm") != EXCLUSIVE or len(told) > 1 or not all(map(is_short_list, told))


def is_short_list(element: Element) -> bool:
    """Say whether an element is a list of some prefixes."""
    prefixes = element.get("PrefixList", "")
    return element.tag == INCLUSIVE_NAMESPACES and not len(element) and len(prefixes) <= LONGEST_PREFIXES


def has_other_method(element: Element) -> bool:
    """Say whether a signature is by an algorithm that is not taken: SHA-1 and HMAC among them."""
    return algorithm(element.find(SIGNATURE), "SignedInfo/SignatureMethod") not in METHOD_NAMES


def has_other_digest(element: Element) -> bool:
    """Say whether a digest is by an algorithm that is not taken."""
    return algorithm(element.find(SIGNATURE), "SignedInfo/Reference/DigestMethod") not in DIGEST_NAMES


def algorithm(signature: Element, path: str) -> str:
    """Return the algorithm that a part of a signature names."""
    return str(signature.find(in_ds(path)).get("Algorithm", ""))


def tags(element: Element) -> tuple[str, ...]:
    """Return the names of an element's children, with the namespace of those that are not XML Signature's."""
    return tuple(child.tag.removeprefix(f"{{{DS}}}") for child in element)


def in_ds(path: str) -> str:
    """Return a path of XML Signature's names as lxml reads it."""
    return "/".join(f"{{{DS}}}{step}" if step != "." else step for step in path.split("/"))


PARTS: Mapping[str, Sequence[tuple[str, ...]]] = {
    ".": [("SignedInfo", "SignatureValue"), ("SignedInfo", "SignatureValue", "KeyInfo")],
    "SignedInfo": [("CanonicalizationMethod", "SignatureMethod", "Reference")],
    "SignedInfo/CanonicalizationMethod": [()],
    "SignedInfo/SignatureMethod": [()],
    "SignedInfo/Reference": [("Transforms", "DigestMethod", "DigestValue")],
    "SignedInfo/Reference/Transforms": [("Transform", "Transform")],
    "SignedInfo/Reference/DigestMethod": [()],
    "SignedInfo/Reference/DigestValue": [()],
    "SignatureValue": [()],
}
"""What the children of each part of a signature may be."""
RULES: Mapping[str, Callable[[Element], bool]] = {
    "it is missing": is_missing,
    "there are several of one element": is_not_alone,
    "it brings an Object": has_object,
    "it has not one Reference": has_several_references,
    "its Reference is to another element": covers_something_else,
    "its transforms are not the two of SAML": has_other_transforms,
    "its parts are not those of SAML": has_other_parts,
    "its canonicalization is another": has_other_canonicalization,
    "its algorithm is not allowed": has_other_method,
    "its digest is not allowed": has_other_digest,
}
"""What breaks a rule, by what the refusal says. Each may rely on those before it."""
