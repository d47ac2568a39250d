"""Codes by text message on the pages: asked for at sign-in, set up where required, offered or wanted, turned off."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine

from identity.foundation import clock
from pools.models import AppClient, AuditEvent, BrowserSession, OutboxMessage, User, UserPool
from pools.services import access, configuration
from pools.services.messages import send_limits
from pools.services.pools import user_pools
from pools.services.sign_in import factors, own_factors
from pools.services.sign_in.own_factors import Preference
from tests import factories
from tests.hosted import in_process
from tests.hosted.in_process import PATHS
from tests.hosted.world import Reader

pytestmark = pytest.mark.usefixtures("transactional_db")
BEGAN = 1_800_000_000
PHONE, OTHER = "+12065550100", "+12065550199"
MASKED, MASKED_OTHER = "+*******0100", "+*******0199"
PASSWORD = factories.PASSWORD
WRONG = "That code didn't work. Check it, or ask for a new one."
ON_ITS_WAY, TOO_EARLY = "A new code is on its way.", "No new code was sent. You can ask for one in "


def make_app(mode: str = "OPTIONAL", *, totp: bool = True, **settings: Any) -> AppClient:
    """Return an app of a pool whose people may have codes by text message."""
    configuration.cache.forget_everything()
    pool = factories.make_pool(**settings)
    wanted = {
        "mfa_configuration": mode,
        "sms_mfa_configuration": {"enabled": True},
        "software_token_mfa_configuration": {"enabled": totp},
    }
    user_pools.set_mfa(pool, settings=wanted, by=factories.BY)
    return factories.make_client(access.pool(pool.public_id), **factories.PAGES)


class Browser:
    """A browser of Django's own at one app's pages; it follows where it is led."""

    def __init__(self, app: AppClient) -> None:
        """Have no cookies."""
        self.client, self.app = in_process.browser(), app
        self.text, self.path, self.status, self.retry_after = "", "", 0, ""

    def url(self, page: str) -> str:
        """Return the address of a page, by its name."""
        return f"/{self.app.pool.public_id}/{PATHS[page]}?client_id={self.app.client_id}"

    def open(self, page: str) -> Browser:
        """Open a page."""
        return self._read(self.client.get(self.url(page), follow=True))

    def send(self, form: int = 0, **typed: str) -> Browser:
        """Fill in a form of the present page and send it."""
        found = Reader(self.text).forms[form]
        body = {**found.values, **typed}
        return self._read(self.client.post(found.action, body, follow=True))

    def press(self, label: str, **typed: str) -> Browser:
        """Press the button of that label, in whichever form it is."""
        for number, part in enumerate(re.findall(r"<form\b.*?</form>", self.text, re.DOTALL)):
            for button in re.findall(r"<button\b.*?</button>", part, re.DOTALL):
                if label in " ".join(re.sub(r"<[^>]*>", " ", html.unescape(button)).split()):
                    _, given = next(each for each in Reader(button).tags if each[0] == "button")
                    named = {given["name"]: given["value"]} if "name" in given else {}
                    return self.send(number, **named, **typed)
        raise AssertionError(label)

    def _read(self, answer: Any) -> Browser:  # noqa: ANN401 - Django's answer
        self.text, self.status = html.unescape(answer.content.decode()), answer.status_code
        chain = answer.redirect_chain
        self.path = (chain[-1][0] if chain else answer.request["PATH_INFO"]).partition("?")[0].split("/", 2)[2]
        self.retry_after = answer.headers.get("Retry-After", "")
        return self

    def sign_in(self, name: str) -> Browser:
        """Sign in by name and password."""
        self.open("sign_in")
        return self.send(username=name, password=PASSWORD)

    @property
    def at(self) -> str:
        """Return the name of the present page."""
        return next((name for name, path in PATHS.items() if path == self.path), self.path)

    @property
    def is_in(self) -> bool:
        """Say whether somebody is signed in and led on: without a request of an app, to their account."""
        return self.at == "account"

    @property
    def alert(self) -> str:
        """Return what is wrong."""
        return Reader(self.text).alert.strip()

    @property
    def wait(self) -> int:
        """Return what the page counts down from; 0 where it does not."""
        return next((int(given["data-wait"]) for _, given in Reader(self.text).tags if "data-wait" in given), 0)


@pytest.fixture
def app(transactional_db: None) -> AppClient:
    """Return an app of a pool whose people may have both kinds."""
    return make_app()


@pytest.fixture
def pool(app: AppClient) -> UserPool:
    """Return its pool."""
    return app.pool


@pytest.fixture
def visitor(app: AppClient) -> Browser:
    """Return a browser without cookies."""
    return Browser(app)


@pytest.fixture
def person(pool: UserPool) -> User:
    """Return somebody who has codes by text message asked for."""
    made = factories.make_user(pool, "alice", email="alice@example.com", phone_number=PHONE)
    own_factors.set_preference(pool, made, {"sms": Preference(enabled=True)}, by=factories.BY)
    return made


@pytest.fixture
def time() -> Iterator[time_machine.Traveller]:
    """Return a clock that stands still until it is moved."""
    with time_machine.travel(BEGAN, tick=False) as traveller:
        yield traveller


def code(to: str = PHONE) -> str:
    return factories.newest_code(to)


def wrong(to: str = PHONE) -> str:
    """Return six digits that are not that code."""
    return "111111" if code(to) != "111111" else "222222"


def sent(pool: UserPool) -> int:
    """Return how many codes went out as a second factor."""
    return OutboxMessage.objects.filter(pool_id=pool.pk, purpose="second_factor").count()


def on(pool: UserPool, person: User) -> set[str]:
    """Return which factors of somebody are on."""
    return {each.kind for each in factors.of(access.user_by_sub(pool, person.sub)) if each.enabled}


def has_both(pool: UserPool, person: User) -> pyotp.TOTP:
    """Give somebody an authenticator too, neither of both preferred."""
    app = factories.give_totp(pool, person)
    own_factors.set_preference(pool, person, dict.fromkeys(("totp", "sms"), Preference(enabled=True)), by=factories.BY)
    return app


class TestSignIn:
    def test_a_code_is_sent_asked_for_and_signs_in(self, pool: UserPool, visitor: Browser, person: User) -> None:
        visitor.sign_in("alice")

        assert (visitor.at, sent(pool)) == ("sms", 1)
        assert MASKED in visitor.text
        assert PHONE not in visitor.text
        field = Reader(visitor.text).forms[0]["code"]
        assert (field["autocomplete"], field["inputmode"]) == ("one-time-code", "numeric")
        assert visitor.send(code=code()).is_in

    def test_a_wrong_code_is_said_at_its_field_and_the_right_one_signs_in_still(
        self, visitor: Browser, person: User
    ) -> None:
        visitor.sign_in("alice").send(code=wrong())

        assert (visitor.at, visitor.status) == ("sms", 200)
        assert visitor.alert == WRONG
        assert MASKED in visitor.text
        assert visitor.send(code=code()).is_in

    def test_an_attempt_that_is_too_old_starts_again(
        self, visitor: Browser, person: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("alice")
        right = code()
        time.shift(timedelta(minutes=21))

        visitor.send(code=right)

        assert visitor.at == "sign_in"
        assert "That took too long. Please sign in again." in visitor.text

    def test_a_code_that_is_too_old_is_refused_while_the_attempt_lives(
        self, visitor: Browser, person: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("alice")
        right = code()
        time.shift(timedelta(minutes=16))

        visitor.send(code=right)

        assert (visitor.at, visitor.alert) == ("sms", WRONG)
        visitor.press("Send a new code")
        assert visitor.send(code=code()).is_in

    def test_tries_end_and_no_code_signs_in_then(self, visitor: Browser, person: User) -> None:
        visitor.sign_in("alice")
        no = wrong()
        for _ in range(5):
            assert visitor.send(code=no).at == "sms"

        visitor.send(code=code())

        assert visitor.at == "sign_in"

    def test_another_code_is_sent_once_the_wait_is_over(
        self, pool: UserPool, visitor: Browser, person: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("alice")
        assert (visitor.wait, visitor.retry_after) == (60, "60")

        time.shift(timedelta(seconds=50))
        visitor.press("Send a new code")
        assert (visitor.at, sent(pool)) == ("sms", 1)
        assert TOO_EARLY + "10 seconds." in visitor.text

        time.shift(timedelta(seconds=10))
        before = code()
        visitor.press("Send a new code")
        assert (sent(pool), visitor.wait) == (2, 120)
        assert ON_ITS_WAY in visitor.text
        if before != code():
            assert visitor.send(code=before).alert == WRONG
        assert visitor.send(code=code()).is_in

    def test_who_starts_again_waits_longer_for_a_new_code(
        self, pool: UserPool, visitor: Browser, person: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("alice")
        visitor.sign_in("alice")

        assert (visitor.at, visitor.wait, sent(pool)) == ("sms", 120, 2)

    def test_a_send_limit_is_said_with_its_wait(
        self,
        pool: UserPool,
        visitor: Browser,
        person: User,
        time: time_machine.Traveller,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(send_limits.APART, "second_factor", 1)
        visitor.sign_in("alice")
        time.shift(timedelta(minutes=10))

        visitor.press("Send a new code")

        assert (visitor.at, sent(pool), visitor.retry_after) == ("sms", 1, "3000")
        assert TOO_EARLY + "50 minutes." in visitor.text
        again = Browser(visitor.app).sign_in("alice")
        assert (again.at, again.status) == ("sign_in", 429)
        assert again.retry_after == "3000"

    def test_a_person_who_is_disabled_meanwhile_does_not_come_in(
        self, pool: UserPool, visitor: Browser, person: User
    ) -> None:
        visitor.sign_in("alice")
        right = code()
        User.objects.filter(pk=person.pk).update(enabled=False)

        visitor.send(code=right)

        assert visitor.alert.startswith("That sign-in didn't work.")

    def test_an_attempt_of_another_pool_opens_nothing(self, visitor: Browser, person: User) -> None:
        stranger = Browser(make_app())
        stranger.open("sign_in")
        visitor.sign_in("alice")
        here, there = (each.app.pool.public_id.rpartition("_")[2] for each in (visitor, stranger))
        for name, value in in_process.cookies_of(visitor.client).items():
            stranger.client.cookies[name.replace(here, there)] = value

        stranger.open("sms")

        assert stranger.at == "sign_in"
        assert MASKED not in stranger.text

    def test_the_page_of_another_kind_leads_to_the_one_that_is_due(self, visitor: Browser, person: User) -> None:
        visitor.sign_in("alice")

        for page in ("totp", "factor_choice", "new_password"):
            assert visitor.open(page).at == "sms"
        assert Browser(visitor.app).open("sms").at == "sign_in"

    def test_no_name_is_told_from_another_before_the_password_is_right(
        self, pool: UserPool, app: AppClient, person: User
    ) -> None:
        pages = []
        for name in ("alice", "nobody"):
            visitor = Browser(app)
            visitor.open("sign_in").send(username=name, password="Wrong-horse-1")
            text = re.sub(r"[0-9a-f]{96}", "TOKEN", visitor.text).replace(name, "NAME")
            pages.append((visitor.status, visitor.path, re.sub(r"<code>.*?</code>", "", text)))

        assert pages[0] == pages[1]
        assert sent(pool) == 0


class TestChoice:
    def test_who_has_both_and_prefers_none_chooses(self, pool: UserPool, visitor: Browser, person: User) -> None:
        has_both(pool, person)

        visitor.sign_in("alice")
        assert (visitor.at, sent(pool)) == ("factor_choice", 0)
        visitor.press("Text message")

        assert (visitor.at, sent(pool)) == ("sms", 1)
        assert visitor.send(code=code()).is_in

    def test_the_authenticator_is_chosen_as_well(self, pool: UserPool, visitor: Browser, person: User) -> None:
        totp = has_both(pool, person)

        visitor.sign_in("alice").press("Authenticator app")

        assert (visitor.at, sent(pool)) == ("totp", 0)
        with time_machine.travel(clock.now() + timedelta(seconds=30), tick=False):
            assert visitor.send(code=totp.at(clock.epoch())).is_in

    def test_who_prefers_one_may_take_the_other(self, pool: UserPool, visitor: Browser, person: User) -> None:
        has_both(pool, person)
        own_factors.set_preference(pool, person, {"totp": Preference(enabled=True, preferred=True)}, by=factories.BY)

        visitor.sign_in("alice").press("Get a code by text message")
        assert (visitor.at, sent(pool)) == ("sms", 1)
        assert MASKED in visitor.text
        visitor.press("Use your authenticator app")
        assert (visitor.at, sent(pool)) == ("totp", 1)
        visitor.press("Get a code by text message")

        assert visitor.send(code=code()).is_in

    @pytest.mark.parametrize("other", ["card", "", "sms\x00", "totp", "password"])
    def test_another_that_is_none_of_theirs_changes_nothing(
        self, pool: UserPool, visitor: Browser, person: User, other: str
    ) -> None:
        totp = has_both(pool, person)
        own_factors.set_preference(pool, person, {"totp": Preference(enabled=True, preferred=True)}, by=factories.BY)

        visitor.sign_in("alice").send(other=other)

        assert (visitor.at, visitor.status, sent(pool)) == ("totp", 200, 0)
        assert visitor.alert == "Choose one of these."
        with time_machine.travel(clock.now() + timedelta(seconds=30), tick=False):
            assert visitor.send(code=totp.at(clock.epoch())).is_in

    def test_who_has_one_is_offered_no_other(self, visitor: Browser, person: User) -> None:
        assert "Use your authenticator app" not in visitor.sign_in("alice").text

    def test_a_send_limit_leaves_the_app_to_ask_for(
        self, pool: UserPool, visitor: Browser, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        has_both(pool, person)
        own_factors.set_preference(pool, person, {"totp": Preference(enabled=True, preferred=True)}, by=factories.BY)
        monkeypatch.setattr(send_limits, "_full", lambda *_: 3000)

        visitor.sign_in("alice").press("Get a code by text message")

        assert (visitor.at, visitor.status, visitor.retry_after) == ("totp", 429, "3000")
        assert visitor.alert == "Too many tries. Try again in 50 minutes."

    @pytest.mark.parametrize("chosen", ["card", "", "sms\x00", "password"])
    def test_what_is_none_of_theirs_is_asked_again(
        self, pool: UserPool, visitor: Browser, person: User, chosen: str
    ) -> None:
        has_both(pool, person)

        visitor.sign_in("alice").send(factor=chosen)

        assert (visitor.at, visitor.status, sent(pool)) == ("factor_choice", 200, 0)
        assert visitor.alert == "Choose one of these."
        assert visitor.press("Text message").at == "sms"

    def test_a_send_limit_leaves_the_other_to_choose(
        self, pool: UserPool, visitor: Browser, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        has_both(pool, person)
        monkeypatch.setitem(send_limits.APART, "second_factor", 0)
        monkeypatch.setattr(send_limits, "_full", lambda *_: 3000)

        visitor.sign_in("alice").press("Text message")

        assert (visitor.at, visitor.status, visitor.retry_after) == ("factor_choice", 429, "3000")
        assert visitor.alert == "Too many tries. Try again in 50 minutes."
        assert visitor.press("Authenticator app").at == "totp"

    def test_the_choice_of_nobody_starts_again(self, visitor: Browser) -> None:
        assert visitor.open("factor_choice").at == "sign_in"


class TestRequired:
    @pytest.fixture
    def app(self, transactional_db: None) -> AppClient:
        """Return an app of a pool that requires one of both."""
        return make_app("ON")

    @pytest.fixture
    def bob(self, pool: UserPool) -> User:
        """Return somebody without a number."""
        return factories.make_user(pool, "bob", email="bob@example.com")

    def test_a_number_is_given_and_its_code_signs_in(self, pool: UserPool, visitor: Browser, bob: User) -> None:
        visitor.sign_in("bob")
        assert visitor.at == "factor_setup"
        visitor.press("Text message")
        assert (Reader(visitor.text).forms[0]["phone_number"]["type"], sent(pool)) == ("tel", 0)

        visitor.send(phone_number="(206) 555-0100", phone_number_country="US")
        assert (visitor.at, sent(pool)) == ("factor_setup", 1)
        assert MASKED in visitor.text
        assert visitor.send(code=wrong()).alert == WRONG

        assert visitor.send(code=code()).is_in
        kept = access.user_by_sub(pool, bob.sub)
        assert (kept.phone_number, kept.phone_number_verified, on(pool, bob)) == (PHONE, True, {"sms"})
        assert Browser(visitor.app).sign_in("bob").at == "sms"

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ("", "Enter your phone number."),
            ("0664 1234567", "Choose the country of this number, or begin with + and the country code."),
            ("+1", "That isn't a phone number. Check its digits and the country."),
            ("bob@example.com", "Choose the country of this number, or begin with + and the country code."),
        ],
    )
    def test_what_is_no_number_is_said_at_its_field(
        self, pool: UserPool, visitor: Browser, bob: User, typed: str, said: str
    ) -> None:
        visitor.sign_in("bob").press("Text message").send(phone_number=typed)

        assert (visitor.at, sent(pool)) == ("factor_setup", 0)
        assert visitor.alert == said
        assert visitor.send(phone_number=PHONE).at == "factor_setup"
        assert sent(pool) == 1

    def test_another_number_takes_the_place_of_a_wrong_one_at_once(
        self, pool: UserPool, visitor: Browser, bob: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("bob").press("Text message").send(phone_number=OTHER)
        visitor.press("Use another number")
        assert Reader(visitor.text).forms[0]["phone_number"]["value"] == OTHER

        visitor.send(phone_number=PHONE)

        assert (sent(pool), MASKED in visitor.text, MASKED_OTHER in visitor.text) == (2, True, False)
        assert visitor.send(code=code()).is_in
        assert access.user_by_sub(pool, bob.sub).phone_number == PHONE

    def test_the_same_number_again_waits_and_its_code_stays_good(
        self, pool: UserPool, visitor: Browser, bob: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("bob").press("Text message").send(phone_number=PHONE)
        time.shift(timedelta(seconds=20))

        visitor.press("Use another number").send(phone_number=PHONE)

        assert sent(pool) == 1
        assert TOO_EARLY + "40 seconds." in visitor.text
        assert visitor.send(code=code()).is_in

    def test_another_code_is_sent_once_the_wait_is_over(
        self, pool: UserPool, visitor: Browser, bob: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("bob").press("Text message").send(phone_number=PHONE)
        assert (visitor.wait, visitor.retry_after) == (60, "60")
        visitor.press("Send a new code")
        assert (sent(pool), TOO_EARLY in visitor.text) == (1, True)
        time.shift(timedelta(seconds=60))

        visitor.press("Send a new code")

        assert (sent(pool), ON_ITS_WAY in visitor.text, visitor.wait) == (2, True, 120)
        assert visitor.send(code=code()).is_in

    def test_the_other_kind_can_be_taken_instead_and_back(
        self, pool: UserPool, visitor: Browser, bob: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("bob").press("Text message").send(phone_number=PHONE)
        visitor.press("Use something else").press("Authenticator app")
        assert "otpauth://" in visitor.text

        visitor.press("Use something else").press("Text message")

        assert sent(pool) == 1  # the wait is not over, and the code still good
        assert visitor.send(code=code()).is_in

    @pytest.mark.parametrize("chosen", ["card", "", "sms\x00"])
    def test_a_kind_that_is_none_leads_back_to_the_choice(self, visitor: Browser, bob: User, chosen: str) -> None:
        visitor.sign_in("bob").send(factor=chosen)

        assert visitor.at == "factor_setup"
        assert "Authenticator app" in visitor.text

    def test_an_attempt_that_is_too_old_starts_again(
        self, pool: UserPool, visitor: Browser, bob: User, time: time_machine.Traveller
    ) -> None:
        visitor.sign_in("bob").press("Text message")
        time.shift(timedelta(minutes=21))

        visitor.send(phone_number=PHONE)

        assert (visitor.at, sent(pool)) == ("sign_in", 0)
        assert "That took too long. Please sign in again." in visitor.text

    def test_with_one_kind_the_number_is_asked_for_at_once(self) -> None:
        app = make_app("ON", totp=False)
        factories.make_user(app.pool, "bob")

        visitor = Browser(app).sign_in("bob")

        assert "phone_number" in Reader(visitor.text).forms[0].values
        assert "Use something else" not in visitor.text
        assert visitor.send(phone_number=PHONE).send(code=code()).is_in

    def test_who_has_a_number_is_sent_a_code_and_sets_nothing_up(self, pool: UserPool, visitor: Browser) -> None:
        factories.make_user(pool, "carol", phone_number=PHONE)

        visitor.sign_in("carol")

        assert (visitor.at, sent(pool)) == ("sms", 1)
        assert visitor.send(code=code()).is_in
        visitor.open("account_mfa")
        assert "On. We send a code to" in visitor.text
        assert "It can't be removed" in visitor.text

    def test_a_number_that_is_anothers_name_is_refused(self) -> None:
        app = make_app("ON", alias_attributes=["phone_number"])
        factories.make_user(app.pool, "owner", phone_number=PHONE, phone_number_verified="true")
        bob = factories.make_user(app.pool, "bob")
        visitor = Browser(app).sign_in("bob").press("Text message").send(phone_number=PHONE)

        visitor.send(code=code())

        assert visitor.at == "factor_setup"
        assert visitor.alert == "This number already belongs to another account. Use another number."
        assert on(app.pool, bob) == set()
        assert visitor.press("Use another number").send(phone_number=OTHER).send(code=code(OTHER)).is_in

    def test_a_form_sent_twice_sends_one_message_and_has_one_answer(
        self, pool: UserPool, visitor: Browser, bob: User
    ) -> None:
        visitor.sign_in("bob").press("Text message")
        form = Reader(visitor.text).forms[0]
        body = {**form.values, "phone_number": PHONE}
        held = in_process.browser(in_process.cookies_of(visitor.client))

        first, second = (each.post(form.action, body) for each in (visitor.client, held))

        assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
        assert sent(pool) == 1
        assert MASKED in held.get(second["Location"]).content.decode()


class TestOffered:
    def fresh(self, visitor: Browser) -> Browser:
        """Sign up, and confirm the account."""
        name = f"new{factories.number()}@example.com"
        visitor.open("sign_up").send(username=name, password=PASSWORD)
        return visitor.send(code=factories.newest_code(name))

    @pytest.fixture
    def app(self, transactional_db: None) -> AppClient:
        """Return an app of a pool where people sign up by email address."""
        return make_app(username_attributes=["email"], auto_verified_attributes=["email"])

    def test_both_are_offered_and_not_now_goes_on(self, pool: UserPool, visitor: Browser) -> None:
        self.fresh(visitor)
        assert visitor.at == "factor_setup"
        assert Reader(visitor.text).links["Not now"].startswith(f"/{pool.public_id}/account?")

        visitor.open("account")

        assert visitor.at == "account"
        assert sent(pool) == 0

    def test_text_messages_are_set_up_by_a_number_that_is_given(self, pool: UserPool, visitor: Browser) -> None:
        self.fresh(visitor).press("Text message").send(phone_number=PHONE)
        assert "Not now" in Reader(visitor.text).links

        assert visitor.send(code=code()).is_in

        kept = User.objects.get(pool_id=pool.pk)
        assert (kept.phone_number, kept.phone_number_verified, on(pool, kept)) == (PHONE, True, {"sms"})
        assert visitor.open("account").at == "account"

    def test_a_number_that_is_known_is_shown_masked_and_sent_to(self, pool: UserPool, visitor: Browser) -> None:
        self.fresh(visitor)
        User.objects.filter(pool_id=pool.pk).update(phone_number=PHONE)

        visitor.press("Text message")

        assert (sent(pool), MASKED in visitor.text, "Use another number" in visitor.text) == (1, True, False)
        assert visitor.send(code=code()).is_in

    def test_alone_it_sends_nothing_before_it_is_asked_to(self) -> None:
        app = make_app(totp=False, username_attributes=["email"], auto_verified_attributes=["email"])
        visitor = self.fresh(Browser(app))
        assert "phone_number" in Reader(visitor.text).forms[0].values
        User.objects.filter(pool_id=app.pool.pk).update(phone_number=PHONE)
        visitor.open("factor_setup")
        assert (MASKED in visitor.text, sent(app.pool)) == (True, 0)

        assert visitor.press("Send the code").send(code=code()).is_in

        assert sent(app.pool) == 1

    def test_nothing_begins_long_after_the_sign_in(self, pool: UserPool, visitor: Browser) -> None:
        self.fresh(visitor)
        BrowserSession.objects.filter(pool_id=pool.pk).update(auth_time=clock.now() - timedelta(minutes=11))

        assert visitor.press("Text message").is_in

        assert sent(pool) == 0

    def test_what_is_sent_does_not_hold_back_who_goes_back_to_the_first_code(self, visitor: Browser) -> None:
        self.fresh(visitor).press("Text message").send(phone_number=PHONE)

        assert visitor.open("confirm").at == "sign_in"


class TestAccount:
    @pytest.fixture
    def bob(self, pool: UserPool) -> User:
        """Return somebody with a number and no second factor."""
        return factories.make_user(pool, "bob", email="bob@example.com", phone_number=PHONE)

    def inside(self, visitor: Browser, name: str = "bob") -> Browser:
        """Sign in by password, and look at the page."""
        visitor.sign_in(name)
        return visitor.open("account_mfa")

    def test_each_kind_is_a_setting_of_its_own(self, visitor: Browser, bob: User) -> None:
        self.inside(visitor)
        for page in ("account", "account_mfa"):
            visitor.open(page)
            headings = re.findall(r"<h2 id=\"\w+\">(.*?)</h2>", visitor.text)
            assert headings[-3 if page == "account" else 0 :][:2] == ["Authenticator app", "Text message"]
            assert visitor.text.count("A password alone opens your account.") == 2

    def test_it_is_turned_on_by_a_code_and_off_after_a_question(
        self, pool: UserPool, visitor: Browser, bob: User
    ) -> None:
        self.inside(visitor).send(form=1, action="start")
        assert (visitor.at, sent(pool), MASKED in visitor.text) == ("account_mfa", 1, True)
        assert visitor.send(code=wrong()).alert == WRONG
        assert on(pool, bob) == set()

        visitor.send(code=code())
        assert "Text messages are set up." in visitor.text
        assert "On. We send a code to" in visitor.text
        assert on(pool, bob) == {"sms"}
        assert Browser(visitor.app).sign_in("bob").at == "sms"

        visitor.press("Turn off")
        assert "Turn off text messages?" in visitor.text
        assert on(pool, bob) == {"sms"}
        visitor.press("Turn off text messages")
        assert "Text messages are turned off." in visitor.text
        assert on(pool, bob) == set()
        assert access.user_by_sub(pool, bob.sub).phone_number == PHONE

    def test_who_has_no_number_gives_one(self, pool: UserPool, visitor: Browser) -> None:
        dan = factories.make_user(pool, "dan")
        self.inside(visitor, "dan").send(form=1, action="start")
        assert sent(pool) == 0

        visitor.send(phone_number=PHONE)
        visitor.send(code=code())

        assert on(pool, dan) == {"sms"}

    def test_a_set_up_is_left_again_and_a_code_waited_for_as_before(
        self, pool: UserPool, visitor: Browser, bob: User, time: time_machine.Traveller
    ) -> None:
        self.inside(visitor).send(form=1, action="start")

        visitor.press("Cancel")
        assert visitor.text.count(">Set up</button>") == 2
        time.shift(timedelta(seconds=20))
        visitor.send(form=1, action="start")

        assert sent(pool) == 1
        assert TOO_EARLY + "40 seconds." in visitor.text
        assert "Text messages are set up." in visitor.send(code=code()).text

    @pytest.mark.parametrize(
        ("action", "chosen"),
        [
            ("start", {"factor": "totp"}),
            ("remove", {"factor": "sms"}),
            ("remove_now", {"factor": "sms"}),
            ("prefer", {"first": "sms"}),
        ],
    )
    def test_nothing_changes_without_a_recent_proof(
        self, pool: UserPool, visitor: Browser, person: User, action: str, chosen: dict[str, str]
    ) -> None:
        visitor.sign_in("alice")
        if action == "prefer":
            has_both(pool, person)
            visitor.sign_in("alice").press("Text message")
        visitor.send(code=code())
        visitor.open("account_mfa")
        before, kinds = sent(pool), on(pool, person)
        BrowserSession.objects.filter(pool_id=pool.pk).update(auth_time=clock.now() - timedelta(minutes=11))

        visitor.send(0, action=action, **chosen)

        assert visitor.at == "sign_in"
        assert "Confirm that it's you before you change how you sign in." in visitor.text
        assert (sent(pool), on(pool, person)) == (before, kinds)
        assert factors.preferred(access.user_by_sub(pool, person.sub)) == ""

    @pytest.mark.parametrize("first", ["totp", "sms", ""])
    def test_who_has_both_says_which_comes_first(
        self, pool: UserPool, visitor: Browser, person: User, first: str
    ) -> None:
        has_both(pool, person)
        visitor.sign_in("alice").press("Text message").send(code=code())
        visitor.open("account_mfa")

        visitor.press("Save", first=first)

        assert "Your choice is saved." in visitor.text
        assert re.search(rf'<option value="{first}" selected>', visitor.text)
        assert factors.preferred(access.user_by_sub(pool, person.sub)) == first
        assert Browser(visitor.app).sign_in("alice").at == (first or "factor_choice")

    @pytest.mark.parametrize("first", ["card", "sms\x00", "password"])
    def test_what_is_none_of_theirs_comes_not_first(
        self, pool: UserPool, visitor: Browser, person: User, first: str
    ) -> None:
        has_both(pool, person)
        visitor.sign_in("alice").press("Text message").send(code=code())
        visitor.open("account_mfa")

        visitor.press("Save", first=first)

        assert visitor.at == "account_mfa"
        assert factors.preferred(access.user_by_sub(pool, person.sub)) == ""
        assert on(pool, person) == {"totp", "sms"}

    def test_with_one_on_there_is_no_first(self, pool: UserPool, visitor: Browser, person: User) -> None:
        visitor.sign_in("alice").send(code=code())
        visitor.open("account_mfa")
        assert "Ask first for" not in visitor.text

        visitor.send(action="prefer", first="sms")

        assert factors.preferred(access.user_by_sub(pool, person.sub)) == ""

    @pytest.mark.parametrize("action", ["start", "remove", "remove_now"])
    @pytest.mark.parametrize("kind", ["card", "", "sms\x00"])
    def test_a_kind_that_is_none_changes_nothing(
        self, pool: UserPool, visitor: Browser, bob: User, action: str, kind: str
    ) -> None:
        self.inside(visitor)
        before = AuditEvent.objects.filter(pool_id=pool.pk).count()

        visitor.send(factor=kind, action=action)

        assert (visitor.at, visitor.status, sent(pool)) == ("account_mfa", 200, 0)
        assert AuditEvent.objects.filter(pool_id=pool.pk).count() == before

    def test_what_a_pool_requires_goes_only_while_another_is_on(self) -> None:
        app = make_app("ON")
        person = factories.make_user(app.pool, "alice", phone_number=PHONE)
        visitor = Browser(app).sign_in("alice").send(code=code())
        for action in ("remove", "remove_now"):
            visitor.open("account_mfa").send(factor="sms", action=action)
            assert "is required here" in visitor.text
            assert "turned off" not in visitor.text
        visitor.send(form=0, factor="totp", action="start")
        secret = re.search(r"secret=([A-Z2-7]{32})", visitor.text)
        assert secret
        visitor.send(code=pyotp.TOTP(secret[1]).now())
        assert on(app.pool, person) == {"totp"}
        visitor.send(factor="totp", action="remove_now")
        assert on(app.pool, person) == {"totp"}

        visitor.send(form=0, factor="sms", action="start")
        visitor.send(code=code())
        assert on(app.pool, person) == {"totp", "sms"}
        visitor.open("account_mfa").press("Remove")
        assert "Your other second step stays on." in visitor.text
        visitor.press("Remove authenticator app")

        assert on(app.pool, person) == {"sms"}

    def test_a_form_sent_twice_is_one_wish(self, pool: UserPool, visitor: Browser, bob: User) -> None:
        self.inside(visitor)
        form = Reader(visitor.text).forms[1]
        body = {**form.values, "action": "start"}
        held = in_process.browser(in_process.cookies_of(visitor.client))

        first, second = (each.post(form.action, body) for each in (visitor.client, held))

        assert (first.status_code, second.status_code, sent(pool)) == (303, 303, 1)
        assert first["Location"] == second["Location"]

    def test_a_pool_without_second_factors_has_no_such_page(self, transactional_db: None) -> None:
        app = factories.make_client(factories.make_pool(), **factories.PAGES)
        factories.make_user(app.pool, "bob")
        visitor = Browser(app).sign_in("bob")

        visitor.open("account_mfa")

        assert visitor.status == 400
        assert "There is no second step here" in visitor.text
        assert "Authenticator app" not in visitor.open("account").text
