"""How fast a worker turns the lines of a CSV file into users."""

from __future__ import annotations

import io
import sys
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools.models import UserPool

USERS = 20_000


def users_per_second(pool: UserPool) -> float:
    """Import as many users, each with the attributes of most, by the worker's own code in this process."""
    from identity import celery
    from identity.foundation.actor import Actor
    from pools.models import UserPool as Pool
    from pools.services.pools import user_pools
    from pools.services.user_imports import jobs, lines, uploads, work

    by = Actor.system()
    user_pools.update(pool, {"auto_verified_attributes": ["email"]}, by=by)
    pool = Pool.objects.get(pk=pool.pk)
    columns = lines.header(pool)

    def line(number: int) -> str:
        name = f"imported-{number}"
        given = {
            "email": f"{name}@example.com",
            "email_verified": "TRUE",
            "given_name": "Ada",
            "family_name": "Lovelace",
        }
        values = {**given, "name": "Ada Lovelace", lines.USERNAME: name, lines.MFA: "FALSE"}
        return ",".join(values.get(column, "") for column in columns)

    file = "\n".join([",".join(columns), *map(line, range(USERS))]).encode()
    job = jobs.create(pool, "bench", log_role="", by=by)
    signed = dict(part.split("=") for part in jobs.upload_url(job).partition("?")[2].split("&"))
    until, signature, read = int(signed["expires"]), signed["signature"], io.BytesIO(file).read
    uploads.receive(pool, job.public_id, until=until, signature=signature, length=len(file), read=read)
    jobs.start(pool, job.public_id, by=by)
    before = sys.getswitchinterval()
    celery.take_short_turns()
    began = perf_counter()
    work.run(pool.pk, job.id)
    taken = perf_counter() - began
    sys.setswitchinterval(before)
    assert jobs.named(pool, job.public_id).imported == USERS
    return USERS / taken
