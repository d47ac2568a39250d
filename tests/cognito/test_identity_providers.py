"""Identity providers of a pool through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import World, refused
from tests.providers import CORP, DETAILS, SOCIAL, STAFF, named, request

INVALID, NOT_FOUND = "InvalidParameterException", "ResourceNotFoundException"
SUBJECT = {"OIDC": "sub", "Google": "sub", "SignInWithApple": "sub", "Facebook": "id", "LoginWithAmazon": "user_id"}
GONE = "Identity provider {} does not exist."


def make(world: World, kind: str = "OIDC", **more: Any) -> dict[str, Any]:
    """Make a provider; return what is told of it."""
    made: dict[str, Any] = world.idp.create_identity_provider(UserPoolId=world.pool_id, **request(kind, **more))
    return dict(made["IdentityProvider"])


def told(world: World, name: str = "Corp") -> dict[str, Any]:
    """Return what is told of a provider."""
    found = world.idp.describe_identity_provider(UserPoolId=world.pool_id, ProviderName=name)
    return dict(found["IdentityProvider"])


def change(world: World, name: str = "Corp", **more: Any) -> dict[str, Any]:
    """Change a provider; return what is told of it."""
    found = world.idp.update_identity_provider(UserPoolId=world.pool_id, ProviderName=name, **more)
    return dict(found["IdentityProvider"])


def listed(world: World) -> list[str]:
    """Return the names of a pool's providers."""
    pages = world.idp.get_paginator("list_identity_providers").paginate(UserPoolId=world.pool_id)
    return [each["ProviderName"] for page in pages for each in page["Providers"]]


@pytest.mark.parametrize("kind", DETAILS)
def test_a_provider_is_told_completed_and_without_its_private_key(kind: str, world: World) -> None:
    made = make(world, kind)

    assert told(world, named(kind)) == made
    assert (made["ProviderName"], made["ProviderType"], made["UserPoolId"]) == (named(kind), kind, world.pool_id)
    assert made["AttributeMapping"] == {"username": SUBJECT[kind]}
    assert made["IdpIdentifiers"] == []
    assert made["CreationDate"] == made["LastModifiedDate"]
    assert "AcrMapping" not in made
    given, details = DETAILS[kind], made["ProviderDetails"]
    assert {name: details.get(name) for name in given if name != "private_key"} == {
        name: value for name, value in given.items() if name != "private_key"
    }
    assert "private_key" not in details
    assert details.keys() >= {"authorize_url", "token_url"}
    assert {"ProviderName": named(kind), "ProviderType": kind} in [
        {key: each[key] for key in ("ProviderName", "ProviderType")}
        for each in world.idp.list_identity_providers(UserPoolId=world.pool_id)["Providers"]
    ]


@pytest.mark.parametrize("kind", DETAILS)
def test_what_is_described_may_be_written_back(kind: str, new_world: Callable[..., World]) -> None:
    world = new_world()
    made = make(world, kind, AttributeMapping={"email": "mail"}, IdpIdentifiers=["b.example", "a.example"])

    again = change(
        world,
        named(kind),
        **{name: made[name] for name in ("ProviderDetails", "AttributeMapping", "IdpIdentifiers")},
    )

    assert {**again, "LastModifiedDate": None} == {**made, "LastModifiedDate": None}
    assert again["LastModifiedDate"] > made["LastModifiedDate"]
    with world.live.orm():
        from pools.services import access
        from pools.services.providers import identity_providers

        kept = identity_providers.details(identity_providers.named(access.pool(world.pool_id), named(kind)))
    assert kept.items() >= DETAILS[kind].items()


SSO, SLO = "https://idp.corp.example/sso", "https://idp.corp.example/slo"
OTHERS = STAFF.replace(SSO, f"{SSO}/2").replace(SLO, f"{SLO}/2")
TOLD = {"SSORedirectBindingURI": SSO, "SLORedirectBindingURI": SLO}
SIGNED = {"RequestSigningAlgorithm": "rsa-sha256", "IDPSignout": "true", "IDPInit": "false"}


