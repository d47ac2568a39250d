"""Signing up: an account of one's own, confirmed by a code, a link or an operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import IntegrityError

from identity.foundation.actor import Actor
from identity.foundation.errors import (
    CodeExpired,
    CodeSpent,
    DomainError,
    Invalid,
    NotAuthorized,
    UserNotFound,
    WrongState,
)
from pools.models import AppClient, User, UserPool
from pools.models.user import Status
from pools.services import access, atomic_part, audit, codes, receipts, triggers
from pools.services.audit import Tag
from pools.services.messages import destinations, routes, sending
from pools.services.messages.destinations import Delivery
from pools.services.messages.sending import Outgoing
from pools.services.people import attributes as own_attributes
from pools.services.people import passwords, profile, sign_in_names, users
from pools.services.pools import schema
from pools.services.receipts import Receipt
from pools.services.sign_in import chosen_passwords
from pools.services.sign_up import reminders, unconfirmed_accounts
from pools.services.triggers import Trigger

UNKNOWN_USER = "Username/client id combination not found."
NO_CODES = "Auto verification not turned on."


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new account, where its code went, and the proof of its password for the browser that chose it."""

    user_sub: str
    confirmed: bool
    delivery: Delivery | None
    proof: str = field(default="", repr=False, compare=False)


def sign_up(  # noqa: PLR0913 - an account has these parts
    client: AppClient,
    username: str,
    *,
    password: str,
    attributes: Mapping[str, str],
    tell_owner: bool = False,
    receipt: Receipt | None = None,
    instead_of: str = "",
    by: Actor,
) -> SignedUp:
    """Make an account that waits for its confirmation.

    ``instead_of`` is the proof of an account that the same browser made before and that still waits: it is given up,
    and its name is free for the new one.

    Where email addresses are aliases, two accounts may have one until a code decides: with ``tell_owner`` its
    owner hears that they have an account.

    Raises:
        NotAuthorized: the pool's operators make accounts, or the client may not write an attribute.
        Invalid, PasswordRejected: a value breaks a rule.
        UsernameExists: the name is taken.
        TooManyAttempts: too many messages to that address lately; no account was made.

    """
    pool = client.pool
    if pool.admin_only_sign_up:
        raise NotAuthorized("SignUp is not permitted for this user pool")
    triggers.check(pool, Trigger.PRE_SIGN_UP)
    schema.refuse_all_unfit(problems(client, username, password=password, attributes=attributes))
    user = users.new(pool, username, attributes, Status.UNCONFIRMED)
    own_attributes.check_complete(pool, profile.of(user))
    former = unconfirmed_accounts.of_proof(client, instead_of) if instead_of else None
    if sign_in_names.taken(pool, username, by_other_than=former):
        raise users.taken(pool, username)
    prepared = passwords.hashed(pool, user.username, password)
    confirmation, reminder = _confirmation(client, user), None
    if tell_owner and user.email and "email" in pool.alias_attributes:
        reminder = reminders.to_whoever(client, user.email)
    try:
        with atomic_part.begin() as part:
            part.refuse_if(receipts.keep(receipt))
            if former is not None:
                unconfirmed_accounts.give_up(client, former, instead_of, by=by)
            part.refuse_if(_sign_up(client, username, user, prepared, confirmation, reminder, by=by))
    except IntegrityError as problem:
        if not users.is_name_conflict(problem):
            raise
        raise users.taken(pool, username) from None
    return SignedUp(
        str(user.sub),
        confirmed=False,
        delivery=confirmation.delivery if confirmation else None,
        proof=chosen_passwords.make(client, user.id, prepared.argon2),
    )


def problems(
    client: AppClient, username: str, *, password: str, attributes: Mapping[str, str]
) -> Iterator[DomainError]:
    """Yield what breaks a rule of a new account's values, in Cognito's order; whether the name is free is not asked."""
    pool = client.pool
    yield from sign_in_names.problems(pool, username)
    if attributes.get("preferred_username") and "preferred_username" in pool.alias_attributes:
        text = "Preferred username can only be set after the account is confirmed."
        yield Invalid(text, field="preferred_username", code="later")
    yield from own_attributes.problems(pool, attributes, client=client)
    yield from passwords.problems(pool, password)


