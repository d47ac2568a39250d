"""The registries that what is outside answers by, and the names that settings give."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, get_args

import pytest

from federation.channels.smtp import Smtp
from identity.environment import Environment
from identity.foundation.errors import DomainError, Invalid, LoginRefused, Misuse
from pools import ports
from pools.ports.kinds import About
from tests import providers

OURS = providers.ours("https://id.example.com/back")


class Lantern:
    """A kind of identity provider that this release does not know."""

    about = About("Lantern", "lantern", "Lantern", "Whoever sees it.", "On its box.", ())

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Ask for a colour, add a shade."""
        if "colour" not in details:
            raise Invalid("A lantern needs a colour.", field="ProviderDetails")
        return {"shade": "none", **details}

    def problems(self, details: Mapping[str, str]) -> Iterator[DomainError]:
        """Find nothing wrong: :meth:`check_details` says what is."""
        del details
        yield from ()

    def documents(self, details: Mapping[str, str]) -> Sequence[ports.ProviderDocument]:
        """Publish nothing."""
        del details
        return ()

    read_documents = documents

    def start(
        self,
        details: Mapping[str, str],
        ours: ports.OurSide,
        *,
        state: str,
        wishes: ports.UpstreamWishes = ports.NO_WISHES,
    ) -> ports.UpstreamRedirect:
        """Send the browser to where the lantern hangs."""
        return ports.UpstreamRedirect(
            f"https://lantern.example/{details['colour']}?to={ours.callback}&state={state}", {"match": "lit"}
        )

    def fetch(self, details: Mapping[str, str], *, in_job: bool = False) -> Mapping[str, str]:
        """Keep nothing."""
        del details, in_job
        return {}

    def told(self, details: Mapping[str, str], ours: ports.OurSide) -> Mapping[str, str]:
        """Tell nothing more."""
        del details, ours
        return {}

    def introduce(self, ours: ports.OurSide) -> bytes:
        """Introduce nobody."""
        del ours
        return b""

    def leave(self, details: Mapping[str, str], ours: ports.OurSide, *, state: str, session: Mapping[str, str]) -> str:
        """Send the browser to where the lantern is put out."""
        del session
        return f"https://lantern.example/{details['colour']}/out?to={ours.signed_out}&state={state}"

    def finish(
        self,
        details: Mapping[str, str],
        ours: ports.OurSide,
        redirect: ports.UpstreamRedirect,
        answer: Mapping[str, str],
        *,
        wanted: Collection[str] = (),
    ) -> ports.ExternalIdentity:
        """Believe who comes back by the light of the same match."""
        if answer.get("match") != redirect.kept["match"]:
            raise LoginRefused
        return ports.ExternalIdentity(answer["who"], {"name": "PartRunner"})


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


def test_a_trip_to_a_provider_ends_with_one_external_identity(lantern: Lantern) -> None:
    kind = ports.provider_kinds["Lantern"]
    redirect = kind.start({"colour": "red"}, OURS, state="s")

    found = kind.finish({"colour": "red"}, OURS, redirect, {"match": "lit", "who": "k1"})

    assert redirect.url == "https://lantern.example/red?to=https://id.example.com/back&state=s"
    assert "lit" not in repr(redirect)
    assert (found.subject, found.claims) == ("k1", {"name": "PartRunner"})
    with pytest.raises(LoginRefused):
        kind.finish({"colour": "red"}, OURS, redirect, {"match": "out", "who": "k1"})


@pytest.mark.parametrize("setting", ["mail_channel", "sms_channel"])
def test_a_channel_is_registered_under_each_name_that_a_setting_may_give(setting: str) -> None:
    given = {name for name in get_args(Environment.model_fields[setting].annotation) if name not in {"", "none"}}

    assert given
    assert given <= set(ports.channels.names())


def test_what_is_registered_by_its_place_is_made_once_when_first_asked_for() -> None:
    places: ports.Registry[ports.Channel] = ports.Registry("channel")
    places.register_place("post", "federation.channels.smtp.Smtp")

    found = places["post"]

    assert isinstance(found, Smtp)
    assert places.get("post") is found
    assert places.names() == ("post",)
    with pytest.raises(Misuse):
        places.register_place("post", "federation.channels.smtp.Smtp")
    places.withdraw("post")
    assert places.get("post") is None


@pytest.mark.parametrize(
    ("registry", "does"), [(ports.channels, "send"), (ports.credential_issuers, "issue")], ids=["channels", "issuers"]
)
def test_everything_registered_by_its_place_is_there(registry: ports.Registry[Any], does: str) -> None:
    assert registry.names()
    for name in registry.names():
        assert callable(getattr(registry[name], does))


@pytest.mark.parametrize(
    ("given", "mail", "sms"),
    [
        ({"mode": "development"}, "captured", "captured"),
        ({"mode": "development", "messages": "smtp"}, "smtp", "none"),
        ({"mode": "development", "mail_channel": "smtp"}, "smtp", "captured"),
        ({"mode": "production"}, "smtp", "none"),
        ({"mode": "production", "mail_channel": "ses", "sms_channel": "sns"}, "ses", "sns"),
        ({"mode": "production", "sms_channel": "eums"}, "smtp", "eums"),
        ({"mode": "production", "messages": "captured"}, "captured", "captured"),
        ({"mode": "production", "messages": "captured", "sms_channel": "none"}, "captured", "none"),
        ({"mode": "production", "sms_channel": "captured"}, "smtp", "captured"),
    ],
    ids=str,
)
def test_one_setting_each_names_the_channel_of_mail_and_of_sms(given: dict[str, Any], mail: str, sms: str) -> None:
    read = Environment(**given)

    assert (read.mail_channel, read.sms_channel) == (mail, sms)


def test_each_gateway_is_in_the_installations_region_unless_it_has_its_own() -> None:
    regions: dict[str, Any] = {"ses_region": "eu-west-1", "sns_region": "eu-west-2", "eums_region": "eu-west-3"}
    whole: dict[str, Any] = {"region": "us-iso-east-1"}
    plain, own = Environment(**whole), Environment(**whole, **regions)

    assert {plain.ses_region, plain.sns_region, plain.eums_region} == {"us-iso-east-1"}
    assert (own.ses_region, own.sns_region, own.eums_region) == ("eu-west-1", "eu-west-2", "eu-west-3")


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
