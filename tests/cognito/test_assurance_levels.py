"""AcrConfiguration through boto3: told with its defaults, refused in Amazon's error, put back where it is left out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cognito.conftest import World, refused

DEFAULTS = {f"Level{level}": {"AcrValue": f"urn:cognito:loa:{level}"} for level in (1, 2, 3, 4)}
UNIQUE = "AcrValue must be unique across all levels of the user pool, including default names."
PATTERN = r"[\x21\x23-\x5B\x5D-\x7E]+"
NO_LEVEL = (
    "1 validation error detected: Value at 'acrConfiguration' failed to satisfy constraint: "
    "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: Level[1-4]]"
)


def broken(value: str, constraint: str) -> str:
    """Return what is said of a name that the model refuses."""
    place = "'acrConfiguration.Level1.member.acrValue'"
    return f"1 validation error detected: Value {value} at {place} failed to satisfy constraint: {constraint}"


def named(**names: str) -> dict[str, Any]:
    """Return a configuration of these names."""
    return {level: {"AcrValue": name} for level, name in names.items()}


def told(world: World) -> dict[str, Any]:
    """Return the pool's levels."""
    found: dict[str, Any] = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]["AcrConfiguration"]
    return found


def update(world: World, **members: Any) -> None:
    """Update the pool as a whole."""
    world.idp.update_user_pool(UserPoolId=world.pool_id, AutoVerifiedAttributes=["email"], **members)


@pytest.mark.parametrize(
    "given",
    [
        named(Level1="urn:own:1"),
        named(Level2="gold", Level3="https://example.org/loa?level=3#hardware"),
        named(Level1="!", Level2="#", Level3="~" * 64, Level4="urn:own:4"),
        named(Level1="urn:cognito:loa:2", Level2="urn:cognito:loa:1"),
        named(Level3="urn:cognito:loa:3"),
        {},
    ],
)
def test_the_four_effective_names_are_told_and_what_is_left_out_is_put_back(
    world: World, given: dict[str, Any]
) -> None:
    made = world.idp.create_user_pool(PoolName="p", AcrConfiguration=given)["UserPool"]
    assert made["AcrConfiguration"] == DEFAULTS | given

    update(world, AcrConfiguration=given)
    assert told(world) == DEFAULTS | given
    update(world, AcrConfiguration=told(world))
    assert told(world) == DEFAULTS | given

    update(world, AcrConfiguration=named(Level4="urn:own:4"))
    assert told(world) == DEFAULTS | named(Level4="urn:own:4")
    update(world)
    assert told(world) == DEFAULTS


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (named(Level1="urn:own:1", Level2="urn:own:1"), UNIQUE),
        (named(Level1="urn:cognito:loa:2"), UNIQUE),
        (named(Level1="urn:cognito:loa:4", Level4="urn:cognito:loa:4"), UNIQUE),
        (
            named(Level1="two words"),
            broken("'two words'", f"Member must satisfy regular expression pattern: {PATTERN}"),
        ),
        (named(Level1="u" * 65), broken(f"'{'u' * 65}'", "Member must have length less than or equal to 64")),
        ({"Level1": {}}, broken("null", "Member must not be null")),
        (named(Level5="urn:own:5"), NO_LEVEL),
        (named(level1="urn:own:1"), NO_LEVEL),
    ],
)
def test_names_that_no_token_could_tell_apart_are_refused(world: World, given: dict[str, Any], text: str) -> None:
    before = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]

    with refused("InvalidParameterException", text):
        world.idp.create_user_pool(PoolName="never", AcrConfiguration=given)
    with refused("InvalidParameterException", text):
        update(world, AcrConfiguration=given)

    assert world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"] == before
