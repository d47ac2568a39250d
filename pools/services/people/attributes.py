"""A person's attributes: who may write which, what a change sets in motion, verification by code.

Which attributes a pool knows is ``schema``; which of them sign in is ``sign_in_names``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from identity.foundation.actor import Actor
from identity.foundation.errors import (
    AliasExists,
    AttributeProvided,
    DomainError,
    Invalid,
    NotAuthorized,
    refuse,
)
from pools.models import AppClient, User, UserPool
from pools.services import access, atomic_part, audit, codes
from pools.services.audit import Tag
from pools.services.messages import destinations, sending
from pools.services.messages.destinations import Delivery
from pools.services.messages.sending import Outgoing
from pools.services.people import external_logins, profile, sign_in_names
from pools.services.people.profile import ADDRESSES, Profile
from pools.services.pools import app_clients, schema

TAKEN = {
    kind: f"An account with the given {word} already exists."
    for kind, word in (
        ("email", "email"),
        ("phone_number", "phone_number"),
        ("preferred_username", "preferred username"),
    )
}
"""What Cognito says of an address or a name that another owns, by its kind."""
UNADDRESSED = {
    "email_verified": "Email is required to verify/un-verify an email",
    "phone_number_verified": "Phone Number is required to verify/un-verify a phone number",
}


class AttributeNotWritable(NotAuthorized):
    """The app's client may not write this attribute."""

    public = "A client attempted to write unauthorized attribute"

    def __init__(self, name: str = "") -> None:
        """Name the attribute, to logs and to adapters that say which it is."""
        super().__init__(detail=name)
        self.field = name


def of(person: Profile) -> dict[str, str]:
    """Return a person's attributes as the wire knows them: texts, ``sub`` first, in the schema's order."""
    return profile.of(person)


def check(pool: UserPool, values: Mapping[str, str], *, client: AppClient | None = None) -> None:
    """Check values for a new account, or for required attributes given at sign-in; ``client`` must be let write.

    Raises:
        AttributeNotWritable: the client may not write one of them.
        Invalid: a value breaks the schema.

    """
    schema.refuse_all_unfit(problems(pool, values, client=client))


def problems(pool: UserPool, values: Mapping[str, str], *, client: AppClient | None = None) -> Iterator[DomainError]:
    """Yield what is wrong with such values, one refusal an attribute, in Cognito's order."""
    forbidden = unwritable(pool, values, client)
    yield from map(AttributeNotWritable, forbidden)
    for name, value in values.items():
        if name in forbidden:
            continue
        rule = schema.rule(pool, name)
        if rule is None:
            yield _unknown(name)
        elif name == "sub":
            yield Invalid("sub: Attribute cannot be set.", field="sub")
        elif value and (found := _value_problem(pool, rule, value)):
            yield found


def check_complete(pool: UserPool, values: Mapping[str, str]) -> None:
    """Check that a new account has what the pool requires.

    Raises:
        Invalid: it has not; all that is missing is told.

    """
    schema.refuse_all_unfit(_incomplete(pool, values))


def _incomplete(pool: UserPool, values: Mapping[str, str]) -> Iterator[Invalid]:
    for name in schema.required(pool):
        if not values.get(name):
            yield schema.Unfit(name, "The attribute is required", code="required")


def unaddressed(values: Mapping[str, str]) -> Iterator[Invalid]:
    """Yield each word on whether an address was verified that comes without the address."""
    for flag, words in UNADDRESSED.items():
        if values.get(flag) and not values.get(flag.removesuffix("_verified")):
            yield Invalid(words, field=flag)


def required(pool: UserPool) -> list[str]:
    """Return what the pool wants of each person, ``sub`` aside."""
    return schema.required(pool)


def check_completion(pool: UserPool, client: AppClient, user: User, changes: Mapping[str, str]) -> None:
    """Check what an invited person gives with the first password of their own.

    Raises:
        AttributeNotWritable: the client may not write one of them.
        AttributeProvided: a required one has a value already.
        Invalid: one breaks the schema, or a required one is still missing.
        AliasExists: another owns the name.

    """
    changes = profile.as_kept(pool, changes)
    for name in changes:
        # What Amazon's clients delete from an answer knows this text (amplify-android#244, aws-sdk-ios#2203).
        if name == "sub" or name in schema.VERIFIED:
            raise Invalid(f"Cannot modify the non-mutable attribute {name}", field=name)
    check(pool, changes, client=client)
    refuse(_second_values(pool, user, changes))
    present = profile.of(user)
    chosen = changes.get("preferred_username") if "preferred_username" in pool.alias_attributes else None
    renamed = chosen != present.get("preferred_username")
    if chosen and renamed and sign_in_names.taken(pool, chosen, by_other_than=user):
        raise taken("preferred_username")
    for name in schema.required(pool):
        if not {**present, **changes}.get(name):
            raise Invalid(f"Invalid attributes given, {name} is missing", field=name, code="required")


