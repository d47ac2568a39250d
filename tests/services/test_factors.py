"""Second factors beneath the adapters: what enrolling leaves behind."""

from __future__ import annotations

from django.db.models import QuerySet

from identity.foundation.actor import Actor
from pools.models import AuditEvent
from pools.services.sign_in import own_factors
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
