"""Passwords: policy, hash, SRP verifier; change, set, and recovery by code.

Argon2id and SRP arithmetic pass the gate and never run inside a transaction. What other systems made of imported
passwords, ``foreign_hashes`` reads.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from django.db import connection
from django.db.models import F

from identity.foundation import clock, gate, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    CodeExpired,
    DomainError,
    Misuse,
    PasswordIncorrect,
    PasswordResetRequired,
    UserDisabled,
    UserNotFound,
    WrongState,
)
from pools.models import AppClient, Password, User, UserPool, account_rows
from pools.models.hot import Credentials
from pools.models.user import Status
from pools.services import (
    access,
    atomic_part,
    audit,
    codes,
    configuration,
    lockout,
    receipts,
    sealing_contexts,
    triggers,
)
from pools.services.audit import Tag
from pools.services.messages import destinations, notices, sending
from pools.services.messages.notices import Change
from pools.services.people import foreign_hashes, password_history, profile, recovery_routes, srp
from pools.services.people.password_history import Remembered
from pools.services.pools.password_policy import LONGEST, check_policy, problems, temporary, temporary_until
from pools.services.receipts import Receipt
from pools.services.triggers import Trigger

# The policy's verbs are this module's too: whoever sets a password finds all it takes here.
__all__ = [
    "LONGEST",
    "NOBODY",
    "Prepared",
    "admin_set",
    "change",
    "check_policy",
    "confirm_forgot",
    "forgot",
    "hashed",
    "is_foreign",
    "problems",
    "remove",
    "replace_foreign",
    "srp_salt",
    "srp_verifier",
    "store",
    "store_first",
    "temporary",
    "temporary_until",
    "verify",
]

# OWASP's list: 7 MiB, five passes, one lane.
HASHER = PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1, hash_len=32, salt_len=16)
NOBODY = "$argon2id$v=19$m=7168,t=5,p=1$Y29nbmF0ZS1ub2JvZHkhIQ$q2mUoN0gX3cJ8b5pDk1vZr7yTtLw4eSaHfBx6KuQiOM"
"""A hash of nothing anyone can type, of the same cost as a real one."""
SIGNS_IN_ELSEWHERE = "User is not authorized to change password."
"""Amazon's words for somebody who has none of their own (amplify-js#2464)."""


