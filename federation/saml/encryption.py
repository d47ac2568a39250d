"""Encrypted assertions (SAML core 2.3.4, XML Encryption 1.1): by RSA-OAEP and AES, for one of our keys.

What comes out is as little trusted as what came in: CBC proves nothing of who wrote it, and anybody can encrypt for us.
Whatever does not decrypt is refused in one way, which says neither where nor why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from federation.refusals import forged
from federation.saml import documents
from federation.saml.documents import Element
from federation.saml.signatures import DS
from identity.foundation.errors import LoginRefused

XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
ELEMENT: Final = f"{XENC}Element"
KEY: Final = f"{{{XENC}}}EncryptedKey"
TRANSPORT_MGF1_SHA1: Final = f"{XENC}rsa-oaep-mgf1p"
TRANSPORT: Final = f"{XENC11}rsa-oaep"
MOST_KEYS: Final = 4
"""Recipients of one message."""
NONCE, BLOCK, TAG = 12, 16, 16
SIZES: Mapping[str, int] = {
    f"{XENC11}aes128-gcm": 16,
    f"{XENC11}aes256-gcm": 32,
    f"{XENC}aes128-cbc": 16,
    f"{XENC}aes192-cbc": 24,
    f"{XENC}aes256-cbc": 32,
}
"""Bytes of a key, by what it encrypts with."""
SHA1: Final = f"{DS}sha1"
DIGESTS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    SHA1: hashes.SHA1,  # OAEP's usual one: nothing rests on its collisions
    f"{XENC}sha256": hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384,
    f"{XENC}sha512": hashes.SHA512,
}
MASKS: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    f"{XENC11}mgf1sha1": hashes.SHA1,
    f"{XENC11}mgf1sha256": hashes.SHA256,
    f"{XENC11}mgf1sha384": hashes.SHA384,
    f"{XENC11}mgf1sha512": hashes.SHA512,
}


def decrypted(encrypted: Element, keys: Sequence[rsa.RSAPrivateKey]) -> bytes:
    """Return what an EncryptedAssertion or its like holds, for one of our keys: a new document of nobody yet.

    Raises:
        LoginRefused: it is for somebody else, broken, or encrypted in another way than :data:`RULES` have it.

    """
    for name, is_broken in RULES.items():
        if is_broken(encrypted):
            raise forged(f"saml encryption: {name}")
    data = encrypted.find(xenc("EncryptedData"))
    method = algorithm(data)
    found = opened(data, method, list(content_keys(encrypted, keys, SIZES[method])))
    if found is None:
        raise forged("saml encryption: cannot be decrypted")
    return found


def content_keys(encrypted: Element, keys: Sequence[rsa.RSAPrivateKey], size: int) -> Iterator[bytes]:
    """Yield every content key of the right size that one of our keys gets out of a message."""
    for wrapped in encrypted_keys(encrypted):
        secret = cipher_value(wrapped)
        for key in keys:
            try:
                found = key.decrypt(secret, padding(wrapped))
            except ValueError:  # for another key
                continue
            if len(found) == size:
                yield found


def padding(wrapped: Element) -> OAEP:
    """Return how a content key is padded (XML Encryption 1.1, 5.5.2)."""
    digest = wrapped.find(f"{xenc('EncryptionMethod')}/{{{DS}}}DigestMethod")
    mask = wrapped.find(f"{xenc('EncryptionMethod')}/{{{XENC11}}}MGF")
    hashed = DIGESTS[SHA1 if digest is None else digest.get("Algorithm")]
    masked = hashes.SHA1 if mask is None else MASKS[mask.get("Algorithm")]
    return OAEP(mgf=MGF1(masked()), algorithm=hashed(), label=None)


def opened(data: Element, method: str, keys: Sequence[bytes]) -> bytes | None:
    """Return the plain text of EncryptedData by the first key that fits; None where none does."""
    text = cipher_value(data)
    for key in keys:
        found = by_gcm(key, text) if method.endswith("-gcm") else by_cbc(key, text)
        if found is not None:
            return found
    return None


def by_gcm(key: bytes, text: bytes) -> bytes | None:
    """Return a plain text, whose tag is right (XML Encryption 1.1, 5.2.4); else None."""
    try:
        return AESGCM(key).decrypt(text[:NONCE], text[NONCE:], None)
    except (InvalidTag, ValueError):
        return None


def by_cbc(key: bytes, text: bytes) -> bytes | None:
    """Return a plain text, whose padding may be right (XML Encryption 1.1, 5.2.1); else None."""
    if len(text) < 2 * BLOCK or len(text) % BLOCK:
        return None
    cipher = Cipher(algorithms.AES(key), modes.CBC(text[:BLOCK])).decryptor()
    found = cipher.update(text[BLOCK:]) + cipher.finalize()
    return found[: -found[-1]] if 1 <= found[-1] <= BLOCK else None


# -- what may be encrypted, and how ----------------------------------------------------------------------------------


def has_other_parts(encrypted: Element) -> bool:
    """Say whether there is anything but one EncryptedData, and keys beside it or in it, each with one value."""
    data = encrypted.findall(xenc("EncryptedData"))
    wrapped = encrypted_keys(encrypted)
    beside = [child for child in encrypted if child.tag not in {KEY, xenc("EncryptedData")}]
    if len(data) != 1 or beside or data[0].get("Type", ELEMENT) != ELEMENT or not 1 <= len(wrapped) <= MOST_KEYS:
        return True
    return any(len(each.findall(f"{xenc('CipherData')}/*")) != 1 or not is_value(each) for each in (*data, *wrapped))


def is_value(element: Element) -> bool:
    """Say whether something encrypted is there itself, and not elsewhere (CipherReference)."""
    value = element.find(f"{xenc('CipherData')}/{xenc('CipherValue')}")
    return value is not None and not len(value)


def has_other_cipher(encrypted: Element) -> bool:
    """Say whether an assertion is encrypted by anything but AES, or AES told more than its name."""
    data = encrypted.find(xenc("EncryptedData"))
    return algorithm(data) not in SIZES or len(data.find(xenc("EncryptionMethod"))) > 0


def has_other_transport(encrypted: Element) -> bool:
    """Say whether a key is encrypted by anything but OAEP: RSA 1.5 lets whoever asks often enough decrypt by us."""
    return not all(map(is_oaep, encrypted_keys(encrypted)))


def is_oaep(wrapped: Element) -> bool:
    """Say whether a key is encrypted by OAEP, with hashes that are known, and without a label."""
    method = wrapped.find(xenc("EncryptionMethod"))
    digests, masks = f"{{{DS}}}DigestMethod", f"{{{XENC11}}}MGF"
    told = {digests: DIGESTS, **({masks: MASKS} if algorithm(wrapped) == TRANSPORT else {})}
    parts = [] if method is None else list(method)
    return (
        algorithm(wrapped) in {TRANSPORT, TRANSPORT_MGF1_SHA1}
        and all(part.get("Algorithm") in told.get(part.tag, ()) for part in parts)
        and len({part.tag for part in parts}) == len(parts)
    )


def encrypted_keys(encrypted: Element) -> list[Element]:
    """Return all content keys of a message: in the data that they encrypt, or beside it."""
    inside = f"{xenc('EncryptedData')}/{{{DS}}}KeyInfo/{KEY}"
    return [*encrypted.findall(inside), *encrypted.findall(KEY)]


def algorithm(element: Element) -> str:
    """Return how something is encrypted; empty where it does not say."""
    method = element.find(xenc("EncryptionMethod"))
    return "" if method is None else str(method.get("Algorithm", ""))


def cipher_value(element: Element) -> bytes:
    """Return the bytes of something encrypted. Raises LoginRefused as everything that does not decrypt."""
    text = element.findtext(f"{xenc('CipherData')}/{xenc('CipherValue')}")
    try:
        return documents.unarmoured("".join(text.split()))
    except LoginRefused:
        raise forged("saml encryption: cannot be decrypted") from None


def xenc(name: str) -> str:
    """Return a name of XML Encryption as lxml reads it."""
    return f"{{{XENC}}}{name}"


RULES: Mapping[str, Callable[[Element], bool]] = {
    "its parts are not those of SAML": has_other_parts,
    "its cipher is not allowed": has_other_cipher,
    "its key transport is not allowed": has_other_transport,
}
"""What breaks a rule, by what the refusal says. Each may rely on those before it."""
