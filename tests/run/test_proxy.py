"""The proxy as it runs: Caddy with our Caddyfile, in front of a server that says what came through."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests import servers
from tests.run import caddy

LIMIT = 4_000_000


class Upstream(ThreadingHTTPServer):
    """Stands where the web processes are; knows the requests that began to reach it."""

    def __init__(self) -> None:
        """Listen at any free port."""
        super().__init__(("127.0.0.1", 0), Answer)
        self.seen: list[str] = []


class Answer(BaseHTTPRequestHandler):
    """Answers with the headers and the length of the body."""

    def do_GET(self) -> None:
        """Answer."""
        assert isinstance(self.server, Upstream)
        self.server.seen.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = json.dumps({"headers": list(self.headers.items()), "length": len(body)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_PUT = do_GET  # noqa: N815 - the names that the server looks for

    def log_message(self, *_given: object) -> None:
        """Say nothing."""


@dataclass
class Proxy:
    """A proxy that runs."""

    port: int
    upstream: Upstream
    name: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the site."""
        self.name = f"id.localhost:{self.port}"

    def ask(self, method: str, path: str, *headers: tuple[str, str], body: bytes = b"") -> tuple[int, bytes]:
        """Send a request whole; return status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_host=True)
        for name, value in (("Host", self.name), ("Content-Length", str(len(body))), *headers):
            connection.putheader(name, value)
        try:
            connection.endheaders()
            # Whoever knows from the head that it is too long answers and hears no more.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def begin(self, text: str) -> socket.socket:
        """Begin a request."""
        begun = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        begun.sendall(text.encode())
        return begun


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run Caddy, without TLS and with our upstream."""
    caddy.program()
    upstream = Upstream()
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    found = Proxy(servers.free_port(), upstream)
    names = {"COGNATE_HOST": f"http://{found.name}", "CONSOLE_HOST": f"http://console.localhost:{found.port}"}
    try:
        with caddy.running(upstream.server_port, names, tmp_path_factory.mktemp("caddy")) as log:
            wait_for(found, log)
            yield found
    finally:
        upstream.shutdown()
        upstream.server_close()


def wait_for(proxy: Proxy, log: Path) -> None:
    """Wait until a request reaches the upstream."""
    until = monotonic() + 30
    while monotonic() < until:
        try:
            if proxy.ask("GET", "/")[0] == 200:
                return
        except OSError:
            pass  # not yet
        sleep(0.1)
    pytest.fail(log.read_text())


def test_a_visitor_cannot_say_who_they_are(proxy: Proxy) -> None:
    lies = ("X-Forwarded-For", "X_Forwarded_For", "X-Forwarded_For", "x_forwarded-for")

    status, answer = proxy.ask("GET", "/", *((name, "6.6.6.6") for name in lies), ("X-Amz-Target", "kept"))

    headers = json.loads(answer)["headers"]
    same = [value for name, value in headers if name.upper().replace("-", "_") == "X_FORWARDED_FOR"]
    assert status == 200
    assert same == ["127.0.0.1"]
    assert ["X-Amz-Target", "kept"] in headers


# The header asks that each part be handed on as it comes; Caddy knows it from 2.11 on.
@pytest.mark.parametrize("more", ["", "Incremental: ?1\r\n"])
def test_a_body_reaches_us_when_it_is_whole(more: str, proxy: Proxy) -> None:
    path = f"/parts-{len(more)}"
    with proxy.begin(f"POST {path} HTTP/1.1\r\nHost: {proxy.name}\r\n{more}Content-Length: 6\r\n\r\nabc") as begun:
        sleep(1)
        assert path not in proxy.upstream.seen
        begun.sendall(b"def")
        assert b"200 OK" in begun.recv(4096)

    assert path in proxy.upstream.seen


def test_a_body_that_never_ends_is_ended_by_the_proxy(proxy: Proxy) -> None:
    began = monotonic()
    with proxy.begin(f"POST /slow HTTP/1.1\r\nHost: {proxy.name}\r\nContent-Length: 6\r\n\r\nabc") as begun:
        while begun.recv(4096):
            pass

    assert monotonic() - began < 13
    assert "/slow" not in proxy.upstream.seen


def test_a_head_that_never_ends_is_ended_by_the_proxy(proxy: Proxy) -> None:
    began = monotonic()
    with proxy.begin("GET / HTTP/1.1\r\nHost: ") as begun:
        assert begun.recv(4096) == b""

    assert monotonic() - began < 15


def test_a_body_may_have_four_megabytes(proxy: Proxy) -> None:
    assert proxy.ask("POST", "/large", body=b"x" * (LIMIT - 1))[0] == 200
    assert proxy.ask("POST", "/too-large", body=b"x" * (LIMIT + 1))[0] == (502 if caddy.is_old() else 413)


def test_a_file_of_users_may_have_more(proxy: Proxy) -> None:
    path = "/user-imports/us-east-1_Abc123xyz/import-Abc123"

    status, told = proxy.ask("PUT", path, body=b"x" * (2 * LIMIT))

    assert (status, json.loads(told)["length"]) == (200, 2 * LIMIT)
