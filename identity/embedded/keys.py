"""The sealing keys' file of a data folder, made once and never overwritten.

The keys' name says what they are for, wherever the file is copied to: production refuses them (``identity.checks``).
"""

from __future__ import annotations

import os
from pathlib import Path

from identity.foundation.sealing import new_key_line


def ensure(path: Path) -> None:
    """Write a file with one new key unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(
            "# Sealing keys of a `make run`, newest first: production refuses them.\n"
            f"# Without this file nothing sealed can be read.\n{new_key_line('development-1')}\n"
        )
