"""Operators and their access keys. How one signs in is ``operator_sign_in``; sessions and pages are the console's.

Kept in Django's own tables, under the same laws: hashing goes through the gate, each change is audited.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django_otp.plugins.otp_totp.models import TOTPDevice

from identity.foundation import clock, errors, gate, names, sealing
from identity.foundation.actor import Actor
from identity.models import AccessKey, Operator
from pools.models import hot
from pools.services import access, atomic_part, audit, receipts, sealing_contexts
from pools.services.audit import Tag
from pools.services.receipts import Receipt

KEY_USE_NOTED = timedelta(minutes=15)
NAME = re.compile(r"[\w.@+-]+")
NAME_LENGTH = 150


class OperatorNotFound(errors.NotFound):
    """No such operator."""


class OperatorExists(errors.AlreadyExists):
    """The operator's name is taken."""


class Hasher(Argon2PasswordHasher):
    """Argon2id in Django's form, small enough for the allocator, slow enough for few who may do everything."""

    time_cost = 6
    memory_cost = 19 * 1024
    parallelism = 1


ACTION = re.compile(r"\*|cognito-(?:idp|identity):[A-Za-z*?]+", re.IGNORECASE)
"""An action as IAM takes it, with wildcards, in any case of its letters. AWS: IAM JSON policy elements, Action."""
ACTION_LENGTH, MOST_LIMITS = 128, 100


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What an access key may do, and to which pools; None, all."""

    actions: Sequence[str] | None = None
    pools: Sequence[str] | None = None

    @property
    def are_none(self) -> bool:
        """Say whether the key may do whatever its operator may."""
        return self.actions is None and self.pools is None

    def allow(self, action: str, pool_id: str) -> bool:
        """Say whether an action is allowed on a pool; empty, on what names none."""
        asked = action.lower()
        is_listed = self.actions is None or any(fnmatchcase(asked, each.lower()) for each in self.actions)
        return is_listed and (self.pools is None or pool_id in self.pools)


MOST_ADDRESSES = 50
"""How many operators are told of one thing by mail."""
EVERYTHING = KeyLimits()


@dataclass(frozen=True, slots=True)
class AccessKeyView:
    """An access key as a signature's check needs it."""

    id: str
    secret: str
    operator_id: int
    username: str
    last_used_at: datetime | None
    """Coarse: see :func:`key_used`."""
    limits: KeyLimits


def addresses() -> list[str]:
    """Return the addresses of those who administer the installation and have one."""
    rows = Operator.objects.filter(is_active=True).exclude(email="").order_by("id")
    return list(rows.values_list("email", flat=True)[:MOST_ADDRESSES])


def create(username: str, *, email: str = "", password: str | None = None, by: Actor) -> Operator:
    """Make an operator; without a password only a one-time link lets them in.

    Raises:
        Invalid: the name is not one. PasswordRejected: too weak. OperatorExists: the name is taken.

    """
    username = Operator.normalize_username(username)
    made = Operator(username=username, email=email)
    if not NAME.fullmatch(username) or len(username) > NAME_LENGTH or not names.is_visible(username):
        raise errors.Invalid(field="username", code="operator_name", parameters={"most": NAME_LENGTH})
    if password is None:
        made.set_unusable_password()
    else:
        made.password = hashed(made, password)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            audit.record(Tag.OPERATOR_CREATED, subject=username, by=by)
    except IntegrityError:
        raise OperatorExists from None
    return made


def operator(username: str) -> Operator:
    """Return the operator of that name.

    Raises:
        OperatorNotFound: there is none.

    """
    found = Operator.objects.filter(username=Operator.normalize_username(username)).first()
    if found is None:
        raise OperatorNotFound
    return found


def operator_by_id(operator_id: int) -> Operator | None:
    """Return an operator who may act now, or None."""
    return Operator.objects.filter(id=operator_id, is_active=True).first()


def usernames(operator_ids: Iterable[str]) -> dict[str, str]:
    """Return what operators are called, by id as audit rows hold it; ids that name nobody are left out."""
    wanted = {int(name) for name in operator_ids if name.isdecimal()}
    return {str(key): name for key, name in Operator.objects.filter(id__in=wanted).values_list("id", "username")}


def hashed(who: Operator, password: str) -> str:
    """Hash a new password that is strong enough.

    Raises:
        PasswordRejected: too short, or too common. Overloaded: too many hashes are waiting.

    """
    try:
        validate_password(password, who)
    except ValidationError as problem:
        first = problem.error_list[0]
        least = (first.params or {}).get("min_length", 0)
        raise errors.PasswordRejected(code=first.code or "", parameters={"least": least}) from None
    with gate.slot("operators"):
        hasher = Hasher()
        return hasher.encode(password, hasher.salt())


def set_password(who: Operator, password: str, *, receipt: Receipt | None = None, by: Actor) -> None:
    """Set an operator's password; every session and link that hung on the old one ends.

    Raises:
        PasswordRejected: too weak.

    """
    encoded = hashed(who, password)
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        Operator.objects.filter(id=who.id).update(password=encoded)
        audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": "password"})
    who.password = encoded


def set_active(who: Operator, active: bool, *, by: Actor) -> None:  # noqa: FBT001 - a state, not a mode
    """Let an operator act, or not: sessions and access keys stop at the next request."""
    with transaction.atomic():
        Operator.objects.filter(id=who.id).update(is_active=active)
        change = "enabled" if active else "disabled"
        audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": change})
    who.is_active = active


