"""What a browser came for: kept for that browser, that pool and that kind, for a while, and spent once."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import time_machine

from identity.foundation import clock
from identity.foundation.errors import InteractionExpired
from pools.models import Interaction, UserPool
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind
from tests import factories
from tests.services.conftest import at_once

BROWSER, KIND = "the browser's own secret", Kind.OAUTH_REQUEST
ASKED = {"scope": "openid"}


@pytest.fixture
def begun(pool: UserPool) -> uuid.UUID:
    """Return the id of a request that is kept."""
    return interactions.begin(pool, KIND, ASKED, browser=BROWSER)


def test_it_comes_back_as_it_was_kept_and_is_spent_once(pool: UserPool, begun: uuid.UUID) -> None:
    seen = interactions.peek(pool, str(begun), kind=KIND, browser=BROWSER)
    taken = interactions.take(pool, begun, kind=KIND, browser=BROWSER)

    assert (seen.request, taken.request, taken.resume) == (ASKED, ASKED, "oidc:authorize")
    for again in (interactions.peek, interactions.take):
        with pytest.raises(InteractionExpired):
            again(pool, begun, kind=KIND, browser=BROWSER)


@pytest.mark.parametrize("wrong", ["kind", "browser", "pool", "id", "no id"])
def test_nothing_but_the_same_browser_at_the_same_pool_has_it(pool: UserPool, begun: uuid.UUID, wrong: str) -> None:
    kind, browser = Kind.LOGOUT if wrong == "kind" else KIND, "another" if wrong == "browser" else BROWSER
    where = factories.make_pool() if wrong == "pool" else pool
    which = {"id": str(uuid.uuid4()), "no id": "'; --"}.get(wrong, str(begun))

    with pytest.raises(InteractionExpired):
        interactions.take(where, which, kind=kind, browser=browser)
    assert interactions.take(pool, begun, kind=KIND, browser=BROWSER)


@pytest.mark.parametrize(("minutes", "lives"), [(19, True), (20, False)])
def test_it_lives_twenty_minutes(pool: UserPool, begun: uuid.UUID, minutes: int, lives: bool) -> None:
    with time_machine.travel(clock.now().timestamp() + minutes * 60, tick=False):
        if lives:
            interactions.take(pool, begun, kind=KIND, browser=BROWSER)
        else:
            with pytest.raises(InteractionExpired):
                interactions.take(pool, begun, kind=KIND, browser=BROWSER)


def test_of_many_that_saw_it_live_one_has_it(pool: UserPool, begun: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    everyone, peek = threading.Barrier(10), interactions.peek

    def peek_and_wait(*which: Any, **asked: Any) -> Interaction:
        found = peek(*which, **asked)
        everyone.wait(30)
        return found

    monkeypatch.setattr(interactions, "peek", peek_and_wait)

    answers = at_once(10, lambda _: interactions.take(pool, begun, kind=KIND, browser=BROWSER))

    assert sorted(type(answer).__name__ for answer in answers) == ["Interaction", *["InteractionExpired"] * 9]


def test_the_row_does_not_hold_the_browsers_secret(pool: UserPool, begun: uuid.UUID) -> None:
    row = Interaction.objects.values().get(pool_id=pool.pk, pk=begun)

    assert BROWSER.encode() not in bytes(row["browser"])
    assert BROWSER not in str(row)
