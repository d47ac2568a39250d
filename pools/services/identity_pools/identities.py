"""Identities: finding the one that logins mean, making, linking, merging, listing and deleting them.

The database holds the rules: a login belongs to one identity of a pool, an identity has one login a provider. Whoever
loses a race sees the winner's row on the next look.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import reduce
from operator import or_
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from identity.foundation import clock, names, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    DomainError,
    IdentityNotFound,
    LoginRefused,
    NotAuthorized,
    NotFound,
    ResourceConflict,
)
from identity.foundation.paging import Page
from pools.models import DEVELOPERS, Identity, IdentityLogin, IdentityPool
from pools.ports import VerifiedLogin
from pools.services import access, atomic_part, audit
from pools.services.audit import Tag
from pools.services.identity_pools.logins import NO_LONGER, NO_MATCH, developer_name

TRIES = 5
MOST_LOGINS = 20
NO_GUESTS = "Unauthenticated access is not supported for this identity pool."


class ChangedMeanwhile(Exception):
    """Someone else changed the same logins meanwhile: look again."""


class DeveloperUserTaken(ResourceConflict):
    """The developers' id of a user means another identity."""

    public = "The developer user identifier is already registered with another identity."


def developer_user_not_found(user: str) -> NotFound:
    """Return the refusal where no identity of the pool is known by that id of its developers."""
    return NotFound(f"Developer user '{user}' not found.")


def forbidden(identity: Identity) -> NotAuthorized:
    """Return the refusal for an identity that the caller may not act as."""
    return NotAuthorized(f"Access to Identity '{identity.public_id}' is forbidden.")


def new_guest(pool: IdentityPool, *, by: Actor) -> Identity:
    """Make an identity without logins.

    Raises:
        NotAuthorized: the pool takes no guests.

    """
    if not pool.guests:
        raise NotAuthorized(NO_GUESTS)
    with transaction.atomic(durable=True):
        return _new(pool, member=False, by=by)


def guest(identity: Identity) -> Identity:
    """Return the identity, if it may be used without logins.

    Raises:
        NotAuthorized: it has or had logins, is disabled, or the pool takes no guests.

    """
    if identity.member or not identity.enabled:
        raise forbidden(identity)
    if not identity.pool.guests:
        raise NotAuthorized(NO_GUESTS)
    return identity


def keep(identity: Identity) -> None:
    """Have an identity stay for good, since it gets credentials now: inside the transaction of their audit row.

    Raises:
        IdentityNotFound: it went meanwhile, as guests do who never had any.

    """
    if not identity.unused:
        return
    rows = Identity.objects.filter(pool_id=identity.pool_id, pk=identity.pk)
    if rows.filter(unused=True).update(unused=False) != 1 and not rows.exists():
        raise IdentityNotFound(identity.public_id)


def of(
    pool: IdentityPool,
    logins: Sequence[VerifiedLogin],
    *,
    claimed: Identity | None = None,
    by_developers: bool = False,
    refusal: DomainError | None = None,
    by: Actor,
) -> Identity:
    """Return the identity that these logins mean: found, made, linked or merged.

    ``claimed`` is the one that the caller says to be: a guest's turns into a member's and keeps its id; a member's
    must own one of the logins. The pool's developers alone say whom their ids mean, and whatever identity they claim
    gets the logins, none of which may be another's then. A ``refusal`` is raised once all is well, before anything is
    written: who may not act as the identity is told that first.

    Raises:
        IdentityNotFound: ``claimed`` was deleted meanwhile.
        NotAuthorized: ``claimed`` owns none of them, or the identity is disabled.
        LoginRefused: what developers called somebody means nobody any more.
        ResourceConflict: two different logins of one provider would meet in one identity, which has at most twenty.
        DeveloperUserTaken: the developers' id means another identity than ``claimed``.

    """
    if claimed is not None and not claimed.enabled:
        raise forbidden(claimed)
    ordered = sorted(logins, key=lambda login: (login.provider, login.subject))
    for _ in range(TRIES):
        rows = _rows(pool, ordered)
        owners = {row.identity_id: row.identity for row in rows}
        if len(rows) == len(ordered) and len(owners) == 1 and (claimed is None or claimed.pk in owners):
            (identity,) = owners.values()
            if not identity.enabled:
                raise forbidden(identity)
            if refusal is not None:
                raise refusal
            identity.pool = pool
            return identity
        try:
            with transaction.atomic(durable=True):
                outcome = _join(pool, ordered, claimed, by, by_developers=by_developers, refusal=refusal)
        except (IntegrityError, ChangedMeanwhile):
            continue
        if isinstance(outcome, DomainError):
            raise outcome
        return outcome
    raise ResourceConflict(detail="lost every race")


def _rows(pool: IdentityPool, logins: Sequence[VerifiedLogin]) -> list[IdentityLogin]:
    wanted = reduce(or_, [Q(provider=login.provider, subject=login.subject) for login in logins])
    found = IdentityLogin.objects.filter(wanted, pool_id=pool.pk, identity__pool_id=pool.pk)
    return list(found.select_related("identity"))


