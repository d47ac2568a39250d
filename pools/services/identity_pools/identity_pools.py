"""Identity pools: how they are set up, and what they give: identities, tokens, credentials.

Asks in this order: verify the logins, find the identity, choose the role, map the tags, link and merge, then ask the
STS. No transaction is open while anyone is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from prometheus_client import Counter

from identity.foundation import clock, later, names, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    DomainError,
    IdentityPoolNotFound,
    Invalid,
    NotAuthorized,
    PoolNotFound,
    RoleRefused,
)
from identity.foundation.paging import Page
from identity.foundation.task_names import Task
from pools.models import Identity, IdentityPool, PrincipalTagMap
from pools.ports import Credentials, VerifiedLogin
from pools.services import access, atomic_part, audit, configuration
from pools.services.atomic_part import AtomicPart
from pools.services.audit import Tag
from pools.services.identity_pools import exchange, identities, identity_pool_settings, session_policies
from pools.services.identity_pools import logins as identity_logins
from pools.services.identity_pools import roles as identity_roles
from pools.services.pools import deciding_attributes

log = structlog.get_logger(__name__)
VENDED = Counter("cognate_credentials_total", "Credentials asked of the STS.", ["outcome"])
HANDED = Counter("cognate_identity_tokens_total", "Identity tokens handed out for the classic flow.", ["outcome"])
MOST_MAPPINGS = 10
KINDS = {"authenticated": "member_role", "unauthenticated": "guest_role"}
Decide = Callable[[Sequence[VerifiedLogin]], dict[str, str]]


# -- setting up ------------------------------------------------------------------------------------------------------


def create(name: str, *, settings: Mapping[str, Any], by: Actor) -> IdentityPool:
    """Make an identity pool. ``settings`` mirrors CreateIdentityPool in snake_case.

    Raises:
        Invalid: a setting breaks a rule.
        NotAvailable: a setting names a kind of provider that this release does not have.

    """
    pool = IdentityPool(public_id=names.identity_pool_id())
    identity_pool_settings.TABLE.apply(pool, {"identity_pool_name": name, **settings})
    with transaction.atomic(durable=True):
        pool.save(force_insert=True)
        subject = pool.public_id
        audit.record(Tag.IDENTITY_POOL_CREATED, identity_pool=pool, subject=subject, by=by, detail={"name": name})
    return configuration.identity_pool(pool.public_id)


def update(pool: IdentityPool, changes: Mapping[str, Any], *, whole: bool = False, by: Actor) -> IdentityPool:
    """Change settings of a pool, named as in :func:`create`; ``whole``, what is left out goes back to its default.

    Raises:
        Invalid, NotAvailable: a setting breaks a rule, cannot be changed, or asks for what this release has not.
        IdentityPoolNotFound: the pool was deleted meanwhile.

    """
    return _update(pool, lambda _: changes, whole=whole, by=by)


def _update(
    pool: IdentityPool, changes_of: Callable[[IdentityPool], Mapping[str, Any]], *, whole: bool = False, by: Actor
) -> IdentityPool:
    """Change a pool by what its row, held, says that the changes are."""
    table = identity_pool_settings.TABLE
    with atomic_part.begin() as part:
        row = _lock(part, pool)
        given = table.read(changes_of(row))
        part.refuse_if(next(table.problems_of_change(row, given, whole=whole), None))
        columns, changed = table.change(row, given, whole=whole)
        if changed:
            IdentityPool.objects.filter(pk=pool.pk).update(**columns)
            subject, detail = pool.public_id, {"changed": changed}
            audit.record(Tag.IDENTITY_POOL_CHANGED, identity_pool=pool, subject=subject, by=by, detail=detail)
            configuration.touch_identity_pool(pool)
    return configuration.identity_pool(pool.public_id)


def resource_tags(pool: IdentityPool) -> dict[str, str]:
    """Return the pool's tags."""
    return dict(pool.configuration.get("identity_pool_tags", {}))


def tag(pool: IdentityPool, added: Mapping[str, str], *, by: Actor) -> None:
    """Give a pool tags beside those that it has; a key that it has gets the new value.

    Raises:
        Invalid: a tag breaks a rule, or the pool would have too many.
        IdentityPoolNotFound: the pool was deleted meanwhile.

    """
    _update(pool, lambda row: {"identity_pool_tags": {**resource_tags(row), **added}}, by=by)


