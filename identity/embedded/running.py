"""A command of ``manage.py`` over what ``make run`` runs here: ``python -m identity.embedded.running NAME ...``.

The command is told what the parts are told, from a note that stands in the data folder while they run. With a
``DATABASE_URL`` of one's own it goes there instead, as ``manage.py`` itself does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg


def note(data_dir: Path) -> Path:
    """Return where it is written down."""
    return data_dir / "running.json"


def write(data_dir: Path, settings: Mapping[str, str]) -> None:
    """Write down what the parts are told, for the owner alone: addresses hold passwords."""
    draft = data_dir / "running.json.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(dict(settings), file, indent=1)
    draft.replace(note(data_dir))


def forget(data_dir: Path) -> None:
    """Take the note away: nothing runs any more."""
    note(data_dir).unlink(missing_ok=True)


def settings_of(data_dir: Path) -> dict[str, str]:
    """Return what the parts of that folder are told; nothing where none run. A killed start leaves its note."""
    try:
        told: dict[str, str] = json.loads(note(data_dir).read_text())
        psycopg.connect(told["DATABASE_URL"], connect_timeout=5).close()
    except (OSError, ValueError, psycopg.OperationalError):
        return {}
    return told


def main(arguments: list[str]) -> int:  # noqa: RET503 - it becomes the command
    """Become the command."""
    os.environ.setdefault("MODE", "development")
    from identity.settings import BASE_DIR, environment

    if not environment.database_url:
        told = settings_of(environment.data_dir)
        if not told:
            sys.stderr.write(
                f"Cognate does not run with the data folder {environment.data_dir}: start it by `make run` first, "
                "or set DATABASE_URL to a server of your own.\n"
            )
            return 1
        os.environ.update({name: value for name, value in told.items() if value})
    os.execv(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *arguments])  # noqa: S606 - our own command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
