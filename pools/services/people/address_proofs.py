"""Sends codes that prove a person's address, and takes them. ``attributes`` decides who may change it, and to what."""

from __future__ import annotations

from identity.foundation.actor import Actor
from identity.foundation.errors import (
    AliasExists,
    CodeExpired,
    Invalid,
    NotAvailable,
    refuse,
)
from pools.models import AppClient, User, UserPool
from pools.services import access, atomic_part, audit, codes
from pools.services.audit import Tag
from pools.services.messages import destinations, routes, sending
from pools.services.messages.destinations import Delivery
from pools.services.people import attributes, profile, sign_in_names
from pools.services.people.attributes import AttributeNotWritable
from pools.services.people.profile import ADDRESSES


def send_code(client: AppClient, user: User, address: str, *, by: Actor) -> Delivery:
    """Send a signed-in person a code that proves an address: the new one, where a change waits for its code.

    Raises:
        AttributeNotWritable: the client may not write it.
        Invalid: there is no such address, or nothing to send to it by.
        TooManyAttempts: too many messages to that address lately.

    """
    _check_address(client, address)
    pool, channel = client.pool, destinations.CHANNEL[address]
    to = _to_prove(user, address)
    if not to:
        raise Invalid(f"User does not have attribute {address}", field=address)
    if not routes.can_send(pool, channel):
        raise NotAvailable(f"{address} cannot be verified: nothing carries messages to it.", field=address)
    proof = sending.code(pool, client, user, address, channel=channel, to=to)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        if _to_prove(locked, address) != to:
            part.refuse(Invalid(f"{address} was changed meanwhile.", field=address))
        part.refuse_if(sending.refusal(pool, client, proof))
        sending.send(pool, proof)
        detail = {"purpose": address, "client_id": client.client_id}
        audit.record(Tag.CODE_SENT, pool=pool, subject=user.sub, by=by, detail=detail)
    return proof.delivery


def _to_prove(user: User, address: str) -> str:
    """Return the address that a change waits with, or the one that is there."""
    return codes.destination(user, address) or getattr(user, address) or ""


def _check_address(client: AppClient | None, address: str) -> None:
    if address not in ADDRESSES:
        raise Invalid("Only email and phone_number can be verified.", field="attribute_name")
    if client is not None:
        refuse(map(AttributeNotWritable, attributes.unwritable(client.pool, [address], client)))


def verify(pool: UserPool, user: User, address: str, code: str, *, client: AppClient | None = None, by: Actor) -> None:
    """Take the code that was sent to an address as proof of it; a change that waited for it takes effect.

    Raises:
        AttributeNotWritable: the client may not write it.
        CodeMismatch, CodeExpired, TooManyWrongCodes: the code proves nothing.
        AliasExists: another proved the address first.

    """
    _check_address(client, address)
    tried = codes.take_try(pool, user.id, address)
    with codes.audit_refusals(pool, user.sub, address, by=by):
        proof = codes.check(tried, code)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        if not codes.spend(proof):
            part.refuse(CodeExpired(detail="spent meanwhile"))
        part.refuse_if(keep_proven(pool, locked, address, proof, by=by))  # the code stays good; the try was counted


def keep_proven(pool: UserPool, user: User, address: str, proof: codes.Proof, *, by: Actor) -> AliasExists | None:
    """Keep an address as its code has proven it, in the transaction that locked its owner and spends the code."""
    before = profile.addresses(user)
    profile.write(pool, user, {address: proof.destination, f"{address}_verified": "true"})
    profile.store(user)
    attributes.revoke_codes(user, before)
    if other := sign_in_names.settle(pool, user, by=by):
        return attributes.taken(other)
    audit.record(Tag.ATTRIBUTE_VERIFIED, pool=pool, subject=user.sub, by=by, detail={"attribute": address})
    return None
