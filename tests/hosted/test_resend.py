"""Asking for a code again: the server says when, the page counts down to it, and neither tells who has an account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from pools.models import AppClient, OutboxMessage, User
from pools.services import configuration, messages, passwords, sign_up
from pools.services.audit import Actor
from tests import factories
from tests.hosted import in_process
from tests.hosted.world import PASSWORD, Reader

BEGAN = 1_800_000_000
ON_ITS_WAY = "A new code is on its way."


class Browser:
    """A browser of Django's own, whose clock a test sets."""

    def __init__(self, app: AppClient) -> None:
        """Have no cookies."""
        self.client = in_process.browser()
        self.base = f"/{app.pool.public_id}"
        self.query = f"?client_id={app.client_id}"
        self.text, self.retry_after = "", ""

    def open(self, page: str) -> None:
        """Open a page."""
        self._read(self.client.get(self.base + page + self.query, follow=True))

    def send(self, page: str, form: int = 0, **typed: str) -> None:
        """Send a form of the present page."""
        token = Reader(self.text).forms[form].values["form_token"]
        answer = self.client.post(self.base + page + self.query, {"form_token": token, **typed}, follow=True)
        self._read(answer)

    def _read(self, answer: object) -> None:
        self.text = answer.content.decode()  # type: ignore[attr-defined]
        self.retry_after = answer.headers.get("Retry-After", "")  # type: ignore[attr-defined]

    def sign_up(self, name: str) -> None:
        """Fill in the form of new accounts."""
        self.open("/signup")
        self.send("/signup", username=name, password=PASSWORD)

    def sign_in(self, name: str) -> None:
        """Fill in the form of those who have one."""
        self.open("/login")
        self.send("/login", username=name, password=PASSWORD)

    def ask_again(self) -> None:
        """Press the button, which works without a script."""
        self.send("/resendcode", form=1)
        assert ON_ITS_WAY in self.text

    def forget(self, name: str) -> None:
        """Ask for a new password."""
        self.open("/forgotPassword")
        self.send("/forgotPassword", username=name)
        assert ON_ITS_WAY not in self.text

    def ask_again_for_a_password(self) -> None:
        """Press that page's button."""
        form = Reader(self.text).forms[1]
        self.send("/forgotPassword", form=1, username=form.values["username"])
        assert ON_ITS_WAY in self.text

    @property
    def wait(self) -> int:
        """Return what the page counts down from; 0 where it does not."""
        waits = [int(given["data-wait"]) for _, given in Reader(self.text).tags if "data-wait" in given]
        assert self.retry_after == (str(waits[0]) if waits else "")
        return waits[0] if waits else 0


