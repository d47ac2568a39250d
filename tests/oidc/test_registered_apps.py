"""What an app that registered itself is held to: how people sign in to it, and what it gets of them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session

from tests.cognito.conftest import refused
from tests.live import Live
from tests.oidc import pages
from tests.oidc.registering import MACHINE, PEOPLE, REGISTER, Registering, app_of
from tests.oidc.world import AFTER_LOGOUT, CALLBACK, PASSWORD, App, Browser, Proof, claims, said, target

NO_SECRETS = "Client secret operations are not supported for app clients created through dynamic client registration."
CODE = re.compile(r"<li><bdi>(.*?)</bdi></li>")


@pytest.fixture(scope="session")
def pool(live: Live) -> Registering:
    """Return a pool where apps register themselves, openly too."""
    return Registering(live)


@pytest.fixture(scope="session")
def stranger(pool: Registering) -> App:
    """Return an app that somebody added under another's name."""
    return app_of(pool.registered({**PEOPLE, "client_name": "Your bank", "token_endpoint_auth_method": "none"}))


@pytest.fixture(scope="session")
def trusted(pool: Registering) -> App:
    """Return an app that registered with a token."""
    return app_of(pool.registered(PEOPLE, key=pool.key))


def asked(app: App, proof: Proof | None = None, **more: str) -> dict[str, str]:
    """Return an app's authorization request."""
    return {"scope": "openid email", "state": "s", **(proof or Proof()).challenge, **more}


def page_of(browser: Browser, answer: requests.Response) -> requests.Response:
    """Return the page that a redirect leads to."""
    assert answer.status_code == 303, answer.text
    return browser.session.get(urljoin(answer.url, answer.headers["Location"]), allow_redirects=False, timeout=20)


def allow(browser: Browser, page: requests.Response, **more: str) -> requests.Response:
    """Allow on the page that asks, or not, and return what the app is answered."""
    form = pages.Form(page)
    sent = {"data": {**form.fields, **more}, "headers": {"Referer": page.url}, "allow_redirects": False, "timeout": 20}
    return page_of(browser, browser.session.post(form.action, **sent))  # type: ignore[arg-type]


