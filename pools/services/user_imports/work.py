"""The work of an import: lines become users, a batch a transaction, which also says how far it came.

Whoever dies is followed by another from there. No trigger runs and nothing is sent: people choose their passwords as
those who forgot theirs, but who brings a hash of theirs along. Which worker comes when is ``pools.tasks``.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, Invalid, NotFound
from identity.foundation.names import uuid4s, uuid7s
from pools.models import SignInName, UserImportChunk, UserImportJob, UserImportLine, UserPool, bulk_user_rows
from pools.models.bulk_user_rows import Name, NewUser
from pools.models.deletion import delete
from pools.models.user import Status as UserStatus
from pools.services import access, audit, sealing_contexts
from pools.services.audit import Tag
from pools.services.people import attributes, foreign_hashes, profile, sign_in_names, users
from pools.services.sign_in.factors import sms
from pools.services.user_imports import jobs, lines

log = structlog.get_logger(__name__)
Status = UserImportJob.Status
Kind = SignInName.Kind
BATCH = 2_000
"""Lines of a transaction: at each of its statements two threads wait for the interpreter."""
LEASE = timedelta(seconds=60)
EXISTS = "The user already exists."
SUCCEEDED = "Import Job Completed Successfully."
UNSUCCESSFUL = "Too many users have failed or been skipped during the import."
STOPPED = "The Import Job was stopped by the developer."
UNVERIFIED = (
    "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true)."
)
"""As Amazon says it, who chooses a password by none. AWS: cognito-user-pools-using-import-tool."""
EXPIRED = "The user import job has expired."


@dataclass(slots=True)
class Batch:
    """Some lines: the people they speak of, and what is wrong with the others."""

    last: int = 0
    """The number of the last line; the header is the first."""
    people: dict[int, NewUser] = field(default_factory=dict)
    """By line."""
    rows: dict[int, str] = field(default_factory=dict)
    """As they are written."""
    names: dict[int, list[Name]] = field(default_factory=dict)
    """By which they sign in."""
    rows_of_names: str = ""
    """As they are written where nobody has one of them."""
    failed: dict[int, str] = field(default_factory=dict)
    skipped: dict[int, str] = field(default_factory=dict)


def run(pool_id: int, job_id: UUID) -> None:
    """Do a job that was started, to its end, unless another worker has it."""
    if not _lease(pool_id, job_id):
        return
    job = UserImportJob.objects.select_related("pool").get(pool_id=pool_id, id=job_id)
    try:
        _run(job)
    except NotFound:
        _end(job, Status.STOPPED, "The user pool was deleted.")
    except DomainError as problem:
        log.warning("import_failed", job=job.public_id, pool=job.pool.public_id, problem=problem.message)
        _end(job, Status.FAILED, problem.message)


def due() -> list[tuple[int, UUID]]:
    """Return the jobs that wait for a worker, or whose worker is gone; those that nobody started in time end."""
    now = clock.now()
    late = UserImportJob.objects.filter(status=Status.CREATED, created_at__lte=now - jobs.STARTABLE)
    for job in late.select_related("pool")[:100]:
        _end(job, Status.EXPIRED, EXPIRED)
    waiting = UserImportJob.objects.filter(status__in=UserImportJob.UNDER_WAY)
    return list(
        waiting.filter(Q(leased_until=None) | Q(leased_until__lte=now))
        .order_by("created_at")
        .values_list("pool_id", "id")
    )


def _lease(pool_id: int, job_id: UUID) -> bool:
    now = clock.now()
    rows = UserImportJob.objects.filter(pool_id=pool_id, id=job_id, status__in=UserImportJob.UNDER_WAY)
    rows = rows.filter(Q(leased_until=None) | Q(leased_until__lte=now))
    return bool(rows.update(leased_until=now + LEASE))


def _run(job: UserImportJob) -> None:
    pool = access.pool(job.pool.public_id)
    _row(job).filter(status=Status.PENDING).update(status=Status.IN_PROGRESS)
    if not job.chunks:  # a file without a byte, which has no header either
        _header(pool, job, b"")
    while job.chunk < job.chunks:
        numbered = _lines(job)
        if not job.columns and not _move(job, line=1, columns=_header(pool, job, next(numbered, (1, b""))[1])):
            return
        if not all(_write(job, batch) for batch in _batches(pool, job, numbered)):
            return
        if not _move(job, chunk=job.chunk + 1):
            return
    job.refresh_from_db(from_queryset=_row(job))
    has_none = not job.imported and bool(job.failed or job.skipped)
    _end(job, Status.FAILED if has_none else Status.SUCCEEDED, UNSUCCESSFUL if has_none else SUCCEEDED)


def _row(job: UserImportJob) -> QuerySet[UserImportJob]:
    return UserImportJob.objects.filter(pool_id=job.pool_id, id=job.id)


def _move(job: UserImportJob, **values: Any) -> bool:
    """Say how far the work came, and keep it for a while; False where another did that, or it was to stop, and has."""
    rows = _row(job).filter(chunk=job.chunk, line=job.line)
    if rows.filter(status=Status.IN_PROGRESS).update(**values, leased_until=clock.now() + LEASE):
        for name, value in values.items():
            setattr(job, name, value)
        return True
    if rows.filter(status=Status.STOPPING).exists():
        _end(job, Status.STOPPED, STOPPED)
    return False


def _lines(job: UserImportJob) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of the piece to read next that were not read yet, with their numbers; empty ones are none."""
    rows = UserImportChunk.objects.filter(pool_id=job.pool_id, job_id=job.id, number=job.chunk + 1)
    chunk = rows.filter(upload=job.upload).first() if job.upload else None
    if chunk is None:
        raise Invalid("A part of the file is gone.", field="file")
    read = sealing.unseal(chunk.sealed, place=sealing_contexts.user_import(chunk.id)).split(b"\n")
    for number, line in enumerate(read, start=chunk.line):
        if number > job.line and line.strip():
            yield number, line


