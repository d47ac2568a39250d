"""The work of an import where something dies, and what it does that the wire does not tell."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest

from identity.foundation import clock, later
from identity.foundation.errors import Invalid, NotAuthorized, Overloaded
from pools import tasks
from pools.models import AuditEvent, SignInName, User, UserImportChunk, UserImportJob, UserImportLine, UserPool
from pools.services import configuration, housekeeping
from pools.services.pools import user_pools
from pools.services.user_imports import jobs, lines, uploads, work
from tests import factories
from tests.factories import BY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> UserPool:
    """Return a pool that verifies email addresses."""
    made = factories.make_pool()
    user_pools.update(made, {"auto_verified_attributes": ["email"]}, by=BY)
    return configuration.pool(made.public_id)


def line(pool: UserPool, username: str, **given: str) -> str:
    values = {
        lines.USERNAME: username,
        lines.MFA: "FALSE",
        "email": f"{username}@example.com",
        "email_verified": "TRUE",
        **given,
    }
    return ",".join(values.get(column, "") for column in lines.header(pool))


def file(pool: UserPool, count: int) -> bytes:
    return "\n".join([",".join(lines.header(pool)), *(line(pool, f"u{number}") for number in range(count))]).encode()


def send(job: UserImportJob, body: bytes, *, length: int | None = None) -> None:
    query = dict(each.split("=") for each in jobs.upload_url(job).partition("?")[2].split("&"))
    until, signature = int(query["expires"]), query["signature"]
    told = len(body) if length is None else length
    read = io.BytesIO(body).read
    uploads.receive(job.pool, job.public_id, until=until, signature=signature, length=told, read=read)


def started(pool: UserPool, body: bytes) -> UserImportJob:
    job = jobs.create(pool, "move", log_role="arn", by=BY)
    send(job, body)
    return jobs.start(pool, job.public_id, by=BY)


def state(job: UserImportJob) -> tuple[str, int, int, int]:
    now = jobs.named(job.pool, job.public_id)
    return now.status, now.imported, now.skipped, now.failed


def test_whoever_dies_is_followed_from_where_the_last_batch_ended(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 10)
    monkeypatch.setattr(uploads, "PIECE", 1_000)
    monkeypatch.setattr(uploads, "READ", 500)
    job = started(pool, file(pool, 95))
    assert UserImportChunk.objects.filter(job=job).count() > 3
    real, calls = work._claim, iter(range(100))

    def dies(*given: Any) -> None:
        real(*given)
        if next(calls) in (0, 3, 4):
            raise SystemExit

    monkeypatch.setattr(work, "_claim", dies)
    for _ in range(3):
        with pytest.raises(SystemExit):
            work.run(pool.pk, job.id)
        work.run(pool.pk, job.id)  # another worker has it, as far as anybody knows
        assert work.due() == []
        UserImportJob.objects.update(leased_until=clock.now() - timedelta(seconds=1))
        assert work.due() == [(pool.pk, job.id)]
    work.run(pool.pk, job.id)

    assert state(job) == ("Succeeded", 95, 0, 0)
    assert User.objects.filter(pool=pool).count() == SignInName.objects.filter(pool=pool).count() == 95
    assert not UserImportChunk.objects.exists()
    assert work.due() == []


def test_a_job_of_which_no_worker_is_told_is_done_all_the_same(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.import_users, "apply_async", away)
    monkeypatch.setattr(later, "_broken_until", 0.0)
    job = started(pool, file(pool, 1))
    assert state(job) == ("Pending", 0, 0, 0)

    sweeper = tasks.ImportSweeper(every=0.02)
    sweeper.start()
    until = clock.monotonic() + 10
    while state(job)[0] == "Pending" and clock.monotonic() < until:
        sweeper.join(0.02)
    sweeper.stop()

    assert state(job) == ("Succeeded", 1, 0, 0)
    assert not sweeper.is_alive()


def test_of_two_workers_with_one_job_each_line_is_one_users(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH", 5)
    job, real, again = started(pool, file(pool, 30)), work._claim, iter([True])

    def overtaken(*given: Any) -> None:
        if next(again, False):
            UserImportJob.objects.update(leased_until=None)
        real(*given)

    monkeypatch.setattr(work, "_claim", overtaken)
    work.run(pool.pk, job.id)
    work.run(pool.pk, job.id)

    assert state(job) == ("Succeeded", 30, 0, 0)
    assert User.objects.filter(pool=pool).count() == 30


def test_what_failed_is_kept_by_line_and_quotes_nothing(pool: UserPool) -> None:
    formula = '=cmd|"/c calc"!A1'
    body = "\n".join(
        [
            ",".join(lines.header(pool)),
            line(pool, "fine", name=formula),
            line(pool, "wrong", email=formula),
            line(pool, "fine"),
        ]
    )
    job = started(pool, body.encode())

    work.run(pool.pk, job.id)

    kept = list(UserImportLine.objects.filter(job=job).order_by("number").values_list("number", "skipped", "reason"))
    assert kept == [(3, False, "Invalid email address format."), (4, True, "The user already exists.")]
    assert User.objects.get(pool=pool).name == formula
    [event] = AuditEvent.objects.filter(pool_id=pool.pk, tag="import_ended")
    assert (event.actor_kind, event.actor_id) == ("import", job.public_id)
    assert event.detail == {"status": "Succeeded", "imported": 1, "skipped": 1, "failed": 1}


def test_a_job_that_nobody_starts_expires_and_its_file_goes(pool: UserPool) -> None:
    job = jobs.create(pool, "move", log_role="arn", by=BY)
    send(job, file(pool, 1))
    UserImportJob.objects.update(created_at=clock.now() - jobs.STARTABLE)
    assert jobs.status(jobs.named(pool, job.public_id)) == "Expired"

    assert work.due() == []

    assert state(job)[0] == "Expired"
    assert not UserImportChunk.objects.exists()


def test_an_upload_counts_when_it_is_whole(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PIECE", 1_000)
    monkeypatch.setattr(uploads, "READ", 500)
    job = jobs.create(pool, "move", log_role="arn", by=BY)
    body = file(pool, 50)

    with pytest.raises(Invalid, match="before it was whole"):
        send(job, body, length=len(body) + 1)

    assert not UserImportChunk.objects.exists()
    assert jobs.named(pool, job.public_id).upload is None


def test_an_address_is_good_for_a_quarter_of_an_hour(pool: UserPool) -> None:
    job = jobs.create(pool, "move", log_role="arn", by=BY)
    UserImportJob.objects.update(created_at=clock.now() - jobs.UPLOADABLE)

    with pytest.raises(NotAuthorized, match="expired"):
        send(jobs.named(pool, job.public_id), file(pool, 1))


def test_a_process_takes_two_files_at_a_time(pool: UserPool) -> None:
    job = jobs.create(pool, "move", log_role="arn", by=BY)

    with uploads._slot(), uploads._slot(), pytest.raises(Overloaded):
        send(job, file(pool, 1))
    send(job, file(pool, 1))


def test_a_file_at_rest_is_sealed_and_a_new_master_key_wraps_it(pool: UserPool) -> None:
    job = jobs.create(pool, "move", log_role="arn", by=BY)
    send(job, file(pool, 3))

    [chunk] = UserImportChunk.objects.filter(job=job)

    assert b"example.com" not in bytes(chunk.sealed)
    assert any(table is UserImportChunk for table, _, _ in housekeeping.SEALED)
