"""Encrypted assertions: every way that is safe is read, and all others are refused alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.saml import encryption
from federation.saml.encryption import XENC, XENC11
from identity.foundation.errors import LoginRefused
from tests.federation.saml.edits import drop, repeat, text_at
from tests.federation.saml.encryptor import CBC, GCM, OURS, Encryptor, put
from tests.federation.saml.identity_provider import DS, one, rsa_key
from tests.walks import walk

anything = walk(100)
Element = Any
PLAIN = b"<Assertion>" + b"x" * 100 + b"</Assertion>"
BROKEN = "cannot be decrypted"
PARTS = "its parts are not those of SAML"
TRANSPORT = "its key transport is not allowed"
CIPHER = "its cipher is not allowed"


def refusal(encryptor: Encryptor) -> str:
    """Return why nothing is decrypted."""
    with pytest.raises(LoginRefused) as caught:
        encryption.decrypted(encryptor.encrypted(PLAIN), [rsa_key(OURS)])
    return caught.value.detail.removeprefix("saml encryption: ")


@pytest.mark.parametrize("method", encryption.SIZES)
@pytest.mark.parametrize("beside", [False, True])
def test_each_cipher_is_read(method: str, beside: bool) -> None:
    encrypted = Encryptor(method=method, beside=beside).encrypted(PLAIN)

    assert encryption.decrypted(encrypted, [rsa_key(OURS)]) == PLAIN


@pytest.mark.parametrize("transport", [encryption.TRANSPORT_MGF1_SHA1, encryption.TRANSPORT])
@pytest.mark.parametrize("digest", ["", *encryption.DIGESTS])
def test_each_transport_is_read(transport: str, digest: str) -> None:
    encrypted = Encryptor(transport=transport, digest=digest).encrypted(PLAIN)

    assert encryption.decrypted(encrypted, [rsa_key(OURS)]) == PLAIN


@pytest.mark.parametrize("mask", encryption.MASKS)
def test_each_mask_is_read(mask: str) -> None:
    encryptor = Encryptor(transport=encryption.TRANSPORT, digest=f"{XENC}sha256", mask=mask)

    assert encryption.decrypted(encryptor.encrypted(PLAIN), [rsa_key(OURS)]) == PLAIN


@pytest.mark.parametrize("keys", [(OURS, "next"), ("next", OURS), ("next", OURS, "a stranger's")])
def test_any_of_our_keys_reads_what_is_for_any(keys: tuple[str, ...]) -> None:
    held = [rsa_key(name) for name in keys]
    among_others = Encryptor(keys=["another's", OURS])

    assert encryption.decrypted(Encryptor().encrypted(PLAIN), held) == PLAIN
    assert encryption.decrypted(among_others.encrypted(PLAIN), held) == PLAIN


@anything
@given(plain=st.binary(max_size=200), method=st.sampled_from(sorted(encryption.SIZES)))
def test_what_is_encrypted_comes_out(plain: bytes, method: str) -> None:
    assert encryption.decrypted(Encryptor(method=method).encrypted(plain), [rsa_key(OURS)]) == plain


# -- whatever does not decrypt, in one way ---------------------------------------------------------------------------


def flip(place: int) -> Callable[[bytes], bytes]:
    """Return an edit that flips a bit."""

    def edit(data: bytes) -> bytes:
        return data[:place] + bytes([data[place] ^ 1]) + data[place:][1:]

    return edit


UNDECRYPTABLE: list[Encryptor] = [
    Encryptor(keys=["another's"]),
    Encryptor(spoil=flip(0)),
    Encryptor(spoil=flip(20)),
    Encryptor(spoil=flip(-1)),
    Encryptor(spoil=lambda data: data[:-1]),
    Encryptor(spoil=lambda data: data[:5]),
    Encryptor(spoil=lambda data: b""),
    Encryptor(content_key=flip(3)),
    Encryptor(content_key=lambda key: key[:-8]),
    Encryptor(method=CBC, spoil=lambda data: data[:-1]),
    Encryptor(method=CBC, spoil=lambda data: data[:16]),
    Encryptor(method=CBC, spoil=lambda data: b""),
    Encryptor(method=CBC, content_key=lambda key: key + key),
    Encryptor(after=text_at("//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue", "???")),
    Encryptor(after=text_at("//xenc:EncryptedKey/xenc:CipherData/xenc:CipherValue", "AAAA")),
    Encryptor(after=text_at("//xenc:EncryptedKey/xenc:CipherData/xenc:CipherValue", None)),
    Encryptor(transport=encryption.TRANSPORT, after=lambda root: tell_digest(root, f"{XENC}sha256")),
]


@pytest.mark.parametrize("encryptor", UNDECRYPTABLE)
def test_whatever_does_not_decrypt_is_refused_alike(encryptor: Encryptor) -> None:
    assert refusal(encryptor) == BROKEN


@pytest.mark.parametrize("last", [0, 17, 255])
def test_a_padding_that_is_none_is_refused_like_everything_else(last: int) -> None:
    def edit(plain: bytes) -> bytes:
        return plain + bytes(15 - len(plain) % 16) + bytes([last])

    encryptor = Encryptor(method=CBC, plain=edit, spoil=lambda data: data[:-16])

    assert refusal(encryptor) == BROKEN


def test_whoever_has_no_key_decrypts_nothing() -> None:
    with pytest.raises(LoginRefused) as caught:
        encryption.decrypted(Encryptor().encrypted(PLAIN), [])

    assert caught.value.detail == f"saml encryption: {BROKEN}"


# -- each rule, broken alone -----------------------------------------------------------------------------------------


def tell_digest(root: Element, digest: str, times: int = 1) -> None:
    """Tell which digest OAEP has."""
    method = one(root, "//xenc:EncryptedKey/xenc:EncryptionMethod")
    for _ in range(times):
        put(method, f"{{{DS}}}DigestMethod", Algorithm=digest)


def by_reference(root: Element) -> None:
    """Have what is encrypted be elsewhere."""
    data = one(root, "//xenc:EncryptedData/xenc:CipherData")
    put(data, f"{{{XENC}}}CipherReference", URI="http://127.0.0.1:9/")
    data.remove(data[0])


CASES: list[tuple[Encryptor, str]] = [
    (Encryptor(transport=f"{XENC}rsa-1_5"), TRANSPORT),
    (Encryptor(transport=f"{XENC}kw-aes128"), TRANSPORT),
    (Encryptor(mask=f"{XENC11}mgf1sha256"), TRANSPORT),
    (Encryptor(after=lambda root: tell_digest(root, "none")), TRANSPORT),
    (Encryptor(after=lambda root: tell_digest(root, f"{DS}sha1", 2)), TRANSPORT),
    (Encryptor(after=drop("//xenc:EncryptedKey/xenc:EncryptionMethod")), TRANSPORT),
    (
        Encryptor(
            after=lambda root: put(
                one(root, "//xenc:EncryptedKey/xenc:EncryptionMethod"),
                f"{{{XENC}}}OAEPparams",
                "AAAA",
            )
        ),
        TRANSPORT,
    ),
    (Encryptor(method=f"{XENC}tripledes-cbc"), CIPHER),
    (Encryptor(method=f"{XENC11}aes192-gcm"), CIPHER),
    (Encryptor(after=drop("//xenc:EncryptedData/xenc:EncryptionMethod")), CIPHER),
    (Encryptor(after=lambda root: put(root[0][0], f"{{{XENC}}}KeySize", "8")), CIPHER),
    (Encryptor(after=repeat("xenc:EncryptedData")), PARTS),
    (Encryptor(after=drop("xenc:EncryptedData")), PARTS),
    (Encryptor(after=drop("//xenc:EncryptedKey")), PARTS),
    (Encryptor(after=drop("//xenc:EncryptedData/xenc:CipherData")), PARTS),
    (Encryptor(after=repeat("//xenc:EncryptedData/xenc:CipherData")), PARTS),
    (Encryptor(after=repeat("//xenc:EncryptedData/xenc:CipherData/xenc:CipherValue")), PARTS),
    (Encryptor(after=drop("//xenc:EncryptedKey/xenc:CipherData/xenc:CipherValue")), PARTS),
    (Encryptor(after=lambda root: put(root, f"{{{DS}}}KeyInfo")), PARTS),
    (Encryptor(after=lambda root: root[0].set("Type", f"{XENC}Content")), PARTS),
    (Encryptor(after=by_reference), PARTS),
    (Encryptor(keys=[OURS] * 5), PARTS),
]


@pytest.mark.parametrize(("encryptor", "rule"), CASES)
def test_each_rule_refuses_alone(encryptor: Encryptor, rule: str) -> None:
    assert refusal(encryptor) == rule


@anything
@given(data=st.data(), method=st.sampled_from([GCM, CBC]))
def test_whatever_was_changed_is_refused_or_some_bytes(data: st.DataObject, method: str) -> None:
    spoil = flip(data.draw(st.integers(0, 120)))
    encrypted = Encryptor(method=method, spoil=spoil).encrypted(PLAIN)

    try:
        found = encryption.decrypted(encrypted, [rsa_key(OURS)])
    except LoginRefused as refused:
        assert refused.detail == f"saml encryption: {BROKEN}"
    else:
        assert method == CBC
        assert found != PLAIN
