"""The machine's promises: the sequence of challenges, what a proof is worth, and that refusals count."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock, errors
from identity.foundation.actor import Actor
from pools.models import AppClient, Attempt, AuthEvent, Guess, Password, RefreshFamily, TotpFactor, User, UserPool
from pools.models.hot import EnrolledFactor, Person
from pools.services import access, assurance, configuration
from pools.services.people import passwords, users
from pools.services.sign_in import enrolment, factors, flows, machine, own_factors
from pools.services.sign_in.attempt import Attempt as UnderWay
from pools.services.sign_in.machine import Challenge, Challenged, EndsIn, SignedIn
from pools.services.sign_in.own_factors import Preference
from pools.services.tokens import sessions, verify
from tests import factories
from tests.factories import PASSWORD
from tests.sign_in.conftest import BY


def begin(
    client: AppClient, username: str = "alice", password: str = PASSWORD, ends_in: EndsIn = EndsIn.TOKENS
) -> object:
    return factories.begin(client, username=username, password=password, ends_in=ends_in, by=BY)


def challenged(outcome: object, challenge: str) -> Challenged:
    assert isinstance(outcome, Challenged), outcome
    assert outcome.challenge == challenge
    return outcome


def signed_in(outcome: object) -> SignedIn:
    assert isinstance(outcome, SignedIn), outcome
    return outcome


def fresh(totp: pyotp.TOTP) -> str:
    """Return a code that was not spent by the enrolment."""
    TotpFactor.objects.update(last_step=0)
    return totp.now()


def test_a_password_alone_ends_in_tokens_where_mfa_is_not_set_up(client: AppClient, person: User) -> None:
    outcome = signed_in(begin(client))

    assert outcome.tokens is not None
    bearer = verify.verify_access(outcome.tokens.access)
    assert bearer.sub == person.sub
    assert AuthEvent.objects.get(pool_id=client.pool_id).passed


def test_a_browser_gets_a_session_and_no_tokens(client: AppClient, person: User) -> None:
    outcome = signed_in(begin(client, ends_in=EndsIn.BROWSER))

    assert outcome.tokens is None
    assert outcome.opened_session is not None
    found = sessions.signed_in_session(client.pool, outcome.opened_session.cookie)
    assert found is not None
    assert found.person.id == person.id
    assert not RefreshFamily.objects.filter(pool_id=client.pool_id).exists()


@pytest.mark.parametrize("username", ["alice", "ALICE", "alice@example.com", "nobody"])
def test_a_wrong_password_reads_the_same_for_people_and_unknown_users(
    client: AppClient, person: User, username: str
) -> None:
    with pytest.raises(errors.PasswordIncorrect, match=r"^Incorrect username or password\.$"):
        begin(client, username, "Wrong-horse-1")


def test_an_unknown_user_takes_the_same_statements_as_a_person(client: AppClient, person: User) -> None:
    def statements(username: str) -> list[str]:
        with CaptureQueriesContext(connection) as captured, pytest.raises(errors.PasswordIncorrect):
            begin(client, username, "Wrong-horse-1")
        return [query["sql"].split("VALUES")[0][:60] for query in captured]

    configuration.cache.poll(force=True)
    statements("warm-up")

    assert statements("alice") == statements("nobody")


def test_signing_in_asks_the_database_few_times(client: AppClient, person: User) -> None:
    begin(client)
    configuration.cache.poll(force=True)

    with CaptureQueriesContext(connection) as captured:
        begin(client)

    kinds = [query["sql"].split()[0] for query in captured]
    assert kinds == ["SELECT", "INSERT", "SELECT", "WITH"]


@pytest.mark.parametrize("change", ["password", "epoch", "ended", "gone"])
def test_what_changes_while_a_proof_is_looked_at_makes_it_none(
    client: AppClient, person: User, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = passwords.verify

    def verify(*given: Any) -> bool:
        right = real(*given)
        if change == "password":
            Password.objects.filter(pool_id=client.pool_id, user=person).update(changed_at=clock.now())
        elif change == "epoch":
            users.global_sign_out(client.pool, person, by=BY)
        elif change == "ended":
            User.objects.filter(pool_id=client.pool_id, pk=person.pk).update(status="RESET_REQUIRED")
        else:
            users.delete(client.pool, person, by=BY)
        return right

    monkeypatch.setattr(passwords, "verify", verify)

    with pytest.raises(errors.PasswordIncorrect, match="Incorrect"):
        begin(client)
    assert not RefreshFamily.objects.filter(pool_id=client.pool_id).exists()


def test_an_authenticator_stands_between_password_and_tokens(client: AppClient, person: User) -> None:
    totp = factories.give_totp(client.pool, person)

    asked = challenged(begin(client), "totp")
    outcome = machine.respond(
        client, challenge="totp", attempt_token=asked.attempt_token, answers={"code": fresh(totp)}, by=BY
    )

    assert signed_in(outcome).tokens is not None


def test_mfa_off_asks_for_no_code_even_of_those_who_have_one(client: AppClient, person: User) -> None:
    factories.give_totp(client.pool, person)
    UserPool.objects.filter(pk=client.pool_id).update(mfa="OFF")
    configuration.cache.forget_everything()

    signed_in(begin(access.client(client.client_id)))


def test_each_answer_gives_its_session_a_life_of_its_own(transactional_db: None) -> None:
    """Whoever has to install an authenticator first has more than one life of a session for all of it."""
    pool = factories.make_pool(mfa="ON")
    client = factories.make_client(pool)
    factories.make_user(pool, "alice")
    with time_machine.travel(clock.now(), tick=False) as time:
        session = challenged(begin(client), Challenge.FACTOR_SETUP).attempt_token
        time.shift(timedelta(seconds=150))
        secret, session = enrolment.enrol(client, session, "totp", by=BY)
        time.shift(timedelta(seconds=150))
        session = enrolment.prove_enrolment(client, session, "totp", pyotp.TOTP(secret).at(clock.epoch()), by=BY)
        time.shift(timedelta(seconds=150))
        outcome = machine.respond(client, challenge=Challenge.FACTOR_SETUP, attempt_token=session, answers={}, by=BY)

    assert signed_in(outcome).tokens is not None


def test_a_required_factor_is_set_up_on_the_way(transactional_db: None) -> None:
    pool = factories.make_pool(mfa="ON")
    client, person = factories.make_client(pool), factories.make_user(pool, "alice")
    asked = challenged(begin(client), Challenge.FACTOR_SETUP)
    assert asked.parameters == {"can_set_up": ["totp"]}

    with pytest.raises(errors.AttemptTokenRefused):
        machine.respond(client, challenge=Challenge.FACTOR_SETUP, attempt_token=asked.attempt_token, answers={}, by=BY)
    secret, session = enrolment.enrol(client, asked.attempt_token, "totp", by=BY)
    with pytest.raises(errors.AttemptTokenRefused):
        enrolment.enrol(client, asked.attempt_token, "totp", by=BY)
    with pytest.raises(errors.TotpEnrolmentFailed):
        enrolment.prove_enrolment(client, session, "totp", "000000", by=BY)
    session = enrolment.prove_enrolment(client, session, "totp", pyotp.TOTP(secret).now(), name="phone", by=BY)
    outcome = machine.respond(client, challenge=Challenge.FACTOR_SETUP, attempt_token=session, answers={}, by=BY)

    assert signed_in(outcome).tokens is not None
    asked = challenged(begin(client), "totp")
    assert asked.parameters == {"name": "phone", "others": []}
    assert factors.preferred(access.user_by_sub(pool, person.sub)) == "totp"


def test_an_invited_person_chooses_a_password_first(client: AppClient) -> None:
    factories.make_invited(client.pool, "bob", password="Temporary-1")
    asked = challenged(begin(client, "bob", "Temporary-1"), Challenge.NEW_PASSWORD)
    answer = {"new_password": "short"}

    with pytest.raises(errors.PasswordRejected):
        machine.respond(
            client, challenge=Challenge.NEW_PASSWORD, attempt_token=asked.attempt_token, answers=answer, by=BY
        )
    answer = {"new_password": "Chosen-by-bob-1"}
    outcome = machine.respond(
        client, challenge=Challenge.NEW_PASSWORD, attempt_token=asked.attempt_token, answers=answer, by=BY
    )

    assert signed_in(outcome).person.status == "CONFIRMED"
    signed_in(begin(client, "bob", "Chosen-by-bob-1"))
    with pytest.raises(errors.PasswordIncorrect):
        begin(client, "bob", "Temporary-1")


def test_a_late_invitation_is_refused(client: AppClient) -> None:
    bob = factories.make_invited(client.pool, "bob", password="Temporary-1")
    Password.objects.filter(user_id=bob.id).update(expires_at=clock.now() - timedelta(seconds=1))

    with pytest.raises(errors.TemporaryPasswordExpired):
        begin(client, "bob", "Temporary-1")


@pytest.mark.parametrize("ends_in", list(EndsIn))
def test_a_first_factor_may_be_asked_for_before_it_is_given(client: AppClient, person: User, ends_in: EndsIn) -> None:
    """Nothing is written by asking, whoever is asked; what it was for is kept, and it leads there once."""
    open_flow = flows.by_pages(client) if ends_in is EndsIn.BROWSER else flows.by_api(client, "USER_PASSWORD_AUTH")
    asked = {
        name: challenged(machine.begin(open_flow, username=name, answers={}, by=BY), Challenge.PASSWORD)
        for name in ("alice", "nobody")
    }
    assert not Guess.objects.filter(pool_id=client.pool_id).exists()
    assert not Attempt.objects.filter(pool_id=client.pool_id).exists()

    def answer(name: str, password: str) -> object:
        answers, session = {"password": password}, asked[name].attempt_token
        return machine.respond(client, challenge=Challenge.PASSWORD, attempt_token=session, answers=answers, by=BY)

    for name, password in (("alice", "Wrong-horse-1"), ("nobody", PASSWORD)):
        with pytest.raises(errors.PasswordIncorrect):
            answer(name, password)
    outcome = signed_in(answer("alice", PASSWORD))
    assert (outcome.tokens is None, outcome.opened_session is None) == (
        ends_in is EndsIn.BROWSER,
        ends_in is EndsIn.TOKENS,
    )
    with pytest.raises(errors.AttemptTokenUsed):
        answer("alice", PASSWORD)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"enabled": False}, errors.UserDisabled),
        ({"status": "UNCONFIRMED"}, errors.UserNotConfirmed),
        ({"status": "EXTERNAL_PROVIDER"}, errors.PasswordIncorrect),
    ],
)
def test_the_state_of_an_account_is_told_only_after_the_right_password(
    client: AppClient, person: User, change: dict[str, object], refusal: type[errors.DomainError]
) -> None:
    User.objects.filter(pk=person.pk).update(**change)

    with pytest.raises(errors.PasswordIncorrect):
        begin(client, password="Wrong-horse-1")
    with pytest.raises(refusal):
        begin(client)


def test_a_flow_that_is_off_is_refused(pool: UserPool, person: User) -> None:
    client = factories.make_client(pool, explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"])

    with pytest.raises(errors.FlowNotEnabled, match="USER_PASSWORD_AUTH flow not enabled for this client"):
        begin(client)
    with pytest.raises(errors.FlowNotEnabled, match="Auth flow not enabled for this client"):
        flows.by_api(client, "ADMIN_USER_PASSWORD_AUTH", admin=True)
    signed_in(begin(client, ends_in=EndsIn.BROWSER))


@pytest.mark.parametrize(
    ("mfa", "enrolled", "status", "evidence", "due"),
    [
        ("OFF", False, "CONFIRMED", [], Challenge.PASSWORD),
        ("ON", True, "FORCE_CHANGE_PASSWORD", [], Challenge.PASSWORD),
        ("ON", True, "FORCE_CHANGE_PASSWORD", ["password"], Challenge.NEW_PASSWORD),
        ("OFF", True, "CONFIRMED", ["password"], None),
        ("OPTIONAL", False, "CONFIRMED", ["password"], None),
        ("OPTIONAL", True, "CONFIRMED", ["password"], "totp"),
        ("OPTIONAL", True, "CONFIRMED", ["totp"], Challenge.PASSWORD),
        ("ON", False, "CONFIRMED", ["password"], Challenge.FACTOR_SETUP),
        ("ON", True, "CONFIRMED", ["password", "enrolled"], Challenge.FACTOR_SETUP),
        ("ON", True, "CONFIRMED", ["password", "totp", "enrolled"], Challenge.FACTOR_SETUP),
        ("ON", True, "CONFIRMED", ["password", "totp", "enrolled", "set_up"], None),
        ("ON", True, "CONFIRMED", ["password", "enrolled", "set_up"], "totp"),
        ("ON", True, "CONFIRMED", ["password", "set_up"], "totp"),
        ("ON", True, "CONFIRMED", ["password", "totp"], None),
        ("ON", False, "EXTERNAL_PROVIDER", ["upstream"], None),
        ("OPTIONAL", True, "CONFIRMED", ["upstream"], None),
    ],
)
def test_the_next_step_follows_from_what_was_proven_whoever_proved_it(
    mfa: str, enrolled: bool, status: str, evidence: list[str], due: str | None
) -> None:
    someone = Person(**dict.fromkeys(Person._fields))  # type: ignore[arg-type]  # nothing else of them is asked
    held = (EnrolledFactor("totp", "", enabled=True),) if enrolled else ()
    someone = someone._replace(status=status, held=held)
    app = AppClient(pool=UserPool(mfa=mfa, totp_enabled=True))
    subject = UUID(int=1)
    attempt = UnderWay(
        app, subject, someone, (), EndsIn.TOKENS, Challenge.PASSWORD, evidence=dict.fromkeys(evidence, 1)
    )

    step = machine.next_step(attempt)

    assert (step.challenge if step else None) == due
    assert assurance.is_enough(app.pool, someone, attempt.methods) or due is not None


def test_a_code_is_good_once_and_its_session_too(client: AppClient, person: User) -> None:
    totp = factories.give_totp(client.pool, person)
    first = challenged(begin(client), "totp")
    second = challenged(begin(client), "totp")
    code = fresh(totp)

    def answer(session: str) -> object:
        return machine.respond(client, challenge="totp", attempt_token=session, answers={"code": code}, by=BY)

    signed_in(answer(first.attempt_token))
    with pytest.raises(errors.TotpUsed):
        answer(second.attempt_token)
    with pytest.raises(errors.AttemptTokenRefused):
        answer(first.attempt_token)


def test_a_session_is_worthless_for_another_step_client_or_pool(client: AppClient, person: User) -> None:
    totp = factories.give_totp(client.pool, person)
    asked = challenged(begin(client), "totp")
    sibling = factories.make_client(client.pool)
    unknown = factories.make_client(factories.make_pool(mfa="OPTIONAL"))
    code = {"code": fresh(totp)}

    for wrong in (sibling, unknown):
        with pytest.raises(errors.AttemptTokenRefused):
            machine.respond(wrong, challenge="totp", attempt_token=asked.attempt_token, answers=code, by=BY)
    for challenge in (Challenge.NEW_PASSWORD, Challenge.FACTOR_SETUP):
        with pytest.raises(errors.AttemptTokenRefused):
            machine.respond(client, challenge=challenge, attempt_token=asked.attempt_token, answers=code, by=BY)
    for forged in ("", "x", asked.attempt_token[:-2] + "AA", asked.attempt_token + "A"):
        with pytest.raises(errors.AttemptTokenRefused):
            machine.respond(client, challenge="totp", attempt_token=forged, answers=code, by=BY)
    signed_in(machine.respond(client, challenge="totp", attempt_token=asked.attempt_token, answers=code, by=BY))


def test_an_attempt_dies_with_its_time_its_person_or_a_sign_out(client: AppClient, person: User) -> None:
    factories.give_totp(client.pool, person)
    asked = challenged(begin(client), "totp")

    def answer() -> object:
        code = {"code": "000000"}
        return machine.respond(client, challenge="totp", attempt_token=asked.attempt_token, answers=code, by=BY)

    with time_machine.travel(clock.now() + timedelta(minutes=4), tick=False), pytest.raises(errors.AttemptTokenExpired):
        answer()
    User.objects.filter(pk=person.pk).update(enabled=False)
    with pytest.raises(errors.UserDisabled):
        answer()
    User.objects.filter(pk=person.pk).update(enabled=True, epoch=person.epoch + 1)
    with pytest.raises(errors.AttemptTokenRefused):
        answer()


def test_wrong_codes_end_the_attempt_and_lock_the_factor_for_every_adapter(client: AppClient, person: User) -> None:
    factories.give_totp(client.pool, person)
    asked = challenged(begin(client), "totp")

    outcomes = []
    for _ in range(8):
        try:
            machine.respond(
                client, challenge="totp", attempt_token=asked.attempt_token, answers={"code": "000000"}, by=BY
            )
        except errors.DomainError as problem:
            outcomes.append(type(problem).__name__)

    assert outcomes[:5] == ["TotpMismatch"] * 5
    assert set(outcomes[5:]) <= {"AttemptTokenRefused", "LockedOut"}
    again = challenged(begin(client), "totp")
    with pytest.raises(errors.LockedOut):
        machine.respond(client, challenge="totp", attempt_token=again.attempt_token, answers={"code": "1"}, by=BY)
    assert Attempt.objects.get(pool_id=client.pool_id, strikes=5).open


@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_parallel_guesses_are_evaluated_no_more_often_than_allowed(
    client: AppClient, person: User, username: str
) -> None:
    def guess(number: int) -> str:
        try:
            begin(client, username, f"Wrong-horse-{number}")
        except errors.DomainError as problem:
            return type(problem).__name__
        finally:
            connections.close_all()
        return "signed in"

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(guess, range(200)))

    evaluated = outcomes.count("PasswordIncorrect")
    assert evaluated <= 8
    assert outcomes.count("LockedOut") + outcomes.count("Overloaded") == 200 - evaluated
    counted = Guess.objects.get(pool_id=client.pool_id, kind="password")
    assert counted.failures == evaluated  # whoever is turned away at the gate has not guessed


def test_a_lock_doubles_and_quiet_or_success_forgets_it(client: AppClient, person: User) -> None:
    now = clock.now()
    with time_machine.travel(now, tick=False) as travel:
        for _ in range(5):
            with pytest.raises(errors.PasswordIncorrect):
                begin(client, password="Wrong-horse-1")
        with pytest.raises(errors.LockedOut, match="Password attempts exceeded"):
            begin(client)
        travel.shift(timedelta(seconds=1.1))
        with pytest.raises(errors.PasswordIncorrect):
            begin(client, password="Wrong-horse-1")
        travel.shift(timedelta(seconds=1.1))
        with pytest.raises(errors.LockedOut):
            begin(client)
        travel.shift(timedelta(seconds=1.1))
        signed_in(begin(client))
        for _ in range(4):
            with pytest.raises(errors.PasswordIncorrect):
                begin(client, password="Wrong-horse-1")
        travel.shift(timedelta(minutes=16))
        for _ in range(4):
            with pytest.raises(errors.PasswordIncorrect):
                begin(client, password="Wrong-horse-1")
        signed_in(begin(client))


def test_a_refusal_leaves_an_event_that_says_why(client: AppClient, person: User) -> None:
    with pytest.raises(errors.PasswordIncorrect):
        begin(client, password="Wrong-horse-1")

    event = AuthEvent.objects.get(pool_id=client.pool_id)
    assert (event.passed, event.reason, event.user_id) == (False, "PasswordIncorrect", person.id)
    assert event.address == "192.0.2.1"


def test_groups_and_roles_reach_the_tokens(client: AppClient, person: User) -> None:
    from pools.services.people import groups

    by = Actor.system()
    for name, role, precedence in (("staff", "arn:aws:iam:::role/Staff", 5), ("admins", "arn:aws:iam:::role/Root", 1)):
        groups.create(client.pool, name, description="", role_arn=role, precedence=precedence, by=by)
        groups.add(client.pool, person, name, by=by)

    outcome = signed_in(begin(client))

    assert outcome.tokens is not None
    claims, _ = verify.verify_id(outcome.tokens.id or "", pool=client.pool, client_ids=[client.client_id])
    assert claims["cognito:groups"] == ["admins", "staff"]
    assert claims["cognito:preferred_role"] == "arn:aws:iam:::role/Root"
    assert claims["cognito:roles"] == ["arn:aws:iam:::role/Root", "arn:aws:iam:::role/Staff"]


def test_a_required_factor_cannot_be_switched_off_and_set_up_anew_by_the_password(transactional_db: None) -> None:
    pool = factories.make_pool(mfa="ON")
    client, person = factories.make_client(pool), factories.make_user(pool, "alice")
    factories.give_totp(pool, person)

    with pytest.raises(errors.Invalid, match="requires a second factor"):
        own_factors.set_preference(pool, person, {"totp": Preference(enabled=False)}, by=BY)
    TotpFactor.objects.filter(pk=person.pk).update(enabled=False)  # proven by an access token, never preferred

    asked = challenged(begin(client), "totp")
    with pytest.raises(errors.AttemptTokenRefused):
        enrolment.enrol(client, asked.attempt_token, "totp", by=BY)


def test_a_session_does_not_outlive_the_password_that_opened_it(client: AppClient, person: User) -> None:
    totp = factories.give_totp(client.pool, person)
    invited = factories.make_invited(client.pool, "bob", password="Temporary-1")
    at_code = challenged(begin(client), "totp")
    at_choice = challenged(begin(client, "bob", "Temporary-1"), Challenge.NEW_PASSWORD)

    passwords.admin_set(client.pool, person, "Operator-chose-1", permanent=True, by=BY)
    passwords.admin_set(client.pool, invited, "Temporary-2", permanent=False, by=BY)

    with pytest.raises(errors.AttemptTokenRefused):
        machine.respond(
            client, challenge="totp", attempt_token=at_code.attempt_token, answers={"code": fresh(totp)}, by=BY
        )
    with pytest.raises(errors.AttemptTokenRefused):
        machine.respond(
            client,
            challenge=Challenge.NEW_PASSWORD,
            attempt_token=at_choice.attempt_token,
            answers={"new_password": "Attackers-1"},
            by=BY,
        )
    challenged(begin(client, "bob", "Temporary-2"), Challenge.NEW_PASSWORD)
