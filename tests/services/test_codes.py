"""Codes: counted before they are looked at, good once, replaced by newer ones."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pyotp
import pytest
from django.db import transaction

from identity.foundation import clock, errors
from pools.models import AppClient, OneTimeCode, Password, User, UserPool
from pools.services import access, codes
from pools.services.people import address_proofs, attributes, passwords
from pools.services.sign_in.factors import totp
from pools.services.sign_up import sign_up
from tests import factories
from tests.factories import BY
from tests.services.conftest import VISITOR, at_once, code_sent_to, wrong

PASSWORD = "Correct-horse-1"
NAME = "alice@example.com"


@pytest.fixture
def waiting(client: AppClient) -> User:
    """Return someone who has signed up and waits for the code."""
    sign_up.sign_up(client, NAME, password=PASSWORD, attributes={}, by=VISITOR)
    return access.user(client.pool, NAME)


SEED = b"12345678901234567890"
SPELT = {
    "as it was sent": "{}",
    "in two groups": "{0:.3} {1}",
    "with a hyphen": "{0:.3}-{1}",
    "with a dash": "{0:.3}\u2013{1}",
    "with a full-width dash": "{0:.3}\uff0d{1}",
    "with a minus sign": "{0:.3}\u2212{1}",
    "with no-break spaces": "\u00a0{0:.3}\u202f{1}\u00a0",
    "with what nobody sees": "\u200b{0:.3}\u2060{1}\ufeff\u200e",
    "in a line of its own": "\t{}\r\n",
    "in full-width digits": "fullwidth",
    "in Arabic digits": "arabic",
}


def spelt(code: str, way: str) -> str:
    """Return a code as somebody may type or paste it."""
    if way in ("fullwidth", "arabic"):
        zero = {"fullwidth": 0xFF10, "arabic": 0x0660}[way]
        return "".join(chr(zero + int(digit)) for digit in code)
    return way.format(code if way.count("{") == 1 else code[:3], code[3:])


@pytest.mark.parametrize("way", SPELT.values(), ids=SPELT)
def test_a_code_is_read_however_it_is_typed(
    client: AppClient, waiting: User, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, app = code_sent_to(NAME), pyotp.TOTP(base64.b32encode(SEED).decode())
    monkeypatch.setattr(clock, "epoch", lambda: 1_800_000_000)

    assert sign_up.confirm(client, NAME, code=spelt(code, way), by=VISITOR)
    assert totp.matching_step(SEED, spelt(app.at(1_800_000_000), way)) == 60_000_000


@pytest.mark.parametrize("code", ["", "-", "12345\u00b2", "1e5000", "1.23456", "12345\u2460", "0x1234", "a123456"])
def test_what_is_no_code_stays_none(code: str) -> None:
    assert not codes.plain(code).isdecimal() or len(codes.plain(code)) != codes.LENGTH


def tries(user: User) -> int:
    """Return the counter as another connection sees it."""
    [seen] = at_once(1, lambda _: OneTimeCode.objects.get(subject=user.id).tries)
    assert isinstance(seen, int)
    return seen


def test_fifty_wrong_codes_leave_five_counted_and_the_code_dead(client: AppClient, waiting: User) -> None:
    code = code_sent_to(NAME)

    refused = []
    for _ in range(50):
        with pytest.raises(errors.DomainError) as problem:
            sign_up.confirm(client, NAME, code=wrong(code), by=VISITOR)
        refused.append(type(problem.value))

    assert refused == [errors.CodeMismatch] * 5 + [errors.TooManyWrongCodes] * 45
    assert tries(waiting) == 5
    with pytest.raises(errors.TooManyWrongCodes):
        sign_up.confirm(client, NAME, code=code, by=VISITOR)


def test_of_twenty_parallel_guesses_five_are_looked_at(client: AppClient, waiting: User) -> None:
    code = code_sent_to(NAME)

    outcomes = at_once(20, lambda _: sign_up.confirm(client, NAME, code=wrong(code), by=VISITOR))

    assert sum(type(outcome) is errors.CodeMismatch for outcome in outcomes) == 5
    assert sum(type(outcome) is errors.TooManyWrongCodes for outcome in outcomes) == 15
    assert tries(waiting) == 5


def test_a_code_confirmed_twice_at_once_confirms_once(client: AppClient, waiting: User) -> None:
    code = code_sent_to(NAME)

    outcomes = at_once(4, lambda _: sign_up.confirm(client, NAME, code=code, by=VISITOR))

    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    others = [outcome for outcome in outcomes if not isinstance(outcome, User)]
    assert all(isinstance(other, errors.WrongState | errors.CodeExpired) for other in others), others
    assert access.user(client.pool, NAME).status == "CONFIRMED"


def test_a_refused_alias_leaves_the_try_counted_and_the_code_good(client: AppClient, waiting: User) -> None:
    code = code_sent_to(NAME)
    tried = codes.take_try(client.pool, waiting.id, codes.Purpose.SIGN_UP)
    proof = codes.check(tried, code)

    with transaction.atomic():
        assert codes.spend(proof)
        transaction.set_rollback(True)

    assert tries(waiting) == 1
    sign_up.confirm(client, NAME, code=code, by=VISITOR)


def test_a_newer_code_takes_the_place_of_the_older(pool: UserPool, waiting: User) -> None:
    older = code_sent_to(NAME)
    tried = codes.take_try(pool, waiting.id, codes.Purpose.SIGN_UP)
    proof = codes.check(tried, older)

    with transaction.atomic():
        newer = codes.issue(pool, waiting.id, codes.Purpose.SIGN_UP, NAME)

    with transaction.atomic():
        assert not codes.spend(proof)
    assert OneTimeCode.objects.get(subject=waiting.id).tries == 0
    if newer != older:
        with pytest.raises(errors.CodeMismatch):
            codes.check(codes.take_try(pool, waiting.id, codes.Purpose.SIGN_UP), older)


def test_a_code_is_bound_to_person_and_purpose(pool: UserPool, waiting: User) -> None:
    with transaction.atomic():
        code = codes.issue(pool, waiting.id, codes.Purpose.RECOVERY, NAME)

    row = OneTimeCode.objects.get(subject=waiting.id, purpose="recovery")
    OneTimeCode.objects.filter(subject=waiting.id, purpose="sign_up").update(hashed=row.hashed)
    with pytest.raises(errors.CodeMismatch):
        codes.check(codes.take_try(pool, waiting.id, codes.Purpose.SIGN_UP), code)


def test_the_database_never_sees_the_code(client: AppClient, waiting: User) -> None:
    code = code_sent_to(NAME)

    row = OneTimeCode.objects.filter(subject=waiting.id).values()[0]

    assert all(code.encode() not in str(value).encode() for name, value in row.items() if name == "hashed")
    assert len(bytes(row["hashed"])) == 32


def test_counting_inside_a_transaction_is_refused(pool: UserPool, waiting: User) -> None:
    with transaction.atomic(), pytest.raises(errors.Misuse):
        codes.take_try(pool, waiting.id, codes.Purpose.SIGN_UP)


OTHER, NEW = "other@example.com", "Another-horse-2"
Change = Callable[[AppClient, User], object]


def settle_twice(client: AppClient, user: User) -> None:
    """Change the address and back: it is the same again, and the code is not."""
    for address in (OTHER, NAME):
        attributes.admin_update(client.pool, user, {"email": address, "email_verified": "true"}, by=BY)


def hand_over(client: AppClient, _: User) -> None:
    """Have somebody else prove the address, and take it."""
    sign_up.sign_up(client, "mallory", password=PASSWORD, attributes={"email": NAME}, by=VISITOR)
    sign_up.confirm(client, "mallory", code=code_sent_to(NAME), force_alias=True, by=VISITOR)


CHANGES: dict[str, Change] = {
    "own address": lambda client, user: attributes.update(client, user, {"email": OTHER}, by=VISITOR),
    "another number": lambda client, user: attributes.update(client, user, {"phone_number": "+491234567"}, by=VISITOR),
    "operator's address": lambda client, user: attributes.admin_update(client.pool, user, {"email": OTHER}, by=BY),
    "proof": lambda client, user: attributes.admin_update(client.pool, user, {"email_verified": "false"}, by=BY),
    "there and back": settle_twice,
    "taken over": hand_over,
    "own password": lambda client, user: passwords.change(
        client.pool, user, previous=PASSWORD, proposed=NEW + "own", by=VISITOR
    ),
    "operator's password": lambda client, user: passwords.admin_set(client.pool, user, NEW, permanent=True, by=BY),
    "temporary password": lambda client, user: passwords.admin_set(client.pool, user, NEW, permanent=False, by=BY),
}


@pytest.fixture
def app(alias_pool: UserPool) -> AppClient:
    """Return an app whose people have names and addresses."""
    return factories.make_client(alias_pool)


@pytest.fixture
def alice(alias_pool: UserPool) -> User:
    """Return someone who can be sent a recovery code."""
    return factories.make_user(alias_pool, "alice", email=NAME, email_verified="true")


@pytest.mark.parametrize("change", CHANGES)
def test_a_recovery_code_dies_with_any_change_of_address_or_password(app: AppClient, alice: User, change: str) -> None:
    passwords.forgot(app, "alice", by=VISITOR)
    code = code_sent_to(NAME)
    CHANGES[change](app, alice)
    before = Password.objects.get(user=alice).argon2

    with pytest.raises(errors.CodeExpired):
        passwords.confirm_forgot(app, "alice", code=code, password="Third-horse-3", by=VISITOR)

    assert Password.objects.get(user=alice).argon2 == before


def test_a_change_of_anything_else_leaves_a_recovery_code_good(app: AppClient, alice: User) -> None:
    passwords.forgot(app, "alice", by=VISITOR)
    attributes.update(app, alice, {"given_name": "Al"}, by=VISITOR)
    attributes.admin_update(app.pool, alice, {"email": NAME, "email_verified": "true"}, by=BY)

    assert passwords.confirm_forgot(app, "alice", code=code_sent_to(NAME), password=NEW, by=VISITOR)


def test_a_recovery_code_that_went_to_an_address_of_before_is_none(app: AppClient, alice: User) -> None:
    """The address was read before it changed, and the code was issued after."""
    with transaction.atomic():
        code = codes.issue(app.pool, alice.id, codes.Purpose.RECOVERY, OTHER)

    with pytest.raises(errors.CodeExpired):
        passwords.confirm_forgot(app, "alice", code=code, password=NEW, by=VISITOR)


@pytest.mark.usefixtures("patient_gate")
def test_of_a_reset_and_a_change_at_once_one_wins(app: AppClient, alice: User) -> None:
    passwords.forgot(app, "alice", by=VISITOR)
    code = code_sent_to(NAME)

    def either(number: int) -> object:
        if number:
            passwords.change(app.pool, alice, previous=PASSWORD, proposed=NEW, by=VISITOR)
            return None
        return passwords.confirm_forgot(app, "alice", code=code, password="Third-horse-3", by=VISITOR)

    reset, changed = at_once(2, either)

    assert isinstance(reset, User) == isinstance(changed, errors.PasswordIncorrect)
    assert isinstance(reset, errors.CodeExpired) == (changed is None)


def test_a_sign_up_code_proves_no_address_but_its_own(app: AppClient) -> None:
    sign_up.sign_up(app, "bob", password=PASSWORD, attributes={"email": NAME}, by=VISITOR)
    bob, code = access.user(app.pool, "bob"), code_sent_to(NAME)
    attributes.admin_update(app.pool, bob, {"phone_number": "+491234567"}, by=BY)
    attributes.admin_update(app.pool, bob, {"email": OTHER, "email_verified": "true"}, by=BY)

    with pytest.raises(errors.CodeExpired):
        sign_up.confirm(app, "bob", code=code, by=VISITOR)
    with transaction.atomic():
        late = codes.issue(app.pool, bob.id, codes.Purpose.SIGN_UP, NAME)  # read before the change, issued after
    with pytest.raises(errors.CodeExpired):
        sign_up.confirm(app, "bob", code=late, by=VISITOR)

    sign_up.resend(app, "bob", by=VISITOR)
    assert sign_up.confirm(app, "bob", code=code_sent_to(OTHER), by=VISITOR).username == "bob"


def test_a_code_for_an_address_dies_where_another_takes_its_place(app: AppClient, alice: User) -> None:
    attributes.update(app, alice, {"email": OTHER}, by=VISITOR)
    code = code_sent_to(OTHER)
    attributes.admin_update(app.pool, alice, {"email": NAME, "email_verified": "true"}, by=BY)

    with pytest.raises(errors.CodeExpired):
        address_proofs.verify(app.pool, alice, "email", code, by=VISITOR)

    assert access.user(app.pool, "alice").email == NAME


def test_of_racing_proofs_of_an_address_one_wins(app: AppClient, alice: User) -> None:
    attributes.update(app, alice, {"email": OTHER}, by=VISITOR)
    code = code_sent_to(OTHER)

    outcomes = at_once(4, lambda _: address_proofs.verify(app.pool, alice, "email", code, by=VISITOR))

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, errors.CodeExpired) for outcome in outcomes) == 3
