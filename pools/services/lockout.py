"""Lock-out, in PostgreSQL: how often one may guess. Counted before the guess is looked at, people and decoys alike.

Five guesses are free; the fifth and each later failure lock for 1, 2, 4 … seconds, up to a quarter of an hour; quiet
for a quarter of an hour, or right once, and all is forgotten.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from prometheus_client import Counter

from identity.foundation import clock, gate
from identity.foundation.errors import LockedOut
from identity.foundation.names import uuid7
from pools.models import Guess, UserPool, hot

FREE_GUESSES = 5
QUIET = timedelta(minutes=15)
LOCKED = Counter("cognate_locked_total", "Guesses refused because the subject is locked.", ["kind"])
Kind = Guess.Kind
LIMIT = "Attempt limit exceeded, please try after some time."


def refuse_if_locked(
    locked_until: datetime | None, kind: Guess.Kind = Guess.Kind.PASSWORD, words: str | None = None
) -> None:
    """Refuse without writing, where a read already showed a lock.

    Raises:
        LockedOut: the lock holds.

    """
    now = clock.now()
    if locked_until is not None and locked_until > now:
        LOCKED.labels(kind.value).inc()
        raise LockedOut(words, retry_after=max(1, round((locked_until - now).total_seconds())))


def take_guess(pool: UserPool, subject: UUID, kind: Guess.Kind, *, words: str | None = None) -> int:
    """Take one guess, in a transaction of its own that is committed before the guess is evaluated; return its number.

    ``words`` are what a lock says where no sign-in was tried.

    Raises:
        LockedOut: no guess is left for now.

    """
    gate.outside_transactions("Counting a guess")
    now = clock.now()
    taken = hot.reserve_guess(
        id=uuid7(), pool=pool.pk, subject=subject, kind=kind.value, now=now, quiet=now - QUIET, free=FREE_GUESSES
    )
    if taken is None:
        row = hot.one(hot.LOCKED_UNTIL, (pool.pk, subject, kind.value))
        refuse_if_locked(row[0] if row else None, kind, words)
        raise LockedOut(words)  # the lock ended between the two statements: this guess is refused all the same
    return taken[0]


def clear(pool: UserPool, subject: UUID, kind: Guess.Kind) -> None:
    """Forget the failures: in the transaction that follows an accepted proof."""
    hot.execute(hot.CLEAR_GUESS, {"pool": pool.pk, "subject": subject, "guessed": kind.value})
