"""What providers publish, as a process holds it: asked for by one thread, kept while nobody answers, and bounded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from federation import published
from federation.published import Published, State
from identity.foundation.errors import OutsideUnavailable, Overloaded


class Place:
    """Somewhere to read from: counts, and answers a new document each time, unless it is told otherwise."""

    def __init__(self) -> None:
        """Have been asked nothing."""
        self.asked: list[str] = []
        self.problem: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def read(self, url: str) -> list[str]:
        """Answer."""
        self.asked.append(url)
        self.entered.set()
        assert self.open.wait(10)
        if self.problem:
            raise self.problem
        return [url]


@pytest.fixture
def place() -> Place:
    """Return a place."""
    return Place()


def test_threads_that_ask_at_once_wait_for_one_that_reads(place: Place) -> None:
    documents = Published(place.read)
    place.open.clear()

    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(documents.get, "a") for _ in range(8)]
        place.entered.wait(10)
        place.open.set()
        found = [each.result(10) for each in asked]

    assert place.asked == ["a"]
    assert all(each is found[0] for each in found)


def test_whoever_has_an_old_one_does_not_wait(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Published(place.read)
    old = documents.get("a")
    monkeypatch.setattr(published, "FRESH", 0)
    place.open.clear()
    place.entered.clear()

    with ThreadPoolExecutor(1) as threads:
        renewing = threads.submit(documents.get, "a")
        place.entered.wait(10)
        assert documents.get("a") is old
        assert documents.newer("a", old) is old
        place.open.set()
        assert renewing.result(10) is not old

    assert place.asked == ["a", "a"]


def test_nobody_waits_for_ever_for_a_first_one(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Published(place.read)
    monkeypatch.setattr(published, "TOTAL", 0.05)
    place.open.clear()

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(documents.get, "a")
        place.entered.wait(10)
        with pytest.raises(OutsideUnavailable) as late:
            documents.get("a")
        place.open.set()
        first.result(10)

    assert late.value.detail == "nobody has read a in time"


def test_after_a_failure_nobody_is_asked_for_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Published(place.read)
    place.problem = OutsideUnavailable(detail="a answers 500")
    for _ in range(3):
        with pytest.raises(OutsideUnavailable) as caught:
            documents.get("a")
        assert caught.value.detail == "a answers 500"
    assert place.asked == ["a"]

    monkeypatch.setattr(published, "REST", 0)
    place.problem = None
    assert documents.get("a") == ["a"]


def test_having_no_room_to_ask_is_no_failure_of_the_place(place: Place) -> None:
    documents = Published(place.read)
    place.problem = Overloaded()
    with pytest.raises(Overloaded):
        documents.get("a")

    place.problem = None
    assert documents.get("a") == ["a"]


def test_another_document_than_the_known_one_is_asked_for_once_in_a_while(place: Place) -> None:
    documents = Published(place.read)
    first = documents.get("a")
    second = documents.newer("a", first)

    assert second is not first
    assert documents.newer("a", first) is second
    assert documents.newer("a", second) is second
    assert place.asked == ["a", "a"]


def test_only_so_many_are_remembered(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "REMEMBERED", 2)
    documents = Published(place.read)
    for url in ("a", "b", "a", "c"):
        documents.get(url)
    assert place.asked == ["a", "b", "c"]

    documents.get("a")
    documents.get("b")
    assert place.asked == ["a", "b", "c", "b"]


def test_how_reading_went_is_told_and_looking_asks_nobody(place: Place) -> None:
    documents = Published(place.read)
    assert documents.state("a") == State()
    documents.get("a")
    good = documents.state("a")
    assert (good.read_at is not None, good.failed_at, good.problem) == (True, None, "")

    place.problem = OutsideUnavailable(code="answered_status", parameters={"status": 500}, detail="a answers 500")
    documents.ask("a")
    bad = documents.state("a")

    assert (bad.read_at, bad.problem, bad.parameters) == (good.read_at, "answered_status", {"status": 500})
    assert bad.failed_at is not None
    assert documents.get("a") == ["a"]
    place.problem = None
    documents.ask("a")
    assert documents.state("a").problem == ""
    assert place.asked == ["a", "a", "a"]


def test_asking_now_is_no_more_than_there_is_room_for(place: Place) -> None:
    documents = Published(place.read)
    place.problem = Overloaded()

    with pytest.raises(Overloaded):
        documents.ask("a")

    assert documents.state("a") == State()
