"""What is done without being asked: purge what is over or deleted, make and drop partitions, re-seal secrets.

Each verb works in short transactions and may run twice at once, which a purge does not; who calls them when is
``pools.tasks``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models.functions import Now

from identity.foundation import clock, sealing
from identity.foundation.names import moment_of, uuid7_floor
from identity.models import AccessKey, OperatorSeed
from pools.models import (
    AppClient,
    Attempt,
    AuditEvent,
    AuditPersonal,
    AuthorizationCode,
    BrowserSession,
    CapturedMessage,
    ClientSecret,
    EncryptionKey,
    ExternalLogin,
    FormReceipt,
    Group,
    Guess,
    Identity,
    IdentityLogin,
    IdentityPool,
    IdentityProvider,
    Interaction,
    Membership,
    OneTimeCode,
    OutboxMessage,
    Password,
    PasswordHistory,
    PeriodicTask,
    PoolDomain,
    PrincipalTagMap,
    ProviderIdentifier,
    RefreshFamily,
    ResourceServer,
    SamlApplication,
    SamlParticipant,
    SigningCertificate,
    SigningKey,
    SignInName,
    TotpFactor,
    UpstreamSession,
    UsedProof,
    User,
    UserImportChunk,
    UserImportJob,
    UserImportLine,
    UserPool,
    locks,
    partitions,
)
from pools.models.deletion import delete
from pools.services import audit, sealing_contexts

log = structlog.get_logger(__name__)
CHUNK = 500
PASSES = 40
"""Chunks of one table in one run: a run ends, the next goes on."""
POOLS = 200
"""Deleted pools in one run, those first that were deleted first."""
PURGE = "purge"
UNKNOWN_CALLERS = "strangers_purged"
"""Its ``due_at`` is the time before which no audit row of an unknown caller is left."""
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_CHUNK = timedelta(minutes=10)
"""After this a run counts as dead, and another begins."""
KEPT = timedelta(days=1)
"""How long an expired row stays for those who look for the reason of a refusal."""
NOTICED = timedelta(minutes=5)
"""How long a deleted pool stays, by whose row every process hears of its end (``hot.MOVED``: two minutes)."""
CAPTURED = timedelta(days=7)
QUIET = timedelta(minutes=15)
SPENT_DAYS = 3
RESEALED = timedelta(days=1)
AHEAD_DAYS = 3
AHEAD_MONTHS = 2

# Everything that hangs on a user or a pool, leaves first: foreign keys have no cascade.
OF_A_USER: tuple[tuple[type[models.Model], str], ...] = (
    (Password, "user_id"),
    (PasswordHistory, "user_id"),
    (TotpFactor, "user_id"),
    (Membership, "user_id"),
    (SignInName, "user_id"),
    (ExternalLogin, "user_id"),
    (RefreshFamily, "user_id"),
    (AuthorizationCode, "user_id"),
    (Attempt, "user_id"),
    (SamlParticipant, "user_id"),
    (BrowserSession, "user_id"),
    (OneTimeCode, "subject"),
    (Guess, "subject"),
)
OF_A_POOL: tuple[type[models.Model], ...] = (
    Password,
    PasswordHistory,
    TotpFactor,
    Membership,
    SignInName,
    ExternalLogin,
    RefreshFamily,
    AuthorizationCode,
    Attempt,
    SamlParticipant,
    BrowserSession,
    OneTimeCode,
    Guess,
    Interaction,
    FormReceipt,
    UserImportChunk,
    UserImportLine,
    UserImportJob,
    Group,
    User,
    ClientSecret,
    SamlApplication,
    AppClient,
    ProviderIdentifier,
    IdentityProvider,
    ResourceServer,
    PoolDomain,
    EncryptionKey,
    UpstreamSession,
    UsedProof,
    SigningCertificate,
    SigningKey,
)
OF_AN_IDENTITY_POOL: tuple[type[models.Model], ...] = (IdentityLogin, Identity, PrincipalTagMap)


# Every column whose values a master key wraps, and the place of a row's value.
SEALED: tuple[tuple[type[models.Model], str, Callable[[Any], str]], ...] = (
    (UserPool, "sealed_decoy_key", lambda row: sealing_contexts.decoy_key(row.public_id)),
    (ClientSecret, "sealed", lambda row: sealing_contexts.client_secret(row.id)),
    (IdentityProvider, "sealed_details", lambda row: sealing_contexts.provider_details(row.id)),
    (SigningKey, "sealed_private", lambda row: sealing_contexts.signing_key(row.kid)),
    (SigningCertificate, "sealed_private", lambda row: sealing_contexts.certificate(row.id)),
    (EncryptionKey, "sealed_private", lambda row: sealing_contexts.encryption_key(row.id)),
    (UpstreamSession, "sealed", lambda row: sealing_contexts.upstream_session(row.id)),
    (TotpFactor, "sealed_seed", lambda row: sealing_contexts.totp_seed(row.user_id)),
    (TotpFactor, "sealed_pending", lambda row: sealing_contexts.totp_seed(row.user_id)),
    (Password, "sealed_verifier", lambda row: sealing_contexts.verifier(row.verifier_pool, row.verifier_name)),
    (AccessKey, "sealed_secret", lambda row: sealing_contexts.access_key(row.id)),
    (OperatorSeed, "sealed", lambda row: sealing_contexts.operator_seed(row.device.user_id, row.device.key)),
    (OutboxMessage, "sealed", lambda row: sealing_contexts.message(row.id)),
    (UserImportChunk, "sealed", lambda row: sealing_contexts.user_import(row.id)),
)


def take_turn(name: str, every: timedelta) -> bool:
    """Say whether a periodic task is to run now: once in a while, however many beats ask."""
    with transaction.atomic():
        if not locks.try_hold(f"periodic:{name}"):
            return False
        PeriodicTask.objects.bulk_create([PeriodicTask(name=name)], ignore_conflicts=True)
        due = PeriodicTask.objects.filter(name=name, due_at__lte=Now())
        return due.update(due_at=Now() + every) == 1


def purge() -> int:
    """Remove what is over: expired codes, attempts, sessions and families, quiet guesses, tombstones. Return rows.

    One at a time: while another is at it, nothing is done. Its turn goes on with each chunk.
    """
    if not take_turn(PURGE, LONGEST_CHUNK):
        return 0
    try:
        return _purge()
    finally:
        _keep_turn(timedelta(0))


def _keep_turn(time: timedelta) -> None:
    """Keep the turn that a purge has for so long from now."""
    PeriodicTask.objects.filter(name=PURGE, due_at__gt=Now()).update(due_at=Now() + time)


def _purge() -> int:
    now = clock.now()
    expired, guests = now - KEPT, timedelta(days=settings.GUEST_DAYS)
    removed = sum(
        _in_chunks(rows)
        for rows in (
            OneTimeCode.objects.filter(expires_at__lt=expired),
            AuthorizationCode.objects.filter(expires_at__lt=expired),
            Attempt.objects.filter(expires_at__lt=expired),
            BrowserSession.objects.filter(expires_at__lt=expired),
            SamlParticipant.objects.filter(expires_at__lt=expired),
            RefreshFamily.objects.filter(expires_at__lt=expired),
            Interaction.objects.filter(expires_at__lt=expired),
            UpstreamSession.objects.filter(expires_at__lt=now),
            UsedProof.objects.filter(expires_at__lt=now),
            FormReceipt.objects.filter(expires_at__lt=now),  # nobody looks for the reason of an acceptance
            Guess.objects.filter(last_at__lt=now - QUIET).filter(
                models.Q(locked_until=None) | models.Q(locked_until__lt=now)
            ),
            Identity.objects.filter(unused=True, member=False, id__lt=_first_id(now - guests)),
            CapturedMessage.objects.filter(created_at__lt=now - CAPTURED),
            # Operators' only: nobody else has a session of Django's.
            Session.objects.filter(expire_date__lt=now),
        )
    )
    return removed + purge_password_history() + purge_users() + purge_pools() + purge_unknown_callers()


def _in_chunks(rows: models.QuerySet[models.Model]) -> int:
    """Delete rows a chunk at a time, each in a transaction of its own, without Django's collector."""
    removed = 0
    for _ in range(PASSES):
        _keep_turn(LONGEST_CHUNK)
        keys = list(rows.order_by().values_list("pk", flat=True)[:CHUNK])
        if keys:
            # The condition again: a row may have come to life since it was read.
            removed += delete(rows.filter(pk__in=keys))
        if len(keys) < CHUNK:
            break
    return removed


