"""The directory of a pool: people made by operators, found, disabled, signed out, deleted.

People who make their own account come through ``sign_up``; what they may change themselves is in ``attributes``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, TypeVar

from django.db import IntegrityError
from django.db.models import F

from identity.foundation import clock, later, paging
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid, UsernameExists, UserNotFound, WrongState, refuse
from identity.foundation.names import uuid7
from identity.foundation.paging import Page
from identity.foundation.task_names import Task
from pools.models import User, UserPool, user_listing
from pools.models.bulk_user_rows import NewUser
from pools.models.user import ANY_CASE, Status
from pools.models.user_listing import Listed
from pools.services import access, atomic_part, audit, receipts, triggers
from pools.services.audit import Tag
from pools.services.messages import compose, destinations, routes, sending
from pools.services.messages.sending import Outgoing
from pools.services.people import attributes as own_attributes
from pools.services.people import external_logins, passwords, profile, sign_in_names, user_filter
from pools.services.people.profile import Profile
from pools.services.pools import schema
from pools.services.receipts import Receipt
from pools.services.triggers import Trigger

EXISTS = "User account already exists"
NOT_INVITED = "User is not in a state that an invitation can be resent in."
AnyUser = TypeVar("AnyUser", User, NewUser)
Ids = tuple[uuid.UUID, uuid.UUID]
"""The key of a user's row and their ``sub``: a version 7 UUID and a random one."""
CHANNELS = {"EMAIL": destinations.EMAIL, "SMS": destinations.SMS}
WITHOUT_ADDRESS = {destinations.EMAIL: ("email", "Email"), destinations.SMS: ("phone number", "SMS")}
"""What somebody lacks who is to be invited by a channel, and how Cognito calls that one then."""


def attributes_of(user: Profile) -> dict[str, str]:
    """Return a person's attributes as the wire knows them: texts, ``sub`` first, in the schema's order."""
    return profile.of(user)


def new(pool: UserPool, username: str, values: Mapping[str, str], status: Status) -> User:
    """Return a user that is not saved yet; under UsernameAttributes the name becomes the attribute, sub the name."""
    return _new(User, (uuid7(), uuid.uuid4()), pool, username, values, status)


def new_of_many(ids: Ids, pool: UserPool, username: str, values: Mapping[str, str], status: Status) -> NewUser:
    """Return the same as a row that is inserted with many others."""
    return _new(NewUser, ids, pool, username, values, status)


def _new(
    row: type[AnyUser], ids: Ids, pool: UserPool, username: str, values: Mapping[str, str], status: Status
) -> AnyUser:
    key, sub = ids
    given = dict(values)
    internal = access.normalise(pool, username)
    if pool.username_attributes:
        kind = "email" if schema.is_email(username) else "phone_number"
        if access.normalise(pool, given.setdefault(kind, username)) != internal:
            raise Invalid(f"The username differs from the attribute {kind}.", field="username", code="differs")
        internal = str(sub)
    refuse(own_attributes.unaddressed(given))
    now = clock.now()
    user = row(
        id=key,
        pool=pool,
        sub=sub,
        username=internal,
        status=status,
        created_at=now,
        modified_at=now,
    )
    profile.write(pool, user, given)
    if status == Status.UNCONFIRMED:
        # Cognito says of who signs up that each address is unproven, and nothing of whom an operator makes (C.2).
        unproven = [address for address in profile.ADDRESSES if getattr(user, address)]
        profile.write(pool, user, {f"{address}_verified": "false" for address in unproven})
    return user


def check_present(pool: UserPool, shown: Iterable[Profile], asked: AbstractSet[str]) -> None:
    """Check that everybody shown has each attribute that is asked for (aws-sdk-js#3091), and the pool too.

    Raises:
        Invalid: somebody has not.

    """
    if asked and (asked - schema.rules(pool).keys() or any(asked - profile.of(each).keys() for each in shown)):
        raise Invalid("One or more requested attributes do not exist.", field="attributes_to_get")


def insert(pool: UserPool, user: User, *, force_alias: bool = False, by: Actor) -> str:
    """Save a new user with every name that signs in, inside the caller's transaction; return the kind that is taken.

    A username that is taken by a parallel call breaks the unique constraint: the caller reads that by
    :func:`is_name_conflict`.
    """
    if force_alias:
        sign_in_names.hold(pool, user)
    return sign_in_names.make(pool, user, force=force_alias, by=by)


def taken(pool: UserPool, username: str, kind: str = "", *, words: str | None = None) -> UsernameExists:
    """Return the refusal of a new account: of an address that is taken by its kind, of a name by ``words``.

    ``kind`` is what :func:`insert` found; without it the username is meant.
    """
    if kind in ("", sign_in_names.Kind.USERNAME) and pool.username_attributes:
        kind = "email" if schema.is_email(username) else "phone_number"
    if kind in profile.ADDRESSES:
        return UsernameExists(own_attributes.TAKEN[kind])
    return UsernameExists(words)


