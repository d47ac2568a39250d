"""Mail as a mail server meets it: what it says at each command, and what it is given."""

from __future__ import annotations

import base64
import email
import email.policy
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from pytest_django import Settings

from identity import telemetry
from identity.foundation import sealing
from pools.models import AppClient, OutboxMessage
from pools.services import sealing_contexts
from pools.services.messages import deliveries
from pools.services.sign_up import sign_up
from tests.services.conftest import VISITOR

NAME = "alice@example.com"
PASSWORD = "pässwört ✓"
State = OutboxMessage.State
KEPT, AGAIN, FAILED, SENT = "kept", "again", "failed", "sent"
# Command, what it is answered (nothing: the connection ends), what becomes of the message.
ANSWERS = [
    ("CONNECT", "554 no", KEPT),
    ("CONNECT", "421 later", KEPT),
    ("CONNECT", "", KEPT),
    ("EHLO", "550 no", KEPT),
    ("EHLO", "", KEPT),
    ("AUTH", "535 no", KEPT),
    ("AUTH", "454 later", KEPT),
    ("AUTH", "", KEPT),
    ("MAIL", "550 who", KEPT),
    ("MAIL", "530 sign in first", KEPT),
    ("MAIL", "421 later", KEPT),
    ("RCPT", "530 sign in first", KEPT),
    ("RCPT", "538 by TLS only", KEPT),
    ("RCPT", "450 busy", AGAIN),
    ("RCPT", "", AGAIN),
    ("RCPT", "550 unknown", FAILED),
    ("DATA", "451 later", AGAIN),
    ("DATA", "554 no", FAILED),
    (".", "452 full", AGAIN),
    (".", "", AGAIN),
    (".", "554 spam", FAILED),
    ("QUIT", "", SENT),
    ("QUIT", "500 what", SENT),
]


class Server(socketserver.ThreadingTCPServer):
    """A mail server that says what it is told to say."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        """Listen at any free port."""
        super().__init__(("127.0.0.1", 0), Talk)
        self.answers: dict[str, str] = {}
        self.mechanism = "PLAIN"
        self.heard: list[str] = []
        self.mail: list[bytes] = []


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Answer until QUIT, or until told to hang up."""
        assert isinstance(self.server, Server)
        if not self.say("CONNECT", "220 here"):
            return
        for line in self.rfile:
            text = line.decode().strip()
            self.server.heard.append(text)
            word = text.partition(" ")[0].upper().replace("HELO", "EHLO")
            usual = {"EHLO": f"250-here\r\n250 AUTH {self.server.mechanism}", "AUTH": "235 in", "QUIT": "221 bye"}
            if word == "DATA" and self.say("DATA", "354 go on"):
                self.read()
                word = "."
            if word == "AUTH" and self.server.mechanism == "CRAM-MD5":
                self.wfile.write(b"334 " + base64.b64encode(b"<challenge>") + b"\r\n")
                self.server.heard.append(self.rfile.readline().decode().strip())
            if word != "DATA" and not self.say(word, usual.get(word, "250 ok")):
                return

    def say(self, word: str, usual: str) -> bool:
        """Answer a command; say whether that went on."""
        assert isinstance(self.server, Server)
        answer = self.server.answers.get(word, usual)
        self.wfile.write(f"{answer}\r\n".encode() if answer else b"")
        return bool(answer) and (word != "DATA" or answer.startswith("354"))

    def read(self) -> None:
        """Take a mail."""
        assert isinstance(self.server, Server)
        kept = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            kept.append(line[1:] if line.startswith(b".") else line)
        self.server.mail.append(b"".join(kept))


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """Send by the installation's own backend, to a server of this test."""
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        settings.MAIL_CHANNEL, settings.EMAIL_BACKEND = "smtp", "federation.channels.mail_server.MailServer"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.server_address[1]
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "käte", PASSWORD
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT, settings.SMTP_EHLO_NAME = 5, "id.example.com"
        settings.DEFAULT_FROM_EMAIL = "Grüße <no-reply@example.com>"
        yield made
        made.shutdown()


@pytest.fixture
def waiting(client: AppClient) -> OutboxMessage:
    """Return a message that waits in the outbox."""
    sign_up.sign_up(client, NAME, password="Correct-horse-1", attributes={}, by=VISITOR)
    return OutboxMessage.objects.get()


def outcome(row: OutboxMessage) -> tuple[str, str]:
    """Deliver a message as if it were new; return what became of it, and what is kept of the reason."""
    OutboxMessage.objects.filter(id=row.id).update(
        state=State.PENDING, attempts=0, due_at=Now(), sealed=row.sealed, problem=""
    )
    state = deliveries.deliver(row.id)
    after = OutboxMessage.objects.get(id=row.id)
    if state == State.PENDING:
        return (AGAIN if after.attempts else KEPT), after.problem
    return str(state), after.problem