@pytest.fixture
def app(transactional_db: None) -> AppClient:
    """Return an app of a pool where people sign up by e-mail address."""
    configuration.holdings.forget_everything()
    pool = factories.make_pool(username_attributes=["email"], auto_verified_attributes=["email"])
    return factories.make_client(pool, **factories.PAGES)


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Return a clock that stands still until it is moved."""
    with time_machine.travel(BEGAN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def visitor(app: AppClient) -> Browser:
    """Return a browser without cookies."""
    return Browser(app)


def sent(purpose: str = "sign_up") -> int:
    """Return how many codes of a purpose are in the outbox, those to nobody included."""
    return OutboxMessage.objects.filter(purpose=purpose).count()


def test_each_code_doubles_the_wait_for_the_next_and_five_fill_the_hour(
    visitor: Browser, time: time_machine.Traveller
) -> None:
    visitor.sign_up("new@example.com")
    waits, letters = [visitor.wait], [sent()]

    for _ in range(5):
        time.shift(timedelta(seconds=waits[-1] - 2))
        visitor.ask_again()
        assert (visitor.wait, sent()) == (2, letters[-1])  # too early: nothing goes, and the wait is not begun anew
        time.shift(timedelta(seconds=2))
        visitor.open("/confirm")
        assert visitor.wait == 0
        visitor.ask_again()
        waits.append(visitor.wait)
        letters.append(sent())

    assert waits[:4] == [60, 120, 240, 480]
    assert sum(waits[:5]) == 3600  # a sixth when the first is an hour old
    assert letters == [1, 2, 3, 4, 5, 6]


def test_the_button_says_the_same_of_a_name_that_has_an_account(app: AppClient, time: time_machine.Traveller) -> None:
    taken = "taken@example.com"
    factories.make_user(app.pool, taken, email=taken)
    ways = []
    for name in (taken, "free@example.com"):
        visitor = Browser(app)
        visitor.sign_up(name)
        seen = [visitor.wait]
        for pause in (30, 30, 30, 90, 240):
            time.shift(timedelta(seconds=pause))
            visitor.ask_again()
            seen.append(visitor.wait)
        ways.append(seen)

    assert ways[0] == ways[1] == [60, 30, 120, 90, 240, 480]


@pytest.mark.parametrize("is_known", [True, False])
def test_a_code_for_a_new_password_is_waited_for_alike(
    app: AppClient, visitor: Browser, time: time_machine.Traveller, *, is_known: bool
) -> None:
    name = "someone@example.com"
    if is_known:
        factories.make_user(app.pool, name, email=name)
    visitor.forget(name)
    waits, letters = [visitor.wait], [sent("recovery")]

    for pause in (30, 30, 120):
        time.shift(timedelta(seconds=pause))
        visitor.ask_again_for_a_password()
        waits.append(visitor.wait)
        letters.append(sent("recovery"))

    assert waits == [60, 30, 120, 240]
    assert letters == [1, 1, 2, 3]


def test_the_waits_for_two_purposes_are_two(app: AppClient, visitor: Browser, time: time_machine.Traveller) -> None:
    visitor.sign_up("new@example.com")
    time.shift(timedelta(seconds=60))
    visitor.ask_again()
    time.shift(timedelta(seconds=10))

    visitor.forget("new@example.com")
    assert visitor.wait == 60

    time.shift(timedelta(seconds=20))
    visitor.sign_in("new@example.com")
    assert visitor.wait == 90


def test_what_others_asked_for_is_not_seen(app: AppClient, time: time_machine.Traveller) -> None:
    """One account by two names, or one that somebody else asks for, would be told by a shorter wait."""
    Browser(app).sign_up("new@example.com")
    time.shift(timedelta(seconds=20))
    other = Browser(app)

    other.sign_up("new@example.com")

    assert other.wait == 60
    assert sent() == 1


def test_whoever_comes_back_by_signing_in_waits_as_before(visitor: Browser, time: time_machine.Traveller) -> None:
    visitor.sign_up("new@example.com")
    time.shift(timedelta(seconds=60))
    visitor.ask_again()
    time.shift(timedelta(seconds=50))

    visitor.sign_in("new@example.com")

    assert "Confirm your account first." in visitor.text
    assert (visitor.wait, sent()) == (70, 2)


@pytest.mark.parametrize("is_known", [True, False])
def test_an_application_that_asks_too_early_is_answered_as_ever(
    app: AppClient, time: time_machine.Traveller, *, is_known: bool
) -> None:
    name, by = "someone@example.com", Actor.visitor(address="192.0.2.1")
    if is_known:
        sign_up.sign_up(app, name, password=PASSWORD, attributes={}, by=by)
    else:
        sign_up.resend(app, name, by=by)
    numbers = []

    for pause in (59, 1, 61, 59, 200, 40):
        time.shift(timedelta(seconds=pause))
        assert sign_up.resend(app, name, by=by).destination == "s***@e***"
        numbers.append(sent())

    assert numbers == [2, 2, 2, 3, 3, 4]


def test_a_code_of_another_purpose_does_not_count(app: AppClient, time: time_machine.Traveller) -> None:
    by = Actor.visitor(address="192.0.2.1")
    sign_up.sign_up(app, "some@example.com", password=PASSWORD, attributes={}, by=by)
    User.objects.filter(email="some@example.com").update(status="CONFIRMED", email_verified=True)

    for _ in range(2):
        passwords.forgot(app, "some@example.com", by=by)
        time.shift(timedelta(seconds=60))

    assert OutboxMessage.objects.filter(purpose="recovery").count() == 2


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], 0),
        ([100], 160),
        ([100, 160], 280),
        ([100, 3500, 3600], 3720),  # by then the first is forgotten, and two are fewer than three
        ([0, 60, 180, 420, 900], 3600),
        ([0, 3000, 3060, 3180, 3420], 3900),
    ],
)
def test_the_next_code_is_sent_at(asked: list[int], expected: int) -> None:
    assert messages.next_code_at(asked) == expected