def is_name_conflict(problem: IntegrityError) -> bool:
    """Say whether a refused insert means that the name was taken at the same moment."""
    constraint = getattr(getattr(problem.__cause__, "diag", None), "constraint_name", "")
    return constraint in ("sign_in_name_once", "pool_user_username_once", "pool_user_sub")


def create(  # noqa: PLR0913 - a message has these parts
    pool: UserPool,
    username: str,
    *,
    attributes: Mapping[str, str],
    temporary_password: str | None = None,
    message: str = "send",
    force_alias: bool = False,
    media: Sequence[str] = (),
    by: Actor,
) -> User:
    """Make an account for someone and invite them with a temporary password; ``resend`` invites again.

    It goes by the ``media`` that are named (EMAIL, SMS) and by no other; where none is, by SMS if that reaches them,
    else by mail.

    Raises:
        UsernameExists: the name or a verified alias is taken.
        Invalid, PasswordRejected: a value breaks a rule.
        TooManyAttempts: too many invitations to that address lately; nothing was done.
        UserNotFound, WrongState: nobody can be invited again by that name.

    """
    if message not in ("send", "suppress", "resend"):
        raise Invalid("Unknown message action.", field="message_action")
    if temporary_password is not None:
        passwords.check_policy(pool, temporary_password)
    password = temporary_password if temporary_password is not None else passwords.temporary(pool)
    if message == "resend":
        return _invite_again(pool, access.user(pool, username), password, media, by=by)
    sign_in_names.check_username(pool, username)
    own_attributes.check(pool, attributes)
    triggers.check(pool, Trigger.PRE_SIGN_UP)
    user = new(pool, username, attributes, Status.FORCE_CHANGE_PASSWORD)
    if sign_in_names.taken(pool, username):
        raise taken(pool, username, words=EXISTS)
    prepared = passwords.hashed(pool, user.username, password)
    expires_at = passwords.temporary_until(pool)
    invitations = [] if message == "suppress" else _invitations(pool, user, password, media)
    try:
        with atomic_part.begin() as part:
            part.refuse_if(sending.refusal(pool, None, *invitations))
            if refused := insert(pool, user, force_alias=force_alias, by=by):
                part.refuse(taken(pool, username, refused, words=EXISTS))
            passwords.store_first(user, prepared, expires_at=expires_at)
            detail = {"status": str(user.status), "medium": sending.send(pool, *invitations)}
            audit.record(Tag.USER_CREATED, pool=pool, subject=user.sub, by=by, detail=detail)
    except IntegrityError as problem:
        if not is_name_conflict(problem):
            raise
        raise taken(pool, username, sign_in_names.Kind.USERNAME, words=EXISTS) from None
    return user


def _invitations(pool: UserPool, user: User, password: str, media: Sequence[str]) -> list[Outgoing]:
    """Compose the invitation for each named medium that reaches the person; where none is named, for the first."""
    triggers.check(pool, *triggers.OF_MESSAGES)
    wanted = [CHANNELS[medium] for medium in media if medium in CHANNELS]
    addressed = [
        channel for channel in (destinations.SMS, destinations.EMAIL) if getattr(user, destinations.ATTRIBUTE[channel])
    ]
    reachable = routes.usable(pool, addressed)
    for channel in wanted:
        if channel not in addressed:  # cognito-backup-restore#25
            attribute, medium = WITHOUT_ADDRESS[channel]
            text = f"No {attribute} provided but desired delivery medium was {medium}"
            raise Invalid(text, field="desired_delivery_mediums")
    if media and not set(reachable) & set(wanted):
        raise Invalid(f"The invitation cannot be sent by {' or '.join(media)}.", field="desired_delivery_mediums")
    name = user.username
    for kind in pool.username_attributes:
        name = getattr(user, kind) or name
    chosen = [channel for channel in reachable if channel in wanted] if media else reachable[:1]
    until = passwords.temporary_until(pool)
    addresses = {channel: str(getattr(user, destinations.ATTRIBUTE[channel])) for channel in chosen}
    return [
        Outgoing(
            compose.invitation(pool, to=to, channel=channel, username=name, password=password, expires_at=until), to
        )
        for channel, to in addresses.items()
    ]


def _invite_again(pool: UserPool, user: User, password: str, media: Sequence[str], *, by: Actor) -> User:
    if user.status != Status.FORCE_CHANGE_PASSWORD:
        raise WrongState(NOT_INVITED, detail=user.status)
    prepared = passwords.hashed(pool, user.username, password)
    invitations = _invitations(pool, user, password, media)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        if locked.status != Status.FORCE_CHANGE_PASSWORD:
            part.refuse(WrongState(NOT_INVITED))
        if (locked.email, locked.phone_number) != (user.email, user.phone_number):
            part.refuse(WrongState("User was changed meanwhile."))  # a password goes to no address of before
        part.refuse_if(sending.refusal(pool, None, *invitations))
        passwords.store(locked, prepared, expires_at=passwords.temporary_until(pool))
        detail = {"medium": sending.send(pool, *invitations)}
        audit.record(Tag.USER_INVITED, pool=pool, subject=user.sub, by=by, detail=detail)
    return locked


