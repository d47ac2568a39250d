"""SRP at the machine: one path for people and decoys, one counter with the password, a block good for one sign-in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock, errors, gate
from pools.models import AppClient, Attempt, Guess, Password, RefreshFamily, Spent, User, UserPool
from pools.services import access, configuration
from pools.services.people import passwords, srp, users
from pools.services.sign_in import attempt_tokens, flows, machine, sealed_attempts
from pools.services.sign_in.attempt import Attempt as UnderWay
from pools.services.sign_in.machine import Challenge, Challenged, EndsIn, SignedIn
from pools.services.sign_in.steps.second_factor import SecondFactor
from tests import factories
from tests.factories import PASSWORD
from tests.sign_in.conftest import BY
from tests.srp_client import Client

FLOWS = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
FOLDED: dict[str, Any] = {"username_configuration": {"case_sensitive": False}}


@pytest.fixture
def client(pool: UserPool) -> AppClient:
    """Return a client that signs in by SRP too, existence hidden."""
    return factories.make_client(pool, explicit_auth_flows=FLOWS)


def begin(client: AppClient, name: str, exchange: Client) -> Challenged:
    outcome = machine.begin(
        flows.by_api(client, "USER_SRP_AUTH"),
        username=name,
        answers={"client_public": f"{exchange.public:x}"},
        by=BY,
    )
    assert isinstance(outcome, Challenged)
    assert outcome.challenge is Challenge.PASSWORD_VERIFIER
    return outcome


def answers_to(client: AppClient, asked: Challenged, exchange: Client) -> dict[str, Any]:
    given = {
        "USER_ID_FOR_SRP": asked.username,
        "SALT": f"{asked.parameters['salt']:x}",
        "SRP_B": f"{asked.parameters['server_public']:x}",
        "SECRET_BLOCK": sealed_attempts.block(asked.attempt_token),
    }
    answer = exchange.answer(client.pool.public_id, given)
    return {"signature": answer["PASSWORD_CLAIM_SIGNATURE"], "timestamp": answer["TIMESTAMP"]}


def respond(client: AppClient, asked: Challenged, answers: dict[str, Any]) -> Challenged | SignedIn:
    return machine.respond(
        client, challenge=Challenge.PASSWORD_VERIFIER, attempt_token=asked.attempt_token, answers=answers, by=BY
    )


def sign_in(client: AppClient, name: str = "alice", password: str = PASSWORD) -> Challenged | SignedIn:
    exchange = Client(password)
    asked = begin(client, name, exchange)
    return respond(client, asked, answers_to(client, asked, exchange))


def kinds(call: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        call()
    return heads(captured)


def heads(captured: CaptureQueriesContext) -> list[str]:
    """Return how each statement begins. What a process holds of pools and apps is read anew by the clock."""
    return [query["sql"].split("VALUES")[0][:60] for query in captured if "user_pool" not in query["sql"]]


def test_it_begins_by_one_read_and_ends_in_one_transaction(client: AppClient, person: User) -> None:
    sign_in(client)
    configuration.cache.poll(force=True)
    exchange = Client(PASSWORD)
    asked: list[Challenged] = []

    begun = kinds(lambda: asked.append(begin(client, "alice", exchange)))
    answers = answers_to(client, asked[0], exchange)
    ended = kinds(lambda: respond(client, asked[0], answers))

    assert [each.split()[0] for each in begun] == ["SELECT"]
    told = [each.split()[0] for each in ended]
    assert told == ["SELECT", "INSERT", "SELECT", "BEGIN", "INSERT", "UPDATE", "INSERT", "INSERT", "COMMIT"]
    assert "INSERT INTO spent" in ended[4]


@pytest.mark.parametrize("of", ["nobody", "carol"])
def test_an_unknown_user_takes_the_same_statements_and_powers_as_a_person(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    """So does who has no verifier of this pool."""
    carol = factories.make_user(client.pool, "carol")
    Password.objects.filter(pk=carol.pk).update(verifier_pool="us-east-1_Elsewhere")
    counted: list[str] = []
    for name in ("server_hello", "shared_key"):
        monkeypatch.setattr(srp, name, behind_the_gate(getattr(srp, name), counted))

    def of_one(name: str) -> list[str]:
        exchange = Client("Wrong-horse-1" if name == "alice" else PASSWORD)
        asked = begin(client, name, exchange)
        answers = answers_to(client, asked, exchange)
        with CaptureQueriesContext(connection) as captured, pytest.raises(errors.PasswordIncorrect):
            respond(client, asked, answers)
        return heads(captured)

    configuration.cache.poll(force=True)
    of_one("warm-up")
    counted.clear()

    assert of_one("alice") == of_one(of)
    assert counted == ["server_hello", "shared_key"] * 2


def behind_the_gate(function: Callable[..., Any], counted: list[str]) -> Callable[..., Any]:
    """Return a function that counts its calls, and sees that each holds the gate."""

    def counting(*given: Any) -> Any:  # noqa: ANN401
        assert gate._inside.get()
        counted.append(function.__name__)
        return function(*given)

    return counting


def test_salt_and_shape_say_nothing_of_who_exists(transactional_db: None) -> None:
    pool = factories.make_pool(**FOLDED)
    client = factories.make_client(pool, explicit_auth_flows=FLOWS)
    factories.make_user(pool, "alice")
    unknown, known = begin(client, "Nobody", Client(PASSWORD)), begin(client, "ALICE", Client(PASSWORD))

    assert (unknown.username, known.username) == ("nobody", "alice")
    assert unknown.parameters.keys() == known.parameters.keys()
    assert len(unknown.attempt_token) == len(known.attempt_token) < 2048
    again = begin(client, "nobody", Client(PASSWORD))
    assert again.parameters["salt"] == unknown.parameters["salt"]
    assert again.parameters["server_public"] != unknown.parameters["server_public"]
    user = factories.make_user(pool, "nobody")
    assert begin(client, "nobody", Client(PASSWORD)).parameters["salt"] == unknown.parameters["salt"]
    passwords.admin_set(pool, user, "Another-horse-1", permanent=True, by=BY)
    assert begin(client, "nobody", Client(PASSWORD)).parameters["salt"] == unknown.parameters["salt"]


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"alias_attributes": ["email"]}, "nobody@example.com"),
        ({"alias_attributes": ["phone_number"]}, "+4915112345678"),
        ({"username_attributes": ["email"]}, "nobody@example.com"),
    ],
)
def test_who_signs_in_by_an_address_is_called_otherwise_known_or_not(
    transactional_db: None, settings: dict[str, Any], name: str
) -> None:
    client = factories.make_client(factories.make_pool(**FOLDED, **settings), explicit_auth_flows=FLOWS)

    told = begin(client, name, Client(PASSWORD)).username

    assert UUID(told).version == 4
    assert begin(client, name.upper(), Client(PASSWORD)).username == told


@pytest.mark.parametrize("name", ["alice", "nobody", "nobody@example.com"])
def test_an_answer_names_whom_it_is_about(transactional_db: None, name: str) -> None:
    pool = factories.make_pool(alias_attributes=["email"])
    client = factories.make_client(pool, explicit_auth_flows=FLOWS)
    factories.make_user(pool, "alice")
    exchange = Client("Wrong-horse-1")

    def answer(called: str) -> None:
        asked = begin(client, name, exchange)
        answers = answers_to(client, asked, exchange)
        about = asked.username if called == "told" else called
        machine.respond(
            client, challenge=asked.challenge, attempt_token=asked.attempt_token, answers=answers, username=about, by=BY
        )

    for called in ("told", name):
        with pytest.raises(errors.PasswordIncorrect):
            answer(called)
    with pytest.raises(errors.AttemptTokenRefused):
        answer("bob")


@pytest.mark.parametrize("name", ["alice", "nobody"])
@time_machine.travel(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False)  # a lock of a second outlasts a slow machine
def test_guesses_by_srp_and_by_password_are_counted_together(client: AppClient, person: User, name: str) -> None:
    for _ in range(3):
        with pytest.raises(errors.PasswordIncorrect):
            sign_in(client, name, "Wrong-horse-1")
    exchange = Client(PASSWORD)
    asked = begin(client, name, exchange)
    for _ in range(2):
        with pytest.raises(errors.PasswordIncorrect):
            factories.begin(client, name, "Wrong-horse-1")

    answers = answers_to(client, asked, exchange)
    with CaptureQueriesContext(connection) as captured:
        with pytest.raises(errors.LockedOut, match="Password attempts exceeded"):
            respond(client, asked, answers)
        with pytest.raises(errors.LockedOut):
            begin(client, name, exchange)
    assert [head.split()[0] for head in heads(captured)] == ["SELECT", "SELECT"]  # a lock is read, not written
    with pytest.raises(errors.LockedOut):
        factories.begin(client, name)
    assert Guess.objects.get(pool_id=client.pool_id).failures == 5


def test_parallel_guesses_are_evaluated_no_more_often_than_allowed(client: AppClient, person: User) -> None:
    exchange = Client("Wrong-horse-1")
    asked = begin(client, "alice", exchange)
    answers = answers_to(client, asked, exchange)

    def guess(_: int) -> str:
        try:
            respond(client, asked, answers)
        except errors.DomainError as problem:
            return type(problem).__name__
        finally:
            connections.close_all()
        return "signed in"

    with time_machine.travel(clock.now(), tick=False), ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(guess, range(24)))

    assert set(outcomes) <= {"PasswordIncorrect", "LockedOut", "Overloaded"}
    assert outcomes.count("PasswordIncorrect") == Guess.objects.get(pool_id=client.pool_id).failures <= 5


def test_success_forgets_the_failures(client: AppClient, person: User) -> None:
    for _ in range(4):
        with pytest.raises(errors.PasswordIncorrect):
            sign_in(client, password="Wrong-horse-1")

    assert isinstance(sign_in(client), SignedIn)

    assert Guess.objects.get(pool_id=client.pool_id).failures == 0


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"enabled": False}, errors.UserDisabled),
        ({"status": "UNCONFIRMED"}, errors.UserNotConfirmed),
        ({"status": "RESET_REQUIRED"}, errors.PasswordIncorrect),
        ({"status": "EXTERNAL_PROVIDER"}, errors.PasswordIncorrect),
    ],
)
def test_the_state_of_an_account_is_told_only_after_the_proof(
    client: AppClient, person: User, change: dict[str, object], refusal: type[errors.DomainError]
) -> None:
    User.objects.filter(pk=person.pk).update(**change)

    with pytest.raises(errors.PasswordIncorrect):
        sign_in(client, password="Wrong-horse-1")
    with pytest.raises(refusal):
        sign_in(client)
    if change == {"status": "RESET_REQUIRED"}:
        showing = factories.make_client(client.pool, explicit_auth_flows=FLOWS, prevent_user_existence_errors="LEGACY")
        with pytest.raises(errors.PasswordResetRequired):
            sign_in(showing)


def test_a_late_invitation_is_refused(client: AppClient) -> None:
    bob = factories.make_invited(client.pool, "bob", password="Temporary-1")
    assert isinstance(sign_in(client, "bob", "Temporary-1"), Challenged)
    Password.objects.filter(user_id=bob.id).update(expires_at=clock.now() - timedelta(seconds=1))

    with pytest.raises(errors.TemporaryPasswordExpired):
        sign_in(client, "bob", "Temporary-1")


def test_a_block_dies_with_its_time_its_person_and_its_password(client: AppClient, person: User) -> None:
    exchange = Client(PASSWORD)
    asked = begin(client, "alice", exchange)
    answers = answers_to(client, asked, exchange)

    late = clock.now() + timedelta(minutes=client.session_minutes)
    with time_machine.travel(late, tick=False), pytest.raises(errors.AttemptTokenExpired):
        respond(client, asked, answers)
    passwords.admin_set(client.pool, person, "Another-horse-1", permanent=True, by=BY)
    with pytest.raises(errors.PasswordIncorrect):
        respond(client, asked, answers)
    users.delete(client.pool, access.user_by_sub(client.pool, person.sub), by=BY)
    with pytest.raises(errors.PasswordIncorrect):
        respond(client, asked, answers)


def test_a_block_leads_to_one_sign_in_also_where_a_code_is_asked_for_next(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.give_totp(client.pool, person)
    entered: list[bool] = []

    def enter(_: SecondFactor, attempt: UnderWay, *, by: object) -> None:
        assert attempt.proven("password")
        entered.append(connection.in_atomic_block)

    monkeypatch.setattr(SecondFactor, "enter", enter)
    exchange = Client(PASSWORD)
    asked = begin(client, "alice", exchange)
    assert not Attempt.objects.filter(pool_id=client.pool_id).exists()
    answers = answers_to(client, asked, exchange)

    outcome = respond(client, asked, answers)
    with pytest.raises(errors.AttemptTokenUsed):
        respond(client, asked, answers)

    assert isinstance(outcome, Challenged)
    assert outcome.challenge == "totp"
    assert entered == [True]
    assert Attempt.objects.filter(pool_id=client.pool_id).count() == 1
    assert not RefreshFamily.objects.filter(pool_id=client.pool_id).exists()


def test_a_sealed_attempt_is_worth_nothing_at_another_step(client: AppClient, person: User) -> None:
    asked = begin(client, "alice", Client(PASSWORD))

    for challenge in set(Challenge) - {Challenge.PASSWORD_VERIFIER}:
        with pytest.raises(errors.AttemptTokenRefused):
            machine.respond(
                client, challenge=challenge, attempt_token=asked.attempt_token, answers={"password": PASSWORD}, by=BY
            )


def test_a_step_is_entered_in_the_transaction_that_reaches_it(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it issues goes where the proof goes that led to it: kept with it, or refused with it."""
    factories.give_totp(client.pool, person)
    issued = UUID(int=7)

    def enter(_: SecondFactor, attempt: UnderWay, *, by: object) -> None:
        Spent(id=issued).save(force_insert=True)
        raise errors.TooManyAttempts

    monkeypatch.setattr(SecondFactor, "enter", enter)

    with pytest.raises(errors.TooManyAttempts):
        factories.begin(client, "alice")

    assert not Spent.objects.filter(pk=issued).exists()
    assert not Attempt.objects.filter(pool_id=client.pool_id).exists()


def test_a_decoys_attempt_has_a_row_like_anyones_and_leads_nowhere(client: AppClient) -> None:
    decoy = access.decoy(client.pool, "nobody")
    attempt = UnderWay(client, decoy.id, None, (), EndsIn.TOKENS, Challenge.PASSWORD, evidence={"password": 1})
    row = attempt_tokens.row(attempt)
    row.save(force_insert=True)
    session = attempt_tokens.text(attempt, row.id, 0)

    assert attempt_tokens.load(session, client).subject == decoy.id
    with pytest.raises(errors.AttemptTokenRefused):
        machine.respond(client, challenge="totp", attempt_token=session, answers={"code": "000000"}, by=BY)
