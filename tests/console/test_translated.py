"""The console speaks the language that is asked for, whole: no text on its pages escapes its catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from identity.console import event_names
from pools.services import access
from pools.services.audit import Tag
from tests import pseudo_language
from tests.console.test_any_input import Installation, installation
from tests.pseudo_language import TAG, untranslated

__all__ = ["installation"]
INSIDE = (
    "console/pools",
    "console/pools?page=none",
    "console/pools/new",
    "console/pools/<pool_id>",
    "console/pools/<pool_id>/apps",
    "console/pools/<pool_id>/apps/new",
    "console/pools/<pool_id>/apps/<client_id>",
    "console/pools/<pool_id>/users",
    "console/pools/<pool_id>/users?prefix=nobody&by=email",
    "console/pools/<pool_id>/users/<sub>",
    "console/pools/<pool_id>/users/<sub>/disable",
    "console/pools/<pool_id>/users/<sub>/sign-out",
    "console/pools/<pool_id>/imports",
    "console/pools/<pool_id>/imports/<job_id>",
    "console/pools/<pool_id>/providers",
    "console/pools/<pool_id>/providers/new",
    *(f"console/pools/<pool_id>/providers/new/{kind}" for kind in ("oidc", "google", "facebook", "amazon", "apple")),
    "console/pools/<pool_id>/providers/<provider_id>",
    "console/pools/<pool_id>/providers/<provider_id>/delete",
    "console/pools/<pool_id>/saml",
    "console/pools/<pool_id>/saml/new",
    "console/pools/<pool_id>/saml/<application_id>",
    "console/pools/<pool_id>/saml/<application_id>/delete",
    "console/pools/<pool_id>/audit",
    "console/access-keys",
    "console/access-keys/<key_id>",
    "console/access-keys/<key_id>/disable",
    "console/nowhere",
)
OUTSIDE = ("console/sign-in", "console/link?token=none", "console/nowhere")
WRONG = {
    "console/pools/new": {"name": "a/b", "sign_in": "x", "mfa": "x"},
    "console/pools/<pool_id>/apps/new": {"name": "", "kind": "machine"},
    "console/pools/<pool_id>/users/<sub>/disable": {"confirmation": "somebody else"},
    "console/pools/<pool_id>/providers/new/oidc": {"oidc_issuer": "ftp://a", "authorize_scopes": "a  b", "name": "a b"},
    "console/pools/<pool_id>/providers/new/apple": {"private_key": "none"},
    "console/pools/<pool_id>/saml/new": {"entity_id": " ", "acs_urls": "a", "attributes": "a", "encrypts": "on"},
}
"""Forms that are sent wrongly."""
PROVIDERS = ["Corp", "Google", "SAML 2.0", "Facebook", "GET", "POST"]
"""Names of providers, and of methods."""
ATTRIBUTES = ["email"]
"""Names of attributes, which stand before their values as programs have them."""


@pytest.fixture(autouse=True)
def marks(settings: Settings) -> Iterator[None]:
    with pseudo_language.offered(settings):
        yield


def preferring(browser: Client) -> Client:
    """Return a browser that asks for the language."""
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = TAG
    return browser


def untranslated_at(place: Installation, page: str, *, inside: bool, sent: dict[str, str] | None = None) -> list[str]:
    """Return what is not translated on a page, where nothing is a name."""
    browser, path = preferring(place.browser(inside=inside)), place.path(page, {})
    answer = browser.get(path) if sent is None else browser.post(path, sent)
    assert answer.get("Content-Language") == (TAG if answer.content else None), (page, answer.status_code)
    pool = access.pool(place.known["pool_id"])
    names = [
        pool.name,
        access.client_in(pool, place.known["client_id"]).name,
        place.known["sub"],
        "move",
        place.known["job_id"],
        *PROVIDERS,
    ]
    return untranslated(answer.content.decode(), ["Cognate", *names, *ATTRIBUTES])


def test_every_page_is_translated(installation: Installation) -> None:
    found = {page: untranslated_at(installation, page, inside=True) for page in INSIDE}
    found |= {f"{page}, outside": untranslated_at(installation, page, inside=False) for page in OUTSIDE}
    found |= {
        f"{page}, wrong": untranslated_at(installation, page, inside=True, sent=sent) for page, sent in WRONG.items()
    }

    assert {page: texts for page, texts in found.items() if texts} == {}


def test_each_event_has_a_name() -> None:
    assert event_names.NAMES.keys() == set(Tag)
