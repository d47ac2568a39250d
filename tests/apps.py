"""What the live processes of tests have beyond the product."""

from __future__ import annotations

import sys

from django.apps import AppConfig

from tests import cheap, statements


class Watched(AppConfig):
    """Watches the process's statements, says so in its log, and takes keys and hashes that cost little."""

    name = "tests"
    label = "watched"

    def ready(self) -> None:
        """Begin."""
        statements.watch()
        cheap.install()
        print(statements.WATCHED, file=sys.stderr, flush=True)  # noqa: T201
