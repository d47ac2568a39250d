"""A connection outlives a request that is refused before its body was read: who asks again on it is answered."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import pytest

from tests.live import Live

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/api/v1/pools", "/nothing-here", "/us-east-1_nobody123/login"])
@pytest.mark.parametrize("size", [12, 300_000])
def test_a_body_that_comes_late_and_is_not_needed_closes_nothing(live: Live, path: str, size: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(live.base_url).netloc, timeout=20)
    for _ in range(2):
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", FORM)
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        time.sleep(0.2)  # by then, whoever looks at headers alone has answered
        connection.send(b"x" * size)
        sock = connection.sock

        answer = connection.getresponse()

        assert 400 <= answer.status < 500
        answer.read()
        assert connection.sock is sock is not None
    connection.close()
