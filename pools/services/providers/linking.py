"""Links between people and logins at identity providers, which operators make and undo. AWS: AdminLinkProviderForUser.

A link counts from the first sign-in on that it fits; that sign-in is not decided here. Whoever came by a provider
without one has an account of their own, which is not merged with another.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q, QuerySet

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid, LimitExceeded, NotFound, UserNotFound
from pools.models import COGNITO_SUBJECT, ISSUER, ExternalLogin, IdentityProvider, User, UserPool, account_rows
from pools.models.user import Status
from pools.services import access, atomic_part, audit
from pools.services.atomic_part import AtomicPart
from pools.services.audit import Tag
from pools.services.people import external_logins, passwords
from pools.services.providers import identity_providers
from pools.services.providers import provider_rules as rules

LINKS = 5
ATTRIBUTES = 5
LONGEST = 2048
"""Bytes of what a login is known by."""
NOT_A_SOURCE = (
    "Invalid SourceUser: Cognito users with a username/password may not be passed in as a SourceUser, "
    "only as a DestinationUser"
)
SIGNED_UP = "Merging is not currently supported, provide a SourceUser that has not been signed up in order to link"
LINKED_ELSEWHERE = "Merging is not currently supported, provide a SourceUser that has not been linked"
LINKED_ALREADY = "SourceUser is already linked to DestinationUser"


class Login(NamedTuple):
    """Somebody at a provider, or of the pool itself, as operators name them."""

    provider: str
    attribute: str
    value: str

    @property
    def is_local(self) -> bool:
        """Say whether it is somebody of the pool itself, by username."""
        return self.provider.lower() == rules.LOCAL

    @property
    def is_by_subject(self) -> bool:
        """Say whether it is known by who it is at the provider."""
        return self.attribute == COGNITO_SUBJECT


def link(pool: UserPool, *, destination: Login, source: Login, by: Actor) -> None:
    """Have whoever signs in by a login for the first time be somebody who is there.

    Raises:
        UserNotFound: nobody of this pool is called so.
        NotFound: the pool has no such provider.
        Invalid: the login cannot be linked, or is linked, or somebody's account already.
        LimitExceeded: the person has five, or the provider links by five other attributes.

    """
    if source.is_local:
        raise Invalid(NOT_A_SOURCE, field="source_user")
    provider = identity_providers.named(pool, source.provider)
    _check_source(provider, source)
    user = _person(pool, destination)
    login = ExternalLogin(
        id=names.uuid7(),
        pool=pool,
        user=user,
        provider=provider.name,
        provider_type=provider.type,
        issuer=provider.fetched.get(ISSUER, ""),
        attribute=source.attribute,
        value=source.value,
        subject=source.value if source.is_by_subject else None,
        created_at=clock.now(),
    )
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        # The provider's row serialises its links, so that the quota of attributes holds.
        rows = IdentityProvider.objects.filter(pool_id=pool.pk, id=provider.id)
        if rows.select_for_update(no_key=True).first() is None:
            part.refuse(NotFound(f"Identity provider {provider.name} does not exist."))
        _refuse_second(part, pool, login)
        refuse_excess(part, pool, login)
        ExternalLogin.objects.bulk_create([login], ignore_conflicts=True)
        if not ExternalLogin.objects.filter(pool_id=pool.pk, id=login.id).exists():
            part.refuse(Invalid(SIGNED_UP, field="source_user"))  # its first sign-in came first
        external_logins.tell(pool, locked)
        _record(Tag.PROVIDER_LINKED, pool, locked, source, by=by)


def unlink(pool: UserPool, login: Login, *, by: Actor) -> None:
    """Let nobody sign in any more by a login, or by the password of somebody of the pool itself.

    Sessions and tokens stay as they are. Whoever signs in by a login that was linked is somebody new from then on.

    Raises:
        UserNotFound: nobody signs in so.
        NotFound: the pool has no such provider.
        Invalid: somebody of the pool itself is named otherwise than by the username.

    """
    if login.is_local:
        _disable_password(pool, login, by=by)
        return
    found = _found(pool, login)
    if found is None:
        identity_providers.named(pool, login.provider)
        raise UserNotFound
    with atomic_part.begin() as part:
        user = access.lock_user(part, pool, found.user)
        if not ExternalLogin.objects.filter(pool_id=pool.pk, id=found.id).delete()[0]:
            part.refuse(UserNotFound())
        external_logins.tell(pool, user)
        _record(Tag.PROVIDER_UNLINKED, pool, user, login, by=by)


def _disable_password(pool: UserPool, login: Login, *, by: Actor) -> None:
    if not login.is_by_subject:
        raise Invalid(f"ProviderAttributeName must be {COGNITO_SUBJECT}.", field="user")
    user = access.user(pool, login.value)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        passwords.remove(locked)
        account_rows.set_status(pool.pk, locked.id, Status.EXTERNAL_PROVIDER.value, clock.now())
        _record(Tag.PROVIDER_UNLINKED, pool, locked, login, by=by)


def _check_source(provider: IdentityProvider, source: Login) -> None:
    """Check that a provider's answers can tell a login by that attribute.

    Raises:
        Invalid: they cannot.

    """
    if not 1 <= len(source.value.encode()) <= LONGEST:
        raise Invalid("Invalid SourceUser: ProviderAttributeValue is missing or too long.", field="source_user")
    mapped = provider.attribute_mapping.keys() - {rules.USERNAME} if not rules.is_social(provider.type) else set[str]()
    if not source.is_by_subject and source.attribute not in mapped:
        words = f"{COGNITO_SUBJECT} or a mapped attribute" if mapped else COGNITO_SUBJECT
        raise Invalid(f"Invalid SourceUser: ProviderAttributeName must be {words}.", field="source_user")


def _person(pool: UserPool, named: Login) -> User:
    """Return somebody of the pool, by username or by who they are at a provider.

    Raises:
        UserNotFound: nobody is.

    """
    if named.is_local:
        return access.user(pool, named.value)
    found = _live(pool).filter(provider=named.provider, subject=named.value).first()
    if found is None:
        raise UserNotFound
    return found.user


def _live(pool: UserPool) -> QuerySet[ExternalLogin]:
    rows = ExternalLogin.objects.filter(pool_id=pool.pk, user__pool_id=pool.pk, user__deleted_at=None)
    return rows.select_related("user")


def _found(pool: UserPool, login: Login) -> ExternalLogin | None:
    """Return a login: by who it is there, or, until its first sign-in, by what it was linked by."""
    rows = _live(pool).filter(provider=login.provider)
    if login.is_by_subject:
        return rows.filter(subject=login.value).first()
    return rows.filter(attribute=login.attribute, value=login.value, subject=None).first()


def _refuse_second(part: AtomicPart, pool: UserPool, login: ExternalLogin) -> None:
    alike = Q(attribute=login.attribute, value=login.value)
    if login.subject is not None:
        alike |= Q(subject=login.subject)
    there = ExternalLogin.objects.filter(alike, pool_id=pool.pk, provider=login.provider).first()
    if there is None:
        return
    if there.user_id == login.user_id:
        part.refuse(Invalid(LINKED_ALREADY, field="source_user"))
    part.refuse(Invalid(SIGNED_UP if there.primary else LINKED_ELSEWHERE, field="source_user"))


def refuse_excess(part: AtomicPart, pool: UserPool, login: ExternalLogin) -> None:
    """Leave the part with LimitExceeded where the person has five links, or the provider links by five attributes."""
    own = ExternalLogin.objects.filter(pool_id=pool.pk, user_id=login.user_id, primary=False)
    if own[:LINKS].count() >= LINKS:
        part.refuse(LimitExceeded(f"A user can be linked to at most {LINKS} identities."))
    of_provider = ExternalLogin.objects.filter(pool_id=pool.pk, provider=login.provider)
    if of_provider.filter(attribute=login.attribute).exists():
        return
    if of_provider.values("attribute").distinct()[:ATTRIBUTES].count() >= ATTRIBUTES:
        part.refuse(LimitExceeded(f"An identity provider links by at most {ATTRIBUTES} attributes."))


def _record(tag: Tag, pool: UserPool, user: User, login: Login, *, by: Actor) -> None:
    detail = {"provider": login.provider, "attribute": login.attribute}
    audit.record(tag, pool=pool, subject=user.sub, by=by, detail=detail, personal={"value": login.value})