def untag(pool: IdentityPool, keys: Collection[str], *, by: Actor) -> None:
    """Take tags from a pool; of keys that it does not have nothing is said.

    Raises:
        IdentityPoolNotFound: the pool was deleted meanwhile.

    """

    def kept(row: IdentityPool) -> Mapping[str, Any]:
        return {"identity_pool_tags": {key: value for key, value in resource_tags(row).items() if key not in keys}}

    _update(pool, kept, by=by)


def delete(pool: IdentityPool, *, by: Actor) -> None:
    """Delete a pool: it gives nothing from now on, and its rows are purged in chunks.

    Raises:
        IdentityPoolNotFound: it was deleted meanwhile.

    """
    with atomic_part.begin() as part:
        _lock(part, pool)
        IdentityPool.objects.filter(pk=pool.pk).update(deleted_at=clock.now())
        subject, detail = pool.public_id, {"name": pool.name}
        audit.record(Tag.IDENTITY_POOL_DELETED, identity_pool=pool, subject=subject, by=by, detail=detail)
        configuration.touch_identity_pool(pool)
        later.after_commit(Task.PURGE, queue="tasks")


def page(limit: int, token: str | None) -> Page[IdentityPool]:
    """Return a page of the installation's identity pools in the order they were made."""
    start = paging.read(token, purpose="identity_pools")
    rows = IdentityPool.objects.filter(deleted_at=None).order_by("id")
    if start:
        rows = rows.filter(id__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda pool: [pool.pk], purpose="identity_pools")


def set_roles(pool: IdentityPool, *, roles: Mapping[str, str], mappings: Mapping[str, Any] | None, by: Actor) -> None:
    """Replace the pool's roles (``authenticated``, ``unauthenticated``) and role mappings.

    Raises:
        IdentityPoolNotFound: the pool was deleted meanwhile.
        Invalid: a role or a mapping breaks a rule.
        NotAvailable: a mapping names a provider that this release does not have.

    """
    mappings = dict(mappings or {})
    for kind, role in roles.items():
        if kind not in KINDS:
            raise Invalid(f"{kind} is not a kind of role.", field="roles")
        identity_roles.check_role(role)
    if len(mappings) > MOST_MAPPINGS:
        raise Invalid(f"At most {MOST_MAPPINGS} role mappings are allowed.", field="role_mappings")
    if len({identity_roles.mapping_key(key) for key in mappings}) < len(mappings):
        raise Invalid("A provider has two role mappings.", field="role_mappings")
    for key, mapping in mappings.items():
        identity_roles.check_mapping(pool, key, mapping)
    changed = {column: roles.get(kind, "") for kind, column in KINDS.items()}
    detail = {"roles": dict(roles), "mappings": sorted(mappings)}
    _change(pool, Tag.IDENTITY_POOL_ROLES_SET, detail, by, role_mappings=mappings, **changed)
    for provider in sorted({identity_roles.mapping_key(key)[0] for key in mappings}):
        _tell_what_decides(provider)


def roles(pool: IdentityPool) -> dict[str, Any]:
    """Return the pool's roles and role mappings, as they were set, their providers by today's names."""
    found = {kind: getattr(pool, column) for kind, column in KINDS.items()}
    mappings = {identity_roles.shown_key(key): mapping for key, mapping in pool.role_mappings.items()}
    return {"roles": {kind: role for kind, role in found.items() if role}, "role_mappings": mappings}


def set_tag_map(
    pool: IdentityPool, provider: str, *, use_defaults: bool, tags: Mapping[str, str] | None, by: Actor
) -> dict[str, Any]:
    """Set which claims of a provider's tokens become session tags; return the map.

    Raises:
        IdentityPoolNotFound: the pool was deleted meanwhile.
        Invalid: the identity pool does not name the provider, or a tag cannot be.
        NotAvailable: this release does not know the provider.

    """
    identity_roles.check_tagging(pool, provider)
    defaults = identity_roles.default_tags(provider)
    if use_defaults and tags and dict(tags) != defaults:
        raise Invalid("PrincipalTags are either the defaults or one's own.", field="principal_tags")
    kept = dict(defaults if use_defaults else tags or {})
    identity_roles.check_tags(kept)
    row = PrincipalTagMap(pool=pool, provider=identity_logins.canonical(provider), use_defaults=use_defaults, tags=kept)
    with atomic_part.begin() as part:
        _lock(part, pool)
        PrincipalTagMap.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["pool", "provider"],
            update_fields=["use_defaults", "tags"],
        )
        detail = {"provider": row.provider, "tags": kept}
        audit.record(Tag.PRINCIPAL_TAGS_SET, identity_pool=pool, subject=pool.public_id, by=by, detail=detail)
        configuration.touch_identity_pool(pool)
    _tell_what_decides(row.provider)
    return {"use_defaults": use_defaults, "principal_tags": kept}


