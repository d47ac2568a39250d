"""AddCustomAttributes through boto3."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pools.models import UserPool
from tests.cognito.conftest import World, named, refused

INVALID = "InvalidParameterException"


def schema(world: World) -> dict[str, dict[str, Any]]:
    """Return the pool's attributes by name."""
    pool = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
    return {each["Name"]: each for each in pool["SchemaAttributes"]}


def test_attributes_are_added_and_people_of_before_have_no_value(new_world: Callable[..., World]) -> None:
    world = new_world()
    early = world.person()

    world.idp.add_custom_attributes(
        UserPoolId=world.pool_id,
        CustomAttributes=[
            {
                "Name": "role",
                "AttributeDataType": "String",
                "Mutable": True,
                "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "5"},
            },
            {
                "Name": "level",
                "AttributeDataType": "Number",
                "NumberAttributeConstraints": {"MinValue": "-1", "MaxValue": "9"},
            },
            {"Name": "hidden", "AttributeDataType": "String", "DeveloperOnlyAttribute": True},
            {"Name": "email"},
            {"Name": "custom:role"},
        ],
    )

    told = schema(world)
    assert told["custom:role"] == {
        "Name": "custom:role",
        "AttributeDataType": "String",
        "DeveloperOnlyAttribute": False,
        "Mutable": True,
        "Required": False,
        "StringAttributeConstraints": {"MinLength": "2", "MaxLength": "5"},
    }
    assert told["custom:level"]["NumberAttributeConstraints"] == {"MinValue": "-1", "MaxValue": "9"}
    assert told["custom:level"]["Mutable"] is False
    assert told["dev:custom:hidden"]["DeveloperOnlyAttribute"] is True
    assert told["custom:email"]["AttributeDataType"] == "String"
    # Amazon's prefix comes before a prefix of one's own (aws-cloudformation-user-guide#932).
    assert told["custom:custom:role"]["AttributeDataType"] == "String"
    late = world.person(**{"custom:role": "chief", "custom:level": "9"})
    assert named(world.user(late)["UserAttributes"])["custom:role"] == "chief"
    assert "custom:role" not in named(world.user(early)["UserAttributes"])
    with refused(
        INVALID, "Attributes did not conform to the schema: custom:role: String must be no longer than 5 characters\n"
    ):
        world.person(**{"custom:role": "master"})


def test_numbers_are_as_large_as_amazons(new_world: Callable[..., World]) -> None:
    most = {"MinValue": "0", "MaxValue": str(2**1023)}
    world = new_world(pool={"Schema": [{"Name": "big", "AttributeDataType": "Number"}]})
    entries = [{"Name": "most", "AttributeDataType": "Number", "NumberAttributeConstraints": most}]
    world.idp.add_custom_attributes(UserPoolId=world.pool_id, CustomAttributes=entries)

    assert schema(world)["custom:most"]["NumberAttributeConstraints"] == most
    name = world.person(**{"custom:big": str(2**64), "custom:most": str(2**1022)})
    assert named(world.user(name)["UserAttributes"])["custom:most"] == str(2**1022)
    with refused(
        INVALID, f"Attributes did not conform to the schema: custom:most: Number must be no greater than {2**1023}\n"
    ):
        world.person(**{"custom:most": str(2**1023 + 1)})


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([{"Name": "role"}], "custom:role: Existing attribute already has name custom:role."),
        (
            [{"Name": "custom:custom:role"}],
            "Custom attribute names hold 1 to 20 letters, digits, dots, dashes or underscores.",
        ),
        ([{"Name": "new", "Required": True}], "Required custom attributes are not supported currently."),
        (
            [{"Name": "a!b"}],
            "Custom attribute names hold 1 to 20 letters, digits, dots, dashes or underscores.",
        ),
        (
            [{"Name": "new"}, {"Name": "new"}],
            "Duplicate custom attribute names custom:new are not allowed in a user pool schema.",
        ),
        ([{"Name": "new", "StringAttributeConstraints": {"MinLength": "x"}}], None),
        (
            [{"Name": "new", "StringAttributeConstraints": {"MinLength": "9", "MaxLength": "8"}}],
            "Attribute custom:new cannot have a max length shorter than it's min length",
        ),
    ],
    ids=["there", "two prefixes", "required", "name", "twice", "no number", "least and most"],
)
def test_an_attribute_that_breaks_a_rule_adds_none(
    new_world: Callable[..., World], entries: list[dict[str, Any]], text: str | None
) -> None:
    world = new_world(pool={"Schema": [{"Name": "role", "AttributeDataType": "String"}]})
    before = schema(world)

    with refused(INVALID, text):
        world.idp.add_custom_attributes(UserPoolId=world.pool_id, CustomAttributes=[{"Name": "good"}, *entries])

    assert schema(world) == before


def test_a_pool_has_fifty_attributes_of_its_own_also_when_they_come_at_once(new_world: Callable[..., World]) -> None:
    world, barrier = new_world(), Barrier(2)
    first = [{"Name": f"a{number}"} for number in range(25)]
    world.idp.add_custom_attributes(UserPoolId=world.pool_id, CustomAttributes=first)

    def add(letter: str) -> str:
        barrier.wait(30)
        entries = [{"Name": f"{letter}{number}"} for number in range(20)]
        try:
            world.idp.add_custom_attributes(UserPoolId=world.pool_id, CustomAttributes=entries)
        except ClientError as refusal:
            return str(refusal.response["Error"]["Message"])
        return ""

    with ThreadPoolExecutor(2) as both:
        answers = sorted(both.map(add, "bc"))

    assert answers == ["", "A pool has at most 50 custom attributes."]
    # Amazon's model has no more than fifty in an answer, the standard ones included, and its clients do not look.
    with world.live.orm():
        assert len(UserPool.objects.get(public_id=world.pool_id).schema) == 45
