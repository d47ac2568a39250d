"""Facebook Login: fields, commas, proofs and errors that are objects."""

from __future__ import annotations

from typing import Any

import pytest

from identity.foundation.errors import LoginRefused
from tests.federation.emulator import told
from tests.federation.social_emulator import (
    SocialProviders,
)
from tests.federation.social_trip import AMAZON, FACEBOOK, SUBJECTS, TOKEN_PATHS, Trip


def test_facebook_is_asked_for_what_its_scopes_grant(social: SocialProviders) -> None:
    claims = Trip(FACEBOOK).finish().claims

    assert (claims["name"], claims["first_name"], claims["email"]) == ("Ada Lovelace", "Ada", "ada@id.example")
    assert claims["picture"]["data"]["url"] == "https://id.example/ada.png"
    assert "email" not in Trip(FACEBOOK, authorize_scopes="public_profile").finish().claims


def test_facebook_is_asked_for_what_the_pool_wants_and_for_nothing_that_is_no_field(social: SocialProviders) -> None:
    found = Trip(FACEBOOK).finish(wanted=["email", "birthday", "a&b=c", "id", "custom:x", ""])

    assert (found.subject, found.claims["email"]) == (SUBJECTS[FACEBOOK], "ada@id.example")
    assert social.asked[-1]["fields"] == "id,birthday,email"


def test_facebook_may_be_posted_to(social: SocialProviders) -> None:
    assert Trip(FACEBOOK, token_request_method="POST").finish().subject == SUBJECTS[FACEBOOK]
    assert [each.method for each in social.asked if each.path == TOKEN_PATHS[FACEBOOK]] == ["POST"]


def test_facebooks_fields_may_stand_in_its_address(social: SocialProviders) -> None:
    fixed = {"attributes_url": "https://graph.facebook.com/v17.0/me?fields=id,name"}

    found = Trip(FACEBOOK, **fixed, attributes_url_add_attributes="false").finish(wanted=["email"])

    assert set(found.claims) == {"id", "name"}


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, "a\nb"])
def test_a_profile_of_nobody_is_refused(social: SocialProviders, subject: object) -> None:
    social.person = {"id": subject, "user_id": subject}

    assert Trip(FACEBOOK).refused().detail == "profile: id is missing"
    assert Trip(AMAZON).refused().detail == "profile: user_id is missing"


@pytest.mark.parametrize(
    "error", [{"message": "x"}, {"type": 7, "message": ["x"]}, {"type": "", "message": None}], ids=str
)
def test_facebooks_errors_are_objects_of_any_shape(social: SocialProviders, error: dict[str, Any]) -> None:
    social.instead[TOKEN_PATHS[FACEBOOK]] = lambda asked: told({"error": error}, 400)

    refused = Trip(FACEBOOK).refused()

    assert (type(refused), refused.code) == (LoginRefused, "provider_refused")
    assert refused.parameters["error"]


def test_facebooks_profile_may_be_refused(social: SocialProviders) -> None:
    social.instead["/graph.facebook.com/v17.0/me"] = lambda asked: told({"error": {"message": "proof"}}, 400)

    refused = Trip(FACEBOOK).refused()

    assert (type(refused), refused.detail) == (LoginRefused, "profile: answers 400")
