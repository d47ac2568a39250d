"""Whose account somebody has who comes from a provider: theirs by that login, one that was linked, or a new one.

A login is known by provider and subject, never by an address. The same address, verified on both sides, lets people
prove that an account is theirs; unproven it joins nothing. Who signs in is decided here, that they may in ``sign_in``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from django.db import IntegrityError
from django.db.models import Q

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import AliasExists, DomainError, Invalid, WrongState, refuse
from pools.models import (
    COGNITO_SUBJECT,
    ISSUER,
    AppClient,
    ExternalLogin,
    Group,
    IdentityProvider,
    Membership,
    User,
    UserPool,
    account_rows,
)
from pools.models.user import Status
from pools.services import access, atomic_part, audit, triggers
from pools.services.atomic_part import AtomicPart
from pools.services.audit import Tag
from pools.services.people import attributes, external_logins, profile, sign_in_names
from pools.services.pools import schema
from pools.services.providers import arrivals, identity_providers, linking
from pools.services.providers.arrivals import Arrival
from pools.services.triggers import Trigger

USERNAME_LENGTH = 128


class UsernameTaken(AliasExists):
    """The name that the account of a provider's person would have is somebody else's."""

    public = "The name of this account is taken."


class AttributesMissing(Invalid):
    """The pool wants attributes that the provider did not give."""

    def __init__(self, missing: Sequence[str] = ()) -> None:
        """Name them, in Cognito's words."""
        super().__init__(f"attributes required: [{', '.join(missing)}]")
        self.missing = missing


class Owner(NamedTuple):
    """Somebody of the pool who may be the one that came."""

    user_id: uuid.UUID
    email: str


def provider(pool: UserPool, name: str) -> IdentityProvider | None:
    """Return a provider of a pool by name, as this process holds it."""
    return next((each for each in identity_providers.held(pool) if each.name == name), None)


def problems(client: AppClient, given: Mapping[str, str]) -> Iterator[DomainError]:
    """Yield what is wrong with attributes that somebody is asked for, one refusal each."""
    return attributes.problems(client.pool, given, client=client)


def is_known(pool: UserPool, arrival: Arrival) -> bool:
    """Say whether the login is somebody's already."""
    return _login(pool, arrival) is not None


def owner_of_address(pool: UserPool, arrival: Arrival) -> Owner | None:
    """Return who has the address that the provider has verified, verified here too, and something to prove it by."""
    if not arrival.proven_email:
        return None
    address = access.normalise(pool, arrival.proven_email)
    found = account_rows.find_user(pool.pk, name=address)
    if found is None or not found.enabled or found.status != Status.CONFIRMED:
        return None
    is_proven = found.email_verified and access.normalise(pool, found.email or "") == address
    return Owner(found.id, found.email or "") if is_proven else None


class Leads(StrEnum):
    """Where a sign-in by a provider leads."""

    KNOWN = "known"
    """To the account that has the login."""
    LINKED = "linked"
    """To the account that an operator linked by an attribute, which has the login from then on."""
    ASKED = "asked"
    """To a question: an account here has the address, and may be the person's."""
    NEW = "new"
    """To a new account."""


class Foreseen(NamedTuple):
    """Where a sign-in would lead, were it one."""

    leads: Leads
    username: str
    sub: uuid.UUID | None = None
    """Whose account it is; None where it would be made."""
    is_enabled: bool = True
    problem: DomainError | None = None
    """What would keep the account from being made."""


def foresee(pool: UserPool, arrival: Arrival) -> Foreseen:
    """Return where a sign-in would lead, and write nothing."""
    try:
        triggers.check(pool, Trigger.INBOUND_FEDERATION)
    except DomainError as problem:
        return Foreseen(Leads.NEW, "", problem=problem)
    login = _login(pool, arrival)
    known = login or owner_of_address(pool, arrival)
    if known is None:
        return _foresee_new(pool, arrival)
    user = User.objects.filter(pool_id=pool.pk, pk=known.user_id, deleted_at=None).first()
    if user is None:  # deleted meanwhile
        return _foresee_new(pool, arrival)
    leads = Leads.ASKED if login is None else Leads.KNOWN if login.subject is not None else Leads.LINKED
    return Foreseen(leads, user.username, user.sub, user.enabled)


