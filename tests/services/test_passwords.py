"""Passwords: policy in Cognito's words, change, set, and recovery that tells unknown users nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock, errors, gate, sealing
from pools.models import AppClient, AuditEvent, OneTimeCode, OutboxMessage, Password, User, UserPool
from pools.services import access, configuration, sealing_contexts
from pools.services.people import passwords, srp, users
from tests import cheap, factories
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR, at_once, code_sent_to, mail_to, overloaded, wrong

NEW = "Another-horse-2"
PREFIX = "Password did not conform with policy: "
pytestmark = pytest.mark.usefixtures("full_cost")


@pytest.fixture
def full_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords as in production."""
    for name, value in cheap.of_production.items():
        monkeypatch.setattr(passwords, name, value)


@pytest.fixture
def alice(pool: UserPool) -> User:
    return factories.make_user(pool, "alice@example.com", email_verified="true")


def verifies(user: User, password: str) -> bool:
    row = Password.objects.get(user=user)
    return passwords.verify("p", row.argon2, password)


@pytest.mark.parametrize(
    ("password", "text"),
    [
        ("Sh0rt!a", "Password not long enough"),
        ("passw0rd!", "Password must have uppercase characters"),
        ("PASSW0RD!", "Password must have lowercase characters"),
        ("Password!", "Password must have numeric characters"),
        ("Passw0rds", "Password must have symbol characters"),
        ("Pässw0rdÄ", "Password must have symbol characters"),
        ("P4s!" + "a" * 253, "Password too long"),
        (" Passw0rd!", "Password must not begin or end with a space or hold control characters"),
        ("Passw0rd!\x00", "Password must not begin or end with a space or hold control characters"),
    ],
)
def test_the_first_broken_rule_is_named_as_cognito_does(pool: UserPool, password: str, text: str) -> None:
    with pytest.raises(errors.PasswordRejected) as refused:
        passwords.check_policy(pool, password)

    assert refused.value.message == PREFIX + text


@pytest.mark.parametrize("password", ["Passw0rd!", "Pass w0rd", "P4s!" + "a" * 252, "Pässw0rd-Ä"])
def test_a_password_that_fits_is_taken(pool: UserPool, password: str) -> None:
    passwords.check_policy(pool, password)


def test_a_relaxed_policy_asks_for_length_only(transactional_db: None) -> None:
    pool = factories.make_pool(policies={"password_policy": {"minimum_length": 6}})

    passwords.check_policy(pool, "aaaaaa")
    with pytest.raises(errors.PasswordRejected):
        passwords.check_policy(pool, "aaaaa")


def test_generated_passwords_fit_the_policy(pool: UserPool) -> None:
    made = {passwords.temporary(pool) for _ in range(200)}

    assert len(made) == 200
    for password in made:
        passwords.check_policy(pool, password)


def test_a_stored_password_is_argon2id_and_a_sealed_verifier_bound_to_pool_and_name(
    pool: UserPool, alice: User
) -> None:
    row = Password.objects.get(user=alice)

    assert row.argon2.startswith("$argon2id$v=19$m=7168,t=5,p=1$")
    kept = int.from_bytes(
        sealing.unseal(row.sealed_verifier or b"", place=sealing_contexts.verifier(pool.public_id, alice.username)),
        "big",
    )
    assert kept == srp.verifier(pool.public_id, alice.username, PASSWORD, passwords.srp_salt(pool, alice.username))
    assert (row.verifier_pool, row.verifier_name) == (pool.public_id, alice.username)


def test_the_salt_is_the_same_before_sign_up_and_after_a_change(pool: UserPool, alice: User) -> None:
    before = passwords.srp_salt(pool, alice.username)

    passwords.change(pool, alice, previous=PASSWORD, proposed=NEW, by=BY)

    assert passwords.srp_salt(pool, alice.username) == before
    assert before.bit_length() > 120
    assert passwords.srp_salt(pool, "nobody") != before


