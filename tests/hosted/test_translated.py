"""The pages speak the language that is asked for, whole: no text on them escapes its catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from pools.web import problem_pages
from tests import factories, pseudo_language
from tests.hosted import in_process
from tests.hosted.in_process import PATHS
from tests.hosted.test_all_at_once import TABLE, Browsers, send, shown_at, url
from tests.hosted.world import CALLBACK
from tests.pseudo_language import TAG, untranslated

pytestmark = pytest.mark.usefixtures("transactional_db")
OTHERS = (
    *(("account", "inside"), ("account_mfa", "inside"), ("signed_out", "nobody"), ("sign_out", "inside")),
    *(("account", "inside with both"), ("account_mfa", "inside with both"), ("account_mfa", "asked before removal")),
    *(("factor_choice", "to choose"), ("factor_setup", "to set up")),
)
"""Pages without a form that can be filled in wrongly, and where their browser stands."""


@pytest.fixture(autouse=True)
def marks(settings: Settings) -> Iterator[None]:
    with pseudo_language.offered(settings):
        yield


def preferring(browser: Client, languages: str = TAG) -> Client:
    """Return a browser that asks for a language."""
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = languages
    return browser


def test_every_page_is_translated_and_so_is_what_it_says_of_each_field() -> None:
    browsers = Browsers()
    found: dict[tuple[str, str], list[str]] = {}
    for page, stage in {(wrong.page, wrong.stage) for wrong in TABLE} | set(OTHERS):
        browser, client = browsers.at(stage)
        shown = preferring(browser).get(shown_at(client, page))
        assert shown.status_code == 200, page
        found[page, "shown"] = untranslated(shown.content.decode(), [client.name, "Cognate"])
    for wrong in TABLE:
        browser, client = browsers.at(wrong.stage)
        preferring(browser).get(shown_at(client, wrong.page))
        answer = send(browser, client, wrong.page, wrong.typed)
        assert 'role="alert"' in answer.content.decode(), wrong
        found[wrong.page, str(wrong.typed)] = untranslated(answer.content.decode(), [client.name, "Cognate"])

    assert {page: texts for page, texts in found.items() if texts} == {}


@pytest.mark.parametrize("kind", problem_pages.PROBLEMS)
def test_every_explanation_is_translated(kind: str) -> None:
    pool = factories.make_pool()
    browser = preferring(in_process.browser())

    page = browser.get(f"/{pool.public_id}/{PATHS['error']}?error={kind}").content.decode()

    assert untranslated(page, ["Cognate"]) == []
    assert str(problem_pages.PROBLEMS[kind].title) in page.replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("query", "preferred", "language"),
    [
        ("", "", "en"),
        ("", "ar-EG, en;q=0.5", "ar"),
        ("", "xx, tlh", "en"),
        ("lang=ar", "en", "ar"),
        ("lang=en", "ar", "en"),
        ("lang=pt-BR", "", "en"),
        ("lang=pt-BR", "ar", "ar"),
        ("lang=", "", "en"),
        ("lang=" + "a-" * 400, "", "en"),
        ("lang=%00", "", "en"),
        ("ui_locales=fr-CA+ar+en", "", "ar"),
        ("ui_locales=fr-CA+xx", "", "en"),
        ("ui_locales=en&lang=ar", "", "ar"),
    ],
)
def test_a_page_is_in_the_language_that_is_asked_for_first(query: str, preferred: str, language: str) -> None:
    client = factories.make_client(factories.make_pool(), **{**factories.PAGES, "callback_urls": [CALLBACK]})
    page = f"{url(client, 'sign_in')}&{query}"

    answer = preferring(in_process.browser(), preferred).get(page)

    direction = "rtl" if language == "ar" else "ltr"
    assert answer.status_code == 200
    assert f'<html lang="{language}"\n      dir="{direction}">' in answer.content.decode()
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


def test_a_language_goes_along_from_page_to_page() -> None:
    client = factories.make_client(factories.make_pool(), **{**factories.PAGES, "callback_urls": [CALLBACK]})

    page = in_process.browser().get(f"{url(client, 'sign_in')}&lang={TAG}").content.decode()

    assert page.count(f"lang={TAG}") >= 3


def test_what_machines_read_varies_by_no_language() -> None:
    pool = factories.make_pool()

    for path in (".well-known/openid-configuration", ".well-known/jwks.json"):
        answer = preferring(in_process.browser()).get(f"/{pool.public_id}/{path}")
        assert "Content-Language" not in answer
        assert "Accept-Language" not in answer.get("Vary", "")