def _foresee_new(pool: UserPool, arrival: Arrival) -> Foreseen:
    try:
        username = _username(pool, arrival)
        triggers.check(pool, Trigger.PRE_SIGN_UP)
    except DomainError as problem:
        return Foreseen(Leads.NEW, "", problem=problem)
    is_taken = bool(sign_in_names.subs(pool, [username])) or account_rows.find_user(pool.pk, name=username) is not None
    return Foreseen(Leads.NEW, username, problem=UsernameTaken() if is_taken else None)


def join(
    client: AppClient,
    arrival: Arrival,
    *,
    given: Mapping[str, str] | None = None,
    proven: uuid.UUID | None = None,
    spend: Callable[[], DomainError | None],
    by: Actor,
) -> User:
    """Return the account of somebody who came, with what the provider says of them now; make one where they have none.

    ``given`` is what they were asked for beside it; ``proven`` is whom they have shown to be, whose the login becomes.
    ``spend`` runs in the transaction, and returns a refusal where this was done already.

    Raises:
        AttributeNotWritable: the app may not write what they were asked for.
        AttributesMissing: a new account would lack what the pool wants.
        UsernameTaken: a new account's name is somebody's.
        Invalid: a value breaks the schema, would change what cannot be, or is one that the app may not write.
        LimitExceeded: the person has five logins.
        TriggerUnavailable: a function that may refuse new accounts cannot be called.

    """
    pool = client.pool
    attributes.check(pool, given or {}, client=client)
    refuse(_unwritable(client, arrival))
    try:
        return _join(pool, arrival, given or {}, proven, spend, by)
    except IntegrityError as problem:
        if "external_login" not in str(problem):
            raise
        return _join(pool, arrival, given or {}, proven, spend, by)  # their first sign-in came twice at once


def _unwritable(client: AppClient, arrival: Arrival) -> Iterator[Invalid]:
    """Yield what a provider says that people may not write through the app. AWS: API_UpdateUserPoolClient.

    Whether an address was verified is in no app's list, and a provider's to say.
    """
    told = [name for name in arrival.values if name not in schema.VERIFIED]
    for name in attributes.unwritable(client.pool, told, client):
        yield Invalid(f"user.{name}: Attribute cannot be updated.", field=name)


def _join(
    pool: UserPool,
    arrival: Arrival,
    given: Mapping[str, str],
    proven: uuid.UUID | None,
    spend: Callable[[], DomainError | None],
    by: Actor,
) -> User:
    login = _login(pool, arrival)
    if login is None and proven is None:
        return _make(pool, arrival, given, spend, by=by)
    with atomic_part.begin() as part:
        part.refuse_if(spend())
        owner = User(id=login.user_id if login is not None else proven, pool=pool)
        user = access.lock_user(part, pool, owner)
        if login is None:
            _link(part, pool, user, arrival, by=by)
        elif login.subject is None:
            _claim(part, pool, user, login, arrival)
        if user.enabled:
            part.refuse_if(_refresh(pool, user, arrival))
        return user


def _login(pool: UserPool, arrival: Arrival) -> ExternalLogin | None:
    """Return whose login it is: by who it is there, else by what an operator linked that has not signed in yet."""
    # An address of which the provider does not say that it was verified is anybody's.
    proven = [name for name in arrival.values if arrival.values.get(f"{name}_verified", "true") == "true"]
    fits = Q(subject=arrival.subject)
    for name in proven:
        fits |= Q(subject=None, attribute=name, value=arrival.values[name])
    rows = ExternalLogin.objects.filter(fits, pool_id=pool.pk, provider=arrival.provider).order_by("id")
    return min(rows, key=lambda each: each.subject is None, default=None)


def _claim(part: AtomicPart, pool: UserPool, user: User, login: ExternalLogin, arrival: Arrival) -> None:
    """Have a login that was linked by an attribute be known by its subject from now on: one statement spends it."""
    unused = ExternalLogin.objects.filter(pool_id=pool.pk, pk=login.pk, subject=None)
    if unused.update(subject=arrival.subject) != 1:
        part.refuse(WrongState("The link was used meanwhile."))
    external_logins.tell(pool, user)


def _link(part: AtomicPart, pool: UserPool, user: User, arrival: Arrival, *, by: Actor) -> None:
    """Make a login somebody's who has just proven who they are."""
    found = _row(pool, user, arrival, primary=False)
    linking.refuse_excess(part, pool, found)
    found.save(force_insert=True)
    external_logins.tell(pool, user)
    _record(Tag.PROVIDER_LINKED, pool, user, arrival, by=by)


