"""The data folder as a whole: who holds it, which version it belongs to, whether there is room."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from identity.embedded.parts import CannotStart

FORMAT = 1
NEEDED_MEGABYTES = 200
APPS = ("identity", "pools", "federation")
# Those that bring migrations of their own.
PACKAGES = ("django", "django-otp")


def claim(data_dir: Path) -> IO[str]:
    """Make the folder if need be and hold it for as long as the answer is kept open."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        held = (data_dir / "lock").open("a+")
    except OSError as problem:
        raise CannotStart(f"The data folder {data_dir} cannot be used: {problem.strerror}.") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.seek(0)
        holder = held.read().strip()
        held.close()
        raise CannotStart(f"Cognate runs already with the data folder {data_dir} (process {holder}).") from None
    held.truncate(0)
    held.write(f"{os.getpid()}\n")
    held.flush()
    return held


def check_room(data_dir: Path) -> None:
    """Refuse to start on a disk that is about to be full."""
    free = shutil.disk_usage(data_dir).free // 1_000_000
    if free < NEEDED_MEGABYTES:
        raise CannotStart(f"The disk is full: {data_dir} has {free} MB left, {NEEDED_MEGABYTES} MB are needed.")


def known_migrations(root: Path) -> dict[str, list[str]]:
    """Return the migrations that this version has."""
    return {app: sorted(path.stem for path in (root / app / "migrations").glob("[0-9]*.py")) for app in APPS}


def check_version(data_dir: Path, root: Path) -> None:
    """Refuse a folder that a newer version has written."""
    try:
        record = json.loads((data_dir / "version.json").read_text())
        written, migrations = int(record["format"]), dict(record["migrations"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        raise CannotStart(f"The file {data_dir / 'version.json'} cannot be read.") from None
    known = known_migrations(root)
    foreign = [f"{app}.{name}" for app, names in migrations.items() for name in names if name not in known.get(app, [])]
    if written > FORMAT or foreign:
        what = f"migration {foreign[-1]}" if foreign else f"format {written}"
        raise CannotStart(
            f"The data folder {data_dir} belongs to a newer version: it has {what}, which this one lacks."
        )


def present(root: Path) -> dict[str, Any]:
    """Return what this version would write down: its own migrations, and the versions that bring others."""
    packages = {name: version(name) for name in PACKAGES}
    return {"format": FORMAT, "migrations": known_migrations(root), "packages": packages}


def is_current(data_dir: Path, root: Path) -> bool:
    """Say whether this very version has migrated the folder."""
    try:
        return bool(json.loads((data_dir / "version.json").read_text()) == present(root))
    except (OSError, ValueError):
        return False


def record_version(data_dir: Path, root: Path) -> None:
    """Write down what the folder holds now."""
    draft = data_dir / "version.json.new"
    draft.write_text(json.dumps(present(root), indent=1) + "\n")
    draft.rename(data_dir / "version.json")
