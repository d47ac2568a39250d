"""Messages are in the language of whoever asks for them, whole, and English where nobody says."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.utils import translation
from pytest_django import Settings

from pools.services.messages import texts
from pools.services.messages.texts import Change
from pools.services.pools import pool_domains
from tests import pseudo_language
from tests.pseudo_language import TAG, unmarked, untranslated

POOL = cast("Any", SimpleNamespace(public_id="us-east-1_abc", configuration={}))
APP = cast("Any", SimpleNamespace(client_id="client", name="Photos", registered=""))
DATA = ["Photos", "123456", "ann", "UTC"]


@pytest.fixture(autouse=True)
def marks(settings: Settings) -> Iterator[None]:
    with pseudo_language.offered(settings):
        yield


@pytest.fixture(autouse=True)
def at_its_usual_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask no database where the pool answers, which is in none."""
    monkeypatch.setattr(pool_domains, "address", lambda *_: "https://id.example.com")


def mails() -> Iterator[texts.Composed]:
    """Yield each mail that there is."""
    for purpose in texts.WORDS:
        yield texts.mail(POOL, purpose, secret="123456", username="ann", app="Photos")
    yield texts.mail(POOL, "sign_up", secret="123456", link="https://id.example/confirm", app="")
    for change in Change:
        yield texts.notice(POOL, change, client_id="", app="Photos")
        yield texts.notice(POOL, change, client_id=APP.client_id, app="Photos")
    yield texts.reminder(POOL, APP)


def test_every_mail_is_translated() -> None:
    with translation.override(TAG):
        found = list(mails())

    left = {
        mail.subject: untranslated(f"{mail.html}\n<p>{mail.text}</p>\n<p>{mail.subject}</p>", DATA) for mail in found
    }
    assert {subject: texts for subject, texts in left.items() if texts} == {}
    assert {'<html lang="ar" dir="rtl">' in mail.html for mail in found} == {True}


@pytest.mark.parametrize("purpose", texts.WORDS)
def test_every_sms_is_translated_but_for_the_line_that_telephones_read(purpose: str) -> None:
    with translation.override(TAG):
        words, _, autofill = texts.sms(POOL, purpose, secret="123456", username="ann").text.partition("\n\n")

    assert unmarked(words) == ""
    assert pseudo_language.OPEN not in autofill


def test_mail_is_english_where_nobody_says() -> None:
    mail = texts.notice(POOL, Change.PASSWORD, client_id="", app="Photos")

    assert mail.subject == "Your password was changed"
    assert '<html lang="en" dir="ltr">' in mail.html
