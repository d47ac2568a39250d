"""Django's ``migrate``, beside living traffic: no statement waits for a lock longer than two seconds.

Whoever waits for a table makes everybody behind wait too. So it gives up, lets them through, and tries again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

LOCK_TIMEOUT = 2000
"""Milliseconds."""
TRIES = 12
"""Longer, with the pauses, than the longest transaction of a web process."""
PAUSE = 3.0


class Command(migrate.Command):
    """Bring the database up to date; what is done stays done when a lock is not had."""

    def handle(self, *given: Any, **options: Any) -> None:
        """Migrate, and try again where somebody holds a table."""
        with impatient(options["database"]):
            for left in reversed(range(TRIES)):
                if self._done(*given, **options):
                    return
                if left:
                    self.stderr.write(f"Another transaction holds a table; tries left: {left}.")
                    time.sleep(PAUSE)
        raise CommandError("Another transaction held a table all the time. Migrate again: what is done is kept.")

    def _done(self, *given: Any, **options: Any) -> bool:
        try:
            super().handle(*given, **options)
        except OperationalError as problem:
            if isinstance(problem.__cause__, LockNotAvailable):
                return False
            raise
        return True


@contextmanager
def impatient(database: str) -> Iterator[None]:
    """Give up on locks after a while on every connection to this database that is opened meanwhile.

    An index made beside living traffic takes as long as it takes (``pools.models.indexes``): nothing else is given up.
    """
    connection = connections[database]
    before, silent_seconds = connection.settings_dict["OPTIONS"], connection.settings_dict.get("SILENT_SECONDS", 0)
    options = f"{before.get('options', '')} -c lock_timeout={LOCK_TIMEOUT}".strip()
    connection.close()
    connection.settings_dict |= {"OPTIONS": {**before, "options": options}, "SILENT_SECONDS": 0}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict |= {"OPTIONS": before, "SILENT_SECONDS": silent_seconds}
