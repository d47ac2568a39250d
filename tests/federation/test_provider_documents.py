"""What providers publish, and how reading it went: told without asking, and asked for when an operator wants that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pools import ports
from tests.federation.openid_provider import OpenIdProvider
from tests.federation.openid_trip import KIND, Trip, provider

__all__ = ["provider"]


def told_of(documents: Sequence[ports.ProviderDocument]) -> list[tuple[str, bool, str]]:
    """Return what each document is, whether it was had, and why it could not be had lately."""
    return [(each.what, each.read_at is not None, each.problem) for each in documents]


def test_how_discovery_and_keys_were_read_is_told_without_asking(provider: OpenIdProvider) -> None:
    kind = ports.provider_kinds[KIND]
    trip = Trip(provider)
    assert told_of(kind.documents(trip.details)) == [("discovery", True, ""), ("keys", False, "")]
    trip.finish()
    assert told_of(kind.documents(trip.details)) == [("discovery", True, ""), ("keys", True, "")]


@pytest.mark.parametrize(
    ("discovery", "published", "problems"),
    [
        ({"issuer": "https://other.example"}, [], ["another_issuer", ""]),
        ({"token_endpoint": "ftp://x"}, [], ["unusable_endpoint", ""]),
        ({}, None, ["", "no_keys"]),
        ({}, [], ["", ""]),
    ],
)
def test_asking_now_tells_what_is_wrong_with_each(
    provider: OpenIdProvider, discovery: dict[str, Any], published: list[dict[str, Any]] | None, problems: list[str]
) -> None:
    kind = ports.provider_kinds[KIND]
    details = kind.check_details(provider.details())
    provider.discovery, provider.published = discovery, published  # type: ignore[assignment]  # what is wrong

    found = kind.read_documents(details)

    assert [each.problem for each in found] == problems
    assert [each.failed_at is not None for each in found] == [bool(problem) for problem in problems]


def test_nobody_at_the_address_is_told_too(provider: OpenIdProvider) -> None:
    kind = ports.provider_kinds[KIND]
    details = {**kind.check_details(provider.details()), "jwks_uri": "http://127.0.0.1:9/keys"}

    assert told_of(kind.read_documents(details))[1] == ("keys", False, "outside_unavailable")


def test_a_kind_without_documents_has_none() -> None:
    for name, whats in (("Facebook", []), ("LoginWithAmazon", []), ("Google", ["keys"]), ("SignInWithApple", ["keys"])):
        assert [each.what for each in ports.provider_kinds[name].documents({})] == whats
