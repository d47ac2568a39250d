"""Who may choose a new password by a code, and where the code goes. It is sent and taken in ``passwords``.

An operator who ends somebody's password goes by the same rules (``password_resets``).
"""

from __future__ import annotations

from typing import NamedTuple

from identity.foundation.errors import DomainError, Invalid, UserDisabled, WrongState
from pools.models import User, UserPool
from pools.models.user import Status
from pools.services.messages import destinations, routes
from pools.services.people import profile
from pools.services.pools import pool_settings

SMS_FACTOR = "sms"
"""The kind of the second factor whose codes go where those of recovery may."""
RECOVERABLE = (Status.CONFIRMED, Status.RESET_REQUIRED)
VERIFIED = {"verified_email": destinations.EMAIL, "verified_phone_number": destinations.SMS}
BY_OPERATORS_ALONE = "Contact administrator to reset password."
NOT_NOW = "User password cannot be reset in the current state."
NO_ADDRESS = "Cannot reset password for the user as there is no registered/verified email or phone_number"


class Route(NamedTuple):
    """Where somebody's code goes."""

    channel: str
    to: str


def channels(pool: UserPool) -> list[str]:
    """Return the channels of recovery, the preferred first.

    Raises:
        WrongState: only an operator may help, which is said of every name.

    """
    wanted = [VERIFIED[each["name"]] for each in pool_settings.recovery_mechanisms(pool) if each["name"] in VERIFIED]
    if not wanted:
        raise WrongState(BY_OPERATORS_ALONE)
    return routes.usable(pool, wanted)


def of(pool: UserPool, user: User) -> Route | DomainError:
    """Return where somebody's code goes, or what stands in the way. Of who never confirmed, Cognito says no more.

    Raises:
        WrongState: only an operator may help.

    """
    if not user.enabled:
        return UserDisabled()
    if user.status in (Status.FORCE_CHANGE_PASSWORD, Status.EXTERNAL_PROVIDER):
        return WrongState(NOT_NOW)
    for channel in channels(pool):
        if channel == destinations.SMS and _is_second_factor(pool, user):
            continue
        value = getattr(user, destinations.ATTRIBUTE[channel])
        if user.status in RECOVERABLE and value in profile.verified(user):
            return Route(channel, value)
    return Invalid(NO_ADDRESS, field="username")


def _is_second_factor(pool: UserPool, user: User) -> bool:
    """Say whether codes by SMS are somebody's second factor: what proves both would be the only one.

    AWS: API_AccountRecoverySettingType. Where the pool requires one, a number is it unless they prefer another.
    """
    if SMS_FACTOR not in pool.second_factors:
        return False
    return user.sms_enabled or (pool.mfa == UserPool.Mfa.ON and not user.preferred_mfa)
