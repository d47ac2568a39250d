"""Identity pools and identities by boto3, as an administrator keeps them; what they give is asked in federation."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from pools.models import AuditEvent, Identity, IdentityLogin, IdentityPool, PrincipalTagMap
from pools.services import housekeeping
from tests.cognito.conftest import World, refused
from tests.live import Live

ROLE = "arn:aws:iam:::role/Member"
NOBODY = "us-east-1:00000000-0000-4000-8000-000000000000"
INVALID, NOT_FOUND, NOT_ALLOWED = "InvalidParameterException", "ResourceNotFoundException", "NotAuthorizedException"
NO_MATCH = "Logins don't match. Please include at least one valid login for this identity or identity pool."


class Place:
    """Two user pools whose people get identities."""

    def __init__(self, live: Live) -> None:
        """Make them."""
        self.live = live
        self.one, self.two = World(live), World(live)
        self.identity = live.boto("cognito-identity", parameter_validation=False)
        self.public = live.boto("cognito-identity", signed=False, parameter_validation=False)
        self.names = [f"cognito-idp.us-east-1.amazonaws.com/{each.pool_id}" for each in (self.one, self.two)]
        self.lines = [
            {"ProviderName": name, "ClientId": each.client_id, "ServerSideTokenCheck": True}
            for name, each in zip(self.names, (self.one, self.two), strict=True)
        ]
        self.tokens = [each.tokens(each.person())["IdToken"] for each in (self.one, self.two)]

    def pool(self, **given: Any) -> str:
        """Make an identity pool."""
        settings = {"AllowUnauthenticatedIdentities": True, "CognitoIdentityProviders": self.lines, **given}
        made = self.identity.create_identity_pool(**{"IdentityPoolName": "test", **settings})
        return str(made["IdentityPoolId"])

    def logins(self, *which: int) -> dict[str, str]:
        """Return logins of our persons."""
        return {self.names[each]: self.tokens[each] for each in which}

    def get_id(self, pool: str, *which: int) -> str:
        """Return the identity of logins, or a guest's."""
        return str(self.public.get_id(IdentityPoolId=pool, Logins=self.logins(*which))["IdentityId"])

    def pages(self, operation: str, member: str, **asked: Any) -> Iterator[list[Any]]:
        """Walk a list."""
        token: dict[str, str] = {}
        while True:
            page = getattr(self.identity, operation)(**asked, **token)
            yield page[member]
            if "NextToken" not in page:
                return
            token = {"NextToken": page["NextToken"]}


@pytest.fixture(scope="module")
def place(live: Live) -> Place:
    """Return the place."""
    return Place(live)


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without what the transport says."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_an_update_replaces_the_pool_and_tags_stay(place: Place) -> None:
    pool = place.pool(AllowClassicFlow=True, IdentityPoolTags={"team": "red"})
    whole = {"IdentityPoolId": pool, "IdentityPoolName": "renamed", "AllowUnauthenticatedIdentities": False}

    changed = told(place.identity.update_identity_pool(**whole, CognitoIdentityProviders=place.lines[:1]))

    assert changed == {**whole, "CognitoIdentityProviders": place.lines[:1], "IdentityPoolTags": {"team": "red"}}
    assert told(place.identity.describe_identity_pool(IdentityPoolId=pool)) == changed
    with refused(NOT_ALLOWED, "Token is not from a supported provider of this identity pool."):
        place.get_id(pool, 1)
    bare = told(place.identity.update_identity_pool(**whole, IdentityPoolTags={}))
    assert bare == {**whole, "IdentityPoolTags": {}}
    with place.live.orm():
        details = AuditEvent.objects.filter(tag="identity_pool_changed", subject=pool).order_by("id")
        assert [row.detail["changed"] for row in details] == [
            [
                "allow_classic_flow",
                "allow_unauthenticated_identities",
                "cognito_identity_providers",
                "identity_pool_name",
            ],
            ["cognito_identity_providers", "identity_pool_tags"],
        ]


def test_an_update_that_is_refused_changes_nothing(place: Place) -> None:
    pool = place.pool()
    before = told(place.identity.describe_identity_pool(IdentityPoolId=pool))
    whole = {"IdentityPoolId": pool, "IdentityPoolName": "renamed", "AllowUnauthenticatedIdentities": False}
    gone = {**place.lines[0], "ClientId": "nosuchclient"}

    with refused(INVALID, "Invalid Cognito Identity Provider"):
        place.identity.update_identity_pool(**whole, CognitoIdentityProviders=[gone])
    with refused(INVALID):
        place.identity.update_identity_pool(**whole, IdentityPoolTags={f"key{number}": "" for number in range(51)})
    with refused(NOT_FOUND, f"IdentityPool '{NOBODY}' not found."):
        place.identity.update_identity_pool(**{**whole, "IdentityPoolId": NOBODY})

    assert told(place.identity.describe_identity_pool(IdentityPoolId=pool)) == before


