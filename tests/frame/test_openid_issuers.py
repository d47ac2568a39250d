"""The OpenID providers that a setting names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from identity.environment import Environment

OURS = {"mode": "production", "base_url": "https://id.example.com", "region": "eu-west-1"}


def told(**given: Any) -> Environment:
    """Return the settings of an environment that says this."""
    return Environment(**{**OURS, **given})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://a.example=one", {"https://a.example": ("one",)}),
        ("https://a.example/=one", {"https://a.example": ("one",)}),
        ("https://A.example:443/Realms/x/=one,two, one ,", {"https://a.example/Realms/x": ("one", "two")}),
        (
            " https://a.example = one ;\r\n\nhttps://b.example:8443/b=c=d;",
            {"https://a.example": ("one",), "https://b.example:8443/b": ("c=d",)},
        ),
        ("https://id.example.com.evil.example=one", {"https://id.example.com.evil.example": ("one",)}),
        (";;\n", {}),
    ],
)
def test_issuers_are_read_with_their_clients(text: str, read: dict[str, tuple[str, ...]]) -> None:
    assert told(openid_providers=text).openid_providers == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://a.example", "entry 1 has no client id"),
        ("https://a.example=,", "entry 1 has no client id"),
        ("https://a.example=one;b.example=two", "the issuer of entry 2 has a scheme that is neither https nor http"),
        ("https://a.example?x=one", "the issuer of entry 1 has a character that no origin has"),
        ("https://user@a.example=one", "the issuer of entry 1 has a character that no origin has"),
        ("https://a.example=one two", "a client id of entry 1 has a character that none has"),
        ("https://a.example=one;https://A.example/=two", "entry 2 is an issuer that was named before"),
        (f"https://a.example/{'x' * 120}=one", "the issuer of entry 1 is longer than 128 characters"),
        ("http://a.example=one", "http://a.example is not https"),
        ("https://id.example.com=one", "is this installation's own"),
        ("https://id.example.com/eu-west-1_abc=one", "is this installation's own"),
        ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc=one", "is this installation's own"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        told(openid_providers=text)

    (problem,) = caught.value.errors()
    assert problem["loc"] == ("openid_providers",)
    assert said in problem["msg"]
    assert "\n" not in problem["msg"]


def test_an_issuer_in_the_clear_is_for_development() -> None:
    found = told(mode="development", openid_providers="http://a.example=one")

    assert found.openid_providers == {"http://a.example": ("one",)}


def test_a_file_may_hold_them_an_issuer_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "issuers"
    file.write_text("https://a.example=one\nhttps://b.example=two\n")
    monkeypatch.delitem(os.environ, "OPENID_PROVIDERS", raising=False)
    monkeypatch.setenv("OPENID_PROVIDERS_FILE", str(file))

    assert told().openid_providers == {"https://a.example": ("one",), "https://b.example": ("two",)}
