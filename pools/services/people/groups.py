"""Groups of a pool and who is in them. Which role a group gives is decided by ``identity_pools``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from identity.foundation import clock, names, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    GroupExists,
    Invalid,
    LimitExceeded,
    NotFound,
    refuse,
)
from identity.foundation.paging import Page
from pools.models import Group, Membership, User, UserPool
from pools.services import access, atomic_part, audit
from pools.services.atomic_part import AtomicPart
from pools.services.audit import Tag

NAME_LENGTH = 128
DESCRIPTION_LENGTH = 2048
MOST_PRECEDENCE = 2**31 - 1
GROUPS_OF_A_POOL = 10_000
GROUPS_OF_A_USER = 100
NO_GROUP = "Group not found."
WEIGHTIEST_FIRST = (F("precedence").asc(nulls_last=True), "name")
"""Lowest precedence first, those without last."""
# Opaque beyond this: other STS than Amazon's have role ARNs without an account.
ROLE_ARN = re.compile(r"arn:[\w+=/,.@:?*-]{16,2044}")


def is_role(arn: str) -> bool:
    """Say whether a text has the form of a role's ARN."""
    return ROLE_ARN.fullmatch(arn) is not None


def create(
    pool: UserPool,
    name: str,
    *,
    description: str | None = None,
    role_arn: str | None = None,
    precedence: int | None = None,
    by: Actor,
) -> Group:
    """Make a group.

    Raises:
        GroupExists: the pool has one of that name.
        Invalid: a value breaks a rule.
        LimitExceeded: the pool has ten thousand.

    """
    if not name or len(name) > NAME_LENGTH or not names.is_plain(name):
        raise Invalid("Group names hold 1 to 128 characters without spaces.", field="group_name")
    kept = {"description": description or "", "role_arn": role_arn or "", "precedence": precedence}
    refuse(_problems(kept))
    now = clock.now()
    group = Group(pool=pool, name=name, created_at=now, modified_at=now, **kept)
    with atomic_part.begin() as part:
        # The pool's row serialises what is made, so that name and quota hold.
        access.lock_pool(part, pool)
        if Group.objects.filter(pool_id=pool.pk, name=name).exists():
            part.refuse(GroupExists("A group with the name already exists."))
        _insert(part, group, by=by)
    return group


def ensure(part: AtomicPart, pool: UserPool, name: str, *, description: str, by: Actor) -> None:
    """Make a group inside the caller's part, which has the pool locked; one of that name that is there stays as it is.

    The part is left with LimitExceeded where the pool has ten thousand.
    """
    if not Group.objects.filter(pool_id=pool.pk, name=name).exists():
        now = clock.now()
        group = Group(pool=pool, name=name, description=description, created_at=now, modified_at=now)
        _insert(part, group, by=by)


def _insert(part: AtomicPart, group: Group, *, by: Actor) -> None:
    if Group.objects.filter(pool_id=group.pool_id)[:GROUPS_OF_A_POOL].count() >= GROUPS_OF_A_POOL:
        part.refuse(LimitExceeded("A user pool can have at most 10,000 groups."))
    group.save(force_insert=True)
    detail = {"group": group.name, "role": group.role_arn}
    audit.record(Tag.GROUP_CREATED, pool=group.pool, subject=group.name, by=by, detail=detail)


def update(pool: UserPool, name: str, *, changes: Mapping[str, Any], by: Actor) -> Group:
    """Change a group's description, role or precedence; what is left out stays.

    Raises:
        NotFound: no such group.
        Invalid: a value breaks a rule.

    """
    given = {key: value for key, value in changes.items() if value is not None}
    refuse(_problems(given))
    with atomic_part.begin() as part:
        group = _locked(pool, name)
        if group is None:
            part.refuse(NotFound(NO_GROUP))
        changed = {key: value for key, value in given.items() if getattr(group, key) != value}
        if changed:
            Group.objects.filter(pool_id=pool.pk, id=group.id).update(**changed, modified_at=clock.now())
            group = named(pool, name)
            detail = {"group": name, "changed": sorted(changed), "role": group.role_arn}
            audit.record(Tag.GROUP_CHANGED, pool=pool, subject=name, by=by, detail=detail)
    return group


def delete(pool: UserPool, name: str, *, by: Actor) -> None:
    """Delete a group; nobody is in it any more.

    Raises:
        NotFound: no such group.

    """
    with atomic_part.begin() as part:
        group = _locked(pool, name)
        if group is None:
            part.refuse(NotFound(NO_GROUP))
        Membership.objects.filter(pool_id=pool.pk, group_id=group.id).delete()
        Group.objects.filter(pool_id=pool.pk, id=group.id).delete()
        audit.record(Tag.GROUP_DELETED, pool=pool, subject=name, by=by, detail={"group": name})


def page(pool: UserPool, limit: int, token: str | None) -> Page[Group]:
    """Return a page of a pool's groups, by name."""
    purpose = f"groups:{pool.pk}"
    start = paging.read(token, purpose=purpose)
    rows = Group.objects.filter(pool_id=pool.pk).order_by("name")
    if start:
        rows = rows.filter(name__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda group: [group.name], purpose=purpose)


