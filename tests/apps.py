"""What the live processes of tests have beyond the product."""

from __future__ import annotations

import sys

from django.apps import AppConfig

from tests import statements


class Watched(AppConfig):
    """Watches the process's statements, and says so in its log."""

    name = "tests"
    label = "watched"

    def ready(self) -> None:
        """Begin."""
        statements.watch()
        print(statements.WATCHED, file=sys.stderr, flush=True)  # noqa: T201
