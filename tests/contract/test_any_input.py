"""Whatever an operation's own input shape allows, and what it does not: 200 or an exception that it declares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from django.conf import settings as settings_of_django
from hypothesis import given
from hypothesis import strategies as st

from pools.cognito import operations
from pools.cognito.contract import SERVICES, Operation
from pools.cognito.faults import COMMON
from tests.any_input import state
from tests.contract.conftest import PASSWORD, Place, make_identity_pool, make_place, sign_in
from tests.walks import walk

assert operations
HANDLED = [operation for service in SERVICES.values() for operation in service.operations.values() if operation.handler]
TEXT = st.text(max_size=40) | st.text("abc019-_@. {}#\"'=", max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def value(shape: Shape, known: dict[str, list[Any]], name: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy of values for a shape: mostly sensible, at times of another type."""
    return mostly(12, sensible(shape, known, name), JSON)


def mostly(times: int, likely: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the likely so many times as often as each other. ``one_of`` takes a strategy once, however often given."""
    return st.sampled_from([*[likely] * times, *others]).flatmap(lambda chosen: chosen)


def sensible(  # noqa: C901, PLR0911 - one case for each kind of shape
    shape: Shape, known: dict[str, list[Any]], name: str
) -> st.SearchStrategy[Any]:
    if name in known:
        return mostly(9, st.sampled_from(known[name]), TEXT)
    match shape:
        case StructureShape():
            if shape.is_document_type:
                return JSON
            members = {member: value(below, known, member) for member, below in shape.members.items()}
            required = {member: members[member] for member in shape.required_members}
            optional = {member: members[member] for member in members if member not in required}
            needed = {member: sensible(shape.members[member], known, member) for member in shape.required_members}
            return mostly(
                4,  # or else most are refused for their shape alone
                st.fixed_dictionaries(needed),
                st.fixed_dictionaries(required, optional=optional),
                st.fixed_dictionaries(required, optional=optional),
                st.fixed_dictionaries({}, optional=members),
            )
        case ListShape():
            return st.lists(value(shape.member, known), max_size=4)
        case MapShape():
            keys = st.sampled_from(known["keys"]) | TEXT
            return st.dictionaries(keys, st.sampled_from(known["values"]) | value(shape.value, known), max_size=5)
        case StringShape() if shape.enum:
            return st.sampled_from(shape.enum)
        case StringShape():
            return TEXT | st.just("x" * min(shape.metadata.get("max", 100), 3000))
    match shape.type_name:
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1000)
            return st.integers(low, high) | st.sampled_from([low - 1, high + 1, 0, 2**31, -(2**63)])
        case "timestamp":
            return st.floats(allow_nan=False, allow_infinity=False) | st.integers()
    return TEXT


def vocabulary(place: Place) -> dict[str, list[Any]]:
    """Return values that exist, by the members that take them."""
    challenge = sign_in(place.wire, place.client, "invited")
    name = f"{settings_of_django.BASE_URL.split('://')[1]}/{place.pool}"
    pool = make_identity_pool(place, name, guests=True)
    # No role: whatever is asked for, no STS is.
    identity = place.wire.ask("GetId", IdentityPoolId=pool, Logins={name: place.tokens["IdToken"]})["IdentityId"]
    place.wire.ask("CreateGroup", UserPoolId=place.pool, GroupName="staff")
    place.wire.ask("CreateResourceServer", UserPoolId=place.pool, Identifier="photos", Name="Photos")
    place.wire.ask("CreateUserPoolDomain", UserPoolId=place.pool, Domain="photos")
    nobody = "us-east-1:00000000-0000-4000-8000-000000000000"
    return {
        "UserPoolId": [place.pool] * 4 + ["us-east-1_nosuchone"],
        "ClientId": [place.client] * 4 + ["nosuchclient"],
        "Username": [place.username, "invited", "stranger"],
        "AccessToken": [place.tokens["AccessToken"]] * 3 + [place.tokens["IdToken"]],
        "Token": [place.tokens["AccessToken"], "x", "A" * 136],
        "Session": [challenge["Session"], challenge["Session"][:-2], "A" * 30],
        "Password": [PASSWORD, "short1"],
        "ProposedPassword": [PASSWORD, "short1"],
        "PreviousPassword": [PASSWORD],
        "Name": ["email", "name", "phone_number", "sub", "email_verified", "custom:x", "birthdate", "updated_at"],
        "Value": ["x@example.com", "true", "", "+4912345678", "2000-01-01", "é" * 30],
        "GroupName": ["staff", "staff", "nosuchgroup"],
        "Identifier": ["photos", "photos", "nosuchserver"],
        "ClientSecretId": ["nosuchsecret"],
        "Domain": ["photos", "photos.example", "nosuchdomain", "my-aws"],
        "Filter": ['username = "ana"', 'email ^= "a"', 'status = "Enabled"', "x", 'sub = "x"'],
        "IdentityPoolId": [pool, pool, nobody],
        "IdentityId": [identity, identity, nobody],
        "IdentityProviderName": [name, "accounts.google.com"],
        "ProviderName": [name, "accounts.google.com"],
        "keys": [
            name,
            "authenticated",
            "USERNAME",
            "PASSWORD",
            "REFRESH_TOKEN",
            "SECRET_HASH",
            "NEW_PASSWORD",
            "SOFTWARE_TOKEN_MFA_CODE",
        ],
        "values": [
            place.tokens["IdToken"],
            "arn:aws:iam::000000000000:role/r",
            place.username,
            "invited",
            PASSWORD,
            place.tokens["RefreshToken"],
            "123456",
        ],
    }


@pytest.mark.parametrize("operation", HANDLED, ids=lambda operation: operation.name)
def test_any_input_gives_200_or_a_declared_exception_that_changes_nothing(place: Place, operation: Operation) -> None:
    place.wire.ask(
        "AdminCreateUser",
        UserPoolId=place.pool,
        Username="invited",
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
    )
    shape = operation.model.input_shape
    assert shape is not None

    @walk(25)
    @given(members=sensible(shape, vocabulary(place), ""))
    def check(members: dict[str, Any]) -> None:
        before = state()
        answer = place.wire.raw(operation.name, json.dumps(members).encode())

        if answer.status != 200:
            error = json.loads(answer.body)
            assert error["__type"] in operation.errors | COMMON, error
            assert answer.status == 400, error
            assert state() == before, error

    check()


def test_a_place_is_what_the_walk_needs(place: Place) -> None:
    other = make_place(place.wire, "bob")

    assert other.tokens["RefreshToken"]
