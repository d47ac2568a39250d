"""Keys that sign: who is due, and who is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F, Q

from identity.foundation import clock
from identity.foundation.errors import PoolNotFound
from pools.models import SigningKey, UserPool
from pools.services import access, configuration, housekeeping
from pools.services.pools import signing_keys, user_pools
from tests import factories

BY = factories.BY


def age(*pools: UserPool | None) -> None:
    """Let keys sign for longer than their life."""
    whose = Q(pool__in=[pool for pool in pools if pool]) | (Q(pool=None) if None in pools else Q(pk__in=[]))
    SigningKey.objects.filter(whose).update(
        active_from=F("active_from") - signing_keys.ROTATION_PERIOD - timedelta(hours=1)
    )


def planned(pool: UserPool | None) -> int:
    """Return how many keys of a pool will take over."""
    return SigningKey.objects.filter(pool=pool, active_from__gt=F("published_at")).count()


def test_keys_that_signed_long_enough_are_rotated_once(pool: UserPool) -> None:
    signing_keys.ensure_installation_keys()
    assert signing_keys.rotate_due(by=BY) == 0
    age(pool, None)

    assert signing_keys.rotate_due(by=BY) == 2
    assert signing_keys.rotate_due(by=BY) == 0

    assert (planned(pool), planned(None)) == (2, 1)


def test_a_deleted_pools_keys_are_left_to_the_purge(pool: UserPool) -> None:
    other = factories.make_pool()
    age(pool, other)
    user_pools.delete(access.pool(pool.public_id), by=BY)

    assert signing_keys.rotate_due(by=BY) == 1

    assert (planned(pool), planned(other)) == (0, 2)


def purge(pool: UserPool) -> None:
    """Purge a pool that was deleted a while ago."""
    deleted = UserPool.objects.filter(pk=pool.pk)
    deleted.update(deleted_at=clock.now() - 2 * housekeeping.NOTICED)
    while deleted.exists():
        housekeeping.purge_pools()


@pytest.mark.parametrize("purged", [False, True], ids=["deleted", "purged"])
def test_a_pool_that_goes_while_keys_are_made_stops_no_other(
    pool: UserPool, purged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.make_pool()
    age(pool, other)
    real = signing_keys.prepare
    made: list[int] = []

    def prepare(*given: object) -> list[signing_keys.Prepared]:
        if not made:
            user_pools.delete(access.pool(pool.public_id), by=BY)
            if purged:
                purge(pool)
        made.append(1)
        return real()

    monkeypatch.setattr(signing_keys, "prepare", prepare)

    assert signing_keys.rotate_due(by=BY) == 1

    assert (planned(pool), planned(other)) == (0, 2)
    with pytest.raises(PoolNotFound):
        signing_keys.rotate(pool, by=BY)


def test_a_pool_that_was_purged_before_its_turn_stops_no_other(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    other = factories.make_pool()
    age(pool, other)
    real, asked = signing_keys.rotate, []

    def rotate(who: UserPool | None, **given: object) -> list[str]:
        asked.append(who)
        if len(asked) == 1:
            left = other if who == pool else pool
            user_pools.delete(access.pool(left.public_id), by=BY)
            purge(left)
        return real(who, by=BY, at_once=False)

    monkeypatch.setattr(signing_keys, "rotate", rotate)

    assert signing_keys.rotate_due(by=BY) == 1
    assert len(asked) == 1


def test_the_algorithm_of_a_key_is_that_of_its_row(pool: UserPool) -> None:
    """The header names it, and no token is checked by another one."""
    token = signing_keys.sign(pool, signing_keys.Use.ACCESS, {"sub": "jo"})
    assert signing_keys.unverified_header(token)["alg"] == "RS256"
    assert signing_keys.verify(pool, signing_keys.Use.ACCESS, token) == {"sub": "jo"}

    SigningKey.objects.filter(pool=pool).update(alg="ES256")
    configuration.cache.forget(pool.public_id)

    assert signing_keys.verify(access.pool(pool.public_id), signing_keys.Use.ACCESS, token) is None
