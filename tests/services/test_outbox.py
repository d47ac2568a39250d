"""The outbox: nothing is lost, captured mail comes exactly once, and no lease is held by two."""

from __future__ import annotations

import contextlib
import json
import signal
import smtplib
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from identity.foundation import clock, errors, later, sealing
from identity.foundation.task_names import Task
from pools import ports, tasks
from pools.models import AppClient, CapturedMessage, OneTimeCode, OutboxMessage, User, UserPool
from pools.services import codes, configuration, sealing_contexts
from pools.services.messages import compose, deliveries, destinations, mailbox, outbox, send_limits, texts
from pools.services.people import attributes, passwords, users
from pools.services.sign_up import sign_up
from pools.services.user_imports import work
from tests import factories
from tests.services.conftest import VISITOR, at_once

NAME = "alice@example.com"
State = OutboxMessage.State
Lane = OutboxMessage.Lane


@pytest.fixture
def waiting(client: AppClient) -> OutboxMessage:
    """Return a message that waits in the outbox."""
    sign_up.sign_up(client, NAME, password="Correct-horse-1", attributes={}, by=VISITOR)
    return OutboxMessage.objects.get()


@pytest.fixture
def smtp(settings: Settings) -> Iterator[None]:
    """Deliver by a mail server that keeps what it is given."""
    settings.MAIL_CHANNEL = "smtp"
    mail.outbox.clear()
    yield
    mail.outbox.clear()


def refusing(problem: Exception) -> Callable[..., int]:
    def send_messages(*_: object) -> int:
        raise problem

    return send_messages


def state() -> str:
    return OutboxMessage.objects.get().state


def leave(row: OutboxMessage, at: str, *, ago: timedelta = timedelta(seconds=1)) -> None:
    """Leave a message as a worker does that dies there, its lease expired some time ago."""
    OutboxMessage.objects.filter(id=row.id).update(state=at, lease=uuid.uuid4(), lease_until=Now() - ago, attempts=1)


def test_a_message_and_its_cause_are_one_transaction(pool: UserPool, client: AppClient) -> None:
    user = factories.make_user(pool, NAME)
    letter = compose.code(pool, client, purpose="sign_up", code="123456", to=NAME, channel="email")

    def cause() -> None:
        with transaction.atomic():
            codes.issue(pool, user.id, codes.Purpose.SIGN_UP, NAME, "123456")
            outbox.queue(letter)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cause()

    assert not OutboxMessage.objects.exists()
    assert not OneTimeCode.objects.exists()
    with pytest.raises(errors.Misuse):
        outbox.queue(letter)


