"""The first sign-in by a password of which an import brought a hash: what it writes, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock, errors, gate
from identity.foundation.actor import Actor
from pools.models import AppClient, Attempt, Guess, Password, PasswordHistory, RefreshFamily, User, UserPool
from pools.services import configuration
from pools.services.messages import notices
from pools.services.people import foreign_hashes, password_history, passwords
from pools.services.sign_in import machine
from pools.services.sign_in.machine import Challenged, EndsIn, SignedIn
from tests import factories
from tests.factories import PASSWORD
from tests.importer import CHEAP, of_bcrypt
from tests.services.conftest import at_once, overloaded
from tests.sign_in.conftest import BY

NEW, OTHER = "Another-horse-2", "Third-horse-33"
WRONG = "Wrong-horse-1"


def kept_of(password: str = PASSWORD, hashing: str = "BCRYPT") -> str:
    return foreign_hashes.kept(hashing, CHEAP[hashing](password))


@pytest.fixture
def ada(pool: UserPool) -> User:
    """Return somebody who was imported with a hash."""
    return factories.make_imported(pool, "ada", kept_of())


@pytest.fixture
def patient_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let as many hashes wait as a race brings: what is raced here is not the gate."""
    monkeypatch.setattr(gate.the_gate(), "waiters", 200)
    monkeypatch.setattr(gate.the_gate(), "deadline", 60.0)


def row_of(user: User) -> Password:
    return Password.objects.get(pool_id=user.pool_id, user_id=user.id)


def is_ours(user: User) -> bool:
    row = row_of(user)
    return row.argon2.startswith("$argon2id$") and row.sealed_verifier is not None


def heads(job: Callable[[], object]) -> list[str]:
    """Return what a job says to the database, by the beginnings of its statements."""
    configuration.cache.poll(force=True)
    with CaptureQueriesContext(connection) as captured:
        job()
    return [query["sql"].strip().split()[0] for query in captured if "user_pool" not in query["sql"]]


@pytest.mark.parametrize("hashing", sorted(CHEAP))
@pytest.mark.parametrize("ends_in", EndsIn)
def test_the_api_and_the_pages_put_ours_in_its_place(
    pool: UserPool, client: AppClient, hashing: str, ends_in: EndsIn
) -> None:
    user = factories.make_imported(pool, "ada", kept_of(hashing=hashing))
    before = row_of(user)

    assert isinstance(factories.begin(client, "ada", ends_in=ends_in), SignedIn)

    after = row_of(user)
    assert is_ours(user)
    assert (after.changed_at, after.expires_at) == (before.changed_at, before.expires_at)
    assert (after.verifier_pool, after.verifier_name) == (pool.public_id, "ada")
    assert isinstance(factories.begin(client, "ada"), SignedIn)
    assert row_of(user).argon2 == after.argon2


def test_it_is_written_in_the_transaction_of_the_tokens_and_no_other_sign_in_pays(
    pool: UserPool, client: AppClient, ada: User
) -> None:
    factories.make_user(pool, "eve")
    factories.begin(client, "eve")
    plain = heads(lambda: factories.begin(client, "eve"))

    first = heads(lambda: factories.begin(client, "ada"))
    second = heads(lambda: factories.begin(client, "ada"))

    assert first == ["SELECT", "INSERT", "SELECT", "BEGIN", "SELECT", "UPDATE", "UPDATE", "INSERT", "INSERT", "COMMIT"]
    assert second == plain


def test_it_is_kept_once_the_password_was_right_whatever_becomes_of_the_code(
    pool: UserPool, client: AppClient, ada: User
) -> None:
    factories.give_totp(pool, ada)

    challenged = factories.begin(client, "ada")

    assert isinstance(challenged, Challenged)
    assert challenged.challenge == "totp"
    assert is_ours(ada)
    assert Attempt.objects.filter(pool_id=pool.pk).count() == 1


