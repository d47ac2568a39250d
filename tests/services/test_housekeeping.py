"""The house by itself: partitions, purges, turns, and sealing anew."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import Settings

from identity.foundation import clock, names, sealing
from pools.models import (
    AppClient,
    Guess,
    OneTimeCode,
    Password,
    PeriodicTask,
    SigningKey,
    Spent,
    UserPool,
    partitions,
)
from pools.services import app_clients, configuration, housekeeping, passwords, places, sign_up
from tests import factories
from tests.services.conftest import VISITOR, at_once

NAME = "alice@example.com"


@pytest.fixture
def no_partitions(transactional_db: None) -> Iterator[None]:
    """Leave no partition behind for other tests, nor find any."""

    def drop() -> None:
        for table in partitions.TABLES:
            partitions.drop_before(table, date(2999, 1, 1))

    drop()
    yield
    drop()


@pytest.mark.usefixtures("no_partitions")
def test_partitions_are_made_ahead_once_and_rows_find_them() -> None:
    today = clock.now().date()
    early = Spent(id=names.uuid7())
    early.save(force_insert=True)

    made = housekeeping.make_partitions()
    again = housekeeping.make_partitions()

    assert f"spent_{today:%Y%m%d}" in made
    assert f"outbox_{today:%Y%m}" in made
    assert again == []
    late = Spent(id=names.uuid7())
    late.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, id FROM spent")
        assert {row[0] for row in cursor.fetchall()} == {f"spent_{today:%Y%m%d}"}
    assert Spent.objects.count() == 2


@pytest.mark.usefixtures("no_partitions")
def test_partitions_that_are_over_are_dropped_and_others_stay() -> None:
    today = date(2026, 11, 21)
    partitions.make("spent", partitions.days(today - timedelta(days=5), 5))

    housekeeping.make_partitions(today)

    left = partitions.existing("spent")
    assert "spent_20261117" not in left
    assert "spent_20261118" in left
    assert "spent_20261124" in left
    assert "spent_default" in left


@pytest.mark.usefixtures("no_partitions")
def test_years_end_and_months_of_all_lengths_meet() -> None:
    for day in (date(2026, 1, 31), date(2026, 12, 31), date(2028, 2, 29)):
        spans = partitions.months(day, 3)
        assert all(left.end == right.start for left, right in pairwise(spans))
        assert spans[0].start <= day < spans[0].end


def test_a_turn_is_taken_once_however_many_ask(transactional_db: None) -> None:
    outcomes = at_once(8, lambda _: housekeeping.take_turn("sweep", timedelta(minutes=1)))

    assert outcomes.count(True) == 1
    PeriodicTask.objects.update(due_at=Now())
    assert housekeeping.take_turn("sweep", timedelta(minutes=1))


def test_what_is_over_goes_and_what_lives_stays(client: AppClient) -> None:
    sign_up.sign_up(client, NAME, password="Correct-horse-1", attributes={}, by=VISITOR)
    live = OneTimeCode.objects.get()
    OneTimeCode(
        pool=client.pool,
        subject=uuid.uuid4(),
        purpose="sign_up",
        hashed=b"x",
        expires_at=clock.now() - timedelta(days=2),
    ).save()
    for minutes, locked in ((20, None), (20, 5), (10, None)):
        Guess(
            pool=client.pool,
            subject=uuid.uuid4(),
            kind="password",
            failures=3,
            last_at=clock.now() - timedelta(minutes=minutes),
            locked_until=clock.now() + timedelta(minutes=locked) if locked else None,
        ).save()

    assert housekeeping.purge() == 2

    assert OneTimeCode.objects.get() == live
    assert Guess.objects.count() == 2


def test_a_new_master_key_wraps_everything_anew_and_the_old_may_go(
    pool: UserPool, tmp_path: Path, settings: Settings
) -> None:
    client = factories.make_client(pool, generate_secret=True)
    user = factories.make_user(pool, NAME)
    secret, salt = app_clients.secrets(client), passwords.srp_salt(pool, "x")
    old = settings.SECRET_KEYS_FILE.read_text()
    new = f"new {base64.b64encode(b'n' * 32).decode()}\n"
    keys = tmp_path / "keys"
    settings.SECRET_KEYS_FILE = keys
    try:
        keys.write_text(new + old)
        sealing.master_keys.cache_clear()
        while housekeeping.reseal():
            pass
        keys.write_text(new)
        sealing.master_keys.cache_clear()
        configuration.holdings.forget_everything()

        assert housekeeping.reseal() == 0
        assert app_clients.secrets(client) == secret
        assert passwords.srp_salt(pool, "x") == salt
        row = Password.objects.get(user=user)
        sealing.unseal(bytes(row.sealed_verifier), place=places.verifier(row.verifier_pool, row.verifier_name))
        for key in SigningKey.objects.all():
            sealing.unseal(bytes(key.sealed_private), place=places.signing_key(key.kid))
    finally:
        sealing.master_keys.cache_clear()
        configuration.holdings.forget_everything()


def test_values_in_their_places_only(pool: UserPool) -> None:
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(bytes(pool.sealed_decoy_key), place=places.decoy_key("us-east-1_another00"))
    assert len(sealing.unseal(bytes(pool.sealed_decoy_key), place=places.decoy_key(pool.public_id))) == 32