def test_pools_are_listed_in_pages_and_a_deleted_one_is_not(place: Place) -> None:
    made = [place.pool(IdentityPoolName=f"page {secrets.token_hex(4)}") for _ in range(3)]
    place.identity.delete_identity_pool(IdentityPoolId=made[1])

    listed = [line for page in place.pages("list_identity_pools", "IdentityPools", MaxResults=2) for line in page]

    ids = [line["IdentityPoolId"] for line in listed]
    assert len(ids) == len(set(ids))
    assert [each for each in ids if each in made] == [made[0], made[2]]
    assert all(line.keys() == {"IdentityPoolId", "IdentityPoolName"} for line in listed)
    with refused(INVALID, "Invalid pagination token given."):
        place.identity.list_identity_pools(MaxResults=2, NextToken="nonsense")


def test_a_deleted_pool_gives_nothing_at_once_and_its_rows_go(place: Place) -> None:
    pool, other = place.pool(AllowClassicFlow=True), place.pool()
    member, guest, stays = place.get_id(pool, 0), place.get_id(pool), place.get_id(other, 0)
    place.identity.set_principal_tag_attribute_map(
        IdentityPoolId=pool, IdentityProviderName=place.names[0], UseDefaults=True
    )

    assert place.identity.delete_identity_pool(IdentityPoolId=pool)

    for call, named in (
        (place.public.get_credentials_for_identity, {"IdentityId": member, "Logins": place.logins(0)}),
        (place.public.get_open_id_token, {"IdentityId": guest}),
        (place.identity.describe_identity, {"IdentityId": guest}),
        (place.public.get_id, {"IdentityPoolId": pool}),
        (place.identity.delete_identity_pool, {"IdentityPoolId": pool}),
    ):
        with refused(NOT_FOUND):
            call(**named)
    with place.live.orm():
        assert AuditEvent.objects.get(tag="identity_pool_deleted", subject=pool).detail == {"name": "test"}
        rows = IdentityPool.objects.filter(public_id=pool)
        (key,) = rows.values_list("pk", flat=True)
        rows.update(deleted_at="2026-01-01T00:00:00Z")
        housekeeping.purge_pools()
        assert not rows.exists()
        for table in (Identity, IdentityLogin, PrincipalTagMap):
            assert not table.objects.filter(pool_id=key).exists()
    assert place.get_id(other, 0) == stays


def test_identities_are_described_and_listed_in_pages(place: Place) -> None:
    pool = place.pool()
    two, merged = place.get_id(pool, 0), place.get_id(pool, 1)
    assert place.get_id(pool, 0, 1) == two
    guests = [place.get_id(pool) for _ in range(3)]

    found = told(place.identity.describe_identity(IdentityId=two))
    pages = list(place.pages("list_identities", "Identities", IdentityPoolId=pool, MaxResults=2))
    lines = [line for page in pages for line in page]
    enabled = list(place.pages("list_identities", "Identities", IdentityPoolId=pool, MaxResults=60, HideDisabled=True))

    assert found.keys() == {"IdentityId", "Logins", "CreationDate", "LastModifiedDate"}
    assert sorted(found["Logins"]) == sorted(place.names)
    assert found["CreationDate"] <= found["LastModifiedDate"]
    assert [line["IdentityId"] for line in lines] == [two, merged, *guests]
    assert lines[0] == found
    assert [line["Logins"] for line in lines[1:]] == [[]] * 4
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [[line["IdentityId"] for line in page] for page in enabled] == [[two, *guests]]
    with refused(NOT_FOUND, f"Identity '{NOBODY}' not found."):
        place.identity.describe_identity(IdentityId=NOBODY)
    foreign = place.identity.list_identities(IdentityPoolId=pool, MaxResults=1)["NextToken"]
    with refused(INVALID, "Invalid pagination token given."):
        place.identity.list_identities(IdentityPoolId=place.pool(), MaxResults=1, NextToken=foreign)


def test_identities_are_deleted_and_their_logins_mean_new_ones(place: Place) -> None:
    pool, other = place.pool(), place.pool()
    gone, guest, stays = place.get_id(pool, 0), place.get_id(pool), place.get_id(other, 0)

    answer = place.identity.delete_identities(IdentityIdsToDelete=[gone, guest, NOBODY, gone])

    assert answer["UnprocessedIdentityIds"] == []
    for identity in (gone, guest):
        with refused(NOT_FOUND, f"Identity '{identity}' not found."):
            place.public.get_credentials_for_identity(IdentityId=identity, Logins=place.logins(0))
    assert place.get_id(pool, 0) not in (gone, stays)
    assert place.get_id(other, 0) == stays
    with place.live.orm():
        rows = AuditEvent.objects.filter(tag="identity_deleted", subject__in=[gone, guest])
        assert {(row.subject, row.actor_kind) for row in rows} == {(gone, "operator"), (guest, "operator")}
    with refused("ValidationException"):
        place.identity.delete_identities(IdentityIdsToDelete=[])


