"""A person's attributes: who may write which, what a change sets in motion, verification by code.

Which attributes a pool knows is ``schema``; which of them sign in is ``sign_in_names``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import transaction

from identity.foundation.actor import Actor
from identity.foundation.errors import (
    AliasExists,
    AttributeProvided,
    CodeExpired,
    DomainError,
    Invalid,
    NotAuthorized,
    UserNotFound,
    refuse,
)
from pools.models import AppClient, OutboxMessage, User, UserPool
from pools.services import audit, codes
from pools.services.audit import Tag
from pools.services.messages import compose, destinations, outbox, send_limits
from pools.services.messages.destinations import Delivery
from pools.services.people import profile, sign_in_names
from pools.services.people.profile import ADDRESSES, Profile
from pools.services.pools import app_clients, schema


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
    refuse(problems(pool, values, client=client))


def problems(pool: UserPool, values: Mapping[str, str], *, client: AppClient | None = None) -> Iterator[DomainError]:
    """Yield what is wrong with such values, one refusal an attribute, in Cognito's order."""
    unwritable = _unwritable(pool, values, client)
    yield from map(AttributeNotWritable, unwritable)
    for name, value in values.items():
        if name in unwritable:
            continue
        rule = schema.rule(pool, name)
        if rule is None:
            yield _unknown(name)
        elif name == "sub":
            yield Invalid("sub: Attribute cannot be set.", field="sub")
        elif value and (found := _value_problem(pool, rule, value)):
            yield found


def incomplete(pool: UserPool, values: Mapping[str, str]) -> Iterator[Invalid]:
    """Yield each required attribute that is missing from a new account's."""
    for name in schema.required(pool):
        if not values.get(name):
            text = f"Attributes did not conform to the schema: {name}: The attribute is required"
            yield Invalid(text, field=name, why="required")


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
    for name in changes:
        # What Amazon's clients delete from an answer knows this text (amplify-android#244, aws-sdk-ios#2203).
        if name == "sub" or name in schema.VERIFIED:
            raise Invalid(f"Cannot modify the non-mutable attribute {name}", field=name)
    check(pool, changes, client=client)
    _check_once(pool, user, changes)
    present = profile.of(user)
    chosen = changes.get("preferred_username") if "preferred_username" in pool.alias_attributes else None
    renamed = chosen != present.get("preferred_username")
    if chosen and renamed and sign_in_names.taken(pool, chosen, by_other_than=user):
        raise taken("preferred_username")
    for name in schema.required(pool):
        if not {**present, **changes}.get(name):
            raise Invalid(f"Invalid attributes given, {name} is missing", field=name, why="required")


def _check_once(pool: UserPool, user: User, changes: Mapping[str, str]) -> None:
    """Check that an answer gives no required attribute a second value, nor a person another address to sign in by.

    AWS: API_RespondToAuthChallenge, ChallengeResponses. Amazon refuses the value that is there, too.
    """
    present, required = profile.of(user), schema.required(pool)
    for name, value in changes.items():
        changed = present.get(name, "") != value
        if present.get(name) and (name in required or (changed and name in pool.username_attributes)):
            raise AttributeProvided(name)
        if changed and name in pool.username_attributes:
            raise Invalid(f"user.{name}: Attribute cannot be updated.", field=name)
        if changed and name in present and not _known(pool, name).mutable:
            raise Invalid(f"user.{name}: Attribute cannot be updated.", field=name)


def complete(pool: UserPool, user: User, changes: Mapping[str, str], *, by: Actor) -> None:
    """Write what :func:`check_completion` has passed, inside the caller's transaction, on a locked row.

    Raises:
        AttributeProvided: somebody gave it meanwhile.
        AliasExists: another took the name meanwhile.

    """
    if not changes:
        return
    _check_once(pool, user, changes)
    unproven = {
        f"{address}_verified": "false"
        for address in ADDRESSES
        if address in changes and changes[address] != getattr(user, address)
    }
    before = profile.addresses(user)
    profile.write(user, {**changes, **unproven})
    profile.store(user)
    _revoke_codes(user, before)
    if refused := sign_in_names.settle(pool, user, by=by):
        raise taken(refused)
    detail = {"changed": sorted(changes)}
    audit.record(Tag.ATTRIBUTES_CHANGED, pool=pool, subject=user.sub, by=by, detail=detail)


