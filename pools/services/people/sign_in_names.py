"""Who owns a name that signs in: claimed, released and handed over here, inside the caller's transaction.

One table for usernames and aliases of all kinds, so that nobody's alias can equal another's username.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from uuid import UUID

from django.db.models import Q

from identity.foundation import clock, names
from identity.foundation.actor import Actor
from identity.foundation.errors import Invalid, refuse
from pools.models import SignInName, User, UserPool, account_rows
from pools.models.bulk_user_rows import NewUser
from pools.services import access, audit, codes, configuration
from pools.services.audit import Tag
from pools.services.pools.schema import is_email, is_phone

Kind = SignInName.Kind
ALIASES = (Kind.PREFERRED_USERNAME, Kind.EMAIL, Kind.PHONE_NUMBER)
LENGTH = 128
NAME_BYTES = 2500
"""What an index of PostgreSQL holds of one text with room for its other columns."""


def check_username(pool: UserPool, username: str) -> None:
    """Check the name under which an account is made, as it is typed and as the pool compares it.

    Raises:
        Invalid: it is of another shape than the pool wants.

    """
    refuse(problems(pool, username))


def problems(pool: UserPool, username: str) -> Iterator[Invalid]:
    """Yield what is wrong with such a name: once, however it is read."""
    # Folding makes other names of some: full-width digits become a sub, one ligature a whole sentence.
    found = (_form_problem(pool, form) for form in (username, access.normalise(pool, username)))
    yield from islice((problem for problem in found if problem is not None), 1)


def preferred_problem(pool: UserPool, value: str) -> Invalid | None:
    """Return what is wrong with a preferred_username that is to sign in, as the pool compares it.

    It could be taken for somebody's address or for what it looks like, or no index holds it.
    """
    if Kind.PREFERRED_USERNAME not in pool.alias_attributes:
        return None
    name, field = access.normalise(pool, value), Kind.PREFERRED_USERNAME.value
    proper = names.is_visible(value) and names.is_visible(name)
    if not name or not proper or len(name) > access.NAME_LENGTH or len(name.encode()) > NAME_BYTES:
        return Invalid("Preferred username is not valid.", field=field, code="name")
    return _reads_like_another(pool, name, "Preferred username", field=field)


def _form_problem(pool: UserPool, username: str) -> Invalid | None:
    if pool.username_attributes:
        fits = {"email": is_email, "phone_number": is_phone}
        if len(username) > LENGTH or not any(fits[kind](username) for kind in pool.username_attributes):
            kinds = pool.username_attributes
            return Invalid(_expected(kinds), field="username", code=kinds[0] if len(kinds) == 1 else "address")
        return None
    if not username or len(username) > LENGTH or not names.is_plain(username):
        return Invalid("Usernames hold 1 to 128 characters without spaces.", field="username", code="name")
    if _is_a_providers(pool, username):
        return Invalid("Username is kept for people of an identity provider.", field="username", code="of_provider")
    return _reads_like_another(pool, username, "Username", field="username")


def _is_a_providers(pool: UserPool, name: str) -> bool:
    """Say whether a name is one of those that people of a provider of the pool get: nobody else may have it before."""
    if "_" not in name:
        return False
    normal = access.normalise(pool, name)
    return any(normal.startswith(access.normalise(pool, f"{each.name}_")) for each in configuration.providers(pool))


def _reads_like_another(pool: UserPool, name: str, what: str, *, field: str) -> Invalid | None:
    """Return what is wrong with a chosen name that one could take for somebody's address, where addresses sign in."""
    for kind, fits, word in (("email", is_email, "email"), ("phone_number", is_phone, "phone number")):
        if kind in pool.alias_attributes and fits(name):
            text = f"{what} cannot be of {word} format, since user pool is configured for {word} alias."
            return Invalid(text, field=field, code=f"like_{kind}")
    return None


def _expected(kinds: list[str]) -> str:
    if len(kinds) > 1:
        return "Username should be either an email or a phone number."
    return "Username should be an email." if kinds == ["email"] else "Username should be a phone number."


def usable(pool: UserPool, user: User | NewUser, kind: str) -> bool:
    """Say whether a user may sign in by this attribute now."""
    value = getattr(user, kind)
    if not value:
        return False
    if kind in pool.username_attributes:
        return True
    if kind not in pool.alias_attributes:
        return False
    return kind == Kind.PREFERRED_USERNAME or bool(getattr(user, f"{kind}_verified"))


def of_new(pool: UserPool, user: User | NewUser) -> dict[str, str]:
    """Return the names that a new user signs in by, as the pool compares them, with the kind of each."""
    found = {access.normalise(pool, user.username): Kind.USERNAME.value}
    for kind in ALIASES:
        if usable(pool, user, kind):
            found.setdefault(access.normalise(pool, getattr(user, kind)), kind.value)
    return found


