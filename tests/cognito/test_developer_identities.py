"""Developer identities by boto3: an operator says who somebody is, and that person gets credentials by the token."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest

from pools.models import AuditEvent
from pools.services.pools import signing_keys
from tests.cognito.conftest import refused
from tests.cognito.test_identity_pools import Place
from tests.live import Live

INVALID, NOT_FOUND, NOT_ALLOWED = "InvalidParameterException", "ResourceNotFoundException", "NotAuthorizedException"
CONFLICT, TAKEN = "ResourceConflictException", "DeveloperUserAlreadyRegisteredException"
NOBODY = "us-east-1:00000000-0000-4000-8000-000000000000"
NO_ROLE = "InvalidIdentityPoolConfigurationException"
"""Pools here have no role: it is said to those only who may act as the identity."""
BROUGHT = "cognito-identity.amazonaws.com"
NAME = "login.corp"


@pytest.fixture(scope="module")
def place(live: Live) -> Place:
    """Return two user pools and identity pools with developers."""
    return Place(live)


@pytest.fixture
def pool(place: Place) -> str:
    """Return an identity pool with developers."""
    return place.pool(DeveloperProviderName=NAME, AllowClassicFlow=True)


def token(place: Place, pool: str, user: str, **more: Any) -> tuple[str, str]:
    """Return a user's identity and token."""
    logins = {NAME: user, **more.pop("Logins", {})}
    found = place.identity.get_open_id_token_for_developer_identity(IdentityPoolId=pool, Logins=logins, **more)
    return found["IdentityId"], found["Token"]


def users(place: Place, pool: str, **asked: Any) -> tuple[str, list[str]]:
    """Return an identity and what the developers call it."""
    found = place.identity.lookup_developer_identity(IdentityPoolId=pool, **asked)
    return found["IdentityId"], found["DeveloperUserIdentifierList"]


def assert_acts(place: Place, identity: str, brought: str) -> None:
    """Expect that a token makes its holder the identity."""
    with refused(NO_ROLE):
        place.public.get_credentials_for_identity(IdentityId=identity, Logins={BROUGHT: brought})


def assert_refused(place: Place, identity: str, brought: str, text: str | None = None) -> None:
    """Expect that a token is no login of the identity."""
    for call in (place.public.get_credentials_for_identity, place.public.get_open_id_token):
        with refused(NOT_ALLOWED, text):
            call(IdentityId=identity, Logins={BROUGHT: brought})


def test_a_user_has_one_identity_and_a_token_that_makes_its_holder_that_identity(place: Place, pool: str) -> None:
    before = int(time.time())
    identity, brought = token(place, pool, "anna", PrincipalTags={"team": "red"}, TokenDuration=86400)
    again, second = token(place, pool, "anna")
    claims, later = signing_keys.unverified_claims(brought), signing_keys.unverified_claims(second)

    assert again == identity
    assert token(place, pool, "bert")[0] != identity
    assert (claims["sub"], claims["aud"]) == (identity, pool)
    assert claims["amr"] == ["authenticated", NAME, f"{NAME}:{pool}:anna"]
    assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {"team": ["red"]}
    assert 0 <= claims["exp"] - before - 86400 <= 5
    assert 0 <= later["exp"] - before - 900 <= 5
    assert_acts(place, identity, brought)
    assert place.public.get_id(IdentityPoolId=pool, Logins={BROUGHT: brought})["IdentityId"] == identity
    handed = place.public.get_open_id_token(IdentityId=identity, Logins={BROUGHT: brought})["Token"]
    carried = signing_keys.unverified_claims(handed)
    assert (carried["amr"], carried["sub"]) == (claims["amr"], identity)
    assert carried["https://aws.amazon.com/tags"]["principal_tags"] == {"team": ["red"]}
    assert place.identity.describe_identity(IdentityId=identity)["Logins"] == [NAME]
    with refused(NOT_ALLOWED, f"Access to Identity '{identity}' is forbidden."):
        place.public.get_credentials_for_identity(IdentityId=identity)


def test_no_other_token_of_ours_counts_as_a_developers(place: Place, pool: str) -> None:
    identity, brought = token(place, pool, "anna")
    other, others = token(place, pool, "bert")
    other_pool = place.pool(DeveloperProviderName=NAME)
    elsewhere, of_elsewhere = token(place, other_pool, "anna")
    # What the classic flow hands out, which STS takes, is no proof here.
    handed = place.public.get_open_id_token(IdentityId=identity, Logins={BROUGHT: brought})["Token"]
    unsupported = "Token is not from a supported provider of this identity pool."
    unsigned = "Invalid login token. Couldn't verify signed token."

    assert_refused(place, identity, handed, unsupported)
    assert_refused(place, identity, of_elsewhere, unsupported)
    assert_refused(place, identity, others)
    assert_refused(place, identity, place.tokens[0], unsigned)
    assert_refused(place, identity, brought[:-8] + "AAAAAAAA", unsigned)
    with refused(NOT_ALLOWED, unsupported):
        place.public.get_credentials_for_identity(IdentityId=elsewhere, Logins={BROUGHT: brought})
    with refused(NOT_ALLOWED, unsupported):
        # The developers' name is their own word: nobody else's says who somebody is.
        place.public.get_id(IdentityPoolId=pool, Logins={NAME: "anna"})
    assert_acts(place, other, others)


