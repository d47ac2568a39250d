"""How operators prove themselves: password, authenticator, one-time link. The pages of a session are the console's.

Guesses are counted in PostgreSQL before the proof is looked at. An authenticator's seed is sealed beside django-otp's
row of it, whose own ``key`` opens nothing.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import uuid
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from identity.foundation import clock, errors, gate, names, sealing
from identity.foundation.actor import Actor
from identity.models import Operator, OperatorSeed
from pools.models import Spent, UserPool
from pools.services import atomic_part, audit, codes, lockout, receipts, sealing_contexts
from pools.services.audit import Tag
from pools.services.operators import operators
from pools.services.receipts import Receipt

INSTALLATION = UserPool(id=0)
"""Stands in for a pool where the installation itself is guessed at; no row, and no pool has its number."""
LINK_LIFE = timedelta(minutes=30)
STEP, DIGITS, TOLERANCE = 30, 6, 1
SEED_BYTES = 20


class LinkRefused(errors.NotAuthorized):
    """A one-time link is unreadable, too old, used, or its operator's password has changed since."""


@lru_cache(maxsize=1)
def _nobodys_password() -> str:
    hasher = operators.Hasher()
    return hasher.encode(names.text(names.ALNUM, 32), hasher.salt())


def _subject(name: str) -> uuid.UUID:
    # By name, not by row: unknown users' names lock like known ones.
    return uuid.UUID(bytes=sealing.keyed_hash("operator-guess", name)[:16])


def check_password(username: str, password: str, *, receipt: Receipt | None = None, by: Actor) -> Operator:
    """Return the operator whose name and password these are. An unknown user's name takes the same path and time.

    Raises:
        PasswordIncorrect: wrong name, wrong password, or disabled. LockedOut: guessed too often.
        Overloaded: too many hashes are waiting.

    """
    username = Operator.normalize_username(username)[:150]
    subject = _subject(username)
    who = Operator.objects.filter(username=username).first()
    encoded = who.password if who is not None and who.has_usable_password() else _nobodys_password()
    with gate.slot("operators"):  # first: whoever is turned away there has not guessed
        lockout.take_guess(INSTALLATION, subject, lockout.Kind.PASSWORD)
        matches = operators.Hasher().verify(password, encoded)
    if who is None or not matches or not who.has_usable_password() or not who.is_active:
        audit.record(
            Tag.OPERATOR_REFUSED,
            subject=who.username if who else "",
            by=by,
            outcome="refused",
            detail={"method": "password"},
        )
        raise errors.PasswordIncorrect
    with atomic_part.begin() as part:
        lockout.clear(INSTALLATION, subject, lockout.Kind.PASSWORD)
        part.refuse_if(receipts.keep(receipt), keeping=True)  # a right password is no guess, sent twice or not
    return who


def check_code(who: Operator, code: str, *, receipt: Receipt | None = None, by: Actor) -> TOTPDevice:
    """Return the authenticator that this code came from; each time step is good once.

    Raises:
        TotpMismatch: wrong. TotpUsed: right but used. TotpNotFound: none enrolled. LockedOut: guessed too often.

    """
    device = authenticator(who)
    if device is None:
        raise errors.TotpNotFound
    subject = _subject(who.username)
    lockout.take_guess(INSTALLATION, subject, lockout.Kind.TOTP)
    detail, wrong = {"method": "totp"}, (errors.TotpMismatch, errors.TotpUsed)
    with audit.refusals(Tag.OPERATOR_REFUSED, *wrong, subject=who.username, by=by, detail=detail):
        step = _step_of(device, code)
        with atomic_part.begin() as part:
            part.refuse_if(receipts.keep(receipt) or _spend_step(device, step))
            lockout.clear(INSTALLATION, subject, lockout.Kind.TOTP)
            audit.record(Tag.OPERATOR_SIGNED_IN, subject=who.username, by=by, detail=detail)
    return device


def sign_out(who: Operator, *, receipt: Receipt | None = None, by: Actor) -> None:
    """Record that an operator leaves; the session is the console's to end."""
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        audit.record(Tag.OPERATOR_SIGNED_OUT, subject=who.username, by=by)


