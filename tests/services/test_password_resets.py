"""Passwords that an operator ends, beneath the adapters: what changes at the same moment, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from identity.foundation import errors
from pools.models import AppClient, AuditEvent, OneTimeCode, OutboxMessage, User, UserPool
from pools.services.messages import sending
from pools.services.people import attributes, password_resets, passwords, users
from tests import factories
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR, code_sent_to

NAME, NEW = "alice@example.com", "Another-horse-2"


@pytest.fixture
def alice(pool: UserPool) -> User:
    return factories.make_user(pool, NAME, email_verified="true")


def status(user: User) -> str:
    return User.objects.get(pk=user.pk).status


def is_untouched(user: User) -> bool:
    """Say whether no password was ended, and no code was queued or issued."""
    ended = AuditEvent.objects.filter(tag="password_ended", subject=str(user.sub))
    issued = OneTimeCode.objects.filter(pool_id=user.pool_id, subject=user.id)
    queued = OutboxMessage.objects.filter(pool_id=user.pool_id, purpose="recovery")
    return not ended.exists() and not issued.exists() and not queued.exists()


def moved(pool: UserPool, user: User) -> None:
    attributes.admin_update(pool, user, {"email": "other@example.com", "email_verified": "true"}, by=BY)


def unproven(pool: UserPool, user: User) -> None:
    attributes.admin_update(pool, user, {"email_verified": "false"}, by=BY)


def invited(pool: UserPool, user: User) -> None:
    passwords.admin_set(pool, user, NEW, permanent=False, by=BY)


def disabled(pool: UserPool, user: User) -> None:
    users.set_enabled(pool, user, False, by=BY)


def deleted(pool: UserPool, user: User) -> None:
    users.delete(pool, user, by=BY)


@pytest.mark.parametrize("change", [moved, unproven, invited, disabled, deleted])
def test_no_code_goes_to_who_changed_while_it_was_composed(
    pool: UserPool, alice: User, change: Callable[[UserPool, User], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sending.code

    def meanwhile(*given: Any, **named: Any) -> object:
        composed = real(*given, **named)
        monkeypatch.undo()
        change(pool, alice)
        return composed

    monkeypatch.setattr(sending, "code", meanwhile)

    with pytest.raises(errors.UserNotFound if change is deleted else errors.WrongState):
        password_resets.end_password(pool, alice, by=BY)

    assert is_untouched(alice)
    assert status(alice) != "RESET_REQUIRED"


def test_another_pools_user_is_nobody_here(pool: UserPool, alias_pool: UserPool, alice: User) -> None:
    with pytest.raises(errors.UserNotFound):
        password_resets.end_password(alias_pool, alice, by=BY)

    assert is_untouched(alice)
    assert status(alice) == "CONFIRMED"


def test_a_change_of_ones_own_that_was_under_way_does_not_undo_it(
    pool: UserPool, client: AppClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = passwords.hashed

    def meanwhile(*given: Any) -> object:
        monkeypatch.undo()
        password_resets.end_password(pool, alice, by=BY)
        return real(*given)

    monkeypatch.setattr(passwords, "hashed", meanwhile)

    with pytest.raises(errors.PasswordResetRequired):
        passwords.change(pool, alice, previous=PASSWORD, proposed=NEW, by=VISITOR)

    assert status(alice) == "RESET_REQUIRED"
    passwords.confirm_forgot(client, NAME, code=code_sent_to(NAME), password=NEW, by=VISITOR)
    assert status(alice) == "CONFIRMED"
