"""What the environment says, read in this process or in one that is gone, for ``identity.settings``."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from identity import forks

if TYPE_CHECKING:
    from identity.environment import Environment

_read: list[Environment] = []


def environment() -> Environment:
    """Return what :func:`read_apart` read, else read it here. What is wrong with it ends the process."""
    if _read:
        return _read[0]
    from identity.environment import configured

    return configured()


def read_apart() -> None:
    """Read it in a process forked from this, for settings that are loaded later, and keep the values alone.

    The models that read it, and pydantic, are 12 MiB, and nothing else here needs them.
    """

    def values() -> dict[str, object]:
        from identity.environment import configured

        return dict(vars(configured()))

    _read.append(cast("Environment", SimpleNamespace(**forks.result_of(values))))
