"""Small HTTP servers on loopback that answer as a test wants."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep


@dataclass
class Told:
    """What a server says, and what it was asked."""

    status: int = 200
    body: bytes = b"hello"
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headings: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, their names in lower case."""
    instead: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Answers in place of status, headers and body."""
    url: str = ""

    @property
    def port(self) -> int:
        """Return the server's port."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def serving(told: Told, *, tls: ssl.SSLContext | None = None) -> Iterator[Told]:
    """Run a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            told.paths.append(self.path)
            told.headings.append({name.lower(): value for name, value in self.headers.items()})
            told.asked.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            if told.instead:
                told.instead(self)
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: callers hang up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        told.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)  # looks so often for its end
        thread.start()
        yield told
        server.shutdown()
        thread.join()


def trickle(request: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, for ever."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
    while True:
        request.wfile.write(b"x")
        sleep(0.05)
