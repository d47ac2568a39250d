"""An operator ends somebody's password: they are sent a code by which they choose another.

The code is recovery's (``passwords``), and so are the rules of where it goes (``recovery_routes``).
"""

from __future__ import annotations

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, WrongState
from pools.models import User, UserPool
from pools.models.user import Status
from pools.services import access, atomic_part, audit, codes
from pools.services.audit import Tag
from pools.services.messages import sending
from pools.services.people import recovery_routes
from pools.services.people.recovery_routes import Route

WORDS = "reset"


def end_password(pool: UserPool, user: User, *, by: Actor) -> None:
    """End a password: nobody signs in by it until another was chosen by the code that is sent.

    Tokens and sessions of before stay good until then, as at Amazon; a sign-in that is under way does not go on.

    Raises:
        UserNotFound: deleted meanwhile.
        UserDisabled, WrongState, Invalid: the account cannot be recovered by a code.
        TooManyAttempts: too many messages to that address lately; nothing was done.

    """
    route = _route(pool, user)
    if isinstance(route, DomainError):
        raise route
    message = sending.code(pool, None, user, codes.Purpose.RECOVERY, channel=route.channel, to=route.to, words=WORDS)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        if _route(pool, locked) != route:
            part.refuse(WrongState("User was changed meanwhile."))  # a code goes to no address of before
        part.refuse_if(sending.refusal(pool, None, message))
        detail = {"medium": sending.send(pool, message)}
        own = User.objects.filter(pool_id=pool.pk, id=locked.id)
        own.update(status=Status.RESET_REQUIRED, modified_at=clock.now())
        audit.record(Tag.PASSWORD_ENDED, pool=pool, subject=locked.sub, by=by, detail=detail)


def _route(pool: UserPool, user: User) -> Route | DomainError:
    if user.status not in recovery_routes.RECOVERABLE:
        return WrongState(recovery_routes.NOT_NOW)
    return recovery_routes.of(pool, user)
