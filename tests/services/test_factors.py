"""Second factors beneath the adapters: what enrolling leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pyotp
import pytest
from django.db.models import QuerySet

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.models import AuditEvent, hot
from pools.services.people import users
from pools.services.sign_in import own_factors
from pools.services.sign_in.factors import totp
from pools.services.sign_in.own_factors import Preference
from tests import factories
from tests.services.conftest import Meet, at_once


def test_each_seed_that_is_handed_out_leaves_a_row_which_says_whether_it_replaced_one(
    transactional_db: None, meet: Meet
) -> None:
    pool = factories.make_pool(mfa="OPTIONAL")
    user = factories.make_user(pool)
    by = Actor.user(user.sub)
    factories.give_totp(pool, user)  # the row is there, and no seed waits
    meet(QuerySet, "update")

    seeds = at_once(2, lambda _: own_factors.enrol(pool, user, "totp", by=by))

    rows = AuditEvent.objects.filter(pool_id=pool.pk, tag="factor_offered", actor_id=str(user.sub))
    assert len(set(seeds)) == 2
    assert sorted(row.detail["replaced"] for row in rows) == [False, True]
    assert {(row.actor_kind, row.subject) for row in rows} == {("user", str(user.sub))}


def test_nothing_is_changed_for_who_is_gone_or_another_pools(transactional_db: None) -> None:
    pool, other = factories.make_pool(mfa="OPTIONAL"), factories.make_pool(mfa="OPTIONAL")
    user, gone = factories.make_user(pool), factories.make_user(pool)
    for each in (user, gone):
        factories.give_totp(pool, each)
    users.delete(pool, gone, by=factories.BY)
    wishes = {"totp": Preference(enabled=False)}
    before = AuditEvent.objects.count()

    for place, person in ((other, user), (pool, gone)):
        with pytest.raises(errors.UserNotFound):
            own_factors.set_preference(place, person, wishes, by=factories.BY)
        with pytest.raises(errors.UserNotFound):
            own_factors.remove(place, person, "totp", by=factories.BY)
        with pytest.raises(errors.UserNotFound):
            own_factors.remove_lost(place, person, "totp", by=factories.BY)

    assert AuditEvent.objects.count() == before
    assert [held.kind for held in hot.factors(pool.pk, user.id)] == ["totp"]


def after(barrier: Barrier, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that first waits for the other thread, unless that one waits elsewhere."""

    def waiting(*given: Any, **named: Any) -> object:
        with suppress(BrokenBarrierError):
            barrier.wait()
        return real(*given, **named)

    return waiting


def test_of_a_proof_and_a_preference_at_once_neither_waits_for_the_other_for_ever(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = factories.make_pool(mfa="OPTIONAL")
    user = factories.make_user(pool)
    factories.give_totp(pool, user)
    both_hold_their_first = Barrier(2, timeout=0.5)
    for owner, name in ((own_factors, "_prefer"), (totp, "switch")):
        monkeypatch.setattr(owner, name, after(both_hold_their_first, getattr(owner, name)))
    seed = own_factors.enrol(pool, user, "totp", by=factories.BY)
    code = pyotp.TOTP(seed).now()

    def change(number: int) -> None:
        if number:
            own_factors.prove(pool, user, "totp", code, enable=True, by=factories.BY)
        else:
            own_factors.set_preference(pool, user, {"totp": Preference(enabled=True)}, by=factories.BY)

    assert at_once(2, change) == [None, None]
