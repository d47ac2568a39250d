"""Seed the demo: ``manage.py seed_demo``, with ``--aws`` where ``make run`` starts one for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from identity.demo import seed
from identity.embedded import aws as embedded_aws


class Command(BaseCommand):
    """Make what the demo lacks, and write the bootstrap file."""

    help = "Seed the demo's pool, apps, identity pool and operator; write the bootstrap file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Read whether the demo has an AWS that is ours, and whether that is to be seeded too."""
        parser.add_argument(
            "--aws",
            choices=("starting", "ready"),
            help="the demo's AWS was started beside it; once it is ready, roles, bucket and table are made there",
        )
        parser.add_argument("--link", type=Path, help="file for a one-time link that signs the operator in by itself")

    def handle(self, *_: object, **options: Any) -> None:
        """Seed."""
        if not settings.DEMO:
            raise CommandError("The demo is off: it is for MODE=development with DEMO on.")
        place = embedded_aws.place(settings.DATA_DIR) if options["aws"] else None
        kept = seed.seed(place)
        if options["link"]:
            seed.write_console_link(kept, options["link"])
        if place and options["aws"] == "ready":
            seed.aws(kept, place)
