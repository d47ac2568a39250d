"""SRP agrees with a published vector and with a client that others wrote."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycognito import aws_srp

from pools.services.people import srp
from tests.walks import walk

POOL = "us-east-1_TestPool1"
USER = "5f2c9f1e-0000-4000-8000-000000000001"
PASSWORD = "Passw0rd!"
SALT = int("1f2e3d4c5b6a79880123456789abcdef", 16)
A = int.from_bytes(b"\x11" * 32, "big")
B = int.from_bytes(b"\x22" * 32, "big")
STAMP = "Tue Mar 3 04:05:06 UTC 2026"
BLOCK = base64.b64encode(b"secret-block-0001").decode()


def short(number: int) -> str:
    return hashlib.sha256(srp.padded(number)).hexdigest()


def test_every_value_is_that_of_the_published_vector() -> None:
    verifier = srp.verifier(POOL, USER, PASSWORD, SALT)
    hello = srp.server_hello(verifier, B)
    public = pow(2, A, int(srp.PRIME))
    key = srp.shared_key(public, srp.scrambler(public, hello.public), hello.secret, verifier)

    assert f"{srp.MULTIPLIER:x}" == "538282c4354742d7cbbde2359fcf67f9f5b3a6b08791e5011b43b8a5b66d9ee6"
    assert f"{srp.private_key(POOL, USER, PASSWORD, SALT):x}" == (
        "cc7772657eb484d347d27acad1967e7c5e835281e8b007cce481c07a07bede6"
    )
    assert short(verifier) == "07a4625d05c5e8f8b207d7db32b051ca7736734b0c7d8ff16f5de557355bb5ca"
    assert short(public) == "fb177c2f8a148859028b890ea60616525a0b01fee86908d6b72f135787965310"
    assert short(hello.public) == "7cc65cbe78dc89ba0f5473968d4f099728c33adea7d424c5fa9b575649c7f67b"
    assert key is not None
    assert key.hex() == "049929635938edd0723a3d1c5b9d246c"
    assert srp.signature(key, POOL, USER, BLOCK, STAMP) == "rbSA/HOl7MIPDaadHg+Z+aQhYZPjJqf2gp+9IGyqgkM="


class NoAws:
    """Stands where pycognito wants a boto3 client; the arithmetic asks nothing of it."""


def signed_by_pycognito(password: str, salt: int, server_public: int, stamp: str) -> tuple[int, str]:
    """Return A and the signature as pycognito computes them."""
    other: Any = aws_srp.AWSSRP(username=USER, password=password, pool_id=POOL, client_id="client", client=NoAws())
    key = other.get_password_authentication_key(USER, password, server_public, f"{salt:x}")
    return other.large_a_value, srp.signature(key, POOL, USER, BLOCK, stamp)


@walk(15)
@given(
    password=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs"]), min_size=1),
    salt=st.integers(1 << 120, (1 << 128) - 1),
)
def test_a_client_that_others_wrote_ends_at_the_same_key(password: str, salt: int) -> None:
    verifier = srp.verifier(POOL, USER, password, salt)
    hello = srp.server_hello(verifier)

    public, signature = signed_by_pycognito(password, salt, hello.public, STAMP)

    key = srp.shared_key(public, srp.scrambler(public, hello.public), hello.secret, verifier)
    assert key is not None
    assert srp.signature(key, POOL, USER, BLOCK, STAMP) == signature


def test_another_password_ends_at_another_key() -> None:
    verifier = srp.verifier(POOL, USER, PASSWORD, SALT)
    hello = srp.server_hello(verifier)

    public, signature = signed_by_pycognito(PASSWORD + "x", SALT, hello.public, STAMP)

    key = srp.shared_key(public, srp.scrambler(public, hello.public), hello.secret, verifier)
    assert key is not None
    assert srp.signature(key, POOL, USER, BLOCK, STAMP) != signature


@pytest.mark.parametrize("factor", [0, 1, 2, -1])
def test_a_public_value_that_is_no_secret_is_refused(factor: int) -> None:
    verifier = srp.verifier(POOL, USER, PASSWORD, SALT)
    hello, public = srp.server_hello(verifier), factor * int(srp.PRIME)

    assert srp.shared_key(public, 1, hello.secret, verifier) is None
