"""What the pages do for a name with an account and for one without: the same statements, so that time tells nothing.

The operations that pages and API share are in ``tests/contract/test_existence.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.models import AppClient
from pools.services import access
from pools.services.sign_up import sign_up
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
