"""An operator's try of a provider: of two that end it at once one does, and whoever else comes with it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import transaction

from identity.foundation import clock
from identity.foundation.errors import DomainError, InteractionExpired, Misuse
from pools import ports
from pools.models import AuditEvent, IdentityProvider, Interaction, UserPool
from pools.ports import ExternalIdentity, OurSide, ProviderDocument, UpstreamRedirect
from pools.ports.kinds import About
from pools.services.providers import identity_providers, trial, trips
from pools.services.providers.trial import Report
from tests import factories
from tests.factories import BY
from tests.services.conftest import at_once

BACK = "https://console.example/console/tried"
SESSION = "an operator's session"
CODE = "the code"


class Plain:
    """A kind of provider that believes whoever comes back."""

    about = About("Plain", "plain", "Plain", "Anybody.", "Nowhere.", ())

    def problems(self, details: Mapping[str, str]) -> Iterator[DomainError]:
        """Find nothing wrong."""
        del details
        yield from ()

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return them."""
        return details

    def fetch(self, *_: object, **__: object) -> dict[str, str]:
        """Keep nothing."""
        return {}

    told = fetch

    def introduce(self, *_: object) -> bytes:
        """Introduce nobody."""
        return b""

    def documents(self, details: Mapping[str, str]) -> Sequence[ProviderDocument]:
        """Publish nothing."""
        del details
        return ()

    read_documents = documents

    def start(self, *_: object, state: str, **__: object) -> UpstreamRedirect:
        """Send the browser away."""
        return UpstreamRedirect(f"https://plain.example/?state={state}", {"nonce": "kept"})

    def finish(
        self,
        details: Mapping[str, str],
        ours: OurSide,
        redirect: UpstreamRedirect,
        answer: Mapping[str, str],
        **_: object,
    ) -> ExternalIdentity:
        """Return who came back, outside any transaction."""
        del details, ours
        if transaction.get_connection().in_atomic_block:
            raise Misuse("asked inside a transaction")
        assert redirect.kept == {"nonce": "kept"}
        return ExternalIdentity("subject", {"email": "ada@plain.example", "code": answer["code"]})

    def leave(self, *_: object, **__: object) -> str:
        """Have no page for signing out."""
        return ""


@pytest.fixture
def provider(pool: UserPool) -> Iterator[IdentityProvider]:
    """Return a provider of that kind."""
    ports.provider_kinds.register("Plain", Plain())
    yield identity_providers.create(pool, "Corp", kind="Plain", details={}, attribute_mapping={"email": "email"}, by=BY)
    ports.provider_kinds.withdraw("Plain")


def landed(pool: UserPool, provider: IdentityProvider) -> dict[str, str]:
    """Go to the provider and come back to the pool; return what the console is asked with."""
    url = trial.begin(pool, provider, back=BACK, session=SESSION)
    state = parse_qs(urlsplit(url).query)["state"][0]
    where = trial.land(pool, state, {"state": state, "code": CODE})
    assert where is not None
    assert where.startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}


def test_it_ends_at_the_consoles_own_origin_and_no_code_is_in_the_address(
    pool: UserPool, provider: IdentityProvider
) -> None:
    given = landed(pool, provider)

    assert given.keys() == {"state", "landing"}
    assert CODE not in str(given)
    assert CODE not in str(list(Interaction.objects.filter(pool_id=pool.pk).values_list("request", flat=True)))
    found = trial.end(pool, provider, **given, session=SESSION, by=BY)
    assert dict(found.claims) == {"email": "ada@plain.example", "code": CODE}


def test_of_two_that_end_it_at_once_one_does(pool: UserPool, provider: IdentityProvider) -> None:
    given = landed(pool, provider)

    answers = at_once(2, lambda _: trial.end(pool, provider, **given, session=SESSION, by=BY))

    assert {type(each) for each in answers} == {Report, InteractionExpired}
    assert AuditEvent.objects.filter(pool_id=pool.pk, tag="provider_tried").count() == 1


@pytest.mark.parametrize("wrong", ["session", "pool", "landing of another", "state", "time"])
def test_it_is_good_for_nothing_else(pool: UserPool, provider: IdentityProvider, wrong: str) -> None:
    given, place, row, session = landed(pool, provider), pool, provider, SESSION
    if wrong == "session":
        session = "another operator's session"
    elif wrong == "pool":
        place = factories.make_pool()
        row = identity_providers.create(place, "Corp", kind="Plain", details={}, by=BY)
    elif wrong == "landing of another":
        given["landing"] = landed(pool, provider)["landing"]
    elif wrong == "state":
        given["state"] = given["landing"]
    minutes = trips.MINUTES if wrong == "time" else 0

    with time_machine.travel(clock.now().timestamp() + minutes * 60, tick=False), pytest.raises(InteractionExpired):
        trial.end(place, row, **given, session=session, by=BY)

    assert not AuditEvent.objects.filter(tag="provider_tried", pool_id__in=[pool.pk, place.pk]).exists()
