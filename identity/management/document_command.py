"""What the commands that write a page of ``docs/`` from the code share: they write it, or say that it is old."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class DocumentCommand(BaseCommand):
    """Write a page, or check it."""

    document: ClassVar[str]
    """Its file below ``docs/``."""
    requires_system_checks: list[str] = []  # written wherever the code is, configured or not

    def text(self) -> str:
        """Return the whole page."""
        raise NotImplementedError

    def page(self) -> Path:
        """Return where the page is."""
        return Path(settings.BASE_DIR) / "docs" / self.document

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ``--check``."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or check."""
        del args
        if not options["check"]:
            self.page().write_text(self.text())
        elif not self.page().exists() or self.page().read_text() != self.text():
            command = type(self).__module__.rpartition(".")[2]
            raise CommandError(f"docs/{self.document} is not current: manage.py {command}")