NOBODYS = sealing_contexts.verifier("nobody", "nobody")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A password, hashed and ready to be stored; ``pool`` and ``username`` are what the verifier binds."""

    argon2: str
    sealed_verifier: bytes
    pool: str
    username: str
    remembered: Remembered


def srp_salt(pool: UserPool, username: str) -> int:
    """Return the SRP salt of an internal username: the same for people and decoys, whatever was set or changed.

    Its top byte is never zero, since clients disagree about leading zero bytes.
    """
    digest = hmac.digest(configuration.decoy_key(pool), b"srp-salt:" + username.encode(), "sha256")
    return int.from_bytes(digest[:16], "big") | 1 << 120


def srp_verifier(pool: UserPool, found: Credentials, subject: UUID) -> tuple[int, bool]:
    """Return the SRP verifier to reckon with, and whether it is a password's.

    A decoy has one of the pool's decoy key, and so has whoever has no password, an imported one that they have not
    signed in by yet, or one whose verifier binds another pool or name: no password fits it. Both are made for
    everybody, so that neither takes longer.
    """
    seed = hmac.digest(configuration.decoy_key(pool), b"srp-verifier:" + subject.bytes, "sha256")
    nobodys = srp.verifier_of_nobody(seed)
    sealed, name = found.sealed_verifier, found.username
    if sealed is None or name is None or (found.verifier_pool, found.verifier_name) != (pool.public_id, name):
        sealing.unseal(_nobodys_sealed(), place=NOBODYS)
        return nobodys, False
    return int.from_bytes(sealing.unseal(sealed, place=sealing_contexts.verifier(pool.public_id, name)), "big"), True


@lru_cache(maxsize=1)
def _nobodys_sealed() -> bytes:
    """Return a verifier sealed as any other: opening it takes as long as theirs."""
    return sealing.seal(srp.padded(1), place=NOBODYS)


def hashed(pool: UserPool, username: str, password: str) -> Prepared:
    """Return a password hashed for an internal username. Takes some 30 ms behind the gate, outside transactions.

    Raises:
        Overloaded: the gate is full.

    """
    salt = srp_salt(pool, username)
    with gate.slot(pool.public_id):
        argon2 = HASHER.hash(_bytes(password))
        verifier = srp.verifier(pool.public_id, username, password, salt)
    kept = srp.padded(verifier)
    sealed = sealing.seal(kept, place=sealing_contexts.verifier(pool.public_id, username))
    return Prepared(argon2, sealed, pool.public_id, username, password_history.remembered(pool, kept))


def store(
    user: User, prepared: Prepared, *, expires_at: datetime | None = None, changed_at: datetime | None = None
) -> None:
    """Write a prepared password inside the caller's transaction; ``expires_at`` for a temporary one.

    ``changed_at`` is the present moment, for who has to know it beforehand. Codes for a new one that are still out die
    with the old.
    """
    store_first(user, prepared, expires_at=expires_at, changed_at=changed_at)
    codes.revoke(user)


def store_first(
    user: User, prepared: Prepared, *, expires_at: datetime | None = None, changed_at: datetime | None = None
) -> None:
    """Write the password of somebody who was made in the caller's transaction, and has no code yet."""
    if not connection.in_atomic_block:
        raise Misuse("a password is stored in the transaction of its cause")
    if prepared.username != user.username:
        raise Misuse("a verifier binds the internal username")
    now = changed_at or clock.now()
    password_history.keep(user, prepared.remembered, now=now)
    account_rows.store_password(
        user=user.id,
        pool=user.pool_id,
        argon2=prepared.argon2,
        verifier=prepared.sealed_verifier,
        verifier_pool=prepared.pool,
        verifier_name=prepared.username,
        expires_at=expires_at,
        changed_at=now,
    )


def is_foreign(encoded: str | None) -> bool:
    """Say whether what is kept of a password is an imported hash: who signs in by it gets one of our own."""
    return foreign_hashes.is_one(encoded)


def replace_foreign(user: User, foreign: str, own: Prepared) -> None:
    """Put our own hash and verifier of the same password in the place of an imported hash, if that is still there.

    In the caller's transaction, which holds the user. Nothing else follows: the password is as old as it was, and their
    sessions and tokens as good.
    """
    Password.objects.filter(pool_id=user.pool_id, user_id=user.id, argon2=foreign).update(
        argon2=own.argon2, sealed_verifier=own.sealed_verifier, verifier_pool=own.pool, verifier_name=own.username
    )


def remove(user: User) -> None:
    """Take somebody's password away inside the caller's transaction, and what is remembered of others before it."""
    Password.objects.filter(pool_id=user.pool_id, user_id=user.id).delete()
    password_history.forget(user)