def test_a_hash_inside_a_transaction_is_refused(pool: UserPool) -> None:
    from django.db import transaction

    with transaction.atomic(), pytest.raises(errors.Misuse):
        passwords.hashed(pool, "someone", PASSWORD)


@pytest.mark.parametrize("encoded", [None, "not a hash", passwords.NOBODY], ids=["none", "no-hash", "nobodys"])
def test_nobody_has_a_password(pool: UserPool, encoded: str | None) -> None:
    assert not passwords.verify(pool.public_id, encoded, PASSWORD)


def test_an_overlong_password_is_wrong_and_costs_no_more(pool: UserPool, alice: User) -> None:
    assert verifies(alice, PASSWORD)
    assert not verifies(alice, "x" * 1_000_000)


class TestChange:
    def test_the_new_password_takes_the_old_ones_place(self, pool: UserPool, alice: User) -> None:
        passwords.change(pool, alice, previous=PASSWORD, proposed=NEW, by=BY)

        assert verifies(alice, NEW)
        assert not verifies(alice, PASSWORD)
        assert AuditEvent.objects.filter(pool_id=pool.pk, tag="password_changed").exists()

    @pytest.mark.parametrize("previous", ["Wrong-horse-1", None, ""])
    def test_a_wrong_or_missing_previous_password_is_refused(
        self, pool: UserPool, alice: User, previous: str | None
    ) -> None:
        with pytest.raises(errors.PasswordIncorrect):
            passwords.change(pool, alice, previous=previous, proposed=NEW, by=BY)

        assert verifies(alice, PASSWORD)
        assert AuditEvent.objects.filter(pool_id=pool.pk, tag="password_refused", outcome="refused").exists()

    def test_wrong_previous_passwords_lock_the_account(self, pool: UserPool, alice: User) -> None:
        for _ in range(5):
            with pytest.raises(errors.PasswordIncorrect):
                passwords.change(pool, alice, previous="Wrong-horse-1", proposed=NEW, by=BY)

        with pytest.raises(errors.LockedOut):
            passwords.change(pool, alice, previous=PASSWORD, proposed=NEW, by=BY)

    def test_whoever_is_turned_away_has_not_guessed(self, pool: UserPool, alice: User) -> None:
        with overloaded():
            for _ in range(30):
                with pytest.raises(errors.Overloaded):
                    passwords.change(pool, alice, previous=PASSWORD, proposed=NEW, by=BY)

        passwords.change(pool, alice, previous=PASSWORD, proposed=NEW, by=BY)

        assert verifies(alice, NEW)

    @pytest.mark.usefixtures("patient_gate")
    def test_of_racing_changes_from_the_same_password_one_wins(self, pool: UserPool, alice: User) -> None:
        outcomes = at_once(
            4,
            lambda n: passwords.change(pool, alice, previous=PASSWORD, proposed=f"{NEW}{n}", by=BY),
        )

        assert outcomes.count(None) == 1


@pytest.mark.parametrize(("permanent", "status"), [(True, "CONFIRMED"), (False, "FORCE_CHANGE_PASSWORD")])
def test_an_operator_sets_a_password(pool: UserPool, alice: User, permanent: bool, status: str) -> None:
    passwords.admin_set(pool, alice, NEW, permanent=permanent, by=BY)

    assert verifies(alice, NEW)
    assert access.user_by_sub(pool, alice.sub).status == status
    assert (Password.objects.get(user=alice).expires_at is None) is permanent


