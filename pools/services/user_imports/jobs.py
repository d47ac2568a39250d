"""Import jobs as operators see them: made, looked at, started, stopped. The work is ``work``'s.

A job that nobody starts expires after a day; one of a pool runs at a time.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from identity.foundation import clock, later, names, paging, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import LimitExceeded, NotFound, PreconditionNotMet
from identity.foundation.paging import Page
from identity.foundation.task_names import Task
from pools.models import UserImportJob, UserPool
from pools.services import access, atomic_part, audit
from pools.services.audit import Tag

Status = UserImportJob.Status
JOBS = 1_000
"""Of a pool."""
UPLOADABLE = timedelta(minutes=15)
STARTABLE = timedelta(days=1)
SIGNED = "user_import_upload"


def create(pool: UserPool, name: str, *, log_role: str, hashing: str = "", by: Actor) -> UserImportJob:
    """Make a job, to which a file may be uploaded for a quarter of an hour. ``hashing`` is that of its password hashes.

    Raises:
        LimitExceeded: the pool has a thousand.

    """
    if UserImportJob.objects.filter(pool_id=pool.pk)[:JOBS].count() >= JOBS:
        raise LimitExceeded(f"A user pool has at most {JOBS} import jobs.")
    public_id = f"import-{names.text(names.ALNUM, 10)}"
    job = UserImportJob(
        pool=pool, public_id=public_id, name=name, log_role=log_role, hashing=hashing, created_at=clock.now()
    )
    detail = {"name": name, **({"hashing": hashing} if hashing else {})}
    with transaction.atomic():
        job.save(force_insert=True)
        audit.record(Tag.IMPORT_CREATED, pool=pool, subject=public_id, by=by, detail=detail)
    return job


def named(pool: UserPool, public_id: str) -> UserImportJob:
    """Return a job of a pool.

    Raises:
        NotFound: the pool has none of that id.

    """
    found = UserImportJob.objects.filter(pool_id=pool.pk, public_id=public_id).first()
    if found is None:
        raise NotFound("User import job not found.")
    found.pool = pool
    return found


def page(pool: UserPool, limit: int, token: str | None) -> Page[UserImportJob]:
    """Return a page of a pool's jobs, the newest first.

    Raises:
        Invalid: the token is not of this list.

    """
    purpose = f"imports:{pool.pk}"
    start = paging.read(token, purpose=purpose)
    rows = UserImportJob.objects.filter(pool_id=pool.pk).order_by("-id")
    if start:
        rows = rows.filter(id__lt=start[0])
    found = list(rows[: limit + 1])
    for job in found:
        job.pool = pool
    return paging.cut(found, limit, lambda job: [str(job.id)], purpose=purpose)


def status(job: UserImportJob) -> str:
    """Return how a job stands now: one that nobody started in time has expired, whoever has noted it."""
    is_late = job.status == Status.CREATED and job.created_at + STARTABLE <= clock.now()
    return Status.EXPIRED.value if is_late else job.status


def upload_url(job: UserImportJob) -> str:
    """Return where the file is sent by PUT: whoever knows the address may, for a quarter of an hour."""
    until = int((job.created_at + UPLOADABLE).timestamp())
    signature = sealing.keyed_hash(SIGNED, _signed(job, until)).hex()
    path = f"user-imports/{job.pool.public_id}/{job.public_id}"
    return f"{settings.BASE_URL}/{path}?expires={until}&signature={signature}"


def is_signed(job: UserImportJob, until: int, signature: str) -> bool:
    """Say whether an upload's address was made here, whenever that was."""
    try:
        return sealing.matches(SIGNED, _signed(job, until), bytes.fromhex(signature))
    except ValueError:
        return False


def _signed(job: UserImportJob, until: int) -> str:
    return f"{job.id}:{until}"


def start(pool: UserPool, public_id: str, *, by: Actor) -> UserImportJob:
    """Start a job whose file is there. The work is done by a worker; it is asked for with the job's new state.

    Raises:
        NotFound: no such job.
        PreconditionNotMet: it was started before or is too old, there is no file, another job of the pool is under
            way, or the pool verifies no address, by which people choose their passwords.

    """
    job = named(pool, public_id)
    if not pool.auto_verified:
        raise PreconditionNotMet("The user pool verifies neither email nor phone_number automatically.")
    if job.upload is None:
        raise PreconditionNotMet("No CSV file was uploaded for the user import job.")
    if status(job) != Status.CREATED:
        raise PreconditionNotMet(f"The user import job is {status(job)}.")
    now = clock.now()
    try:
        with atomic_part.begin() as part:
            # Whoever changes or deletes the pool locks it too, and looks for jobs.
            access.lock_pool(part, pool)
            rows = UserImportJob.objects.filter(pool_id=pool.pk, id=job.id, status=Status.CREATED)
            if not rows.update(status=Status.PENDING, started_at=now):
                part.refuse(PreconditionNotMet("The user import job was started before."))
            audit.record(Tag.IMPORT_STARTED, pool=pool, subject=public_id, by=by)
            later.after_commit(Task.IMPORT_USERS, str(pool.pk), str(job.id), queue="tasks")
    except IntegrityError:
        raise PreconditionNotMet("Another user import job of the user pool is under way.") from None
    job.status, job.started_at = Status.PENDING, now
    return job


def stop(pool: UserPool, public_id: str, *, by: Actor) -> UserImportJob:
    """Have a job end before its next lines. Users that it made stay.

    Raises:
        NotFound: no such job.
        PreconditionNotMet: it is not under way.

    """
    job = named(pool, public_id)
    with atomic_part.begin() as part:
        rows = UserImportJob.objects.filter(pool_id=pool.pk, id=job.id, status__in=(Status.PENDING, Status.IN_PROGRESS))
        if not rows.update(status=Status.STOPPING):
            part.refuse(PreconditionNotMet(f"The user import job is {status(job)}."))
        audit.record(Tag.IMPORT_STOPPED, pool=pool, subject=public_id, by=by)
        later.after_commit(Task.IMPORT_USERS, str(pool.pk), str(job.id), queue="tasks")
    job.status = Status.STOPPING
    return job