def _new(pool: IdentityPool, *, member: bool, by: Actor) -> Identity:
    made = Identity(pool=pool, public_id=names.identity_id(), member=member, unused=not member)
    made.save(force_insert=True)
    audit.record(Tag.IDENTITY_CREATED, identity_pool=pool, subject=made.public_id, by=by, detail={"member": member})
    return made


def _join(
    pool: IdentityPool,
    logins: Sequence[VerifiedLogin],
    claimed: Identity | None,
    by: Actor,
    *,
    by_developers: bool,
    refusal: DomainError | None,
) -> Identity | DomainError:
    """Bring logins and identities together under locks; a refusal is returned before anything is written."""
    concerned = {row.identity_id for row in _rows(pool, logins)} | ({claimed.pk} if claimed else set())
    held = _hold(pool, concerned)
    rows = _rows(pool, logins)
    owners = {row.identity_id for row in rows}
    if claimed is not None and claimed.pk not in held:
        return IdentityNotFound(claimed.public_id)
    if owners | ({claimed.pk} if claimed else set()) != held.keys():
        raise ChangedMeanwhile
    known = {(row.provider, row.subject): row.identity_id for row in rows}
    fresh = [login for login in logins if (login.provider, login.subject) not in known]
    if claimed is not None and by_developers:
        elsewhere = {provider for (provider, _), owner in known.items() if owner != claimed.pk}
        if elsewhere:
            return DeveloperUserTaken() if DEVELOPERS in elsewhere else ResourceConflict()
    elif claimed is not None and held[claimed.pk].member and claimed.pk not in owners:
        return NotAuthorized(NO_MATCH)
    if not by_developers and any(login.provider == DEVELOPERS for login in fresh):
        return LoginRefused(NO_LONGER)
    if any(not row.enabled for row in held.values()):
        return forbidden(next(row for row in held.values() if not row.enabled))
    # The oldest member stays; a guest gives way to any member, since its id was never proven by a login.
    ranked = sorted(held.values(), key=lambda row: (not row.member, row.pk))
    if refusal := _clash(pool, ranked, fresh) or refusal:
        return refusal
    stays = ranked[0] if ranked else _new(pool, member=True, by=by)
    for gone in ranked[1:]:
        _merge(gone, stays, by)
    _link(stays, fresh, by)
    return stays


def _hold(pool: IdentityPool, keys: Collection[UUID]) -> dict[UUID, Identity]:
    """Lock identities in the order of ids, so that two who merge the same ones do not wait for each other."""
    rows = Identity.objects.select_for_update().filter(pool_id=pool.pk, pk__in=keys).order_by("id")
    held = {row.pk: row for row in rows}
    for row in held.values():
        row.pool = pool
    return held


def _clash(
    pool: IdentityPool, identities: Sequence[Identity], fresh: Sequence[VerifiedLogin] = ()
) -> ResourceConflict | None:
    """Return what keeps these from being one identity: two logins of one provider, or too many."""
    theirs = IdentityLogin.objects.filter(pool_id=pool.pk, identity__in=identities).values_list("provider", flat=True)
    providers = [*theirs, *(login.provider for login in fresh)]
    public = [provider for provider in providers if provider != DEVELOPERS]
    if len(set(public)) < len(public):
        return ResourceConflict(detail="two logins of one provider")
    if len(providers) > MOST_LOGINS:
        return ResourceConflict(f"An identity has at most {MOST_LOGINS} logins.")
    return None


def merge_developers_users(pool: IdentityPool, source: str, destination: str, *, by: Actor) -> Identity:
    """Merge the identity of one of the developers' ids into that of another, which stays, and return that.

    Raises:
        NotFound: an id means nobody.
        NotAuthorized: an identity is disabled.
        ResourceConflict: two different logins of one provider would meet, or too many.

    """
    for _ in range(TRIES):
        owners = _developers_users(pool, source, destination)
        with suppress(ChangedMeanwhile), atomic_part.begin() as part:
            held = _hold(pool, set(owners.values()))
            if _developers_users(pool, source, destination) != owners or held.keys() != set(owners.values()):
                raise ChangedMeanwhile
            part.refuse_if(
                next((developer_user_not_found(user) for user in (source, destination) if user not in owners), None)
            )
            gone, stays = held[owners[source]], held[owners[destination]]
            part.refuse_if(next((forbidden(row) for row in (gone, stays) if not row.enabled), None))
            if gone.pk != stays.pk:
                part.refuse_if(_clash(pool, [gone, stays]))
                _merge(gone, stays, by)
            return stays
    raise ResourceConflict(detail="lost every race")


