"""Work in a process forked from this one: what it imports, and takes of memory, ends with it."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def result_of(work: Callable[[], Result]) -> Result:
    """Return what the work returns in a process of its own. Where that ends before, having said why, so does this one.

    For programs of one thread: a lock that another one holds would be held in the fork for ever.
    """
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sending.send(work()))
    child.start()
    sending.close()
    try:
        result: Result = receiving.recv()
    except EOFError:
        child.join()
        sys.exit(child.exitcode)
    child.join()
    return result
