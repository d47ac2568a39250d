"""The installation by itself: partitions, purges, turns, and sealing anew."""

from __future__ import annotations

import base64
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pyotp
import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection, models, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from identity.apps import derive_keys
from identity.celery import app
from identity.foundation import clock, names, sealing
from identity.foundation.task_names import Task
from pools.models import (
    AppClient,
    AuditEvent,
    AuditPersonal,
    AuthEvent,
    CapturedMessage,
    Guess,
    OneTimeCode,
    OutboxMessage,
    Password,
    PeriodicTask,
    SigningKey,
    Spent,
    UserPool,
    partitions,
)
from pools.services import access, configuration, housekeeping, sealing_contexts
from pools.services.messages import deliveries
from pools.services.operators import operator_sign_in, operators
from pools.services.people import passwords, srp
from pools.services.pools import client_secrets, signing_keys, user_pools
from pools.services.sign_in import own_factors
from pools.services.sign_in.factors import totp as totp_factor
from pools.services.sign_up import sign_up
from tests import factories
from tests.services.conftest import VISITOR, at_once

NAME = "alice@example.com"
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'spent_default'::regclass AND NOT granted)"


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
def test_whoever_writes_into_the_default_partition_is_waited_for() -> None:
    today = clock.now().date()
    both = threading.Barrier(2, timeout=20)

    def write() -> list[str]:
        with transaction.atomic(), connection.cursor() as cursor:
            Spent(id=names.uuid7()).save(force_insert=True)
            both.wait()
            for _ in range(200):
                cursor.execute(WAITING)
                if cursor.fetchone() == (True,):
                    return []
                time.sleep(0.01)
        raise AssertionError("nobody waits")

    def make() -> list[str]:
        both.wait()
        return partitions.make("spent", partitions.days(today, 0))

    assert at_once(2, lambda number: (write, make)[number]()) == [[], [f"spent_{today:%Y%m%d}"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM spent")
        assert cursor.fetchall() == [(f"spent_{today:%Y%m%d}",)]


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
    mfa = {"mfa_configuration": "OPTIONAL", "software_token_mfa_configuration": {"enabled": True}}
    pool = user_pools.set_mfa(pool, settings=mfa, by=factories.BY)
    totp = factories.give_totp(pool, user)
    pending = own_factors.enrol(pool, user, "totp", by=factories.BY)
    ada = operators.create("ada", by=factories.BY)
    operators_totp = pyotp.TOTP(operator_sign_in.enrol(ada, by=factories.BY, confirmed=True))
    key_id, key_secret = operators.create_key(ada, by=factories.BY)
    id_token = signing_keys.sign(pool, SigningKey.Use.ID, {"sub": "x"})
    sign_up.sign_up(client, "bob@example.com", password="Correct-horse-1", attributes={}, by=VISITOR)
    secret, salt = client_secrets.values(client), passwords.srp_salt(pool, "x")
    old = settings.SECRET_KEYS_FILE.read_text()
    new = f"new {base64.b64encode(b'n' * 32).decode()}\n"
    keys = tmp_path / "keys"
    settings.SECRET_KEYS_FILE = keys
    try:
        keys.write_text(new + old)
        sealing.master_keys.cache_clear()
        assert housekeeping.reseal()
        keys.write_text(new)
        sealing.master_keys.cache_clear()
        configuration.cache.forget_everything()

        assert housekeeping.reseal() == 0
        assert client_secrets.values(client) == secret
        access.authenticate(access.client(client.client_id), secret, by=factories.BY)
        assert passwords.srp_salt(pool, "x") == salt
        kept = sealing.unseal(
            Password.objects.get(user=user).sealed_verifier or b"",
            place=sealing_contexts.verifier(pool.public_id, user.username),
        )
        own_salt = passwords.srp_salt(pool, user.username)
        assert kept == srp.padded(srp.verifier(pool.public_id, user.username, factories.PASSWORD, own_salt))
        assert signing_keys.verify(pool, SigningKey.Use.ID, id_token) == {"sub": "x"}
        for key in SigningKey.objects.all():
            sealing.unseal(bytes(key.sealed_private), place=sealing_contexts.signing_key(key.kid))
        assert signing_keys.sign(pool, SigningKey.Use.ACCESS, {"sub": "x"})
        totp_factor.check(pool, user, {"code": totp.at(clock.epoch() + 30)}, by=factories.BY)
        own_factors.prove(pool, user, "totp", pyotp.TOTP(pending).at(clock.epoch()), by=factories.BY)
        operator_sign_in.check_code(ada, operators_totp.at(clock.epoch()), by=factories.BY)
        view = operators.authenticate_key(key_id)
        assert view
        assert view.secret == key_secret
        assert deliveries.sweep() == 1
        assert CapturedMessage.objects.get().to == "bob@example.com"
    finally:
        sealing.master_keys.cache_clear()
        configuration.cache.forget_everything()


def reading(job: Callable[[], int]) -> tuple[int, set[str]]:
    """Run a job; return what it gave, and the sealed tables that its statements name."""
    tables = {table._meta.db_table for table, _, _ in housekeeping.SEALED}
    with CaptureQueriesContext(connection) as said:
        given = job()
    return given, {table for table in tables for query in said if f'"{table}"' in query["sql"]}


@pytest.fixture
def rotate(tmp_path: Path, settings: Settings) -> Iterator[Callable[[str], None]]:
    """Return what puts a new sealing key on top."""
    keys = tmp_path / "keys"

    def put_on_top(name: str) -> None:
        keys.write_text(factories.key_line(name) + "\n" + settings.SECRET_KEYS_FILE.read_text())
        settings.SECRET_KEYS_FILE = keys
        sealing.master_keys.cache_clear()

    yield put_on_top
    sealing.master_keys.cache_clear()


def test_what_is_wrapped_anew_is_not_read_again_for_a_day(pool: UserPool, rotate: Callable[[str], None]) -> None:
    rotate("second")
    assert housekeeping.reseal()

    assert reading(housekeeping.reseal) == (0, set())

    PeriodicTask.objects.update(due_at=F("due_at") - timedelta(days=1))
    wrapped, tables = reading(housekeeping.reseal)
    assert wrapped == 0
    assert len(tables) >= 6
    rotate("third")
    assert housekeeping.reseal()


def test_a_value_that_no_key_opens_is_passed_over(
    pool: UserPool, rotate: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    users = sorted((factories.make_user(pool) for _ in range(5)), key=lambda user: user.id)
    Password.objects.filter(user__in=[users[1], users[2]]).update(sealed_verifier=b"broken")
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    rotate("second")

    housekeeping.reseal()

    left = [user for user in users if bytes(Password.objects.get(user=user).sealed_verifier or b"")[2:8] != b"second"]
    assert left == [users[1], users[2]]


def test_operators_sessions_outlive_a_new_key_and_end_with_their_own(
    rotate: Callable[[str], None], settings: Settings
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "restored", []  # after the test, to what they were
    derive_keys()
    kept = SessionStore().encode({"operator": 7})

    rotate("second")
    derive_keys()
    assert SessionStore().decode(kept) == {"operator": 7}

    settings.SECRET_KEYS_FILE.write_text(settings.SECRET_KEYS_FILE.read_text().splitlines()[0])
    sealing.master_keys.cache_clear()
    derive_keys()
    assert SessionStore().decode(kept) == {}


def test_every_sealed_column_is_wrapped_anew() -> None:
    columns = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("sealed")
    }

    assert columns == {(table, column) for table, column, _ in housekeeping.SEALED}


def test_beat_asks_for_it_within_the_hour() -> None:
    [entry] = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == Task.RESEAL]

    assert entry["schedule"] <= 3600


@pytest.mark.usefixtures("no_partitions")
def test_sent_messages_and_sign_in_events_go_after_their_days_and_audit_rows_stay(settings: Settings) -> None:
    settings.OUTBOX_DAYS, settings.SIGN_IN_EVENT_DAYS = 31, 62
    months = ("202608", "202609", "202610")
    for table in partitions.MONTHLY:
        for month in months:
            first = date(int(month[:4]), int(month[4:]), 1)
            partitions.make(table, partitions.months(first, 0))

    housekeeping.make_partitions(date(2026, 12, 2))

    def left(table: str) -> list[str]:
        return [month for month in months if f"{table}_{month}" in partitions.existing(table)]

    assert left("outbox") == []
    assert left("auth_event") == ["202610"]
    assert left("audit_event") == left("audit_personal") == list(months)


@pytest.mark.usefixtures("no_partitions")
def test_rows_that_no_partition_was_there_for_go_by_their_age(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = date(2026, 12, 2)
    settings.OUTBOX_DAYS, settings.SIGN_IN_EVENT_DAYS = 31, 62
    ages = (-1, 1, 2, 3, 4, 31, 32, 62, 63)
    for age in ages:
        for table in partitions.TABLES:
            stray(table, today - timedelta(days=age))
    monkeypatch.setattr(housekeeping, "CHUNK", 2)

    housekeeping.make_partitions(today)

    kept = {"spent": (-1, 1, 2, 3), "outbox": (-1, 1, 2, 3, 4, 31), "auth_event": ages[:-1]}
    for table in partitions.TABLES:
        assert ages_of(table, today) == sorted(kept.get(table, ages)), table


def stray(table: str, day: date) -> None:
    """Write a row of a day into a table."""
    at = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)
    key = uuid.UUID(int=names.uuid7_floor(at).int | secrets.randbits(60))
    rows: dict[str, models.Model] = {
        "spent": Spent(id=key),
        "outbox": OutboxMessage(id=key, pool_id=1, channel="email", purpose="x", recipient_hash=b"", state="sent"),
        "auth_event": AuthEvent(id=key, pool_id=1, kind="sign_in", passed=True),
        "audit_event": AuditEvent(id=key, tag="x", actor_kind="system", outcome="done", digest=b""),
        "audit_personal": AuditPersonal(id=key, salt=b""),
    }
    rows[table].save(force_insert=True)


def ages_of(table: str, today: date) -> list[int]:
    """Return how many days old a table's rows are."""
    [model] = [model for model in apps.get_models() if model._meta.db_table == table]
    days = [datetime.fromtimestamp((row.pk.int >> 80) / 1000, UTC).date() for row in model._default_manager.all()]
    return sorted((today - day).days for day in days)


def test_operators_sessions_that_are_over_go(transactional_db: None) -> None:
    for key, hours in (("over", -1), ("alive", 1)):
        Session(session_key=key, session_data="", expire_date=clock.now() + timedelta(hours=hours)).save()

    assert housekeeping.purge() == 1

    assert Session.objects.get().session_key == "alive"


def test_values_in_their_places_only(pool: UserPool) -> None:
    with pytest.raises(sealing.Unsealable):
        sealing.unseal(bytes(pool.sealed_decoy_key), place=sealing_contexts.decoy_key("us-east-1_another00"))
    assert len(sealing.unseal(bytes(pool.sealed_decoy_key), place=sealing_contexts.decoy_key(pool.public_id))) == 32


def test_two_purges_never_meet(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Session(session_key="over", session_data="", expire_date=clock.now() - timedelta(hours=1)).save()
    real, inside, go_on = housekeeping.purge_users, threading.Event(), threading.Event()

    def slow() -> int:
        inside.set()
        assert go_on.wait(20)
        return real()

    def second() -> int:
        assert inside.wait(20)
        monkeypatch.setattr(housekeeping, "purge_users", real)
        Session(session_key="later", session_data="", expire_date=clock.now() - timedelta(hours=1)).save()
        try:
            return housekeeping.purge()
        finally:
            go_on.set()

    monkeypatch.setattr(housekeeping, "purge_users", slow)

    assert at_once(2, lambda number: (housekeeping.purge, second)[number]()) == [1, 0]
    assert housekeeping.purge() == 1


@pytest.mark.parametrize("minutes", [4, 11])
def test_a_purge_that_died_is_followed_by_another_and_a_living_one_is_not(minutes: int, transactional_db: None) -> None:
    assert housekeeping.take_turn(housekeeping.PURGE, housekeeping.LONGEST_CHUNK)
    PeriodicTask.objects.update(due_at=F("due_at") - timedelta(minutes=minutes))
    Session(session_key="over", session_data="", expire_date=clock.now() - timedelta(hours=1)).save()

    assert housekeeping.purge() == (1 if minutes > 10 else 0)


def test_a_long_purge_keeps_its_turn_with_each_chunk(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def late() -> int:
        PeriodicTask.objects.update(due_at=Now() + timedelta(seconds=1))  # all but over
        housekeeping._in_chunks(Session.objects.none())
        return int(PeriodicTask.objects.get().due_at - clock.now() > timedelta(minutes=9))

    monkeypatch.setattr(housekeeping, "purge_users", late)

    assert housekeeping.purge() == 1
