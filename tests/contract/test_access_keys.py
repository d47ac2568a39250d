"""What an access key may do: its lists of actions and pools, asked of every signed operation of both services."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from identity.foundation import errors, names
from identity.foundation.actor import Actor
from pools.cognito import operations
from pools.cognito.contract import SERVICES, Operation
from pools.models import AuditEvent
from pools.services.operators import operators
from pools.services.operators.operators import KeyLimits
from tests.contract.conftest import Wire

assert operations  # which registers the handlers
SIGNED = [each for service in SERVICES.values() for each in service.operations.values() if not each.is_public]
PUBLIC = [each for service in SERVICES.values() for each in service.operations.values() if each.is_public]
BY = Actor.system()
DENIED = "AccessDeniedException"


def limited(wire: Wire, *actions: str, pools: list[str] | None = None) -> Wire:
    """Return a sender of the same operator whose key allows this alone."""
    return replace(wire, key=operators.create_key(operators.operator("ada"), limits=KeyLimits(actions, pools), by=BY))


def told(wire: Wire, operation: Operation | str, **members: Any) -> str:
    """Return the exception that an operation answers, empty for none."""
    name = operation if isinstance(operation, str) else operation.name
    if isinstance(operation, str):
        return str(json.loads(wire.raw(name, json.dumps(members).encode()).body or b"{}").get("__type", ""))
    from pools.cognito.gateway import gateway

    answer = gateway(wire.call(f"{operation.service.target}.{name}", json.dumps(members).encode()))
    return str(json.loads(answer.body or b"{}").get("__type", ""))


def test_a_key_that_allows_nothing_is_denied_every_signed_operation(wire: Wire) -> None:
    nothing = limited(wire)

    assert {each.name for each in SIGNED if told(nothing, each) != DENIED} == set()
    # What asks for no signature looks at none.
    assert {each.name for each in PUBLIC if told(nothing, each) == DENIED} == set()


def test_the_refusal_is_in_amazons_form(wire: Wire) -> None:
    pool = wire.ask("CreateUserPool", PoolName="p")["UserPool"]["Id"]
    nothing, who = limited(wire), "User: arn:aws:iam::000000000000:user/ada is not authorized to perform: cognito-idp"

    for operation, members, resource in (
        ("DescribeUserPool", {"UserPoolId": pool}, names.pool_arn(pool)),
        ("ListUserPools", {"MaxResults": 1}, "*"),
    ):
        reason = f"because no identity-based policy allows the cognito-idp:{operation} action"
        text = f"{who}:{operation} on resource: {resource} {reason}"
        assert nothing.refusal(operation, **members) == (DENIED, text)


@pytest.mark.parametrize(
    ("actions", "allowed"),
    [
        (["*"], {"DescribeUserPool", "ListUserPools", "DeleteUserPool"}),
        (["cognito-idp:*"], {"DescribeUserPool", "ListUserPools", "DeleteUserPool"}),
        (["cognito-idp:List*", "cognito-idp:DescribeUserPool"], {"DescribeUserPool", "ListUserPools"}),
        (["cognito-idp:Describe"], set()),
        (["COGNITO-IDP:describeuserpool", "cognito-idp:list?serPools"], {"DescribeUserPool", "ListUserPools"}),
        (["cognito-identity:*"], set()),
    ],
)
def test_actions_are_listed_as_iam_writes_them(wire: Wire, actions: list[str], allowed: set[str]) -> None:
    pool = wire.ask("CreateUserPool", PoolName="p")["UserPool"]["Id"]
    some = limited(wire, *actions)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("DescribeUserPool", {"UserPoolId": pool}),
        ("ListUserPools", {"MaxResults": 1}),
        ("DeleteUserPool", {"UserPoolId": pool}),
    ]

    assert {name for name, members in asked if told(some, name, **members) == ""} == allowed
    assert {name for name, members in asked if told(some, name, **members) == DENIED} == {n for n, _ in asked} - allowed


def test_a_key_of_one_pool_reaches_no_other_and_nothing_without_one(wire: Wire) -> None:
    own, other = (wire.ask("CreateUserPool", PoolName=name)["UserPool"]["Id"] for name in ("own", "other"))
    made = {"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": True}
    identities = wire.ask("CreateIdentityPool", **made)["IdentityPoolId"]
    some = limited(wire, "*", pools=[own, identities])

    assert told(some, "DescribeUserPool", UserPoolId=own) == ""
    assert told(some, "DescribeIdentityPool", IdentityPoolId=identities) == ""
    assert told(some, "DescribeUserPool", UserPoolId=other) == DENIED
    assert told(some, "ListUserPools", MaxResults=1) == DENIED
    assert told(some, "CreateUserPool", PoolName="more") == DENIED
    assert told(some, "DescribeUserPool", UserPoolId=own, IdentityPoolId=identities) == ""
    assert told(some, "DescribeUserPool", UserPoolId=other, IdentityPoolId=identities) == DENIED
    assert told(some, "DescribeIdentityPool", UserPoolId=own, IdentityPoolId=f"{identities[:-4]}0000") == DENIED


def test_members_that_an_operation_does_not_have_name_no_pool(wire: Wire) -> None:
    own = wire.ask("CreateUserPool", PoolName="own")["UserPool"]["Id"]
    made = {"IdentityPoolName": "p", "AllowUnauthenticatedIdentities": True}
    identities = wire.ask("CreateIdentityPool", **made)["IdentityPoolId"]
    some = limited(wire, "*", pools=[own, identities])
    named = {"UserPoolId": own, "IdentityPoolId": identities, "ResourceArn": names.pool_arn(own)}

    def foreign(operation: Operation) -> dict[str, str]:
        return {name: pool for name, pool in named.items() if name not in operation.members}

    assert {each.name for each in SIGNED if told(some, each, **foreign(each)) != DENIED} == set()


def test_limits_are_changed_from_the_next_call_on_and_leave_an_audit_row(wire: Wire) -> None:
    operators.limit_key(wire.key[0], KeyLimits(["cognito-idp:Get*"]), by=BY)
    assert told(wire, "ListUserPools", MaxResults=1) == DENIED

    operators.limit_key(wire.key[0], operators.EVERYTHING, by=BY)
    assert told(wire, "ListUserPools", MaxResults=1) == ""

    rows = AuditEvent.objects.filter(tag="access_key_limited").order_by("id")
    assert [row.detail["actions"] for row in rows] == [["cognito-idp:Get*"], None]


@pytest.mark.parametrize("action", ["", "List*", "s3:GetObject", "cognito-idp:", "cognito-idp:List Users"])
def test_what_is_no_action_is_refused(wire: Wire, action: str) -> None:
    with pytest.raises(errors.Invalid):
        operators.limit_key(wire.key[0], KeyLimits([action]), by=BY)


def test_a_limited_key_names_pools_that_are_there_and_opens_no_management_api(wire: Wire, client: Any) -> None:  # noqa: ANN401 - Django's
    with pytest.raises(errors.Invalid) as caught:
        operators.limit_key(wire.key[0], KeyLimits(pools=["us-east-1_nobody123"]), by=BY)
    assert (caught.value.field, caught.value.code) == ("pools", "no_pool")
    header = f"Bearer {'.'.join(wire.key)}"
    assert client.get("/api/v1/pools", headers={"Authorization": header}).status_code == 200

    operators.limit_key(wire.key[0], KeyLimits(["*"]), by=BY)

    assert client.get("/api/v1/pools", headers={"Authorization": header}).status_code == 401
