"""One-time codes: issued, tried, checked, spent. Sending them is ``messages``; what they are good for, the caller's.

A code is six digits, bound by a keyed hash to pool, subject and purpose; a newer one takes the older one's place.
Order of use: :func:`take_try` (committed), :func:`check`, then :func:`spend` inside the transaction of the effect.
A dead code, be it spent, too old or revoked, is answered like none, and a decoy's like anyone's.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F

from identity.foundation import clock, gate, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    CodeExpired,
    CodeMismatch,
    CodeSpent,
    Misuse,
    TooManyWrongCodes,
)
from identity.foundation.names import uuid7
from pools.models import OneTimeCode, User, UserPool, account_rows
from pools.services import audit
from pools.services.audit import Tag

Purpose = OneTimeCode.Purpose

TRIES = 5
"""Five tries a code and five codes an hour (``messages``): at most 25 guesses an hour among a million."""
LIFE = {
    Purpose.SIGN_UP: timedelta(hours=24),
    Purpose.EMAIL: timedelta(hours=24),
    Purpose.PHONE_NUMBER: timedelta(hours=24),
    Purpose.RECOVERY: timedelta(hours=1),
    Purpose.SECOND_FACTOR: timedelta(minutes=15),
}
"""Of a second factor, the longest that AuthSessionValidity can be: where it is less, the attempt ends sooner."""
COOL_DOWN = timedelta(seconds=60)
"""Before a page asks for a second code; each further one within the hour doubles it. The API sends each time."""
DOUBLINGS = 3
"""At most eight minutes: beyond that the limit of codes in an hour holds (``messages``)."""
LENGTH = 6
STROKES = frozenset("\u2212\u02d7\u2043\u30fc\uff70")
"""What people type for a dash and Unicode calls otherwise: the minus sign, and a Japanese keyboard's long vowel."""
WRITTEN = r"[\p{Nd}\p{Pd}\p{Z}\p{Cf}\s\u2212\u02d7\u2043\u30fc\uff70]*"
"""What :func:`plain` makes digits of, as a browser's ``pattern``."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A code's row after one try was counted; nothing is proven yet."""

    id: UUID
    pool_id: int
    subject: UUID
    purpose: str
    hashed: bytes
    destination: str
    expires_at: datetime
    consumed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Someone knows the code that was sent to ``destination``. Good once: :func:`spend`."""

    id: UUID
    pool_id: int
    hashed: bytes
    destination: str


def plain(code: str) -> str:
    """Return a code as it was sent, however it was typed: in ASCII, without spaces, dashes and what nobody sees."""
    return "".join(
        str(unicodedata.decimal(character, character))
        for character in code
        if unicodedata.category(character) not in ("Pd", "Zs", "Zl", "Zp", "Cf")
        and character not in STROKES
        and not character.isspace()
    )


def life(purpose: str) -> timedelta:
    """Return how long a code of that purpose is good."""
    return LIFE[Purpose(purpose)]


def new() -> str:
    """Return a code that means nothing yet, for a message that is composed before the code is issued."""
    return f"{secrets.randbelow(10**LENGTH):0{LENGTH}d}"


def issue(pool: UserPool, subject_id: UUID, purpose: str, destination: str, code: str = "") -> str:
    """Issue a code, a new one unless given, for a destination; return it. Inside a transaction.

    It takes the place of any older of the same purpose. A decoy's code is issued alike: nobody is told it, and its
    tries count.
    """
    if not connection.in_atomic_block:
        raise Misuse("a code is issued in the transaction that sends it")
    code = code or new()
    now = clock.now()
    OneTimeCode.objects.bulk_create(
        [
            OneTimeCode(
                id=uuid7(),
                pool_id=pool.pk,
                subject=subject_id,
                purpose=purpose,
                hashed=sealing.keyed_hash("code", _bound(pool.pk, subject_id, purpose, code)),
                destination=destination,
                tries=0,
                created_at=now,
                expires_at=now + life(purpose),
                consumed_at=None,
            )
        ],
        update_conflicts=True,
        unique_fields=["pool", "subject", "purpose"],
        update_fields=[
            "hashed",
            "destination",
            "tries",
            "created_at",
            "expires_at",
            "consumed_at",
        ],
    )
    return code


def cool_down(sent: int) -> timedelta:
    """Return how long a page waits after so many codes of one purpose within the hour."""
    return COOL_DOWN * (1 << min(max(0, sent - 1), DOUBLINGS))


def take_try(pool: UserPool, subject_id: UUID, purpose: str) -> Tried:
    """Count one try, committed before the code is looked at: a wrong code never undoes its own strike.

    Raises:
        CodeExpired: no code was asked for, or it is dead.
        TooManyWrongCodes: the code was tried too often.

    """
    gate.outside_transactions("Counting a try")
    rows = OneTimeCode.objects.filter(pool_id=pool.pk, subject=subject_id, purpose=purpose)
    counted = rows.filter(tries__lt=TRIES).update(tries=F("tries") + 1)
    row = rows.first()
    if row is None:
        raise CodeExpired(detail="no code was asked for")
    if not counted:
        raise CodeExpired(detail="dead") if _is_dead(row) else TooManyWrongCodes
    return Tried(
        row.id,
        pool.pk,
        subject_id,
        purpose,
        bytes(row.hashed),
        row.destination,
        row.expires_at,
        row.consumed_at,
    )


def destination(user: User, purpose: str) -> str:
    """Return where somebody's code of a purpose went, while it lives; empty without one."""
    row = OneTimeCode.objects.filter(pool_id=user.pool_id, subject=user.id, purpose=purpose).first()
    return "" if row is None or _is_dead(row) else row.destination


