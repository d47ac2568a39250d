"""User pools: made, told, deleted; their second factors."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from identity.foundation import clock, later, names, paging, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    Invalid,
)
from identity.foundation.paging import Page
from identity.foundation.task_names import Task
from pools.models import PoolDomain, User, UserPool
from pools.services import access, atomic_part, audit, configuration, receipts, sealing_contexts
from pools.services.audit import Tag
from pools.services.pools import pool_rules, pool_settings, resource_servers, running_imports, schema, signing_keys
from pools.services.receipts import Receipt

PROTECTED = (
    "The user pool cannot be deleted because deletion protection is activated. "
    "Deletion protection must be inactivated first."
)
HAS_DOMAIN = "User pool cannot be deleted. It has a domain configured that should be deleted first."
AUTHENTICATOR = "software_token_mfa_configuration"
COUNTED = 1000
"""Users up to this many are counted; beyond it the planner's estimate serves."""


def create(name: str, *, settings: Mapping[str, Any], receipt: Receipt | None = None, by: Actor) -> UserPool:
    """Make a pool with its keys, and Cognito's defaults for what is not given.

    Raises:
        Invalid, NotAvailable: a setting breaks a rule, or asks for what this release has not.
        AlreadyAccepted: the form that asks for it was accepted before.

    """
    now = clock.now()
    pool = UserPool(public_id=names.pool_id(), created_at=now, modified_at=now)
    pool_settings.TABLE.apply(pool, {"pool_name": name, **settings})
    pool.sealed_decoy_key = sealing.seal(os.urandom(32), place=sealing_contexts.decoy_key(pool.public_id))
    keys = signing_keys.prepare()
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        pool.save(force_insert=True)
        signing_keys.store(pool, keys)
        resource_servers.keep_own(pool, by=by)
        audit.record(Tag.POOL_CREATED, pool=pool, subject=pool.public_id, by=by, detail={"name": name})
        configuration.touch(pool)
    pool_settings.TABLE.warn(pool)
    return pool


Changes = Mapping[str, Any] | Callable[[UserPool], Mapping[str, Any]]


def update(
    pool: UserPool, changes: Changes, *, whole: bool = False, receipt: Receipt | None = None, by: Actor
) -> UserPool:
    """Change settings of a pool, named as in :func:`create`; ``whole``, what is left out goes back to its default.

    Changes may be a function of the pool as it is: nobody else changes it until they are written.

    Raises:
        Invalid, NotAvailable: a setting breaks a rule, cannot be changed, or asks for what this release has not.
        PoolNotFound: the pool was deleted meanwhile.
        ImportInProgress: it is to change as a whole while users are imported.
        AlreadyAccepted: the form that asks for it was accepted before.

    """
    table = pool_settings.TABLE
    given = table.read({} if callable(changes) else changes)
    with atomic_part.begin() as part:
        row = access.lock_pool(part, pool)
        if callable(changes):
            given = table.read(changes(row))
        replaced: Collection[str] = ()
        if whole:
            part.refuse_if(running_imports.refusal(pool))
            given = table.read({**pool_rules.implied(table.now(row), given), **given})
            replaced = pool_rules.replaced(table.settings, given)
        part.refuse_if(next(table.problems_of_change(row, given, whole=replaced), None))
        part.refuse_if(receipts.keep(receipt))
        columns, changed = table.change(row, given, whole=replaced)
        if changed:
            UserPool.objects.filter(pk=pool.pk).update(**columns, modified_at=clock.now())
            resource_servers.keep_own(row, by=by)
            detail = {"changed": changed}
            audit.record(Tag.POOL_CHANGED, pool=pool, subject=pool.public_id, by=by, detail=detail)
            configuration.touch(pool)
        if columns.get("password_history_size") == 0:
            later.after_commit(Task.PURGE, queue="tasks")
    table.warn(row)
    return UserPool.objects.get(pk=pool.pk)


def delete(pool: UserPool, *, by: Actor) -> None:
    """Delete a pool: it is gone at once, its rows are purged in chunks.

    Raises:
        Invalid: it is protected against deletion, or has a domain.
        ImportInProgress: users are being imported.
        PoolNotFound: it was deleted meanwhile.

    """
    with atomic_part.begin() as part:
        locked = access.lock_pool(part, pool)
        if locked.deletion_protected:
            part.refuse(Invalid(PROTECTED, field="user_pool_id"))
        if PoolDomain.objects.filter(pool_id=pool.pk).exists():
            part.refuse(Invalid(HAS_DOMAIN, field="user_pool_id"))
        part.refuse_if(running_imports.refusal(pool))
        UserPool.objects.filter(pk=pool.pk).update(deleted_at=clock.now(), modified_at=clock.now())
        detail = {"name": locked.name}
        audit.record(Tag.POOL_DELETED, pool=pool, subject=pool.public_id, by=by, detail=detail)
        configuration.touch(pool)
        later.after_commit(Task.PURGE, queue="tasks")