def authenticator(who: Operator) -> TOTPDevice | None:
    """Return the operator's authenticator, if any."""
    return TOTPDevice.objects.filter(user=who, confirmed=True).order_by("id").first()


def enrolled(who: Operator) -> bool:
    """Say whether the operator has an authenticator."""
    return authenticator(who) is not None


def enrol(who: Operator, *, by: Actor, confirmed: bool = False) -> str:
    """Make an authenticator for an operator who has none and return its secret (base32).

    It counts once its first code is shown to :func:`confirm_enrolment`; ``confirmed`` is for set-up by program.

    Raises:
        AlreadyExists: the operator has one.

    """
    device = TOTPDevice(user=who, name="authenticator", confirmed=confirmed)
    seed = os.urandom(SEED_BYTES)
    sealed = sealing.seal(seed, place=_place(device))
    with atomic_part.begin() as part:
        Operator.objects.select_for_update().get(id=who.id)
        if enrolled(who):
            part.refuse(errors.AlreadyExists(code="has_authenticator"))
        TOTPDevice.objects.filter(user=who, confirmed=False).delete()
        device.save(force_insert=True)
        OperatorSeed(device=device, sealed=sealed).save(force_insert=True)
        if confirmed:
            audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": "authenticator"})
    return base64.b32encode(seed).decode()


def pending_secret(who: Operator) -> str | None:
    """Return the secret of the authenticator that waits for its first code."""
    device = TOTPDevice.objects.filter(user=who, confirmed=False).order_by("id").first()
    return base64.b32encode(_seed(device)).decode() if device else None


def confirm_enrolment(who: Operator, code: str, *, receipt: Receipt | None = None, by: Actor) -> TOTPDevice:
    """Make the waiting authenticator count, given its first code.

    Raises:
        TotpMismatch: wrong. TotpNotFound: none waits. LockedOut: guessed too often.

    """
    device = TOTPDevice.objects.filter(user=who, confirmed=False).order_by("id").first()
    if device is None:
        raise errors.TotpNotFound
    subject = _subject(who.username)
    lockout.take_guess(INSTALLATION, subject, lockout.Kind.TOTP)
    step = _step_of(device, code)
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt) or _spend_step(device, step))
        if not TOTPDevice.objects.filter(id=device.id, confirmed=False).update(confirmed=True):
            part.refuse(errors.TotpNotFound())
        audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": "authenticator"})
        audit.record(Tag.OPERATOR_SIGNED_IN, subject=who.username, by=by, detail={"method": "totp"})
    lockout.clear(INSTALLATION, subject, lockout.Kind.TOTP)
    device.confirmed = True
    return device


def _seed(device: TOTPDevice) -> bytes:
    """Return an authenticator's seed. A process of the version before made none: such a one is set up anew."""
    found = OperatorSeed.objects.filter(device=device).first()
    if found is None:
        raise errors.TotpNotFound
    return sealing.unseal(found.sealed, place=_place(device))


def _place(device: TOTPDevice) -> str:
    return sealing_contexts.operator_seed(device.user_id, device.key)


def _step_of(device: TOTPDevice, code: str) -> int:
    """Return the time step whose code this is."""
    code = codes.plain(code)
    if len(code) != DIGITS or not code.isascii() or not code.isdigit():
        raise errors.TotpMismatch
    totp = TOTP(_seed(device), STEP, 0, DIGITS, 0)
    totp.time = float(clock.epoch())
    if not totp.verify(int(code), TOLERANCE):
        raise errors.TotpMismatch
    return int(totp.t())


def _spend_step(device: TOTPDevice, step: int) -> errors.DomainError | None:
    """Spend a time step, in the transaction of its effect; return the refusal of one that was used."""
    fresh = TOTPDevice.objects.filter(id=device.id, last_t__lt=step)
    return None if fresh.update(last_t=step, last_used_at=clock.now()) else errors.TotpUsed()


def sign_in_link(who: Operator, *, by: Actor) -> str:
    """Return the token of a link that stands for an operator's password once, within half an hour.

    Bound to the password: setting one ends every link made before.
    """
    audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": "link"})
    return _sealed_link(who, names.uuid7(), one_step=False)