def test_a_wrong_password_is_counted_and_leaves_it(pool: UserPool, client: AppClient, ada: User) -> None:
    before = row_of(ada).argon2

    with pytest.raises(errors.PasswordIncorrect):
        factories.begin(client, "ada", WRONG)

    assert row_of(ada).argon2 == before
    assert Guess.objects.get(pool_id=pool.pk, subject=ada.id).failures == 1
    factories.begin(client, "ada")
    assert Guess.objects.get(pool_id=pool.pk, subject=ada.id).failures == 0


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"enabled": False}, errors.UserDisabled),
        ({"status": "UNCONFIRMED"}, errors.UserNotConfirmed),
        ({"status": "RESET_REQUIRED"}, errors.PasswordIncorrect),
        ({"status": "EXTERNAL_PROVIDER"}, errors.PasswordIncorrect),
    ],
)
def test_who_may_not_sign_in_keeps_it_and_is_told_no_earlier(
    client: AppClient,
    ada: User,
    change: dict[str, Any],
    refusal: type[errors.DomainError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    User.objects.filter(pk=ada.pk).update(**change)
    before = row_of(ada).argon2
    monkeypatch.setattr(passwords, "hashed", lambda *_: pytest.fail("a hash more says that the password is right"))

    with pytest.raises(refusal):
        factories.begin(client, "ada")

    assert row_of(ada).argon2 == before


def test_who_is_turned_away_at_the_gate_has_not_guessed(pool: UserPool, client: AppClient, ada: User) -> None:
    with overloaded(), pytest.raises(errors.Overloaded):
        factories.begin(client, "ada")

    assert not Guess.objects.filter(pool_id=pool.pk).exists()


def test_who_is_let_in_at_the_gate_waits_there_once(
    client: AppClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered: list[str] = []
    real = gate.Gate.enter

    def noting(self: gate.Gate, pool: str) -> None:
        entered.append(pool)
        real(self, pool)

    monkeypatch.setattr(gate.Gate, "enter", noting)

    factories.begin(client, "ada")

    assert len(entered) == 1


@pytest.mark.usefixtures("patient_gate")
@pytest.mark.parametrize("failed_before", [0, 1])
def test_of_many_first_sign_ins_at_once_each_is_let_in_and_one_writes(
    pool: UserPool, client: AppClient, ada: User, failed_before: int
) -> None:
    for _ in range(failed_before):
        with pytest.raises(errors.PasswordIncorrect):
            factories.begin(client, "ada", WRONG)

    outcomes = at_once(3, lambda _: factories.begin(client, "ada"))

    assert [type(each) for each in outcomes] == [SignedIn] * 3
    assert is_ours(ada)
    assert RefreshFamily.objects.filter(pool_id=pool.pk, user_id=ada.id).count() == 3


def between_proof_and_write(monkeypatch: pytest.MonkeyPatch, job: Callable[[], object]) -> None:
    """Have something done after a password was found right, and what follows from it read, before it is written."""
    real, todo = machine.complete, iter([job])

    def then(*given: Any, **named: Any) -> SignedIn:
        if due := next(todo, None):
            due()
        return real(*given, **named)

    monkeypatch.setattr(machine, "complete", then)


def test_a_password_that_an_administrator_set_meanwhile_stays(
    pool: UserPool, client: AppClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_proof_and_write(monkeypatch, lambda: passwords.admin_set(pool, ada, NEW, permanent=True, by=BY))

    factories.begin(client, "ada")

    assert passwords.verify(pool.public_id, row_of(ada).argon2, NEW)
    with pytest.raises(errors.PasswordIncorrect):
        factories.begin(client, "ada")


def test_another_imported_hash_that_came_meanwhile_stays(
    pool: UserPool, client: AppClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = kept_of(NEW)
    rows = Password.objects.filter(pool_id=pool.pk, user_id=ada.id)
    between_proof_and_write(monkeypatch, lambda: rows.update(argon2=other))

    factories.begin(client, "ada")

    assert row_of(ada).argon2 == other


def test_a_password_that_was_taken_away_meanwhile_stays_away(
    pool: UserPool, client: AppClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_proof_and_write(monkeypatch, lambda: passwords.remove(ada))

    factories.begin(client, "ada")

    assert not Password.objects.filter(pool_id=pool.pk, user_id=ada.id).exists()


@pytest.mark.usefixtures("patient_gate")
def test_sign_ins_and_an_administrators_passwords_never_wait_for_one_another(
    pool: UserPool, client: AppClient, ada: User
) -> None:
    def job(number: int) -> object:
        if not number % 2:
            return factories.begin(client, "ada")
        passwords.admin_set(pool, ada, NEW, permanent=True, by=BY)
        return None

    outcomes = at_once(6, job)

    assert {type(each) for each in outcomes} <= {SignedIn, type(None), errors.PasswordIncorrect}
    assert passwords.verify(pool.public_id, row_of(ada).argon2, NEW)


@pytest.mark.usefixtures("patient_gate")
def test_a_first_sign_in_and_a_change_never_wait_for_one_another(
    pool: UserPool, client: AppClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has written the password, the other the guesses; each wants both."""
    both = Barrier(2, timeout=1)

    def meet_after(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def waiting(*given: Any) -> object:
            done = real(*given)
            with suppress(BrokenBarrierError):  # one waits for the other before
                both.wait()
            return done

        monkeypatch.setattr(owner, name, waiting)

    meet_after(passwords, "replace_foreign")
    meet_after(password_history, "refusal")
    jobs: list[Callable[[], object]] = [
        lambda: factories.begin(client, "ada"),
        lambda: passwords.change(pool, ada, previous=PASSWORD, proposed=NEW, by=BY),
    ]

    outcomes = at_once(2, lambda number: jobs[number]())

    assert isinstance(outcomes[0], SignedIn | errors.PasswordIncorrect)
    assert outcomes[1] is None
    assert passwords.verify(pool.public_id, row_of(ada).argon2, NEW)


class TestChange:
    """Of somebody who came by an identity provider: a sign-in by password would have put ours in its place."""

    def test_the_previous_password_is_that_of_the_hash(self, pool: UserPool, ada: User) -> None:
        with pytest.raises(errors.PasswordIncorrect):
            passwords.change(pool, ada, previous=WRONG, proposed=NEW, by=BY)
        passwords.change(pool, ada, previous=PASSWORD, proposed=NEW, by=BY)

        assert is_ours(ada)
        assert passwords.verify(pool.public_id, row_of(ada).argon2, NEW)

    def test_it_is_one_of_the_last_passwords(self, transactional_db: None) -> None:
        policy = {"minimum_length": 8, "password_history_size": 3}
        pool = factories.make_pool(policies={"password_policy": policy})
        ada = factories.make_imported(pool, "ada", kept_of())

        with pytest.raises(errors.PasswordRejected, match="previously been used"):
            passwords.change(pool, ada, previous=PASSWORD, proposed=PASSWORD, by=BY)
        assert is_ours(ada)
        passwords.change(pool, ada, previous=PASSWORD, proposed=NEW, by=BY)

        with pytest.raises(errors.PasswordRejected, match="previously been used"):
            passwords.change(pool, ada, previous=NEW, proposed=PASSWORD, by=BY)
        assert PasswordHistory.objects.filter(pool_id=pool.pk, user_id=ada.id).count() == 2

    def test_it_is_remembered_from_its_first_sign_in_and_not_before(self, transactional_db: None) -> None:
        policy = {"minimum_length": 8, "password_history_size": 3}
        pool = factories.make_pool(policies={"password_policy": policy})
        client = factories.make_client(pool)
        known, unknown = (factories.make_imported(pool, name, kept_of()) for name in ("known", "unknown"))
        factories.begin(client, "known")

        for user in (known, unknown):
            passwords.admin_set(pool, user, NEW, permanent=True, by=BY)

        with pytest.raises(errors.PasswordRejected, match="previously been used"):
            passwords.admin_set(pool, known, PASSWORD, permanent=True, by=BY)
        passwords.admin_set(pool, unknown, PASSWORD, permanent=True, by=BY)

    def test_a_first_sign_in_meanwhile_is_no_change(
        self, pool: UserPool, client: AppClient, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, todo = notices.prepare, iter([lambda: factories.begin(client, "ada")])

        def prepare(*given: Any, by: Actor) -> Any:  # noqa: ANN401 - whatever it returns
            if due := next(todo, None):
                due()
            return real(*given, by=by)

        monkeypatch.setattr(notices, "prepare", prepare)

        passwords.change(pool, ada, previous=PASSWORD, proposed=NEW, by=BY)

        assert passwords.verify(pool.public_id, row_of(ada).argon2, NEW)


def test_a_recovered_password_takes_its_place(pool: UserPool, client: AppClient) -> None:
    ada = factories.make_imported(
        pool, "ada", foreign_hashes.kept("BCRYPT", of_bcrypt(PASSWORD)), email="ada@example.com", email_verified="true"
    )
    passwords.forgot(client, "ada", by=BY)

    passwords.confirm_forgot(client, "ada", code=factories.newest_code("ada@example.com"), password=NEW, by=BY)

    assert is_ours(ada)
    assert isinstance(factories.begin(client, "ada", NEW), SignedIn)
    assert row_of(ada).changed_at <= clock.now()
