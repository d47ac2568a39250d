"""Resource servers of a pool: APIs with scopes of their own. Which scopes a client may ask for is the client's setting.

A scope is written ``identifier/name``. Clients keep what they name when it goes; it is not granted any more.
One resource server is the installation's own: it is there while apps may register themselves, and nobody changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from identity.foundation import clock, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, Invalid, LimitExceeded, NotFound, refuse
from identity.foundation.paging import Page
from pools.models import AppClient, ResourceServer, UserPool
from pools.services import access, atomic_part, audit, configuration
from pools.services.audit import Tag
from pools.services.pools.client_rules import REGISTER, REGISTRATION

IDENTIFIER = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")
SCOPE = re.compile(r"[\x21\x23-\x2e\x30-\x5b\x5d-\x7e]{1,256}")
MAX_SERVERS = 300
MAX_SCOPES = 100
TEXT = 256


def create(
    pool: UserPool,
    *,
    identifier: str,
    name: str,
    scopes: Sequence[Mapping[str, str]] = (),
    by: Actor,
) -> ResourceServer:
    """Make a resource server.

    Raises:
        Invalid: a value breaks a rule, or the identifier is taken.
        LimitExceeded: the pool has three hundred.

    """
    if not IDENTIFIER.fullmatch(identifier) or identifier.startswith("aws.cognito"):
        raise Invalid("The identifier is not valid.", field="identifier")
    kept = _checked(name, scopes)
    server = ResourceServer(pool=pool, identifier=identifier, name=name, scopes=kept, created_at=clock.now())
    with atomic_part.begin() as part:
        # The pool's row serialises what is made, so that identifier and quota hold.
        access.lock_pool(part, pool)
        if ResourceServer.objects.filter(pool_id=pool.pk, identifier=identifier).exists():
            text = f"{identifier} already exists in user pool {pool.public_id}."
            part.refuse(Invalid(text, field="identifier"))
        if ResourceServer.objects.filter(pool_id=pool.pk).exclude(identifier=REGISTRATION).count() >= MAX_SERVERS:
            part.refuse(LimitExceeded("The pool has too many resource servers."))
        server.save(force_insert=True)
        _record(Tag.RESOURCE_SERVER_CREATED, server, by=by)
        configuration.touch(pool)
    return server


def named(pool: UserPool, identifier: str) -> ResourceServer:
    """Return a resource server.

    Raises:
        NotFound: the pool has none of that identifier.

    """
    found = ResourceServer.objects.filter(pool_id=pool.pk, identifier=identifier).first()
    if found is None:
        raise _absent(identifier)
    return found


def update(
    pool: UserPool, identifier: str, *, name: str, scopes: Sequence[Mapping[str, str]] = (), by: Actor
) -> ResourceServer:
    """Give a resource server another name and other scopes: the list takes the place of the old one.

    Raises:
        NotFound: the pool has none of that identifier.
        Invalid: a value breaks a rule, or it is the installation's own.

    """
    kept = _checked(name, scopes)
    with atomic_part.begin() as part:
        rows = ResourceServer.objects.filter(pool_id=pool.pk, identifier=identifier)
        server = rows.select_for_update().first()
        if server is None:
            part.refuse(_absent(identifier))
        part.refuse_if(_refusal_of_change(server))
        if (server.name, server.scopes) != (name, kept):
            rows.update(name=name, scopes=kept)
            server.name, server.scopes = name, kept
            _record(Tag.RESOURCE_SERVER_CHANGED, server, by=by)
            configuration.touch(pool)
    return server


def delete(pool: UserPool, identifier: str, *, by: Actor) -> None:
    """Delete a resource server; none of its scopes is granted from now on, whoever has a refresh token of them.

    Access tokens that are out say them as long as they last.

    Raises:
        NotFound: the pool has none of that identifier.
        Invalid: it is the installation's own.

    """
    with atomic_part.begin() as part:
        rows = ResourceServer.objects.filter(pool_id=pool.pk, identifier=identifier)
        server = rows.select_for_update().first()
        if server is None:
            part.refuse(_absent(identifier))
        part.refuse_if(_refusal_of_change(server))
        rows.delete()
        _record(Tag.RESOURCE_SERVER_DELETED, server, by=by)
        configuration.touch(pool)


def keep_own(pool: UserPool, *, by: Actor) -> None:
    """See that a pool has the resource server of registration exactly while apps may register themselves.

    Called in the transaction that makes the pool, or changes it, while its row is locked.
    """
    rows = ResourceServer.objects.filter(pool_id=pool.pk, identifier=REGISTRATION)
    server = rows.first()
    if pool.registration and server is None:
        scopes = [{"name": REGISTER, "description": "Register app clients"}]
        name = "Dynamic client registration"
        server = ResourceServer(pool=pool, identifier=REGISTRATION, name=name, scopes=scopes, created_at=clock.now())
        server.save(force_insert=True)
        _record(Tag.RESOURCE_SERVER_CREATED, server, by=by)
    elif not pool.registration and server is not None:
        rows.delete()
        _record(Tag.RESOURCE_SERVER_DELETED, server, by=by)


def is_own(server: ResourceServer) -> bool:
    """Say whether a resource server is the installation's own."""
    return server.identifier == REGISTRATION


