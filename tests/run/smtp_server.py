"""A mail server that keeps what it is given."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from io import BufferedIOBase
from time import monotonic, sleep

SECONDS = 20


class SmtpServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as a client needs that sends one mail after another."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        """Listen, by default at any free port."""
        super().__init__((address, port), Conversation)
        self.mail: list[EmailMessage] = []
        self.slow = ""
        """How the addresses begin whose mail it takes and does not answer for, until ``go``."""
        self.held: list[EmailMessage] = []
        self.go = threading.Event()

    def mail_to(self, address: str) -> EmailMessage:
        """Wait for a mail to that address; return the newest."""
        until = monotonic() + SECONDS
        while not (found := [mail for mail in self.mail if mail["To"] == address]):
            assert monotonic() < until, f"no mail to {address}"
            sleep(0.05)
        return found[-1]


class Conversation(socketserver.StreamRequestHandler):
    """One client, until it says QUIT."""

    def handle(self) -> None:
        """Take mail."""
        assert isinstance(self.server, SmtpServer)
        self.say("220 mail.example")
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"DATA":
                self.say("354 go on")
                mail = read(self.rfile)
                if self.server.slow and mail["To"].startswith(self.server.slow):
                    self.server.held.append(mail)
                    self.server.go.wait(SECONDS)
                self.server.mail.append(mail)
            self.say("221 bye" if word == b"QUIT" else "250 ok")

    def say(self, line: str) -> None:
        """Answer."""
        self.wfile.write(f"{line}\r\n".encode())


def read(lines: BufferedIOBase) -> EmailMessage:
    """Read a mail up to the dot that ends it."""
    kept = []
    while (line := lines.readline()) not in {b".\r\n", b""}:
        kept.append(line.removeprefix(b"."))
    return email.message_from_bytes(b"".join(kept), policy=email.policy.default)


@contextlib.contextmanager
def running() -> Iterator[SmtpServer]:
    """Take mail until the end."""
    with SmtpServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
