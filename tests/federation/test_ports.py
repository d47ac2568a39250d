"""The registries that what is outside answers by: kinds of providers, verifiers of logins, issuers of credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from identity.foundation.errors import Invalid, Misuse
from pools import ports


class Lantern:
    """A kind of identity provider that this release does not know."""

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Ask for a colour, add a shade."""
        if "colour" not in details:
            raise Invalid("A lantern needs a colour.", field="ProviderDetails")
        return {"shade": "none", **details}


@pytest.fixture
def lantern() -> Iterator[Lantern]:
    """Register the kind."""
    found = Lantern()
    ports.provider_kinds.register("Lantern", found)
    yield found
    ports.provider_kinds.withdraw("Lantern")


def test_a_kind_of_provider_answers_by_its_name(lantern: Lantern) -> None:
    kind = ports.provider_kinds["Lantern"]

    assert kind is lantern
    assert kind.check_details({"colour": "red"}) == {"colour": "red", "shade": "none"}
    with pytest.raises(Invalid):
        kind.check_details({})
    assert "Lantern" in ports.provider_kinds.names()
    assert ports.login_verifiers.get("Lantern") is None


@pytest.mark.usefixtures("lantern")
def test_a_name_has_one_answer_until_it_is_withdrawn() -> None:
    with pytest.raises(Misuse):
        ports.provider_kinds.register("Lantern", Lantern())

    ports.provider_kinds.withdraw("Lantern")
    with pytest.raises(Misuse):
        ports.provider_kinds["Lantern"]
    ports.provider_kinds.register("Lantern", Lantern())


def test_what_nobody_registered_is_a_mistake_of_ours() -> None:
    with pytest.raises(Misuse):
        ports.credential_issuers["nobody"]
    assert ports.provider_kinds.get("nobody") is None
