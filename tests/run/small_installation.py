"""A supervisor over parts of the tests' own: ``python small_installation.py DATA_DIR NAME=SHELL-COMMAND ...``."""

from __future__ import annotations

import sys
from pathlib import Path

from identity.embedded.journal import Journal
from identity.embedded.parts import Part
from identity.embedded.processes import forget_all
from identity.embedded.supervisor import Supervisor


def main(data_dir: Path, parts: list[str]) -> int:
    """Keep the parts until told to stop."""
    installation = Supervisor(data_dir, Journal(data_dir / "log"))
    installation.listen()
    forget_all(installation.notes)
    for given in parts:
        name, _, command = given.partition("=")
        installation.keep(Part(name, ("/bin/sh", "-c", command), stop_seconds=2), {})
    installation.stopping.wait()
    installation.stop(last=())
    sys.stderr.write(installation.verdict)
    return 1 if installation.verdict else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
