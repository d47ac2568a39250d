"""Send limits beyond an address's own: of its mailbox, whatever the tag, and of invitations."""

from __future__ import annotations

import pytest
from django.db import transaction
from pytest_django import Settings

from identity.foundation import errors
from pools.models import AppClient, OutboxMessage, Password, UserPool
from pools.services.messages import compose, destinations, outbox, send_limits
from pools.services.people import passwords, users
from tests import factories
from tests.factories import BY
from tests.services.conftest import VISITOR

NAME = "alice@example.com"


@pytest.fixture
def sent_for_real(settings: Settings) -> None:
    """Have messages leave the installation, as in production; nothing delivers them here."""
    settings.MAIL_CHANNEL = "smtp"


def fill(pool: UserPool, app: AppClient, *, of: str, purpose: str = "sign_up", each: int = 5) -> None:
    """Send so many messages to each of ten addresses of one mailbox."""
    with transaction.atomic():
        for tag in range(10):
            to = of.replace("@", f"+{tag}@")
            for _ in range(each):
                outbox.queue(compose.code(pool, app, purpose=purpose, code="1", to=to, channel="email"))


@pytest.mark.usefixtures("sent_for_real")
def test_tags_of_a_mailbox_have_a_limit_of_their_own_ten_times_an_addresses(pool: UserPool, client: AppClient) -> None:
    fill(pool, client, of=NAME, each=5)

    with transaction.atomic():
        assert send_limits.refusal(pool, client, NAME.replace("@", "+New@").upper(), "sign_up") is not None
        assert send_limits.refusal(pool, client, NAME.replace("@", "+new@"), "recovery") is None
        assert send_limits.refusal(pool, client, "other+new@example.com", "sign_up") is None
    fill(pool, client, of=NAME, purpose="recovery", each=5)
    fill(pool, client, of=NAME, purpose="email", each=5)
    with transaction.atomic():
        refused = send_limits.refusal(pool, client, NAME.replace("@", "+new@"), "invitation")
    assert refused is not None
    assert 3590 <= refused.wait <= 3600


@pytest.mark.usefixtures("sent_for_real")
def test_a_tagged_name_is_refused_alike_whether_or_not_somebody_has_it(pool: UserPool, client: AppClient) -> None:
    known = factories.make_user(pool, "alice+known@example.com", email_verified="true").email or ""
    fill(pool, client, of="alice@example.com", purpose="recovery")
    fill(pool, client, of="bob@example.com", purpose="recovery")

    for name in (known, "alice+unknown@example.com", "bob+unknown@example.com"):
        with pytest.raises(errors.TooManyAttempts):
            passwords.forgot(client, name, by=VISITOR)
    assert passwords.forgot(client, "carol+unknown@example.com", by=VISITOR).destination == "c***@e***"


def test_tags_are_as_many_as_one_likes_where_messages_stay_in_the_installation(
    pool: UserPool, client: AppClient
) -> None:
    fill(pool, client, of=NAME)

    with transaction.atomic():
        assert send_limits.refusal(pool, client, NAME.replace("@", "+new@"), "sign_up") is None


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("a+tag@example.com", "a@example.com"),
        ("a.b+one+two@example.com", "a.b@example.com"),
        ("+tag@example.com", "+tag@example.com"),
        ("a@example.com", "a@example.com"),
        ("a@exam+ple.com", "a@exam+ple.com"),
        ("+4915112345678", "+4915112345678"),
        ("nobody:1", "nobody:1"),
    ],
)
def test_a_mailbox_is_its_address_without_the_tag(address: str, mailbox: str) -> None:
    assert destinations.untagged(address) == mailbox


def test_invitations_have_the_limit_of_an_address_too(pool: UserPool) -> None:
    user = users.create(pool, "bob@example.com", attributes={}, by=BY)
    for _ in range(4):
        users.create(pool, "bob@example.com", attributes={}, message="resend", by=BY)
    before = Password.objects.get(user=user).argon2

    with pytest.raises(errors.TooManyAttempts):
        users.create(pool, "bob@example.com", attributes={}, message="resend", by=BY)

    assert Password.objects.get(user=user).argon2 == before
    assert OutboxMessage.objects.filter(purpose="invitation").count() == 5


def test_an_account_whose_invitation_may_not_go_is_not_made(alias_pool: UserPool) -> None:
    given = {"email": "desk@example.com"}
    for number in range(6):
        if number < 5:
            users.create(alias_pool, f"p{number}", attributes=given, by=BY)
        else:
            with pytest.raises(errors.TooManyAttempts):
                users.create(alias_pool, f"p{number}", attributes=given, by=BY)

    users.create(alias_pool, "p5", attributes=given, message="suppress", by=BY)