def changes_proof(person: Profile, changes: Mapping[str, str]) -> bool:
    """Say whether a change touches an address: people sign in and recover their passwords by addresses."""
    return any(name in ADDRESSES and value != (getattr(person, name) or "") for name, value in changes.items())


def missing(pool: UserPool, person: Profile) -> list[str]:
    """Return the required attributes that a person lacks."""
    present = profile.of(person)
    return [name for name in schema.required(pool) if not present.get(name)]


def _known(pool: UserPool, name: str) -> schema.Rule:
    rule = schema.rule(pool, name)
    if rule is None:
        raise _unknown(name)
    return rule


def _unknown(name: str) -> Invalid:
    text = f"Attributes did not conform to the schema: {name}: Attribute does not exist in the schema."
    return Invalid(text, field=name)


def _value_problem(pool: UserPool, rule: schema.Rule, value: str) -> Invalid | None:
    found = schema.problem(rule, value)
    if found is None and rule.name == "preferred_username":
        return sign_in_names.preferred_problem(pool, value)
    return found


def _unwritable(pool: UserPool, names: Iterable[str], client: AppClient | None) -> list[str]:
    if client is None:
        return []
    writable = app_clients.writable(client, pool)
    # What the schema does not have is in no client's list: Amazon looks there first.
    return [name for name in names if name not in writable or name in schema.VERIFIED]


@dataclass(slots=True)
class _Change:
    """What a change does: values written now, addresses that wait for a code."""

    values: dict[str, str]
    to_verify: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Proof:
    """A code that proves an address, and the message that takes it there: composed before the transaction."""

    code: str
    letter: OutboxMessage


def update(client: AppClient, user: User, changes: Mapping[str, str], *, by: Actor) -> list[Delivery]:
    """Change a signed-in person's own attributes; return where codes went. An empty value deletes.

    Raises:
        AttributeNotWritable: the client may not write one of them.
        Invalid: the schema forbids it.
        AliasExists: another owns the name.
        TooManyAttempts: too many messages to that address lately.

    """
    pool = client.pool
    refuse(map(AttributeNotWritable, _unwritable(pool, changes, client)))
    return _update(pool, client, user, changes, by=by)


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
    refuse(_change_problems(pool, profile.of(user), changes))
    proofs = _proofs(pool, client, user, changes)
    deliveries: list[Delivery] = []
    with transaction.atomic(durable=True):
        locked = User.objects.select_for_update().filter(pool_id=pool.pk, id=user.id, deleted_at=None).first()
        refusal: DomainError | None = UserNotFound()
        if locked is not None:
            change = _effects(pool, locked, changes, proofs)
            refusal = _send_limits(pool, client, change)
            if refusal is None:
                refusal = _apply(pool, locked, change, proofs, deliveries, by=by)
            if refusal is not None:
                transaction.set_rollback(True)  # nothing was counted here: a name that is taken undoes the rest
    if refusal is not None:
        raise refusal
    return deliveries


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
        elif not value and (rule.required or name in pool.username_attributes):
            yield Invalid(f"user.{name}: Attribute cannot be deleted.", field=name)


def _proofs(pool: UserPool, client: AppClient | None, user: User, changes: Mapping[str, str]) -> dict[str, _Proof]:
    """Compose what each address needs that is verified here and may turn out to be new."""
    found = {}
    for address in ADDRESSES:
        to, channel = changes.get(address), destinations.CHANNEL[address]
        if to and address in pool.auto_verified and destinations.can_send(channel):
            code, name = codes.new(), user.username
            letter = compose.code(pool, client, purpose=address, code=code, to=to, channel=channel, username=name)
            found[address] = _Proof(code, letter)
    return found


