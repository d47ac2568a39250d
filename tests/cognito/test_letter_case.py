"""Addresses and preferred usernames where case does not matter: told in small letters, however they were written.

AWS: User pool case sensitivity: mixed-case values are flattened to lowercase in what the pool tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import PASSWORD, World, named, refused
from tests.cognito.test_tokens import claims
from tests.cognito.test_user_imports import Importer
from tests.live import Live

CASELESS = {"UsernameConfiguration": {"CaseSensitive": False}}


@pytest.fixture(scope="module")
def caseless(live: Live) -> World:
    """Return a pool where case does not matter, with address and preferred username as aliases."""
    return World(live, pool={**CASELESS, "AliasAttributes": ["email", "preferred_username"]})


def new_name() -> str:
    """Return a name with capitals, which nobody has."""
    return f"Erin-{secrets.token_hex(4)}-X"


def attributes(**values: str) -> list[dict[str, str]]:
    """Return attributes as the API takes them."""
    return [{"Name": name, "Value": value} for name, value in values.items()]


def told(world: World, name: str) -> dict[str, Any]:
    """Return what an operator is told of somebody's attributes, twice the same."""
    found = named(world.user(name)["UserAttributes"])
    [listed] = world.idp.list_users(UserPoolId=world.pool_id, Filter=f'sub = "{found["sub"]}"')["Users"]
    assert named(listed["Attributes"]) == found
    return found


@pytest.mark.parametrize("counts", [False, True])
def test_what_an_operator_writes_is_told_without_capitals_where_case_does_not_matter(
    new_world: Callable[..., World], *, counts: bool
) -> None:
    world = new_world(
        pool={"UsernameConfiguration": {"CaseSensitive": counts}, "AliasAttributes": ["email", "preferred_username"]}
    )
    written = {"email": "Erin@Example.com", "email_verified": "true", "preferred_username": "Élise", "name": "Erin É."}
    expected = {**written} if counts else {**written, "email": "erin@example.com", "preferred_username": "élise"}

    made = world.idp.admin_create_user(
        UserPoolId=world.pool_id, Username="Erin", MessageAction="SUPPRESS", UserAttributes=attributes(**written)
    )["User"]
    world.idp.admin_set_user_password(UserPoolId=world.pool_id, Username="Erin", Password=PASSWORD, Permanent=True)
    tokens = world.tokens("Erin")

    sub = named(made["Attributes"])["sub"]
    assert made["Username"] == ("Erin" if counts else "erin")
    assert named(made["Attributes"]) == told(world, "Erin") == {**expected, "sub": sub}
    read = world.anyone.get_user(AccessToken=tokens["AccessToken"])
    assert named(read["UserAttributes"]) == {**expected, "sub": sub}
    claimed = claims(tokens["IdToken"])
    assert (claimed["email"], claimed["preferred_username"]) == (expected["email"], expected["preferred_username"])
    for own in ("Erin@Example.com", "Élise"):
        assert world.tokens(own)
    for other in ("ERIN@example.COM", "ÉLISE"):
        if counts:
            with refused("UserNotFoundException"):
                world.sign_in(other)
        else:
            assert world.tokens(other)


def test_the_address_of_a_sign_up_gets_its_code_and_is_proven_by_it(caseless: World) -> None:
    name = new_name()
    written, address = f"{name}@Example.com", f"{name}@Example.com".lower()

    made = caseless.anyone.sign_up(
        ClientId=caseless.client_id, Username=name, Password=PASSWORD, UserAttributes=attributes(email=written)
    )
    caseless.anyone.confirm_sign_up(
        ClientId=caseless.client_id, Username=name.upper(), ConfirmationCode=caseless.code(address)
    )

    assert made["CodeDeliveryDetails"]["Destination"] == "e***@e***"
    assert told(caseless, name) == {"sub": made["UserSub"], "email": address, "email_verified": "true"}
    assert caseless.tokens(written)


def test_an_own_address_in_other_letters_is_no_new_one(caseless: World) -> None:
    name = caseless.person(new_name().lower())
    before = told(caseless, name)
    token = caseless.tokens(name)["AccessToken"]

    sent = caseless.anyone.update_user_attributes(
        AccessToken=token, UserAttributes=attributes(email=before["email"].upper())
    )
    caseless.idp.admin_update_user_attributes(
        UserPoolId=caseless.pool_id, Username=name, UserAttributes=attributes(email=before["email"].title())
    )

    assert sent["CodeDeliveryDetailsList"] == []
    assert told(caseless, name) == before


@pytest.mark.parametrize("waits", [False, True])
def test_a_new_address_is_told_and_proven_without_capitals(new_world: Callable[..., World], *, waits: bool) -> None:
    settings = {"AttributesRequireVerificationBeforeUpdate": ["email"] if waits else []}
    world = new_world(pool={**CASELESS, "AliasAttributes": ["email"], "UserAttributeUpdateSettings": settings})
    name = world.person(new_name())
    before = told(world, name)
    token = world.tokens(name)["AccessToken"]
    address = f"new-{name}@example.org".lower()

    world.anyone.update_user_attributes(AccessToken=token, UserAttributes=attributes(email=address.upper()))
    meanwhile = told(world, name)
    code = world.code(address)
    world.anyone.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code)

    assert meanwhile == (before if waits else {**before, "email": address, "email_verified": "false"})
    assert told(world, name) == {**before, "email": address, "email_verified": "true"}
    assert world.tokens(address.title())


def test_what_is_given_with_the_first_password_is_told_without_capitals(caseless: World) -> None:
    name = new_name()
    caseless.idp.admin_create_user(
        UserPoolId=caseless.pool_id, Username=name, MessageAction="SUPPRESS", TemporaryPassword="Temporary-77"
    )

    caseless.respond(
        caseless.sign_in(name, "Temporary-77"),
        name,
        **{
            "NEW_PASSWORD": PASSWORD,
            "userAttributes.email": f"{name}@X.org",
            "userAttributes.preferred_username": f"P{name}",
        },
    )

    found = told(caseless, name)
    assert (found["email"], found["preferred_username"]) == (f"{name}@X.org".lower(), f"P{name}".lower())


def test_people_of_a_file_are_told_without_capitals(new_world: Callable[..., World]) -> None:
    importer = Importer(new_world(pool={**CASELESS, "AliasAttributes": ["email", "preferred_username"]}))
    address = importer.address("Erin")

    importer.run(importer.file(importer.line("Erin", email=address.upper(), preferred_username="ERI")))

    found = told(importer.world, "erin")
    assert (found["email"], found["preferred_username"]) == (address.lower(), "eri")


def test_a_name_that_small_letters_would_change_stays_as_it_is(caseless: World) -> None:
    """A lunate sigma is one letter as a capital, and another as a small one: who is called so is still found."""
    name = new_name()

    caseless.idp.admin_create_user(
        UserPoolId=caseless.pool_id,
        Username=name,
        MessageAction="SUPPRESS",
        UserAttributes=attributes(preferred_username=f"\u03f9{name}"),
    )

    assert told(caseless, f"\u03f9{name}")["preferred_username"] == f"\u03f9{name}"
