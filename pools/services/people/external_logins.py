"""People's logins at identity providers: whose each is, and how a person's are told, in the attribute ``identities``.

Who may link one is ``providers``; who signs in by one is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pools.models import ExternalLogin, User, UserPool
from pools.models.user import Status
from pools.services import configuration
from pools.services.people import profile

IDENTITIES = "identities"
"""The attribute: in no schema, so that nobody writes it. It is kept with the person, whom hot statements read whole."""


def of(pool: UserPool, user: User) -> list[ExternalLogin]:
    """Return somebody's logins, oldest first."""
    return list(ExternalLogin.objects.filter(pool_id=pool.pk, user_id=user.id).order_by("id"))


def tell(pool: UserPool, user: User) -> None:
    """Make a locked row tell its person's logins as they are now, inside the transaction that changed them."""
    write(pool, user, of(pool, user))
    profile.store(user, ("attributes",))


def write(pool: UserPool, user: User, logins: Iterable[ExternalLogin]) -> None:
    """Put all of somebody's logins into an unsaved or locked row. The caller saves it."""
    told = described(logins)
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False) if told else ""
    profile.write(pool, user, {IDENTITIES: text})


def provided(pool: UserPool, user: User) -> frozenset[str]:
    """Return the attributes that somebody's providers give anew at each sign-in, where they sign in by no other way."""
    if user.status != Status.EXTERNAL_PROVIDER:
        return frozenset()
    own = {each["providerName"] for each in json.loads(user.attributes.get(IDENTITIES) or "[]")}
    return frozenset(
        name for each in configuration.providers(pool) if each.name in own for name in each.attribute_mapping
    )


def described(logins: Iterable[ExternalLogin]) -> list[dict[str, Any]]:
    """Return logins as Cognito tells them. One of whom it is not known yet who it is there is not told.

    ``issuer`` is an entity id of SAML, which other kinds have not.
    """
    return [
        {
            "userId": login.subject,
            "providerName": login.provider,
            "providerType": login.provider_type,
            "issuer": login.issuer or None,
            "primary": login.primary,
            "dateCreated": int(login.created_at.timestamp() * 1000),
        }
        for login in logins
        if login.subject is not None
    ]


def claim(attribute: str) -> list[dict[str, str | None]]:
    """Return what an ID token says of the attribute: its objects, whose numbers and truth values are texts there."""
    return [{name: _text(value) for name, value in each.items()} for each in json.loads(attribute)]


def _text(value: str | float | bool | None) -> str | None:  # noqa: FBT001 - JSON's
    return value if value is None or isinstance(value, str) else json.dumps(value)


def release(pool: UserPool, user: User) -> None:
    """Free all logins of somebody who is deleted: whoever signs in by one next is somebody new."""
    ExternalLogin.objects.filter(pool_id=pool.pk, user_id=user.id).delete()