def test_an_app_registers_itself_by_discovery_and_signs_somebody_in(pool: Registering) -> None:
    """Authlib's client, as an app that knows an issuer alone."""
    document = requests.get(f"{pool.issuer}/.well-known/openid-configuration", timeout=20).json()
    metadata = {"client_name": "Album", "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [AFTER_LOGOUT]}
    made = requests.post(document["registration_endpoint"], json=metadata, timeout=20).json()
    party = OAuth2Session(
        made["client_id"],
        made["client_secret"],
        token_endpoint_auth_method=made["token_endpoint_auth_method"],
        scope=made["scope"],
        redirect_uri=made["redirect_uris"][0],
        code_challenge_method="S256",
    )
    proof, browser = Proof(), pool.browser()
    url, _ = party.create_authorization_url(document["authorization_endpoint"], code_verifier=proof.verifier)

    login = browser.session.get(url, timeout=20)
    form = pages.Form(login)
    sent = {**form.fields, "username": pool.ann.email, "password": PASSWORD}
    answer = browser.session.post(form.action, sent, headers={"Referer": login.url}, timeout=20)
    returned = allow(browser, answer)

    assert "<strong><bdi>app.example</bdi></strong>" in login.text
    assert target(returned) == CALLBACK
    location = returned.headers["Location"]
    issued = party.fetch_token(
        document["token_endpoint"], authorization_response=location, code_verifier=proof.verifier
    )
    assert claims(issued["id_token"])["sub"] == pool.ann.sub
    info = party.get(document["userinfo_endpoint"]).json()
    assert (info["sub"], info["email"], info["email_verified"]) == (pool.ann.sub, pool.ann.email, True)
    assert party.refresh_token(document["token_endpoint"])["access_token"] != issued["access_token"]


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_a_machine_registers_itself_and_signs_in(pool: Registering, way: str) -> None:
    made = pool.registered({**MACHINE, "token_endpoint_auth_method": way}, key=pool.key)
    party = OAuth2Session(made["client_id"], made["client_secret"], token_endpoint_auth_method=way)

    issued = party.fetch_token(pool.url("/oauth2/token"), grant_type="client_credentials", scope=made["scope"])

    assert claims(issued["access_token"])["client_id"] == made["client_id"]
    assert issued["scope"] == "photos/read"


def test_a_public_app_needs_pkce_and_an_app_with_a_token_of_the_pool_is_trusted(
    pool: Registering, stranger: App, trusted: App
) -> None:
    browser = pool.browser(pool.ann)

    without = browser.authorize(stranger, scope="openid", state="s")
    silently = browser.authorize(trusted, **asked(trusted, prompt="none"))

    assert target(without) == f"/{pool.pool_id}/error"
    assert said(silently)["code"]


def test_nobody_is_handed_to_a_stranger_by_being_signed_in(pool: Registering, stranger: App) -> None:
    browser, proof = pool.browser(pool.ann), Proof()

    silently = browser.authorize(stranger, **asked(stranger, prompt="none"))
    page = page_of(browser, browser.authorize(stranger, **asked(stranger, proof)))
    answer = allow(browser, page)

    assert target(silently) == f"/{pool.pool_id}/error"
    assert page.status_code == 200
    assert "Your bank" not in page.text
    assert "<strong><bdi>app.example</bdi></strong>" in page.text
    assert CODE.findall(page.text) == ["See your email address"]
    code, verifier = said(answer)["code"], proof.verifier
    issued = pool.token(stranger, "authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)
    assert issued.status_code == 200
    again = browser.authorize(stranger, **asked(stranger, proof))
    assert urlsplit(again.headers["Location"]).path.endswith("/consent")  # asked each time


def test_who_declines_is_sent_back_with_that(pool: Registering, stranger: App) -> None:
    browser = pool.browser(pool.ann)
    page = page_of(browser, browser.authorize(stranger, **asked(stranger)))
    assert page.text.count('name="declined"') == 1

    answer = allow(browser, page, declined="yes")

    assert (target(answer), said(answer)["error"], said(answer)["state"]) == (CALLBACK, "access_denied", "s")


def test_what_one_agreed_to_is_one_request_of_one_session(pool: Registering, stranger: App, trusted: App) -> None:
    browser, other, wish = pool.browser(pool.ann), pool.browser(pool.person()), asked(stranger)
    page = page_of(browser, browser.authorize(stranger, **wish))
    form = pages.Form(page)
    agreed = browser.session.post(form.action, form.fields, headers={"Referer": page.url}, allow_redirects=False)
    given = dict(parse_qsl(urlsplit(agreed.headers["Location"]).query))
    assert given.pop("client_id") == stranger.id

    def comes_back(who: Browser, **changed: str) -> str:
        sent = {**{name: value for name, value in given.items() if name != "redirect_uri"}, **changed}
        return who.authorize(stranger, **sent).headers["Location"]

    for location in (
        comes_back(other),
        comes_back(pool.browser(pool.ann)),  # the same person, signed in anew
        comes_back(browser, scope="openid email phone"),
        comes_back(browser, state="t"),
        comes_back(browser, consented="yes"),
        comes_back(browser, consented="no"),
        comes_back(browser, consented=given["consented"][:-4]),
    ):
        assert urlsplit(location).path.endswith("/consent"), location
    assert "code=" in comes_back(browser)


def test_nobody_is_sent_to_a_stranger_without_having_been_asked(pool: Registering, stranger: App, trusted: App) -> None:
    """RFC 9700 section 4.11.2: errors redirect to whom somebody vouches for, and to nobody else."""
    wrong: list[dict[str, str]] = [
        {"scope": "openid none/read"},
        {"prompt": "none"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"state": "s" * 6000},
        {"consented": "no", "prompt": "none"},
    ]
    for browser in (pool.browser(), pool.browser(pool.ann)):
        for each in wrong:
            answer = browser.authorize(stranger, **{**asked(stranger), **each})
            assert target(answer) == f"/{pool.pool_id}/error", each
            assert said(answer) == {"error": "invalid_request", "client_id": stranger.id}
        assert target(browser.authorize(trusted, **{**asked(trusted), **wrong[0]})) == CALLBACK
        left = browser.get("/logout", client_id=stranger.id, logout_uri=AFTER_LOGOUT)
        assert target(left) == f"/{pool.pool_id}/error"


def test_nobody_agrees_for_another(pool: Registering, stranger: App) -> None:
    browser = pool.browser(pool.ann)
    page = page_of(browser, browser.authorize(stranger, **asked(stranger)))
    form = pages.Form(page)

    for fields, headers in (
        ({"form_token": "0" * 96}, {"Referer": page.url}),
        (form.fields, {"Origin": "https://evil.example"}),
    ):
        answer = browser.session.post(form.action, fields, headers=headers, allow_redirects=False, timeout=20)
        assert answer.status_code == 403, answer.headers


def test_the_page_asks_nobody_else(pool: Registering, stranger: App, trusted: App) -> None:
    given = {"redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}

    signed_out = pool.browser().get("/consent", client_id=stranger.id, **given)
    of_another = pool.browser(pool.ann).get("/consent", client_id=trusted.id, **given)

    for answer in (signed_out, of_another):
        assert answer.status_code == 303
        assert urlsplit(answer.headers["Location"]).path.endswith("/oauth2/authorize")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("openid", ["See your email address, phone number and profile"]),
        (
            "openid profile photos/read aws.cognito.signin.user.admin",
            ["See your name and the rest of your profile", "read", "See and change your account"],
        ),
        ("openid phone", ["See your phone number"]),
    ],
)
def test_people_read_what_an_app_would_get(pool: Registering, scope: str, words: list[str]) -> None:
    app = app_of(pool.registered({**PEOPLE, "scope": scope}))
    browser = pool.browser(pool.ann)

    page = page_of(browser, browser.authorize(app, **asked(app, scope=scope)))

    assert CODE.findall(page.text) == words


def test_nobody_signs_in_to_it_by_the_wire_api(pool: Registering, stranger: App) -> None:
    anyone = pool.live.boto(signed=False)

    for flow, given in (
        ("USER_PASSWORD_AUTH", {"PASSWORD": PASSWORD}),
        ("USER_SRP_AUTH", {"SRP_A": "a" * 256}),
    ):
        with refused("InvalidParameterException"):
            anyone.initiate_auth(
                ClientId=stranger.id, AuthFlow=flow, AuthParameters={"USERNAME": pool.ann.email, **given}
            )


def test_its_secrets_are_not_looked_after_and_it_never_lets_others_register(pool: Registering) -> None:
    trusted = app_of(pool.registered(PEOPLE, key=pool.key))
    about = {"UserPoolId": pool.pool_id, "ClientId": trusted.id}
    before = pool.described(trusted.id)

    for ask, more in (
        (pool.idp.add_user_pool_client_secret, {}),
        (pool.idp.list_user_pool_client_secrets, {}),
        (pool.idp.delete_user_pool_client_secret, {"ClientSecretId": f"{trusted.id}--1"}),
    ):
        with refused("InvalidParameterException", NO_SECRETS):
            ask(**about, **more)
    kept = {name: before[name] for name in ("CallbackURLs", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient")}
    text = f"App clients created through dynamic client registration can't have the {REGISTER} scope."
    with refused("InvalidParameterException", text):
        pool.idp.update_user_pool_client(**about, **kept, AllowedOAuthScopes=["openid", REGISTER])

    assert pool.described(trusted.id) == before
    changed = pool.idp.update_user_pool_client(**about, **kept, AllowedOAuthScopes=["openid"])["UserPoolClient"]
    assert (changed["ClientType"], changed["AllowedOAuthScopes"]) == ("DCR", ["openid"])
    pool.idp.delete_user_pool_client(**about)
    assert trusted.id not in pool.clients()


def test_mail_that_it_causes_does_not_carry_its_name(pool: Registering) -> None:
    stranger = app_of(pool.registered({**PEOPLE, "client_name": "You won", "token_endpoint_auth_method": "none"}))
    address = f"new-{stranger.id}@example.org"

    pool.live.boto(signed=False).sign_up(
        ClientId=stranger.id, Username=address, Password=PASSWORD, UserAttributes=[{"Name": "email", "Value": address}]
    )

    message: dict[str, Any] = pool.live.message(address)
    assert "code" in message["body"]
    assert "You won" not in message["subject"] + message["body"]
