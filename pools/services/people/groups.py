"""Groups of a pool and who is in them. Which role a group gives is decided by ``identity_pools``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import F

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    GroupExists,
    Invalid,
    LimitExceeded,
    NotFound,
    UserNotFound,
)
from pools.models import Group, Membership, User, UserPool
from pools.services import atomic_part, audit
from pools.services.audit import Tag

NAME_LENGTH = 128
GROUPS_OF_A_USER = 100
# Opaque beyond this: other STS than Amazon's have role ARNs without an account (STS.md 3.6).
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

    """
    if not name or len(name) > NAME_LENGTH or not names.is_plain(name):
        raise Invalid("Group names hold 1 to 128 characters without spaces.", field="group_name")
    if role_arn and not is_role(role_arn):
        raise Invalid("The role ARN is not valid.", field="role_arn")
    if precedence is not None and precedence < 0:
        raise Invalid("Precedence cannot be negative.", field="precedence")
    now = clock.now()
    group = Group(
        pool=pool,
        name=name,
        description=description or "",
        role_arn=role_arn or "",
        precedence=precedence,
        created_at=now,
        modified_at=now,
    )
    try:
        with transaction.atomic():
            group.save(force_insert=True)
            audit.record(
                Tag.GROUP_CREATED,
                pool=pool,
                subject=name,
                by=by,
                detail={"group": name, "role": role_arn or ""},
            )
    except IntegrityError:
        raise GroupExists("A group with the name already exists.") from None
    return group


def named(pool: UserPool, name: str) -> Group:
    """Return a group.

    Raises:
        NotFound: the pool has none of that name.

    """
    found = Group.objects.filter(pool_id=pool.pk, name=name).first() if "\x00" not in name else None
    if found is None:
        raise NotFound("Group not found.")
    return found


def add(pool: UserPool, user: User, group_name: str, *, by: Actor) -> None:
    """Put a user into a group; once is enough.

    Raises:
        NotFound: no such group.
        LimitExceeded: the user is in a hundred groups.

    """
    group = named(pool, group_name)
    with atomic_part.begin() as part:
        # The user's row serialises additions, so that the quota holds.
        if not User.objects.select_for_update().filter(pool_id=pool.pk, id=user.id, deleted_at=None).exists():
            part.refuse(UserNotFound())
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
        ).order_by(F("precedence").asc(nulls_last=True), "name")
    )


def preferred_role(groups: Iterable[Group]) -> str:
    """Return the role that a user's groups agree on: the best's, none where the best tie over different roles."""
    with_role = [group for group in groups if group.role_arn]
    best = min((_weight(group) for group in with_role), default=None)
    roles = {group.role_arn for group in with_role if _weight(group) == best}
    return roles.pop() if len(roles) == 1 else ""


def _weight(group: Group) -> float:
    return float("inf") if group.precedence is None else float(group.precedence)