def reset(who: Operator, *, by: Actor) -> None:
    """Take away an operator's password and authenticators: the next one-time link sets both anew."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=who).delete()
        who.set_unusable_password()
        Operator.objects.filter(id=who.id).update(password=who.password)
        audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": "reset"})


def create_key(
    who: Operator,
    *,
    description: str = "",
    limits: KeyLimits = EVERYTHING,
    receipt: Receipt | None = None,
    by: Actor,
) -> tuple[str, str]:
    """Make an access key; return its id and its secret, which is not shown again.

    Raises:
        Invalid: the limits name what is no action, or a pool that is not there.

    """
    errors.refuse(limit_problems(limits))
    key_id, secret = names.access_key_id(), names.access_key_secret()
    sealed = sealing.seal(secret.encode(), place=sealing_contexts.access_key(key_id))
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        AccessKey.objects.create(
            id=key_id,
            operator=who,
            sealed_secret=sealed,
            description=description[:200],
            actions=_listed(limits.actions),
            pools=_listed(limits.pools),
        )
        audit.record(Tag.ACCESS_KEY_CREATED, subject=key_id, by=by, detail=_told(limits))
    return key_id, secret


def limit_key(access_key_id: str, limits: KeyLimits, *, receipt: Receipt | None = None, by: Actor) -> None:
    """Say anew what an access key may do: it holds from the next call on.

    Raises:
        Invalid: the limits name what is no action, or a pool that is not there and was not named before.
        NotFound: there is no live key of that id.
        AlreadyAccepted: the form that asks for it was accepted before.

    """
    live = AccessKey.objects.filter(id=access_key_id, disabled_at=None)
    errors.refuse(limit_problems(limits, before=live.values_list("pools", flat=True).first() or ()))
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        if not live.update(actions=_listed(limits.actions), pools=_listed(limits.pools)):
            part.refuse(errors.NotFound(code="key_not_found"))
        audit.record(Tag.ACCESS_KEY_LIMITED, subject=access_key_id, by=by, detail=_told(limits))


def limit_problems(limits: KeyLimits, *, before: Collection[str] = ()) -> Iterator[errors.Invalid]:
    """Yield what is wrong with what a key shall be limited to.

    Pools that it was limited to ``before`` may be gone: had they to be left out, the last would leave a key for all.
    """
    for field, listed in (("actions", limits.actions or ()), ("pools", limits.pools or ())):
        if len(listed) > MOST_LIMITS:
            yield errors.Invalid(field=field, code="too_many_limits", parameters={"most": MOST_LIMITS})
            return
    for action in limits.actions or ():
        if len(action) > ACTION_LENGTH or not ACTION.fullmatch(action):
            yield errors.Invalid(field="actions", code="no_action", parameters={"action": action[:ACTION_LENGTH]})
    for pool_id in limits.pools or ():
        if pool_id in before:
            continue
        try:
            (access.identity_pool if ":" in pool_id else access.pool)(pool_id)
        except (errors.PoolNotFound, errors.IdentityPoolNotFound):
            yield errors.Invalid(field="pools", code="no_pool", parameters={"pool": pool_id[:ACTION_LENGTH]})


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(dict.fromkeys(names))


def _told(limits: KeyLimits) -> dict[str, list[str] | None]:
    return {"actions": _listed(limits.actions), "pools": _listed(limits.pools)}


def disable_key(access_key_id: str, *, receipt: Receipt | None = None, by: Actor) -> None:
    """End an access key for good.

    Raises:
        NotFound: there is no live key of that id.

    """
    with transaction.atomic():
        ended = AccessKey.objects.filter(id=access_key_id, disabled_at=None).update(disabled_at=clock.now())
        # Who comes second finds nothing to end.
        if ended and receipts.keep(receipt) is None:
            audit.record(Tag.ACCESS_KEY_DISABLED, subject=access_key_id, by=by)
    if not ended:
        raise errors.NotFound(code="key_not_found")


def keys(who: Operator) -> list[AccessKey]:
    """Return an operator's access keys, newest first."""
    return list(AccessKey.objects.filter(operator=who).defer("sealed_secret").order_by("-created_at", "id")[:100])


def own_key(who: Operator, access_key_id: str) -> AccessKey:
    """Return a live key of an operator.

    Raises:
        NotFound: they have no live key of that id.

    """
    live = AccessKey.objects.filter(operator=who, id=access_key_id, disabled_at=None)
    found = live.defer("sealed_secret").first()
    if found is None:
        raise errors.NotFound(code="key_not_found")
    return found


def authenticate_key(access_key_id: str) -> AccessKeyView | None:
    """Return a live key of an active operator, read afresh each time; None for any other.

    The caller still has to check the proof, a signature, and then says :func:`key_used` or :func:`refuse_key`.
    """
    is_proper = access_key_id.isascii() and access_key_id.isalnum()
    row = hot.one(hot.ACCESS_KEY, (access_key_id,)) if is_proper else None
    if row is None:
        return None
    sealed, operator_id, username, last_used_at, actions, pools = row
    secret = sealing.unseal(bytes(sealed), place=sealing_contexts.access_key(access_key_id)).decode()
    return AccessKeyView(access_key_id, secret, operator_id, username, last_used_at, KeyLimits(actions, pools))


def refuse_key(access_key_id: str, *, by: Actor) -> None:
    """Record that a live key's signature was wrong."""
    audit.record(Tag.OPERATOR_REFUSED, subject=access_key_id, by=by, outcome="refused", detail={"method": "signature"})


def key_used(key: AccessKeyView) -> None:
    """Note, at most every quarter of an hour, that a key proved itself."""
    now = clock.now()
    if key.last_used_at is not None and key.last_used_at >= now - KEY_USE_NOTED:
        return
    AccessKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - KEY_USE_NOTED), id=key.id).update(
        last_used_at=now
    )
