"""The rack of second factors with a second one in it: which is asked for, and that no other file has to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.template.loader import get_template

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.cognito import challenges, contract
from pools.hosted import factor_pages
from pools.models import AppClient, AuditEvent, AuthEvent, User, UserPool, hot, rows
from pools.models.hot import EnrolledFactor, Person
from pools.services import access, assurance
from pools.services.messages.notices import Change
from pools.services.sign_in import attempt, enrolment, factors, machine, own_factors
from pools.services.sign_in.factors import Factor
from pools.services.sign_in.machine import Challenged, SignedIn
from pools.services.sign_in.own_factors import Preference
from pools.services.sign_in.steps import second_factor
from tests import factories
from tests.sign_in.conftest import BY

SOMEBODY = Person(**dict.fromkeys(Person._fields))  # type: ignore[arg-type]  # nothing else of them is asked
RIGHT = "the card"


@dataclass
class Card:
    """A factor that a later release might have: a card that is shown. Memory is its table."""

    kind: str = "card"
    method: str = "swk"
    preference: str = "CARD_MFA"
    sends_code: bool = False
    not_in_pool: str = "no cards"
    not_proven: str = "no card of yours"
    added: Change = Change.APP_ADDED
    removed: Change = Change.APP_REMOVED
    switched: Mapping[bool, Change] = field(
        default_factory=lambda: {True: Change.CODES_ON, False: Change.CODES_OFF},
    )
    held: dict[UUID, EnrolledFactor] = field(default_factory=dict)
    entered: list[str] = field(default_factory=list)

    def is_open(self, pool: UserPool) -> bool:
        return self.kind in pool.second_factors

    def is_given(self, person: Person) -> bool:
        return False

    def begin_enrolment(
        self, pool: UserPool, user: User | Person, given: Mapping[str, str], *, by: Actor
    ) -> tuple[str, Callable[[], bool | errors.DomainError]]:
        return RIGHT, lambda: False

    def check_enrolment(
        self, pool: UserPool, user: User | Person, code: str, *, name: str, enable: bool, by: Actor
    ) -> Callable[[], errors.DomainError | None]:
        if code != RIGHT:
            raise errors.CodeMismatch

        def keep() -> errors.DomainError | None:
            self.held[user.id] = EnrolledFactor(self.kind, name, enable)
            return None

        return keep

    def enter(self, client: AppClient, person: Person, *, by: Actor) -> errors.DomainError | None:
        self.entered.append(person.username)
        return None

    def offer(self, person: Person, held: EnrolledFactor) -> dict[str, Any]:
        return {"card": held.name}

    def check(
        self, pool: UserPool, person: Person, answers: Mapping[str, Any], *, by: Actor
    ) -> Callable[[], errors.DomainError | None]:
        if answers["code"] != RIGHT:
            raise errors.CodeMismatch
        return lambda: None

    def switch(self, pool: UserPool, user: User | Person, *, enabled: bool) -> bool | None:
        before = self.held.get(user.id)
        if before is not None:
            self.held[user.id] = before._replace(enabled=enabled)
        return before.enabled if before else None

    def delete(self, pool: UserPool, user: User | Person) -> bool | None:
        return True if self.held.pop(user.id, None) else None


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    """Put a second factor behind the first: into the table, the steps, and what is read of a person."""
    card, read = Card(), rows.person
    both: tuple[Factor, ...] = (*factors.FACTORS, card)

    def person(row: Sequence[Any]) -> Person | None:
        found = read(row)
        if found is None or found.held is None or found.id not in card.held:
            return found
        return found._replace(held=(*found.held, card.held[found.id]))

    open_in = property(lambda pool: ("totp", card.kind) if pool.mfa != UserPool.Mfa.OFF else ())
    monkeypatch.setattr(UserPool, "second_factors", open_in)
    monkeypatch.setattr(hot, "person", person)
    monkeypatch.setattr(factors, "FACTORS", both)
    monkeypatch.setattr(machine, "STEPS", (*machine.STEPS, second_factor.SecondFactor(card)))
    monkeypatch.setitem(attempt.METHODS, card.kind, card.method)
    monkeypatch.setitem(assurance.PROOFS, card.method, assurance.Strength(first=False, second=True))
    return card


def give_card(pool: UserPool, person: User) -> None:
    own_factors.prove(pool, person, "card", own_factors.enrol(pool, person, "card", by=BY), enable=True, by=BY)


def asked(outcome: object) -> Challenged:
    assert isinstance(outcome, Challenged), outcome
    return outcome


def answer(client: AppClient, to: Challenged, challenge: str, code: str = RIGHT) -> object:
    answers = {"code": code}
    return machine.respond(client, challenge=challenge, attempt_token=to.attempt_token, answers=answers, by=BY)


def preference_of(pool: UserPool, person: User) -> str:
    return factors.preferred(access.user_by_sub(pool, person.sub))


@pytest.mark.parametrize(
    ("totp", "card_", "preferred", "first"),
    [
        (None, None, "", None),
        (True, None, "", "totp"),
        (None, True, "", "card"),
        (True, True, "", "totp"),
        (True, True, "SOFTWARE_TOKEN_MFA", "totp"),
        (True, True, "CARD_MFA", "card"),
        (False, True, "SOFTWARE_TOKEN_MFA", "card"),
        (True, False, "CARD_MFA", "totp"),
        (False, False, "CARD_MFA", "card"),
        (False, False, "", "totp"),
    ],
)
def test_of_the_factors_that_are_on_the_preferred_one_is_asked_for_else_the_first_of_the_table(
    card: Card, totp: bool | None, card_: bool | None, preferred: str, first: str | None
) -> None:
    held = {"card": card_, "totp": totp}
    person = SOMEBODY._replace(
        held=tuple(EnrolledFactor(kind, "", enabled) for kind, enabled in held.items() if enabled is not None),
        preferred_mfa=preferred,
    )

    found = factors.asked_first(UserPool(mfa="OPTIONAL", totp_enabled=True), person)

    assert (found.kind if found else None) == first


def test_a_factor_in_the_table_stands_between_password_and_tokens(client: AppClient, person: User, card: Card) -> None:
    factories.give_totp(client.pool, person)
    give_card(client.pool, person)  # preferred, since it came last

    to = asked(factories.begin(client, "alice"))
    assert (to.challenge, to.parameters, card.entered) == ("card", {"card": "", "others": ["totp"]}, ["alice"])
    with pytest.raises(errors.AttemptTokenRefused):
        answer(client, to, "totp")
    with pytest.raises(errors.CodeMismatch):
        answer(client, to, "card", "another card")
    assert isinstance(answer(client, to, "card"), SignedIn)

    refused = AuditEvent.objects.get(pool_id=client.pool_id, tag="factor_refused")
    assert refused.detail == {"factor": "card", "reason": "CodeMismatch"}


def test_a_required_factor_is_any_of_the_table(transactional_db: None, card: Card) -> None:
    pool = factories.make_pool(mfa="ON")
    client, person = factories.make_client(pool), factories.make_user(pool, "alice")

    to = asked(factories.begin(client, "alice"))
    assert to.parameters == {"can_set_up": ["totp", "card"]}
    given, token = enrolment.enrol(client, to.attempt_token, "card", by=BY)
    token = enrolment.prove_enrolment(client, token, "card", given, name="mine", by=BY)
    outcome = machine.respond(client, challenge="factor_setup", attempt_token=token, answers={}, by=BY)

    assert isinstance(outcome, SignedIn)
    assert sorted(AuthEvent.objects.get(pool_id=pool.pk).methods) == ["pwd", "swk"]
    assert preference_of(pool, person) == "card"
    assert asked(factories.begin(client, "alice")).parameters == {"card": "mine", "others": []}


def test_what_is_said_of_one_factor_leaves_the_others_preference(client: AppClient, person: User, card: Card) -> None:
    pool = client.pool
    factories.give_totp(pool, person)
    give_card(pool, person)
    seen = []

    for wishes in (
        {"totp": Preference(enabled=False)},
        {"totp": Preference(enabled=True, preferred=True), "card": Preference(enabled=True)},
        {"card": Preference(enabled=True)},
        {"totp": Preference(enabled=True)},
    ):
        own_factors.set_preference(pool, person, wishes, by=BY)
        seen.append((preference_of(pool, person), asked(factories.begin(client, "alice")).challenge))

    assert seen == [("card", "card"), ("totp", "totp"), ("totp", "totp"), ("", "factor_choice")]


def test_a_factor_that_goes_takes_no_preference_but_its_own(client: AppClient, person: User, card: Card) -> None:
    factories.give_totp(client.pool, person)
    give_card(client.pool, person)

    assert own_factors.remove(client.pool, person, "totp", by=BY)
    assert preference_of(client.pool, person) == "card"
    assert own_factors.remove(client.pool, person, "card", by=BY)
    assert preference_of(client.pool, person) == ""
    assert not own_factors.remove(client.pool, person, "card", by=BY)


def test_a_preference_that_is_refused_for_one_factor_changes_none(client: AppClient, person: User, card: Card) -> None:
    factories.give_totp(client.pool, person)

    with pytest.raises(errors.Invalid, match="no card of yours"):
        own_factors.set_preference(
            client.pool, person, {"totp": Preference(enabled=False), "card": Preference(enabled=True)}, by=BY
        )

    assert factors.of(person) == (EnrolledFactor("totp", "", enabled=True),)
    assert not AuditEvent.objects.filter(pool_id=client.pool_id, tag="mfa_preference_set").exists()


def test_factors_that_were_not_read_are_not_taken_for_none() -> None:
    with pytest.raises(errors.Misuse):
        assurance.needs_second(UserPool(mfa="OPTIONAL"), SOMEBODY)


@pytest.mark.parametrize("factor", factors.FACTORS, ids=lambda factor: factor.kind)
def test_each_factor_is_in_every_adapters_table(factor: Factor) -> None:
    row = challenges.CHALLENGES[factor.kind]

    assert row.preference in contract.model("SetUserMFAPreference").input_shape.members
    assert row.name in contract.model("RespondToAuthChallenge").input_shape.members["ChallengeName"].enum
    assert factor_pages.of(factor.kind).words.name
    for template in (f"hosted/{factor.kind}.html", f"hosted/parts/{factor.kind}_enrol.html"):
        assert get_template(template)
