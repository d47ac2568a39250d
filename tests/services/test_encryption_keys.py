"""Keys for which providers encrypt: made when needed, two live, the newest told, rolled each year."""

from __future__ import annotations

from datetime import timedelta

import time_machine

from identity.foundation import clock
from pools.models import AuditEvent, EncryptionKey, UserPool
from pools.services.audit import Tag
from pools.services.pools import certificates
from tests.factories import BY


def test_a_key_is_made_once_when_it_is_needed(pool: UserPool) -> None:
    [first] = certificates.decryption(pool)

    assert certificates.decryption(pool) == [first]
    assert first.private not in bytes(EncryptionKey.objects.get(pool_id=pool.pk).sealed_private)
    assert "private" not in repr(first)


def test_the_newest_is_told_and_the_one_before_it_still_opens_what_comes(pool: UserPool) -> None:
    [first] = certificates.decryption(pool)

    certificates.roll(pool, by=BY)
    second, also = certificates.decryption(pool)
    certificates.roll(pool, by=BY)
    third, before = certificates.decryption(pool)

    assert (also, before) == (first, second)
    assert third not in (first, second)
    assert EncryptionKey.objects.filter(pool_id=pool.pk).count() == 2
    assert AuditEvent.objects.filter(pool_id=pool.pk, tag=Tag.ENCRYPTION_KEY_MADE).count() == 3


def test_one_that_was_made_meanwhile_is_enough(pool: UserPool) -> None:
    certificates.decryption(pool)

    made = certificates.roll(pool, by=BY, again=False)

    assert [made] == list(EncryptionKey.objects.filter(pool_id=pool.pk))


def test_keys_are_rolled_each_year(pool: UserPool) -> None:
    [first] = certificates.decryption(pool)

    assert certificates.roll_due(by=BY) == 0
    with time_machine.travel(clock.now() + timedelta(days=366), tick=True):
        assert certificates.roll_due(by=BY) == 1

    assert certificates.decryption(pool)[1] == first
