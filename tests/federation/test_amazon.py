"""Login with Amazon: whose a token is, and whom it was given to."""

from __future__ import annotations

from typing import Any

import pytest

from identity.foundation.errors import LoginRefused
from tests.federation.emulator import Asked, Reply
from tests.federation.social_emulator import (
    SocialProviders,
)
from tests.federation.social_trip import AMAZON, SUBJECTS, Trip


def test_amazon_tells_a_profile(social: SocialProviders) -> None:
    claims = Trip(AMAZON).finish().claims

    assert (claims["name"], claims["postal_code"]) == ("Ada", "98052")


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"aud": "amzn1.application-oa2-client.other"}, "tokeninfo: aud is somebody else"),
        ({"aud": None}, "tokeninfo: aud is somebody else"),
        ({"user_id": "amzn1.account.OTHER"}, "profile: user_id is somebody else"),
    ],
    ids=str,
)
def test_a_token_that_amazon_gave_to_somebody_else_is_refused(
    social: SocialProviders, claims: dict[str, Any], check: str
) -> None:
    social.claims = claims

    refused = Trip(AMAZON).refused()

    assert (type(refused), refused.detail) == (LoginRefused, check)


def test_another_region_of_amazon_is_asked_there_alone(social: SocialProviders) -> None:
    def elsewhere(asked: Asked) -> Reply:
        return social.routes()[f"{asked.method} {asked.path.replace('.co.jp', '.com')}"](asked)

    for path in ("auth/o2/token", "auth/o2/tokeninfo", "user/profile"):
        social.instead[f"/api.amazon.co.jp/{path}"] = elsewhere
    endpoints = {
        "token_url": "https://api.amazon.co.jp/auth/o2/token",
        "attributes_url": "https://api.amazon.co.jp/user/profile",
    }

    assert Trip(AMAZON, **endpoints).finish().subject == SUBJECTS[AMAZON]
    assert not any(each.path.startswith("/api.amazon.com/") for each in social.asked)
