# pretend: pools/services/hasty.py
"""Reads a clock that no test can stop."""

import time


def now() -> float:
    """Return the present moment."""
    return time.time()
