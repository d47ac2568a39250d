"""The one script that others wrote: which version, and that it is the file its package is locked to."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

SCRIPT = "django_htmx/static/django_htmx/htmx-2.min.js"


def test_htmx_is_the_line_that_the_pages_are_written_for() -> None:
    package = distribution("django-htmx")
    script = Path(str(package.locate_file(SCRIPT))).read_text()

    assert 'version:"2.0.' in script


def test_htmx_comes_from_a_package_whose_hash_is_locked() -> None:
    lock = (Path(__file__).resolve().parents[2] / "requirements" / "production.lock").read_text()
    entry = lock.split("django-htmx==", 1)[1].split("\n\n", 1)[0]

    assert entry.startswith(distribution("django-htmx").version)
    assert "--hash=sha256:" in entry