def test_a_token_lasts_a_day_at_most(place: Place, pool: str) -> None:
    for duration in (0, 86401):
        with refused("ValidationException"):
            token(place, pool, "anna", TokenDuration=duration)


def test_a_user_is_linked_to_the_identity_that_is_named_and_to_no_second(place: Place, pool: str) -> None:
    guest, member = place.get_id(pool), place.get_id(pool, 0)
    anna, _ = token(place, pool, "anna")

    assert token(place, pool, "gwen", IdentityId=guest)[0] == guest
    assert token(place, pool, "mary", IdentityId=member)[0] == member
    assert token(place, pool, "ann", IdentityId=anna)[0] == anna
    with refused(TAKEN):
        token(place, pool, "gwen", IdentityId=anna)
    with refused(CONFLICT):
        token(place, pool, "anna", IdentityId=anna, Logins=place.logins(0))
    with refused(NOT_FOUND, f"Identity '{member}' not found."):
        token(place, place.pool(DeveloperProviderName=NAME), "new", IdentityId=member)

    assert users(place, pool, IdentityId=anna) == (anna, ["anna", "ann"])
    assert users(place, pool, DeveloperUserIdentifier="gwen") == (guest, ["gwen"])
    assert place.identity.describe_identity(IdentityId=anna)["Logins"] == [NAME]
    with refused(NOT_ALLOWED):
        place.public.get_credentials_for_identity(IdentityId=guest)


def test_logins_that_are_brought_along_are_linked(place: Place, pool: str) -> None:
    identity, brought = token(place, pool, "anna", Logins=place.logins(0))

    assert place.get_id(pool, 0) == identity
    assert sorted(place.identity.describe_identity(IdentityId=identity)["Logins"]) == sorted([NAME, place.names[0]])
    assert_acts(place, identity, brought)
    with refused(NOT_ALLOWED):
        token(place, pool, "bert", Logins={place.names[1]: "garbage"})
    with refused(NOT_FOUND, "Developer user 'bert' not found."):
        users(place, pool, DeveloperUserIdentifier="bert")


def test_a_look_up_goes_both_ways_and_in_pages(place: Place, pool: str) -> None:
    identity, _ = token(place, pool, "u0")
    for number in range(1, 5):
        token(place, pool, f"u{number}", IdentityId=identity)
    other, _ = token(place, pool, "other")

    pages = list(
        place.pages(
            "lookup_developer_identity",
            "DeveloperUserIdentifierList",
            IdentityPoolId=pool,
            DeveloperUserIdentifier="u3",
            MaxResults=2,
        )
    )

    assert pages == [["u0", "u1"], ["u2", "u3"], ["u4"]]
    assert users(place, pool, IdentityId=identity, DeveloperUserIdentifier="u3") == (identity, ["u3"])
    with refused(CONFLICT):
        users(place, pool, IdentityId=other, DeveloperUserIdentifier="u3")
    with refused(INVALID):
        users(place, pool)
    with refused(NOT_FOUND, "Developer user 'nobody' not found."):
        users(place, pool, DeveloperUserIdentifier="nobody")


def merge(place: Place, pool: str, source: str, destination: str, name: str = NAME) -> str:
    """Merge two users."""
    found: str = place.identity.merge_developer_identities(
        IdentityPoolId=pool,
        SourceUserIdentifier=source,
        DestinationUserIdentifier=destination,
        DeveloperProviderName=name,
    )["IdentityId"]
    return found


def test_the_source_is_merged_into_the_destination_and_its_tokens_end(place: Place, pool: str) -> None:
    stays, own = token(place, pool, "destination")
    gone, old = token(place, pool, "source", Logins=place.logins(0))

    assert merge(place, pool, "source", "destination") == stays
    assert merge(place, pool, "source", "destination") == stays

    assert users(place, pool, DeveloperUserIdentifier="source") == (stays, ["destination", "source"])
    assert place.get_id(pool, 0) == stays
    assert_refused(place, gone, old, "Invalid login token. Token is no longer valid.")
    assert_refused(place, stays, old, "Invalid login token. Token is no longer valid.")
    assert_acts(place, stays, own)
    with place.live.orm():
        assert AuditEvent.objects.get(tag="identity_merged", subject=gone).detail == {"into": stays}


