"""The last passwords of people, where a pool has them not chosen again: a keyed hash each, never the password.

What is hashed is the SRP verifier, whose salt is constant for each person, so that the same password is the same hash
for one person and for nobody else. The key follows from the pool's permanent one: it lasts as long as the salts do.
Setting a password, and who may, is ``passwords``.
"""

from __future__ import annotations

import hmac
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from identity.foundation import sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import PasswordRejected
from pools.models import Password, PasswordHistory, User, UserPool
from pools.models.deletion import delete
from pools.services import audit, configuration, sealing_contexts
from pools.services.audit import Tag

PURPOSE = "password-history"


class PasswordReused(PasswordRejected):
    """The new password is one of the person's last ones."""

    public = "Password has previously been used"


class Remembered(NamedTuple):
    """A new password as a pool remembers it."""

    pool: UserPool
    keyed_hash: bytes


def remembered(pool: UserPool, verifier: bytes) -> Remembered:
    """Return what a pool remembers of a password, given its SRP verifier."""
    key = sealing.derive(configuration.decoy_key(pool), PURPOSE)
    return Remembered(pool, hmac.digest(key, verifier, "sha256"))


def refusal(user: User, new: Remembered) -> PasswordReused | None:
    """Return the refusal of a password that is one of somebody's last ones, the present one with them.

    Whoever then sets it holds the user's row, so that of two who set the same one is refused.
    """
    pool = new.pool
    if not pool.password_history_size:
        return None
    last = [bytes(each) for each in _newest(pool, user).values_list("keyed_hash", flat=True)]
    present = _present(pool, user)
    if present is not None and bytes(present.keyed_hash) not in last:  # set before passwords were remembered here
        last = [bytes(present.keyed_hash), *last][: pool.password_history_size]
    return PasswordReused() if new.keyed_hash in last else None


def check(user: User, new: Remembered) -> None:
    """Check a password before the transaction that sets it, which asks again.

    Raises:
        PasswordReused: it is one of somebody's last ones.

    """
    if (reused := refusal(user, new)) is not None:
        raise reused


def audit_refusals(pool: UserPool, sub: UUID, *, by: Actor) -> AbstractContextManager[None]:
    """Leave an audit row of each password that is refused for this."""
    detail = {"reason": "reused"}
    return audit.refusals(Tag.PASSWORD_REFUSED, PasswordReused, pool=pool, subject=sub, by=by, detail=detail)


def keep(user: User, new: Remembered, *, now: datetime) -> None:
    """Remember a password in the transaction that sets it, before it takes the present one's place; forget the oldest.

    The present one is remembered with it: it may have been set before passwords were remembered here.
    """
    pool = new.pool
    if not pool.password_history_size:
        return
    rows = [PasswordHistory(pool_id=pool.pk, user_id=user.id, keyed_hash=new.keyed_hash, set_at=now)]
    present = _present(pool, user)
    if present is not None and present.keyed_hash != new.keyed_hash:
        rows.append(present)
    PasswordHistory.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["pool", "user", "keyed_hash"],
        update_fields=["set_at"],
    )
    delete(_of(user).exclude(pk__in=_newest(pool, user).values("pk")))


def forget(user: User) -> None:
    """Forget all passwords of somebody, in the transaction that takes the present one away."""
    delete(_of(user))


def _of(user: User) -> QuerySet[PasswordHistory]:
    return PasswordHistory.objects.filter(pool_id=user.pool_id, user_id=user.id)


def _newest(pool: UserPool, user: User) -> QuerySet[PasswordHistory]:
    since = _of(user).filter(set_at__gte=pool.password_history_since)
    return since.order_by("-set_at", "-id")[: pool.password_history_size]


def _present(pool: UserPool, user: User) -> PasswordHistory | None:
    """Return the row of somebody's present password, as of when passwords began to be remembered if it is older.

    None where it was imported, and nobody has signed in by it: what has no verifier cannot be remembered.
    """
    row = Password.objects.filter(pool_id=pool.pk, user_id=user.id).first()
    if row is None or row.sealed_verifier is None:
        return None
    place = sealing_contexts.verifier(row.verifier_pool, row.verifier_name)
    keyed_hash = remembered(pool, sealing.unseal(row.sealed_verifier, place=place)).keyed_hash
    set_at = max(row.changed_at, pool.password_history_since or row.changed_at)
    return PasswordHistory(pool_id=pool.pk, user_id=user.id, keyed_hash=keyed_hash, set_at=set_at)
