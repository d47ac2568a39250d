"""The two tenants, and what every crossing is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

import psycopg
import pytest

from tests import servers
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
    looks: psycopg.Connection
    """A connection of its own, for looks at the rows."""

    @contextmanager
    def crossing(self, theirs: Tenant) -> Iterator[Crossing]:
        """Hold what is sent to this: nothing of theirs changes, no answer tells of them, and the server never fails."""
        before = self.settled(theirs)
        crossing = Crossing(theirs)
        yield crossing
        after = theirs.digest(self.looks)
        assert {table for table in before if before[table] != after[table]} == set(), crossing.answers
        for answer in crossing.answers:
            assert answer.status < 500, answer
            assert is_silent_about(theirs, answer), answer

    def settled(self, theirs: Tenant) -> dict[str, str]:
        """Return their digest once the worker has done what set-up caused: it notes that last."""
        until = monotonic() + 20
        while theirs.is_waited_for(self.looks):
            assert monotonic() < until, "their messages are not sent, or their users not imported"
            sleep(0.02)
        return theirs.digest(self.looks)


def is_silent_about(theirs: Tenant, answer: Answer) -> bool:
    """Say whether an answer holds nothing of theirs that was not in the question."""
    return not any(mark in answer.told and mark not in answer.asked for mark in theirs.marks)


@pytest.fixture(scope="package")
def street(live: Live) -> Iterator[Street]:
    """Return the installation with its two tenants."""
    with psycopg.connect(servers.postgres().url(live.database), autocommit=True) as looks:
        yield Street(live, Tenant(live), Tenant(live), looks)


@pytest.fixture
def sides(request: pytest.FixtureRequest, street: Street) -> tuple[Tenant, Tenant]:
    """Return mine and theirs. They are made alike: one way round a run is enough, and its seed says which."""
    seed = request.config.getoption("randomly_seed", 0)
    return (street.two, street.one) if int(seed) % 2 else (street.one, street.two)


Sides = tuple[Tenant, Tenant]
Maker = Callable[[Tenant, Tenant], object]
