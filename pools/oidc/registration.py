"""POST /oauth2/register: an app registers itself, with an access token of the pool or, where that is on, without.

What may be registered, and how an app is then held, is decided by ``services.pools.client_registration``. Registrations
are not read, changed or deleted here (RFC 7592), as at Amazon.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from identity.foundation import limits
from identity.foundation.actor import Actor
from identity.foundation.call import Answer, Call
from identity.foundation.errors import Overloaded, ScopeMissing, TokenRefused, UserDisabled, UserNotFound
from pools.oidc import endpoints, errors, parameters, resources
from pools.oidc.endpoints import endpoint
from pools.services.pools import client_registration
from pools.services.pools.client_registration import Registered
from pools.services.pools.client_rules import REGISTER_SCOPE
from pools.services.tokens import verify

if TYPE_CHECKING:
    from pools.models import UserPool

REALM = "register"
WINDOW = 60
OF_AN_ADDRESS, OF_A_POOL = 20, 200
"""Registrations without a token that are looked at in a minute: of one address, and of one pool."""
METADATA = "invalid_client_metadata"
NO_TOKEN = "An access token is needed."  # noqa: S105 - words


@dataclass(slots=True)
class RegistrationRequest:
    """A registration on its way through the checks."""

    call: Call
    pool: UserPool
    by: Actor = field(init=False)
    registered: Registered = field(init=False)
    metadata: Mapping[str, Any] = field(init=False)


def registration_is_on(request: RegistrationRequest) -> None:
    """Refuse where the pool lets no app register: the endpoint is not there."""
    if not request.pool.registration:
        raise errors.refusal("invalid_request", "Dynamic client registration is not enabled.", 404)


def registrar_is_known(request: RegistrationRequest) -> None:
    """Find out who registers: whom an access token speaks for, or nobody where the pool takes that.

    A token that is sent is looked at, also where none is needed.
    """
    call, about = request.call, {"address": request.call.address, "request_id": request.call.request_id}
    if "authorization" in call.headers:
        token = resources.bearer(call.headers["authorization"])
        client, person = verify.verify_holder(token or "", scope=REGISTER_SCOPE, pool=request.pool)
        request.registered = Registered.WITH_TOKEN
        request.by = Actor.client(client.client_id, **about) if person is None else Actor.user(person.sub, **about)
    elif request.pool.open_registration:
        request.registered, request.by = Registered.OPENLY, Actor.visitor(**about)
    else:
        raise TokenRefused(detail="no token")


def strangers_do_not_flood(request: RegistrationRequest) -> None:
    """Shed load of those who show no token; how many apps they may make in all is the service's."""
    if request.registered != Registered.OPENLY:
        return
    pool = request.pool.public_id
    for key, limit in ((f"{pool}:{request.call.address}", OF_AN_ADDRESS), (pool, OF_A_POOL)):
        if not limits.take("registration", key, limit=limit, window=WINDOW):
            raise Overloaded(retry_after=WINDOW, detail="registers too often")


def body_is_an_object(request: RegistrationRequest) -> None:
    """Read the metadata: a JSON object, each member named once."""
    call = request.call
    if call.query:
        raise errors.refusal("invalid_request", endpoints.IN_BODY)
    if call.body is None or len(call.body) > parameters.LONGEST:
        raise errors.refusal("invalid_request", "The body is too large.", 413)
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.refusal("invalid_request", "The body must be application/json.")
    try:
        found = DECODER.decode(call.body.decode())
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):  # ValueError: bad UTF-8, bad JSON, a number of thousands of digits
        raise errors.refusal(METADATA, "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise errors.refusal(METADATA, "The body is not a JSON object.")
    request.metadata = found


CHECKS = (registration_is_on, registrar_is_known, strangers_do_not_flood, body_is_an_object)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members, none of them named twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is repeated")
    return found


def refuse_constant(name: str) -> None:
    """Refuse NaN and the infinities, which JSON does not have."""
    raise ValueError(name)


DECODER = json.JSONDecoder(object_pairs_hook=once, parse_constant=refuse_constant)


@endpoint("POST")
def register(call: Call, pool: UserPool) -> Answer:
    """RFC 7591 section 3; refusals of a token by RFC 6750 section 3."""
    request = RegistrationRequest(call, pool)
    try:
        for check in CHECKS:
            check(request)
    except ScopeMissing:
        text = f"The access token lacks the scope {REGISTER_SCOPE}."
        return resources.refused("insufficient_scope", text, 403, scope=REGISTER_SCOPE, realm=REALM)
    except (TokenRefused, UserDisabled, UserNotFound):
        if "authorization" not in call.headers:
            challenge = f'Bearer realm="{REALM}", scope="{REGISTER_SCOPE}"'  # without an error: RFC 6750 section 3.1
            return errors.answer("invalid_token", NO_TOKEN, 401, {"www-authenticate": challenge})
        return resources.refused("invalid_token", resources.DEAD, 401, realm=REALM)
    made = client_registration.register(pool, request.metadata, registered=request.registered, by=request.by)
    return Answer.json(made, status=201, headers={"pragma": "no-cache"})