def page(pool: UserPool, limit: int, token: str | None, filter: str | None = None) -> Page[Listed]:  # noqa: A002 - Cognito's word
    """Return a page of a pool's users that fit a filter; by keyset, so that pages neither skip nor repeat.

    Raises:
        Invalid: the filter or the token says nothing sensible.

    """
    condition = user_filter.parse(filter, partial(access.normalise, pool))
    purpose = f"users{_order(condition)}:{pool.pk}:{filter or ''}"
    start = paging.read(token, purpose=purpose)

    def key(user: Listed) -> list[str]:
        match condition:
            case user_filter.Subs():
                return [str(user.sub)]
            case user_filter.Texts(column):
                return [getattr(user, column), str(user.id)]
        return [str(user.id)]

    return paging.cut(_fitting(pool, condition, start or [])[: limit + 1], limit, key, purpose=purpose)


def _order(condition: user_filter.Condition) -> str:
    """Return a word for the order of a condition's pages where releases before had another, which their tokens know."""
    match condition:
        case user_filter.Subs():
            return ":sub"
        case user_filter.Texts(column) if column in ANY_CASE:
            return ":lower"
    return ""


def _fitting(pool: UserPool, condition: user_filter.Condition, start: Sequence[str]) -> list[Listed]:
    """Return those who fit a condition, a page of them and one more, from behind the key at which the last ended."""
    after = uuid.UUID(start[-1]) if start else user_listing.FIRST
    match condition:
        case user_filter.Everyone():
            return user_listing.of_all(pool.pk, after=after)
        case user_filter.Subs(first, last):
            before = uuid.UUID(int=max(0, first.int - 1))  # the least of all is nobody's
            return user_listing.of_subs(pool.pk, after=max(before, after), last=last)
        case user_filter.OfStatus(status):
            return user_listing.of_status(pool.pk, status, after=after)
        case user_filter.Enabled(enabled):
            return user_listing.of_enabled(pool.pk, enabled=enabled, after=after)
        case user_filter.Texts(column, first, below):
            first = start[0] if len(start) > 1 else first
            return user_listing.of_text(pool.pk, column, first=first, below=below, after=after)
    return []


def set_enabled(
    pool: UserPool,
    user: User,
    enabled: bool,  # noqa: FBT001 - read as a state
    *,
    receipt: Receipt | None = None,
    by: Actor,
) -> None:
    """Disable a person, which ends every session and token at once, or enable them again.

    Raises:
        UserNotFound: deleted meanwhile.

    """
    values: dict[str, Any] = {"enabled": enabled, "modified_at": clock.now()}
    if not enabled:
        values["epoch"] = F("epoch") + 1
    _change(pool, user, values, Tag.USER_ENABLED if enabled else Tag.USER_DISABLED, receipt, by=by)


def global_sign_out(pool: UserPool, user: User, *, receipt: Receipt | None = None, by: Actor) -> None:
    """End every session and token of a person by one step of the epoch.

    Raises:
        UserNotFound: deleted meanwhile.

    """
    _change(pool, user, {"epoch": F("epoch") + 1}, Tag.SIGNED_OUT_EVERYWHERE, receipt, by=by)


def _change(
    pool: UserPool, user: User, values: Mapping[str, Any], tag: Tag, receipt: Receipt | None, *, by: Actor
) -> None:
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        if not User.objects.filter(pool_id=pool.pk, id=user.id, deleted_at=None).update(**values):
            part.refuse(UserNotFound())
        audit.record(tag, pool=pool, subject=user.sub, by=by)


def delete(pool: UserPool, user: User, *, by: Actor) -> None:
    """Delete a person: names are free and tokens dead at once, the rows are purged in chunks.

    Raises:
        UserNotFound: deleted already.

    """
    with atomic_part.begin() as part:
        if not erase(pool, user, by=by):
            part.refuse(UserNotFound())


def erase(pool: UserPool, user: User, *, by: Actor) -> bool:
    """Delete a person inside the caller's transaction; False where that is done already."""
    gone = User.objects.filter(pool_id=pool.pk, id=user.id, deleted_at=None).update(
        deleted_at=clock.now(),
        enabled=False,
        epoch=F("epoch") + 1,
        modified_at=clock.now(),
    )
    if gone:
        sign_in_names.release(pool, user)
        external_logins.release(pool, user)
        audit.record(Tag.USER_DELETED, pool=pool, subject=user.sub, by=by)
        later.after_commit(Task.PURGE, queue="tasks")
    return bool(gone)