@pytest.mark.parametrize("given", [{}, SIGNED, {"EncryptedResponses": "true"}], ids=str)
def test_what_is_described_of_a_saml_provider_may_be_written_back_and_is_no_word_of_ours_to_keep(
    given: dict[str, str], new_world: Callable[..., World]
) -> None:
    world = new_world()
    details = {"MetadataFile": STAFF, **given}
    made = make(world, ProviderName="Staff", ProviderType="SAML", ProviderDetails=details)
    described = made["ProviderDetails"]
    own = {"ActiveEncryptionCertificate": described["ActiveEncryptionCertificate"]}
    assert described == {**details, **TOLD, **own}

    again = change(world, "Staff", ProviderDetails=described)
    assert {**again, "LastModifiedDate": None} == {**made, "LastModifiedDate": None}

    stale = change(world, "Staff", ProviderDetails={**described, "MetadataFile": OTHERS})["ProviderDetails"]
    followed = {name: f"{value}/2" for name, value in TOLD.items()}
    assert stale == {**described, "MetadataFile": OTHERS, **followed}


def test_what_is_given_takes_the_place_of_what_was(new_world: Callable[..., World]) -> None:
    world = new_world()
    mapping = {"email": "email", "custom:team": "https://corp.example/team"}
    world.idp.add_custom_attributes(
        UserPoolId=world.pool_id, CustomAttributes=[{"Name": "team", "AttributeDataType": "String", "Mutable": True}]
    )
    made = make(
        world, AttributeMapping=mapping, IdpIdentifiers=["corp.example", "corp"], AcrMapping={"Level2": "urn:two"}
    )
    assert made["AttributeMapping"] == {**mapping, "username": "sub"}
    assert made["IdpIdentifiers"] == ["corp.example", "corp"]

    other = {**CORP, "client_secret": "another", "authorize_scopes": "openid"}
    assert change(world, ProviderDetails=other)["ProviderDetails"].items() >= other.items()
    changed = change(world, AttributeMapping={"name": "name"}, IdpIdentifiers=["corp"], AcrMapping={})
    assert changed["AttributeMapping"] == {"name": "name", "username": "sub"}
    assert changed["IdpIdentifiers"] == ["corp"]
    assert "AcrMapping" not in changed
    assert changed["ProviderDetails"].items() >= other.items()
    assert change(world, IdpIdentifiers=[])["IdpIdentifiers"] == []
    untouched = change(world)
    assert {**untouched, "LastModifiedDate": None} == {**changed, "IdpIdentifiers": [], "LastModifiedDate": None}


LONG = "x" * 41
REQUIRED = "clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details."
UNTOLD = None
MAPPING = "AttributeMapping contains invalid mapping: [{}]"
BAD: list[tuple[dict[str, Any], str | None]] = [
    ({"ProviderName": "ab"}, UNTOLD),
    ({"ProviderName": "_abc"}, UNTOLD),
    ({"ProviderName": "abc_"}, UNTOLD),
    ({"ProviderName": "a b c"}, UNTOLD),
    ({"ProviderName": "abc\u200bd"}, UNTOLD),
    ({"ProviderName": "x" * 33}, UNTOLD),
    ({"ProviderName": "Cognito"}, "Provider Cognito cannot be of type OIDC."),
    ({"ProviderName": "COGNITO"}, "Provider COGNITO cannot be of type OIDC."),
    ({"ProviderName": "Google"}, "Provider Google cannot be of type OIDC."),
    ({"ProviderType": "Google", "ProviderDetails": SOCIAL}, "Provider Other cannot be of type Google."),
    ({"ProviderType": "SAML"}, "Provider details of this type have no attributes_request_method."),
    (
        {"ProviderType": "SAML", "ProviderDetails": {"IDPInit": "true"}},
        "Either MetadataURL or MetadataFile is a required idp detail.",
    ),
    (
        {"ProviderType": "SAML", "ProviderDetails": {"MetadataFile": "<a/>"}},
        "The metadata do not describe the identity provider.",
    ),
    ({"ProviderType": "SAML", "ProviderDetails": {"MetadataFile": "no xml"}}, "Unable to unmarshall metadata"),
    (
        {"ProviderType": "SAML", "ProviderDetails": {"MetadataURL": "https://corp.example/metadata"}},
        "Unable to contact metadata url",
    ),
    ({"ProviderType": "Twitter"}, UNTOLD),
    ({"ProviderDetails": {}}, REQUIRED),
    ({"ProviderDetails": {**CORP, "oidc_issuer": ""}}, REQUIRED),
    ({"ProviderDetails": {**CORP, "shoe_size": "42"}}, "Provider details of this type have no shoe_size."),
    ({"AttributeMapping": {"custom:none": "x"}}, MAPPING.format("custom:none")),
    ({"AttributeMapping": {"sub": "sub"}}, MAPPING.format("sub")),
    ({"AttributeMapping": {"custom:fixed": "x"}}, MAPPING.format("custom:fixed")),
    ({"AttributeMapping": {"dev:custom:ours": "x"}}, MAPPING.format("dev:custom:ours")),
    ({"AttributeMapping": {"identities": "x"}}, MAPPING.format("identities")),
    ({"AttributeMapping": {"username": "email"}}, MAPPING.format("username")),
    ({"AttributeMapping": {"email": ""}}, MAPPING.format("email")),
    ({"AttributeMapping": {"email": "x" * 2049}}, MAPPING.format("email")),
    ({"IdpIdentifiers": ["taken.example"]}, "Identifier taken.example already exists in user pool {pool}"),
    ({"IdpIdentifiers": ["one", "one"]}, "At most 50 identifiers, each once."),
    ({"IdpIdentifiers": [LONG]}, UNTOLD),
    ({"IdpIdentifiers": ["a/b"]}, UNTOLD),
    ({"IdpIdentifiers": [f"i{number}" for number in range(51)]}, UNTOLD),
    ({"AcrMapping": {"Level5": "x"}}, UNTOLD),
    ({"AcrMapping": {"Level1": "two words"}}, UNTOLD),
]


