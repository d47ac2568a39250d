"""Reads what a stranger sent in a thread of its own, which is over then.

libxml2 keeps each name that it has read in a table of the thread that read it, for as long as that lives. A web
process's threads live for ever, and a stranger can send new names without end.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run(read: Callable[[], Result]) -> Result:
    """Return what a function returns, or raise what it raises. It reads XML and asks nobody: no database either."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(read).result()
