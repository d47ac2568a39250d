"""The two tenants, and what every crossing is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

import pytest

from tests.live import Live
from tests.tenants.tenant import Answer, Tenant


@dataclass
class Crossing:
    """What is sent with something foreign in it, and seen."""

    theirs: Tenant
    answers: list[Answer] = field(default_factory=list)

    def saw(self, answer: Answer) -> Answer:
        """Keep an answer for the look at the end."""
        self.answers.append(answer)
        return answer


@dataclass
class Street:
    """Both tenants' installation."""

    live: Live
    one: Tenant
    two: Tenant

    @contextmanager
    def crossing(self, theirs: Tenant) -> Iterator[Crossing]:
        """Hold what is sent to this: nothing of theirs changes, no answer tells of them, and the server never fails."""
        before = self.settled(theirs)
        crossing = Crossing(theirs)
        yield crossing
        after = theirs.digest()
        assert {table for table in before if before[table] != after[table]} == set(), crossing.answers
        for answer in crossing.answers:
            assert answer.status < 500, answer
            assert is_silent_about(theirs, answer), answer

    def settled(self, theirs: Tenant) -> dict[str, str]:
        """Return their digest once the worker has sent what set-up caused."""
        until, before = monotonic() + 20, theirs.digest()
        while monotonic() < until:
            with self.live.orm():
                from pools.models import OutboxMessage

                waiting = OutboxMessage.objects.filter(pool_id=theirs.row.pk, state__in=["pending", "handing"]).exists()
            before, last = theirs.digest(), before
            if not waiting and before == last:
                return before
            sleep(0.05)
        raise AssertionError("their messages are not sent")


def is_silent_about(theirs: Tenant, answer: Answer) -> bool:
    """Say whether an answer holds nothing of theirs that was not in the question."""
    return not any(mark in answer.told and mark not in answer.asked for mark in theirs.marks)


@pytest.fixture(scope="package")
def street(live: Live) -> Street:
    """Return the installation with its two tenants."""
    return Street(live, Tenant(live), Tenant(live))


@pytest.fixture(params=["one", "two"])
def sides(request: pytest.FixtureRequest, street: Street) -> tuple[Tenant, Tenant]:
    """Return mine and theirs, each way round: so whatever is foreign here is known to be right there."""
    return (street.one, street.two) if request.param == "one" else (street.two, street.one)


Sides = tuple[Tenant, Tenant]
Maker = Callable[[Tenant, Tenant], object]