def _sign_up(
    client: AppClient,
    username: str,
    user: User,
    prepared: passwords.Prepared,
    confirmation: Outgoing | None,
    reminder: Outgoing | None,
    *,
    by: Actor,
) -> DomainError | None:
    pool = client.pool
    if reminder is not None:
        reminders.send(client, reminder)  # first: who changes both addresses takes the mail's limit first too
    if (limited := sending.refusal(pool, client, confirmation)) is not None:
        return limited
    if refused := users.insert(pool, user, by=by):
        return users.taken(pool, username, refused)
    passwords.store_first(user, prepared)
    medium = destinations.MEDIUM.get(sending.send(pool, confirmation), "")
    detail = {"client_id": client.client_id, "medium": medium}
    audit.record(Tag.SIGNED_UP, pool=pool, subject=user.sub, by=by, detail=detail)
    return None


def remind(client: AppClient, username: str, *, receipt: Receipt | None = None, by: Actor) -> None:
    """Tell the owner of a taken address that they have an account; one who never confirmed gets the code again.

    For adapters that do not say who has an account: whoever reads the mail learns it, and nobody else.

    Raises:
        TooManyAttempts: too many messages lately, counted alike for either.

    """
    user = access.user_or_decoy(client, username).user
    if user is None:
        return
    with suppress(Invalid):  # a pool that sends no codes
        resend(client, username, receipt=receipt, by=by)
    if user.status != Status.UNCONFIRMED:
        reminder = reminders.to_owner(client, user, username)
        with atomic_part.begin() as part:
            part.refuse_if(receipts.keep(receipt))
            medium = reminders.send(client, reminder) if reminder else ""
            detail = {"client_id": client.client_id, "medium": medium}
            audit.record(Tag.SIGNED_UP, pool=client.pool, subject=user.sub, by=by, outcome="refused", detail=detail)


def would_be_sent(pool: UserPool, username: str, attributes: Mapping[str, str]) -> Delivery | None:
    """Return where the code of such an account would go, whether or not the name is taken."""
    route = _route(pool, users.new(pool, username, attributes, Status.UNCONFIRMED))
    return destinations.delivery(*route) if route else None


def _channels(pool: UserPool) -> list[str]:
    """Return the channels of confirmation codes: SMS before mail, as Cognito has it."""
    channels = [destinations.CHANNEL[name] for name in ("phone_number", "email") if name in pool.auto_verified]
    return routes.usable(pool, channels)


def _route(pool: UserPool, user: User) -> tuple[str, str] | None:
    """Return channel and address of the confirmation code."""
    for channel in _channels(pool):
        if value := getattr(user, destinations.ATTRIBUTE[channel]):
            return channel, value
    return None


def _confirmation(client: AppClient, user: User) -> Outgoing | None:
    pool, route = client.pool, _route(client.pool, user)
    if route is None:
        return None
    channel, to = route
    return sending.code(pool, client, user, codes.Purpose.SIGN_UP, channel=channel, to=to, by_link=_by_link(pool))


def _by_link(pool: UserPool) -> bool:
    template = pool.configuration.get("verification_message_template") or {}
    return template.get("default_email_option") == "CONFIRM_WITH_LINK"


def confirm(
    client: AppClient,
    username: str,
    *,
    code: str,
    force_alias: bool = False,
    keep_password: bool = True,
    receipt: Receipt | None = None,
    by: Actor,
) -> User:
    """Turn an unconfirmed account into a confirmed one, given the code it was sent.

    Without ``keep_password`` the password that its maker chose is gone with it: another may own the address.

    Raises:
        UserNotFound: nobody of that name, said only where the client shows existence.
        WrongState: the account is confirmed already, said only there too, and to who knows the code.
        CodeMismatch, CodeExpired, TooManyWrongCodes: the code proves nothing.
        AliasExists: another has verified the address; ``force_alias`` moves it here.

    """
    pool = client.pool
    subject = access.user_or_decoy(client, username)
    if subject.user is None and not client.hide_existence:
        raise UserNotFound(UNKNOWN_USER)
    done = subject.user if subject.user is not None and subject.user.status != Status.UNCONFIRMED else None
    if done is not None and not client.hide_existence:
        raise _confirmed_already(done)
    try:
        proof = _proven(client, subject, code, by=by)
    except CodeSpent:
        if done is not None:
            raise _confirmed_already(done) from None  # who sent the right code twice may hear what became of it
        raise
    with atomic_part.begin() as part:
        if force_alias and subject.user is not None:
            sign_in_names.hold(pool, subject.user)
        user = access.locked_user(pool, subject.user)
        part.refuse_if(receipts.keep(receipt))
        if user is None:
            part.refuse(CodeExpired(detail="deleted meanwhile"))
        part.refuse_if(_confirm(pool, user, proof, force_alias=force_alias, by=by))
        if not keep_password:
            passwords.remove(user)
    return user


