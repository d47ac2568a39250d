"""A person's attributes as a row holds them: some are columns, the rest is JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from identity.foundation import clock, names
from pools.models import User, UserPool
from pools.models.bulk_user_rows import NewUser
from pools.services.pools import schema

ADDRESSES = ("email", "phone_number")
CASELESS = frozenset({"email", "preferred_username"})
"""What has no capitals where case does not matter, as the username has none there."""
IN_ORDER = tuple(
    (
        name,
        name in {"sub", *schema.COLUMNS, *schema.VERIFIED},
        name.removesuffix("_verified") if name in schema.VERIFIED else "",
    )
    for name in schema.STANDARD
)
"""Each standard attribute, whether it is a column, and the address of which it says that it was proven."""


class Profile(Protocol):
    """What has a person's attributes: a row of the ORM or one of the hot path."""

    @property
    def sub(self) -> UUID:
        """The person's permanent id."""

    @property
    def email(self) -> str | None:
        """Email address."""

    @property
    def email_verified(self) -> bool | None:
        """Whether the address was proven; None where that was never said."""

    @property
    def phone_number(self) -> str | None:
        """Phone number."""

    @property
    def phone_number_verified(self) -> bool | None:
        """Whether the number was proven; None where that was never said."""

    @property
    def attributes(self) -> dict[str, Any]:
        """What is not a column."""


def of(person: Profile) -> dict[str, str]:
    """Return a person's attributes as the wire knows them: texts, ``sub`` first, in the schema's order."""
    found: dict[str, str] = {}
    attributes = person.attributes
    for name, is_column, owner in IN_ORDER:
        if not is_column:
            if name in attributes:
                found[name] = str(attributes[name])
        elif (value := getattr(person, name)) is None:
            continue
        elif not owner:
            found[name] = str(value)
        elif getattr(person, owner) is not None:
            found[name] = "true" if value else "false"
    if attributes:
        found.update({name: str(value) for name, value in attributes.items() if name not in found})
    return found


def verified(user: User) -> list[str]:
    """Return a person's proven addresses."""
    return [getattr(user, address) for address in ADDRESSES if getattr(user, f"{address}_verified")]


def addresses(user: User) -> dict[str, tuple[str | None, bool]]:
    """Return a person's addresses as they are, and whether they are proven: to see later which have changed."""
    return {address: (getattr(user, address), getattr(user, f"{address}_verified")) for address in ADDRESSES}


def as_kept(pool: UserPool, values: Mapping[str, str]) -> dict[str, str]:
    """Return values as rows of that pool have them: whoever compares some with what is there compares these.

    AWS: User pool case sensitivity: where case does not matter, mixed-case values are flattened to lowercase in what
    the pool tells. They are so from the first, and mail goes there.
    """
    if pool.case_sensitive:
        return dict(values)
    return {name: names.flattened(value) if name in CASELESS else value for name, value in values.items()}


def write(pool: UserPool, user: User | NewUser, values: Mapping[str, str]) -> None:
    """Put checked values into an unsaved or locked row; an empty text deletes. The caller saves it."""
    extra = dict(user.attributes)
    for name, value in as_kept(pool, values).items():
        if name in schema.VERIFIED:
            setattr(user, name, value.lower() == "true" if value else None)
        elif name in schema.COLUMNS:
            setattr(user, name, value or None)
        elif value:
            extra[name] = value
        else:
            extra.pop(name, None)
    user.attributes = extra
    for address in ADDRESSES:
        if getattr(user, address) is None:
            setattr(user, f"{address}_verified", None)


WRITTEN = (*schema.COLUMNS, "email_verified", "phone_number_verified", "attributes")


def store(user: User, columns: Sequence[str] = WRITTEN) -> None:
    """Write columns of a locked row, within the person's pool; by default all that :func:`write` may have changed."""
    user.modified_at = clock.now()
    changed = {name: getattr(user, name) for name in (*columns, "modified_at")}
    User.objects.filter(pool_id=user.pool_id, pk=user.pk).update(**changed)
