"""Sign in with Google: the People API, and what comes with an ID token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.federation.emulator import told
from tests.federation.social_emulator import (
    SocialProviders,
)
from tests.federation.social_trip import GOOGLE, SUBJECTS, Trip


def test_google_tells_of_a_workspace(social: SocialProviders) -> None:
    claims = Trip(GOOGLE).finish().claims

    assert (claims["hd"], claims["email_verified"]) == ("id.example", True)
    assert social.count("/people.googleapis.com/v1/people/me") == 0


def test_google_is_asked_for_an_id_token_whatever_the_scopes(social: SocialProviders) -> None:
    assert Trip(GOOGLE, authorize_scopes="profile").finish().subject == SUBJECTS[GOOGLE]


def test_fields_of_the_people_api_are_asked_for_where_the_pool_wants_them(social: SocialProviders) -> None:
    claims = Trip(GOOGLE).finish(wanted=["email", "phoneNumbers", "birthdays", "nicknames", "../x"]).claims

    assert (claims["birthdays"], claims["phoneNumbers"]) == ("1815-12-10", "+44 20 2")
    assert "nicknames" not in claims
    assert social.asked[-1]["personFields"] == "birthdays,nicknames,phoneNumbers"


def test_fields_that_a_person_does_not_grant_are_absent(social: SocialProviders) -> None:
    social.instead["/people.googleapis.com/v1/people/me"] = lambda asked: told({"error": {"code": 403}}, 403)

    assert "birthdays" not in Trip(GOOGLE).finish(wanted=["birthdays"]).claims


@pytest.mark.parametrize(
    "person",
    [
        {"birthdays": 7},
        {"birthdays": [7, None]},
        {"birthdays": [{"date": {"year": "x", "month": 1, "day": 1}}]},
        {"birthdays": [{"date": {"year": 0, "month": 1, "day": 1}, "metadata": 7}]},
        {"birthdays": [{"value": 7}]},
    ],
    ids=str,
)
def test_fields_that_are_none_are_absent(social: SocialProviders, person: dict[str, Any]) -> None:
    social.person = person

    assert "birthdays" not in Trip(GOOGLE).finish(wanted=["birthdays"]).claims


@pytest.mark.parametrize("person", [{"resourceName": "people/7"}, {"resourceName": None}])
def test_fields_of_somebody_else_are_refused(social: SocialProviders, person: dict[str, Any]) -> None:
    social.person = person

    assert Trip(GOOGLE).refused(wanted=["birthdays"]).detail == "people: resourceName is somebody else"


def test_google_may_be_asked_for_userinfo_instead(social: SocialProviders) -> None:
    instead = {
        "attributes_url": "https://openidconnect.googleapis.com/v1/userinfo",
        "attributes_url_add_attributes": "false",
    }
    assert Trip(GOOGLE, **instead).finish(wanted=["birthdays"]).claims["picture"] == "https://id.example/ada.png"

    social.person = {"sub": "7"}
    assert Trip(GOOGLE, **instead).refused().detail == "userinfo: sub is somebody else"
