"""Logins of Google, Facebook, Amazon, Apple and an OpenID provider, brought to identity pools by boto3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from identity.foundation import clock
from tests import providers
from tests.federation.emulator import Asked, Reply
from tests.federation.foreign_logins import (
    ACCOUNT,
    ADMIN_ROLE,
    AMAZON,
    APPLE,
    APPLICATIONS,
    ASKED,
    AWAY,
    CLIENT,
    FACEBOOK,
    GOOGLE,
    KEYS,
    REALM,
    ROLE,
    SECOND,
    SIGNED,
    World,
    installation,
    refusal,
    stranger,
)
from tests.federation.openid_provider import rsa_key
from tests.federation.social_emulator import AMAZON_APP
from tests.federation.test_id_tokens import alg_none, by_secret
from tests.live import Live

UNSUPPORTED = ("NotAuthorized", "Token is not from a supported provider of this identity pool.")
OTHER_ISSUER = ("NotAuthorized", "Invalid login token. Issuer doesn't match providerName")
NOT_SIGNED = ("NotAuthorized", "Invalid login token. Couldn't verify signed token.")
NOT_ONE = ("NotAuthorized", "Invalid login token. Not a valid OpenId Connect identity token.")
INVALID = ("NotAuthorized", "Invalid login token.")
NO_MATCH = (
    "NotAuthorized",
    "Logins don't match. Please include at least one valid login for this identity or identity pool.",
)
UNAVAILABLE = ("ExternalService", "An external service is not available. Try again.")
NO_OPENID_PROVIDER = ("InvalidParameter", "Invalid OpenId Connect Provider")


@pytest.fixture(scope="module")
def world(live: Live) -> Iterator[World]:
    """Return the installation."""
    with installation(live) as found:
        yield found


@pytest.fixture(scope="module")
def pool(world: World) -> str:
    """Return an identity pool with all five providers."""
    return world.pool()


# -- each provider ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", APPLICATIONS)
def test_a_login_means_one_identity_and_its_token_names_provider_application_and_person(
    world: World, provider: str
) -> None:
    pool, name = world.pool(), world.name(provider)
    first = world.get_id(pool, {name: world.token(provider, "ada")})

    assert world.get_id(pool, {name: world.token(provider, "ada")}) == first
    assert world.get_id(pool, {name: world.token(provider, "bea")}) != first
    assert world.identity.describe_identity(IdentityId=first)["Logins"] == [name]
    claims = world.given(first, {name: world.token(provider, "ada")})
    assert claims["amr"] == ["authenticated", name, f"{name}:{APPLICATIONS[provider]}:ada"]
    assert (claims["sub"], claims["aud"]) == (first, pool)


@pytest.mark.parametrize("provider", APPLICATIONS)
def test_a_token_for_another_application_is_refused(world: World, pool: str, provider: str) -> None:
    assert world.refused(pool, provider, world.token(provider, "ada", aud="another")) == UNSUPPORTED


@pytest.mark.parametrize("provider", APPLICATIONS)
def test_a_provider_that_the_pool_does_not_have_is_refused_whoever_else_has_it(world: World, provider: str) -> None:
    other = world.pool(FACEBOOK if provider != FACEBOOK else APPLE)
    token = world.token(provider, "ada")

    assert world.refused(other, provider, token) == UNSUPPORTED
    nobody = world.identity.create_identity_pool(IdentityPoolName="p", AllowUnauthenticatedIdentities=True)
    assert world.refused(nobody["IdentityPoolId"], provider, token) == NO_MATCH


@pytest.mark.parametrize("provider", SIGNED)
def test_an_id_token_that_is_forged_is_refused(world: World, pool: str, provider: str) -> None:
    kid = KEYS[provider]
    right = world.token(provider, "ada")
    head, body, signature = right.split(".")
    forgeries = {
        "another key": world.forged(provider, {"alg": "RS256", "kid": kid}, stranger()),
        "another kid": world.forged(provider, {"alg": "RS256", "kid": "stranger"}, stranger()),
        "another signature": f"{head}.{body}.{'A' * len(signature)}",
        "another body": f"{head}.{world.token(provider, 'eve').split('.')[1]}.{signature}",
        "another algorithm": world.forged(provider, {"alg": "PS256", "kid": kid}, stranger()),
    }
    no_tokens = {
        "alg none": alg_none(world.claims(provider, "ada")),
        "HS256 by the public key": by_secret(world.claims(provider, "ada"), rsa_key(kid).as_pem(private=False)),
        "crit": world.forged(provider, {"alg": "RS256", "kid": kid, "crit": ["odd"], "odd": "x"}, rsa_key(kid)),
        "access token": world.forged(provider, {"alg": "RS256", "kid": kid, "typ": "at+jwt"}, rsa_key(kid)),
        "Keycloak's access token": world.token(provider, "ada", typ="Bearer"),
        "Cognito's access token": world.token(provider, "ada", token_use="access"),
        "logout token": world.token(provider, "ada", events={}),
        "no token": "garbage",
        "two parts": f"{head}.{body}",
        "not ASCII": f"{head}.{body}.\u00e4",
    }

    assert {name: world.refused(pool, provider, token) for name, token in forgeries.items()} == dict.fromkeys(
        forgeries, NOT_SIGNED
    )
    assert {name: world.refused(pool, provider, token) for name, token in no_tokens.items()} == dict.fromkeys(
        no_tokens, NOT_ONE
    )
    assert world.get_id(pool, {world.name(provider): right})


@pytest.mark.parametrize("provider", SIGNED)
def test_an_id_token_that_says_something_wrong_is_refused(world: World, pool: str, provider: str) -> None:
    now = clock.epoch()

    def refused(**changes: Any) -> tuple[str, str]:
        return world.refused(pool, provider, world.token(provider, "ada", **changes))

    assert refused(iss="https://issuer.example") == OTHER_ISSUER
    assert refused(iss=None) == OTHER_ISSUER
    for claim in ("aud", "exp", "sub"):
        missing = ("NotAuthorized", f"Invalid login token. Missing a required claim: {claim}")
        assert refused(**{claim: None}) == missing
    code, text = refused(exp=now - 61)
    assert code == "NotAuthorized"
    assert re.fullmatch(rf"Invalid login token\. Token expired: \d+ >= {now - 61}", text)
    wrong: list[dict[str, Any]] = [{"exp": "soon"}, {"iat": None}, {"iat": now + 90}, {"nbf": now + 90}]
    for changes in (*wrong, {"sub": 7}, {"sub": "x" * 256}):
        assert refused(**changes) == INVALID, changes
    both: list[Any] = [APPLICATIONS[provider], "another"]
    for audience in (both, {"a": "b"}, 7, [7]):
        assert refused(aud=audience) == UNSUPPORTED, audience
    for party in ("another", 7):
        assert refused(aud=both, azp=party) == UNSUPPORTED


def test_whoever_asked_for_a_token_is_trusted_too_but_at_google_where_an_app_asks_for_its_server(
    world: World, pool: str
) -> None:
    both = world.token(REALM, "ada", aud=["another", CLIENT], azp=CLIENT)
    assert world.get_id(pool, {world.name(REALM): both}) == world.get_id(pool, world.logins(realm="ada"))

    assert world.refused(pool, REALM, world.token(REALM, "ada", azp="another")) == UNSUPPORTED
    assert world.refused(pool, APPLE, world.token(APPLE, "ada", azp="another")) == UNSUPPORTED
    android = world.token(GOOGLE, "ada", azp="android.apps.googleusercontent.com")
    assert world.get_id(pool, {GOOGLE: android}) == world.get_id(pool, world.logins(google="ada"))


def test_google_may_call_itself_by_its_older_name(world: World, pool: str) -> None:
    token = world.token(GOOGLE, "ada", iss="accounts.google.com")

    assert world.get_id(pool, {GOOGLE: token}) == world.get_id(pool, world.logins(google="ada"))


@pytest.mark.parametrize("provider", ASKED)
def test_an_access_token_that_its_provider_does_not_know_is_refused(world: World, pool: str, provider: str) -> None:
    before = len(world.social.asked)

    assert world.refused(pool, provider, "nobody-s") == INVALID
    assert len(world.social.asked) == before + 1
    for nonsense in ("a\r\nHost: b", "a b", "\u00e4", "x" * 8193):
        assert world.refused(pool, provider, nonsense) == INVALID
    assert len(world.social.asked) == before + 1


def answer(reply: Reply, _asked: Asked) -> Reply:
    """Answer so."""
    return reply


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        (FACEBOOK, "/graph.facebook.com/v17.0/app"),
        (FACEBOOK, "/graph.facebook.com/v17.0/me"),
        (AMAZON, "/api.amazon.com/auth/o2/tokeninfo"),
    ],
)
def test_a_provider_that_cannot_say_whose_an_access_token_is_refuses_nobody_and_lets_nobody_in(
    world: World, pool: str, provider: str, path: str
) -> None:
    token = world.token(provider, "ada")
    for reply, said in (
        (Reply(500), UNAVAILABLE),
        (Reply(429), UNAVAILABLE),
        (Reply(200, b"no JSON"), UNAVAILABLE),
        (Reply(302, headers={"location": "https://elsewhere.example"}), UNAVAILABLE),
        (Reply(200, b'{"aud": "%s"}' % APPLICATIONS[provider].encode()), INVALID),
        (Reply(400), INVALID),
    ):
        world.social.instead[path] = partial(answer, reply)
        try:
            assert world.refused(pool, provider, token) == said
        finally:
            del world.social.instead[path]
    assert world.get_id(pool, {provider: token})


def test_amazon_is_named_by_either_id_of_the_application(world: World) -> None:
    pool = world.pool(AMAZON, SupportedLoginProviders={AMAZON: AMAZON_APP})
    logins = {AMAZON: world.token(AMAZON, "ada", aud="whatever")}

    claims = world.given(world.get_id(pool, logins), logins)
    assert claims["amr"][-1] == f"{AMAZON}:{AMAZON_APP}:ada"


def test_several_applications_are_named_with_semicolons_between(world: World) -> None:
    pool = world.pool(APPLE, SupportedLoginProviders={APPLE: "com.example.web;com.example.app"})
    found = [{APPLE: world.token(APPLE, "ada", aud=app)} for app in ("com.example.web", "com.example.app")]

    assert len({world.get_id(pool, logins) for logins in found}) == 1
    assert world.refused(pool, APPLE, world.token(APPLE, "ada", aud="com.example.web;com.example.app")) == UNSUPPORTED
    # Amazon's own pattern of such a value has no comma.
    code, text = refusal(world.pool, SupportedLoginProviders={APPLE: "com.example.web,com.example.app"})
    assert (code, "supportedLoginProviders" in text) == ("Validation", True)


# -- OpenID providers ------------------------------------------------------------------------------------------------


def test_an_openid_provider_is_trusted_for_each_of_its_clients_and_by_either_end_of_its_name(
    world: World, pool: str
) -> None:
    name = world.name(REALM)
    first = world.get_id(pool, {name: world.token(REALM, "ada")})

    assert world.get_id(pool, {name: world.token(REALM, "ada", aud=SECOND)}) == first
    assert world.get_id(pool, {f"{name}/": world.token(REALM, "ada", iss=f"{world.realm.issuer}/")}) == first
    assert world.refused(pool, REALM, world.token(REALM, "ada", iss=f"{world.realm.issuer}//")) == OTHER_ISSUER
    assert world.refused(pool, REALM, world.token(GOOGLE, "ada")) == OTHER_ISSUER
    twice = {key: world.token(REALM, "ada") for key in (name, f"{name}/")}
    assert refusal(world.public.get_id, IdentityPoolId=pool, Logins=twice) == (
        "InvalidParameter",
        "A provider is named twice.",
    )


def test_google_as_an_openid_provider_takes_the_clients_of_both(world: World) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/accounts.google.com"
    alone = world.pool(SupportedLoginProviders={}, OpenIdConnectProviderARNs=[arn])
    both = world.pool(GOOGLE, OpenIdConnectProviderARNs=[arn])
    web, mobile = world.token(GOOGLE, "ada"), world.token(GOOGLE, "ada", aud="mobile-app")

    assert world.get_id(alone, {GOOGLE: mobile})
    assert world.refused(alone, GOOGLE, web) == UNSUPPORTED
    assert world.get_id(both, {GOOGLE: mobile}) == world.get_id(both, {GOOGLE: web})
    assert world.refused(world.pool(GOOGLE), GOOGLE, mobile) == UNSUPPORTED


def test_an_arn_of_a_provider_that_the_installation_does_not_trust_is_refused_and_changes_nothing(
    world: World,
) -> None:
    name, pool = world.name(REALM), world.pool(REALM)
    whole = world.identity.describe_identity_pool(IdentityPoolId=pool)
    whole.pop("ResponseMetadata")
    user_pool = world.idp.create_user_pool(PoolName="test")["UserPool"]["Id"]
    world.idp.create_identity_provider(UserPoolId=user_pool, **providers.request("OIDC"))
    wrong = (
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/issuer.example",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/corp.example",  # a user pool's identity provider
        f"arn:aws:iam::111111111111:oidc-provider/{name}",
        f"arn:aws:iam::{ACCOUNT}:saml-provider/{name}",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}/more",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/{world.live.base_url.partition('://')[2]}/{user_pool}",
        name,
    )

    for arn in wrong:
        given = {**whole, "OpenIdConnectProviderARNs": [world.arn(REALM), arn]}
        assert refusal(world.identity.update_identity_pool, **given) == NO_OPENID_PROVIDER, arn
        assert refusal(world.pool, OpenIdConnectProviderARNs=[arn]) == NO_OPENID_PROVIDER, arn
    twice = {**whole, "OpenIdConnectProviderARNs": [world.arn(REALM), f"{world.arn(REALM)}/"]}
    assert refusal(world.identity.update_identity_pool, **twice)[0] == "InvalidParameter"
    told = world.identity.describe_identity_pool(IdentityPoolId=pool)
    assert {name: told[name] for name in whole} == whole


def test_what_a_pool_is_set_to_comes_back_until_it_is_left_out(world: World) -> None:
    pool, logins = world.pool(), world.logins(realm="ada")
    told = world.identity.describe_identity_pool(IdentityPoolId=pool)
    told.pop("ResponseMetadata")
    assert told["OpenIdConnectProviderARNs"] == [world.arn(REALM)]
    assert told["SupportedLoginProviders"] == {name: APPLICATIONS[name] for name in (GOOGLE, APPLE, FACEBOOK, AMAZON)}

    again = world.identity.update_identity_pool(**told)
    again.pop("ResponseMetadata")
    assert again == told
    identity = world.get_id(pool, logins)

    del told["OpenIdConnectProviderARNs"]
    assert "OpenIdConnectProviderARNs" not in world.identity.update_identity_pool(**told)
    assert refusal(world.public.get_id, IdentityPoolId=pool, Logins=logins) == UNSUPPORTED
    asked = {"IdentityId": identity, "Logins": logins}
    assert refusal(world.public.get_credentials_for_identity, **asked) == UNSUPPORTED


@pytest.mark.parametrize("value", [";", ";;"])
def test_a_provider_of_the_public_needs_an_application(world: World, value: str) -> None:
    assert refusal(world.pool, SupportedLoginProviders={GOOGLE: value})[0] == "InvalidParameter"


def test_a_provider_that_is_away_is_a_clear_error_at_once(world: World) -> None:
    pool = world.pool(AWAY, REALM)
    began = clock.monotonic()

    assert world.refused(pool, AWAY, world.token(AWAY, "ada")) == UNAVAILABLE
    assert clock.monotonic() - began < 5
    assert world.get_id(pool, world.logins(realm="ada"))


# -- several logins --------------------------------------------------------------------------------------------------


def test_logins_of_two_providers_are_linked_and_unlinked(world: World) -> None:
    pool, google, realm = world.pool(), world.logins(google="ada"), world.logins(realm="ada@realm")
    both = world.get_id(pool, {**google, **realm})

    assert world.get_id(pool, google) == world.get_id(pool, realm) == both
    assert set(world.identity.describe_identity(IdentityId=both)["Logins"]) == {GOOGLE, world.name(REALM)}
    claims = world.given(both, {**google, **realm})
    assert claims["amr"][0] == "authenticated"
    assert set(claims["amr"][1:]) == {
        GOOGLE,
        f"{GOOGLE}:{APPLICATIONS[GOOGLE]}:ada",
        world.name(REALM),
        f"{world.name(REALM)}:{CLIENT}:ada@realm",
    }
    second = {**world.logins(google="bea"), **realm}
    assert refusal(world.public.get_id, IdentityPoolId=pool, Logins=second)[0] == "ResourceConflict"

    forged = {world.name(REALM): world.forged(REALM, {"alg": "RS256", "kid": "realm"}, stranger(), sub="ada@realm")}
    asked = {"IdentityId": both, "LoginsToRemove": [GOOGLE]}
    assert refusal(world.public.unlink_identity, Logins=forged, **asked) == NOT_SIGNED
    assert refusal(world.public.unlink_identity, Logins=world.logins(realm="eve"), **asked) == NO_MATCH
    assert world.get_id(pool, google) == both
    world.public.unlink_identity(Logins=realm, **asked)

    assert world.get_id(pool, google) != both
    assert world.identity.describe_identity(IdentityId=both)["Logins"] == [world.name(REALM)]
    world.public.unlink_identity(IdentityId=both, Logins=realm, LoginsToRemove=[f"{world.name(REALM)}/"])
    assert world.identity.describe_identity(IdentityId=both)["Logins"] == []


def test_identities_of_two_providers_become_one_and_a_guest_turns_into_a_member(world: World) -> None:
    pool, facebook, amazon = world.pool(), world.logins(facebook="ada"), world.logins(amazon="ada")
    guest = world.public.get_id(IdentityPoolId=pool, AccountId=ACCOUNT)["IdentityId"]

    assert world.given(guest, facebook)["sub"] == guest
    other = world.get_id(pool, amazon)
    assert world.get_id(pool, {**amazon, **facebook}) == guest
    assert world.get_id(pool, amazon) == guest
    forbidden = ("NotAuthorized", f"Access to Identity '{other}' is forbidden.")
    assert refusal(world.public.get_open_id_token, IdentityId=other, Logins=amazon) == forbidden
    assert refusal(world.public.get_open_id_token, IdentityId=guest) == (
        "NotAuthorized",
        f"Access to Identity '{guest}' is forbidden.",
    )


def test_one_login_that_is_wrong_refuses_all_of_them(world: World) -> None:
    pool = world.pool()
    logins = {**world.logins(google="ada"), FACEBOOK: world.token(FACEBOOK, "ada", aud="another")}

    assert refusal(world.public.get_id, IdentityPoolId=pool, Logins=logins) == UNSUPPORTED
    assert world.identity.list_identities(IdentityPoolId=pool, MaxResults=60)["Identities"] == []


def test_developers_bring_logins_of_other_providers_with_their_own(world: World) -> None:
    pool, google = world.pool(DeveloperProviderName="ours"), world.logins(google="ada")
    given = world.identity.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool, Logins={"ours": "user-1", **google}
    )

    assert world.get_id(pool, google) == given["IdentityId"]
    forged = {"ours": "user-2", GOOGLE: world.forged(GOOGLE, {"alg": "RS256", "kid": "google"}, stranger())}
    asked = {"IdentityPoolId": pool, "Logins": forged}
    assert refusal(world.identity.get_open_id_token_for_developer_identity, **asked) == NOT_SIGNED
    names = (GOOGLE, world.name(REALM))
    for name in names:
        assert refusal(world.pool, DeveloperProviderName=name)[0] in {"InvalidParameter", "Validation"}


@pytest.mark.parametrize("provider", APPLICATIONS)
def test_another_pools_identity_is_nobodys_here(world: World, provider: str) -> None:
    mine, theirs = world.pool(), world.pool()
    ann, bob = ({world.name(provider): world.token(provider, who)} for who in ("ann", "bob"))
    anns, bobs = world.get_id(mine, ann), world.get_id(theirs, bob)

    assert world.get_id(theirs, ann) != anns
    for call in (world.public.get_credentials_for_identity, world.public.get_open_id_token):
        assert refusal(call, IdentityId=bobs, Logins=ann) == NO_MATCH
        assert refusal(call, IdentityId=bobs)[1] == f"Access to Identity '{bobs}' is forbidden."
    asked = {"IdentityId": bobs, "Logins": ann, "LoginsToRemove": [world.name(provider)]}
    assert refusal(world.public.unlink_identity, **asked) == NO_MATCH
    assert world.get_id(theirs, bob) == bobs


# -- roles and tags --------------------------------------------------------------------------------------------------


def by_rules(*rules: tuple[str, str, str]) -> dict[str, Any]:
    """Return a mapping by rules that gives the administrators' role."""
    listed = [{"Claim": name, "MatchType": how, "Value": value, "RoleARN": ADMIN_ROLE} for name, how, value in rules]
    return {"Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole", "RulesConfiguration": {"Rules": listed}}