def one_step_link(who: Operator, *, by: Actor) -> str:
    """Return the token of a link that signs an operator in by itself, once, within half an hour; older ones end.

    Only for development on this machine: password and authenticator stand in the bootstrap file beside it anyway.

    Raises:
        LinkRefused: this is no development, or its console is not at a loopback address.

    """
    if not _is_for_this_machine():
        raise LinkRefused
    link = names.uuid7()
    with transaction.atomic():
        Operator.objects.filter(id=who.id).update(one_step_link=link)
        audit.record(Tag.OPERATOR_CHANGED, subject=who.username, by=by, detail={"change": "one_step_link"})
    return _sealed_link(who, link, one_step=True)


class Link(NamedTuple):
    """A one-time link that is good now."""

    id: uuid.UUID
    operator: Operator
    one_step: bool
    """Whether it signs in by itself."""


def look_at_link(token: str, *, by: Actor) -> Link:
    """Return what a link is, leaving it unspent.

    Raises:
        LinkRefused: unreadable, too old, used, or overtaken by a new password or a newer link.

    """
    link = _read_link(token, by)
    if not link.one_step and Spent.objects.filter(id=link.id).exists():
        raise LinkRefused
    if link.one_step and link.operator.one_step_link != link.id:
        raise LinkRefused
    return link


def spend_link(token: str, *, receipt: Receipt | None = None, by: Actor) -> Link:
    """Use a link up and return what it is. Of two racing uses one wins.

    Raises:
        LinkRefused: unreadable, too old, used, or overtaken by a new password or a newer link.

    """
    link = _read_link(token, by)
    if link.one_step:
        _spend_one_step(link, receipt, by)
        return link
    try:
        with transaction.atomic():
            Spent.objects.create(id=link.id)
            receipts.keep(receipt)  # of two duplicates one gets here
            audit.record(Tag.OPERATOR_CHANGED, subject=link.operator.username, by=by, detail={"change": "link_used"})
    except IntegrityError:
        raise LinkRefused from None
    return link


def _spend_one_step(link: Link, receipt: Receipt | None, by: Actor) -> None:
    who = link.operator
    unspent = Operator.objects.filter(id=who.id, one_step_link=link.id, password=who.password, is_active=True)
    with atomic_part.begin() as part:
        if not unspent.update(one_step_link=None):
            part.refuse(LinkRefused())
        receipts.keep(receipt)  # of two duplicates one gets here
        audit.record(Tag.OPERATOR_SIGNED_IN, subject=who.username, by=by, detail={"method": "link"})


def _is_for_this_machine() -> bool:
    host = urlsplit(settings.CONSOLE_URL).hostname or ""
    return settings.MODE == "development" and (host == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _password_mark(who: Operator) -> str:
    return sealing.keyed_hash("operator-link-password", f"{who.id}:{who.password}").hex()[:24]


def _sealed_link(who: Operator, link: uuid.UUID, *, one_step: bool) -> str:
    carried = {
        "id": str(link),
        "operator": who.id,
        "until": int((clock.now() + LINK_LIFE).timestamp()),
        "password": _password_mark(who),
        "one_step": one_step,
    }
    return sealing.seal_text(json.dumps(carried, separators=(",", ":")).encode(), purpose="operator-link")


def _read_link(token: str, by: Actor) -> Link:
    try:
        carried = json.loads(sealing.unseal_text(token, purpose="operator-link"))
    except (sealing.Unsealable, ValueError):
        raise LinkRefused from None
    who = operators.operator_by_id(carried["operator"])
    if who is None or carried["until"] <= clock.epoch():
        raise LinkRefused
    if not hmac.compare_digest(carried["password"], _password_mark(who)):
        raise LinkRefused
    # Links of the version before do not say: they stand for a password.
    one_step = bool(carried.get("one_step"))
    # Asked again here: the database may be another installation's by now, and the link may have been passed on.
    if one_step and not (_is_for_this_machine() and _is_loopback(by.address)):
        raise LinkRefused
    return Link(uuid.UUID(carried["id"]), who, one_step)