def _proven(client: AppClient, subject: access.Subject, code: str, *, by: Actor) -> codes.Proof:
    """Count a try and return the proof; every refusal is recorded alike. Nobody's code has no destination."""
    with codes.audit_refusals(client.pool, subject.sub, codes.Purpose.SIGN_UP, by=by, client_id=client.client_id):
        tried = codes.take_try(client.pool, subject.id, codes.Purpose.SIGN_UP)
        return codes.check(tried, code, nobody=subject.user is None or not tried.destination)


def _confirm(
    pool: UserPool,
    user: User,
    proof: codes.Proof,
    *,
    force_alias: bool,
    by: Actor,
) -> DomainError | None:
    if user.status != Status.UNCONFIRMED:
        return _confirmed_already(user)
    if proof.destination not in (user.email, user.phone_number):
        return CodeExpired(detail="the address changed meanwhile")
    if not codes.spend(proof):
        return CodeExpired(detail="spent meanwhile")
    for attribute in profile.ADDRESSES:
        if getattr(user, attribute) == proof.destination:
            profile.write(pool, user, {f"{attribute}_verified": "true"})
    _set_confirmed(user)
    triggers.check(pool, Trigger.POST_CONFIRMATION)
    if refused := sign_in_names.settle(pool, user, force=force_alias, by=by):
        return own_attributes.taken(refused)
    audit.record(
        Tag.ACCOUNT_CONFIRMED,
        pool=pool,
        subject=user.sub,
        by=by,
        detail={"method": "code"},
    )
    return None


def _set_confirmed(user: User) -> None:
    user.status = Status.CONFIRMED
    profile.store(user, ("status", "email_verified", "phone_number_verified"))


def _confirmed_already(user: User) -> WrongState:
    return WrongState(f"User cannot be confirmed. Current status is {user.status}")


def admin_confirm(pool: UserPool, username: str, *, by: Actor) -> None:
    """Confirm someone's account without a code; no address becomes verified by that.

    Raises:
        UserNotFound: nobody of that name.
        WrongState: the account is confirmed already.

    """
    found = access.user(pool, username)
    with atomic_part.begin() as part:
        user = access.lock_user(part, pool, found)
        if user.status != Status.UNCONFIRMED:
            part.refuse(_confirmed_already(user))
        _set_confirmed(user)
        triggers.check(pool, Trigger.POST_CONFIRMATION)
        audit.record(Tag.ACCOUNT_CONFIRMED, pool=pool, subject=user.sub, by=by, detail={"method": "operator"})


def resend(client: AppClient, username: str, *, receipt: Receipt | None = None, by: Actor) -> Delivery:
    """Send the confirmation code again, each time; unknown users, and who needs none, are told the same.

    Raises:
        UserNotFound: nobody of that name, said only where the client shows existence.
        Invalid: the account is confirmed, said only there too, or the pool sends no codes.
        TooManyAttempts: too many messages lately, counted alike for every name.

    """
    pool = client.pool
    subject = access.user_or_decoy(client, username)
    route = None
    try:
        route = _route_of(pool, subject.user)
    except (UserNotFound, Invalid):
        if not client.hide_existence:
            raise
    channels = _channels(pool)
    if not channels:
        raise Invalid(NO_CODES, field="username")  # said of every name
    purpose, by_link = codes.Purpose.SIGN_UP, _by_link(pool)
    sending.send_code(client, subject, purpose, name=username, route=route, by_link=by_link, receipt=receipt, by=by)
    if route is not None:
        return destinations.delivery(*route)
    return destinations.simulated(username, access.decoy(pool, username).id, channels)


def _route_of(pool: UserPool, user: User | None) -> tuple[str, str]:
    """Return where somebody's code goes again, or say why there is none, in Cognito's words."""
    if user is None:
        raise UserNotFound(UNKNOWN_USER)
    if user.status != Status.UNCONFIRMED:
        raise Invalid("User is already confirmed.", field="username")
    route = _route(pool, user)
    if route is None:
        raise Invalid(NO_CODES, field="username")
    return route
