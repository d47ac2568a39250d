"""The garbage collector's part in a start: none. What is imported stays to the end, and it would look at all of it.

Not for what runs later: requests and tasks have the collector as Python sets it.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Have nothing collected meanwhile, nor looked at by collections that come after: a quarter of a start's time."""
    gc.disable()
    try:
        yield
    finally:
        gc.collect()  # what loading itself left behind would otherwise stay as well
        gc.freeze()
        gc.enable()
