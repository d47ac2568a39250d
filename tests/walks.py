"""How far a random walk goes: the same short way each time, or, for ``make soak``, a long one that no run took before.

What a long walk found wrong is kept in ``var/walks`` and tried first the next time.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

IS_LONG = os.environ.get("SOAK") == "1"
LONGER = 50
KEPT = Path(__file__).resolve().parent.parent / "var" / "walks"


def walk(examples: int, **more: Any) -> settings:
    """Return the settings of a walk of so many examples, fifty times as many for ``make soak``."""
    told: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck), **more}
    if IS_LONG:
        return settings(max_examples=examples * LONGER, database=DirectoryBasedExampleDatabase(KEPT), **told)
    return settings(max_examples=examples, derandomize=True, database=None, **told)
