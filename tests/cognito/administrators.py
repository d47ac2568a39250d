"""How tests speak as an administrator about a user, and see what came of it."""

from __future__ import annotations

from typing import Any

from tests.cognito.conftest import World, named


def about(world: World, name: str, operation: str, **more: Any) -> Any:  # noqa: ANN401 - an answer
    """Call an administrator's operation about somebody."""
    return getattr(world.idp, operation)(UserPoolId=world.pool_id, Username=name, **more)


def write(world: World, name: str, **attributes: str) -> None:
    """Change somebody's attributes."""
    given = [{"Name": key, "Value": value} for key, value in attributes.items()]
    about(world, name, "admin_update_user_attributes", UserAttributes=given)


def attributes_of(world: World, name: str) -> dict[str, str]:
    """Return somebody's attributes, without the sub."""
    found = named(world.user(name)["UserAttributes"])
    del found["sub"]
    return found


def sub_of(world: World, name: str) -> str:
    """Return somebody's sub."""
    return named(world.user(name)["UserAttributes"])["sub"]


def audited(world: World, sub: str, *, since: int = 0) -> list[tuple[str, str, str]]:
    """Return what the audit rows about somebody say happened, by what kind of caller, with what outcome."""
    with world.live.orm():
        from pools.models import AuditEvent
        from pools.services import access

        rows = AuditEvent.objects.filter(pool_id=access.pool(world.pool_id).pk, subject=sub).order_by("id")
        return [(row.tag, row.actor_kind, row.outcome) for row in rows][since:]


def codes_sent(world: World) -> int:
    """Count the codes that were queued for people of a pool, whether or not they have arrived."""
    with world.live.orm():
        from pools.models import OutboxMessage
        from pools.services import access

        sent = OutboxMessage.objects.filter(pool_id=access.pool(world.pool_id).pk)
        return sent.filter(purpose__in=["email", "phone_number", "recovery", "sign_up"]).count()
