"""Identities of people whom an identity pool's own developers sign in: by ids of theirs, which nobody verifies here.

An id means one identity of the pool, an identity may have several ids. Only operators say so: with the token that they
get for it, a person is that identity, and changes none of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import transaction

from identity.foundation import paging
from identity.foundation.actor import Actor
from identity.foundation.errors import IdentityNotFound, Invalid, ResourceConflict
from identity.foundation.paging import Page
from pools.models import DEVELOPERS, Identity, IdentityLogin, IdentityPool
from pools.services import access, atomic_part, audit
from pools.services.audit import Tag
from pools.services.identity_pools import exchange, identities, logins, roles

TOKEN_LIFE = 900
LONGEST = 2048
"""Bytes of an id: no more go into an index."""
MOST_IN_TOKEN = 12_000
"""Bytes of what a token says of a user: of a longer one nothing is read when it comes back."""


def open_id_token(
    pool: IdentityPool,
    given: Mapping[str, str],
    *,
    identity_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    life: int = TOKEN_LIFE,
    by: Actor,
) -> tuple[str, str]:
    """Return an identity, found, made or linked, and a token by which whoever has it is that identity for a while.

    ``given`` names one user under the developers' name, and may bring logins of other providers, which are linked.

    Raises:
        Invalid: no user is named, or a tag cannot be.
        LoginRefused: another provider's login is refused.
        IdentityNotFound: the identity named is none of the pool's.
        DeveloperUserTaken: the user is known by another identity than the one named.
        ResourceConflict: two different logins of one provider would meet in one identity.

    """
    name = logins.developer_name(pool)
    if not name or name not in given or DEVELOPERS in given:
        raise Invalid("Logins need one user of the developer provider of this identity pool.", field="logins")
    user, tags = given[name], dict(tags or {})
    check_user(user)
    roles.check_tags(tags)
    roles.check_values(tags)
    if len(json.dumps([user, user, tags])) > MOST_IN_TOKEN:
        raise Invalid("The principal tags are too long.", field="principal_tags")
    others = logins.verify(pool, {provider: token for provider, token in given.items() if provider != name})
    known = [logins.developers_login(pool, user), *others]
    claimed = access.identity_in(pool, identity_id) if identity_id else None
    identity = identities.of(pool, known, claimed=claimed, by_developers=True, by=by)
    token = exchange.token(identity, known, tags, life=life, developer_user=user)
    with transaction.atomic(durable=True):
        identities.keep(identity)
        detail = {"member": True, "providers": [login.provider for login in known], "tags": sorted(tags)}
        subject = identity.public_id
        audit.record(Tag.IDENTITY_TOKEN_ISSUED, identity_pool=pool, subject=subject, by=by, detail=detail)
    return identity.public_id, token


def check_user(user: str) -> None:
    """Refuse what cannot be an id of the developers'.

    Raises:
        Invalid: it is empty, or too long.

    """
    if not user or "\x00" in user or len(user.encode()) > LONGEST or len(user) > LONGEST // 2:
        raise Invalid("A developer user identifier has 1 to 1024 characters.", field="logins")


def look_up(
    pool: IdentityPool, *, identity_id: str | None, user: str | None, limit: int, token: str | None
) -> tuple[str, Page[str]]:
    """Return an identity and a page of the ids by which the developers know it; with both given, only if they match.

    Raises:
        Invalid: neither is given.
        NotFound: no such identity, or nobody is known by that id.
        ResourceConflict: the id means another identity.

    """
    if user is None:
        if identity_id is None:
            raise Invalid("Either IdentityId or DeveloperUserIdentifier is needed.", field="identity_id")
        identity = access.identity_in(pool, identity_id)
    else:
        identity = _identity_of(pool, user)
        if identity_id is not None:
            if identity.public_id != identity_id:
                raise ResourceConflict("The developer user identifier means another identity.")
            return identity_id, Page([user], None)
    purpose = f"developer_users:{pool.public_id}:{identity.public_id}"
    start = paging.read(token, purpose=purpose)
    rows = IdentityLogin.objects.filter(pool_id=pool.pk, identity=identity, provider=DEVELOPERS).order_by("id")
    if start:
        rows = rows.filter(id__gt=start[0])
    page = paging.cut(list(rows[: limit + 1]), limit, lambda row: [str(row.pk)], purpose=purpose)
    return identity.public_id, Page([row.subject for row in page.rows], page.token)


def _identity_of(pool: IdentityPool, user: str) -> Identity:
    known = IdentityLogin.objects.filter(pool_id=pool.pk, provider=DEVELOPERS, subject=user)
    row = known.filter(identity__pool_id=pool.pk).select_related("identity").first()
    if row is None:
        raise identities.developer_user_not_found(user)
    return row.identity


def merge(pool: IdentityPool, source: str, destination: str, *, provider: str, by: Actor) -> str:
    """Merge the identity of one user into that of another, which stays, and return that one's id.

    Raises:
        Invalid: the provider is not the pool's developers' name.
        NotFound: a user is known by no identity.
        ResourceConflict: two different logins of one provider would meet, or too many.

    """
    _check_provider(pool, provider)
    return identities.merge_developers_users(pool, source, destination, by=by).public_id


def unlink(identity_id: str, pool: IdentityPool, user: str, *, provider: str, by: Actor) -> None:
    """Take one of the developers' ids from an identity: it means nobody then, and tokens for it no longer count.

    Raises:
        Invalid: the provider is not the pool's developers' name.
        NotFound: no such identity, or it is not known by that id.

    """
    _check_provider(pool, provider)
    identity = access.identity_in(pool, identity_id)
    with atomic_part.begin() as part:
        rows = Identity.objects.select_for_update().filter(pool_id=pool.pk, pk=identity.pk)
        if not rows.exists():
            part.refuse(IdentityNotFound(identity_id))
        known = IdentityLogin.objects.filter(pool_id=pool.pk, identity=identity, provider=DEVELOPERS, subject=user)
        if not identities.remove_logins(identity, known, by=by):
            part.refuse(identities.developer_user_not_found(user))


def _check_provider(pool: IdentityPool, provider: str) -> None:
    if provider != logins.developer_name(pool):
        raise Invalid(
            f"{provider} is not the developer provider of this identity pool.", field="developer_provider_name"
        )
