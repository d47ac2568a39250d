"""The file of an import job, taken as it comes and kept in sealed pieces of whole lines. Nothing of it is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid, NotAuthorized, NotFound, Overloaded, PreconditionNotMet
from identity.foundation.names import uuid7
from pools.models import UserImportChunk, UserImportJob, UserPool
from pools.models.deletion import delete
from pools.services import atomic_part, audit, sealing_contexts
from pools.services.audit import Tag
from pools.services.user_imports import jobs

LARGEST = 100_000_000
LINES = 500_001
"""The header and half a million users."""
PIECE = 1024 * 1024
READ = 64 * 1024
AT_A_TIME = 2
"""Uploads of a process: each keeps a thread while the file comes."""
SECONDS = 600
_room = threading.BoundedSemaphore(AT_A_TIME)

Read = Callable[[int], bytes]


@contextmanager
def _slot() -> Iterator[None]:
    if not _room.acquire(blocking=False):
        raise Overloaded(detail="other uploads")
    try:
        yield
    finally:
        _room.release()


def receive(pool: UserPool, public_id: str, *, until: int, signature: str, length: int, read: Read) -> None:
    """Take a job's file, in the place of one that came before. It counts when it is whole.

    Raises:
        NotAuthorized: the address is not one of ours, or its time is over.
        PreconditionNotMet: the job was started before.
        Invalid: the file is too large, not whole, or no CSV file.
        Overloaded: too many others are sending theirs.

    """
    try:
        job = jobs.named(pool, public_id)
    except NotFound:
        raise NotAuthorized("The signature does not match.") from None
    if not jobs.is_signed(job, until, signature):
        raise NotAuthorized("The signature does not match.")
    if until <= clock.epoch():
        raise NotAuthorized("Request has expired.")
    if length > LARGEST:
        raise Invalid(f"The file is larger than {LARGEST} bytes.", field="body", code="too_large")
    with _slot():
        upload, number, line = uuid7(), 0, 1
        try:
            for piece in _pieces(length, read):
                number += 1
                _keep(job, upload, number, line, piece)
                line += piece.count(b"\n")
            _settle(job, upload, number)
        except BaseException:
            _forget(job, upload)
            raise


def _pieces(length: int, read: Read) -> Iterator[bytes]:
    """Yield the file in pieces that end with a line."""
    began, left, lines, held = clock.monotonic(), length, 0, b""
    while left:
        chunk = read(min(READ, left))
        if not chunk or clock.monotonic() - began > SECONDS:
            raise Invalid("The file ended before it was whole.", field="body", code="incomplete")
        left -= len(chunk)
        lines += chunk.count(b"\n")
        if lines > LINES:
            raise Invalid(f"The file has more than {LINES - 1} users.", field="body", code="too_large")
        held += chunk
        if len(held) >= PIECE and left:
            cut = held.rfind(b"\n") + 1
            if not cut:
                raise Invalid("The file has no lines.", field="body", code="no_lines")
            yield held[:cut]
            held = held[cut:]
    if held:
        yield held


def _keep(job: UserImportJob, upload: UUID, number: int, line: int, piece: bytes) -> None:
    chunk = UserImportChunk(pool_id=job.pool_id, job=job, upload=upload, number=number, line=line)
    chunk.sealed = sealing.seal(piece, place=sealing_contexts.user_import(chunk.id))
    chunk.save(force_insert=True)


def _settle(job: UserImportJob, upload: UUID, chunks: int) -> None:
    with atomic_part.begin() as part:
        rows = UserImportJob.objects.filter(pool_id=job.pool_id, id=job.id, status=jobs.Status.CREATED)
        if not rows.update(upload=upload, chunks=chunks):
            part.refuse(PreconditionNotMet("The user import job was started before."))
        others = UserImportChunk.objects.filter(pool_id=job.pool_id, job_id=job.id).exclude(upload=upload)
        delete(others)
        by = Actor.import_(job.public_id)
        audit.record(Tag.IMPORT_UPLOADED, pool=job.pool, subject=job.public_id, by=by)


def _forget(job: UserImportJob, upload: UUID) -> None:
    delete(UserImportChunk.objects.filter(pool_id=job.pool_id, job_id=job.id, upload=upload))