def purge_password_history() -> int:
    """Remove what is noted of passwords where that was switched off since."""
    off = models.functions.Coalesce(models.OuterRef("password_history_since"), Now())
    stale = models.Exists(PasswordHistory.objects.filter(pool_id=models.OuterRef("pk"), set_at__lt=off))
    pools = UserPool.objects.filter(stale).values_list("pk", "password_history_since")
    return sum(
        _in_chunks(PasswordHistory.objects.filter(pool_id=pool_id, set_at__lt=since or clock.now()))
        for pool_id, since in pools
    )


def purge_users() -> int:
    """Remove deleted users with all that hangs on them, a chunk at a time."""
    removed = 0
    for _ in range(PASSES):
        _keep_turn(LONGEST_CHUNK)
        dead = list(User.objects.exclude(deleted_at=None).order_by("deleted_at").values_list("id", "pool_id")[:CHUNK])
        if dead:
            with transaction.atomic():
                pools = {pool_id for _, pool_id in dead}
                users = [user_id for user_id, _ in dead]
                for table, column in OF_A_USER:
                    delete(table.objects.filter(pool_id__in=pools, **{f"{column}__in": users}))  # type: ignore[attr-defined]
                removed += delete(User.objects.filter(pool_id__in=pools, id__in=users).exclude(deleted_at=None))
        if len(dead) < CHUNK:
            break
    return removed


