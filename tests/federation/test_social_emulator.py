"""The emulator of the four is strict: what it was not told to expect is a complaint."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.federation.emulator import visited
from tests.federation.social_emulator import (
    SocialProviders,
    pem,
)
from tests.federation.social_trip import APPLE, GOOGLE, Trip


def test_the_emulator_complains_of_what_nobody_told_it_to_expect(social: SocialProviders) -> None:
    url = Trip(GOOGLE).redirect.url

    for more in ("&colour=red", "&state=again", "&nonce="):
        visited(url + more)
    visited(url.replace("code_challenge=", "ignored="))
    visited(f"{social.url}/elsewhere")

    assert [words.rpartition(": ")[2] for words in social.complaints if "unexpected" in words or "nobody" in words] == [
        "unexpected ['colour']",
        "unexpected ['ignored']",
        "nobody answers GET /elsewhere",
    ]
    assert sum("a field twice" in words for words in social.complaints) == 2
    assert sum("missing ['code_challenge']" in words for words in social.complaints) == 1
    social.complaints.clear()


def test_the_emulator_takes_no_secret_but_apples_own(social: SocialProviders) -> None:
    trip = Trip(APPLE, private_key=pem(ec.generate_private_key(ec.SECP256R1())))

    assert trip.refused().parameters["error"] == "invalid_client"
    assert len(social.complaints) == 1
    social.complaints.clear()


@pytest.mark.parametrize(("change", "wrong"), [({"team_id": "T"}, "iss"), ({"key_id": "K"}, "kid")])
def test_the_emulator_says_what_is_wrong_with_a_secret(
    social: SocialProviders, change: dict[str, str], wrong: str
) -> None:
    Trip(APPLE, **change).refused()

    assert social.complaints == [f"apple: {wrong}"]
    social.complaints.clear()
