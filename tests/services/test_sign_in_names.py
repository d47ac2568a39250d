"""What an address is: only what every mail library reads as the same address."""

from __future__ import annotations

import string

import pytest
from django.core.mail.message import sanitize_address
from hypothesis import given
from hypothesis import strategies as st

from pools.services import sign_in_names


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com",
        "Alice.O'Hara+tag@Sub-1.Example.com",
        "a!#$%&'*+/?=^_`{|}~-@b.c",
        "a?=b@example.com",
        "a@xn--mnchen-3ya.de",
        "a@localhost",
        "a@1.example",
        "l" * 64 + "@" + ".".join(["d" * 63] * 3),
    ],
)
def test_an_address_is_one(address: str) -> None:
    assert sign_in_names.is_email(address)
    assert sanitize_address(address, "utf-8") == address


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?x?=@ex.com",
        "a=?@ex.com",
        "a@ex。com",
        "a@ß.com",
        "ä@example.com",
        "\uff41@example.com",
        "a@.com",
        "a@com.",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a@b_c.d",
        ".a@b.c",
        "a.@b.c",
        "a..b@c.d",
        "a b@c.d",
        '"a"@b.c',
        "a@b@c",
        "a@[127.0.0.1]",
        "a@b.c\n",
        "a\r\nBcc: x@y.z@b.c",
        "@b.c",
        "a@",
        "",
        "l" * 65 + "@b.c",
        "a@" + "d" * 64 + ".c",
        "a@" + ".".join(["d" * 63] * 5),
    ],
)
def test_what_may_be_read_as_another_address_is_none(address: str) -> None:
    assert not sign_in_names.is_email(address)


@given(st.text(string.printable + "ßé。", max_size=12), st.text(string.printable + "ßé。", max_size=12))
def test_an_address_is_what_goes_on_the_wire(local: str, domain: str) -> None:
    address = f"{local}@{domain}"

    if sign_in_names.is_email(address):
        assert sanitize_address(address, "utf-8") == address
