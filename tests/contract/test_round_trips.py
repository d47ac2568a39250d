"""What Describe tells of an app, a resource server, a group or a provider, Update takes, and nothing is changed by it.

User pools are asked the same in ``services/test_pool_round_trip``, identity pools in ``test_identity_pool_round_trip``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools.cognito import contract
from tests import providers
from tests.contract.conftest import Place
from tests.walks import walk

UNITS = st.sampled_from(["seconds", "minutes", "hours", "days"])
URLS = st.lists(
    st.sampled_from(["https://a.example/cb", "http://localhost:3000/cb", "myapp://cb", "https://b.example/"]),
    unique=True,
)
READABLE = ["email", "email_verified", "name", "locale", "custom:kind", "updated_at"]
SET_BY_NOBODY = {"ClientId", "UserPoolId", "LastModifiedDate", "CreationDate", "ClientSecret"}
KEPT_FOR_LATER = {"PublishSecretsInAWSSecretsManager"}
"""Refused but for what means the same as leaving it out."""


def some(required: dict[str, st.SearchStrategy[Any]] | None = None, **members: st.SearchStrategy[Any]) -> Any:  # noqa: ANN401 - a strategy
    """Return a structure with any of these members, and all that are required."""
    return st.fixed_dictionaries(required or {}, optional=members)


def subset(*names: str, least: int = 0) -> st.SearchStrategy[list[str]]:
    """Return lists of some of these, each once."""
    return st.lists(st.sampled_from(names), unique=True, min_size=least)


OAUTH = st.fixed_dictionaries(
    {
        "AllowedOAuthFlowsUserPoolClient": st.just(True),
        "AllowedOAuthFlows": st.just(["code"]),
        "AllowedOAuthScopes": subset("openid", "email", "profile", "aws.cognito.signin.user.admin", least=1),
        "CallbackURLs": URLS.filter(bool),
        "SupportedIdentityProviders": st.just(["COGNITO"]),
    }
)
APPS = st.builds(
    lambda members, oauth: {**members, **oauth},
    some(
        ClientName=st.text("abc 019+=,.@-", min_size=1, max_size=20).filter(str.strip),
        RefreshTokenValidity=st.integers(1, 400),
        AccessTokenValidity=st.integers(1, 400),
        IdTokenValidity=st.integers(1, 400),
        TokenValidityUnits=some(AccessToken=UNITS, IdToken=UNITS, RefreshToken=UNITS),
        ReadAttributes=subset(*READABLE),
        WriteAttributes=subset("email", "name", "locale", "custom:kind"),
        ExplicitAuthFlows=subset(
            "ALLOW_USER_PASSWORD_AUTH",
            "ALLOW_USER_SRP_AUTH",
            "ALLOW_REFRESH_TOKEN_AUTH",
            "ALLOW_CUSTOM_AUTH",
            "ALLOW_ADMIN_USER_PASSWORD_AUTH",
            "ALLOW_USER_AUTH",
        ),
        SupportedIdentityProviders=st.sampled_from([[], ["COGNITO"]]),
        CallbackURLs=URLS,
        LogoutURLs=URLS,
        DefaultRedirectURI=st.sampled_from(["https://a.example/cb", "myapp://cb"]),
        AnalyticsConfiguration=some(
            {
                "ApplicationId": st.just("d70b2ba36a8c4dc5a04a0451a31a1e12"),
                "RoleArn": st.just("arn:aws:iam::000000000000:role/analytics"),
                "ExternalId": st.just("x"),
            },
            UserDataShared=st.booleans(),
        ),
        PreventUserExistenceErrors=st.sampled_from(["LEGACY", "ENABLED"]),
        EnableTokenRevocation=st.booleans(),
        EnablePropagateAdditionalUserContextData=st.booleans(),
        AuthSessionValidity=st.integers(3, 15),
        RefreshTokenRotation=some(
            {"Feature": st.sampled_from(["ENABLED", "DISABLED"])}, RetryGracePeriodSeconds=st.integers(0, 60)
        ),
    ),
    st.just({}) | OAUTH,
)
SCOPE = st.fixed_dictionaries(
    {"ScopeName": st.text("abz.:-_", min_size=1, max_size=9), "ScopeDescription": st.text("ab ", min_size=1)}
)
SERVERS = st.fixed_dictionaries(
    {"Name": st.text("ab 9", min_size=1, max_size=20)},
    optional={"Scopes": st.lists(SCOPE, unique_by=lambda scope: scope["ScopeName"], max_size=4)},
)
GROUPS = some(
    Description=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40),
    RoleArn=st.sampled_from(["arn:aws:iam::000000000000:role/a", "arn:aws:iam::000000000000:role/b"]),
    Precedence=st.integers(0, 9),
)
OWN_WORDS = st.text("abAB09-._", min_size=1, max_size=12)
LEVELS = ["Level1", "Level4"]
CHOSEN = {"client_id", "client_secret", "team_id"}
PROVIDERS = {
    kind: some(
        ProviderDetails=some(
            {name: OWN_WORDS if name in CHOSEN else st.just(value) for name, value in details.items()},
            attributes_url_add_attributes=st.sampled_from(["true", "false"]),
        ),
        AttributeMapping=st.dictionaries(st.sampled_from(["email", "name", "email_verified"]), OWN_WORDS),
        IdpIdentifiers=st.lists(OWN_WORDS.map(lambda word: word.replace("-", "+")), unique=True, max_size=4),
        AcrMapping=st.dictionaries(st.sampled_from(LEVELS), OWN_WORDS, max_size=len(LEVELS) if kind == "OIDC" else 0),
    )
    for kind, details in providers.DETAILS.items()
}
METADATA = [providers.STAFF, providers.STAFF.replace("/sso", "/saml/sso")]
YES_OR_NO = st.sampled_from(["true", "false"])
PROVIDERS["SAML"] = some(
    ProviderDetails=st.fixed_dictionaries(
        {"MetadataFile": st.sampled_from(METADATA)},
        optional={
            "EncryptedResponses": YES_OR_NO,
            "IDPInit": YES_OR_NO,
            "IDPSignout": YES_OR_NO,
            "RequestSigningAlgorithm": st.just("rsa-sha256"),
        },
    ),
    AttributeMapping=st.dictionaries(st.sampled_from(["email", "name", "email_verified"]), OWN_WORDS),
    IdpIdentifiers=st.lists(OWN_WORDS.map(lambda word: word.replace("-", "+")), unique=True, max_size=4),
)
REQUESTS = {kind: providers.request(kind) for kind in providers.DETAILS}
REQUESTS["SAML"] = {
    "ProviderName": "Staff",
    "ProviderType": "SAML",
    "ProviderDetails": {"MetadataFile": METADATA[0]},
}


def sent(place: Place, operation: str, members: dict[str, Any]) -> bool:
    """Send a request; say whether it was taken. Nothing but a declared refusal is no success."""
    answer = place.wire.raw(operation, json.dumps(members).encode())
    assert answer.status == 200 or b"InvalidParameterException" in answer.body or b"InvalidOAuthFlow" in answer.body, (
        answer
    )
    return answer.status == 200


def test_a_described_app_written_back_is_the_same_app(transactional_db: None, place: Place) -> None:
    place.wire.ask(
        "AddCustomAttributes", UserPoolId=place.pool, CustomAttributes=[{"Name": "kind", "AttributeDataType": "String"}]
    )
    app = {"UserPoolId": place.pool, "ClientId": place.client}
    shape, taken, seen = contract.model("UpdateUserPoolClient").input_shape, [], set[str]()
    assert shape is not None

    def described() -> dict[str, Any]:
        told = place.wire.ask("DescribeUserPoolClient", **app)["UserPoolClient"]
        return {name: value for name, value in told.items() if name != "LastModifiedDate"}

    @walk(100)
    @given(APPS)
    def check(members: dict[str, Any]) -> None:
        seen.update(members)
        if not sent(place, "UpdateUserPoolClient", {**app, **members}):
            return
        taken.append(members)
        told = described()

        assert sent(
            place, "UpdateUserPoolClient", {**app, **{name: told[name] for name in told.keys() & shape.members.keys()}}
        )

        assert described() == told

    check()
    assert seen | SET_BY_NOBODY | KEPT_FOR_LATER >= set(shape.members)
    assert len(taken) > 15  # else the walk asks about next to nothing


def test_a_described_resource_server_written_back_is_the_same(transactional_db: None, place: Place) -> None:
    server = {"UserPoolId": place.pool, "Identifier": "photos"}
    place.wire.ask("CreateResourceServer", **server, Name="Photos")

    @walk(45)
    @given(SERVERS)
    def check(members: dict[str, Any]) -> None:
        assert sent(place, "UpdateResourceServer", {**server, **members})
        told = place.wire.ask("DescribeResourceServer", **server)["ResourceServer"]

        assert sent(place, "UpdateResourceServer", told)

        assert place.wire.ask("DescribeResourceServer", **server)["ResourceServer"] == told
        assert told == {**server, "Scopes": [], **members}

    check()


def test_a_described_group_written_back_is_the_same(transactional_db: None, place: Place) -> None:
    group = {"UserPoolId": place.pool, "GroupName": "staff"}
    place.wire.ask("CreateGroup", **group)

    def described() -> dict[str, Any]:
        told = place.wire.ask("GetGroup", **group)["Group"]
        return {name: value for name, value in told.items() if name not in {"LastModifiedDate", "CreationDate"}}

    @walk(45)
    @given(GROUPS)
    def check(members: dict[str, Any]) -> None:
        assert sent(place, "UpdateGroup", {**group, **members})
        told = described()

        assert sent(place, "UpdateGroup", told)

        assert described() == told
        assert {name: told.get(name) for name in members} == members

    check()


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_described_provider_written_back_is_the_same(kind: str, transactional_db: None, place: Place) -> None:
    provider = {"UserPoolId": place.pool, "ProviderName": REQUESTS[kind]["ProviderName"]}
    place.wire.ask("CreateIdentityProvider", UserPoolId=place.pool, **REQUESTS[kind])
    shape = contract.model("UpdateIdentityProvider").input_shape
    assert shape is not None

    def described() -> dict[str, Any]:
        told = place.wire.ask("DescribeIdentityProvider", **provider)["IdentityProvider"]
        return {name: value for name, value in told.items() if name != "LastModifiedDate"}

    @walk(40)
    @given(PROVIDERS[kind])
    def check(members: dict[str, Any]) -> None:
        assert sent(place, "UpdateIdentityProvider", {**provider, **members})
        told = described()

        assert sent(place, "UpdateIdentityProvider", {name: told[name] for name in told.keys() & shape.members.keys()})

        assert described() == told
        details = {name: value for name, value in members.get("ProviderDetails", {}).items() if name != "private_key"}
        assert told["ProviderDetails"].items() >= details.items()
        assert told["AttributeMapping"].items() >= members.get("AttributeMapping", {}).items()
        assert told["IdpIdentifiers"] == members.get("IdpIdentifiers", told["IdpIdentifiers"])
        assert told.get("AcrMapping", {}) == members.get("AcrMapping", told.get("AcrMapping", {}))

    check()