def purge_pools() -> int:
    """Remove deleted pools of which all processes know, a chunk of rows at a time, the pool's own row last."""
    before = clock.now() - NOTICED
    return _purge_pools(UserPool.objects.filter(deleted_at__lt=before), OF_A_POOL) + _purge_pools(
        IdentityPool.objects.filter(deleted_at__lt=before), OF_AN_IDENTITY_POOL
    )


def _purge_pools(gone: models.QuerySet[Any], tables: Sequence[type[models.Model]]) -> int:
    removed = 0
    for pool_id in gone.order_by("deleted_at").values_list("pk", flat=True)[:POOLS]:
        if all(_emptied(table, pool_id) for table in tables):
            removed += delete(gone.filter(pk=pool_id))
    return removed


def _emptied(table: type[models.Model], pool_id: int) -> bool:
    rows = table.objects.filter(pool_id=pool_id)  # type: ignore[attr-defined]
    _in_chunks(rows)
    return not rows.exists()


def purge_unknown_callers() -> int:
    """Remove the audit rows that unknown callers caused, by their age, with their side rows; return how many.

    All others stay, so that a run begins where the last one ended, and reads no row twice.
    """
    until = clock.now() - timedelta(days=settings.UNKNOWN_CALLER_AUDIT_DAYS)
    PeriodicTask.objects.bulk_create([PeriodicTask(name=UNKNOWN_CALLERS, due_at=BEGINNING)], ignore_conflicts=True)
    began = PeriodicTask.objects.get(name=UNKNOWN_CALLERS).due_at
    rows = audit.of_unknown_callers().filter(id__gte=_first_id(began), id__lt=_first_id(until)).order_by("id")
    removed = 0
    for _ in range(PASSES):
        _keep_turn(LONGEST_CHUNK)
        keys = list(rows.values_list("id", flat=True)[:CHUNK])
        seen = moment_of(keys[-1]) if len(keys) == CHUNK else until
        with transaction.atomic():
            if keys:
                for table in (AuditPersonal, AuditEvent):
                    delete(table.objects.filter(id__in=keys))
            PeriodicTask.objects.filter(name=UNKNOWN_CALLERS, due_at__lt=seen).update(due_at=seen)
        removed += len(keys)
        if len(keys) < CHUNK:
            break
        rows = rows.filter(id__gt=keys[-1])
    return removed