def _second_values(pool: UserPool, user: User, changes: Mapping[str, str]) -> Iterator[DomainError]:
    """Yield each required attribute to which an answer gives a second value, and another address to sign in by.

    AWS: API_RespondToAuthChallenge, ChallengeResponses. Amazon refuses the value that is there, too.
    """
    present, required = profile.of(user), schema.required(pool)
    for name, value in changes.items():
        changed = present.get(name, "") != value
        if present.get(name) and (name in required or (changed and name in pool.username_attributes)):
            yield AttributeProvided(name)
        elif changed and (name in pool.username_attributes or (name in present and _is_fixed(pool, name))):
            yield Invalid(f"user.{name}: Attribute cannot be updated.", field=name)


def complete(pool: UserPool, user: User, changes: Mapping[str, str], *, by: Actor) -> DomainError | None:
    """Write what :func:`check_completion` has passed, inside the caller's transaction, on a locked row.

    Return the refusal where somebody gave it meanwhile, or another took the name: the caller's transaction undoes it.
    """
    if not changes:
        return None
    changes = profile.as_kept(pool, changes)
    if second := next(_second_values(pool, user, changes), None):
        return second
    unproven = {
        f"{address}_verified": "false"
        for address in ADDRESSES
        if address in changes and changes[address] != getattr(user, address)
    }
    before = profile.addresses(user)
    profile.write(pool, user, {**changes, **unproven})
    profile.store(user)
    revoke_codes(user, before)
    if refused := sign_in_names.settle(pool, user, by=by):
        return taken(refused)
    detail = {"changed": sorted(changes)}
    audit.record(Tag.ATTRIBUTES_CHANGED, pool=pool, subject=user.sub, by=by, detail=detail)
    return None


def changes_proof(pool: UserPool, person: Profile, changes: Mapping[str, str]) -> bool:
    """Say whether a change touches an address: people sign in and recover their passwords by addresses."""
    kept = profile.as_kept(pool, changes)
    return any(name in ADDRESSES and value != (getattr(person, name) or "") for name, value in kept.items())


def missing(pool: UserPool, person: Profile) -> list[str]:
    """Return the required attributes that a person lacks."""
    present = profile.of(person)
    return [name for name in schema.required(pool) if not present.get(name)]


def _is_fixed(pool: UserPool, name: str) -> bool:
    rule = schema.rule(pool, name)
    return rule is not None and not rule.mutable


def _unknown(name: str) -> Invalid:
    return schema.Unfit(name, "Attribute does not exist in the schema.")


def _value_problem(pool: UserPool, rule: schema.Rule, value: str) -> Invalid | None:
    found = schema.problem(rule, value)
    if found is None and rule.name == "preferred_username":
        return sign_in_names.preferred_problem(pool, value)
    return found


def unwritable(pool: UserPool, names: Iterable[str], client: AppClient | None) -> list[str]:
    """Return which of some attributes a client may not write; without a client, none.

    What the schema does not have is in no client's list, where Amazon looks first; a client without a list may write
    all, and is told that it does not exist (amplify-js#5532).
    """
    if client is None:
        return []
    writable, known = app_clients.writable(client, pool), schema.rules(pool)
    may_be_unknown = client.write_attributes is None
    return [
        name
        for name in names
        if name in schema.VERIFIED or (name not in writable and not (may_be_unknown and name not in known))
    ]


@dataclass(slots=True)
class _Change:
    """What a change does: values written now, addresses that a code is to prove."""

    values: dict[str, str]
    to_verify: list[str] = field(default_factory=list)


def update(client: AppClient, user: User, changes: Mapping[str, str], *, by: Actor) -> list[Delivery]:
    """Change a signed-in person's own attributes; return where codes went. An empty value deletes.

    Raises:
        AttributeNotWritable: the client may not write one of them.
        Invalid: the schema forbids it.
        AliasExists: another owns the name.
        TooManyAttempts: too many messages to that address lately.

    """
    pool = client.pool
    refuse(map(AttributeNotWritable, unwritable(pool, changes, client)))
    refuse(_fixed_elsewhere(pool, user, changes))
    return _update(pool, client, user, changes, by=by)


def _fixed_elsewhere(pool: UserPool, user: User, changes: Mapping[str, str]) -> Iterator[Invalid]:
    """Yield each attribute that somebody's provider gives, and that they change there."""
    for name in changes.keys() & external_logins.provided(pool, user):
        yield Invalid(f"user.{name}: Attribute cannot be updated.", field=name, code="provided")


