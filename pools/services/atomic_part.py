"""The atomic part of a verb: it locks, checks again and writes, or it refuses.

Reading, hashing and asking outside come before it; what leaves the database follows its commit. A refusal is raised
when the transaction is over: what was counted before, in a transaction of its own, stays counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.db import transaction

from identity.foundation.errors import DomainError


class AtomicPart:
    """One such part, while it is open."""

    def refuse(self, refusal: DomainError, *, keeping: bool = False) -> NoReturn:
        """Leave the part: what it wrote is undone, unless it is to be kept, and the refusal raised behind it."""
        raise _Left(self, refusal, keeping=keeping)

    def refuse_if(self, refusal: DomainError | None, *, keeping: bool = False) -> None:
        """Leave the part where there is a refusal."""
        if refusal is not None:
            self.refuse(refusal, keeping=keeping)


class _Left(Exception):
    """A part was left for a refusal."""

    def __init__(self, part: AtomicPart, refusal: DomainError, *, keeping: bool) -> None:
        super().__init__()
        self.part = part
        self.refusal = refusal
        self.keeping = keeping


@contextmanager
def begin(*, durable: bool = True) -> Iterator[AtomicPart]:
    """Open a part. One that is not ``durable`` may stand inside another's transaction.

    Raises:
        DomainError: what the part was left for, after its transaction.

    """
    part, refusal = AtomicPart(), None
    try:
        with transaction.atomic(durable=durable):
            try:
                yield part
            except _Left as left:
                if left.part is not part or not left.keeping:
                    raise
                refusal = left.refusal
    except _Left as left:
        if left.part is not part:
            raise
        refusal = left.refusal
    if refusal is not None:
        raise refusal from None
