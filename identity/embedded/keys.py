"""The sealing keys' file of a data folder, made once; no key of it is ever lost.

The keys themselves say what they are for, wherever they are copied to: production refuses them (``identity.checks``).
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from identity.embedded.parts import CannotStart
from identity.foundation import sealing

HEAD = "# Sealing keys of a `make run`, newest first: production refuses them.\n"
OURS = (HEAD, "# Sealing keys, newest first. Without this file")
"""How files of `make run` begin, the first release's too."""


def ensure(path: Path) -> None:
    """Write a file with one new key unless there is one; one of an earlier release gets a key that says what it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        mark(path)
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(
            f"{HEAD}# Without this file nothing sealed can be read.\n"
            f"{sealing.new_development_key_line('development-1')}\n"
        )


def mark(path: Path) -> None:
    """Put a marked key first in a file of `make run` that has none. What the older ones sealed stays legible."""
    try:
        text = path.read_text()
        older = sealing.keys_of(text) if text.startswith(OURS) else ()
    except OSError as problem:
        raise CannotStart(f"SECRET_KEYS_FILE {path} cannot be read: {problem.strerror}.") from None
    except (ImproperlyConfigured, UnicodeDecodeError):
        raise CannotStart(
            f"SECRET_KEYS_FILE {path}: it holds no key, or a line that is not `id base64-of-32-bytes`."
        ) from None
    if not older or any(map(sealing.is_for_development, older)):
        return
    taken = {key.id for key in older}
    name = next(each for number in count(1) if (each := f"development-{number}") not in taken)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{HEAD}{sealing.new_development_key_line(name)}\n{text}")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