@pytest.mark.parametrize("by_arn", [True, False])
def test_a_rule_on_a_claim_of_an_openid_provider_chooses_the_role(world: World, by_arn: bool) -> None:
    pool = world.pool()
    key = world.arn(REALM) if by_arn else world.name(REALM)
    mapping = by_rules(("groups", "Contains", "admins"), ("email", "Equals", "ada@id.example"))
    world.identity.set_identity_pool_roles(
        IdentityPoolId=pool, Roles={"authenticated": ROLE}, RoleMappings={key: mapping}
    )

    def role(**claims: Any) -> str:
        return world.role(pool, {world.name(REALM): world.token(REALM, "ada", **claims)})

    assert role(groups=["staff", "admins"]) == ADMIN_ROLE
    assert role(groups=["staff"]) == ROLE
    assert role(email="ada@id.example", email_verified=True) == ADMIN_ROLE
    assert role(email="ada@id.example") == ROLE
    assert world.role(pool, {GOOGLE: world.token(GOOGLE, "ada", groups=["admins"])}) == ROLE
    assert world.identity.get_identity_pool_roles(IdentityPoolId=pool)["RoleMappings"] == {key: mapping}


@pytest.mark.parametrize(
    ("provider", "claim", "value"),
    [
        (GOOGLE, "sub", "ada"),
        (APPLE, "aud", APPLICATIONS[APPLE]),
        (FACEBOOK, "sub", "ada"),
        (AMAZON, "user_id", "ada"),
        (AMAZON, "iss", "https://www.amazon.com"),
    ],
)
def test_a_rule_on_a_claim_of_each_provider_of_the_public_chooses_the_role(
    world: World, provider: str, claim: str, value: str
) -> None:
    pool = world.pool()
    mappings = {provider: by_rules((claim, "Equals", value))}
    world.identity.set_identity_pool_roles(IdentityPoolId=pool, Roles={"authenticated": ROLE}, RoleMappings=mappings)

    assert world.role(pool, {provider: world.token(provider, "ada")}) == ADMIN_ROLE
    if claim == "sub":
        assert world.role(pool, {provider: world.token(provider, "bea")}) == ROLE


