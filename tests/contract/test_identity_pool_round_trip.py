"""What DescribeIdentityPool tells, UpdateIdentityPool takes, and then the pool is as it was: for any pool."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from identity.foundation.saml_issuers import SamlProvider
from tests.contract.conftest import Place
from tests.walks import walk

NAMES = st.text("abzAZ09 +=,.@-_", min_size=1, max_size=20)
OF_TAGS = st.sampled_from(string.ascii_letters + string.digits + "_.:/=+-@")
SOCIAL = ("accounts.google.com", "appleid.apple.com", "graph.facebook.com", "www.amazon.com")
APPLICATIONS = st.from_regex(r"[A-Za-z0-9._/-]{1,20}(;[A-Za-z0-9._/-]{1,20})?", fullmatch=True)
ISSUERS = {"https://login.example/realms/our_realm": ("one",), "https://login.example:8443": ("one", "two")}
SAML = {f"arn:aws:iam::000000000000:saml-provider/{name}": SamlProvider("/idp.xml") for name in ("corp", "b.B_-2")}
TAGS = st.dictionaries(
    st.text(OF_TAGS, min_size=1, max_size=12).filter(lambda key: not key.lower().startswith("aws:")),
    st.text(OF_TAGS, max_size=12),
    max_size=3,
)


def pools(place: Place, clients: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return all that an identity pool may be set to, but for its developers' name."""
    arns = [f"arn:aws:iam::000000000000:oidc-provider/{issuer.partition('://')[2]}" for issuer in ISSUERS]
    name = f"cognito-idp.us-east-1.amazonaws.com/{place.pool}"
    line = st.fixed_dictionaries(
        {"ProviderName": st.just(name), "ClientId": st.sampled_from(clients)},
        optional={"ServerSideTokenCheck": st.booleans()},
    )
    return st.fixed_dictionaries(
        {"IdentityPoolName": NAMES, "AllowUnauthenticatedIdentities": st.booleans()},
        optional={
            "AllowClassicFlow": st.booleans(),
            "SupportedLoginProviders": st.dictionaries(st.sampled_from(SOCIAL), APPLICATIONS),
            "CognitoIdentityProviders": st.lists(line, unique_by=lambda each: each["ClientId"]),
            "OpenIdConnectProviderARNs": st.lists(st.sampled_from(arns), unique=True),
            "SamlProviderARNs": st.lists(st.sampled_from(list(SAML)), unique=True),
            "IdentityPoolTags": TAGS,
        },
    )


def test_a_described_pool_written_back_is_the_same_pool(
    transactional_db: None, place: Place, settings: Settings
) -> None:
    settings.OPENID_PROVIDERS, settings.SAML_PROVIDERS = ISSUERS, SAML
    clients = [place.client]
    for number in range(2):
        made = place.wire.ask("CreateUserPoolClient", UserPoolId=place.pool, ClientName=f"app{number}")
        clients.append(made["UserPoolClient"]["ClientId"])
    # The developers' name is set once, for good: at Amazon no update takes it back.
    developers = st.sampled_from([{}, {"DeveloperProviderName": "login.corp"}])

    @walk(70)
    @given(first=pools(place, clients), second=pools(place, clients), more=developers)
    def check(first: dict[str, Any], second: dict[str, Any], more: dict[str, str]) -> None:
        pool = {"IdentityPoolId": place.wire.ask("CreateIdentityPool", **first, **more)["IdentityPoolId"]}
        told = place.wire.ask("DescribeIdentityPool", **pool)
        assert place.wire.ask("UpdateIdentityPool", **told) == told
        assert place.wire.ask("DescribeIdentityPool", **pool) == told

        place.wire.ask("UpdateIdentityPool", **pool, **second)
        place.wire.ask("UpdateIdentityPool", **told)

        assert place.wire.ask("DescribeIdentityPool", **pool) == told
        assert told["IdentityPoolName"] == first["IdentityPoolName"]
        assert told.get("DeveloperProviderName") == more.get("DeveloperProviderName")

    check()
