"""What the pages do for a name with an account and for one without: the same statements, so that time tells nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import errors
from pools.models import AppClient
from pools.services import access, sign_up
from pools.services.audit import Actor
from tests.hosted.world import World

QUOTED = re.compile(r"'[^']*'(::\w+)?|\b\d+\b")
BY = Actor.visitor(address="192.0.2.1", request_id="r")


def written(
    call: Callable[[AppClient, str], object], client: AppClient, name: str
) -> tuple[list[str], type[Exception] | None]:
    """Return the writing statements of a call, values apart, and how it was refused."""
    with CaptureQueriesContext(connection) as seen:
        refusal: type[Exception] | None = None
        try:
            call(client, name)
        except errors.DomainError as problem:
            refusal = type(problem)
    kinds = [" ".join(each["sql"].split()[:3]) for each in seen if each["sql"].split()[0] in {"INSERT", "UPDATE"}]
    return [QUOTED.sub("?", kind) for kind in kinds], refusal


def resend(client: AppClient, name: str) -> object:
    return sign_up.resend(client, name, by=BY)


def confirm(client: AppClient, name: str) -> object:
    return sign_up.confirm(client, name, code="000000", by=BY)


def after_resend(client: AppClient, name: str) -> object:
    with suppress(errors.Invalid):
        resend(client, name)
    return confirm(client, name)


@pytest.mark.parametrize("call", [resend, confirm, after_resend])
def test_a_confirmed_account_costs_what_nobodys_name_costs(
    world: World, call: Callable[[AppClient, str], object]
) -> None:
    taken, free = world.person(), world.name()
    with world.live.orm():
        client = access.client(world.client_id)
        (for_taken, told), (for_free, _) = (written(call, client, name) for name in (taken, free))

    assert for_taken == for_free
    assert for_free
    assert told in {errors.Invalid, errors.WrongState}


def test_an_account_that_gets_no_code_costs_what_nobodys_name_costs_and_no_guess_confirms_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.randbelow", lambda _: 0)
    silent = World(world.live, AutoVerifiedAttributes=[])
    taken, free = silent.name(), silent.name()
    world.live.boto(signed=False).sign_up(ClientId=silent.client_id, Username=taken, Password="Correct-horse-7")
    with world.live.orm():
        client = access.client(silent.client_id)
        (for_taken, told), (for_free, _) = (written(resend, client, name) for name in (taken, free))
        tries = [written(confirm, client, name) for name in (taken, free)]

    assert (for_taken, told) == (for_free, errors.Invalid)
    assert tries[0] == tries[1]
    assert tries[0][1] is errors.CodeMismatch


def test_an_alias_that_somebody_has_costs_what_nobodys_costs(world: World) -> None:
    aliased = World(world.live, mfa="OFF", by_email=False, AliasAttributes=["email"])

    def ask(client: AppClient, address: str) -> object:
        attributes = {"email": address}
        return sign_up.sign_up(
            client, aliased.name(), password="Correct-horse-7", attributes=attributes, tell_owner=True, by=BY
        )

    taken, free = (f"{name}@example.org" for name in (aliased.person(), aliased.name()))
    with world.live.orm():
        client = access.client(aliased.client_id)
        for_taken, for_free = (written(ask, client, address) for address in (taken, free))

    assert for_taken == for_free
    assert for_taken[0].count('INSERT INTO "outbox"') == 2
