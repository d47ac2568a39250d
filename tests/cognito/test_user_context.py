"""Where a person is whose app's server calls for them: what audit rows and sign-in events name, and who may say it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from pools.models import AuditEvent, AuditPersonal, AuthEvent
from tests.cognito.conftest import PASSWORD, World, named, refused, secret_hash

THERE = "203.0.113.9"
CONTEXT: dict[str, Any] = {"UserContextData": {"IpAddress": THERE, "EncodedData": "eyJ9"}}
SAID = {"EnablePropagateAdditionalUserContextData": True}


@pytest.fixture
def speaking(new_world: Callable[..., World]) -> World:
    """Return a pool whose client has a secret, and may say where its people are."""
    return new_world(client={"GenerateSecret": True, **SAID})


def sub_of(world: World, name: str) -> str:
    return named(world.user(name)["UserAttributes"])["sub"]


def sign_in(world: World, name: str, password: str = PASSWORD, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = world.anyone.initiate_auth(
        ClientId=world.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password, **own_hash(world, name, "SECRET_HASH")},
        **more,
    )
    return found


def own_hash(world: World, name: str, key: str = "SecretHash") -> dict[str, str]:
    return {key: secret_hash(world.client, name)} if "ClientSecret" in world.client else {}


def addresses(world: World, name: str) -> set[str]:
    """Return where somebody's sign-ins and changes came from, but for what an operator did."""
    sub = sub_of(world, name)
    with world.live.orm():
        rows = AuditEvent.objects.filter(subject=sub).exclude(actor_kind="operator")
        personal = AuditPersonal.objects.filter(id__in=rows.values("id"))
        return {each.values["address"] for each in personal} | {str(last_sign_in().address)}


def last_sign_in() -> AuthEvent:
    return AuthEvent.objects.latest("id")


def test_an_app_with_a_secret_says_where_its_people_are(speaking: World) -> None:
    world, name = speaking, f"ada-{secrets.token_hex(4)}"
    address = f"{name}@example.com"  # of nobody else in the installation, whose mailbox is one
    world.anyone.sign_up(
        ClientId=world.client_id,
        Username=name,
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": address}],
        **own_hash(world, name),
        **CONTEXT,
    )
    code = world.code(address)
    world.anyone.resend_confirmation_code(ClientId=world.client_id, Username=name, **own_hash(world, name), **CONTEXT)
    code = world.code(address, count=2)
    world.anyone.confirm_sign_up(
        ClientId=world.client_id, Username=name, ConfirmationCode=code, **own_hash(world, name), **CONTEXT
    )
    sign_in(world, name, **CONTEXT)
    with refused("NotAuthorizedException"):
        sign_in(world, name, "Wrong-horse-1", **CONTEXT)
    world.anyone.forgot_password(ClientId=world.client_id, Username=name, **own_hash(world, name), **CONTEXT)
    world.anyone.confirm_forgot_password(
        ClientId=world.client_id,
        Username=name,
        ConfirmationCode=world.code(address, count=3),
        Password="Another-horse-1",
        **own_hash(world, name),
        **CONTEXT,
    )

    assert addresses(world, name) == {THERE}


@pytest.mark.parametrize("client", [{"GenerateSecret": True}, {}], ids=["not switched on", "without a secret"])
def test_of_any_other_app_it_counts_for_nothing(new_world: Callable[..., World], client: dict[str, Any]) -> None:
    world = new_world(client=client)
    name = world.person()

    sign_in(world, name, UserContextData={"IpAddress": "nowhere"})

    assert THERE not in addresses(world, name)
    assert addresses(world, name) <= {"127.0.0.1", "::1"}


def test_who_has_not_proven_the_secret_says_nothing(speaking: World) -> None:
    name = speaking.person()

    with refused("NotAuthorizedException"):
        speaking.anyone.initiate_auth(
            ClientId=speaking.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD, "SECRET_HASH": "bm90aGluZw=="},
            UserContextData={"IpAddress": "203.0.113.10"},
        )

    with speaking.live.orm():
        assert not AuditPersonal.objects.filter(values__address="203.0.113.10").exists()


def test_what_is_no_address_is_refused_and_signs_nobody_in(speaking: World) -> None:
    name = speaking.person()

    for said in ("nowhere", "203.0.113", "203.0.113.9:443", "a" * 5000):
        with refused("InvalidParameterException", "This is not an IP address."):
            sign_in(speaking, name, UserContextData={"IpAddress": said})


def test_an_administrators_server_says_it_of_any_app(world: World) -> None:
    name = world.person()
    context = {"IpAddress": "2001:db8::9", "ServerName": "shop", "ServerPath": "/in", "HttpHeaders": []}

    world.idp.admin_initiate_auth(
        UserPoolId=world.pool_id,
        ClientId=world.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        ContextData=context,
    )

    with world.live.orm():
        assert last_sign_in().address == "2001:db8::9"
