"""A supervisor over parts of the tests' own: ``python small_house.py DATA_DIR NAME=SHELL-COMMAND ...``."""

from __future__ import annotations

import sys
from pathlib import Path

from identity.embedded.journal import Journal
from identity.embedded.parts import Part
from identity.embedded.processes import forget_all
from identity.embedded.supervisor import Supervisor


def main(data_dir: Path, parts: list[str]) -> int:
    """Keep the parts until told to stop."""
    house = Supervisor(data_dir, Journal(data_dir / "log"))
    house.listen()
    forget_all(house.notes)
    for given in parts:
        name, _, command = given.partition("=")
        house.keep(Part(name, ("/bin/sh", "-c", command), stop_seconds=2), {})
    house.stopping.wait()
    house.stop(last=())
    sys.stderr.write(house.verdict)
    return 1 if house.verdict else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
