"""The load: a process of its own with a connection for each thread, kept open. Requests come in, figures go out.

Standard input: JSON of ``{"port", "seconds", "connections", "requests": […], "once", "pause"}``;
a request is ``[method, path, headers, body]``.
Each connection plays its own share of the requests, again and again unless ``once``.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from time import perf_counter, sleep
from typing import Any

OK = range(200, 400)


def wire(port: int, request: list[Any]) -> bytes:
    """Return a request as it goes over the wire."""
    method, path, headers, body = request
    data: bytes = body.encode()
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}", f"Content-Length: {len(data)}"]
    return (
        "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]) + "\r\n\r\n"
    ).encode() + data


class Connection:
    """One connection, read by hand: a client library would take the processor from the server."""

    def __init__(self, port: int) -> None:
        """Open it."""
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = b""

    @property
    def lines(self) -> list[str]:
        """Return the headers of the last answer, its status line first."""
        return self.head.decode("latin-1").split("\r\n")

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """Send a request; return status and body."""
        self.socket.sendall(data)
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self.more()
        self.head = got[:end]
        head = self.head.lower()
        if b"transfer-encoding: chunked" in head:
            return int(head[9:12]), self.chunks(got[end + 4 :])
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        while len(got) < end + 4 + length:
            got += self.more()
        return int(head[9:12]), got[end + 4 :]

    def chunks(self, got: bytes) -> bytes:
        """Return a body that comes in chunks."""
        body = b""
        while True:
            while (end := got.find(b"\r\n")) < 0:
                got += self.more()
            size = int(got[:end], 16)
            while len(got) < end + 2 + size + 2:
                got += self.more()
            if not size:
                return body
            body += got[end + 2 : end + 2 + size]
            got = got[end + 2 + size + 2 :]

    def more(self) -> bytes:
        """Read what is there."""
        block = self.socket.recv(65536)
        if not block:
            raise ConnectionError("the server hung up")
        return block


def play(
    port: int, requests: list[bytes], until: float, out: list[tuple[float, int]], *, once: bool, pause: float
) -> None:
    """Play requests on one connection until time is up; whoever is refused comes back after a pause."""
    connection, position = Connection(port), 0
    while perf_counter() < until and not (once and position >= len(requests)):
        began = perf_counter()
        try:
            status, _ = connection.ask(requests[position % len(requests)])
        except (OSError, ValueError):
            status, connection = 0, Connection(port)
        out.append((perf_counter() - began, status))
        position += 1
        if status not in OK and pause:
            sleep(pause)


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Play an order; return all times and statuses."""
    port, connections = order["port"], order["connections"]
    requests = [wire(port, request) for request in order["requests"]]
    shares = [requests[number::connections] or requests for number in range(connections)]
    outs: list[list[tuple[float, int]]] = [[] for _ in range(connections)]
    told = {"once": order.get("once", False), "pause": order.get("pause", 0)}
    began = perf_counter()
    until = began + order["seconds"]
    threads = [
        threading.Thread(target=play, args=(port, share, until, out), kwargs=told)
        for share, out in zip(shares, outs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = perf_counter() - began
    every = [one for out in outs for one in out]
    good = [seconds for seconds, status in every if status in OK]
    statuses: dict[str, int] = {}
    for _, status in every:
        statuses[str(status)] = statuses.get(str(status), 0) + 1
    return {"seconds": took, "times": good, "failures": len(every) - len(good), "statuses": statuses}


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
