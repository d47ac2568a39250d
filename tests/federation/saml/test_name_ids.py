"""Names of people for applications: which formats, and that those which tell nothing tell nothing."""

from __future__ import annotations

import pytest

from federation.saml import name_ids
from federation.saml.responses import NameId

SECRET, OTHER = b"s" * 32, b"o" * 32
SUB = "3f0c2b44-7d7e-4c5b-9a0e-0f5d1c2b3a49"


def test_a_persistent_name_stays_and_is_of_one_application() -> None:
    of_one = name_ids.persistent_id(SECRET, "https://one.example", SUB)

    assert of_one == name_ids.persistent_id(SECRET, "https://one.example", SUB)
    assert len(of_one) == 64
    others = {
        name_ids.persistent_id(SECRET, "https://two.example", SUB),
        name_ids.persistent_id(SECRET, "https://one.example", f"{SUB}1"),
        name_ids.persistent_id(SECRET, f"https://one.example{SUB[0]}", SUB[1:]),
        name_ids.persistent_id(OTHER, "https://one.example", SUB),
    }
    assert len(others) == 4
    assert of_one not in others


def test_a_persistent_name_is_the_same_in_every_release() -> None:
    made = name_ids.persistent_id(SECRET, "https://one.example", SUB)

    assert made == "e52ef34a407cfbcc51bfacad7f0db9a8464285ff39528a79272148ed39651cef"


@pytest.mark.parametrize("secret", [b"", b"s" * 31])
def test_a_short_secret_makes_no_names(secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        name_ids.persistent_id(secret, "https://one.example", SUB)


def test_a_transient_name_is_another_each_time() -> None:
    assert len({name_ids.transient_id() for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("name_format", "qualifiers"),
    [
        (name_ids.PERSISTENT, ("idp", "sp")),
        (name_ids.TRANSIENT, ("idp", "sp")),
        (name_ids.EMAIL, ("", "")),
        (name_ids.UNSPECIFIED, ("", "")),
    ],
)
def test_a_name_is_qualified_where_its_format_is(name_format: str, qualifiers: tuple[str, str]) -> None:
    found = name_ids.name_id("ada", name_format, issuer="idp", application="sp")

    assert found == NameId("ada", name_format, *qualifiers)


def test_other_formats_are_not_issued() -> None:
    with pytest.raises(ValueError, match="format"):
        name_ids.name_id("ada", "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos", issuer="idp", application="sp")