def _first_id(moment: datetime) -> UUID:
    return uuid7_floor(int(moment.timestamp() * 1000))


def make_partitions(today: date | None = None) -> list[str]:
    """Make the partitions of the days and months to come, drop those that are over; return what was made.

    What the default partition took, when none was made in time, goes by its age, a chunk at a time.
    """
    today = today or clock.now().date()
    made = [
        name
        for table, spans in (
            ("spent", partitions.days(today, AHEAD_DAYS)),
            *((table, partitions.months(today, AHEAD_MONTHS)) for table in partitions.MONTHLY),
        )
        for name in partitions.make(table, spans)
    ]
    for table, days in retention().items():
        first_kept = today - timedelta(days=days)
        partitions.drop_before(table, first_kept)
        for _ in range(PASSES):
            if partitions.delete_stray(table, first_kept, CHUNK) < CHUNK:
                break
    return made


def retention() -> dict[str, int]:
    """Return after how many days rows go, by table. Audit rows are not named: they stay, or go one by one."""
    return {"spent": SPENT_DAYS, "outbox": settings.OUTBOX_DAYS, "auth_event": settings.SIGN_IN_EVENT_DAYS}


def reseal() -> int:
    """Wrap every sealed column by the newest master key; return how many values were wrapped anew.

    What a pass has seen to its end is not read again for a day: then for what a process sealed that had not been
    restarted with the new key.
    """
    done = PeriodicTask(name=f"resealed:{sealing.keyed_hash('resealed', '').hex()}")  # of this key, whatever its name
    if PeriodicTask.objects.filter(name=done.name, due_at__gt=Now()).exists():
        return 0
    wrapped = sum(_reseal(table, column, place) for table, column, place in SEALED)
    PeriodicTask.objects.bulk_create([done], ignore_conflicts=True)
    PeriodicTask.objects.filter(name=done.name).update(due_at=Now() + RESEALED)
    log.info("reseal_done", sealing_key_id=sealing.master_keys()[0].id, values=wrapped)
    return wrapped


def _reseal(table: type[models.Model], column: str, place: Callable[[Any], str]) -> int:
    # A value names the key that wraps it in its head: rows of another head are those to wrap anew.
    key = sealing.master_keys()[0].id.encode()
    head = sealing.FORMAT + bytes([len(key)]) + key
    rows = table.objects.exclude(**{f"{column}": None}).annotate(  # type: ignore[attr-defined]
        head=models.Func(models.F(column), 1, len(head), function="substring", output_field=models.BinaryField())
    )
    stale, wrapped = rows.exclude(head=head).order_by("pk"), 0
    chunk = list(stale[:CHUNK])
    while chunk:
        wrapped += sum(_reseal_row(row, column, place(row)) for row in chunk)
        chunk = list(stale.filter(pk__gt=chunk[-1].pk)[:CHUNK])
    return wrapped


def _reseal_row(row: models.Model, column: str, place: str) -> int:
    before = bytes(getattr(row, column))
    try:
        after = sealing.reseal(before, place=place) or before
    except sealing.Unsealable as problem:
        log.exception("reseal_failed", table=row._meta.db_table, row=str(row.pk), problem=problem.detail)  # noqa: SLF001 - the table's name
        return 0
    # Only if nobody wrote it meanwhile.
    return int(type(row).objects.filter(pk=row.pk, **{column: before}).update(**{column: after}))  # type: ignore[attr-defined]