def _effects(pool: UserPool, user: User, changes: Mapping[str, str], proofs: Collection[str]) -> _Change:
    """Return what changes now and what waits: a new address is unproven unless an operator vouches for it."""
    settings = pool.configuration.get("user_attribute_update_settings") or {}
    held_back = settings.get("attributes_require_verification_before_update") or []
    change = _Change(dict(changes))
    for address in ADDRESSES:
        value = changes.get(address)
        vouched = changes.get(f"{address}_verified", "").lower() == "true"
        if value is None or value == (getattr(user, address) or "") or vouched:
            continue
        if address in proofs:
            change.to_verify[address] = value
            if address in held_back:
                del change.values[address]
                change.values.pop(f"{address}_verified", None)
                continue
        change.values[f"{address}_verified"] = "false"
    return change


def _send_limits(pool: UserPool, client: AppClient | None, change: _Change) -> DomainError | None:
    refused = [send_limits.refusal(pool, client, to, address) for address, to in sorted(change.to_verify.items())]
    return next((each for each in refused if each is not None), None)


def _apply(
    pool: UserPool,
    user: User,
    change: _Change,
    proofs: Mapping[str, _Proof],
    deliveries: list[Delivery],
    *,
    by: Actor,
) -> DomainError | None:
    before = profile.addresses(user)
    profile.write(user, change.values)
    profile.store(user)
    _revoke_codes(user, before)
    if refused := sign_in_names.settle(pool, user, by=by):
        return taken(refused)
    for address, to in change.to_verify.items():
        codes.issue(pool, user.id, address, to, proofs[address].code)
        outbox.queue(proofs[address].letter)
        deliveries.append(destinations.delivery(destinations.CHANNEL[address], to))
    audit.record(
        Tag.ATTRIBUTES_CHANGED,
        pool=pool,
        subject=user.sub,
        by=by,
        detail={"changed": sorted(change.values)},
    )
    return None


def _revoke_codes(user: User, before: Mapping[str, object]) -> None:
    """Kill the codes that went to what is no longer so: before new ones are issued."""
    changed = [address for address, now in profile.addresses(user).items() if now != before[address]]
    if changed:
        codes.revoke(user, changed)


def taken(kind: str) -> AliasExists:
    """Return the refusal of a name that another owns."""
    word = {
        "email": "email",
        "phone_number": "phone_number",
        "preferred_username": "preferred username",
    }[kind]
    return AliasExists(f"An account with the given {word} already exists.")


def verify(pool: UserPool, user: User, address: str, code: str, *, by: Actor) -> None:
    """Take the code that was sent to an address as proof of it; a change that waited for it takes effect.

    Raises:
        CodeMismatch, CodeExpired, TooManyWrongCodes: the code proves nothing.
        AliasExists: another proved the address first.

    """
    if address not in ADDRESSES:
        raise Invalid("Only email and phone_number can be verified.", field="attribute_name")
    tried = codes.take_try(pool, user.id, address)
    with codes.recorded(pool, user.sub, address, by=by):
        proof = codes.check(tried, code)
    with transaction.atomic(durable=True):
        locked = User.objects.select_for_update().filter(pool_id=pool.pk, id=user.id, deleted_at=None).first()
        refusal: DomainError | None = None
        if locked is None:
            refusal = UserNotFound()
        elif not codes.spend(proof):
            refusal = CodeExpired(detail="spent meanwhile")
        else:
            before = profile.addresses(locked)
            profile.write(locked, {address: proof.destination, f"{address}_verified": "true"})
            profile.store(locked)
            _revoke_codes(locked, before)
            if other := sign_in_names.settle(pool, locked, by=by):
                refusal = taken(other)
                transaction.set_rollback(True)  # the code stays good; the try was counted before
            else:
                detail = {"attribute": address}
                audit.record(Tag.ATTRIBUTE_VERIFIED, pool=pool, subject=user.sub, by=by, detail=detail)
    if refusal is not None:
        raise refusal
