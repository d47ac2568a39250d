"""Signing up with an address that has an account: the page says nothing, its owner's mail does."""

from __future__ import annotations

from time import monotonic, sleep

import pytest

from tests.hosted.world import OTHER_PASSWORD, PASSWORD, World
from tests.live import NOTICES, Live

SUBJECT = "You already have an account"
PATIENCE = 20


def asked_for(world: World, **typed: str) -> None:
    """Ask for an account by the page."""
    visitor = world.visitor()
    visitor.start("/signup")
    assert visitor.submit(typed, password=OTHER_PASSWORD).path == "/confirm"


def subjects(world: World, address: str) -> list[str]:
    """Return what an address got, oldest first, once nothing of the pool is still under way."""
    from pools.models import OutboxMessage

    until = monotonic() + PATIENCE
    with world.rows() as pool:
        under_way = OutboxMessage.objects.filter(pool_id=pool.pk).exclude(state=OutboxMessage.State.SENT)
        while under_way.exists():
            assert monotonic() < until, world.live.log("worker")[-3000:]
            sleep(0.05)
    return [mail["subject"] for mail in reversed(world.live.messages(address)) if mail["subject"] not in NOTICES]


@pytest.fixture(scope="session")
def aliased(live: Live) -> World:
    """Return a pool of usernames, where a verified address signs in too."""
    return World(live, mfa="OFF", by_email=False, AliasAttributes=["email"])


def test_the_owner_is_told_by_mail_and_helped(world: World) -> None:
    name = world.person()

    asked_for(world, username=name.upper())

    mail = world.live.message(name)
    assert mail["subject"] == SUBJECT
    links = [word for word in mail["body"].split() if word.startswith(world.base)]
    assert links == [
        f"{world.base}/login?client_id={world.client_id}",
        f"{world.base}/forgotPassword?client_id={world.client_id}",
    ]
    visitor = world.visitor()
    assert visitor.open(links[1]).status == 200
    visitor.open(links[0])
    assert visitor.submit(username=name, password=PASSWORD).path == "/account"


def test_the_owner_is_told_once_an_hour(world: World) -> None:
    name = world.person()

    for _ in range(3):
        asked_for(world, username=name)

    assert subjects(world, name) == [SUBJECT]


def test_the_api_tells_its_caller_and_nobody_by_mail(world: World) -> None:
    name = world.person()
    anyone = world.live.boto(signed=False)

    with pytest.raises(anyone.exceptions.UsernameExistsException, match="An account with the given email"):
        anyone.sign_up(ClientId=world.client_id, Username=name, Password=OTHER_PASSWORD)

    assert subjects(world, name) == []


def test_an_address_that_nobody_has_proven_gets_no_mail(world: World) -> None:
    name = world.name()
    world.idp.admin_create_user(UserPoolId=world.pool_id, Username=name, MessageAction="SUPPRESS")

    asked_for(world, username=name)

    assert subjects(world, name) == []


def test_a_disabled_account_gets_no_mail(world: World) -> None:
    name = world.person()
    world.disable(name)

    asked_for(world, username=name)

    assert subjects(world, name) == []


def test_the_refused_sign_up_is_on_record(world: World) -> None:
    name = world.person()
    sub = world.idp.admin_get_user(UserPoolId=world.pool_id, Username=name)["Username"]

    asked_for(world, username=name)

    with world.rows() as pool:
        from pools.models import AuditEvent

        row = AuditEvent.objects.get(pool_id=pool.pk, tag="signed_up", outcome="refused", subject=sub)
        assert row.detail == {"client_id": world.client_id, "medium": "EMAIL"}


def test_the_owner_of_an_alias_is_told_beside_the_code(aliased: World) -> None:
    address = f"{aliased.person()}@example.org"

    asked_for(aliased, username=aliased.name(), email=address)

    assert subjects(aliased, address) == ["Your verification code", SUBJECT]


def test_a_new_address_gets_its_code_alone(aliased: World) -> None:
    address = f"{aliased.name()}@example.org"

    asked_for(aliased, username=aliased.name(), email=address)

    assert subjects(aliased, address) == ["Your verification code"]


def test_the_api_sends_the_owner_of_an_alias_what_cognito_sends(aliased: World) -> None:
    address = f"{aliased.person()}@example.org"

    aliased.live.boto(signed=False).sign_up(
        ClientId=aliased.client_id,
        Username=aliased.name(),
        Password=PASSWORD,
        UserAttributes=[{"Name": "email", "Value": address}],
    )

    assert subjects(aliased, address) == ["Your verification code"]