def _header(pool: UserPool, job: UserImportJob, raw: bytes) -> list[str]:
    try:
        return lines.columns(pool, raw.decode(), hashing=job.hashing)
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8.", field="header") from None


def _batches(pool: UserPool, job: UserImportJob, numbered: Iterator[tuple[int, bytes]]) -> Iterator[Batch]:
    """Yield lines batch by batch, as they were understood: the next while PostgreSQL is at the last."""

    def next_one() -> Batch | None:
        some = list(islice(numbered, BATCH))
        return _read(pool, job, some) if some else None

    with ThreadPoolExecutor(1) as beside:
        batch = next_one()
        while batch is not None:
            ahead = beside.submit(next_one)
            yield batch
            batch = ahead.result()


def _read(pool: UserPool, job: UserImportJob, some: list[tuple[int, bytes]]) -> Batch:
    batch, columns, hashing = Batch(last=some[-1][0]), job.columns, job.hashing
    ids = zip(uuid7s(len(some)), uuid4s(len(some)), strict=True)
    for (number, raw), own in zip(some, ids, strict=True):
        try:
            user = person(pool, lines.read(columns, raw), own, hashing=hashing)
        except DomainError as problem:
            batch.failed[number] = problem.message.strip()
        else:
            batch.people[number] = user
            batch.rows[number] = bulk_user_rows.row_of(user)
    named = {number: sign_in_names.of_new(pool, user) for number, user in batch.people.items()}
    keys = iter(uuid7s(sum(map(len, named.values()))))
    for number, found in named.items():
        owner = batch.people[number].id
        batch.names[number] = [(next(keys), name, owner, kind) for name, kind in found.items()]
    batch.rows_of_names = bulk_user_rows.rows_of_names(pool.pk, chain.from_iterable(batch.names.values()))
    return batch


def person(pool: UserPool, values: dict[str, str], ids: users.Ids, *, hashing: str) -> NewUser:
    """Return the new user that a line speaks of, not saved yet.

    Raises:
        Invalid: the pool takes none such, or the hash is none of the job's.

    """
    username, mfa = values.pop(lines.USERNAME, ""), values.pop(lines.MFA, "").lower()
    given_hash = values.pop(lines.HASH, "")
    for address in profile.ADDRESSES:  # a column of FALSE says nothing of those who have no such address
        if not values.get(address) and values.get(f"{address}_verified", "").lower() == "false":
            del values[f"{address}_verified"]
    mfa = mfa or ("true" if pool.mfa == UserPool.Mfa.ON else "false")
    sign_in_names.check_username(pool, username)
    attributes.check(pool, values)
    attributes.check_complete(pool, values)
    status = UserStatus.CONFIRMED if given_hash else UserStatus.RESET_REQUIRED
    user = users.new_of_many(ids, pool, username, values, status)
    user.foreign_hash = foreign_hashes.kept(hashing, given_hash) if given_hash else ""
    _check_mfa(pool, mfa, user)
    user.sms_enabled = mfa == "true" and bool(user.phone_number) and sms.is_open(pool)
    if not any(getattr(user, f"{address}_verified") for address in pool.auto_verified):
        raise Invalid(UNVERIFIED, field="verified")
    return user


