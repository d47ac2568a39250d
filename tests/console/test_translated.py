"""The console speaks the language that is asked for, whole: no text on its pages escapes its catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from tests import pseudo_language
from tests.console.test_any_input import Installation, installation
from tests.pseudo_language import TAG, untranslated

__all__ = ["installation"]
INSIDE = ("console/access-keys/<key_id>/disable", "console/nowhere")
OUTSIDE = ("console/link?token=none", "console/nowhere")
DATA = ["Cognate", "API"]


@pytest.fixture(autouse=True)
def marks(settings: Settings) -> Iterator[None]:
    with pseudo_language.offered(settings):
        yield


def preferring(browser: Client) -> Client:
    """Return a browser that asks for the language."""
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = TAG
    return browser


def untranslated_at(place: Installation, page: str, *, inside: bool) -> list[str]:
    """Return what is not translated on a page, where nothing is a name."""
    browser, path = preferring(place.browser(inside=inside)), place.path(page, {})
    answer = browser.get(path)
    assert answer["Content-Language"] == TAG, (page, answer.status_code)
    return untranslated(answer.content.decode(), DATA)


def test_every_page_is_translated(installation: Installation) -> None:
    found = {page: untranslated_at(installation, page, inside=True) for page in INSIDE}
    found |= {f"{page}, outside": untranslated_at(installation, page, inside=False) for page in OUTSIDE}

    assert {page: texts for page, texts in found.items() if texts} == {}
