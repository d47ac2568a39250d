"""Receipts of accepted forms: one a change, for one browser, for a minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from identity.foundation import clock, errors
from pools.models import FormReceipt, UserPool
from pools.services import housekeeping, receipts
from pools.services.receipts import AlreadyAccepted, Receipt
from tests.services.conftest import at_once


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no answer that nobody is about to give."""
    monkeypatch.setattr(receipts, "PATIENCE", 0.0)


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    """Return what moves the clock, which stands still."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


def kept(pool: UserPool, form: str = "form", browser: str = "nonce") -> Receipt:
    """Return a receipt that was kept."""
    receipt = Receipt(pool, form, browser=browser)
    with transaction.atomic(durable=True):
        refusal = receipt.keep()
    assert refusal is None
    return receipt


def refusal_of(receipt: Receipt) -> errors.DomainError | None:
    """Try to keep a receipt."""
    with transaction.atomic(durable=True):
        return receipt.keep()


def test_of_many_at_once_one_is_kept(pool: UserPool) -> None:
    outcomes = at_once(8, lambda _: refusal_of(Receipt(pool, "form", browser="nonce")))

    assert outcomes.count(None) == 1
    assert sum(isinstance(each, AlreadyAccepted) for each in outcomes) == 7
    assert FormReceipt.objects.count() == 1


def test_what_is_rolled_back_leaves_none(pool: UserPool) -> None:
    receipt = Receipt(pool, "form", browser="nonce")

    with transaction.atomic(durable=True):
        assert receipt.keep() is None
        transaction.set_rollback(True)

    assert not receipt.committed
    assert not FormReceipt.objects.exists()
    assert refusal_of(Receipt(pool, "form", browser="nonce")) is None


def test_a_change_of_two_transactions_is_accepted_with_the_first(pool: UserPool) -> None:
    receipt = kept(pool)

    assert receipt.committed
    assert refusal_of(receipt) is None
    assert FormReceipt.objects.count() == 1


def test_the_answer_is_for_who_holds_the_nonce_of_before_or_after(pool: UserPool) -> None:
    kept(pool).fill(b"answer", browser="next")

    found = {name: Receipt(pool, "form", browser=name).answer() for name in ("nonce", "next", "other", "")}

    assert found == {"nonce": b"answer", "next": b"answer", "other": None, "": None}


def test_another_form_and_another_pools_have_their_own(pool: UserPool, alias_pool: UserPool) -> None:
    kept(pool).fill(b"answer", browser="nonce")

    assert Receipt(pool, "other", browser="nonce").answer() is None
    assert Receipt(alias_pool, "form", browser="nonce").answer() is None
    assert kept(alias_pool).committed


def test_an_answer_that_is_not_known_yet_is_waited_for(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = kept(pool), Receipt(pool, "form", browser="nonce")
    assert second.answer() is None
    monkeypatch.setattr(receipts, "PATIENCE", 2.0)
    monkeypatch.setattr(receipts, "sleep", lambda _: first.fill(b"answer", browser="nonce"))

    assert Receipt(pool, "form", browser="nonce").answer() == b"answer"


def test_an_answer_that_never_comes_is_not_waited_for_long(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(pool)
    waited: list[float] = []
    monkeypatch.setattr(receipts, "PATIENCE", 2.0)
    monkeypatch.setattr(receipts, "sleep", waited.append)
    receipt = Receipt(pool, "form", browser="nonce")

    assert [receipt.answer(), receipt.answer()] == [None, None]
    assert sum(waited) == pytest.approx(2.0, abs=0.1)


def test_after_a_minute_the_same_form_is_another(pool: UserPool, later: time_machine.Traveller) -> None:
    kept(pool).fill(b"answer", browser="next")
    later.shift(timedelta(seconds=61))

    assert Receipt(pool, "form", browser="nonce").answer() is None
    assert kept(pool, browser="second").committed
    assert Receipt(pool, "form", browser="next").answer() is None
    assert FormReceipt.objects.count() == 1


def test_a_purge_removes_what_is_over_and_no_other(pool: UserPool, later: time_machine.Traveller) -> None:
    kept(pool, "old")
    later.shift(timedelta(seconds=61))
    kept(pool, "new")

    assert housekeeping.purge() == 1
    assert Receipt(pool, "new", browser="nonce")._find() is not None


def test_the_row_tells_neither_form_nor_browser_nor_answer(pool: UserPool) -> None:
    kept(pool, "the form", "the nonce").fill(b"the answer", browser="the next")

    row = FormReceipt.objects.get()

    said = b"".join([bytes(row.key), bytes(row.browser), bytes(row.next_browser or b""), row.answer.encode()])
    assert b"the" not in said


def test_a_receipt_is_kept_with_its_change_alone(pool: UserPool) -> None:
    with pytest.raises(errors.Misuse):
        Receipt(pool, "form", browser="nonce").keep()
