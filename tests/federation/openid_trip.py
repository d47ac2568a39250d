"""Somebody's way to the tests' OpenID provider and back, and the provider itself as a fixture."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from federation import discovery, provider_keys
from identity.foundation import destinations
from identity.foundation.errors import DomainError
from pools import ports
from pools.ports import ExternalIdentity, UpstreamWishes
from tests import providers
from tests.federation.emulator import brought_back, running
from tests.federation.openid_provider import CALLBACK, OpenIdProvider

KIND = "OIDC"
OURS = providers.ours(CALLBACK)


def forget() -> None:
    """Hold nothing, with all permits free and no breaker open."""
    destinations.permits.cache_clear()
    discovery.documents.forget_everything()
    provider_keys.documents.forget_everything()


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    """Return a provider that is right, of which nothing is held yet."""
    forget()
    found = OpenIdProvider()
    with running(found):
        yield found
    forget()


class Trip:
    """Somebody's way to a provider and back."""

    def __init__(self, provider: OpenIdProvider, **details: str) -> None:
        """Go there and come back."""
        self.kind = ports.provider_kinds[KIND]
        self.details = self.kind.check_details(provider.details(**details))
        self.go()

    def go(self, wishes: UpstreamWishes = ports.NO_WISHES) -> Trip:
        """Go there, once more, and come back."""
        self.redirect = self.kind.start(self.details, OURS, state="the-state", wishes=wishes)
        place, self.answer = brought_back(self.redirect.url)
        assert place == CALLBACK
        assert self.answer["state"] == "the-state"
        return self

    def finish(self, *, wanted: Collection[str] = (), **answer: str) -> ExternalIdentity:
        """Return who came back."""
        brought = {**self.answer, **answer}
        return self.kind.finish(self.details, OURS, self.redirect, brought, wanted=wanted)

    def refused(self, **answer: str) -> DomainError:
        """Return why nobody did."""
        with pytest.raises(DomainError) as caught:
            self.finish(**answer)
        return caught.value
