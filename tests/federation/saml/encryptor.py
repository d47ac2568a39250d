"""Encrypts as identity providers do, and as they should not."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from federation.saml import encryption
from federation.saml.encryption import XENC, XENC11
from tests.federation.saml.identity_provider import DS, SAML, one, rsa_key, written

Element = Any
GCM, CBC = f"{XENC11}aes256-gcm", f"{XENC}aes128-cbc"
OURS = "ours"


def put(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """Add an element by its full name."""
    made = etree.SubElement(parent, name, attributes, nsmap={"xenc": XENC, "ds": DS})
    made.text = text
    return made


def nothing(element: Element) -> None:
    """Edit nothing."""


@dataclass
class Encryptor:
    """What encrypts assertions. Each member is one thing that it may do otherwise."""

    method: str = GCM
    transport: str = encryption.TRANSPORT_MGF1_SHA1
    digest: str = ""
    mask: str = ""
    keys: Sequence[str] = (OURS,)
    """Recipients, by their names."""
    beside: bool = False
    """Keys stand beside the data, and not in it."""
    plain: Callable[[bytes], bytes] = bytes
    """Edits what is encrypted."""
    spoil: Callable[[bytes], bytes] = bytes
    """Edits what is encrypted afterwards."""
    content_key: Callable[[bytes], bytes] = bytes
    """Edits the content key that is told."""
    after: Callable[[Element], None] = nothing
    """Edits the EncryptedAssertion."""

    def __call__(self, response: Element) -> None:
        """Encrypt the assertion of a response."""
        assertion = one(response, "saml:Assertion")
        encrypted = self.encrypted(written(assertion))
        response.replace(assertion, encrypted)

    def encrypted(self, plain: bytes) -> Element:
        """Return an EncryptedAssertion."""
        key = os.urandom(encryption.SIZES.get(self.method, 24))
        root = etree.Element(f"{{{SAML}}}EncryptedAssertion", nsmap={"saml": SAML})
        data = put(root, f"{{{XENC}}}EncryptedData", Type=f"{XENC}Element")
        put(data, f"{{{XENC}}}EncryptionMethod", Algorithm=self.method)
        info = root if self.beside else put(data, f"{{{DS}}}KeyInfo")
        text = self.spoil(self.by_cipher(key, self.plain(plain)))
        self.put_value(data, text)
        for recipient in self.keys:
            self.put_key(info, self.wrapped(rsa_key(recipient), self.content_key(key)))
        self.after(root)
        return root

    def put_key(self, info: Element, wrapped: bytes) -> None:
        """Add a content key."""
        made = put(info, f"{{{XENC}}}EncryptedKey")
        method = put(made, f"{{{XENC}}}EncryptionMethod", Algorithm=self.transport)
        if self.digest:
            put(method, f"{{{DS}}}DigestMethod", Algorithm=self.digest)
        if self.mask:
            put(method, f"{{{XENC11}}}MGF", Algorithm=self.mask)
        self.put_value(made, wrapped)

    def put_value(self, element: Element, value: bytes) -> None:
        """Add a value, in lines as some write it."""
        text = base64.encodebytes(value).decode()
        put(put(element, f"{{{XENC}}}CipherData"), f"{{{XENC}}}CipherValue", f"\n  {text}  ")

    def by_cipher(self, key: bytes, plain: bytes) -> bytes:
        """Return what is encrypted, with what it begins with."""
        if self.method.endswith("gcm"):
            nonce = os.urandom(12)
            return nonce + AESGCM(key).encrypt(nonce, plain, None)
        begins = os.urandom(16)
        cipher = Cipher(algorithms.AES(key), modes.CBC(begins)).encryptor()
        missing = 16 - len(plain) % 16
        return begins + cipher.update(plain + os.urandom(missing - 1) + bytes([missing])) + cipher.finalize()

    def wrapped(self, recipient: rsa.RSAPrivateKey, key: bytes) -> bytes:
        """Return a content key for a recipient."""
        padding: AsymmetricPadding = PKCS1v15()
        if "oaep" in self.transport:
            hashed = encryption.DIGESTS.get(self.digest, hashes.SHA1)
            padding = OAEP(MGF1(encryption.MASKS.get(self.mask, hashes.SHA1)()), hashed(), None)
        return recipient.public_key().encrypt(key, padding)