@pytest.fixture(scope="module")
def settled(world: World) -> World:
    """Return a pool with attributes that cannot be mapped, and a provider that has an identifier."""
    attributes = [
        {"Name": "fixed", "AttributeDataType": "String", "Mutable": False},
        {"Name": "ours", "AttributeDataType": "String", "Mutable": True, "DeveloperOnlyAttribute": True},
    ]
    settled = World(world.live)
    settled.idp.add_custom_attributes(UserPoolId=settled.pool_id, CustomAttributes=attributes)
    make(settled, IdpIdentifiers=["taken.example"])
    make(settled, ProviderName="Another")
    return settled


@pytest.mark.parametrize(("given", "text"), BAD)
def test_what_is_no_provider_is_refused_and_changes_nothing(
    given: dict[str, Any], text: str | None, settled: World
) -> None:
    before = listed(settled), told(settled), told(settled, "Another")
    text = text.format(pool=settled.pool_id) if text else None

    with refused(INVALID, text):
        make(settled, **{"ProviderName": "Other", **given})
    if not given.keys() & {"ProviderName", "ProviderType"}:
        with refused(INVALID, text):
            change(settled, "Another", **given)

    assert (listed(settled), told(settled), told(settled, "Another")) == before
    groups = settled.idp.list_groups(UserPoolId=settled.pool_id)["Groups"]
    assert {each["GroupName"] for each in groups} == {f"{settled.pool_id}_{name}" for name in listed(settled)}


def test_levels_are_openid_connects_alone(new_world: Callable[..., World]) -> None:
    world = new_world()
    with refused(INVALID, "Only OIDC identity providers support AcrMapping."):
        make(world, "Google", AcrMapping={"Level1": "one"})

    levels = {f"Level{number}": f"urn:{number}" for number in range(1, 5)}
    assert make(world, AcrMapping=levels)["AcrMapping"] == levels


def test_a_name_is_taken_once_in_each_pool(new_world: Callable[..., World]) -> None:
    world, other = new_world(), new_world()
    make(world, IdpIdentifiers=["corp.example"])

    assert make(other, IdpIdentifiers=["corp.example"])["ProviderName"] == "Corp"
    with refused("DuplicateProviderException", f"Corp already exists in user pool {world.pool_id}"):
        make(world)
    assert make(world, ProviderName="corp")["ProviderName"] == "corp"