@pytest.mark.parametrize("way", ["sign_up", "resend", "forgot", "forgot_nobody", "invite", "invite_again", "change"])
def test_a_message_is_composed_and_sealed_outside_its_transaction(
    way: str, pool: UserPool, client: AppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    unconfirmed, confirmed, invited = "carol@example.com", "dora@example.com", "emma@example.com"
    sign_up.sign_up(client, unconfirmed, password="Correct-horse-1", attributes={}, by=VISITOR)
    OneTimeCode.objects.update(created_at=clock.now() - timedelta(hours=1))
    person = factories.make_user(pool, confirmed, email_verified="true")
    factories.make_invited(pool, invited)
    ways: dict[str, Callable[[], object]] = {
        "sign_up": lambda: sign_up.sign_up(client, NAME, password="Correct-horse-1", attributes={}, by=VISITOR),
        "resend": lambda: sign_up.resend(client, unconfirmed, by=VISITOR),
        "forgot": lambda: passwords.forgot(client, confirmed, by=VISITOR),
        "forgot_nobody": lambda: passwords.forgot(client, "nobody@example.com", by=VISITOR),
        "invite": lambda: users.create(pool, NAME, attributes={}, by=factories.BY),
        "invite_again": lambda: users.create(pool, invited, attributes={}, message="resend", by=factories.BY),
        "change": lambda: attributes.update(client, person, {"email": NAME}, by=VISITOR),
    }
    inside: list[bool] = []
    compose, before = texts.mail, OutboxMessage.objects.count()

    def watched(*given: Any, **named: Any) -> texts.Composed:
        inside.append(connection.in_atomic_block)
        return compose(*given, **named)

    monkeypatch.setattr(texts, "mail", watched)

    ways[way]()

    assert inside == [False]
    assert OutboxMessage.objects.count() == before + 1


def test_a_temporary_password_goes_to_no_address_that_was_changed_meanwhile(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited = factories.make_invited(pool, NAME)
    compose = texts.mail

    def changing(*given: Any, **named: Any) -> texts.Composed:
        User.objects.filter(id=invited.id).update(email="another@example.com")
        return compose(*given, **named)

    monkeypatch.setattr(texts, "mail", changing)

    with pytest.raises(errors.WrongState):
        users.create(pool, NAME, attributes={}, message="resend", by=factories.BY)

    assert not OutboxMessage.objects.exists()


def test_the_row_holds_no_readable_content_and_nothing_once_sent(waiting: OutboxMessage) -> None:
    raw = b"".join(str(value).encode() for value in OutboxMessage.objects.values_list()[0])
    assert b"alice" not in raw + bytes(waiting.sealed or b"")

    assert deliveries.deliver(waiting.id) == State.SENT

    after = OutboxMessage.objects.get()
    assert (after.sealed, after.lease, after.attempts) == (None, None, 1)
    assert after.sent_at is not None


def test_twenty_deliveries_at_once_capture_one_message(waiting: OutboxMessage) -> None:
    outcomes = at_once(20, lambda _: deliveries.deliver(waiting.id))

    assert outcomes.count(State.SENT) == 1
    assert outcomes.count(None) == 19
    assert CapturedMessage.objects.count() == 1


@pytest.mark.usefixtures("smtp")
def test_twenty_deliveries_at_once_send_one_mail(waiting: OutboxMessage) -> None:
    outcomes = at_once(20, lambda _: deliveries.deliver(waiting.id))

    assert outcomes.count(State.SENT) == 1
    [sent] = mail.outbox
    assert sent.to == [NAME]
    headers = sent.message()
    assert headers["Message-ID"].startswith(f"<{waiting.id}@")
    assert headers["Auto-Submitted"] == "auto-generated"
    assert isinstance(sent, EmailMultiAlternatives)
    [(html, kind)] = sent.alternatives
    assert kind == "text/html"
    assert "prefers-color-scheme: dark" in str(html)
    assert len(str(html)) < 102_000


def test_a_worker_that_died_before_handing_over_costs_a_minute(waiting: OutboxMessage) -> None:
    leave(waiting, State.PENDING, ago=-timedelta(seconds=50))
    assert deliveries.sweep() == 0
    leave(waiting, State.PENDING)

    assert deliveries.sweep() == 1

    assert state() == State.SENT
    assert CapturedMessage.objects.count() == 1


@pytest.mark.usefixtures("smtp")
def test_a_mail_in_doubt_goes_again_under_the_same_id(waiting: OutboxMessage) -> None:
    leave(waiting, State.HANDING)

    assert deliveries.deliver(waiting.id) == State.SENT

    assert mail.outbox[0].message()["Message-ID"].startswith(f"<{waiting.id}@")


def test_a_captured_message_in_doubt_is_captured_once(waiting: OutboxMessage) -> None:
    CapturedMessage(id=waiting.id, pool_id=waiting.pool_id, channel="email", to=NAME, body="", subject="").save()
    leave(waiting, State.HANDING)

    assert deliveries.deliver(waiting.id) == State.SENT

    assert CapturedMessage.objects.count() == 1


def test_a_text_message_in_doubt_is_never_sent_again(waiting: OutboxMessage) -> None:
    OutboxMessage.objects.update(channel="sms")
    leave(waiting, State.HANDING)

    assert deliveries.deliver(waiting.id) == State.DOUBTFUL

    assert not CapturedMessage.objects.exists()
    assert OutboxMessage.objects.get().sealed is None


@pytest.mark.usefixtures("smtp")
def test_a_lease_that_was_lost_finishes_nothing(waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    other = uuid.uuid4()
    monkeypatch.setattr(EmailBackend, "send_messages", lambda *_: OutboxMessage.objects.update(lease=other))

    assert deliveries.deliver(waiting.id) is None

    after = OutboxMessage.objects.get()
    assert (after.state, after.lease) == (State.HANDING, other)
    assert after.sealed is not None


def test_an_expired_code_is_not_sent(waiting: OutboxMessage) -> None:
    OutboxMessage.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert deliveries.deliver(waiting.id) == State.EXPIRED

    assert not CapturedMessage.objects.exists()
    assert OutboxMessage.objects.get().sealed is None


@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize(
    ("problem", "after", "told"),
    [
        (smtplib.SMTPConnectError(554, b"no"), State.PENDING, "SMTPConnectError 554"),
        (smtplib.SMTPHeloError(550, b"no"), State.PENDING, "SMTPHeloError 550"),
        (smtplib.SMTPSenderRefused(550, b"no", "no-reply@example.com"), State.PENDING, "SMTPSenderRefused 550"),
        (ValueError(f"Invalid address; only {NAME} could be parsed"), State.FAILED, "ValueError"),
        (TimeoutError(), State.PENDING, "TimeoutError"),
        (smtplib.SMTPServerDisconnected("gone"), State.PENDING, "SMTPServerDisconnected"),
        (smtplib.SMTPAuthenticationError(535, b"no"), State.PENDING, "SMTPAuthenticationError 535"),
        (smtplib.SMTPRecipientsRefused({NAME: (450, b"busy")}), State.PENDING, "SMTPRecipientsRefused 450"),
        (smtplib.SMTPRecipientsRefused({NAME: (550, b"unknown")}), State.FAILED, "SMTPRecipientsRefused 550"),
        (smtplib.SMTPDataError(554, b"spam"), State.FAILED, "SMTPDataError 554"),
    ],
)
def test_what_a_mail_server_says_decides_whether_to_try_again(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch, problem: Exception, after: str, told: str
) -> None:
    monkeypatch.setattr(EmailBackend, "send_messages", refusing(problem))

    assert deliveries.deliver(waiting.id) == after

    row = OutboxMessage.objects.get()
    assert (row.state, row.problem, row.lease) == (after, told, None)
    assert NAME not in row.problem
    if after == State.PENDING:
        assert deliveries.deliver(waiting.id) is None
        monkeypatch.undo()
        OutboxMessage.objects.update(due_at=Now())
        assert deliveries.sweep() == 1
        assert state() == State.SENT


class Pigeon:
    """A channel that this release does not know."""

    def __init__(self, problem: Exception | None) -> None:
        """Carry messages, or fail so."""
        self.problem = problem
        self.carried: list[ports.Message] = []

    def send(self, message: ports.Message) -> str:
        """Carry a message."""
        self.carried.append(message)
        assert not connection.in_atomic_block
        if self.problem is not None:
            raise self.problem
        return "ring 7"


@pytest.mark.parametrize(
    ("problem", "after", "attempts"),
    [
        (None, State.SENT, 1),
        (ports.Undeliverable(detail="shot"), State.FAILED, 1),
        (ports.NotNow(detail="storm"), State.PENDING, 1),
        (ports.InstallationAtFault(detail="no grain"), State.PENDING, 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_channel_sends_or_says_who_is_at_fault(
    waiting: OutboxMessage, settings: Settings, problem: Exception | None, after: str, attempts: int
) -> None:
    OutboxMessage.objects.update(channel="sms")
    settings.SMS_CHANNEL, pigeon = "pigeon", Pigeon(problem)
    ports.channels.register("pigeon", pigeon)
    try:
        assert deliveries.deliver(waiting.id) == after
    finally:
        ports.channels.withdraw("pigeon")

    row = OutboxMessage.objects.get()
    assert (row.attempts, row.problem) == (attempts, getattr(problem, "detail", ""))
    assert row.gateway_id == ("" if problem else "ring 7")
    [message] = pigeon.carried
    assert (message.id, message.to, message.medium) == (waiting.id, NAME, "sms")
    assert NAME not in repr(message)


def test_a_text_message_that_nothing_carries_waits_until_something_does(
    waiting: OutboxMessage, settings: Settings
) -> None:
    OutboxMessage.objects.update(channel="sms")
    settings.SMS_CHANNEL = ""
    for _ in range(deliveries.ATTEMPTS + 1):
        OutboxMessage.objects.update(due_at=Now())
        assert deliveries.deliver(waiting.id) == State.PENDING

    row = OutboxMessage.objects.get()
    assert (row.attempts, row.problem, bool(row.sealed)) == (0, deliveries.NO_GATEWAY, True)
    assert deliveries.warning() == "text messages wait for their gateway: see the log"

    settings.SMS_CHANNEL = "captured"
    OutboxMessage.objects.update(due_at=Now())
    assert deliveries.deliver(waiting.id) == State.SENT
    assert deliveries.warning() == ""


@pytest.mark.usefixtures("smtp")
def test_a_message_that_never_goes_out_is_given_up(waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmailBackend, "send_messages", refusing(TimeoutError()))
    last = None
    for _ in range(deliveries.ATTEMPTS):
        OutboxMessage.objects.update(due_at=Now())
        last = deliveries.deliver(waiting.id)

    assert last == State.FAILED
    assert OutboxMessage.objects.get().sealed is None


@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize(
    "problem",
    [
        smtplib.SMTPAuthenticationError(535, b"no"),
        smtplib.SMTPConnectError(554, b"no"),
        smtplib.SMTPHeloError(550, b"no"),
        smtplib.SMTPSenderRefused(550, b"no", "no-reply@example.com"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_a_fault_of_the_installation_costs_no_message(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", refusing(problem))
        for _ in range(2 * deliveries.ATTEMPTS):
            OutboxMessage.objects.update(due_at=Now())
            assert deliveries.deliver(waiting.id) == State.PENDING
    row = OutboxMessage.objects.get()
    assert row.attempts == 0
    assert timedelta(0) < row.due_at - clock.now() <= timedelta(seconds=deliveries.LONGEST_WAIT_FOR_OURSELVES)

    OutboxMessage.objects.update(due_at=Now())

    assert deliveries.deliver(waiting.id) == State.SENT
    assert mail.outbox[0].to == [NAME]


@pytest.mark.parametrize(
    "problem",
    [
        socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {NAME}"),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        UnicodeError("label too long"),
        ConnectionRefusedError(),
        ssl.SSLCertVerificationError("certificate verify failed"),
    ],
    ids=repr,
)
def test_a_mail_server_that_is_not_found_or_not_there_costs_no_message(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch, settings: Settings, problem: Exception
) -> None:
    settings.MAIL_CHANNEL, settings.EMAIL_HOST = "smtp", "mail.nowhere.example"
    settings.EMAIL_BACKEND = "federation.channels.mail_server.MailServer"
    asked: list[str] = []

    def connect(address: tuple[str, int], *_rest: object, **_named: object) -> None:
        asked.append(address[0])
        raise problem

    monkeypatch.setattr(socket, "create_connection", connect)
    for _ in range(deliveries.ATTEMPTS + 1):
        OutboxMessage.objects.update(due_at=Now())
        assert deliveries.deliver(waiting.id) == State.PENDING

    row = OutboxMessage.objects.get()
    assert (row.attempts, row.problem, bool(row.sealed)) == (0, type(problem).__name__, True)
    assert set(asked) == {"mail.nowhere.example"}
    assert timedelta(0) < row.due_at - clock.now() <= timedelta(seconds=deliveries.LONGEST_WAIT_FOR_OURSELVES)


@pytest.mark.usefixtures("smtp")
def test_a_fault_of_the_installation_ends_with_what_waits(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmailBackend, "send_messages", refusing(smtplib.SMTPAuthenticationError(535, b"no")))
    assert deliveries.deliver(waiting.id) == State.PENDING

    OutboxMessage.objects.update(due_at=Now(), expires_at=clock.now() - timedelta(seconds=1))

    assert deliveries.deliver(waiting.id) == State.EXPIRED


@pytest.mark.usefixtures("smtp")
def test_a_sender_that_is_no_address_costs_no_message(waiting: OutboxMessage, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "no-reply@.example"

    assert deliveries.deliver(waiting.id) == State.PENDING

    assert OutboxMessage.objects.get().problem == "MAIL_FROM is no address"


@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize("address", ["a@.com", "a@b..com", "a@b@c"])
def test_an_address_that_no_mail_can_have_fails_and_is_not_told(
    waiting: OutboxMessage, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    content = json.dumps({"to": address, "subject": "s", "text": "t", "html": "<p>t</p>"}).encode()
    OutboxMessage.objects.update(sealed=sealing.seal(content, place=sealing_contexts.message(waiting.id)))

    assert deliveries.deliver(waiting.id) == State.FAILED

    row = OutboxMessage.objects.get()
    assert (row.sealed, row.problem) == (None, "ValueError")
    assert address not in caplog.text


@pytest.mark.usefixtures("smtp")
def test_a_message_that_breaks_every_worker_is_given_up(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def breaks(*_: object) -> int:
        tries.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(EmailBackend, "send_messages", breaks)
    for _ in range(deliveries.ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            deliveries.deliver(waiting.id)
        OutboxMessage.objects.update(lease_until=Now() - timedelta(seconds=1))

    assert deliveries.deliver(waiting.id) == State.FAILED

    assert len(tries) == deliveries.ATTEMPTS
    assert OutboxMessage.objects.get().sealed is None


def test_a_sealed_row_that_was_moved_fails_and_says_so(waiting: OutboxMessage) -> None:
    other = uuid.uuid4()
    OutboxMessage.objects.update(id=other)

    assert deliveries.deliver(other) == State.FAILED

    assert OutboxMessage.objects.get().problem == "Unsealable"


@pytest.fixture
def restart(tmp_path: Path, settings: Settings) -> Iterator[Callable[..., None]]:
    """Return what restarts this process with such sealing keys."""

    def with_keys(*lines: str) -> None:
        settings.SECRET_KEYS_FILE = tmp_path / "keys"
        settings.SECRET_KEYS_FILE.write_text("\n".join(lines))
        sealing.master_keys.cache_clear()
        configuration.cache.forget_everything()

    yield with_keys
    sealing.master_keys.cache_clear()
    configuration.cache.forget_everything()


@pytest.mark.parametrize("steps", [1, 2])
def test_a_message_sealed_by_a_newer_process_waits_for_a_restart_of_this(
    steps: int, client: AppClient, settings: Settings, restart: Callable[..., None]
) -> None:
    old, new = settings.SECRET_KEYS_FILE.read_text().strip(), factories.key_line("newer")
    restart(new, old)
    sign_up.sign_up(client, NAME, password="Correct-horse-1", attributes={}, by=VISITOR)
    row = OutboxMessage.objects.get()

    restart(old, *([new] if steps == 2 else []))
    if steps == 1:
        for _ in range(2 * deliveries.ATTEMPTS):
            OutboxMessage.objects.update(due_at=Now())
            assert deliveries.deliver(row.id) == State.PENDING
        row = OutboxMessage.objects.get()
        assert (row.attempts, row.lease, row.problem) == (0, None, "KeyUnknown")
        assert timedelta(0) < row.due_at - clock.now() <= timedelta(seconds=deliveries.LONGEST_WAIT_FOR_OURSELVES)
        OutboxMessage.objects.update(due_at=Now())
        restart(new, old)

    assert deliveries.deliver(row.id) == State.SENT
    assert CapturedMessage.objects.get().to == NAME


def test_a_message_whose_key_never_comes_expires(waiting: OutboxMessage, restart: Callable[..., None]) -> None:
    restart(factories.key_line("another"))
    assert deliveries.deliver(waiting.id) == State.PENDING

    OutboxMessage.objects.update(due_at=Now(), expires_at=clock.now() - timedelta(seconds=1))

    assert deliveries.deliver(waiting.id) == State.EXPIRED
    assert OutboxMessage.objects.get().sealed is None


def test_a_damaged_message_fails(waiting: OutboxMessage) -> None:
    sealed = bytes(waiting.sealed or b"")
    OutboxMessage.objects.update(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1]))

    assert deliveries.deliver(waiting.id) == State.FAILED

    assert OutboxMessage.objects.get().problem == "Unsealable"


def test_without_redis_the_cause_is_quick_and_the_sweep_delivers(
    client: AppClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.deliver, "apply_async", away)
    monkeypatch.setattr(later, "_broken_until", 0.0)
    began = clock.monotonic()

    sign_up.sign_up(client, NAME, password="Correct-horse-1", attributes={}, by=VISITOR)

    assert clock.monotonic() - began < 5
    sweeper = tasks.OutboxSweeper(every=0.05)
    sweeper.start()
    for _ in range(200):
        if CapturedMessage.objects.exists():
            break
        sweeper.join(0.05)
    sweeper.stop()
    assert CapturedMessage.objects.get().to == NAME
    assert not sweeper.is_alive()


@pytest.mark.parametrize("problem", [OperationalError("away"), RuntimeError("anything")], ids=["away", "anything"])
def test_the_sweep_outlives_what_goes_wrong(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    real, calls = deliveries.due, []

    def flaky(*given: Lane) -> list[uuid.UUID]:
        calls.append(1)
        if len(calls) < 3:
            raise problem
        return real(*given)

    monkeypatch.setattr(deliveries, "due", flaky)
    sweeper = tasks.OutboxSweeper(every=0.02)
    sweeper.start()
    for _ in range(200):
        if CapturedMessage.objects.exists():
            break
        sweeper.join(0.05)
    sweeper.stop()

    assert CapturedMessage.objects.count() == 1


def test_the_sweep_takes_what_people_wait_for_first_and_a_few_of_the_rest(
    waiting: OutboxMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(deliveries.BATCH, Lane.BULK, 3)
    longer_due = clock.now() - timedelta(hours=1)
    others = [
        OutboxMessage(pool_id=waiting.pool_id, lane=lane, channel="email", recipient_hash=b"", due_at=longer_due)
        for lane in (Lane.BULK, Lane.BULK, Lane.BULK, Lane.TASKS)
    ]
    OutboxMessage.objects.bulk_create(others)

    found = deliveries.due()

    assert found[0] == waiting.id
    assert len(found) == 1 + 3
    assert deliveries.due(Lane.NOW) == [waiting.id]
    assert len(deliveries.due(Lane.BULK)) == 3


@pytest.mark.parametrize("lane", Lane)
def test_a_hint_finds_no_room_only_in_a_lane_that_is_full(waiting: OutboxMessage, lane: Lane) -> None:
    def hint() -> None:
        tasks.deliver.apply((str(waiting.id),), routing_key=lane.value)

    for slot in tasks.SLOTS.values():
        while slot.acquire(blocking=False):
            pass

    try:
        hint()
        assert (state() == State.SENT) is (lane == Lane.NOW)
    finally:
        for slot in tasks.SLOTS.values():
            with contextlib.suppress(ValueError):  # full again
                while True:
                    slot.release()

    hint()
    assert state() == State.SENT


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", [*(f"outbox-sweep-{lane}" for lane in deliveries.BATCH), "import-sweep"])
def test_a_worker_one_of_whose_sweeps_ends_ends_too(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def ends(*_lanes: Lane) -> list[Any]:
        if threading.current_thread().name == name:
            raise SystemExit
        return []

    received: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        monkeypatch.setattr(tasks, "_sweepers", [])
        monkeypatch.setattr(deliveries, "due", ends)
        monkeypatch.setattr(work, "due", ends)
        for each in (tasks.OutboxSweeper, tasks.ImportSweeper):
            monkeypatch.setattr(each.__init__, "__defaults__", (0.02, None))
        tasks.start_sweeping()
        [sweeper] = [sweeper for sweeper in tasks._sweepers if sweeper.name == name]
        sweeper.join(10)
        assert not sweeper.is_alive()
        tasks.stop_sweeping()
    finally:
        signal.signal(signal.SIGTERM, former)

    assert received == [signal.SIGTERM]


def test_a_worker_that_is_told_to_stop_is_not_told_twice(transactional_db: None) -> None:
    lost: list[int] = []
    sweeper = tasks.OutboxSweeper(every=0.02, lost=lambda: lost.append(1))
    sweeper.start()
    sweeper.stop()

    assert not sweeper.is_alive()
    assert lost == []


def test_an_unknown_users_message_is_written_and_never_sent(client: AppClient) -> None:
    passwords.forgot(client, "nobody@example.com", by=VISITOR)

    row = OutboxMessage.objects.get()
    assert (row.state, row.sealed) == (State.SENT, None)
    assert deliveries.deliver(row.id) is None
    assert deliveries.sweep() == 0


def test_captured_messages_are_told_newest_first_and_by_exact_address(client: AppClient) -> None:
    for name in ("a@example.com", "b@example.com", "a@example.com.evil.example"):
        sign_up.sign_up(client, name, password="Correct-horse-1", attributes={}, by=VISITOR)
    deliveries.sweep()

    assert [found.to for found in mailbox.captured("a@example.com")] == ["a@example.com"]
    assert mailbox.captured()[0].to == "a@example.com.evil.example"


@pytest.mark.parametrize(
    ("channel", "to", "shown"),
    [
        ("email", "alice@example.com", "a***@e***"),
        ("email", "A@b.c", "a***@b***"),
        ("sms", "+491234567890", "+********7890"),
    ],
)
def test_destinations_are_told_masked(channel: str, to: str, shown: str) -> None:
    assert destinations.masked(channel, to) == shown


def test_every_name_has_a_task() -> None:
    from celery import current_app

    assert {task.value for task in Task} <= set(current_app.tasks)


def test_a_reminder_leaves_the_limits_of_all_else_as_they_are_for_nobodys_address(
    pool: UserPool, client: AppClient
) -> None:
    purposes = ("sign_up", "recovery", "email")
    sent: dict[str, list[bool]] = {}
    for to in (NAME, "nobody:1"):
        sent[to] = []
        for purpose in (send_limits.REMINDER, *purposes * (send_limits.PER_ADDRESS + 1)):
            with transaction.atomic():
                sent[to].append(send_limits.refusal(pool, client, to, purpose) is None)
                if purpose == send_limits.REMINDER and to != NAME:
                    continue  # the decoy's goes to an address of its own
                if sent[to][-1]:
                    letter = (
                        compose.reminder(pool, client, to=to)
                        if purpose == send_limits.REMINDER
                        else compose.code(pool, client, purpose=purpose, code="1", to=to, channel="email")
                    )
                    outbox.queue(letter)

    assert sent[NAME] == sent["nobody:1"] == [True] * 16 + [False] * 3
    with transaction.atomic():
        assert send_limits.refusal(pool, client, NAME, send_limits.REMINDER) is not None
