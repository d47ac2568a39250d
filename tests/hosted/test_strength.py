"""What a page's script is told of a password that is being chosen: how strong it is, and nothing is kept of it."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from identity.foundation import clock
from pools.hosted import strength
from pools.services.people import password_strength
from tests.federation.servers import Told, serving
from tests.hosted.world import PASSWORD, TIMEOUT, Page, Visitor, World


def asked(page: Page) -> dict[str, str]:
    """Return what a page says about where and how to ask."""
    return next(given for _, given in page.read.tags if "data-strength" in given)


def ask(visitor: Visitor, password: str, *, username: str = "", at: str = "", **more: Any) -> requests.Response:
    """Ask as the page's script does."""
    place = asked(visitor.here)
    body = {place["data-token-field"]: place["data-token"], "username": username, "password": password}
    own = visitor.world.live.base_url
    headers = {"Host": urlsplit(own).netloc, **more.pop("headers", {})}
    url = (at or own) + place["data-url"]
    return visitor.session.post(url, {**body, **more.pop("body", {})}, headers=headers, timeout=TIMEOUT, **more)


@pytest.mark.parametrize(
    ("password", "score", "said"),
    [
        ("Password1!", 1, "Weak – add another word"),
        ("password", 0, "Very weak – many people use this one, choose another"),
        ("qwertyuiop[]", 1, "Weak – avoid keys that lie side by side"),
        ("aaaaaaaaaaaa", 0, "Very weak – avoid repeats"),
        ("Correct-horse-7", 4, "Strong"),
        ("", 0, "Very weak – add another word"),
    ],
)
def test_a_password_is_scored_in_words(visitor: Visitor, password: str, score: int, said: str) -> None:
    visitor.start("/signup")

    answer = ask(visitor, password)

    assert answer.json() == {"score": score, "said": said}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_the_own_name_makes_a_password_weak(visitor: Visitor) -> None:
    visitor.start("/signup")

    alone = ask(visitor, "Wolkenkuckucksheim").json()["score"]
    own = ask(visitor, "Wolkenkuckucksheim", username="wolkenkuckucksheim@example.org").json()["score"]

    assert own < alone


def test_whether_a_password_has_leaked_is_asked_when_it_is_chosen_and_not_before(visitor: Visitor) -> None:
    password = f"Correct-horse-{secrets.token_hex(8)}"
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    visitor.start("/signup")

    with (
        serving(Told(body=f"{digest[5:]}:7\r\n".encode())) as ranges,
        visitor.world.live.second_web(BREACHED_PASSWORDS_URL=f"{ranges.url}/range/") as asking,
    ):
        typed = ask(visitor, password, at=asking)
        asked_while_typing = list(ranges.paths)
        chosen = ask(visitor, password, at=asking, body={"chosen": "1"})
        another = ask(visitor, f"{password}s", at=asking, body={"chosen": "1"})

    assert (typed.json()["score"], asked_while_typing) == (4, [])
    assert chosen.json() == {"score": 0, "said": "Very weak – this one is in a known leak, choose another"}
    assert ranges.paths[0] == f"/range/{digest[:5]}"
    assert (another.json(), len(ranges.paths)) == ({"score": 4, "said": "Strong"}, 2)


@pytest.mark.parametrize("path", ["/signup", "/confirmForgotPassword"])
def test_every_page_that_sets_a_password_asks(visitor: Visitor, path: str) -> None:
    page = visitor.start(path)

    place = asked(page)
    assert place["data-strength"] in {field.name for field in page.form.fields}
    assert "hidden" in place
    assert ask(visitor, PASSWORD).json()["score"] == 4


@pytest.mark.parametrize("app", [True, False])
def test_a_page_of_somebody_signed_in_asks(app: bool, world: World, visitor: Visitor) -> None:
    visitor.sign_in(world.person())
    visitor.open(f"{world.base}/account/password" + (f"?client_id={world.client_id}" if app else ""))

    assert asked(visitor.here)["data-strength"] == "new_password"
    assert ask(visitor, PASSWORD).json()["score"] == 4
    assert any(
        given.get("src", "").endswith("strength.js") or "/strength." in given.get("src", "")
        for _, given in visitor.here.read.tags
    )


def test_a_page_of_an_invited_person_asks(world: World, visitor: Visitor) -> None:
    visitor.sign_in(world.person(temporary=True))

    assert ask(visitor, PASSWORD).json()["score"] == 4


@pytest.mark.parametrize(
    "more",
    [
        {"body": {"form_token": ""}},
        {"body": {"form_token": "0" * 64}},
        {"headers": {"Origin": "https://evil.example"}},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
    ],
)
def test_another_site_is_told_nothing(visitor: Visitor, more: dict[str, Any]) -> None:
    visitor.start("/signup")

    answer = ask(visitor, PASSWORD, **more)

    assert answer.status_code == 403
    assert "score" not in answer.text


def test_there_is_nothing_to_read(world: World, visitor: Visitor) -> None:
    answer = requests.get(world.url("/passwordStrength"), timeout=TIMEOUT)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.fixture
def used_up(world: World, visitor: Visitor) -> Iterator[None]:
    """Use up what the visitor's address may ask, in this minute and the next."""
    minute = clock.epoch() // strength.WINDOW
    slots = [
        f"{world.live.settings['REDIS_PREFIX']}limit:password-strength:{visitor.address}:{each}"
        for each in (minute, minute + 1)
    ]
    with world.live.redis.client() as redis:
        for slot in slots:
            redis.set(slot, strength.PER_ADDRESS, ex=2 * strength.WINDOW)
        yield
        redis.delete(*slots)


def test_who_asks_too_often_waits_and_signs_up_all_the_same(world: World, visitor: Visitor, used_up: None) -> None:
    visitor.start("/signup")

    answer = ask(visitor, PASSWORD)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert "score" not in answer.text
    assert visitor.submit(username=world.name(), password=PASSWORD).path == "/confirm"


def test_what_is_typed_is_in_no_log_and_no_answer(world: World, visitor: Visitor) -> None:
    typed = f"Secret-{secrets.token_hex(8)}-Z"
    visitor.start("/signup")

    answers = [ask(visitor, typed), ask(visitor, typed, body={"form_token": "0" * 64})]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert all(typed not in answer.text for answer in answers)
    said = world.live.log("web")
    assert "form_refused" in said  # the log was read
    assert typed not in said


@pytest.mark.parametrize(
    "password",
    [
        "<5[+{!6741$(|@9" * 16,
        "<5[+{!6741$(|@9<",
        "a" * 256,
        "".join(chr(code) for code in range(33, 127)) * 2,
        "\x00\U0001f600é" * 80,
    ],
)
def test_no_password_takes_long(password: str) -> None:
    """Symbols that may stand for letters kept the library busy for seconds, other threads waiting."""
    assert len(password_strength.readable(password)) <= password_strength.SCORED
    password_strength.strength("warm")
    best = 1.0
    for _ in range(3):
        began = time.thread_time()
        password_strength.strength(password, [password] * 50)
        best = min(best, time.thread_time() - began)

    assert best < 0.05


@pytest.mark.parametrize("password", ["!@#$%^&*()", "P@ssw0rd", "tr0ub4dor", "1qaz2wsx"])
def test_an_ordinary_password_is_scored_as_it_is(password: str) -> None:
    assert password_strength.readable(password) == password