def make(pool: UserPool, user: User, *, force: bool = False, by: Actor) -> str:
    """Save a new user with all names; return the kind of one that another owns, empty where all went well.

    One statement claims them. With ``force`` an alias is handed over, after :func:`hold`.
    """
    names_of = of_new(pool, user)
    others = subs(pool, names_of)
    claimed = account_rows.make_user(user, {name: kind for name, kind in names_of.items() if name not in others})
    for kind in names_of.values():
        if kind not in claimed and (kind == Kind.USERNAME or not (force and _take_over(pool, user, kind, by=by))):
            return kind
    return ""


def claim(pool: UserPool, user: User, kind: str, value: str) -> bool:
    """Give a user a name in the place of an older of the same kind; False where another owns it."""
    name = access.normalise(pool, value)
    if taken(pool, value, by_other_than=user):
        return False  # before the older name is let go: two people whose names are swapped would wait for one another
    SignInName.objects.filter(pool_id=pool.pk, user=user, kind=kind).exclude(name=name).delete()
    SignInName.objects.bulk_create([SignInName(pool=pool, user=user, kind=kind, name=name)], ignore_conflicts=True)
    # A user's own name of another kind serves as well: preferred_username may equal the own username.
    return SignInName.objects.filter(pool_id=pool.pk, name=name, user=user).exists()


def taken(pool: UserPool, value: str, *, by_other_than: User | None = None) -> bool:
    """Say whether someone (else) owns a name, or has it as their sub."""
    name = access.normalise(pool, value)
    sub = next(iter(_like_subs(pool, [name])), None)
    return account_rows.is_taken(pool.pk, name, sub=sub, but=by_other_than.id if by_other_than else None)


def subs(pool: UserPool, wanted: Collection[str]) -> set[str]:
    """Return those of many new names that are somebody's ``sub``: as :func:`taken` has it."""
    alike = _like_subs(pool, wanted)
    if not alike:
        return set()
    found = set(User.objects.filter(pool_id=pool.pk, sub__in=alike, deleted_at=None).values_list("sub", flat=True))
    return {name for name in alike if UUID(name) in found}


def _like_subs(pool: UserPool, wanted: Collection[str]) -> list[str]:
    """Return those of some names that may be somebody's ``sub``.

    Where addresses are the usernames, nobody chooses a name: the only UUID is the account's own sub.
    """
    return [] if pool.username_attributes else [name for name in wanted if names.is_uuid(name)]


def release(pool: UserPool, user: User, *kinds: str) -> None:
    """Free a user's names of these kinds, all where none is named."""
    owned = SignInName.objects.filter(pool_id=pool.pk, user=user)
    (owned.filter(kind__in=kinds) if kinds else owned).delete()


def hold(pool: UserPool, user: User) -> None:
    """Lock a user and the owners of their addresses before a hand-over, in one order, and before any name.

    Whoever changes someone locks the person first, then the names: so do hand-overs, and wait for one another.
    """
    addresses = [access.normalise(pool, value) for value in (user.email, user.phone_number) if value]
    owners = SignInName.objects.filter(pool_id=pool.pk, name__in=addresses).values("user_id")
    concerned = User.objects.filter(Q(id=user.id) | Q(id__in=owners), pool_id=pool.pk)
    list(concerned.select_for_update(of=("self",)).order_by("id").values_list("id"))


def settle(pool: UserPool, user: User, *, force: bool = False, by: Actor) -> str:
    """Make a user's aliases follow the attributes; return the kind that another owns, empty where all went well.

    With ``force`` the alias is handed over, after :func:`hold`: the former owner keeps the value, unverified.
    """
    wanted = {kind: access.normalise(pool, getattr(user, kind)) for kind in ALIASES if usable(pool, user, kind)}
    if unusable := [kind for kind in ALIASES if kind not in wanted]:
        release(pool, user, *unusable)
    lost = [
        kind
        for kind in sorted(wanted, key=wanted.__getitem__)  # the order of all who claim names
        if not claim(pool, user, kind, getattr(user, kind)) and not (force and _take_over(pool, user, kind, by=by))
    ]
    return next((kind.value for kind in ALIASES if kind in lost), "")


def _take_over(pool: UserPool, user: User, kind: str, *, by: Actor) -> bool:
    name = access.normalise(pool, getattr(user, kind))
    former = (
        SignInName.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pool_id=pool.pk, name=name, user__pool_id=pool.pk)
        .first()
    )
    # A verified address moves to who verified it last; a username, or a name that was chosen, never does.
    if former is None:
        return claim(pool, user, kind, name)
    if former.kind != kind or kind == Kind.PREFERRED_USERNAME or not getattr(user, f"{kind}_verified"):
        return False
    SignInName.objects.bulk_create(
        [SignInName(pool=pool, user=user, kind=kind, name=name)],
        update_conflicts=True,
        unique_fields=["pool", "name"],
        update_fields=["user", "kind"],
    )
    if former.user_id != user.id:
        User.objects.filter(pool_id=pool.pk, id=former.user_id).update(
            **{f"{kind}_verified": False}, modified_at=clock.now()
        )
        codes.revoke(former.user, [kind])
        audit.record(
            Tag.ALIAS_MOVED,
            pool=pool,
            subject=user.sub,
            by=by,
            detail={"attribute": str(kind), "from": str(former.user.sub)},
        )
    return True