def test_only_what_is_said_of_this_letter_is_held_against_it(server: Server, waiting: OutboxMessage) -> None:
    for word, answer, expected in ANSWERS:
        server.answers = {word: answer}
        found, problem = outcome(waiting)

        assert found == expected, (word, answer, problem)
        assert NAME not in problem
    server.answers = {}
    assert outcome(waiting) == (SENT, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"EMAIL_USE_TLS": True},  # the server has no STARTTLS
        {"EMAIL_USE_SSL": True},  # nor does it speak TLS at once
        {"EMAIL_HOST": "a..b"},
        {"EMAIL_PORT": 1},
        {"DEFAULT_FROM_EMAIL": "no-reply@.example"},
        {"DEFAULT_FROM_EMAIL": "grüße@example.com"},
    ],
    ids=str,
)
def test_what_the_installation_has_wrong_costs_no_message(
    server: Server, waiting: OutboxMessage, settings: Settings, wrong: dict[str, Any]
) -> None:
    before = {name: getattr(settings, name) for name in wrong}
    for name, value in wrong.items():
        setattr(settings, name, value)

    assert [outcome(waiting)[0] for _ in range(2)] == [KEPT, KEPT]

    for name, value in before.items():
        setattr(settings, name, value)
    assert outcome(waiting) == (SENT, "")
    assert len(server.mail) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_password_may_have_any_letters(server: Server, waiting: OutboxMessage, mechanism: str) -> None:
    server.mechanism = mechanism
    if mechanism == "LOGIN":
        server.answers = {"AUTH": "334 UGFzc3dvcmQ6", base64.b64encode(PASSWORD.encode()).decode().upper(): "235 in"}

    assert outcome(waiting) == (SENT, "")

    said = server.heard[1:3]
    if mechanism == "PLAIN":
        assert base64.b64decode(said[0].removeprefix("AUTH PLAIN ")).decode().split("\0") == ["", "käte", PASSWORD]
    elif mechanism == "LOGIN":
        assert said[0] == f"AUTH LOGIN {base64.b64encode('käte'.encode()).decode()}"
        assert said[1] == base64.b64encode(PASSWORD.encode()).decode()
    else:
        digest = hmac.new(PASSWORD.encode(), b"<challenge>", "md5").hexdigest()
        assert base64.b64decode(said[1]).decode() == f"käte {digest}"


def test_a_mail_is_of_seven_bits_whatever_is_written_in_it(server: Server, waiting: OutboxMessage) -> None:
    lines = ["Grüße aus Ærøskøbing ✓", ".", "..two dots", "x" * 3000, "ü" * 3000, "trailing ", ""]
    text = "\n".join(lines)
    content = {"to": NAME, "subject": f"Grüße ✓ {'long ' * 300}", "text": text, "html": f"<p>{text}</p>"}
    content["reply_to"] = "Hölle <help@example.com>"
    waiting.sealed = sealing.seal(json.dumps(content).encode(), place=sealing_contexts.message(waiting.id))

    assert outcome(waiting) == (SENT, "")

    [raw] = server.mail
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    got = email.message_from_bytes(raw, policy=email.policy.default)
    assert got["Subject"].split() == content["subject"].split()
    assert str(got["From"]) == "Grüße <no-reply@example.com>"
    assert str(got["Reply-To"]) == content["reply_to"]
    assert got["Message-ID"] == f"<{waiting.id}@example.com>"
    for kind, wanted in (("plain", text), ("html", content["html"])):
        part = got.get_body((kind,))
        assert part is not None
        assert part["Content-Transfer-Encoding"] in {"quoted-printable", "base64", "7bit"}
        assert part.get_content().replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")
    assert server.heard[0] == "ehlo id.example.com"


@pytest.mark.parametrize("to", ["grüße@example.com", f"{'x' * 1100}@example.com"])
def test_an_address_that_only_other_mail_has_fails_by_itself(server: Server, waiting: OutboxMessage, to: str) -> None:
    content = {"to": to, "subject": "s", "text": "t", "html": "<p>t</p>"}
    waiting.sealed = sealing.seal(json.dumps(content).encode(), place=sealing_contexts.message(waiting.id))

    assert outcome(waiting) == (FAILED, "ValueError")
    assert server.mail == []


def test_operators_see_what_the_installation_has_wrong_and_visitors_are_served(
    server: Server, waiting: OutboxMessage, settings: Settings
) -> None:
    host = {"host": settings.BASE_URL.split("://")[1]}
    gauge = "cognate_outbox_kept {}"
    before = deliveries.KEPT.labels("SMTPAuthenticationError 535")._value.get()
    assert "warnings" not in Client(headers=host).get("/health/ready").json()

    server.answers = {"AUTH": "535 no"}
    assert outcome(waiting)[0] == KEPT

    answer = Client(headers=host).get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["warnings"] == {"messages": "messages wait for the mail server: see the log"}
    assert gauge.format("1.0") in telemetry.exposition().decode()
    assert deliveries.KEPT.labels("SMTPAuthenticationError 535")._value.get() == before + 1

    server.answers = {}
    assert outcome(waiting)[0] == SENT
    assert "warnings" not in Client(headers=host).get("/health/ready").json()
    assert gauge.format("0.0") in telemetry.exposition().decode()
