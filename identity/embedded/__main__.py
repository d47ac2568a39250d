"""``python -m identity.embedded``: everything on one machine, in the foreground. ``make run`` calls it."""

from __future__ import annotations

import os
import sys

OLDEST = (3, 11)


def main() -> int:
    """Start everything; whatever is wrong with the machine or the configuration is one line."""
    if sys.version_info < OLDEST:
        sys.stderr.write(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed.\n")
        return 1
    os.environ.setdefault("MODE", "development")
    from identity.embedded.run import Installation
    from identity.settings import environment

    if environment.mode != "development":
        sys.stderr.write("`make run` is for MODE=development; production is served by `docker compose up`.\n")
        return 1
    return Installation(environment).run()


if __name__ == "__main__":
    sys.exit(main())
