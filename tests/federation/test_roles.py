"""Which role a caller gets, which tags, and what the STS is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from identity.foundation import clock, names
from identity.foundation.errors import (
    IdentityPoolNotFound,
    Invalid,
    Misuse,
    NotAuthorized,
    NotAvailable,
    RoleRefused,
)
from pools.models import AuditEvent, IdentityPool, PrincipalTagMap
from pools.services import access
from pools.services.identity_pools import identity_pools, session_policies
from tests.federation.conftest import BY, EAST, GUEST_ROLE, MEMBER_ROLE, Issuer, Provider

# Some of what Amazon's developer guide lists for guests of the enhanced flow ("IAM roles"), whole or in part.
AMAZONS = {
    *("appsync:*", "cloudwatch:*", "dynamodb:*", "execute-api:*", "lambda:*", "logs:*", "s3:*", "ses:*"),
    *("kms:Decrypt", "rum:PutRumEvents", "sagemaker:InvokeEndpoint", "textract:AnalyzeDocument"),
}
Providers = dict[str, Provider]
ADMIN_ROLE = "arn:aws:iam:::role/Admin"
OTHER_ROLE = "arn:aws:iam:::role/Other"


def vend(pool: IdentityPool, token: str = "", *, custom_role: str | None = None) -> str:
    """Ask for credentials as whoever the token says; return the identity."""
    logins = {EAST: token} if token else {}
    identity_id = identity_pools.get_id(access.identity_pool(pool.public_id), logins, by=BY)
    return identity_pools.credentials(identity_id, logins, custom_role=custom_role, by=BY).identity_id


def set_mapping(pool: IdentityPool, *rules: tuple[str, str, str, str], ambiguous: str = "Deny") -> None:
    """Choose roles by these rules (claim, kind of match, value, role)."""
    lines = [
        {"claim": claim, "match_type": kind, "value": value, "role_arn": role} for claim, kind, value, role in rules
    ]
    mapping = {
        "type": "Rules",
        "ambiguous_role_resolution": ambiguous,
        "rules_configuration": {"rules": lines},
    }
    roles = {"authenticated": MEMBER_ROLE, "unauthenticated": GUEST_ROLE}
    identity_pools.set_roles(pool, roles=roles, mappings={EAST: mapping}, by=BY)


def test_members_and_guests_get_the_roles_of_their_kind(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    vend(pool, providers[EAST].token("anna"))
    assert issuer.last["role_arn"] == MEMBER_ROLE
    vend(pool)
    assert issuer.last["role_arn"] == GUEST_ROLE


def test_the_sts_is_told_who_and_how(pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    member = vend(pool, providers[EAST].token("anna"))
    claims, now = issuer.last["claims"], clock.epoch()

    assert claims["iss"] == names.identity_issuer()
    assert (claims["sub"], claims["aud"]) == (member, pool.public_id)
    assert claims["amr"] == ["authenticated", EAST, f"{EAST}:anna"]
    assert now - 40 <= claims["iat"] <= now - 30
    assert now + 590 <= claims["exp"] <= now + 600
    assert not claims.keys() & {"azp", "client_id", "nbf", "https://aws.amazon.com/tags"}
    assert (issuer.last["session_name"], issuer.last["duration"]) == ("CognitoIdentityCredentials", 3600)
    vend(pool)
    assert issuer.last["claims"]["amr"] == ["unauthenticated"]


MATCHES = [
    ("Equals", "admin", "admin", True),
    ("Equals", "admin", "administrator", False),
    ("NotEqual", "admin", "user", True),
    ("NotEqual", "admin", "admin", False),
    ("NotEqual", "admin", None, False),
    ("StartsWith", "adm", "admin", True),
    ("StartsWith", "dmin", "admin", False),
    ("Contains", "dmi", "admin", True),
    ("Contains", "user", "admin", False),
    ("Contains", "admin", ["admin", "user"], True),
    ("Contains", "admin", ["superadmin"], False),
    ("Equals", "true", True, True),
    ("Equals", "5", 5, True),
    ("Equals", "admin", {"admin": "admin"}, False),
]


@pytest.mark.parametrize(("kind", "value", "claim", "matches"), MATCHES)
def test_a_rule_applies(
    kind: str, value: str, claim: object, matches: bool, pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    set_mapping(pool, ("kind", kind, value, ADMIN_ROLE), ambiguous="AuthenticatedRole")

    claims: dict[str, Any] = {} if claim is None else {"kind": claim}
    vend(pool, providers[EAST].token("anna", **claims))

    assert issuer.last["role_arn"] == (ADMIN_ROLE if matches else MEMBER_ROLE)


@pytest.mark.parametrize("address", ["email", "phone_number"])
@pytest.mark.parametrize(
    ("said", "counts"),
    [(True, True), ("true", True), (False, False), ("false", False), (None, False), (1, False), ("", False)],
)
def test_a_foreign_address_counts_where_its_issuer_says_that_it_was_verified(
    said: object, counts: bool, address: str, pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    set_mapping(
        pool,
        (address, "StartsWith", "x", ADMIN_ROLE),
        (f"{address}_verified", "Equals", "true", OTHER_ROLE),
        ambiguous="AuthenticatedRole",
    )
    identity_pools.set_tag_map(pool, EAST, use_defaults=False, tags={"from": address, "who": "sub"}, by=BY)
    claims: dict[str, Any] = {address: "x1", **({} if said is None else {f"{address}_verified": said})}

    vend(pool, providers[EAST].token("anna", **claims))

    tags = issuer.last["claims"]["https://aws.amazon.com/tags"]["principal_tags"]
    assert issuer.last["role_arn"] == (ADMIN_ROLE if counts else MEMBER_ROLE)
    assert tags == {"who": ["anna"], **({"from": ["x1"]} if counts else {})}


def test_the_first_rule_that_applies_wins_and_another_that_applies_may_be_asked_for(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    set_mapping(pool, ("kind", "Equals", "x", ADMIN_ROLE), ("kind", "StartsWith", "x", OTHER_ROLE))
    token = providers[EAST].token("anna", kind="x")

    vend(pool, token)
    assert issuer.last["role_arn"] == ADMIN_ROLE
    vend(pool, token, custom_role=OTHER_ROLE)
    assert issuer.last["role_arn"] == OTHER_ROLE
    with pytest.raises(NotAuthorized):
        vend(pool, token, custom_role=MEMBER_ROLE)


def test_without_a_rule_that_applies_the_pool_may_say_no(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    set_mapping(pool, ("kind", "Equals", "x", ADMIN_ROLE), ambiguous="Deny")

    with pytest.raises(NotAuthorized):
        vend(pool, providers[EAST].token("anna", kind="y"))
    assert not issuer.asked


def test_a_role_that_was_not_offered_is_refused(pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    token = providers[EAST].token("anna")

    vend(pool, token, custom_role=MEMBER_ROLE)
    with pytest.raises(NotAuthorized):
        vend(pool, token, custom_role=ADMIN_ROLE)
    with pytest.raises(Invalid):
        vend(pool, custom_role=GUEST_ROLE)


@pytest.mark.parametrize("value", ["red", "größe 5", "a/b:c=d+e-f@g_h.i"])
def test_claims_become_tags(value: str, pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    identity_pools.set_tag_map(pool, EAST, use_defaults=False, tags={"team": "team", "none": "absent"}, by=BY)

    vend(pool, providers[EAST].token("anna", team=value))

    assert issuer.last["claims"]["https://aws.amazon.com/tags"] == {
        "principal_tags": {"team": [value]},
        "transitive_tag_keys": [],
    }


def test_default_tags_are_client_and_username(pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    identity_pools.set_tag_map(pool, EAST, use_defaults=True, tags=None, by=BY)

    vend(pool, providers[EAST].token("anna"))

    tags = issuer.last["claims"]["https://aws.amazon.com/tags"]["principal_tags"]
    assert tags == {"client": ["the-app"], "username": ["anna"]}


@pytest.mark.parametrize("value", ["*", "bl*", "red?", "${aws:username}", "a\nb", "x" * 257, ["a", "b"], {"a": "b"}])
def test_what_could_be_a_pattern_is_never_a_tag(
    value: object, pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    identity_pools.set_tag_map(pool, EAST, use_defaults=False, tags={"team": "team"}, by=BY)

    with pytest.raises(RoleRefused):
        vend(pool, providers[EAST].token("anna", team=value))
    assert not issuer.asked


@pytest.mark.parametrize("tags", [{"Team": "a", "team": "b"}, {"aws:x": "a"}, {"te*m": "a"}, {"t" * 129: "a"}])
def test_tags_that_no_sts_takes_cannot_be_set(tags: dict[str, str], pool: IdentityPool) -> None:
    with pytest.raises(Invalid):
        identity_pools.set_tag_map(pool, EAST, use_defaults=False, tags=tags, by=BY)


TEMPLATE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/{identity_id}/{tag.team}/*"},
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::b",
                "Condition": {"StringLike": {"s3:prefix": "{identity_id}/*"}},
            },
        ],
    }
)


def test_a_session_policy_confines_a_member_to_the_own_name(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    identity_pools.set_tag_map(pool, EAST, use_defaults=False, tags={"team": "team"}, by=BY)
    identity_pools.set_session_policies(pool, member=TEMPLATE, by=BY)

    member = vend(pool, providers[EAST].token("anna", team="red"))

    policy = issuer.last["policy"]
    first, second = json.loads(policy)["Statement"]
    assert first["Resource"] == f"arn:aws:s3:::b/{member.replace(':', '?')}/red/*"
    assert second["Condition"]["StringLike"]["s3:prefix"] == f"{member}/*"
    assert ", " not in policy
    assert '": ' not in policy


def test_a_session_policy_is_never_rendered_without_the_tag_that_it_names(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    identity_pools.set_session_policies(pool, member=TEMPLATE, by=BY)

    with pytest.raises(RoleRefused):
        vend(pool, providers[EAST].token("anna"))
    assert not issuer.asked


@pytest.mark.parametrize("value", ['","Resource":"*', "}]}", "{identity_id}", "\\"])
def test_no_value_changes_the_form_of_a_policy(value: str) -> None:
    rendered = session_policies.render(TEMPLATE, identity_id="us-east-1:x", tags={"team": value})

    statement = json.loads(rendered)["Statement"][0]
    assert statement["Resource"] == f"arn:aws:s3:::b/us-east-1?x/{value}/*"
    assert statement.keys() == {"Effect", "Action", "Resource"}


@pytest.mark.parametrize("template", ["not json", "[]", "{}", '{"Statement":[{"Resource":"' + "x" * 2100 + '"}]}'])
def test_a_template_that_cannot_be_a_policy_is_refused(template: str, pool: IdentityPool) -> None:
    with pytest.raises(Invalid):
        identity_pools.set_session_policies(pool, member=template, by=BY)


@pytest.mark.parametrize(("scope", "services"), [("aws", AMAZONS), ("s3", {"s3:*"})])
def test_guests_are_scoped_down(
    scope: str, services: set[str], pool: IdentityPool, issuer: Issuer, settings: Settings
) -> None:
    settings.GUEST_SESSION_POLICY = scope
    vend(pool)
    allowed = set(json.loads(issuer.last["policy"])["Statement"][0]["Action"])
    assert services <= allowed
    assert not allowed & {"*", "iam:*", "sts:*", "ec2:*", "kms:*", "rum:*", "textract:*", "sagemaker:*"}
    assert len(issuer.last["policy"]) <= 2048  # STS takes no more

    settings.GUEST_SESSION_POLICY = "off"
    vend(pool)
    assert issuer.last["policy"] is None


def test_a_pool_without_roles_is_a_wrong_configuration(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    identity_pools.set_roles(pool, roles={}, mappings=None, by=BY)

    with pytest.raises(RoleRefused, match="Check assigned IAM roles for this pool"):
        vend(pool, providers[EAST].token("anna"))


def test_credentials_are_never_asked_for_inside_a_transaction(pool: IdentityPool, issuer: Issuer) -> None:
    guest = identity_pools.get_id(pool, {}, by=BY)

    with pytest.raises(Misuse), transaction.atomic():
        identity_pools.credentials(guest, {}, by=BY)
    assert not issuer.asked


@pytest.mark.parametrize(
    "settings",
    [
        {"supported_login_providers": {"api.twitter.com": "key;secret"}},
        {
            "cognito_identity_providers": [
                {"provider_name": "cognito-idp.eu-west-9.amazonaws.com/x_y", "client_id": "c"}
            ]
        },
    ],
)
def test_what_this_release_cannot_honour_is_said(settings: dict[str, Any], transactional_db: None) -> None:
    with pytest.raises(NotAvailable):
        identity_pools.create("pool", settings=settings, by=BY)
    assert not IdentityPool.objects.exists()


def test_a_pool_that_was_deleted_meanwhile_is_not_changed_and_no_row_says_so(pool: IdentityPool) -> None:
    before = AuditEvent.objects.count()
    IdentityPool.objects.update(deleted_at=clock.now())

    with pytest.raises(IdentityPoolNotFound):
        identity_pools.set_roles(pool, roles={"authenticated": OTHER_ROLE}, mappings=None, by=BY)
    with pytest.raises(IdentityPoolNotFound):
        identity_pools.set_session_policies(pool, by=BY)
    with pytest.raises(IdentityPoolNotFound):
        identity_pools.set_tag_map(pool, EAST, use_defaults=True, tags=None, by=BY)

    assert AuditEvent.objects.count() == before
    assert not PrincipalTagMap.objects.exists()


def test_roles_come_back_as_they_were_set_and_are_replaced_as_a_whole(pool: IdentityPool) -> None:
    set_mapping(pool, ("kind", "Equals", "x", ADMIN_ROLE))
    found = identity_pools.roles(access.identity_pool(pool.public_id))
    assert found["roles"] == {"authenticated": MEMBER_ROLE, "unauthenticated": GUEST_ROLE}
    assert found["role_mappings"][EAST]["rules_configuration"]["rules"][0]["role_arn"] == ADMIN_ROLE

    identity_pools.set_roles(pool, roles={"authenticated": OTHER_ROLE}, mappings=None, by=BY)
    assert identity_pools.roles(access.identity_pool(pool.public_id)) == {
        "roles": {"authenticated": OTHER_ROLE},
        "role_mappings": {},
    }