def test_a_role_mapping_or_a_tag_map_names_a_provider_of_the_pool(world: World) -> None:
    pool = world.pool(GOOGLE)
    for key in (
        world.arn(REALM),
        world.name(REALM),
        world.arn(AWAY),
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/issuer.example",
        "issuer.example",
        FACEBOOK,
        f"{GOOGLE}:{APPLICATIONS[GOOGLE]}",
    ):
        mappings = {key: by_rules(("sub", "Equals", "x"))}
        roles = {"IdentityPoolId": pool, "Roles": {"authenticated": ROLE}, "RoleMappings": mappings}
        assert refusal(world.identity.set_identity_pool_roles, **roles) == (
            "InvalidParameter",
            f"({key}) is not a valid RoleMapping ProviderName or is not a configured provider.",
        )
        tags = {"IdentityPoolId": pool, "IdentityProviderName": key, "UseDefaults": True}
        assert refusal(world.identity.set_principal_tag_attribute_map, **tags)[0] == "InvalidParameter"


def test_only_user_pools_choose_roles_by_token_and_a_provider_has_one_mapping(world: World) -> None:
    pool = world.pool()
    token = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    for key in (GOOGLE, FACEBOOK, world.arn(REALM), world.name(REALM)):
        asked = {"IdentityPoolId": pool, "Roles": {"authenticated": ROLE}, "RoleMappings": {key: token}}
        assert refusal(world.identity.set_identity_pool_roles, **asked)[0] == "InvalidParameter"
    twice = dict.fromkeys((world.arn(REALM), world.name(REALM)), by_rules(("sub", "Equals", "x")))
    asked = {"IdentityPoolId": pool, "Roles": {"authenticated": ROLE}, "RoleMappings": twice}
    assert refusal(world.identity.set_identity_pool_roles, **asked)[0] == "InvalidParameter"