def admin_update(pool: UserPool, user: User, changes: Mapping[str, str], *, by: Actor) -> list[Delivery]:
    """Change someone's attributes, ``*_verified`` included, whatever clients may write.

    Raises:
        Invalid: the schema forbids it.
        AliasExists: another owns the name.

    """
    return _update(pool, None, user, changes, by=by)


def _update(
    pool: UserPool,
    client: AppClient | None,
    user: User,
    changes: Mapping[str, str],
    *,
    by: Actor,
) -> list[Delivery]:
    changes = profile.as_kept(pool, changes)
    schema.refuse_all_unfit(_change_problems(pool, profile.of(user), changes))
    composed = _proofs(pool, client, user, changes)
    with atomic_part.begin() as part:
        locked = access.lock_user(part, pool, user)
        change = _effects(pool, locked, changes, composed)
        proofs = [composed[address] for address in change.to_verify]
        part.refuse_if(sending.refusal(pool, client, *proofs))
        part.refuse_if(_apply(pool, locked, change, proofs, by=by))  # a name that is taken undoes the rest
    return [proof.delivery for proof in proofs]


def _change_problems(pool: UserPool, present: Mapping[str, str], changes: Mapping[str, str]) -> Iterator[Invalid]:
    """Yield what is wrong with changes of what is there, one refusal an attribute."""
    for name, value in changes.items():
        rule = schema.rule(pool, name)
        if rule is None:
            yield _unknown(name)
        elif name == "sub" or (not rule.mutable and present.get(name, "") != value):
            yield Invalid(f"user.{name}: Attribute cannot be updated.", field=name)
        elif value and value == present.get(name):
            continue  # given before a rule was made, it stays
        elif value and (found := _value_problem(pool, rule, value)):
            yield found
        elif not value and rule.required:  # aws-sdk-ios#4251
            yield Invalid(f"user.{name}: Required attribute cannot be deleted.", field=name)
        elif not value and name in pool.username_attributes:
            yield Invalid(f"user.{name}: Attribute cannot be deleted.", field=name)
    said = {name: value for name, value in changes.items() if name in UNADDRESSED}
    yield from unaddressed({**present, **changes} if said else {})


def _proofs(pool: UserPool, client: AppClient | None, user: User, changes: Mapping[str, str]) -> dict[str, Outgoing]:
    """Compose what each address needs that is verified here and may turn out to be new."""
    found = {}
    for address in ADDRESSES:
        to, channel = changes.get(address), destinations.CHANNEL[address]
        is_due = address in pool.auto_verified and not _is_vouched(changes, address)
        if to and is_due:
            found[address] = sending.code(pool, client, user, address, channel=channel, to=to)
    return found


def _is_vouched(changes: Mapping[str, str], address: str) -> bool:
    return changes.get(f"{address}_verified", "").lower() == "true"


def _effects(pool: UserPool, user: User, changes: Mapping[str, str], proofs: Collection[str]) -> _Change:
    """Return what changes now and what waits: a new address is unproven unless an operator vouches for it."""
    settings = pool.configuration.get("user_attribute_update_settings") or {}
    held_back = settings.get("attributes_require_verification_before_update") or []
    change = _Change(dict(changes))
    for address in ADDRESSES:
        value = changes.get(address)
        if value is None or value == (getattr(user, address) or "") or _is_vouched(changes, address):
            continue
        if address in proofs:
            change.to_verify.append(address)
            if address in held_back:
                del change.values[address]
                change.values.pop(f"{address}_verified", None)
                continue
        change.values[f"{address}_verified"] = "false"
    return change


def _apply(pool: UserPool, user: User, change: _Change, proofs: Sequence[Outgoing], *, by: Actor) -> DomainError | None:
    before = profile.addresses(user)
    profile.write(pool, user, change.values)
    profile.store(user)
    revoke_codes(user, before, written=change.values)
    if refused := sign_in_names.settle(pool, user, by=by):
        return taken(refused)
    sending.send(pool, *proofs)
    detail = {"changed": sorted(change.values)}
    audit.record(Tag.ATTRIBUTES_CHANGED, pool=pool, subject=user.sub, by=by, detail=detail)
    return None


def revoke_codes(user: User, before: Mapping[str, object], *, written: Collection[str] = ()) -> None:
    """Kill the codes that went to what is no longer so: before new ones are issued.

    An address that is ``written`` ends a change that waits for its code, also where it is the one that is kept.
    """
    addresses = profile.addresses(user)
    changed = [address for address, now in addresses.items() if now != before[address]]
    if changed:
        codes.revoke(user, changed)
    if kept := [address for address in addresses if address in written and address not in changed]:
        codes.revoke(user, kept, waiting=True)


def taken(kind: str) -> AliasExists:
    """Return the refusal of a name that another owns."""
    return AliasExists(TAKEN[kind])
