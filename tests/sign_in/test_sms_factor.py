"""Codes by SMS as a second factor: sent when the step is reached, good once, for as long as the attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from identity.foundation import clock, errors
from pools.models import AppClient, AuditEvent, AuthEvent, OneTimeCode, OutboxMessage, User, UserPool
from pools.services import access, assurance
from pools.services.messages import send_limits
from pools.services.people import address_proofs, attributes, passwords, recovery_routes
from pools.services.pools import user_pools
from pools.services.sign_in import enrolment, factors, machine, own_factors
from pools.services.sign_in.factors import sms
from pools.services.sign_in.machine import Challenged, SignedIn
from pools.services.sign_in.own_factors import Preference
from tests import factories
from tests.sign_in.conftest import BY

PHONE, OTHER = "+12065550100", "+12065550199"
ON = {"enabled": True}


def texting(mode: str = "OPTIONAL", *, totp: bool = False, **settings: Any) -> UserPool:
    """Make a pool with codes by SMS."""
    pool = factories.make_pool(**settings)
    wanted = {
        "mfa_configuration": mode,
        "sms_mfa_configuration": ON,
        "software_token_mfa_configuration": {"enabled": totp},
    }
    return access.pool(user_pools.set_mfa(pool, settings=wanted, by=BY).public_id)


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    """Return a pool whose people may have codes by SMS asked for, or an authenticator."""
    return texting(totp=True)


@pytest.fixture
def person(pool: UserPool) -> User:
    """Return somebody with a number that nobody proved, who has codes asked for."""
    made = factories.make_user(pool, "alice", email="alice@example.com", email_verified="true", phone_number=PHONE)
    own_factors.set_preference(pool, made, {"sms": Preference(enabled=True)}, by=BY)
    return made


def asked(outcome: object, challenge: str = "sms") -> Challenged:
    assert isinstance(outcome, Challenged), outcome
    assert outcome.challenge == challenge
    return outcome


def code(to: str = PHONE) -> str:
    return factories.newest_code(to)


def wrong() -> str:
    return "111111" if code() != "111111" else "222222"


def answer(client: AppClient, to: Challenged, given: str) -> object:
    return machine.respond(
        client, challenge=to.challenge, attempt_token=to.attempt_token, answers={"code": given}, by=BY
    )


def sent(pool: UserPool) -> int:
    return OutboxMessage.objects.filter(pool_id=pool.pk, purpose="second_factor").count()


def kept(pool: UserPool, person: User) -> User:
    return access.user_by_sub(pool, person.sub)


def test_a_code_is_sent_and_asked_for_between_password_and_tokens(
    client: AppClient, pool: UserPool, person: User
) -> None:
    to = asked(factories.begin(client, "alice"))

    assert to.parameters == {"destination": "+*******0100", "medium": "SMS", "others": []}
    assert sent(pool) == 1
    with pytest.raises(errors.CodeMismatch):
        answer(client, to, wrong())
    outcome = answer(client, to, code())
    assert isinstance(outcome, SignedIn)
    assert sorted(AuthEvent.objects.get(pool_id=pool.pk).methods) == ["pwd", "sms"]
    assert kept(pool, person).phone_number_verified, "who reads messages to a number has it"
    refused = AuditEvent.objects.get(pool_id=pool.pk, tag="factor_refused")
    assert refused.detail == {"factor": "sms", "reason": "CodeMismatch"}
    told = AuditEvent.objects.get(pool_id=pool.pk, tag="code_sent")
    assert told.detail == {"purpose": "second_factor", "client_id": client.client_id}


def test_a_code_is_good_once_and_for_its_attempt_alone(client: AppClient, person: User) -> None:
    first, right = asked(factories.begin(client, "alice")), code()
    assert isinstance(answer(client, first, right), SignedIn)

    with pytest.raises(errors.AttemptTokenUsed):
        answer(client, first, right)
    later = asked(factories.begin(client, "alice"))
    with pytest.raises(errors.CodeMismatch):
        answer(client, later, right if right != code() else wrong())


def test_a_code_dies_with_its_tries_its_time_and_what_it_stands_on(
    client: AppClient, pool: UserPool, person: User
) -> None:
    to, no = asked(factories.begin(client, "alice")), wrong()
    for _ in range(5):
        with pytest.raises(errors.CodeMismatch):
            answer(client, to, no)
    with pytest.raises(errors.AttemptTokenRefused):
        answer(client, to, code())

    to = asked(factories.begin(client, "alice"))
    with time_machine.travel(clock.now() + timedelta(minutes=4), tick=False), pytest.raises(errors.AttemptTokenExpired):
        answer(client, to, code())

    to, right = asked(factories.begin(client, "alice")), code()
    attributes.admin_update(pool, kept(pool, person), {"phone_number": OTHER}, by=BY)
    with pytest.raises(errors.CodeExpired):
        answer(client, to, right)
    assert kept(pool, person).phone_number_verified is False

    to, right = asked(factories.begin(client, "alice")), code(OTHER)
    passwords.admin_set(pool, kept(pool, person), "Another-horse-2", permanent=True, by=BY)
    with pytest.raises(errors.AttemptTokenRefused):
        answer(client, to, right)


def test_a_code_that_another_call_spends_first_is_refused(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = asked(factories.begin(client, "alice"))
    monkeypatch.setattr("pools.services.codes.spend", lambda _: False)

    with pytest.raises(errors.CodeExpired):
        answer(client, to, code())


def test_another_code_takes_the_place_of_the_one_before_and_wrong_answers_stay_counted(
    client: AppClient, pool: UserPool, person: User
) -> None:
    to, before = asked(factories.begin(client, "alice")), code()
    with pytest.raises(errors.CodeMismatch):
        answer(client, to, wrong())

    machine.ask_again(client, to.attempt_token, by=BY)

    assert sent(pool) == 2
    if before != code():
        with pytest.raises(errors.CodeMismatch):
            answer(client, to, before)
    assert isinstance(answer(client, to, code()), SignedIn)
    with pytest.raises(errors.AttemptTokenUsed):
        machine.ask_again(client, to.attempt_token, by=BY)


def test_a_send_limit_ends_the_sign_in_and_leaves_nothing_behind(
    client: AppClient, pool: UserPool, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(send_limits.APART, "second_factor", 1)
    to, attempts = asked(factories.begin(client, "alice")), pool.attempt_set.count()

    for ask in (lambda: factories.begin(client, "alice"), lambda: machine.ask_again(client, to.attempt_token, by=BY)):
        with pytest.raises(errors.TooManyAttempts) as limit:
            ask()
        assert 0 < (limit.value.wait or 0) <= 3600
    assert (sent(pool), pool.attempt_set.count()) == (1, attempts)
    assert isinstance(answer(client, to, code()), SignedIn)


def test_codes_of_sign_ins_have_a_limit_of_their_own(client: AppClient, pool: UserPool, person: User) -> None:
    for _ in range(send_limits.SIGN_INS):
        asked(factories.begin(client, "alice"))
    with pytest.raises(errors.TooManyAttempts):
        factories.begin(client, "alice")

    address_proofs.send_code(client, kept(pool, person), "phone_number", by=BY)


def test_a_wrong_password_sends_nothing_and_nobody_is_sent_anything(
    client: AppClient, pool: UserPool, person: User
) -> None:
    for name in ("alice", "nobody"):
        with pytest.raises(errors.PasswordIncorrect):
            factories.begin(client, name, "Wrong-horse-1")

    assert sent(pool) == 0


def test_a_number_that_is_anothers_name_stays_unproven_and_its_person_signs_in(transactional_db: None) -> None:
    pool = texting(alias_attributes=["phone_number"])
    client = factories.make_client(pool)
    factories.make_user(pool, "owner", phone_number=PHONE, phone_number_verified="true")
    person = factories.make_user(pool, "alice", phone_number=PHONE)
    own_factors.set_preference(pool, person, {"sms": Preference(enabled=True)}, by=BY)

    assert isinstance(answer(client, asked(factories.begin(client, "alice")), code()), SignedIn)

    assert not kept(pool, person).phone_number_verified
    assert access.user(pool, PHONE).username == "owner"
    assert AuditEvent.objects.get(pool_id=pool.pk, tag="attribute_unproven").detail == {"attribute": "phone_number"}


def test_where_a_factor_is_required_a_number_is_one_and_an_authenticator_goes_before_it(transactional_db: None) -> None:
    pool = texting("ON", totp=True)
    client = factories.make_client(pool)
    person = factories.make_user(pool, "alice", phone_number=PHONE)
    factories.make_user(pool, "bob")

    assert isinstance(answer(client, asked(factories.begin(client, "alice")), code()), SignedIn)
    assert asked(factories.begin(client, "bob"), "factor_setup").parameters == {"can_set_up": ["totp", "sms"]}
    factories.give_totp(pool, person)
    asked(factories.begin(client, "alice"), "totp")
    assert own_factors.remove_lost(pool, person, "totp", by=BY)
    asked(factories.begin(client, "alice"))


def test_what_a_pool_requires_goes_once_another_is_on(transactional_db: None) -> None:
    pool = texting("ON", totp=True)
    person = factories.make_user(pool, "alice", phone_number=PHONE)
    factories.give_totp(pool, person)
    with pytest.raises(errors.Invalid, match="requires a second factor"):
        own_factors.remove(pool, person, "totp", by=BY)

    own_factors.set_preference(pool, person, {"sms": Preference(enabled=True)}, by=BY)

    assert own_factors.remove(pool, person, "totp", by=BY)
    with pytest.raises(errors.Invalid, match="requires a second factor"):
        own_factors.remove(pool, person, "sms", by=BY)
    assert [each.kind for each in factors.of(person)] == ["sms"]


def test_who_has_several_and_prefers_none_chooses(client: AppClient, pool: UserPool, person: User) -> None:
    app = factories.give_totp(pool, person)
    own_factors.set_preference(pool, person, {"totp": Preference(enabled=True)}, by=BY)

    to = asked(factories.begin(client, "alice"), "factor_choice")
    assert (to.parameters, sent(pool)) == ({"can_choose": ["totp", "sms"]}, 0)
    for given in ({"factor": "card"}, {"factor": ""}, {}):
        with pytest.raises(errors.Invalid):
            machine.respond(client, challenge="factor_choice", attempt_token=to.attempt_token, answers=given, by=BY)

    def choose(kind: str) -> Challenged:
        to = asked(factories.begin(client, "alice"), "factor_choice")
        return asked(
            machine.respond(
                client, challenge="factor_choice", attempt_token=to.attempt_token, answers={"factor": kind}, by=BY
            ),
            kind,
        )

    assert isinstance(answer(client, choose("sms"), code()), SignedIn)
    to = choose("totp")
    assert sent(pool) == 1
    with time_machine.travel(clock.now() + timedelta(seconds=30), tick=False):
        assert isinstance(answer(client, to, app.at(clock.epoch())), SignedIn)


def test_another_than_the_preferred_one_may_be_asked_for(client: AppClient, pool: UserPool, person: User) -> None:
    app = factories.give_totp(pool, person)
    own_factors.set_preference(pool, person, {"totp": Preference(enabled=True, preferred=True)}, by=BY)

    first = asked(factories.begin(client, "alice"), "totp")
    assert (first.parameters["others"], sent(pool)) == (["sms"], 0)
    for kind in ("totp", "card", ""):
        with pytest.raises(errors.Invalid):
            machine.ask_another(client, first.attempt_token, kind, by=BY)
    to = asked(machine.ask_another(client, first.attempt_token, "sms", by=BY), "sms")
    assert (to.parameters["others"], sent(pool)) == (["totp"], 1)
    with pytest.raises(errors.AttemptTokenRefused):
        machine.ask_another(client, first.attempt_token, "sms", by=BY)  # spent
    with pytest.raises(errors.CodeMismatch):
        answer(client, to, wrong())
    assert isinstance(answer(client, to, code()), SignedIn)

    back = asked(
        machine.ask_another(client, asked(factories.begin(client, "alice"), "totp").attempt_token, "sms", by=BY)
    )
    again = asked(machine.ask_another(client, back.attempt_token, "totp", by=BY), "totp")
    with time_machine.travel(clock.now() + timedelta(seconds=30), tick=False):
        assert isinstance(answer(client, again, app.at(clock.epoch())), SignedIn)


def test_what_is_not_on_is_no_other_and_a_choice_is_no_factor(client: AppClient, pool: UserPool, person: User) -> None:
    factories.give_totp(pool, person)
    own_factors.set_preference(pool, person, {"totp": Preference(enabled=False)}, by=BY)

    to = asked(factories.begin(client, "alice"))
    assert to.parameters["others"] == []
    with pytest.raises(errors.Invalid):
        machine.ask_another(client, to.attempt_token, "totp", by=BY)

    own_factors.set_preference(pool, person, {"totp": Preference(enabled=True)}, by=BY)
    choice = asked(factories.begin(client, "alice"), "factor_choice")
    with pytest.raises(errors.AttemptTokenRefused):
        machine.ask_another(client, choice.attempt_token, "totp", by=BY)


def test_a_factor_goes_with_the_number_and_with_the_pools_leave(
    client: AppClient, pool: UserPool, person: User
) -> None:
    attributes.admin_update(pool, kept(pool, person), {"phone_number": ""}, by=BY)
    assert isinstance(factories.begin(client, "alice"), SignedIn)
    attributes.admin_update(pool, kept(pool, person), {"phone_number": PHONE}, by=BY)
    asked(factories.begin(client, "alice"))

    others = {"mfa_configuration": "OPTIONAL", "software_token_mfa_configuration": {"enabled": True}}
    user_pools.set_mfa(pool, settings=others, by=BY)

    changed = access.client(client.client_id)
    assert isinstance(factories.begin(changed, "alice"), SignedIn)


def test_nobody_without_a_number_has_codes_asked_for(pool: UserPool) -> None:
    person = factories.make_user(pool, "bob")

    with pytest.raises(errors.Invalid, match="delivery config"):
        own_factors.set_preference(pool, person, {"sms": Preference(enabled=True)}, by=BY)
    assert not kept(pool, person).sms_enabled
    both = Preference(enabled=True, preferred=True)
    with pytest.raises(errors.Invalid, match="one factor"):
        own_factors.set_preference(pool, person, {"sms": both, "totp": both}, by=BY)


class TestEnrolment:
    def test_a_first_code_turns_it_on_and_proves_the_number(self, client: AppClient, pool: UserPool) -> None:
        person = factories.make_user(pool, "bob", phone_number=PHONE)

        assert own_factors.enrol(pool, person, "sms", by=BY) == "+*******0100"
        assert isinstance(factories.begin(client, "bob"), SignedIn)
        with pytest.raises(errors.CodeMismatch):
            own_factors.prove(pool, person, "sms", wrong(), enable=True, by=BY)
        own_factors.prove(pool, person, "sms", code(), enable=True, by=BY)

        asked(factories.begin(client, "bob"))
        assert kept(pool, person).phone_number_verified
        assert factors.preferred(kept(pool, person)) == "sms"
        assert own_factors.remove(pool, person, "sms", by=BY)
        assert isinstance(factories.begin(client, "bob"), SignedIn)
        assert not own_factors.remove(pool, person, "sms", by=BY)

    def test_who_has_no_number_gives_one(self, pool: UserPool) -> None:
        person = factories.make_user(pool, "bob")

        for given, why in (({}, "no_number"), ({"phone_number": "12"}, "phone"), ({"phone_number": "a"}, "phone")):
            with pytest.raises(errors.Invalid) as refusal:
                own_factors.enrol(pool, person, "sms", given, by=BY)
            assert refusal.value.code == why
        assert own_factors.enrol(pool, person, "sms", {"phone_number": "+1 206 555 0199"}, by=BY) == "+*******0199"
        assert not kept(pool, person).phone_number
        own_factors.prove(pool, person, "sms", code(OTHER), enable=True, by=BY)

        found = kept(pool, person)
        assert (found.phone_number, found.phone_number_verified, found.sms_enabled) == (OTHER, True, True)

    def test_a_number_that_came_meanwhile_is_not_replaced(self, pool: UserPool) -> None:
        person = factories.make_user(pool, "bob")
        own_factors.enrol(pool, person, "sms", {"phone_number": OTHER}, by=BY)
        given = code(OTHER)
        User.objects.filter(pk=person.pk).update(phone_number=PHONE)

        with pytest.raises(errors.CodeExpired):
            own_factors.prove(pool, person, "sms", given, enable=True, by=BY)

        assert (kept(pool, person).phone_number, kept(pool, person).sms_enabled) == (PHONE, False)

    def test_a_number_that_is_anothers_name_is_refused_and_nothing_is_on(self, transactional_db: None) -> None:
        pool = texting(alias_attributes=["phone_number"])
        factories.make_user(pool, "owner", phone_number=PHONE, phone_number_verified="true")
        person = factories.make_user(pool, "bob")
        own_factors.enrol(pool, person, "sms", {"phone_number": PHONE}, by=BY)

        with pytest.raises(errors.AliasExists):
            own_factors.prove(pool, person, "sms", code(), enable=True, by=BY)

        assert (kept(pool, person).phone_number, kept(pool, person).sms_enabled) == (None, False)

    def test_it_is_set_up_within_a_sign_in_that_needs_it(self, transactional_db: None) -> None:
        pool = texting("ON")
        client, person = factories.make_client(pool), factories.make_user(pool, "bob")
        to = asked(factories.begin(client, "bob"), "factor_setup")

        where, token = enrolment.enrol(client, to.attempt_token, "sms", {"phone_number": PHONE}, by=BY)
        with pytest.raises(errors.CodeMismatch):
            enrolment.prove_enrolment(client, token, "sms", wrong(), by=BY)
        token = enrolment.prove_enrolment(client, token, "sms", code(), by=BY)
        outcome = machine.respond(client, challenge="factor_setup", attempt_token=token, answers={}, by=BY)

        assert (where, isinstance(outcome, SignedIn)) == ("+*******0100", True)
        assert sorted(AuthEvent.objects.get(pool_id=pool.pk).methods) == ["pwd", "sms"]
        assert kept(pool, person).sms_enabled

    def test_where_the_pool_has_none_none_is_set_up(self, transactional_db: None) -> None:
        pool = factories.make_pool(mfa="OPTIONAL")
        person = factories.make_user(pool, "bob", phone_number=PHONE)

        with pytest.raises(errors.Invalid, match="SMS MFA"):
            own_factors.enrol(pool, person, "sms", by=BY)
        assert not OneTimeCode.objects.filter(pool_id=pool.pk).exists()


@pytest.mark.parametrize(
    ("mode", "is_on", "preferred", "to"),
    [
        ("OPTIONAL", False, "", PHONE),
        ("OPTIONAL", True, "", "alice@example.com"),
        ("ON", False, "", "alice@example.com"),
        ("ON", False, "SOFTWARE_TOKEN_MFA", PHONE),
        ("ON", True, "SOFTWARE_TOKEN_MFA", "alice@example.com"),
    ],
)
def test_what_is_the_second_factor_does_not_recover_the_password(
    transactional_db: None, mode: str, is_on: bool, preferred: str, to: str
) -> None:
    ways = [{"name": "verified_phone_number", "priority": 1}, {"name": "verified_email", "priority": 2}]
    pool = texting(mode, totp=True, account_recovery_setting={"recovery_mechanisms": ways})
    both = {"email_verified": "true", "phone_number_verified": "true"}
    person = factories.make_user(pool, "alice", email="alice@example.com", phone_number=PHONE, **both)
    User.objects.filter(pk=person.pk).update(sms_enabled=is_on, preferred_mfa=preferred)

    route = recovery_routes.of(pool, kept(pool, person))

    assert isinstance(route, recovery_routes.Route)
    assert route.to == to


def test_a_proof_by_sms_is_a_second_one_and_said_so_in_tokens() -> None:
    assert sms.method == assurance.BY_SMS
    assert assurance.words(["pwd", "sms"]) == ["pwd", "sms"]
    assert assurance.level(["pwd", "sms"]) == 2
