"""Accounts that wait for their confirmation, given up by the browser that made them for one with another address.

The browser shows the proof of the password it chose (``chosen_passwords``). Making the other account is ``sign_up``.
"""

from __future__ import annotations

import hmac

from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused
from pools.models import AppClient, Password, User
from pools.models.user import Status
from pools.services import access
from pools.services.people import users
from pools.services.sign_in import chosen_passwords


def of_proof(client: AppClient, proof: str) -> User | None:
    """Return the account, unconfirmed yet, whose password somebody chose who has this proof."""
    try:
        chosen = chosen_passwords.read(client, proof)
    except AttemptTokenRefused:
        return None
    waiting = User.objects.filter(pool_id=client.pool_id, pk=chosen.user_id, status=Status.UNCONFIRMED, deleted_at=None)
    return waiting.first()


def give_up(client: AppClient, former: User, proof: str, *, by: Actor) -> None:
    """Delete an account that still waits, unless its password was set anew: then it may be somebody else's."""
    pool = client.pool
    user = access.locked_user(pool, former)
    argon2 = Password.objects.filter(pool_id=pool.pk, user_id=former.id).values_list("argon2", flat=True).first()
    if user is None or user.status != Status.UNCONFIRMED or not argon2:
        return
    if hmac.compare_digest(chosen_passwords.digest(argon2), chosen_passwords.read(client, proof).digest):
        users.erase(pool, user, by=by)
