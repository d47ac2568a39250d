"""SAML responses brought to identity pools by boto3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.federation.assertions import CORP, telling
from tests.federation.foreign_logins import ADMIN_ROLE, REALM, ROLE, World, installation, refusal
from tests.federation.saml.edits import drop, set_at, text_at, then
from tests.federation.saml.identity_provider import ISSUER, Edit
from tests.federation.test_foreign_logins import INVALID, NOT_SIGNED, OTHER_ISSUER, UNAVAILABLE, UNSUPPORTED
from tests.live import Live

AWAY = f"{CORP}.away"
TOO_LARGE = ("RequestEntityTooLarge", "The body is larger than 1048576 bytes.")
TEAM = "http://corp.example/claims/team"


@pytest.fixture(scope="module")
def world(live: Live) -> Iterator[World]:
    """Return the installation."""
    with installation(live) as found:
        yield found


@pytest.fixture(scope="module")
def pool(world: World) -> str:
    """Return an identity pool whose people come by SAML."""
    return world.pool(REALM, SamlProviderARNs=[CORP, AWAY])


def test_an_assertion_means_one_identity_and_is_good_for_all_calls_while_it_is_valid(world: World, pool: str) -> None:
    logins = {CORP: world.assertion("Ada.Lovelace")}
    first = world.get_id(pool, logins)

    assert world.get_id(pool, {CORP: world.assertion("Ada.Lovelace")}) == first
    assert world.get_id(pool, {CORP: world.assertion("ada.lovelace")}) != first
    assert world.identity.describe_identity(IdentityId=first)["Logins"] == [CORP]
    claims = world.given(first, logins)
    assert claims["amr"] == ["authenticated", CORP, f"{CORP}:Ada.Lovelace"]
    assert world.role(pool, logins) == ROLE


def test_a_saml_login_is_linked_and_unlinked_as_others_are(world: World, pool: str) -> None:
    realm, corp = world.logins(realm="linked"), {CORP: world.assertion("linked")}
    identity = world.get_id(pool, realm)

    assert world.get_id(pool, {**realm, **corp}) == identity == world.get_id(pool, corp)
    world.public.unlink_identity(IdentityId=identity, Logins=corp, LoginsToRemove=[CORP])
    assert world.identity.describe_identity(IdentityId=identity)["Logins"] == [world.name(REALM)]
    assert world.get_id(pool, corp) != identity


PAST = set_at("//saml:Conditions", NotOnOrAfter=-61)
OTHERS = then(
    text_at("/samlp:Response/saml:Issuer", "https://other.example"),
    text_at("//saml:Assertion/saml:Issuer", "https://other.example"),
)
BAD: list[tuple[str, Edit, dict[str, Any], tuple[str, str]]] = [
    ("another audience", text_at("//saml:Audience", "urn:other"), {}, UNSUPPORTED),
    ("another issuer", OTHERS, {}, OTHER_ISSUER),
    ("another issuer's assertion", text_at("//saml:Assertion/saml:Issuer", f"{ISSUER}2"), {}, OTHER_ISSUER),
    ("another key", telling(), {"key": "stranger"}, NOT_SIGNED),
    ("no signature", telling(), {"signs": ()}, NOT_SIGNED),
    ("another recipient", set_at("//saml:SubjectConfirmationData", Recipient="https://x.example"), {}, INVALID),
    ("another destination", set_at(".", Destination="https://x.example"), {}, INVALID),
    ("no name", drop("//saml:NameID"), {}, INVALID),
    ("to come", set_at("//saml:Conditions", NotBefore=120), {}, INVALID),
]


@pytest.mark.parametrize(("edit", "provider", "said"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_response_that_breaks_a_rule_is_refused_in_amazons_words(
    world: World, pool: str, edit: Edit, provider: dict[str, Any], said: tuple[str, str]
) -> None:
    asked = {"IdentityPoolId": pool, "Logins": {CORP: world.assertion("ada", edit, **provider)}}

    assert refusal(world.public.get_id, **asked) == said


@pytest.mark.parametrize(
    "path", ["//saml:Conditions", "//saml:SubjectConfirmationData", "//saml:AuthnStatement"], ids=lambda path: path[7:]
)
def test_an_assertion_that_is_over_says_since_when(world: World, pool: str, path: str) -> None:
    name = "SessionNotOnOrAfter" if "Authn" in path else "NotOnOrAfter"
    text = world.assertion("ada", set_at(path, **{name: "2026-01-02T03:04:05Z"}))

    code, said = refusal(world.public.get_id, IdentityPoolId=pool, Logins={CORP: text})
    assert code == "NotAuthorized"
    assert re.fullmatch(r"Invalid login token\. Token expired: \d{13} >= 1767323045000", said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda _: "garbage", INVALID),
        (lambda _: "PGEvPg==", INVALID),
        (lambda world: world.assertion()[:-4], INVALID),
        (lambda world: world.token(REALM, "ada"), INVALID),
        (lambda _: "A" * 50_000, INVALID),
        (lambda _: "A" * (2 << 20), TOO_LARGE),
    ],
    ids=["garbage", "another document", "cut", "an ID token", "50 KB", "2 MB"],
)
def test_what_is_no_response_is_refused(
    world: World, pool: str, text: Callable[[World], str], said: tuple[str, str]
) -> None:
    found = refusal(world.public.get_id, IdentityPoolId=pool, Logins={CORP: text(world)})

    assert found == said


def test_a_provider_that_the_pool_does_not_have_is_refused(world: World) -> None:
    other = world.pool(REALM)

    assert refusal(world.public.get_id, IdentityPoolId=other, Logins={CORP: world.assertion()}) == UNSUPPORTED


def test_a_provider_whose_metadata_cannot_be_had_is_a_clear_error(world: World, pool: str) -> None:
    asked = {"IdentityPoolId": pool, "Logins": {AWAY: world.assertion()}}

    assert refusal(world.public.get_id, **asked) == UNAVAILABLE
    assert world.get_id(pool, {CORP: world.assertion()})


def test_what_a_pool_is_set_to_comes_back_until_it_is_left_out(world: World) -> None:
    pool, logins = world.pool(REALM, SamlProviderARNs=[AWAY, CORP]), {CORP: world.assertion()}
    told = world.identity.describe_identity_pool(IdentityPoolId=pool)
    told.pop("ResponseMetadata")
    assert told["SamlProviderARNs"] == [AWAY, CORP]
    world.get_id(pool, logins)

    unknown = {**told, "SamlProviderARNs": [CORP, f"{CORP}-2"]}
    assert refusal(world.identity.update_identity_pool, **unknown) == ("InvalidParameter", "Invalid SAML Provider")
    assert world.identity.describe_identity_pool(IdentityPoolId=pool)["SamlProviderARNs"] == [AWAY, CORP]
    del told["SamlProviderARNs"]
    assert "SamlProviderARNs" not in world.identity.update_identity_pool(**told)
    assert refusal(world.public.get_id, IdentityPoolId=pool, Logins=logins) == UNSUPPORTED


def test_rules_tags_and_the_asked_role_are_by_the_assertion(world: World) -> None:
    pool = world.pool(REALM, SamlProviderARNs=[CORP])
    world.identity.set_identity_pool_roles(
        IdentityPoolId=pool,
        Roles={"authenticated": ROLE},
        RoleMappings={
            CORP: {
                "Type": "Rules",
                "AmbiguousRoleResolution": "AuthenticatedRole",
                "RulesConfiguration": {
                    "Rules": [{"Claim": TEAM, "MatchType": "Contains", "Value": "admins", "RoleARN": ADMIN_ROLE}]
                },
            }
        },
    )
    told = world.identity.set_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=CORP, UseDefaults=False, PrincipalTags={"team": TEAM}
    )
    assert told["PrincipalTags"] == {"team": TEAM}

    assert world.role(pool, {CORP: world.assertion("ada", telling(**{TEAM: ["admins"]}))}) == ADMIN_ROLE
    member = {CORP: world.assertion("bea", telling(**{TEAM: ["staff"], "role": [f"{ADMIN_ROLE},{CORP}"]}))}
    assert world.role(pool, member) == ROLE
    asked = {"IdentityId": world.get_id(pool, member), "Logins": member, "CustomRoleArn": ADMIN_ROLE}
    assert refusal(world.public.get_credentials_for_identity, **asked)[0] == "NotAuthorized"
    claims = world.given(world.get_id(pool, member), member)
    assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {"team": ["staff"]}


def test_a_role_is_asked_for_that_the_assertion_tells(world: World, pool: str) -> None:
    logins = {CORP: world.assertion("ada", telling(role=[f"{CORP},{ADMIN_ROLE}", f"{ROLE},{CORP}"]))}
    asked = {"IdentityId": world.get_id(pool, logins), "Logins": logins}

    world.public.get_credentials_for_identity(**asked, CustomRoleArn=ADMIN_ROLE)
    assert parse_qs(world.sts.asked[-1].decode())["RoleArn"] == [ADMIN_ROLE]
    other = {**asked, "CustomRoleArn": f"{ADMIN_ROLE}2"}
    assert refusal(world.public.get_credentials_for_identity, **other)[0] == "NotAuthorized"