def audit_refusals(
    pool: UserPool, sub: UUID, purpose: str, *, by: Actor, client_id: str = ""
) -> AbstractContextManager[None]:
    """Leave an audit row of each refused code."""
    detail = {"purpose": str(purpose), **({"client_id": client_id} if client_id else {})}
    refused = (CodeMismatch, CodeExpired, TooManyWrongCodes)
    return audit.refusals(Tag.CODE_REFUSED, *refused, pool=pool, subject=sub, by=by, detail=detail)


def check(tried: Tried, code: str, *, nobody: bool = False) -> Proof:
    """Return the proof that a code gives; a decoy's code proves nothing, even where it was guessed.

    Raises:
        CodeMismatch: it is wrong, and there is one that is right.
        CodeSpent: it is right, and was used: whoever knows it may hear so.
        CodeExpired: none is good any more.

    """
    bound = _bound(tried.pool_id, tried.subject, tried.purpose, plain(code))
    is_right = sealing.matches("code", bound, tried.hashed) and not nobody
    if is_right and tried.consumed_at is not None:
        raise CodeSpent(detail="spent")
    if _is_dead(tried):
        raise CodeExpired(detail="dead")
    if not is_right:
        raise CodeMismatch
    return Proof(tried.id, tried.pool_id, tried.hashed, tried.destination)


def spend(proof: Proof) -> bool:
    """Spend a proof; False where another call has, or a newer code took its place. Inside the effect's transaction."""
    if not connection.in_atomic_block:
        raise Misuse("a code is spent in the transaction of its effect")
    spent = OneTimeCode.objects.filter(
        pool_id=proof.pool_id,
        id=proof.id,
        hashed=proof.hashed,
        consumed_at=None,
        expires_at__gt=clock.now(),
    ).update(consumed_at=clock.now())
    return spent == 1


def revoke(user: User, addresses: Collection[str] = (), *, waiting: bool = False) -> None:
    """Kill the codes whose ground a change of password, or of these addresses, takes away. In its transaction.

    A code of recovery, or of a second factor, dies with any such change; one that proves an address, unless that is
    still the person's. ``waiting`` is for addresses that are kept: only what would put others in their place dies.
    """
    if not connection.in_atomic_block:
        raise Misuse("codes are revoked in the transaction of the change")
    proving = [str(each) for each in addresses]
    if proving and not waiting:
        proving.append(Purpose.SIGN_UP.value)
    account_rows.revoke_codes(
        user.pool_id,
        user.id,
        purposes=[] if waiting else [Purpose.RECOVERY.value, Purpose.SECOND_FACTOR.value],
        of_addresses=proving,
        own=[value for value in (user.email, user.phone_number) if value],
        now=clock.now(),
    )


def _is_dead(code: Tried | OneTimeCode) -> bool:
    return code.consumed_at is not None or code.expires_at <= clock.now()


def _bound(pool_pk: int, subject_id: UUID, purpose: str, code: str) -> str:
    return f"{pool_pk}:{subject_id}:{purpose}:{code}"
