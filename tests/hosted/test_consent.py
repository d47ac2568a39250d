"""The page that asks for consent, in every language, and to screen readers."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from identity.foundation.actor import Actor
from pools.models import AppClient
from pools.services import access, configuration
from pools.services.pools import client_registration
from pools.services.pools.client_registration import Registered
from tests import factories, pseudo_language
from tests.hosted import in_process
from tests.hosted.test_all_at_once import send
from tests.hosted.world import CALLBACK, Reader
from tests.pseudo_language import TAG, untranslated

SCOPES = "openid email phone profile aws.cognito.signin.user.admin"
NAME = "<b>Your bank</b>"


@pytest.fixture
def stranger(transactional_db: None) -> AppClient:
    """Return an app that somebody added under another's name."""
    configuration.cache.forget_everything()
    scopes = ["aws.cognito.signin.user.admin"]
    pool = factories.make_pool(dcr_configuration={"open_dcr_enabled": True, "allowed_scopes": scopes})
    metadata = {"client_name": NAME, "redirect_uris": [CALLBACK], "scope": SCOPES}
    made = client_registration.register(pool, metadata, registered=Registered.OPENLY, by=Actor.visitor())
    return access.client_in(pool, made["client_id"])


def inside(stranger: AppClient) -> Client:
    """Return a browser in which somebody is signed in."""
    browser, user = in_process.browser(), factories.make_user(stranger.pool)
    browser.get(url(stranger, "sign_in"))
    typed = {"username": user.username, "password": factories.PASSWORD}
    assert send(browser, stranger, "sign_in", typed).status_code == 303
    return browser


def url(client: AppClient, page: str, **more: str) -> str:
    """Return the address of a page."""
    query = "&".join(f"{name}={value}" for name, value in {"client_id": client.client_id, **more}.items())
    return f"/{client.pool.public_id}/{in_process.PATHS[page]}?{query}"


def test_the_page_is_translated_but_for_where_the_app_leads(stranger: AppClient, settings: Settings) -> None:
    with pseudo_language.offered(settings):
        browser = inside(stranger)
        browser.defaults["HTTP_ACCEPT_LANGUAGE"] = TAG
        shown = browser.get(url(stranger, "consent", response_type="code"))

    assert shown.status_code == 200
    assert untranslated(shown.content.decode(), ["app.example", "person", "Cognate"]) == []


def test_the_page_shows_where_the_app_leads_and_never_what_it_calls_itself(stranger: AppClient) -> None:
    browser = inside(stranger)

    for page in ("consent", "sign_in"):
        shown = browser.get(url(stranger, page, response_type="code")).content.decode()
        read = Reader(shown)
        assert "bank" not in shown
        assert "app.example" in read.title
    forms = Reader(browser.get(url(stranger, "consent", response_type="code")).content.decode()).forms
    assert [[field.name for field in form.fields] for form in forms] == [["form_token"], ["form_token", "declined"]]
    assert [len(form.buttons) for form in forms] == [1, 1]


def test_another_browsers_form_is_refused(stranger: AppClient) -> None:
    browser, other = inside(stranger), inside(stranger)
    token = in_process.form_token(in_process.cookies_of(other), stranger.pool.public_id, "consent")

    answer = browser.post(url(stranger, "consent", response_type="code"), {"form_token": token})

    assert answer.status_code == 403