def of(pool: UserPool) -> list[ResourceServer]:
    """Return a pool's resource servers in the order they were made."""
    return list(ResourceServer.objects.filter(pool_id=pool.pk).order_by("id"))


def descriptions(pool: UserPool) -> dict[str, str]:
    """Return what each scope of a pool's resource servers is described by."""
    return {
        f"{server.identifier}/{scope['name']}": scope["description"] for server in of(pool) for scope in server.scopes
    }


def page(pool: UserPool, limit: int, token: str | None) -> Page[ResourceServer]:
    """Return a page of a pool's resource servers in the order they were made."""
    purpose = f"resource-servers:{pool.pk}"
    start = paging.read(token, purpose=purpose)
    rows = ResourceServer.objects.filter(pool_id=pool.pk).order_by("id")
    if start:
        rows = rows.filter(id__gt=start[0])
    return paging.cut(list(rows[: limit + 1]), limit, lambda server: [server.pk], purpose=purpose)


def granted_scopes(client: AppClient) -> tuple[str, ...]:
    """Return the scopes that a client may ask for: those of its setting that are still there."""
    return present(client.pool, tuple(client.scopes))


def present(pool: UserPool, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some scopes that no resource server of the pool has, or one has still."""
    if not any("/" in scope for scope in scopes):
        return scopes
    there = configuration.scopes(pool)
    return tuple(scope for scope in scopes if "/" not in scope or scope in there)


def _checked(name: str, scopes: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return scopes as they are kept.

    Raises:
        Invalid: name or scopes break a rule.

    """
    kept = [{"name": scope["name"], "description": scope["description"]} for scope in scopes]
    refuse(_problems(name, kept))
    return kept


def _problems(name: str, scopes: Sequence[Mapping[str, str]]) -> Iterator[Invalid]:
    if not 1 <= len(name) <= TEXT or "\x00" in name:
        yield Invalid("Names of resource servers hold 1 to 256 characters.", field="name")
    if len(scopes) > MAX_SCOPES or len({scope["name"] for scope in scopes}) != len(scopes):
        yield Invalid("At most 100 scopes, each name once.", field="scopes")
    for scope in scopes:
        description = scope["description"]
        if not SCOPE.fullmatch(scope["name"]) or not 1 <= len(description) <= TEXT or "\x00" in description:
            yield Invalid("Scope names hold no spaces and no slash; a description is needed.", field="scopes")


def _refusal_of_change(server: ResourceServer) -> DomainError | None:
    if not is_own(server):
        return None
    return Invalid(f"Resource server {server.identifier} is managed by Cognito.", field="identifier")


def _absent(identifier: str) -> NotFound:
    return NotFound(f"Resource server {identifier} does not exist.")


def _record(tag: Tag, server: ResourceServer, *, by: Actor) -> None:
    detail = {"identifier": server.identifier, "scopes": [scope["name"] for scope in server.scopes]}
    audit.record(tag, pool=server.pool, subject=server.identifier, by=by, detail=detail)
