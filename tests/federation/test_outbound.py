"""The one way out: where it does not go, how long it waits, and how many may wait."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from time import monotonic, sleep

import certifi
import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from identity.embedded import tls as embedded_tls
from identity.foundation import destinations, guarded, http_sessions, outbound
from identity.foundation.errors import Misuse, OutsideUnavailable, Overloaded
from tests.federation.servers import Told, serving, trickle


@pytest.fixture(autouse=True)
def new_permits() -> Iterator[None]:
    """Start each test with all permits free and no breaker open."""
    destinations.permits.cache_clear()
    yield
    destinations.permits.cache_clear()


@pytest.fixture
def told() -> Iterator[Told]:
    """Return a server."""
    with serving(Told()) as found:
        yield found


PRIVATE = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "240.0.0.1", "255.255.255.255"),
    *("168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "192.0.0.192", "192.88.99.1", "192.88.99.254"),
    *("fec0::1", "feff::1", "3fff::1"),
]
OUTSIDE = [
    *("8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"),
    *("168.63.129.17", "192.88.98.1", "192.0.1.1", "3ffe::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_our_network_is_not_public(address: str) -> None:
    assert not guarded.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_out_in_the_world_is_public(address: str) -> None:
    assert guarded.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("allowed", [False, True])
def test_private_addresses_are_refused_unless_configured(allowed: bool, told: Told, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE = allowed

    if allowed:
        assert outbound.http("GET", told.url).body == b"hello"
    else:
        with pytest.raises(guarded.AddressRefused):
            outbound.http("GET", told.url)
        assert not told.asked


def test_a_host_may_be_allowed_by_name(told: Told, settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE = False
    url = f"http://localhost:{told.port}"
    with pytest.raises(guarded.AddressRefused):
        outbound.http("GET", url)

    settings.OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    assert outbound.http("GET", url).status == 200


def test_cloud_metadata_is_refused_even_where_private_addresses_are_allowed(settings: Settings) -> None:
    settings.OUTBOUND_PRIVATE = True

    with pytest.raises(guarded.AddressRefused):
        outbound.http("GET", "http://169.254.169.254/latest/meta-data/")


def test_a_name_that_points_elsewhere_a_moment_later_is_asked_once(
    told: Told, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_PRIVATE = False
    answers = iter(["127.0.0.1"])

    def rebinding(_host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with pytest.raises(guarded.AddressRefused):
        outbound.http("GET", f"http://rebinding.example.test:{told.port}")
    assert list(answers) == []
    assert not told.asked


def test_redirects_are_not_followed(told: Told) -> None:
    told.status, told.headers = 302, {"location": f"{told.url}/elsewhere"}

    assert outbound.http("GET", told.url).status == 302
    assert len(told.asked) == 1


def test_cookies_are_not_kept(told: Told) -> None:
    told.headers = {"set-cookie": "a=b; Path=/"}
    seen: list[str | None] = []
    outbound.http("GET", told.url)

    def look(request: BaseHTTPRequestHandler) -> None:
        seen.append(request.headers["cookie"])
        refuse(request)

    told.instead = look

    outbound.http("GET", told.url)

    assert seen == [None]


def refuse(request: BaseHTTPRequestHandler) -> None:
    """Answer 404 with nothing."""
    request.send_response(404)
    request.send_header("content-length", "0")
    request.end_headers()


def test_a_body_beyond_the_cap_is_refused(told: Told) -> None:
    told.body = b"x" * destinations.CAP
    assert len(outbound.http("GET", told.url).body) == destinations.CAP

    told.body += b"x"
    with pytest.raises(http_sessions.AnswerTooLarge):
        outbound.http("GET", told.url)


def trickled_head(request: BaseHTTPRequestHandler) -> None:
    """Never come to the end of the head."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        request.wfile.write(b"x: y\r\n")
        sleep(0.05)


@pytest.mark.parametrize("slow", [trickle, trickled_head, lambda _request: sleep(10)])
def test_one_clock_runs_over_a_whole_call(slow: object, told: Told) -> None:
    told.instead = slow  # type: ignore[assignment]
    began = monotonic()

    with pytest.raises(OutsideUnavailable), outbound.call(outbound.origin(told.url), total=0.5):
        outbound.http("GET", told.url)
    assert monotonic() - began < 1.5


