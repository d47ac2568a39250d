"""What the middleware found out about a browser's request: pool, client address and id; and who acts by it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from identity.foundation.actor import Actor
from pools.services import access

if TYPE_CHECKING:
    from django.http import HttpRequest

    from pools.models import UserPool


def pool_of(request: HttpRequest) -> UserPool:
    """Return the pool that host or path names.

    Raises:
        PoolNotFound: neither names one.

    """
    return access.pool(getattr(request, "pool", None) or "")


def request_id(request: HttpRequest) -> str:
    """Return the id by which the log knows a request; empty where the middleware gave none."""
    return str(getattr(request, "request_id", ""))


def visitor(request: HttpRequest) -> Actor:
    """Return somebody who is not signed in as the one who acts."""
    return Actor.visitor(address=getattr(request, "address", ""), request_id=request_id(request))


def user(request: HttpRequest, sub: UUID) -> Actor:
    """Return a signed-in person as the one who acts."""
    return Actor.user(sub, address=getattr(request, "address", ""), request_id=request_id(request))