def members(pool: UserPool, group_name: str, limit: int, token: str | None) -> Page[User]:
    """Return a page of the users in a group.

    Raises:
        NotFound: no such group.

    """
    group = named(pool, group_name)
    purpose = f"members:{pool.pk}:{group.id}"
    start = paging.read(token, purpose=purpose)
    inside = Membership.objects.filter(pool_id=pool.pk, group=group, user__pool_id=pool.pk, user__deleted_at=None)
    if start:
        inside = inside.filter(user_id__gt=start[0])
    rows = list(inside.select_related("user").order_by("user_id")[: limit + 1])
    found = paging.cut(rows, limit, lambda row: [str(row.user_id)], purpose=purpose)
    return Page([row.user for row in found.rows], found.token)


def page_of(pool: UserPool, user: User, limit: int, token: str | None) -> Page[Group]:
    """Return a page of a user's groups, in the order of :func:`of`."""
    purpose = f"groups:{pool.pk}:{user.id}"
    start = paging.read(token, purpose=purpose)
    rows = Group.objects.filter(pool_id=pool.pk, memberships__user_id=user.id, memberships__pool_id=pool.pk)
    if start:
        weight, name = start
        after = Q(precedence=weight, name__gt=name)
        if weight is not None:
            after |= Q(precedence__gt=weight) | Q(precedence=None)
        rows = rows.filter(after)
    rows = rows.order_by(*WEIGHTIEST_FIRST)
    return paging.cut(list(rows[: limit + 1]), limit, lambda group: [group.precedence, group.name], purpose=purpose)


def named(pool: UserPool, name: str) -> Group:
    """Return a group.

    Raises:
        NotFound: the pool has none of that name.

    """
    found = Group.objects.filter(pool_id=pool.pk, name=name).first() if "\x00" not in name else None
    if found is None:
        raise NotFound(NO_GROUP)
    return found


def _locked(pool: UserPool, name: str) -> Group | None:
    rows = Group.objects.select_for_update().filter(pool_id=pool.pk)
    return rows.filter(name=name).first() if "\x00" not in name else None


def _problems(given: Mapping[str, Any]) -> Iterator[Invalid]:
    """Yield what is wrong with what a group is said to be."""
    if "\x00" in given.get("description", "") or len(given.get("description", "")) > DESCRIPTION_LENGTH:
        yield Invalid("Descriptions hold at most 2048 characters.", field="description")
    if given.get("role_arn") and not is_role(given["role_arn"]):
        yield Invalid("The role ARN is not valid.", field="role_arn")
    precedence = given.get("precedence")
    if precedence is not None and not 0 <= precedence <= MOST_PRECEDENCE:
        yield Invalid("Precedence lies between 0 and 2147483647.", field="precedence")


def add(pool: UserPool, user: User, group_name: str, *, by: Actor) -> None:
    """Put a user into a group; once is enough.

    Raises:
        NotFound: no such group.
        LimitExceeded: the user is in a hundred groups.

    """
    with atomic_part.begin() as part:
        # The user's row serialises additions, so that the quota holds.
        access.lock_user(part, pool, user)
        # As does the group's, of it and its deletion.
        group = _locked(pool, group_name)
        if group is None:
            part.refuse(NotFound(NO_GROUP))
        if Membership.objects.filter(pool_id=pool.pk, user=user, group=group).exists():
            return
        if Membership.objects.filter(pool_id=pool.pk, user=user)[:GROUPS_OF_A_USER].count() >= GROUPS_OF_A_USER:
            part.refuse(LimitExceeded("A user can be in at most 100 groups."))
        Membership(pool=pool, user=user, group=group).save(force_insert=True)
        audit.record(Tag.MEMBERSHIP_ADDED, pool=pool, subject=user.sub, by=by, detail={"group": group.name})


def remove(pool: UserPool, user: User, group_name: str, *, by: Actor) -> None:
    """Take a user out of a group; one who is not in it stays out.

    Raises:
        NotFound: no such group.

    """
    group = named(pool, group_name)
    with transaction.atomic():
        removed, _ = Membership.objects.filter(pool_id=pool.pk, user=user, group=group).delete()
        if removed:
            audit.record(
                Tag.MEMBERSHIP_REMOVED,
                pool=pool,
                subject=user.sub,
                by=by,
                detail={"group": group.name},
            )


def of(user: User) -> list[Group]:
    """Return a user's groups, the weightiest first: lowest precedence, those without last."""
    return list(
        Group.objects.filter(
            pool_id=user.pool_id,
            memberships__user=user,
            memberships__pool_id=user.pool_id,
        ).order_by(*WEIGHTIEST_FIRST)
    )


def preferred_role(groups: Iterable[Group]) -> str:
    """Return the role that a user's groups agree on: the best's, none where the best tie over different roles."""
    with_role = [group for group in groups if group.role_arn]
    best = min((_weight(group) for group in with_role), default=None)
    roles = {group.role_arn for group in with_role if _weight(group) == best}
    return roles.pop() if len(roles) == 1 else ""


def _weight(group: Group) -> float:
    return float("inf") if group.precedence is None else float(group.precedence)