def test_a_provider_has_a_group_of_its_people(new_world: Callable[..., World]) -> None:
    world = new_world()
    name = f"{world.pool_id}_Google"
    world.idp.create_group(UserPoolId=world.pool_id, GroupName=f"{world.pool_id}_Corp", Description="Ours")

    make(world, "Google")
    make(world)

    group = world.idp.get_group(UserPoolId=world.pool_id, GroupName=name)["Group"]
    assert group["Description"] == "Autogenerated group for users who sign in using Google"
    kept = world.idp.get_group(UserPoolId=world.pool_id, GroupName=f"{world.pool_id}_Corp")["Group"]
    assert kept["Description"] == "Ours"
    world.idp.delete_identity_provider(UserPoolId=world.pool_id, ProviderName="Google")
    assert world.idp.get_group(UserPoolId=world.pool_id, GroupName=name)["Group"] == group
    make(world, "Google")


def test_a_provider_is_found_by_an_identifier(new_world: Callable[..., World]) -> None:
    world = new_world()
    made = make(world, IdpIdentifiers=["corp.example", "corp"])

    def found(identifier: str) -> dict[str, Any]:
        answer = world.idp.get_identity_provider_by_identifier(UserPoolId=world.pool_id, IdpIdentifier=identifier)
        return dict(answer["IdentityProvider"])

    assert found("corp.example") == found("corp") == made
    change(world, IdpIdentifiers=["corp"])
    for identifier in ("corp.example", "Corp"):
        with refused(NOT_FOUND, f"Identity provider with identifier {identifier} does not exist."):
            found(identifier)
    make(world, ProviderName="Other", IdpIdentifiers=["corp.example"])
    assert found("corp.example")["ProviderName"] == "Other"


def test_a_provider_that_is_not_there_is_told(world: World) -> None:
    about = {"UserPoolId": world.pool_id, "ProviderName": "Nobody"}
    for ask in (
        world.idp.describe_identity_provider,
        world.idp.update_identity_provider,
        world.idp.delete_identity_provider,
    ):
        with refused(NOT_FOUND, GONE.format("Nobody")):
            ask(**about)


def test_providers_come_in_pages_as_they_were_made(new_world: Callable[..., World]) -> None:
    world = new_world()
    for name in ("Zeta", "Alpha", "Midway"):
        make(world, ProviderName=name)

    first = world.idp.list_identity_providers(UserPoolId=world.pool_id, MaxResults=2)
    rest = world.idp.list_identity_providers(UserPoolId=world.pool_id, MaxResults=2, NextToken=first["NextToken"])

    assert [each["ProviderName"] for each in first["Providers"] + rest["Providers"]] == ["Zeta", "Alpha", "Midway"]
    assert "NextToken" not in rest
    assert rest["Providers"][0].keys() == {"ProviderName", "ProviderType", "LastModifiedDate", "CreationDate"}
    with refused(INVALID):
        world.idp.list_identity_providers(UserPoolId=world.pool_id, MaxResults=61)


def test_an_app_names_providers_of_its_pool_and_keeps_one_that_goes(new_world: Callable[..., World]) -> None:
    world, other = new_world(), new_world()
    make(world)
    make(other, ProviderName="Elsewhere")
    missing = "The provider {} does not exist for User Pool {}."

    with refused(INVALID, missing.format("Elsewhere", world.pool_id)):
        world.new_client(SupportedIdentityProviders=["COGNITO", "Corp", "Elsewhere"])
    client = world.new_client(SupportedIdentityProviders=["Corp", "COGNITO", "Corp"])
    assert client["SupportedIdentityProviders"] == ["Corp", "COGNITO"]
    world.idp.delete_identity_provider(UserPoolId=world.pool_id, ProviderName="Corp")

    about = {"UserPoolId": world.pool_id, "ClientId": client["ClientId"]}
    kept = world.idp.describe_user_pool_client(**about)["UserPoolClient"]
    assert kept["SupportedIdentityProviders"] == ["Corp", "COGNITO"]
    with refused(INVALID, missing.format("Corp", world.pool_id)):
        world.idp.update_user_pool_client(**about, SupportedIdentityProviders=["Corp", "COGNITO"])
    changed = world.idp.update_user_pool_client(**about, SupportedIdentityProviders=["COGNITO"])
    assert changed["UserPoolClient"]["SupportedIdentityProviders"] == ["COGNITO"]