class TestRecovery:
    def test_a_code_by_mail_sets_a_new_password(self, client: AppClient, alice: User) -> None:
        told = passwords.forgot(client, "Alice@Example.com", by=VISITOR)

        assert (told.destination, told.medium, told.attribute) == ("a***@e***", "EMAIL", "email")
        passwords.confirm_forgot(
            client, "alice@example.com", code=code_sent_to("alice@example.com"), password=NEW, by=VISITOR
        )
        assert verifies(alice, NEW)

    def test_a_code_works_once(self, client: AppClient, alice: User) -> None:
        passwords.forgot(client, "alice@example.com", by=VISITOR)
        code = code_sent_to("alice@example.com")
        passwords.confirm_forgot(client, "alice@example.com", code=code, password=NEW, by=VISITOR)

        with pytest.raises(errors.CodeExpired):
            passwords.confirm_forgot(client, "alice@example.com", code=code, password="Third-horse-3", by=VISITOR)

        assert verifies(alice, NEW)

    @pytest.mark.usefixtures("patient_gate")
    def test_of_racing_confirmations_one_wins(self, client: AppClient, alice: User) -> None:
        passwords.forgot(client, "alice@example.com", by=VISITOR)
        code = code_sent_to("alice@example.com")

        outcomes = at_once(
            4,
            lambda n: passwords.confirm_forgot(
                client, "alice@example.com", code=code, password=f"{NEW}{n}", by=VISITOR
            ),
        )

        assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
        assert all(isinstance(outcome, User | errors.CodeExpired) for outcome in outcomes)

    def test_an_hour_later_every_code_has_expired(self, client: AppClient, alice: User) -> None:
        passwords.forgot(client, "alice@example.com", by=VISITOR)
        code = code_sent_to("alice@example.com")

        with time_machine.travel(clock.now().timestamp() + 3601, tick=False):
            for typed in (code, wrong(code), *[wrong(code)] * 5):
                with pytest.raises(errors.CodeExpired):
                    passwords.confirm_forgot(client, "alice@example.com", code=typed, password=NEW, by=VISITOR)

    @pytest.mark.parametrize(
        ("spoil", "refusal"),
        [
            ({"enabled": False}, errors.UserDisabled),
            ({"status": "FORCE_CHANGE_PASSWORD"}, errors.WrongState),
            ({"status": "UNCONFIRMED"}, errors.Invalid),
            ({"email_verified": False}, errors.Invalid),
        ],
    )
    def test_an_account_that_cannot_recover_looks_as_if_it_could(
        self,
        client: AppClient,
        plain_client: AppClient,
        alice: User,
        spoil: dict[str, Any],
        refusal: type[Exception],
    ) -> None:
        User.objects.filter(id=alice.id).update(**spoil)

        with pytest.raises(refusal):
            passwords.forgot(plain_client, "alice@example.com", by=VISITOR)
        told = passwords.forgot(client, "alice@example.com", by=VISITOR)

        assert told.destination == "a***@e***"
        assert not OutboxMessage.objects.filter(state="pending").exclude(purpose="notice").exists()

    def test_an_unknown_user_is_said_to_be_one_only_where_the_client_says_so(
        self, client: AppClient, plain_client: AppClient
    ) -> None:
        with pytest.raises(errors.UserNotFound):
            passwords.forgot(plain_client, "nobody@example.com", by=VISITOR)
        with pytest.raises(errors.UserNotFound):
            passwords.confirm_forgot(plain_client, "nobody@example.com", code="123456", password=NEW, by=VISITOR)

        told = passwords.forgot(client, "nobody@example.com", by=VISITOR)

        assert told.destination == "n***@e***"

    def test_an_unknown_users_code_runs_out_of_tries_like_anyones(self, client: AppClient, alice: User) -> None:
        for name in ("alice@example.com", "nobody@example.com"):
            passwords.forgot(client, name, by=VISITOR)
        code = code_sent_to("alice@example.com")

        seen: dict[str, list[str]] = {}
        for name in ("alice@example.com", "nobody@example.com"):
            for _ in range(7):
                with pytest.raises(errors.DomainError) as refused:
                    passwords.confirm_forgot(client, name, code=wrong(code), password=NEW, by=VISITOR)
                seen.setdefault(name, []).append(repr(refused.value))

        assert seen["alice@example.com"] == seen["nobody@example.com"]
        assert len(set(seen["alice@example.com"])) == 2

    def test_an_unknown_user_costs_the_same_statements(
        self, client: AppClient, alice: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(configuration, "POLL", 60)  # whoever is there when a second ends asks for news

        def shape(name: str) -> list[str]:
            with CaptureQueriesContext(connection) as queries:
                passwords.forgot(client, name, by=VISITOR)
            heads = [query["sql"].split(" WHERE ")[0].split(" VALUES ")[0] for query in queries]
            return [re.sub(r" ?-?\d+", "N", head) for head in heads]

        known, unknown = shape("alice@example.com"), shape("nobody@example.com")

        assert known == unknown
        assert len(known) > 5

    def test_only_operators_help_where_the_pool_says_so(self, transactional_db: None) -> None:
        pool = factories.make_pool(
            username_attributes=["email"],
            account_recovery_setting={"recovery_mechanisms": [{"name": "admin_only", "priority": 1}]},
        )
        client = factories.make_client(pool)

        with pytest.raises(errors.WrongState, match="Contact administrator"):
            passwords.forgot(client, "anyone@example.com", by=VISITOR)

    @pytest.mark.parametrize(
        ("priorities", "proven", "channel"),
        [
            ({}, "email phone_number", "email"),  # as told where nothing was said: verified_email, then the other
            ({}, "phone_number", "sms"),
            ({"verified_phone_number": 1, "verified_email": 2}, "email phone_number", "sms"),
            ({"verified_phone_number": 2, "verified_email": 1}, "email phone_number", "email"),
            ({"verified_phone_number": 1, "verified_email": 2}, "email", "email"),
            ({"verified_email": 1}, "email phone_number", "email"),
            ({"verified_email": 1}, "phone_number", None),
            ({"verified_phone_number": 1}, "email", None),
        ],
    )
    def test_the_code_takes_the_first_way_that_is_open(
        self, transactional_db: None, priorities: dict[str, int], proven: str, channel: str | None
    ) -> None:
        mechanisms = [{"name": name, "priority": priority} for name, priority in priorities.items()]
        pool = factories.make_pool(account_recovery_setting={"recovery_mechanisms": mechanisms})
        client = factories.make_client(pool, prevent_user_existence_errors="LEGACY")
        addresses = {"email": "alice@example.com", "phone_number": "+4915112345678"}
        said = {f"{name}_verified": "true" for name in proven.split()}
        factories.make_user(pool, "alice", **addresses, **said)

        if channel is None:
            with pytest.raises(errors.Invalid, match="no registered/verified email or phone_number"):
                passwords.forgot(client, "alice", by=VISITOR)
            return
        told = passwords.forgot(client, "alice", by=VISITOR)

        assert told.medium.lower() == channel
        assert [row.channel for row in OutboxMessage.objects.exclude(purpose="notice")] == [channel]

    def test_each_request_sends_a_code_which_takes_the_older_ones_place(self, client: AppClient, alice: User) -> None:
        for _ in range(2):
            passwords.forgot(client, "alice@example.com", by=VISITOR)

        assert OutboxMessage.objects.exclude(purpose="notice").count() == 2
        code = code_sent_to("alice@example.com")
        passwords.confirm_forgot(client, "alice@example.com", code=code, password=NEW, by=VISITOR)

    def test_the_sixth_message_of_an_hour_is_refused_for_people_and_unknown_users(
        self, client: AppClient, alice: User
    ) -> None:
        for name in ("alice@example.com", "nobody@example.com"):
            for _ in range(5):
                passwords.forgot(client, name, by=VISITOR)
            with pytest.raises(errors.TooManyAttempts, match=r"^Attempt limit exceeded, please try after some time\.$"):
                passwords.forgot(client, name, by=VISITOR)

        assert OneTimeCode.objects.count() == 2
        with time_machine.travel(clock.now().timestamp() + 3700, tick=False):
            passwords.forgot(client, "alice@example.com", by=VISITOR)


def test_a_temporary_password_comes_by_mail(pool: UserPool) -> None:
    user = users.create(pool, "bob@example.com", attributes={}, by=BY)

    body = mail_to("bob@example.com").body
    assert any(verifies(user, word) for word in body.split() if len(word) == 16)
    assert gate.the_gate() is not None
