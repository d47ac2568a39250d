"""Two Cognates that send people to each other, in Chromium, and each page on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import providers, second_installation
from tests.browser.test_appearance import checked
from tests.browser.test_flows import person
from tests.hosted.federation import CORP, MAPPING, Federation
from tests.hosted.world import OTHER_PASSWORD, PASSWORD
from tests.live import Live
from tests.pressing import submit

__all__ = ["person"]
pytestmark = pytest.mark.browser
WELCOME = "Welcome back"


@pytest.fixture(scope="module")
def federation(live: Live, app_url: str) -> Iterator[Federation]:
    """Return pools of two installations, each of which is the other's provider."""
    with second_installation.running(live) as other:
        yield both_ways(Federation(live, upstream=other, callback=app_url))


def both_ways(made: Federation) -> Federation:
    """Have the pool above send its people to the one below, too."""
    up, down = made.up, made.down
    back = down.idp.create_user_pool_client(
        UserPoolId=down.pool_id,
        ClientName="Upstream",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email", "profile"],
        CallbackURLs=[f"{up.base}/oauth2/idpresponse"],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]
    secrets = {"client_id": back["ClientId"], "client_secret": back["ClientSecret"]}
    up.idp.create_identity_provider(
        UserPoolId=up.pool_id,
        ProviderName=CORP,
        ProviderType="OIDC",
        ProviderDetails={**made.details, **secrets, "oidc_issuer": down.base},
        AttributeMapping=MAPPING,
    )
    up.client_id = up.app("Both ways", SupportedIdentityProviders=["COGNITO", CORP])
    for kind in ("Google", "Facebook", "LoginWithAmazon", "SignInWithApple"):
        down.idp.create_identity_provider(UserPoolId=down.pool_id, **providers.request(kind))
    return made


@pytest.mark.parametrize("way", ["there", "back"])
def test_two_cognates_sign_in_each_others_people(federation: Federation, person: Page, way: str) -> None:
    here, there = (federation.down, federation.up) if way == "there" else (federation.up, federation.down)
    name = there.person()

    for _ in range(2):
        person.context.clear_cookies()
        person.goto(here.url("/oauth2/authorize"))
        person.get_by_role("link", name=f"Continue with {CORP}").click()
        expect(person).to_have_url(re.compile(re.escape(f"{there.base}/login")))
        submit(person, username=name, password=PASSWORD)
        expect(person.get_by_role("heading")).to_have_text(WELCOME)
        assert "code=" in person.url


def test_who_goes_back_or_opens_a_second_tab_on_the_way_loses_nothing(federation: Federation, page: Page) -> None:
    name = federation.up.person()
    page.goto(federation.down.url("/oauth2/authorize"))
    page.get_by_role("link", name=f"Continue with {CORP}").click()
    second = page.context.new_page()
    second.goto(federation.down.url("/oauth2/authorize"))
    second.get_by_role("link", name=f"Continue with {CORP}").click()
    page.go_back()
    page.get_by_role("link", name=f"Continue with {CORP}").click()

    submit(page, username=name, password=PASSWORD)
    expect(page.get_by_role("heading")).to_have_text(WELCOME)
    second.reload()
    second.get_by_role("link", name="Continue as").click()
    expect(second.get_by_role("heading")).to_have_text(WELCOME)


def test_each_page_on_the_way_is_accessible(federation: Federation, page: Page) -> None:
    down, up = federation.down, federation.up
    everything = [CORP, "Google", "Facebook", "LoginWithAmazon", "SignInWithApple"]
    page.goto(down.url(client_id=down.app("All", SupportedIdentityProviders=["COGNITO", *everything])))
    checked(page)
    page.goto(down.url(client_id=down.app("No directory", SupportedIdentityProviders=everything)))
    expect(page.get_by_role("textbox")).to_have_count(0)
    checked(page)
    name = up.person()
    owner = {"UserPoolId": down.pool_id, "Username": name}
    down.idp.admin_create_user(
        **owner,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}],
    )
    down.idp.admin_set_user_password(**owner, Password=OTHER_PASSWORD, Permanent=True)
    page.goto(down.url("/oauth2/authorize", identity_provider=CORP))
    submit(page, username=name, password=PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("You have an account here")
    checked(page)
    page.get_by_role("link", name="Sign in to that account").click()
    submit(page, username=name, password=OTHER_PASSWORD)
    expect(page.get_by_role("heading")).to_have_text(WELCOME)
    page.goto(f"{down.base}/oauth2/idpresponse?state=x&code=y")
    expect(page.get_by_role("heading", level=1)).to_have_text("This sign-in is over")
    checked(page)


def test_what_the_pool_wants_is_asked_for_on_a_page_like_every_other(live: Live, app_url: str, page: Page) -> None:
    schema = [{"Name": name, "Required": True, "Mutable": True} for name in ("email", "given_name", "birthdate")]
    wants = Federation(live, callback=app_url, Schema=schema)
    page.goto(wants.down.url("/oauth2/authorize", identity_provider=CORP))
    submit(page, username=wants.up.person(), password=PASSWORD)

    checked(page)
    submit(page, given_name="Ada", birthdate="1815-12-10")

    expect(page.get_by_role("heading")).to_have_text(WELCOME)
