"""Second factors beneath the faces: what enrolling leaves behind."""

from __future__ import annotations

from pools.models import AuditEvent, UserPool
from pools.services import factors
from pools.services.audit import Actor
from tests import factories
from tests.services.conftest import at_once


def test_each_seed_that_is_handed_out_leaves_a_row_which_says_whether_it_replaced_one(alias_pool: UserPool) -> None:
    user = factories.make_user(alias_pool)
    by = Actor.user(user.sub)

    seeds = at_once(4, lambda _: factors.associate(alias_pool, user, by=by))

    rows = AuditEvent.objects.filter(pool_id=alias_pool.pk, tag="factor_offered", subject=str(user.sub))
    assert len(set(seeds)) == 4
    assert sorted(row.detail["replaced"] for row in rows) == [False, True, True, True]
    assert {(row.actor_kind, row.actor_id) for row in rows} == {("user", str(user.sub))}
