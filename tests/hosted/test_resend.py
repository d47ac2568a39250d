"""Asking for a code again: the server says when, the page counts down to it, and neither tells who has an account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from identity.foundation import clock, errors
from identity.foundation.actor import Actor
from pools.models import AppClient, OutboxMessage, User
from pools.services import configuration
from pools.services.messages import send_limits
from pools.services.people import passwords
from pools.services.sign_up import sign_up
from tests import factories
from tests.hosted import in_process
from tests.hosted.world import PASSWORD, Reader

BEGAN = 1_800_000_000
ON_ITS_WAY = "A new code is on its way."
TOO_EARLY = "No new code was sent. You can ask for one in "


class Browser:
    """A browser of Django's own, whose clock a test sets."""

    def __init__(self, app: AppClient) -> None:
        """Have no cookies."""
        self.client = in_process.browser()
        self.base = f"/{app.pool.public_id}"
        self.query = f"?client_id={app.client_id}"
        self.text, self.retry_after, self.until = "", "", 0

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
        self.until = clock.epoch() + sum(self.counted_down())

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
        was_over = not self.waits_still()
        self.send("/resendcode", form=1)
        self.hears(was_over)

    def forget(self, name: str) -> None:
        """Ask for a new password."""
        self.open("/forgotPassword")
        self.send("/forgotPassword", username=name)
        assert ON_ITS_WAY not in self.text

    def ask_again_for_a_password(self, *, is_sent: bool | None = None) -> None:
        """Press that page's button."""
        was_over = not self.waits_still() if is_sent is None else is_sent
        form = Reader(self.text).forms[1]
        self.send("/forgotPassword", form=1, username=form.values["username"])
        self.hears(was_over)

    def waits_still(self) -> bool:
        """Say whether the wait that the page told is not over yet."""
        return self.until > clock.epoch()

    def hears(self, is_sent: bool) -> None:
        """See that the page says whether a code goes out, and how long the wait is where none does."""
        assert (ON_ITS_WAY in self.text) is is_sent
        assert (TOO_EARLY in self.text) is not is_sent

    @property
    def wait(self) -> int:
        """Return what the page counts down from; 0 where it does not."""
        waits = self.counted_down()
        assert self.retry_after == (str(waits[0]) if waits else "")
        return waits[0] if waits else 0

    def counted_down(self) -> list[int]:
        """Return the wait of the page's button, if it has one."""
        return [int(given["data-wait"]) for _, given in Reader(self.text).tags if "data-wait" in given]


@pytest.fixture
def app(transactional_db: None) -> AppClient:
    """Return an app of a pool where people sign up by e-mail address."""
    configuration.cache.forget_everything()
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
    assert sent() == 2  # that page says so: the code is sent


@pytest.mark.parametrize("is_known", [True, False])
def test_a_limit_that_others_reached_is_said_with_its_wait(
    app: AppClient, visitor: Browser, time: time_machine.Traveller, *, is_known: bool
) -> None:
    name, by = "someone@example.com", Actor.visitor(address="192.0.2.1")
    if is_known:
        factories.make_user(app.pool, name, email_verified="true")
    visitor.forget(name)
    time.shift(timedelta(minutes=10))
    for _ in range(4):
        passwords.forgot(app, name, by=by)

    visitor.ask_again_for_a_password(is_sent=False)
    other = Browser(app)
    other.forget(name)

    assert (visitor.wait, sent("recovery")) == (3000, 5)
    for each in (visitor, other):
        assert "No new code was sent. You can ask for one in 50 minutes." in each.text
        assert each.retry_after == "3000"
    time.shift(timedelta(minutes=50))
    visitor.ask_again_for_a_password()
    assert sent("recovery") == 6


def test_a_full_address_is_said_to_who_signs_up(app: AppClient, visitor: Browser, time: time_machine.Traveller) -> None:
    name, by = "someone@example.com", Actor.visitor(address="192.0.2.1")
    sign_up.sign_up(app, name, password=PASSWORD, attributes={}, by=by)
    for _ in range(4):
        sign_up.resend(app, name, by=by)
    time.shift(timedelta(minutes=20))

    visitor.sign_up(name)

    assert "Too many tries. Try again in 40 minutes." in visitor.text
    assert visitor.retry_after == "2400"


def test_a_pool_whose_people_do_not_recover_alone_says_so(app: AppClient, visitor: Browser) -> None:
    by_operator = {"recovery_mechanisms": [{"name": "admin_only", "priority": 1}]}
    pool = factories.make_pool(username_attributes=["email"], account_recovery_setting=by_operator)
    visitor = Browser(factories.make_client(pool, **factories.PAGES))

    visitor.forget("someone@example.com")

    assert "Passwords are set by an administrator here." in visitor.text


def test_whoever_comes_back_by_signing_in_waits_as_before(visitor: Browser, time: time_machine.Traveller) -> None:
    visitor.sign_up("new@example.com")
    time.shift(timedelta(seconds=60))
    visitor.ask_again()
    time.shift(timedelta(seconds=50))

    visitor.sign_in("new@example.com")

    assert "Confirm your account first." in visitor.text
    assert (visitor.wait, sent()) == (70, 2)


@pytest.mark.parametrize("is_known", [True, False])
def test_an_application_is_sent_a_code_each_time_until_the_hours_limit(
    app: AppClient, time: time_machine.Traveller, *, is_known: bool
) -> None:
    name, by = "someone@example.com", Actor.visitor(address="192.0.2.1")
    if is_known:
        sign_up.sign_up(app, name, password=PASSWORD, attributes={}, by=by)
    else:
        sign_up.resend(app, name, by=by)

    for number in range(2, 6):
        time.shift(timedelta(seconds=1))
        assert sign_up.resend(app, name, by=by).destination == "s***@e***"
        assert sent() == number

    for pause in (0, 3595):  # a second before the first is an hour old
        time.shift(timedelta(seconds=pause))
        with pytest.raises(errors.TooManyAttempts):
            sign_up.resend(app, name, by=by)
    time.shift(timedelta(seconds=1))
    sign_up.resend(app, name, by=by)
    assert sent() == 6


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
    assert send_limits.next_code_at(asked) == expected
