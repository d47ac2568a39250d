"""The lines of an import that made no user, by number, with the reason. The lines themselves are not kept."""

from __future__ import annotations

from collections.abc import Iterator

from identity.foundation import paging
from identity.foundation.paging import Page
from pools.models import UserImportJob, UserImportLine


def page(job: UserImportJob, limit: int, token: str | None) -> Page[UserImportLine]:
    """Return a page of them in the file's order.

    Raises:
        Invalid: the token is not of this list.

    """
    purpose = f"import_failures:{job.id}"
    start = paging.read(token, purpose=purpose)
    rows = UserImportLine.objects.filter(pool_id=job.pool_id, job_id=job.id).order_by("number")
    if start:
        rows = rows.filter(number__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda row: [row.number], purpose=purpose)


def every(job: UserImportJob) -> Iterator[UserImportLine]:
    """Yield all of them, a few at a time."""
    yield from UserImportLine.objects.filter(pool_id=job.pool_id, job_id=job.id).order_by("number").iterator(1000)
