"""A code by SMS as a second factor. The number is the person's own; a right code proves the number too.

Who has a number and has it asked for, has the factor: Amazon asks for no set-up (AWS: API_SetUserMFAPreference). On our
pages a first code turns it on, and somebody without a number gives one there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from identity.foundation.actor import Actor
from identity.foundation.errors import AliasExists, CodeExpired, DomainError, Invalid
from pools.models import AppClient, User, UserPool
from pools.models.hot import EnrolledFactor, Person
from pools.services import access, assurance, atomic_part, audit, codes
from pools.services.audit import Tag
from pools.services.messages import destinations, sending
from pools.services.messages.notices import Change
from pools.services.messages.sending import Outgoing
from pools.services.people import address_proofs, phone_numbers
from pools.services.pools import schema

kind = "sms"
method = assurance.BY_SMS
preference = "SMS_MFA"
sends_code = True
not_in_pool = "User pool does not have SMS MFA turned on."
not_proven = "User does not have delivery config set to turn on SMS_MFA"
added = Change.TEXTS_ADDED
removed = Change.TEXTS_REMOVED
switched: Mapping[bool, Change] = {True: Change.TEXTS_ADDED, False: Change.TEXTS_REMOVED}
PURPOSE = codes.Purpose.SECOND_FACTOR
NUMBER = "phone_number"


def is_open(pool: UserPool) -> bool:
    """Say whether the pool lets people have codes by SMS."""
    return kind in pool.second_factors


def is_given(person: Person) -> bool:
    """Say whether somebody has a number: nothing else is needed where the pool requires a second factor."""
    return bool(person.phone_number)


def begin_enrolment(
    pool: UserPool, user: User | Person, given: Mapping[str, str], *, by: Actor
) -> tuple[str, Callable[[], bool | DomainError]]:
    """Compose a code to the person's number, or to the one they give who have none; return where it goes, masked.

    Raises:
        Invalid: the pool has no codes by SMS; there is no number, or what is given is none.

    """
    if not is_open(pool):
        raise Invalid(not_in_pool)
    message = _message(pool, None, user, user.phone_number or _number(pool, given.get(NUMBER, "")))

    def send() -> bool | DomainError:
        return _send(pool, None, user, message, by=by) or False

    return message.delivery.destination, send


def _number(pool: UserPool, written: str) -> str:
    if not written:
        raise Invalid(not_proven, field=NUMBER, code="no_number")
    rule, number = schema.rule(pool, NUMBER), phone_numbers.read(written)
    if not number or (rule is not None and schema.problem(rule, number)):
        raise Invalid("Invalid phone number format.", field=NUMBER, code="phone")
    return number


def check_enrolment(
    pool: UserPool, user: User | Person, code: str, *, name: str, enable: bool, by: Actor
) -> Callable[[], DomainError | None]:
    """Look at the code that was sent; its try is counted first. What is returned keeps the number, and turns it on.

    Raises:
        CodeMismatch, CodeExpired, TooManyWrongCodes: the code proves nothing.

    """
    del name, enable  # it has no name, and is asked for as soon as it is there
    tried = codes.take_try(pool, user.id, PURPOSE)
    with audit.refusals(Tag.FACTOR_REFUSED, DomainError, pool=pool, subject=user.sub, by=by, detail={"factor": kind}):
        return partial(_turn_on, pool, user, codes.check(tried, code), by)


def _turn_on(pool: UserPool, user: User | Person, proof: codes.Proof, by: Actor) -> DomainError | None:
    locked = access.locked_user(pool, user)
    if locked is None or (locked.phone_number or proof.destination) != proof.destination or not codes.spend(proof):
        return CodeExpired(detail="spent, or of another number")
    User.objects.filter(pool_id=pool.pk, id=user.id).update(sms_enabled=True)
    return address_proofs.keep_proven(pool, locked, NUMBER, proof, by=by)


def enter(client: AppClient, person: Person, *, by: Actor) -> DomainError | None:
    """Send a code to the number, in place of any before it; return the send limit that is reached."""
    message = _message(client.pool, client, person, person.phone_number or "")
    return _send(client.pool, client, person, message, by=by)


def _message(pool: UserPool, client: AppClient | None, user: User | Person, to: str) -> Outgoing:
    return sending.code(pool, client, user, PURPOSE, channel=destinations.SMS, to=to)


def _send(
    pool: UserPool, client: AppClient | None, user: User | Person, message: Outgoing, *, by: Actor
) -> DomainError | None:
    if refusal := sending.refusal(pool, client, message):
        return refusal
    sending.send(pool, message)
    detail = {"purpose": str(PURPOSE), **({"client_id": client.client_id} if client is not None else {})}
    audit.record(Tag.CODE_SENT, pool=pool, subject=user.sub, by=by, detail=detail)
    return None


def offer(person: Person, held: EnrolledFactor) -> dict[str, Any]:
    """Return where the code goes, as it may be told."""
    del held
    told = destinations.delivery(destinations.SMS, person.phone_number or "")
    return {"destination": told.destination, "medium": told.medium}


def check(pool: UserPool, person: Person, answers: Mapping[str, Any], *, by: Actor) -> Callable[[], DomainError | None]:
    """Look at a sign-in code; its try is counted first. What is returned spends it, and keeps the number as proven.

    Raises:
        CodeMismatch, CodeExpired, TooManyWrongCodes: the code proves nothing.

    """
    proof = codes.check(codes.take_try(pool, person.id, PURPOSE), str(answers.get("code", "")))
    return partial(_spend, pool, person, proof, by)


def _spend(pool: UserPool, person: Person, proof: codes.Proof, by: Actor) -> DomainError | None:
    if not codes.spend(proof):
        return CodeExpired(detail="a duplicate was faster")
    if not person.phone_number_verified:
        _keep_number(pool, person, proof, by=by)
    return None


def _keep_number(pool: UserPool, person: Person, proof: codes.Proof, *, by: Actor) -> None:
    """Keep the number as proven, unless it has changed, or is somebody else's name: who has it signs in anyhow."""
    locked = access.locked_user(pool, person)
    if locked is None or locked.phone_number != proof.destination:
        return
    try:
        with atomic_part.begin(durable=False) as part:
            part.refuse_if(address_proofs.keep_proven(pool, locked, NUMBER, proof, by=by))
    except AliasExists:
        audit.record(
            Tag.ATTRIBUTE_UNPROVEN,
            pool=pool,
            subject=person.sub,
            outcome="refused",
            by=by,
            detail={"attribute": NUMBER},
        )


def switch(pool: UserPool, user: User | Person, *, enabled: bool) -> bool | None:
    """Have codes asked for or not; return what was before, None where there is no number to send them to."""
    own = User.objects.filter(pool_id=pool.pk, id=user.id)
    number, before = own.values_list(NUMBER, "sms_enabled").get()
    own.update(sms_enabled=enabled)
    return before if number else None


def delete(pool: UserPool, user: User | Person) -> bool | None:
    """Have codes asked for no more; say so, None where they were not. The number stays."""
    own = User.objects.filter(pool_id=pool.pk, id=user.id, sms_enabled=True)
    return True if own.update(sms_enabled=False) else None