def _row(pool: UserPool, user: User, arrival: Arrival, *, primary: bool) -> ExternalLogin:
    found = provider(pool, arrival.provider)
    return ExternalLogin(
        id=names.uuid7(),
        pool=pool,
        user=user,
        provider=arrival.provider,
        provider_type=found.type if found is not None else "",
        issuer=found.fetched.get(ISSUER, "") if found is not None else "",
        attribute=COGNITO_SUBJECT,
        value=arrival.subject,
        subject=arrival.subject,
        primary=primary,
        created_at=clock.now(),
    )


def _refresh(pool: UserPool, user: User, arrival: Arrival) -> DomainError | None:
    """Write what the provider says now into a locked row; return the refusal of what cannot be changed.

    What somebody signs in by here they change themselves: no provider can take or give a name.
    """
    present, changed = profile.of(user), dict[str, str]()
    own = {kind for kind in sign_in_names.ALIASES if sign_in_names.usable(pool, user, kind)}
    kept = own | {f"{name}_verified" for name in own} if user.status != Status.EXTERNAL_PROVIDER else set[str]()
    for name, value in profile.as_kept(pool, arrival.values).items():
        before = present.get(name)
        if before == value or name in kept:
            continue
        if name.endswith("_verified") and before == "true" and name.removesuffix("_verified") not in changed:
            continue  # proven here; the provider knows less of the same address
        rule = schema.rule(pool, name)
        if before and rule is not None and not rule.mutable:
            return Invalid(f"user.{name}: Attribute cannot be updated.", field=name)
        changed[name] = value
    if changed:
        profile.write(pool, user, changed)
        profile.store(user)
    return None


def _make(
    pool: UserPool,
    arrival: Arrival,
    given: Mapping[str, str],
    spend: Callable[[], DomainError | None],
    *,
    by: Actor,
) -> User:
    values = {**given, **arrival.values}
    missing = [name for name in arrivals.missing(pool, arrival) if not values.get(name)]
    if missing:
        raise AttributesMissing(missing)
    triggers.check(pool, Trigger.PRE_SIGN_UP)
    username = _username(pool, arrival)
    now = clock.now()
    user = User(
        pool=pool,
        sub=uuid.uuid4(),
        username=username,
        status=Status.EXTERNAL_PROVIDER,
        created_at=now,
        modified_at=now,
    )
    profile.write(pool, user, values)
    login = _row(pool, user, arrival, primary=True)
    external_logins.write(pool, user, [login])
    with atomic_part.begin() as part:
        part.refuse_if(spend())
        # No other name: nobody signs in by one of theirs, and whoever does by the same address stays who they are.
        if username in sign_in_names.subs(pool, [username]) or not account_rows.make_user(
            user, {username: sign_in_names.Kind.USERNAME.value}
        ):
            part.refuse(UsernameTaken(detail=f"{arrival.provider}: the username is somebody else's"))
        login.save(force_insert=True)
        _put_into_group(pool, user, arrival)
        audit.record(Tag.USER_CREATED, pool=pool, subject=user.sub, by=by, detail={"status": str(user.status)})
    triggers.check(pool, Trigger.POST_CONFIRMATION)
    return user


def _username(pool: UserPool, arrival: Arrival) -> str:
    """Return the name of the account that somebody's first sign-in makes.

    Raises:
        Invalid: who they are at their provider makes none.

    """
    username = access.normalise(pool, f"{arrival.provider}_{arrival.subject}")
    if len(username) > USERNAME_LENGTH or not names.is_plain(username):
        raise Invalid("The identity provider's subject makes no username.", field="subject", code="subject")
    return username


def _put_into_group(pool: UserPool, user: User, arrival: Arrival) -> None:
    """Put a new account into its provider's group, where that is still there."""
    name = identity_providers.group_name(pool, arrival.provider)
    group = Group.objects.select_for_update(no_key=True).filter(pool_id=pool.pk, name=name).first()
    if group is not None:
        Membership(pool=pool, user=user, group=group).save(force_insert=True)


def _record(tag: Tag, pool: UserPool, user: User, arrival: Arrival, *, by: Actor) -> None:
    detail = {"provider": arrival.provider, "attribute": COGNITO_SUBJECT}
    audit.record(tag, pool=pool, subject=user.sub, by=by, detail=detail, personal={"value": arrival.subject})