def _check_mfa(pool: UserPool, given: str, user: NewUser) -> None:
    """Check what a line says of codes by SMS, which Cognito means by MFA here: no success that did nothing.

    One that says nothing means what the pool requires.
    """
    if given not in ("true", "false"):
        raise Invalid("cognito:mfa_enabled is neither TRUE nor FALSE.", field="mfa")
    if (pool.mfa == UserPool.Mfa.ON) != (given == "true") and pool.mfa != UserPool.Mfa.OPTIONAL:
        raise Invalid(f"cognito:mfa_enabled differs from the user pool's MFA, which is {pool.mfa}.", field="mfa")
    if pool.mfa == UserPool.Mfa.OPTIONAL and given == "true":
        if not sms.is_open(pool):
            raise Invalid("cognito:mfa_enabled is TRUE, but SMS is no second factor of the user pool.", field="mfa")
        if not user.phone_number:
            raise Invalid("cognito:mfa_enabled is TRUE, but the user has no phone_number.", field="mfa")


def _write(job: UserImportJob, batch: Batch) -> bool:
    """Make the users of a batch; False where the job is no longer this worker's to do."""
    with transaction.atomic():
        if not _move(job, line=batch.last):
            return False
        _claim(job.pool, batch)
        bulk_user_rows.insert_users([batch.rows[number] for number in batch.people])
        bulk_user_rows.insert_hashes(job.pool_id, batch.people.values())
        UserImportLine.objects.bulk_create(
            UserImportLine(pool_id=job.pool_id, job=job, number=number, skipped=skipped, reason=reason[:256])
            for found, skipped in ((batch.failed, False), (batch.skipped, True))
            for number, reason in found.items()
        )
        _row(job).update(
            imported=F("imported") + len(batch.people),
            skipped=F("skipped") + len(batch.skipped),
            failed=F("failed") + len(batch.failed),
        )
    return True


def _claim(pool: UserPool, batch: Batch) -> None:
    """Give the people of a batch their names; take those out who cannot have theirs."""
    subs = sign_in_names.subs(pool, [name for named in batch.names.values() for _, name, _, _ in named])
    if not subs and _is_all_given(batch.rows_of_names):
        return
    rows = {number: named for number, named in batch.names.items() if subs.isdisjoint(name for _, name, _, _ in named)}
    given = bulk_user_rows.claim_names(pool.pk, [row for each in rows.values() for row in each]) if rows else set()
    orphaned = set()
    for number in list(batch.people):
        own = rows.get(number, [])
        lost = [kind for row_id, _, _, kind in own if row_id not in given]
        if own and not lost:
            continue
        del batch.people[number]
        orphaned |= {row[0] for row in own} & given
        alias = next((kind for kind in lost if kind not in (Kind.USERNAME, *pool.username_attributes)), None)
        if alias is None or Kind.USERNAME in lost:
            batch.skipped[number] = EXISTS
        else:
            batch.failed[number] = attributes.TAKEN[alias]
    if orphaned:
        SignInName.objects.filter(pool_id=pool.pk, id__in=orphaned).delete()


def _is_all_given(rows_of_names: str) -> bool:
    """Give names to people, if nobody has one of them: most files are of new people, and this takes half as long."""
    try:
        with transaction.atomic():
            bulk_user_rows.insert_names(rows_of_names)
    except IntegrityError:
        return False
    return True


def _end(job: UserImportJob, status: str, message: str) -> None:
    """End a job: its file goes, what it did and could not do stays."""
    now = clock.now()
    with transaction.atomic():
        if (
            not _row(job)
            .filter(completed_at=None)
            .update(status=status, message=message[:128], completed_at=now, leased_until=None)
        ):
            return
        delete(UserImportChunk.objects.filter(pool_id=job.pool_id, job_id=job.id))
        job.refresh_from_db(from_queryset=_row(job))
        detail = {"status": status, "imported": job.imported, "skipped": job.skipped, "failed": job.failed}
        by = Actor.import_(job.public_id)
        audit.record(Tag.IMPORT_ENDED, pool=job.pool, subject=job.public_id, by=by, detail=detail)
