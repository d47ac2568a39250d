"""Seed the demo: ``manage.py seed_demo``, and ``--aws`` once its AWS answers. Made for ``make run``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.demo import seed


class Command(BaseCommand):
    """Make what the demo lacks, and write the bootstrap file."""

    help = "Seed the demo's pool, apps, identity pool and operator; write the bootstrap file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read whether the demo's AWS is to be seeded too."""
        parser.add_argument("--aws", action="store_true", help="also roles, bucket and table in the demo's AWS")

    def handle(self, *_: object, **options: Any) -> None:
        """Seed."""
        if not settings.DEMO:
            raise CommandError("The demo is off: it is for MODE=development with DEMO on.")
        kept = seed.seed()
        if options["aws"]:
            seed.aws(kept)
