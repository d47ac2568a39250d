"""What signing in takes: whether a second factor is needed, and how fresh a sign-in must be to change factors. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from identity.foundation import clock
from pools.models import UserPool
from pools.models.hot import Person

RECENT = timedelta(minutes=10)
"""How old a sign-in may be that changes how to sign in."""


def is_recent(auth_time: datetime) -> bool:
    """Say whether who signed in then may change what they sign in by, or has to prove again who they are."""
    return auth_time >= clock.now() - RECENT


def needs_code(pool: UserPool, person: Person) -> bool:
    """Say whether somebody needs a code to sign in: where the pool requires one, or where theirs is asked for."""
    return pool.mfa == UserPool.Mfa.ON or (pool.mfa == UserPool.Mfa.OPTIONAL and person.totp_enabled)