def test_who_is_refused_by_the_pools_roles_has_no_login_linked(place: Place) -> None:
    pool = place.pool()
    guest, other = place.get_id(pool), "arn:aws:iam::000000000000:role/other"
    asked = {"IdentityId": guest, "Logins": place.logins(0)}

    with refused("InvalidIdentityPoolConfigurationException"):
        place.public.get_credentials_for_identity(**asked)
    roles = {"authenticated": "arn:aws:iam::000000000000:role/member"}
    place.identity.set_identity_pool_roles(IdentityPoolId=pool, Roles=roles)
    with refused(NOT_ALLOWED, "The requested role is not available to this identity."):
        place.public.get_credentials_for_identity(**asked, CustomRoleArn=other)

    assert place.identity.describe_identity(IdentityId=guest)["Logins"] == []
    assert place.get_id(pool, 0) != guest


def test_a_login_is_taken_from_an_identity_by_whom_its_logins_speak_for(place: Place) -> None:
    pool = place.pool()
    both = place.get_id(pool, 0, 1)
    asked = {"IdentityId": both, "LoginsToRemove": [place.names[1]]}
    stranger = place.one.tokens(place.one.person())["IdToken"]

    for logins in ({place.names[0]: stranger}, {place.names[0]: stranger, place.names[1]: place.tokens[1]}):
        with refused(NOT_ALLOWED, NO_MATCH):
            place.public.unlink_identity(**asked, Logins=logins)
    with refused(NOT_ALLOWED):
        place.public.unlink_identity(**asked, Logins={})
    with refused(NOT_ALLOWED, "Invalid login token. Not a valid OpenId Connect identity token."):
        place.public.unlink_identity(**asked, Logins={place.names[0]: "garbage"})
    assert place.get_id(pool, 1) == both

    place.public.unlink_identity(**asked, Logins=place.logins(0))

    assert place.identity.describe_identity(IdentityId=both)["Logins"] == [place.names[0]]
    assert place.get_id(pool, 0) == both
    assert place.get_id(pool, 1) != both
    with place.live.orm():
        assert AuditEvent.objects.get(tag="identity_unlinked", subject=both).detail == {"provider": place.names[1]}


def test_an_identity_without_its_last_login_is_nobodys(place: Place) -> None:
    pool = place.pool()
    identity = place.get_id(pool, 0)

    place.public.unlink_identity(IdentityId=identity, Logins=place.logins(0), LoginsToRemove=[place.names[0]])

    with refused(NOT_ALLOWED, f"Access to Identity '{identity}' is forbidden."):
        place.public.get_credentials_for_identity(IdentityId=identity)
    with refused(NOT_ALLOWED, NO_MATCH):
        place.public.get_credentials_for_identity(IdentityId=identity, Logins=place.logins(0))
    assert place.identity.describe_identity(IdentityId=identity)["Logins"] == []


def test_tags_are_added_one_beside_the_other_and_taken_away(place: Place) -> None:
    pool = place.pool(IdentityPoolTags={"team": "red"})
    arn = f"arn:aws:cognito-identity:us-east-1:000000000000:identitypool/{pool}"

    place.identity.tag_resource(ResourceArn=arn, Tags={"team": "blue", "cost": ""})
    assert place.identity.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "blue", "cost": ""}
    place.identity.untag_resource(ResourceArn=arn, TagKeys=["team", "never"])
    # As Terraform names it, which has asked no STS for the account.
    assert place.identity.list_tags_for_resource(ResourceArn=arn.replace("000000000000", ""))["Tags"] == {"cost": ""}
    assert place.identity.describe_identity_pool(IdentityPoolId=pool)["IdentityPoolTags"] == {"cost": ""}

    with refused(INVALID):
        place.identity.tag_resource(ResourceArn=arn, Tags={f"key{number}": "" for number in range(50)})
    for wrong in (
        arn.replace(pool, NOBODY),
        arn.replace("us-east-1:0", "eu-west-9:0"),
        arn.replace("identitypool", "userpool"),
        f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{place.one.pool_id}",
    ):
        for call, more in (
            (place.identity.list_tags_for_resource, {}),
            (place.identity.tag_resource, {"Tags": {"team": "red"}}),
            (place.identity.untag_resource, {"TagKeys": ["cost"]}),
        ):
            with refused(NOT_FOUND):
                call(ResourceArn=wrong, **more)
    assert place.identity.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"cost": ""}
