"""Being turned away at the gate is no guess: a storm of sign-ins locks nobody out."""

from __future__ import annotations

import threading

import pytest

from identity.foundation import gate
from identity.foundation.actor import Actor
from identity.foundation.errors import Overloaded
from pools.services.sign_in import machine
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_whoever_is_turned_away_has_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = factories.make_pool()
    client = factories.make_client(pool)
    person = factories.make_user(pool)
    full = gate.Gate(waiters=0, deadline=1)
    monkeypatch.setattr(gate, "the_gate", lambda: full)

    def begin() -> object:
        return factories.begin(
            client,
            username=person.username,
            password=factories.PASSWORD,
            ends_in=machine.EndsIn.TOKENS,
            by=Actor.visitor(),
        )

    holder = threading.Thread(target=full.enter, args=("another",))
    holder.start()
    holder.join()
    for _ in range(30):
        with pytest.raises(Overloaded):
            begin()
    full.leave()

    assert isinstance(begin(), machine.SignedIn)
