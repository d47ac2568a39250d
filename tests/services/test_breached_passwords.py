"""Whether a password has leaked, asked of a range server that answers well, badly, late or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from time import monotonic

import pytest
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from identity.foundation import destinations
from pools.services.people import breached_passwords
from tests.federation.servers import Told, serving, trickle

PASSWORD = "Pässword-1"
DIGEST = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest().upper()
ENDING = DIGEST[5:].encode()
OTHERS = b"".join(b"%035X:%d\r\n" % (number, number) for number in range(1000))


@pytest.fixture(autouse=True)
def ranges(settings: Settings) -> Iterator[Told]:
    """Return a range server, and point to it."""
    destinations.permits.cache_clear()
    settings.OUTBOUND_PRIVATE = True
    with serving(Told(body=OTHERS)) as told:
        settings.BREACHED_PASSWORDS_URL = f"{told.url}/range"
        yield told
    destinations.permits.cache_clear()


def counted(outcome: str) -> float:
    """Return how often an outcome was counted."""
    return REGISTRY.get_sample_value("cognate_breached_password_checks_total", {"outcome": outcome}) or 0.0


@pytest.mark.parametrize(
    ("body", "leaked"),
    [
        (OTHERS + ENDING + b":3\r\n", True),
        (ENDING + b":3", True),
        (ENDING.lower() + b":3\n" + OTHERS, True),
        (OTHERS + ENDING + b":0\r\n", False),  # an ending that pads the answer
        (OTHERS, False),
        (b"", False),
        (b"<html>\x00\xff:3\r\n:::\r\n", False),
    ],
)
def test_a_password_has_leaked_when_its_ending_is_in_the_answer(body: bytes, leaked: bool, ranges: Told) -> None:
    ranges.body = body
    outcome = "leaked" if leaked else "unknown"
    before = counted(outcome)

    assert breached_passwords.is_breached(PASSWORD) is leaked

    assert counted(outcome) == before + 1


def test_five_digits_of_its_digest_are_all_that_leaves(ranges: Told) -> None:
    heads: list[str] = []

    def look(request: BaseHTTPRequestHandler) -> None:
        heads.append(f"{request.requestline}\n{request.headers}")
        request.send_error(404)

    ranges.instead = look
    breached_passwords.is_breached(PASSWORD)

    assert ranges.paths == [f"/range/{DIGEST[:5]}"]
    assert ranges.asked == [b""]
    assert "Add-Padding: true" in heads[0]
    assert DIGEST[:6].lower() not in heads[0].lower()


def huge(request: BaseHTTPRequestHandler) -> None:
    """Answer with more than anyone reads, the ending first."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (destinations.CAP * 2))
    request.wfile.write(ENDING + b":3\r\n")
    request.wfile.write(b"x" * (destinations.CAP * 2))


def refused(request: BaseHTTPRequestHandler) -> None:
    """Answer as who was asked too often, with a body that would tell."""
    body = ENDING + b":3\r\n"
    request.wfile.write(b"HTTP/1.1 429 Too Many\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize("answer", [trickle, huge, refused])
def test_without_an_answer_within_a_second_it_has_not(
    answer: Callable[[BaseHTTPRequestHandler], None], ranges: Told
) -> None:
    ranges.instead = answer
    before = counted("unanswered")
    began = monotonic()

    assert not breached_passwords.is_breached(PASSWORD)

    assert monotonic() - began < breached_passwords.SECONDS + 1
    assert ranges.paths
    assert counted("unanswered") == before + 1


def test_a_server_that_is_down_is_left_in_peace(ranges: Told) -> None:
    ranges.status = 503
    before = counted("unanswered")

    assert not any(breached_passwords.is_breached(PASSWORD) for _ in range(destinations.FAILURES + 3))

    assert len(ranges.paths) == destinations.FAILURES
    assert counted("unanswered") == before + destinations.FAILURES + 3


def test_a_server_that_nobody_runs_is_no_error(settings: Settings) -> None:
    settings.BREACHED_PASSWORDS_URL = "http://127.0.0.1:9/range"

    assert not breached_passwords.is_breached(PASSWORD)


@pytest.mark.parametrize(("url", "password"), [("", PASSWORD), ("{url}", "")])
def test_nobody_is_asked_where_none_is_named_or_nothing_chosen(
    url: str, password: str, settings: Settings, ranges: Told
) -> None:
    settings.BREACHED_PASSWORDS_URL = url.format(url=ranges.url)
    before = [counted(outcome) for outcome in ("leaked", "unknown", "unanswered")]

    assert not breached_passwords.is_breached(password)

    assert not ranges.paths
    assert [counted(outcome) for outcome in ("leaked", "unknown", "unanswered")] == before