def test_users_of_two_people_are_not_merged(place: Place, pool: str) -> None:
    more = place.one.tokens(place.one.person())["IdToken"]
    one, _ = token(place, pool, "one", Logins=place.logins(0))
    two, _ = token(place, pool, "two", Logins={place.names[0]: more})

    with refused(CONFLICT):
        merge(place, pool, "two", "one")
    with refused(NOT_FOUND, "Developer user 'nobody' not found."):
        merge(place, pool, "nobody", "one")
    with refused(NOT_FOUND, "Developer user 'nobody' not found."):
        merge(place, pool, "one", "nobody")
    with refused(INVALID, "other is not the developer provider of this identity pool."):
        merge(place, pool, "two", "one", "other")

    assert users(place, pool, DeveloperUserIdentifier="one")[0] == one
    assert users(place, pool, DeveloperUserIdentifier="two")[0] == two


def test_an_identity_has_twenty_logins(place: Place, pool: str) -> None:
    identity, _ = token(place, pool, "u0")
    for number in range(1, 20):
        token(place, pool, f"u{number}", IdentityId=identity)

    with refused(CONFLICT, "An identity has at most 20 logins."):
        token(place, pool, "u20", IdentityId=identity)
    token(place, pool, "another")
    with refused(CONFLICT, "An identity has at most 20 logins."):
        merge(place, pool, "another", "u0")


def test_a_user_that_is_unlinked_is_nobody_and_the_tokens_end_for_good(place: Place, pool: str) -> None:
    identity, brought = token(place, pool, "anna", Logins=place.logins(0))
    asked = {"IdentityPoolId": pool, "IdentityId": identity, "DeveloperProviderName": NAME}
    no_longer = "Invalid login token. Token is no longer valid."

    for wrong, code in (
        ({"DeveloperUserIdentifier": "bert"}, NOT_FOUND),
        ({"IdentityId": NOBODY}, NOT_FOUND),
        ({"IdentityId": place.get_id(pool)}, NOT_FOUND),
        ({"DeveloperProviderName": "other"}, INVALID),
    ):
        with refused(code):
            place.identity.unlink_developer_identity(**{**asked, "DeveloperUserIdentifier": "anna", **wrong})
    assert_acts(place, identity, brought)

    place.identity.unlink_developer_identity(**asked, DeveloperUserIdentifier="anna")

    assert_refused(place, identity, brought, no_longer)
    assert place.identity.describe_identity(IdentityId=identity)["Logins"] == [place.names[0]]
    assert token(place, pool, "anna")[0] != identity
    assert_refused(place, identity, brought, no_longer)


def test_the_developers_name_is_set_once_and_is_no_other_providers(place: Place) -> None:
    pool = place.pool()
    whole = {"IdentityPoolId": pool, "IdentityPoolName": "test", "AllowUnauthenticatedIdentities": True}
    with refused(INVALID, "Logins need one user of the developer provider of this identity pool."):
        token(place, pool, "anna")

    for _ in range(2):
        assert place.identity.update_identity_pool(**whole, DeveloperProviderName=NAME)["DeveloperProviderName"] == NAME
    assert place.identity.update_identity_pool(**whole)["DeveloperProviderName"] == NAME
    with refused(INVALID, "DeveloperProviderName cannot be changed once it is set."):
        place.identity.update_identity_pool(**whole, DeveloperProviderName="other")
    with refused(INVALID, f"{BROUGHT} is the name of another provider."):
        place.pool(DeveloperProviderName=BROUGHT)

    assert token(place, pool, "anna")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Logins": {NAME: ""}}, "ValidationException"),
        ({"Logins": {NAME: "x" * 1025}}, INVALID),
        ({"Logins": {NAME: "é" * 1024, BROUGHT: "x"}}, INVALID),
        ({"PrincipalTags": {"team": "*"}}, INVALID),
        ({"PrincipalTags": {"team*": "red"}}, INVALID),
        ({"PrincipalTags": {"team": "red", "TEAM": "blue"}}, INVALID),
        ({"PrincipalTags": {f"tag{number}": "x" * 256 for number in range(50)}}, INVALID),
    ],
)
def test_what_no_token_can_say_is_refused(more: dict[str, Any], code: str, place: Place, pool: str) -> None:
    with refused(code):
        token(place, pool, "anna", **more)
    with refused(NOT_FOUND):
        users(place, pool, DeveloperUserIdentifier="anna")


def test_a_user_with_the_longest_name_comes_back(place: Place, pool: str) -> None:
    name = (secrets.token_hex(2) + "é") * 205
    identity, brought = token(place, pool, name[:1024], PrincipalTags={"team": "x" * 256})

    assert_acts(place, identity, brought)
