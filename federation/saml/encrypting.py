"""Encrypts an assertion for the certificate of an application (SAML core 2.3.4): by AES-256-GCM and RSA-OAEP.

In the form that applications read, with SHA-1 within OAEP: nothing rests on its collisions there.
"""

from __future__ import annotations

import base64
import os
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from federation.saml.documents import Element
from federation.saml.encryption import ELEMENT, KEY, NONCE, SHA1, TRANSPORT_MGF1_SHA1, XENC, XENC11, xenc
from federation.saml.responses import ENCRYPTED
from federation.saml.rules import SAML
from federation.saml.signatures import DS
from federation.saml.writing import put, root

METHOD: Final = f"{XENC11}aes256-gcm"
PADDING: Final = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303 - said above
PREFIXES: Final = {"saml": SAML, "xenc": XENC, "ds": DS}


def encrypted(assertion: Element, certificate: x509.Certificate) -> Element:
    """Return an EncryptedAssertion that only the holder of a certificate's key reads. The assertion is a root.

    Raises:
        TypeError: the certificate's key is not RSA.

    """
    recipient = certificate.public_key()
    if not isinstance(recipient, rsa.RSAPublicKey):
        raise TypeError("assertions are encrypted for RSA keys")
    key, nonce = AESGCM.generate_key(bit_length=256), os.urandom(NONCE)
    found = root(ENCRYPTED, PREFIXES)
    data = put(found, xenc("EncryptedData"), Type=ELEMENT)
    put(data, xenc("EncryptionMethod"), Algorithm=METHOD)
    wrapped = put(put(data, f"{{{DS}}}KeyInfo"), KEY)
    transport = put(wrapped, xenc("EncryptionMethod"), Algorithm=TRANSPORT_MGF1_SHA1)
    put(transport, f"{{{DS}}}DigestMethod", Algorithm=SHA1)
    put_value(wrapped, recipient.encrypt(key, PADDING))
    put_value(data, nonce + AESGCM(key).encrypt(nonce, etree.tostring(assertion, encoding="UTF-8"), None))
    return found


def put_value(element: Element, value: bytes) -> None:
    """Add the bytes of something encrypted."""
    put(put(element, xenc("CipherData")), xenc("CipherValue"), base64.b64encode(value).decode())
