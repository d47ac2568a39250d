"""Reads from a call the address of the person whose app's server makes it: ``UserContextData`` and ``ContextData``.

``access`` decides whether it counts. The other members of both are for threat protection, which is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pools.services import access

if TYPE_CHECKING:
    from identity.foundation.actor import Actor
    from pools.models import AppClient


def app_of(call: Mapping[str, Any], by: Actor) -> tuple[AppClient, Actor]:
    """Return the client of a call about a name, which has proven its secret, and who acts, where the person is.

    Raises:
        ClientNotFound, SecretHashRefused: as ``access.app_client_for``.
        Invalid: an address that counts is none.

    """
    client = access.app_client_for(call["ClientId"], call["Username"], secret_hash=call.get("SecretHash"))
    return client, of_app(client, call, by)


def of_app(client: AppClient, call: Mapping[str, Any], by: Actor) -> Actor:
    """Return who acts, at the address that an app tells of its person, which has proven its secret before.

    Raises:
        Invalid: an address that counts is none.

    """
    return access.at_address_of_person(client, call.get("UserContextData", {}).get("IpAddress", ""), by=by)


def of_administrator(call: Mapping[str, Any], by: Actor) -> Actor:
    """Return who acts, at the address that an administrator's server tells of the person.

    Raises:
        Invalid: it is none.

    """
    return access.at_address(call.get("ContextData", {}).get("IpAddress", ""), by=by)