def verify(pool_id: str, encoded: str | None, password: str) -> bool:
    """Say whether a password matches; without a hash (a decoy, no password set) it takes as long and says no.

    An imported hash takes as long as its own algorithm does.

    Raises:
        Overloaded: the gate is full.

    """
    known = encoded if encoded and len(password) <= LONGEST else None
    with gate.slot(pool_id):
        if known and is_foreign(known):
            return foreign_hashes.matches(known, _bytes(password))
        try:
            HASHER.verify(known or NOBODY, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return known is not None


def has_one(pool: UserPool, user_id: UUID) -> bool:
    """Say whether somebody has a password."""
    return Password.objects.filter(pool_id=pool.pk, user_id=user_id).exists()


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def change(
    pool: UserPool,
    user: User,
    *,
    previous: str | None,
    proposed: str,
    receipt: Receipt | None = None,
    by: Actor,
) -> None:
    """Change a signed-in person's own password. Their tokens stay good.

    Raises:
        PasswordRejected: the new one breaks the policy, or is one of the last.
        PasswordIncorrect: the previous one is wrong, missing, or was changed meanwhile.
        LockedOut: too many wrong ones.
        PasswordResetRequired: an operator ended the old password.
        WrongState: they sign in with an identity provider, and have none.
        Overloaded: the gate is full; nothing was counted.

    """
    check_policy(pool, proposed)
    present = Password.objects.filter(pool_id=pool.pk, user_id=user.id).values_list("argon2", "changed_at")
    encoded, changed_at = present.first() or (None, None)
    if user.status == Status.RESET_REQUIRED:
        raise PasswordResetRequired
    if user.status == Status.EXTERNAL_PROVIDER:
        raise WrongState(SIGNS_IN_ELSEWHERE)
    asked = encoded is not None or previous is not None
    with gate.slot(pool.public_id):  # first, and for both hashes: whoever is turned away there has not guessed
        if asked:
            lockout.take_guess(pool, user.id, lockout.Kind.PASSWORD, words=lockout.LIMIT)
        right = not asked or verify(pool.public_id, encoded, previous or "")
        prepared = hashed(pool, user.username, proposed) if right else None
        # Only what has a verifier is remembered, and not chosen again.
        is_to_remember = right and pool.password_history_size and is_foreign(encoded)
        own = hashed(pool, user.username, previous or "") if is_to_remember else None
    if prepared is None:
        audit.record(Tag.PASSWORD_REFUSED, pool=pool, subject=user.sub, by=by, outcome="refused")
        raise PasswordIncorrect
    notice = notices.prepare(pool, user, Change.PASSWORD, by=by)
    with password_history.audit_refusals(pool, user.sub, by=by), atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        _, last_changed_at = present.first() or (None, None)
        if not locked.enabled:
            part.refuse(UserDisabled())
        if locked.status == Status.RESET_REQUIRED:
            part.refuse(PasswordResetRequired())  # ended meanwhile
        if locked.status == Status.EXTERNAL_PROVIDER:
            part.refuse(WrongState(SIGNS_IN_ELSEWHERE))  # disabled meanwhile
        if last_changed_at != changed_at:  # an imported hash may have been replaced, and the password is the same
            part.refuse(PasswordIncorrect(detail="changed meanwhile"))
        if own is not None and encoded is not None:
            replace_foreign(locked, encoded, own)
        lockout.clear(pool, user.id, lockout.Kind.PASSWORD)
        # The previous one was right: that is no wrong guess, whatever becomes of the new one.
        part.refuse_if(password_history.refusal(locked, prepared.remembered), keeping=True)
        part.refuse_if(receipts.keep(receipt))
        store(locked, prepared)
        audit.record(Tag.PASSWORD_CHANGED, pool=pool, subject=user.sub, by=by, detail={"method": "own"})
        notices.send(notice)


def admin_set(pool: UserPool, user: User, password: str, *, permanent: bool, by: Actor) -> None:
    """Set someone's password: permanent confirms the account, temporary makes them choose their own at sign-in.

    Raises:
        PasswordRejected: it breaks the policy, or is one of the last.
        UserNotFound: the user was deleted meanwhile.

    """
    check_policy(pool, password)
    prepared = hashed(pool, user.username, password)
    change = Change.PASSWORD_BY_OPERATOR if permanent else Change.TEMPORARY_PASSWORD
    notice = notices.prepare(pool, user, change, by=by)
    with password_history.audit_refusals(pool, user.sub, by=by), atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        part.refuse_if(password_history.refusal(locked, prepared.remembered))
        status = Status.CONFIRMED if permanent else Status.FORCE_CHANGE_PASSWORD
        store(locked, prepared, expires_at=None if permanent else temporary_until(pool))
        account_rows.set_status(pool.pk, user.id, status.value, clock.now())
        lockout.clear(pool, user.id, lockout.Kind.PASSWORD)
        detail = {"method": "operator", "permanent": permanent}
        audit.record(Tag.PASSWORD_CHANGED, pool=pool, subject=user.sub, by=by, detail=detail)
        notices.send(notice)


def forgot(client: AppClient, username: str, *, receipt: Receipt | None = None, by: Actor) -> destinations.Delivery:
    """Send a recovery code, where the account has a verified address; unknown users are told the same.

    Raises:
        UserNotFound: nobody of that name, said only where the client shows existence.
        UserDisabled, WrongState, Invalid: the account cannot be recovered, said only there too.
        TooManyAttempts: too many messages lately, counted alike for every name.

    """
    pool = client.pool
    channels = recovery_routes.channels(pool)
    subject = access.user_or_decoy(client, username)
    found = recovery_routes.of(pool, subject.user) if subject.user is not None else UserNotFound()
    if isinstance(found, DomainError) and not client.hide_existence:
        raise found
    route = None if isinstance(found, DomainError) else found
    sending.send_code(client, subject, codes.Purpose.RECOVERY, name=username, route=route, receipt=receipt, by=by)
    if route is not None:
        return destinations.delivery(*route)
    likely = sorted(channels, key=lambda channel: destinations.ATTRIBUTE[channel] not in pool.auto_verified)
    return destinations.simulated(username, access.decoy(pool, username).id, likely)


def confirm_forgot(
    client: AppClient, username: str, *, code: str, password: str, receipt: Receipt | None = None, by: Actor
) -> User:
    """Set a new password, given the code that was sent. Every session of before ends: whoever had the account is out.

    Raises:
        PasswordRejected: the new one breaks the policy, or is one of the last; the code is good still.
        UserNotFound: nobody of that name, said only where the client shows existence.
        CodeMismatch, CodeExpired, TooManyWrongCodes: the code proves nothing.

    """
    pool = client.pool
    check_policy(pool, password)
    subject = access.user_or_decoy(client, username)
    if subject.user is None and not client.hide_existence:
        raise UserNotFound
    tried = codes.take_try(pool, subject.id, codes.Purpose.RECOVERY)
    with codes.audit_refusals(pool, subject.sub, codes.Purpose.RECOVERY, by=by, client_id=client.client_id):
        proof = codes.check(tried, code, nobody=subject.user is None or not tried.destination)
    prepared = hashed(pool, subject.username, password)
    notice = notices.prepare(pool, subject.user, Change.PASSWORD, by=by) if subject.user is not None else None
    with password_history.audit_refusals(pool, subject.sub, by=by), atomic_part.begin() as part:
        user = access.locked_user(pool, subject.user)
        if user is None or not user.enabled or user.status not in recovery_routes.RECOVERABLE:
            part.refuse(CodeExpired(detail="the account changed meanwhile"))
        if proof.destination not in profile.verified(user):
            part.refuse(CodeExpired(detail="the address changed meanwhile"))
        if not codes.spend(proof):
            part.refuse(CodeExpired(detail="spent meanwhile"))
        part.refuse_if(receipts.keep(receipt) or password_history.refusal(user, prepared.remembered))
        store(user, prepared)
        User.objects.filter(pool_id=pool.pk, id=user.id).update(
            status=Status.CONFIRMED, epoch=F("epoch") + 1, modified_at=clock.now()
        )
        lockout.clear(pool, user.id, lockout.Kind.PASSWORD)
        triggers.check(pool, Trigger.POST_CONFIRMATION)
        detail = {"method": "code", "client_id": client.client_id}
        audit.record(Tag.PASSWORD_RESET, pool=pool, subject=user.sub, by=by, detail=detail)
        notices.send(notice)
    return user
