"""Signing in by the proof that a browser chose the password of the account it just confirmed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connections

from identity.foundation import clock, errors
from pools.models import AppClient, AuthEvent, Guess, Spent, User, UserPool
from pools.services import access
from pools.services.people import passwords, users
from pools.services.sign_in import chosen_passwords, machine
from pools.services.sign_in.machine import Challenge, Challenged, SignedIn
from pools.services.sign_up import sign_up
from pools.services.tokens import sessions
from tests import factories
from tests.factories import PASSWORD
from tests.sign_in.conftest import BY

NAME = "alice"


@pytest.fixture
def proof(client: AppClient) -> str:
    """Return the proof of the browser that made an account, which is confirmed by now."""
    attributes = {"email": "alice@example.com"}
    done = sign_up.sign_up(client, NAME, password=PASSWORD, attributes=attributes, by=BY)
    sign_up.admin_confirm(client.pool, NAME, by=BY)
    return done.proof


def begin(client: AppClient, proof: str, username: str = NAME) -> Challenged | SignedIn:
    return machine.begin_confirmed(client, username=username, proof=proof, by=BY)


def alice(client: AppClient) -> User:
    return access.user(client.pool, NAME)


def test_the_proof_is_as_good_as_the_password(client: AppClient, proof: str) -> None:
    outcome = begin(client, proof)

    assert isinstance(outcome, SignedIn)
    assert outcome.tokens is None
    assert outcome.opened_session is not None
    found = sessions.signed_in_session(client.pool, outcome.opened_session.cookie)
    assert found is not None
    assert (found.person.sub, found.methods) == (alice(client).sub, ["pwd"])
    assert AuthEvent.objects.get(pool_id=client.pool_id).passed


def test_a_second_factor_is_asked_for_even_so(client: AppClient, proof: str) -> None:
    factories.give_totp(client.pool, alice(client))

    outcome = begin(client, proof)

    assert isinstance(outcome, Challenged)
    assert outcome.challenge == "totp"
    with pytest.raises(errors.AttemptTokenRefused):
        begin(client, proof)


def test_a_factor_that_the_pool_requires_is_set_up_first(transactional_db: None) -> None:
    client = factories.make_client(factories.make_pool(mfa="ON"))
    done = sign_up.sign_up(client, NAME, password=PASSWORD, attributes={}, by=BY)
    sign_up.admin_confirm(client.pool, NAME, by=BY)

    outcome = begin(client, done.proof)

    assert isinstance(outcome, Challenged)
    assert outcome.challenge is Challenge.FACTOR_SETUP


def disabled(client: AppClient) -> None:
    users.set_enabled(client.pool, alice(client), False, by=BY)


def password_set(client: AppClient) -> None:
    """Set the same password anew: somebody else did that."""
    passwords.admin_set(client.pool, alice(client), PASSWORD, permanent=True, by=BY)


def temporary_password(client: AppClient) -> None:
    passwords.admin_set(client.pool, alice(client), PASSWORD, permanent=False, by=BY)


def reset_by_operator(client: AppClient) -> None:
    User.objects.filter(pk=alice(client).pk).update(status="RESET_REQUIRED")


def unconfirmed(client: AppClient) -> None:
    User.objects.filter(pk=alice(client).pk).update(status="UNCONFIRMED")


def locked_out(client: AppClient) -> None:
    for _ in range(8):
        with pytest.raises(errors.DomainError):
            factories.begin(client, username=NAME, password="Wrong-horse-1", ends_in=machine.EndsIn.BROWSER, by=BY)
    assert Guess.objects.filter(locked_until__gt=clock.now()).exists()


def deleted(client: AppClient) -> None:
    users.delete(client.pool, alice(client), by=BY)


@pytest.mark.parametrize(
    ("meanwhile", "refusal"),
    [
        (disabled, errors.UserDisabled),
        (password_set, errors.AttemptTokenRefused),
        (temporary_password, errors.AttemptTokenRefused),
        (reset_by_operator, errors.PasswordIncorrect),
        (unconfirmed, errors.UserNotConfirmed),
        (locked_out, errors.LockedOut),
        (deleted, errors.AttemptTokenRefused),
    ],
)
def test_what_refuses_the_password_refuses_the_proof(
    client: AppClient, proof: str, meanwhile: Callable[[AppClient], None], refusal: type[errors.DomainError]
) -> None:
    meanwhile(client)

    with pytest.raises(refusal):
        begin(client, proof)
    assert not AuthEvent.objects.filter(pool_id=client.pool_id, passed=True).exists()
    assert not Spent.objects.exists()


def test_a_proof_is_good_for_one_account_of_one_app_of_one_pool(client: AppClient, proof: str) -> None:
    factories.make_user(client.pool, "bob")
    elsewhere = factories.make_client(factories.make_pool())
    factories.make_user(elsewhere.pool, NAME)

    refused = [
        (client, proof, "bob"),
        (client, proof, "nobody"),
        (factories.make_client(client.pool), proof, NAME),
        (elsewhere, proof, NAME),
        (client, chosen_passwords.make_dummy(client), NAME),
        (client, proof[:-2], NAME),
        (client, "", NAME),
    ]
    for by_client, carried, name in refused:
        with pytest.raises(errors.AttemptTokenRefused):
            begin(by_client, carried, name)

    assert isinstance(begin(client, proof), SignedIn)


def test_a_proof_is_as_old_as_the_code_that_confirms(client: AppClient, proof: str) -> None:
    later = clock.now() + timedelta(hours=24, seconds=1)
    with time_machine.travel(later, tick=False), pytest.raises(errors.AttemptTokenExpired):
        begin(client, proof)


def test_of_two_that_bring_one_proof_one_is_signed_in(client: AppClient, proof: str) -> None:
    def bring(_: int) -> str:
        try:
            return type(begin(client, proof)).__name__
        except errors.AttemptTokenRefused as refused:
            return refused.detail
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        ends = sorted(pool.map(bring, range(4)))

    assert ends == ["SignedIn", *["spent already"] * 3]


def test_no_proof_is_told_by_its_length(client: AppClient, proof: str) -> None:
    assert len(proof) == len(chosen_passwords.make_dummy(client))


def test_what_prints_an_account_does_not_print_its_proof(pool: UserPool, client: AppClient) -> None:
    done = sign_up.sign_up(client, NAME, password=PASSWORD, attributes={}, by=BY)

    assert done.proof not in repr(done)
