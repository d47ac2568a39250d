"""A pool, a client, and what reads the mail, for each test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar

import pytest
from django.db import connections

from identity.foundation import gate
from identity.foundation.actor import Actor
from pools.models import AppClient, CapturedMessage, UserPool
from pools.services import configuration
from pools.services.messages import deliveries, mailbox, texts
from tests import factories

VISITOR = Actor.visitor(address="192.0.2.1")
T = TypeVar("T")
Meet = Callable[[object, str], None]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Start each test with nothing held: rows of the last one are gone."""
    configuration.cache.forget_everything()


@pytest.fixture
def patient_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let as many hashes wait as a race brings: what is raced here is not the gate."""
    monkeypatch.setattr(gate.the_gate(), "waiters", 200)
    monkeypatch.setattr(gate.the_gate(), "deadline", 60.0)


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Meet:
    """Return what lets two threads wait for one another before a call, unless one of them waits elsewhere."""

    def before(owner: object, name: str) -> None:
        real, both = getattr(owner, name), Barrier(2, timeout=1)

        def waiting(*given: Any, **named: Any) -> object:
            with suppress(BrokenBarrierError):
                both.wait()
            return real(*given, **named)

        monkeypatch.setattr(owner, name, waiting)

    return before


@contextmanager
def overloaded() -> Iterator[None]:
    """Let the gate turn everybody away: another's hash holds the only slot, and nobody may wait."""
    full = gate.Gate(waiters=0, deadline=1)
    full.enter("another")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "the_gate", lambda: full)
        yield


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    """Return a pool where people sign in by e-mail address, as the demo's does."""
    return factories.make_pool(
        username_attributes=["email"],
        auto_verified_attributes=["email"],
        username_configuration={"case_sensitive": False},
        schema=[
            {"name": "email", "required": True, "mutable": True},
            {"name": "role", "attribute_data_type": "String", "mutable": True},
        ],
    )


@pytest.fixture
def alias_pool(transactional_db: None) -> UserPool:
    """Return a pool with usernames, and e-mail, phone and preferred_username as aliases."""
    return factories.make_pool(
        alias_attributes=["email", "phone_number", "preferred_username"], auto_verified_attributes=["email"]
    )


@pytest.fixture
def client(pool: UserPool) -> AppClient:
    """Return a client of the pool that hides who exists."""
    return factories.make_client(pool)


@pytest.fixture
def plain_client(pool: UserPool) -> AppClient:
    """Return a client of the pool that says who exists."""
    return factories.make_client(pool, prevent_user_existence_errors="LEGACY")


def mail_to(address: str) -> CapturedMessage:
    """Return the newest mail to an address, delivered now; what tells of a change is left out."""
    deliveries.sweep()
    notices = {str(subject) for subject, _ in texts.CHANGES.values()}
    return next(mail for mail in mailbox.captured(to=address) if mail.subject not in notices)


def code_sent_to(address: str) -> str:
    """Return the code of the newest mail to an address."""
    found = re.search(r"\b\d{6}\b", mail_to(address).body)
    assert found
    return found.group()


def wrong(code: str) -> str:
    """Return a code that is not this one."""
    return "111111" if code != "111111" else "222222"


def at_once(count: int, job: Callable[[int], T]) -> list[T | Exception]:
    """Run a job in so many threads at the same time, each with a connection of its own; return what each gave."""

    def run(number: int) -> T | Exception:
        try:
            return job(number)
        except Exception as problem:  # noqa: BLE001 - the answer of a race is one of these
            return problem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))
