"""What the pages do for a name with an account and for one without: the same statements, so that time tells nothing.

The operations that pages and API share are in ``tests/contract/test_existence.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.models import AppClient, OutboxMessage
from pools.services import access
from pools.services.sign_in import own_factors
from pools.services.sign_in.own_factors import Preference
from pools.services.sign_up import sign_up
from tests import factories
from tests.hosted import in_process
from tests.hosted.world import World

QUOTED = re.compile(r"'[^']*'(::\w+)?|\b\d+\b")
WRITES = {"INSERT", "UPDATE", "WITH"}
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
    kinds = [" ".join(each["sql"].split()[:3]) for each in seen if each["sql"].split()[0] in WRITES]
    return [QUOTED.sub("?", kind) for kind in kinds], refusal


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
    assert for_taken[0].count("INSERT INTO outbox") == 2


@pytest.mark.parametrize("mode", ["OPTIONAL", "ON"])
def test_a_wrong_password_costs_alike_whoever_would_be_sent_a_code(transactional_db: None, mode: str) -> None:
    pool = factories.make_pool(mfa=mode, by_sms=True)
    client = factories.make_client(pool, **factories.PAGES)
    texted, several = (factories.make_user(pool, phone_number="+12065550100") for _ in range(2))
    factories.give_totp(pool, several)
    for person, kinds in ((texted, ["sms"]), (several, ["sms", "totp"])):
        own_factors.set_preference(pool, person, dict.fromkeys(kinds, Preference(enabled=True)), by=factories.BY)
    browsers = [in_process.browser() for _ in range(3)]
    address = f"/{pool.public_id}/login?client_id={client.client_id}"
    for browser in browsers:
        browser.get(address)

    def guess(name: str, browser: Client) -> list[str]:
        token = in_process.form_token(in_process.cookies_of(browser), pool.public_id, "sign_in")
        with CaptureQueriesContext(connection) as seen:
            answer = browser.post(address, {"form_token": token, "username": name, "password": "Wrong-horse-1"})
        assert answer.status_code == 200
        return [QUOTED.sub("?", " ".join(each["sql"].split()[:3])) for each in seen]

    names = (texted.username, several.username, "nobody")
    first, second, third = (guess(name, browser) for name, browser in zip(names, browsers, strict=True))

    assert first == second == third
    assert first
    assert not OutboxMessage.objects.filter(pool_id=pool.pk, purpose="second_factor").exists()