def _developers_users(pool: IdentityPool, *users: str) -> dict[str, UUID]:
    """Return the identities that the developers' ids mean."""
    rows = IdentityLogin.objects.filter(pool_id=pool.pk, provider=DEVELOPERS, subject__in=users)
    return dict(rows.values_list("subject", "identity_id"))


def _merge(gone: Identity, stays: Identity, by: Actor) -> None:
    IdentityLogin.objects.filter(pool_id=stays.pool_id, identity=gone).update(identity=stays)
    Identity.objects.filter(pk=gone.pk, pool_id=stays.pool_id).update(enabled=False, modified_at=clock.now())
    detail = {"into": stays.public_id}
    audit.record(Tag.IDENTITY_MERGED, identity_pool=stays.pool, subject=gone.public_id, by=by, detail=detail)


def _link(identity: Identity, fresh: Sequence[VerifiedLogin], by: Actor) -> None:
    IdentityLogin.objects.bulk_create(
        [
            IdentityLogin(pool_id=identity.pool_id, identity=identity, provider=login.provider, subject=login.subject)
            for login in fresh
        ]
    )
    Identity.objects.filter(pk=identity.pk, pool_id=identity.pool_id).update(member=True, modified_at=clock.now())
    identity.member = True
    for login in fresh:
        detail = {"provider": login.provider}
        audit.record(Tag.IDENTITY_LINKED, identity_pool=identity.pool, subject=identity.public_id, by=by, detail=detail)


# -- looking at them, and taking away --------------------------------------------------------------------------------


def providers(pool: IdentityPool, found: Collection[Identity]) -> dict[UUID, list[str]]:
    """Return the providers of identities' logins, each once, in the order in which they were linked."""
    rows = IdentityLogin.objects.filter(pool_id=pool.pk, identity__in=found).order_by("id")
    linked: dict[UUID, list[str]] = {each.pk: [] for each in found}
    for identity_id, provider in rows.values_list("identity_id", "provider"):
        shown = developer_name(pool) if provider == DEVELOPERS else provider
        if shown not in linked[identity_id]:
            linked[identity_id].append(shown)
    return linked


def page(pool: IdentityPool, limit: int, token: str | None, *, hide_disabled: bool = False) -> Page[Identity]:
    """Return a page of a pool's identities in the order they were made."""
    purpose = f"identities:{pool.public_id}:{hide_disabled}"
    start = paging.read(token, purpose=purpose)
    rows = Identity.objects.filter(pool_id=pool.pk).order_by("id")
    if hide_disabled:
        rows = rows.filter(enabled=True)
    if start:
        rows = rows.filter(id__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda identity: [str(identity.pk)], purpose=purpose)


def delete(public_ids: Collection[str], *, by: Actor) -> None:
    """Delete identities with their logins; of those that are not there nothing is said, since the end is the same."""
    named = access.identities(public_ids)
    pools = {identity.pool_id: identity.pool for identity in named}
    with transaction.atomic(durable=True):
        there = Identity.objects.filter(pool_id__in=pools, pk__in=[identity.pk for identity in named])
        held = list(there.select_for_update().order_by("id"))
        IdentityLogin.objects.filter(pool_id__in=pools, identity__in=held).delete()
        there.delete()
        for identity in held:
            pool, subject = pools[identity.pool_id], identity.public_id
            audit.record(Tag.IDENTITY_DELETED, identity_pool=pool, subject=subject, by=by)


def unlink(identity: Identity, proven: Sequence[VerifiedLogin], removed: Collection[str], *, by: Actor) -> None:
    """Take the logins of these providers from an identity whose own logins the caller has proven.

    Without its last login nobody acts as it any more; a login that was taken from it means a new identity.

    Raises:
        NotAuthorized: the identity is disabled, or a login that was proven is none of its own.

    """
    with atomic_part.begin() as part:
        rows = Identity.objects.select_for_update().filter(pool_id=identity.pool_id, pk=identity.pk)
        held = rows.first()
        if held is None:
            part.refuse(IdentityNotFound(identity.public_id))
        logins = IdentityLogin.objects.filter(pool_id=identity.pool_id, identity=held)
        own = set(logins.values_list("provider", "subject"))
        if not held.enabled:
            part.refuse(forbidden(identity))
        if not proven or any((login.provider, login.subject) not in own for login in proven):
            part.refuse(NotAuthorized(NO_MATCH))
        remove_logins(identity, logins.filter(provider__in=removed), by=by)


def remove_logins(identity: Identity, logins: QuerySet[IdentityLogin], *, by: Actor) -> int:
    """Take logins from an identity that is held; return how many."""
    gone = sorted(logins.values_list("provider", flat=True))
    logins.delete()
    if gone:
        Identity.objects.filter(pk=identity.pk, pool_id=identity.pool_id).update(modified_at=clock.now())
    for provider in gone:
        detail, subject = {"provider": provider}, identity.public_id
        audit.record(Tag.IDENTITY_UNLINKED, identity_pool=identity.pool, subject=subject, by=by, detail=detail)
    return len(gone)
