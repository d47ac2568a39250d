"""Where Unix sockets are reached: a socket's path may have 107 bytes, a data folder's may have more.

Nor may it have a comma, which parts several hosts to PostgreSQL's library.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from identity.embedded.parts import CannotStart

LONGEST = 107
# The longest name below a data folder: `postgres/sockets/.s.PGSQL.5432.lock`, and some air.
BELOW = 45


def machine_path(data_dir: Path) -> Path:
    """Return a path to the data folder that is short and plain enough for the sockets in it.

    Another gets a symbolic link in a folder of mode 700 that nobody else can have prepared; the data
    folder remembers it, and a link that is gone (or not ours) is made anew.
    """
    if len(os.fsencode(data_dir)) + BELOW <= LONGEST and "," not in str(data_dir):
        return data_dir
    pointer = data_dir / "machine_path"
    if pointer.is_file():
        link = Path(pointer.read_text().strip())
        if is_ours(link, data_dir):
            return link
    for parent in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp below
        if parent and len(os.fsencode(parent)) + 20 + BELOW <= LONGEST and os.access(parent, os.W_OK):
            link = Path(tempfile.mkdtemp(prefix="cognate-", dir=parent)) / "v"
            link.symlink_to(data_dir)
            pointer.write_text(f"{link}\n")
            return link
    raise CannotStart(
        f"The path {data_dir} is too long for sockets, or has a comma, and no short link to it can be made: "
        "set DATA_DIR to another folder."
    )


def is_ours(link: Path, data_dir: Path) -> bool:
    """Say whether the link leads to the data folder and nobody else can change it."""
    try:
        folder = link.parent.lstat()
        leads_home = link.is_symlink() and link.readlink() == data_dir
    except OSError:
        return False
    return leads_home and stat.S_ISDIR(folder.st_mode) and folder.st_uid == os.geteuid() and not folder.st_mode & 0o077
