"""Sign in with Apple: secrets that are signed, names that come once, and flags that are words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws

from identity.foundation import clock
from identity.foundation.errors import LoginRefused
from tests.federation.social_emulator import (
    SocialProviders,
)
from tests.federation.social_trip import APPLE, SUBJECTS, TOKEN_PATHS, Trip


def test_apple_tells_a_name_once_and_flags_as_what_they_are(social: SocialProviders) -> None:
    first, second = Trip(APPLE).finish().claims, Trip(APPLE).finish().claims

    assert (first["firstName"], first["lastName"], first["name"]) == ("Ada", "Lovelace", "Ada Lovelace")
    assert "name" not in second
    for claims in (first, second):
        assert claims["email"] == "x7@privaterelay.appleid.com"
        assert claims["email_verified"] is True
        assert claims["is_private_email"] is True


@pytest.mark.parametrize(
    ("told_as", "read_as"), [("false", False), (False, False), (True, True), ("yes", False), ("", False)]
)
def test_only_true_is_true(social: SocialProviders, told_as: object, read_as: bool) -> None:
    social.claims = {"email_verified": told_as}

    assert Trip(APPLE).finish().claims["email_verified"] is read_as


def test_what_apple_does_not_say_is_not_made_up(social: SocialProviders) -> None:
    social.claims = {"is_private_email": None, "email": None, "email_verified": None}

    claims = Trip(APPLE).finish().claims

    assert not {"is_private_email", "email", "email_verified"} & claims.keys()


@pytest.mark.parametrize(
    ("user", "names"),
    [
        ({"name": {"firstName": "Ada"}}, {"firstName": "Ada", "name": "Ada"}),
        ({"name": {"firstName": "", "lastName": "L"}}, {"lastName": "L", "name": "L"}),
        ({"name": {"firstName": 7, "lastName": ["L"]}}, {}),
        ({"name": {"firstName": "x" * 257}}, {}),
        ({"name": "Ada"}, {}),
        ({"email": "forged@elsewhere.example", "sub": "002", "email_verified": True}, {}),
        ({}, {}),
    ],
    ids=str,
)
def test_of_what_the_browser_brings_only_names_are_read(
    social: SocialProviders, user: dict[str, Any], names: dict[str, str]
) -> None:
    found = Trip(APPLE).finish(user=json.dumps(user))

    assert (found.subject, found.claims["email"]) == (SUBJECTS[APPLE], "x7@privaterelay.appleid.com")
    assert {name: found.claims[name] for name in ("firstName", "lastName", "name") if name in found.claims} == names


@pytest.mark.parametrize(
    "user", ["nonsense", "[]", '"text"', '{"name": "\\ud800"}', "[" * 4000, json.dumps({"x": "x" * 4100})]
)
def test_what_is_none_of_apples_names_is_refused(social: SocialProviders, user: str) -> None:
    refused = Trip(APPLE).refused(user=user)

    assert (type(refused), refused.detail) == (LoginRefused, "answer: user is no JSON object")


def test_each_call_to_apple_has_a_secret_of_its_own(social: SocialProviders) -> None:
    Trip(APPLE).finish()
    Trip(APPLE).finish()

    first, second = (each["client_secret"] for each in social.asked if each.path == TOKEN_PATHS[APPLE])
    assert first != second
    assert social.secret_problem(first) == ""


def test_a_secret_for_apple_does_not_live_long(social: SocialProviders) -> None:
    trip = Trip(APPLE)
    trip.finish()

    secret = next(each["client_secret"] for each in social.asked if each.path == TOKEN_PATHS[APPLE])
    claims = json.loads(jws.extract_compact(secret.encode()).payload)
    assert claims["exp"] - clock.epoch() <= 300