def page(limit: int, token: str | None) -> Page[UserPool]:
    """Return a page of the installation's pools in the order they were made."""
    start = paging.read(token, purpose="pools")
    rows = UserPool.objects.filter(deleted_at=None).order_by("id")
    if start:
        rows = rows.filter(id__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda pool: [pool.pk], purpose="pools")


def mfa_configuration(pool: UserPool) -> dict[str, Any]:
    """Return the pool's second factors as GetUserPoolMfaConfig tells them, and what is kept of passkeys."""
    told = {"mfa_configuration": str(pool.mfa), pool_rules.PASSKEYS: pool.configuration.get(pool_rules.PASSKEYS)}
    if pool.mfa != UserPool.Mfa.OFF:
        given = pool.configuration.get(AUTHENTICATOR)
        told[AUTHENTICATOR] = {"enabled": pool.totp_enabled} if given or pool.totp_enabled else None
        if pool.sms_enabled:
            by_sms = ("sms_authentication_message", "sms_configuration")
            told["sms_mfa_configuration"] = {name: pool.configuration.get(name) for name in by_sms}
        told[pool_rules.MAIL_FACTOR] = pool.configuration.get(pool_rules.MAIL_FACTOR)
    return {name: value for name, value in told.items() if value is not None}


def set_mfa(pool: UserPool, *, settings: Mapping[str, Any], by: Actor) -> UserPool:
    """Replace the pool's second factors, and what is kept of passkeys.

    Raises:
        Invalid: factors and mode contradict each other.
        NotAvailable: nothing here sends SMS.
        PoolNotFound: the pool was deleted meanwhile.

    """
    table = pool_settings.TABLE
    given = table.read({pool_rules.MODE: UserPool.Mfa.OFF, **settings})
    sender = {setting.name for setting in table.settings if setting.name.startswith(pool_rules.SMS_SENDER)}
    # A structure that is given takes the old one's place.
    owned = {*pool_rules.OF_SECOND_FACTORS, *(sender if sender & given.keys() else ())}
    with atomic_part.begin() as part:
        row = access.lock_pool(part, pool)
        part.refuse_if(next(table.problems_of_change(row, given, whole=owned), None))
        # Here each kind has a word: a role for SMS that is set means none.
        part.refuse_if(next(pool_rules.second_factor_has_a_kind(given), None))
        columns, _ = table.change(row, given, whole=owned)
        UserPool.objects.filter(pk=pool.pk).update(**columns, modified_at=clock.now())
        detail = {"mfa": str(row.mfa), "totp": row.totp_enabled, "sms": row.sms_enabled}
        audit.record(Tag.MFA_SET, pool=pool, subject=pool.public_id, by=by, detail=detail)
        configuration.touch(pool)
    table.warn(row)
    return UserPool.objects.get(pk=pool.pk)


def schema_attributes(pool: UserPool) -> list[dict[str, Any]]:
    """Return the pool's attributes as Cognito describes them: the standard twenty, then the pool's own."""
    return [rule.described() for rule in schema.rules(pool).values()]


def add_attributes(pool: UserPool, entries: list[Mapping[str, Any]], *, by: Actor) -> None:
    """Add custom attributes to a pool's schema; nobody has a value of them yet.

    Raises:
        Invalid: one breaks a rule or is there already, or they are too many.
        ImportInProgress: users are imported.
        PoolNotFound: the pool was deleted meanwhile.

    """
    added = schema.read_custom(entries)
    with atomic_part.begin() as part:
        row = access.lock_pool(part, pool)
        part.refuse_if(running_imports.refusal(pool) or schema.problem_of_addition(row, added))
        UserPool.objects.filter(pk=pool.pk).update(schema={**row.schema, **added}, modified_at=clock.now())
        detail = {"attributes": sorted(added)}
        audit.record(Tag.ATTRIBUTES_ADDED, pool=pool, subject=pool.public_id, by=by, detail=detail)
        configuration.touch(pool)


def estimated_users(pool: UserPool) -> int:
    """Return about how many users a pool has: exact while few, the planner's estimate beyond. Never counts many."""
    live = User.objects.filter(pool_id=pool.pk, deleted_at=None)
    few = live.order_by()[:COUNTED].count()
    if few < COUNTED:
        return few
    plan = json.loads(live.order_by().values("id").explain(format="json"))
    return max(COUNTED, int(plan[0]["Plan"]["Plan Rows"]))