def _tell_what_decides(provider: str) -> None:
    with suppress(PoolNotFound):  # a provider that is no user pool of ours, or one that is gone
        deciding_attributes.warn(access.pool(identity_logins.own_pool_id(provider)))


def tag_map(pool: IdentityPool, provider: str) -> dict[str, Any]:
    """Return a provider's map; an empty one where none was set."""
    row = PrincipalTagMap.objects.filter(pool_id=pool.pk, provider=identity_logins.canonical(provider)).first()
    return {"use_defaults": bool(row and row.use_defaults), "principal_tags": dict(row.tags) if row else {}}


def set_session_policies(pool: IdentityPool, *, member: str = "", guest: str = "", by: Actor) -> None:
    """Set the templates of what confines members and guests; empty: nothing does, beyond their role.

    Only the enhanced flow carries them: with the classic flow a caller takes a token to the STS without us.

    Raises:
        IdentityPoolNotFound: the pool was deleted meanwhile.
        Invalid: a template cannot become a policy, or the guests' names a tag, which guests never have.

    """
    for template in filter(None, (member, guest)):
        session_policies.check(template)
    if "{tag." in guest:
        raise Invalid("Guests have no tags.", field="guest")
    detail = {"member": json.loads(member or "{}"), "guest": json.loads(guest or "{}")}
    changed = {"member_session_policy": member, "guest_session_policy": guest}
    _change(pool, Tag.SESSION_POLICIES_SET, detail, by, **changed)


def _change(pool: IdentityPool, tag: Tag, detail: Mapping[str, Any], by: Actor, **columns: Any) -> None:
    with atomic_part.begin() as part:
        _lock(part, pool)
        IdentityPool.objects.filter(pk=pool.pk).update(**columns)
        audit.record(tag, identity_pool=pool, subject=pool.public_id, by=by, detail=detail)
        configuration.touch_identity_pool(pool)


def _lock(part: AtomicPart, pool: IdentityPool) -> IdentityPool:
    """Return the pool's row, locked for a change; the part is left where the pool was deleted meanwhile."""
    row = IdentityPool.objects.select_for_update(no_key=True).filter(pk=pool.pk, deleted_at=None).first()
    if row is None:
        part.refuse(IdentityPoolNotFound(pool.public_id))
    return row


# -- giving ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vended:
    """Credentials, and the identity that they are for: after a merge another than was asked about."""

    identity_id: str
    credentials: Credentials


def get_id(pool: IdentityPool, logins: Mapping[str, str], *, by: Actor) -> str:
    """Return the identity that these logins mean; a new guest without logins.

    Raises:
        NotAuthorized: a login is refused, or the pool takes no guests.
        ResourceConflict: two different logins of one provider would meet in one identity.

    """
    verified = identity_logins.verify(pool, logins)
    found = identities.of(pool, verified, by=by) if verified else identities.new_guest(pool, by=by)
    return found.public_id


def open_id_token(identity_id: str, logins: Mapping[str, str], *, by: Actor) -> tuple[str, str]:
    """Return the identity and a token of it that an STS takes: the classic flow, where the caller asks the STS.

    Raises:
        Invalid: the classic flow is off.
        NotAuthorized: a login is refused, or the identity is not the caller's.
        RoleRefused: a claim cannot be a tag.
        ResourceConflict: two different logins of one provider would meet in one identity.

    """
    claimed = access.identity(identity_id)
    if not claimed.pool.classic_flow:
        raise Invalid("Basic (classic) flow is not enabled, please use enhanced flow.")
    try:
        identity, verified, tags = _holder(claimed, logins, partial(identity_roles.tags, claimed.pool), by)
    except DomainError as refusal:
        HANDED.labels(type(refusal).__name__).inc()
        _refused(Tag.IDENTITY_TOKEN_REFUSED, claimed, refusal, by, member=bool(logins))
        raise
    token = exchange.token(identity, verified, tags)
    HANDED.labels("done").inc()
    providers = [login.provider for login in verified]
    detail = {"member": bool(verified), "providers": providers, "tags": sorted(tags)}
    _give(Tag.IDENTITY_TOKEN_ISSUED, identity, detail, by)
    return identity.public_id, token


