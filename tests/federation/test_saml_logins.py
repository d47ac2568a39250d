"""SAML responses as logins of identity pools: where metadata are read, whom a response speaks for, and what it lets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from federation import published
from federation.saml import login_responses
from federation.saml.rules import NAME_FORMAT
from identity.foundation import clock, destinations
from identity.foundation.errors import DomainError, Invalid, LoginRefused, NotAuthorized, OutsideUnavailable
from identity.foundation.saml_issuers import AUDIENCE, RECIPIENT, SamlProvider
from pools import ports
from pools.ports import VerifiedLogin
from pools.services.identity_pools import identity_pools, roles
from tests.federation.assertions import CORP, ROLE, at, described, response, telling
from tests.federation.conftest import BY, MEMBER_ROLE
from tests.federation.saml.edits import set_at, text_at, then
from tests.federation.saml.encryptor import Encryptor
from tests.federation.saml.identity_provider import ACS, ISSUER, Edit, rsa_key
from tests.federation.servers import Told, serving

UNKNOWN = f"{CORP}-2"
ADMIN, AUDITOR = "arn:aws:iam:::role/Admin", "arn:aws:iam:::role/Auditor"


@pytest.fixture(autouse=True)
def trusted(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """Have the installation trust a provider whose metadata are a file; return that."""
    forget()
    file = tmp_path / "idp.xml"
    file.write_text(described())
    settings.SAML_PROVIDERS = {CORP: at(str(file))}
    yield file
    forget()


def forget() -> None:
    """Let the process have read nothing."""
    destinations.permits.cache_clear()
    login_responses.documents.forget_everything()


def verify(text: str, provider: SamlProvider) -> VerifiedLogin:
    """Return whom a response speaks for."""
    return ports.assertion_verifiers[ports.ASSERTIONS].verify(text, arn=CORP, provider=provider)


def refused(text: str, provider: SamlProvider) -> DomainError:
    """Return why a response is refused."""
    with pytest.raises(DomainError) as caught:
        verify(text, provider)
    return caught.value


# -- whom a response speaks for --------------------------------------------------------------------------------------


def test_a_response_to_any_request_speaks_for_whom_it_names_as_often_as_it_is_brought(trusted: Path) -> None:
    text = response("ada", telling(email=["ada@corp.example"], team=["red", "blue"], level=["3"]))

    for _ in range(2):
        login = verify(text, at(str(trusted)))
        assert (login.provider, login.subject, login.name) == (CORP, "ada", f"{CORP}:ada")
        assert login.claims["team"] == ["red", "blue"]
        assert login.claims["level"] == "3"
        assert login.claims[login_responses.NAME_IDENTIFIER] == "ada"


def test_one_that_has_ended_says_when_in_amazons_words(trusted: Path) -> None:
    text = response("ada", set_at("//saml:Conditions", NotOnOrAfter="2020-01-01T00:00:00Z"))

    assert refused(text, at(str(trusted))).message.startswith("Invalid login token. Token expired: ")


def test_an_attribute_that_is_called_as_the_name_is_stands_before_it(trusted: Path) -> None:
    login = verify(response("ada", telling(**{login_responses.NAME_IDENTIFIER: ["A. L."]})), at(str(trusted)))

    assert (login.subject, login.claims[login_responses.NAME_IDENTIFIER]) == ("ada", "A. L.")


def test_audience_and_recipient_are_amazons_where_none_are_said(trusted: Path) -> None:
    to_amazon = then(
        set_at(".", Destination=RECIPIENT),
        set_at("//saml:SubjectConfirmationData", Recipient=RECIPIENT),
        text_at("//saml:Audience", AUDIENCE),
    )

    assert verify(response(edit=to_amazon), SamlProvider(str(trusted))).audience == AUDIENCE
    assert refused(response(edit=to_amazon), at(str(trusted))).detail.startswith("saml response Destination")


def status(code: str) -> Edit:
    """Return an edit after which a response says that this happened at the provider."""
    return set_at("//samlp:StatusCode", Value=f"urn:oasis:names:tc:SAML:2.0:status:{code}")


TRANSIENT = set_at("//saml:NameID", Format=f"{NAME_FORMAT}transient")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (lambda: response(edit=TRANSIENT), "saml assertion NameID: it is transient, and would be somebody new each"),
        (lambda: response(encrypt=Encryptor()), "saml encryption: cannot be decrypted"),
        (lambda: response(edit=status("AuthnFailed")), "saml response: the provider says AuthnFailed"),
        (lambda: response(edit=status("server_error")), "saml response: the provider says server_error"),
        (lambda: response(edit=status("Responder")), "the provider says Responder"),
    ],
)
def test_what_speaks_for_nobody_is_refused_by_name(text: Callable[[], str], detail: str, trusted: Path) -> None:
    found = refused(text(), at(str(trusted)))

    assert (type(found), found.message) == (LoginRefused, "Invalid login token.")
    assert found.detail.startswith(detail)


# -- metadata --------------------------------------------------------------------------------------------------------


def test_metadata_at_an_address_are_read_once_and_kept_while_their_provider_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(Told(body=described().encode())) as told:
        there = at(f"http://127.0.0.1:{told.port}/idp?app=1")
        for _ in range(2):
            assert verify(response(), there).subject == "ada"
        assert len(told.asked) == 1

        monkeypatch.setattr(published, "FRESH", 0)
        told.status = 503
        assert verify(response(), there).subject == "ada"
        assert len(told.asked) == 2
    monkeypatch.setattr(published, "STALE", 0)
    assert isinstance(refused(response(), there), OutsideUnavailable)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda _: "no metadata", "unreadable_metadata"),
        (lambda good: good.replace("IDPSSODescriptor", "SPSSODescriptor"), "provider_not_in_metadata"),
        (lambda good: good + " " * (1 << 20), "metadata_too_large"),
        (lambda good: good.replace("entityID", 'validUntil="2020-01-01T00:00:00Z" entityID'), "expired_metadata"),
    ],
)
def test_a_file_that_holds_no_metadata_lets_nobody_in_and_says_why(
    spoil: Callable[[str], str], code: str, trusted: Path
) -> None:
    trusted.write_text(spoil(described()))

    found = refused(response(), at(str(trusted)))
    assert (type(found), found.code) == (OutsideUnavailable, code)
    assert str(trusted) in found.detail


def test_a_file_that_is_not_there_lets_nobody_in(trusted: Path) -> None:
    trusted.unlink()

    found = refused(response(), at(str(trusted)))
    assert (type(found), found.code) == (OutsideUnavailable, "unreadable_file")


def test_metadata_that_end_while_they_are_kept_let_nobody_in(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted.write_text(described().replace("entityID", 'validUntil="2099-01-01T00:00:00Z" entityID'))
    assert verify(response(), at(str(trusted))).subject == "ada"

    until = login_responses.documents.get(str(trusted)).valid_until
    monkeypatch.setattr(clock, "now", lambda: until)

    assert refused(response(), at(str(trusted))).code == "expired_metadata"


# -- identity pools --------------------------------------------------------------------------------------------------


def pool_of(*arns: str, **settings: Any) -> Any:  # noqa: ANN401 - an IdentityPool
    """Make an identity pool that takes people of these providers."""
    pool = identity_pools.create("pool", settings={"saml_provider_arns": list(arns), **settings}, by=BY)
    identity_pools.set_roles(pool, roles={"authenticated": MEMBER_ROLE}, mappings=None, by=BY)
    pool.member_role = MEMBER_ROLE
    return pool


@pytest.mark.parametrize(
    ("arns", "text"),
    [
        ([UNKNOWN], "Invalid SAML Provider"),
        (["arn:aws:iam::111111111111:saml-provider/corp"], "Invalid SAML Provider"),
        (["arn:aws:iam::000000000000:oidc-provider/corp"], "Invalid SAML Provider"),
        ([f"{CORP}/"], "Invalid SAML Provider"),
        ([CORP, CORP], f"{CORP} is named twice."),
    ],
)
def test_an_arn_that_the_installation_does_not_trust_is_refused_when_it_is_written(
    arns: list[str], text: str, transactional_db: None
) -> None:
    with pytest.raises(Invalid, match=text) as caught:
        pool_of(*arns)

    assert caught.value.field == "saml_provider_arns"


def test_who_is_trusted_no_longer_lets_nobody_in(transactional_db: None, settings: Settings) -> None:
    pool = pool_of(CORP)
    assert identity_pools.get_id(pool, {CORP: response()}, by=BY)

    settings.SAML_PROVIDERS = {UNKNOWN: settings.SAML_PROVIDERS[CORP]}
    for arn in (CORP, UNKNOWN):
        with pytest.raises(LoginRefused, match="not from a supported provider"):
            identity_pools.get_id(pool, {arn: response()}, by=BY)


def rule(claim: str, value: str, role: str) -> dict[str, str]:
    """Return a rule that gives a role to whoever has a claim."""
    return {"claim": claim, "match_type": "Equals", "value": value, "role_arn": role}


def login(**attributes: list[str]) -> VerifiedLogin:
    """Return a login whose assertion tells this."""
    told = {login_responses.NAME_IDENTIFIER: "ada"}
    named = {(ROLE if name == "role" else name): values for name, values in attributes.items()}
    return VerifiedLogin(CORP, "ada", ACS, {**told, **{n: v[0] if len(v) == 1 else v for n, v in named.items()}})


BOTH = [f"{ADMIN},{CORP}", f"{CORP}, {AUDITOR}"]


@pytest.mark.parametrize(
    ("told", "asked", "given"),
    [
        ({}, None, MEMBER_ROLE),
        ({"role": BOTH}, None, MEMBER_ROLE),
        ({}, MEMBER_ROLE, MEMBER_ROLE),
        ({"role": BOTH}, ADMIN, ADMIN),
        ({"role": BOTH}, AUDITOR, AUDITOR),
        ({"role": BOTH[:1]}, ADMIN, ADMIN),
        ({"role": BOTH[:1]}, AUDITOR, None),
        ({"role": BOTH}, CORP, None),
        ({"role": [ADMIN]}, ADMIN, None),
        ({"role": [f"{ADMIN},{UNKNOWN}"]}, ADMIN, None),
        ({"role": [f"{ADMIN},{CORP},{AUDITOR}"]}, ADMIN, None),
        ({"Role": BOTH}, ADMIN, None),
        ({}, ADMIN, None),
    ],
)
def test_who_asks_for_a_role_gets_one_that_the_assertion_tells(
    told: dict[str, list[str]], asked: str | None, given: str | None, transactional_db: None
) -> None:
    pool, found = pool_of(CORP), login(**told)

    if given is None:
        with pytest.raises(NotAuthorized):
            roles.choose(pool, [found], custom_role=asked)
    else:
        assert roles.choose(pool, [found], custom_role=asked) == (given, found)


@pytest.mark.parametrize(
    ("told", "asked", "given"),
    [
        ({"team": ["red"]}, None, ADMIN),
        ({"team": ["red", "blue"]}, None, ADMIN),
        ({"team": ["redder"]}, None, None),
        ({"team": ["red"], "role": BOTH}, ADMIN, ADMIN),
        ({"team": ["red"], "role": BOTH}, AUDITOR, None),
        ({"team": ["red"]}, ADMIN, None),
    ],
)
def test_rules_say_which_roles_there_are_and_the_assertion_which_of_them_may_be_asked_for(
    told: dict[str, list[str]], asked: str | None, given: str | None, transactional_db: None
) -> None:
    pool, found = pool_of(CORP), login(**told)
    mapping = {
        "type": "Rules",
        "ambiguous_role_resolution": "Deny",
        "rules_configuration": {"rules": [rule("team", "red", ADMIN), rule("team", "green", AUDITOR)]},
    }
    roles.check_mapping(pool, CORP, mapping)
    pool.role_mappings = {CORP: mapping}

    if given is None:
        with pytest.raises(NotAuthorized):
            roles.choose(pool, [found], custom_role=asked)
    else:
        assert roles.choose(pool, [found], custom_role=asked) == (given, found)


def test_only_user_pools_choose_roles_by_token(transactional_db: None) -> None:
    mapping = {"type": "Token", "ambiguous_role_resolution": "Deny"}

    with pytest.raises(Invalid, match="Only user pools choose roles by token"):
        roles.check_mapping(pool_of(CORP), CORP, mapping)


def test_tags_are_by_default_the_name_identifier_and_the_name(transactional_db: None) -> None:
    pool = pool_of(CORP)
    identity_pools.set_tag_map(pool, CORP, use_defaults=True, tags=None, by=BY)
    claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

    assert identity_pools.tag_map(pool, CORP)["principal_tags"] == {
        "client": f"{claims}nameidentifier",
        "username": f"{claims}name",
    }
    assert roles.tags(pool, [login(**{f"{claims}name": ["Ada"]})]) == {"client": "ada", "username": "Ada"}


def test_a_key_or_an_issuer_of_others_is_none_of_the_provider(trusted: Path) -> None:
    by_another = refused(response(key=rsa_key("stranger")), at(str(trusted)))
    of_another = refused(response(entity_id=f"{ISSUER}/2"), at(str(trusted)))

    assert by_another.message == ports.NOT_SIGNED
    assert of_another.message == ports.OTHER_ISSUER