@pytest.mark.parametrize("provider", APPLICATIONS)
def test_claims_become_tags_by_default_application_and_person(world: World, provider: str) -> None:
    pool, name = world.pool(), world.arn(REALM) if provider == REALM else provider
    asked = {"IdentityPoolId": pool, "IdentityProviderName": name}
    told = world.identity.set_principal_tag_attribute_map(**asked, UseDefaults=True)
    person = "user_id" if provider == AMAZON else "sub"
    assert told["PrincipalTags"] == {"client": "aud", "username": person}
    assert world.identity.get_principal_tag_attribute_map(**asked)["PrincipalTags"] == told["PrincipalTags"]
    logins = {world.name(provider): world.token(provider, "ada")}

    claims = world.given(world.get_id(pool, logins), logins)
    assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {
        "client": [APPLICATIONS[provider]],
        "username": ["ada"],
    }


def test_claims_of_an_openid_provider_become_tags_of_ones_own(world: World) -> None:
    pool = world.pool()
    asked = {"IdentityPoolId": pool, "IdentityProviderName": world.name(REALM)}
    world.identity.set_principal_tag_attribute_map(**asked, PrincipalTags={"team": "team", "mail": "email"})
    logins = {world.name(REALM): world.token(REALM, "ada", team="red", email="ada@id.example", aud=[CLIENT])}

    claims = world.given(world.get_id(pool, logins), logins)
    assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {"team": ["red"]}