def credentials(identity_id: str, logins: Mapping[str, str], *, custom_role: str | None = None, by: Actor) -> Vended:
    """Return temporary credentials of the role that this caller gets.

    Raises:
        NotAuthorized: a login is refused, the identity is not the caller's, or no role may be chosen.
        RoleRefused: the role cannot be assumed; the audit row says why.
        ResourceConflict: two different logins of one provider would meet in one identity.
        OutsideUnavailable: the STS does not answer.
        Overloaded: too many ask.

    """
    claimed = access.identity(identity_id)
    role, provider = "", ""

    def choose(verified: Sequence[VerifiedLogin]) -> dict[str, str]:
        nonlocal role, provider
        role, decided = identity_roles.choose(claimed.pool, verified, custom_role=custom_role)
        provider = decided.provider if decided else ""
        return identity_roles.tags(claimed.pool, verified)

    try:
        identity, verified, tags = _holder(claimed, logins, choose, by)
        given = exchange.credentials(identity, verified, tags, role)
    except DomainError as refusal:
        VENDED.labels(type(refusal).__name__).inc()
        facts = {"role": role, "provider": provider, "member": bool(logins)}
        _refused(Tag.CREDENTIALS_REFUSED, claimed, refusal, by, **facts)
        raise
    VENDED.labels("done").inc()
    detail = {"role": role, "member": bool(verified), "provider": provider, "tags": sorted(tags)}
    detail["access_key_id"] = given.access_key_id
    _give(Tag.CREDENTIALS_ISSUED, identity, detail, by)
    return Vended(identity.public_id, given)


def unlink(identity_id: str, logins: Mapping[str, str], removed: Sequence[str], *, by: Actor) -> None:
    """Take logins from an identity, by the providers' names, for whom its own logins speak.

    Raises:
        NotAuthorized: a login is refused or none of the identity's, or the identity is disabled.

    """
    claimed = access.identity(identity_id)
    verified = identity_logins.verify(claimed.pool, logins)
    identities.unlink(claimed, verified, {identity_logins.canonical(provider) for provider in removed}, by=by)


def _give(tag: Tag, identity: Identity, detail: Mapping[str, Any], by: Actor) -> None:
    """Write that something is given, before it is; whoever got something once stays."""
    with transaction.atomic(durable=True):
        identities.keep(identity)
        audit.record(tag, identity_pool=identity.pool, subject=identity.public_id, by=by, detail=detail)


def _holder(
    claimed: Identity, logins: Mapping[str, str], decide: Decide, by: Actor
) -> tuple[Identity, list[VerifiedLogin], dict[str, str]]:
    """Return the identity that the caller may act as, the logins that say so, and what is decided by these.

    Where that refuses the caller, no login is linked and no identity merged.
    """
    pool = claimed.pool
    verified = identity_logins.verify(pool, logins)
    if not verified:
        return identities.guest(claimed), [], decide([])
    try:
        decided = decide(verified)
    except DomainError as refusal:
        identities.of(pool, verified, claimed=claimed, refusal=refusal, by=by)
        raise
    return identities.of(pool, verified, claimed=claimed, by=by), verified, decided


def _refused(tag: Tag, claimed: Identity, refusal: DomainError, by: Actor, **facts: object) -> None:
    """Leave a trace of a refusal. What was merely not answered is logged: nobody decided anything."""
    if not isinstance(refusal, NotAuthorized | RoleRefused):
        log.warning("credentials_not_had", refusal=type(refusal).__name__, detail=refusal.detail)
        return
    # One row a minute by the kind too: what a stranger is refused for must not hide that a member's role is broken.
    detail = {"reason": refusal.detail or refusal.message, "code": type(refusal).__name__, **facts}
    subject = claimed.public_id
    audit.record(tag, identity_pool=claimed.pool, subject=subject, outcome="refused", by=by, detail=detail)