def test_one_clock_runs_over_calls_to_several_places_of_which_no_late_one_is_blamed(told: Told) -> None:
    with serving(Told(instead=trickle)) as slow, outbound.within(0.3), outbound.within(10):
        assert outbound.http("GET", told.url).status == 200
        with pytest.raises(OutsideUnavailable, match="not available"):
            outbound.http("GET", slow.url)
        with pytest.raises(OutsideUnavailable) as late:
            outbound.http("GET", told.url)

    assert late.value.detail == f"{told.url} was not asked: out of time"
    assert len(told.asked) == 1
    assert outbound.http("GET", told.url).status == 200


@pytest.mark.django_db
def test_nothing_goes_out_inside_a_transaction(told: Told) -> None:
    assert outbound.http("GET", told.url).status == 200
    with transaction.atomic(), pytest.raises(Misuse):
        outbound.http("GET", told.url)
    assert len(told.asked) == 1


def test_a_wrong_certificate_is_refused(told: Told) -> None:
    with pytest.raises(OutsideUnavailable):
        outbound.http("GET", told.url.replace("http:", "https:"))


def test_tls_is_checked_by_the_name_asked_for_and_kept_to_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = embedded_tls.prepare(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(kept.certificate, kept.key)
    with serving(Told(), tls=server) as told:
        with pytest.raises(OutsideUnavailable):
            http_sessions.session().get(told.url)
        monkeypatch.setattr(certifi, "where", lambda: str(tmp_path / "ca.pem"))
        assert http_sessions.session().get(told.url).content == b"hello"

        told.instead = trickle
        began = monotonic()
        with pytest.raises(OutsideUnavailable):
            http_sessions.session(total=0.5).get(told.url)
        assert monotonic() - began < 1.5


def test_no_more_than_four_wait_for_one_place_and_others_are_refused_at_once() -> None:
    permits = destinations.Permits(total=6, patience=0.2)
    go = threading.Event()
    entered: list[str] = []

    def work(name: str) -> str:
        try:
            permits.enter(name)
        except Overloaded:
            return "refused"
        entered.append(name)
        go.wait(5)
        permits.leave(name, failed=False)
        return "served"

    with ThreadPoolExecutor(20) as crowd:
        slow = [crowd.submit(work, "slow") for _ in range(16)]
        sleep(0.5)
        began = monotonic()
        other = [crowd.submit(work, "other") for _ in range(2)]
        sleep(0.1)
        assert entered.count("other") == 2
        go.set()
        outcomes = [future.result() for future in slow]

    assert monotonic() - began < 1
    assert [outcomes.count("served"), outcomes.count("refused")] == [4, 12]
    assert [future.result() for future in other] == ["served", "served"]


def test_whoever_waits_is_served_when_a_permit_comes_free() -> None:
    permits = destinations.Permits(total=1, patience=5)
    permits.enter("place")
    with ThreadPoolExecutor(1) as crowd:
        waiting = crowd.submit(permits.enter, "place")
        sleep(0.1)
        assert not waiting.done()
        permits.leave("place", failed=False)
        waiting.result(2)


def test_a_place_that_fails_five_times_rests_and_is_probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "OPEN_SECONDS", 0.3)
    permits = destinations.Permits(total=8)

    def fare(*, failed: bool) -> None:
        permits.enter("place")
        permits.leave("place", failed=failed)

    for _ in range(4):
        fare(failed=True)
    fare(failed=False)
    for _ in range(5):
        fare(failed=True)
    with pytest.raises(OutsideUnavailable):
        permits.enter("place")
    permits.enter("another place")
    sleep(0.4)
    permits.enter("place")
    with pytest.raises(OutsideUnavailable):
        permits.enter("place")
    permits.leave("place", failed=True)
    with pytest.raises(OutsideUnavailable):
        permits.enter("place")
    sleep(0.4)
    fare(failed=False)
    fare(failed=False)


def test_an_answer_of_500_does_not_open_the_breaker_and_503_does(told: Told) -> None:
    told.status = 500
    for _ in range(8):
        assert outbound.http("GET", told.url).status == 500

    told.status = 503
    for _ in range(5):
        assert outbound.http("GET", told.url).status == 503
    with pytest.raises(OutsideUnavailable):
        outbound.http("GET", told.url)
