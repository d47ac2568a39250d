"""Somebody's way to Google, Facebook, Amazon or Apple and back, and all four as a fixture."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest
from pytest_django import Settings

from federation import provider_keys
from identity.foundation import destinations
from identity.foundation.errors import DomainError
from pools import ports
from pools.ports import ExternalIdentity
from tests import providers
from tests.federation.emulator import brought_back, running
from tests.federation.social_emulator import (
    AMAZON_ID,
    APPLE_ID,
    APPLE_KEY,
    FACEBOOK_ID,
    GOOGLE_ID,
    KEY,
    SECRET,
    TEAM,
    SocialProviders,
    pem,
)

CALLBACK = "https://pool.example/oauth2/idpresponse"
OURS = providers.ours(CALLBACK)
GOOGLE, FACEBOOK, AMAZON, APPLE = "Google", "Facebook", "LoginWithAmazon", "SignInWithApple"
GIVEN = {
    GOOGLE: {"client_id": GOOGLE_ID, "client_secret": SECRET, "authorize_scopes": "email profile openid"},
    FACEBOOK: {"client_id": FACEBOOK_ID, "client_secret": SECRET, "authorize_scopes": "public_profile, email"},
    AMAZON: {"client_id": AMAZON_ID, "client_secret": SECRET, "authorize_scopes": "profile postal_code"},
    APPLE: {
        "client_id": APPLE_ID,
        "team_id": TEAM,
        "key_id": KEY,
        "private_key": pem(APPLE_KEY),
        "authorize_scopes": "email name",
    },
}
SUBJECTS = {GOOGLE: "108204", FACEBOOK: "10159", AMAZON: "amzn1.account.ADA", APPLE: "001.ada.7"}
TOKEN_PATHS = {
    GOOGLE: "/www.googleapis.com/oauth2/v4/token",
    FACEBOOK: "/graph.facebook.com/v17.0/oauth/access_token",
    AMAZON: "/api.amazon.com/auth/o2/token",
    APPLE: "/appleid.apple.com/auth/token",
}


@pytest.fixture
def social(settings: Settings) -> Iterator[SocialProviders]:
    """Return all four, where the installation looks for them."""
    destinations.permits.cache_clear()
    provider_keys.documents.forget_everything()
    found = SocialProviders()
    with running(found):
        settings.SOCIAL_PROVIDERS_URL = found.url
        yield found
    destinations.permits.cache_clear()
    provider_keys.documents.forget_everything()


class Trip:
    """Somebody's way to a provider and back."""

    def __init__(self, kind: str, **changes: str) -> None:
        """Go there and come back."""
        self.kind = ports.provider_kinds[kind]
        self.details = self.kind.check_details({**GIVEN[kind], **changes})
        self.redirect = self.kind.start(self.details, OURS, state="the-state")
        place, self.answer = brought_back(self.redirect.url)
        assert (place, self.answer["state"]) == (CALLBACK, "the-state")

    def finish(self, *, wanted: Collection[str] = (), **answer: str) -> ExternalIdentity:
        """Return who came back."""
        return self.kind.finish(self.details, OURS, self.redirect, {**self.answer, **answer}, wanted=wanted)

    def refused(self, *, wanted: Collection[str] = (), **answer: str) -> DomainError:
        """Return why nobody did."""
        with pytest.raises(DomainError) as caught:
            self.finish(wanted=wanted, **answer)
        return caught.value
