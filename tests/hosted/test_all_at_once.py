"""Whoever fills in several fields wrongly reads of each at once, under it and in its own words; nothing changes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.test import Client

from pools.hosted.urls import urlpatterns
from pools.models import AppClient
from pools.services import configuration
from pools.services.providers import trips
from pools.services.providers.arrivals import Arrival
from pools.services.sign_in import own_factors
from pools.services.sign_in.own_factors import Preference
from tests import factories
from tests.any_input import state
from tests.hosted import in_process
from tests.hosted.in_process import PATHS
from tests.hosted.world import CALLBACK, Reader

ERROR = re.compile(r'<p class="error" role="alert" id="(\w+)_error"><span>(.*?)</span></p>', re.DOTALL)
WIRE = re.compile(r"validation error|conform|schema|custom:|given_name:|[Uu]sername should|Usernames hold|Invalid ")
SCHEMA = [
    {"name": "email", "required": True, "mutable": True},
    {"name": "phone_number", "required": True, "mutable": True},
    {"name": "birthdate", "required": True, "mutable": True},
    {
        "name": "given_name",
        "required": True,
        "mutable": True,
        "string_attribute_constraints": {"min_length": "2", "max_length": "10"},
    },
]
NOT_AN_EMAIL = "That isn't an email address. Write it like name@example.org."
NOT_A_DAY = "Write it as year, month and day, such as 1990-12-31."
NOT_A_NUMBER = "Choose the country of this number, or begin with + and the country code."
WEAK = "That password is too short. Add a capital letter. Add a number. Add a symbol, such as ! or #."
ATTRIBUTES = {"email": "ann@", "phone_number": "0664 1234567", "birthdate": "31.12.1990", "given_name": "A"}
OF_ATTRIBUTES = {
    "email": NOT_AN_EMAIL,
    "phone_number": NOT_A_NUMBER,
    "birthdate": NOT_A_DAY,
    "given_name": "Write 2 characters or more.",
}
NOTHING_GIVEN = {
    "email": "Enter your email address.",
    "phone_number": "Enter your phone number.",
    "birthdate": "Enter your date of birth.",
    "given_name": "Enter your first name.",
}


class Wrong(NamedTuple):
    """A form that is wrong in every field that it asks for: where its browser stands, what is typed, what is said."""

    page: str
    stage: str
    typed: dict[str, str]
    said: dict[str, str]


TABLE = [
    Wrong("sign_in", "nobody", {}, {"username": "Enter your username.", "password": "Enter your password."}),
    Wrong(
        "sign_up",
        "nobody",
        {"username": "a b", "password": "weak", **ATTRIBUTES},
        {"username": "Choose a name without spaces, of 128 characters at most.", **OF_ATTRIBUTES, "password": WEAK},
    ),
    Wrong(
        "sign_up", "nobody", {}, {"username": "Enter your username.", **NOTHING_GIVEN, "password": "Choose a password."}
    ),
    Wrong(
        "sign_up",
        "nobody",
        {"username": "x" * 3000, "password": "Aa1!" * 100, **ATTRIBUTES, "given_name": "Maximiliana"},
        {
            "username": "That is too long: 2048 characters at most.",
            **OF_ATTRIBUTES,
            "given_name": "That is too long: 10 characters at most.",
            "password": "That is too long: 256 characters at most.",
        },
    ),
    Wrong("confirm", "nobody", {}, {"username": "Enter your username.", "code": "Enter the code."}),
    Wrong("confirm_only", "of an app", {}, {"username": "Enter your username.", "code": "Enter the code."}),
    Wrong("forgot", "nobody", {}, {"username": "Enter your username."}),
    Wrong(
        "confirm_forgot",
        "nobody",
        {"new_password": "weak"},
        {"username": "Enter your username.", "code": "Enter the code.", "new_password": WEAK},
    ),
    Wrong(
        "new_password",
        "invited",
        {"new_password": "weak", **ATTRIBUTES},
        {**OF_ATTRIBUTES, "new_password": WEAK},
    ),
    Wrong("new_password", "invited", {}, {**NOTHING_GIVEN, "new_password": "Choose a password."}),
    Wrong("join", "arrived", ATTRIBUTES, OF_ATTRIBUTES),
    Wrong("join", "arrived", {}, NOTHING_GIVEN),
    Wrong("totp", "challenged", {}, {"code": "Enter the code."}),
    Wrong("factor_setup", "required", {}, {"code": "Enter the code."}),
    Wrong("sms", "texted", {}, {"code": "Enter the code."}),
    Wrong("factor_setup", "asked for a number", {}, {"phone_number": "Enter your phone number."}),
    Wrong("factor_setup", "asked for a number", {"phone_number": "0664 1234567"}, {"phone_number": NOT_A_NUMBER}),
    Wrong("factor_setup", "texted to set up", {}, {"code": "Enter the code."}),
    Wrong("account_mfa", "enrolling", {"action": "verify"}, {"code": "Enter the code."}),
    Wrong(
        "account_password",
        "inside",
        {"new_password": "weak"},
        {"password": "Enter your current password.", "new_password": WEAK},
    ),
]
SHOWN_ON = {"confirm_only": "confirm_link"}
"""Pages that show the form of another address."""
QUERIES: dict[str, str] = {}
"""What else the address of a page says."""
TRIP = "t" * 32
BUTTONS = {"resend", "account", "sign_out", "factor_choice"}
"""Forms that ask for nothing, or are their buttons."""
PHONE = "+12065550100"


class Browsers:
    """Browsers at each stage of their way."""

    def __init__(self) -> None:
        """Make a pool that asks for much, and one that requires a second factor."""
        self.app = app(SCHEMA, "OPTIONAL")
        self.strict = app([], "ON")
        self.texting = app([], "OPTIONAL", by_sms=True)
        self.strict_texting = app([], "ON", by_sms=True)

    def at(self, stage: str) -> tuple[Client, AppClient]:
        """Return a browser at a stage, and the app that it came from."""
        browser, pool = in_process.browser(), self.app.pool
        if stage == "nobody":
            return browser, self.app
        if stage == "of an app":
            return browser, factories.make_client(pool)
        if stage == "arrived":
            browser.cookies[f"cg-{pool.public_id.rpartition('_')[2]}-trip"] = TRIP
            kept = trips.keep(pool, Arrival("Google", "1", {}), f"client_id={self.app.client_id}", browser=TRIP)
            QUERIES["join"] = f"&arrival={kept}"
            return browser, self.app
        if stage == "required":
            self.send(browser, self.strict, "sign_in", username=factories.make_user(self.strict.pool).username)
            return browser, self.strict
        if stage in TEXTING:
            return browser, TEXTING[stage](self, browser)
        user = factories.make_invited(pool) if stage == "invited" else factories.make_user(pool)
        if stage == "challenged":
            factories.give_totp(pool, user)
        self.send(browser, self.app, "sign_in", username=user.username)
        if stage == "enrolling":
            self.send(browser, self.app, "account_mfa", action="start")
        return browser, self.app

    def send(self, browser: Client, client: AppClient, page: str, **typed: str) -> None:
        """Send a form that leads on."""
        browser.get(url(client, page))
        typed = {"password": factories.PASSWORD, **typed} if page == "sign_in" else typed
        assert send(browser, client, page, typed).status_code == 303


def to_set_up(browsers: Browsers, browser: Client) -> AppClient:
    """Come to where one of several kinds has to be set up."""
    client = browsers.strict_texting
    browsers.send(browser, client, "sign_in", username=factories.make_user(client.pool).username)
    return client


def to_number(browsers: Browsers, browser: Client) -> AppClient:
    """Come to where a number is asked for."""
    client = to_set_up(browsers, browser)
    browsers.send(browser, client, "factor_setup", factor="sms")
    return client


def to_first_code(browsers: Browsers, browser: Client) -> AppClient:
    """Come to the first code that goes to a number."""
    client = to_number(browsers, browser)
    number = f"+1206{int(factories.number()[-8:], 16) % 10**7:07d}"
    browsers.send(browser, client, "factor_setup", phone_number=number)
    return client


def to_code(browsers: Browsers, browser: Client, kinds: tuple[str, ...] = ("sms",)) -> AppClient:
    """Come to the code of who has these kinds on, or to the choice between them."""
    client = browsers.texting
    user = factories.make_user(client.pool, phone_number=PHONE)
    if len(kinds) > 1:
        factories.give_totp(client.pool, user)
    wishes = dict.fromkeys(kinds, Preference(enabled=True))
    own_factors.set_preference(client.pool, user, wishes, by=factories.BY)
    browsers.send(browser, client, "sign_in", username=user.username)
    return client


def to_choice(browsers: Browsers, browser: Client) -> AppClient:
    """Come to the choice between two kinds that are on."""
    return to_code(browsers, browser, ("sms", "totp"))


def to_own(browsers: Browsers, browser: Client) -> AppClient:
    """Come in with both kinds."""
    client = to_choice(browsers, browser)
    browsers.send(browser, client, "factor_choice", factor="sms")
    browsers.send(browser, client, "sms", code=factories.newest_code(PHONE))
    return client


def to_removal(browsers: Browsers, browser: Client) -> AppClient:
    """Come to the question before one goes of two."""
    client = to_own(browsers, browser)
    browsers.send(browser, client, "account_mfa", factor="sms", action="remove")
    return client


TEXTING: dict[str, Callable[[Browsers, Client], AppClient]] = {
    "texted": to_code,
    "to choose": to_choice,
    "to set up": to_set_up,
    "asked for a number": to_number,
    "texted to set up": to_first_code,
    "inside with both": to_own,
    "asked before removal": to_removal,
}
"""Stages in pools whose people may have codes by text message: how a browser comes there."""


def app(schema: list[dict[str, Any]], mfa: str, *, by_sms: bool = False) -> AppClient:
    """Return an app of a pool of its own."""
    pool = factories.make_pool(mfa=mfa, by_sms=by_sms, **({"schema": schema} if schema else {}))
    return factories.make_client(
        pool,
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid"],
        callback_urls=[CALLBACK],
    )


def url(client: AppClient, page: str) -> str:
    """Return the address of a page."""
    return f"/{client.pool.public_id}/{PATHS[page]}?client_id={client.client_id}{QUERIES.get(page, '')}"


def shown_at(client: AppClient, page: str) -> str:
    """Return the address of the page that shows a page's form."""
    return url(client, SHOWN_ON.get(page, page))


def send(browser: Client, client: AppClient, page: str, typed: dict[str, str]) -> Any:  # noqa: ANN401 - Django's answer
    """Send a page's form as it was shown to this browser."""
    token = in_process.form_token(in_process.cookies_of(browser), client.pool.public_id, page)
    return browser.post(url(client, page), {"form_token": token, **typed})


@pytest.fixture
def browsers(transactional_db: None) -> Browsers:
    """Return browsers at each stage."""
    configuration.cache.forget_everything()
    return Browsers()


def test_each_field_of_each_form_says_what_is_wrong_with_it_all_at_once(browsers: Browsers) -> None:
    for wrong in TABLE:
        browser, client = browsers.at(wrong.stage)
        shown = browser.get(shown_at(client, wrong.page))
        assert shown.status_code == 200, wrong
        form = Reader(shown.content.decode()).forms[0]
        fixed = {field.name: form.values[field.name] for field in form.fields if "readonly" in field.attributes}
        asked = {field.name for field in form.fields if field.attributes.get("type") != "hidden"} - set(fixed)
        assert {name for name in asked if not name.endswith("_country")} == set(wrong.said), wrong
        before = state()

        answer = send(browser, client, wrong.page, fixed | wrong.typed)

        text = answer.content.decode()
        assert state() == before, wrong
        assert {name: html.unescape(said) for name, said in ERROR.findall(text)} == wrong.said, wrong
        see_it_is_linked(text, list(wrong.said))
        assert not WIRE.search(text), wrong


def see_it_is_linked(text: str, names: list[str]) -> None:
    """See that a screen reader gets from field to message and from the summary to the field, the first one in focus."""
    read = Reader(text)
    form, ids = read.forms[0], {given["id"] for _, given in read.tags if "id" in given}
    assert read.title.startswith("Error: ")
    for name in names:
        described = form[name]["aria-describedby"].split()
        assert form[name]["aria-invalid"] == "true"
        assert f"{name}_error" in described
        assert set(described) <= ids
    assert [field.name for field in form.fields if "autofocus" in field.attributes] == [
        next(field.name for field in form.fields if field.name in names)
    ]
    summary = [given["href"] for tag, given in read.tags if tag == "a" and given.get("href", "").startswith("#")]
    assert sorted(summary) == (sorted(f"#{name}" for name in names) if len(names) > 1 else [])


def test_no_form_is_left_out() -> None:
    taking = {str(each.name) for each in urlpatterns if getattr(each.callback, "takes_forms", False)}

    assert taking == {wrong.page for wrong in TABLE} | BUTTONS


def test_what_an_app_may_not_write_is_said_at_its_field(browsers: Browsers) -> None:
    client = factories.make_client(
        browsers.app.pool,
        write_attributes=["email", "phone_number", "given_name", "birthdate"],
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid"],
        callback_urls=[CALLBACK],
    )
    AppClient.objects.filter(pk=client.pk).update(write_attributes=["email", "phone_number", "birthdate"])
    configuration.cache.forget_everything()
    browser = in_process.browser()
    browser.get(url(client, "sign_up"))

    text = send(
        browser,
        client,
        "sign_up",
        {"username": "ann", "password": factories.PASSWORD, **ATTRIBUTES, "given_name": "Ann"},
    ).content.decode()

    said = {name: html.unescape(each) for name, each in ERROR.findall(text)}
    assert said == {**OF_ATTRIBUTES, "given_name": "This app may not set this for you. Tell the people who run it."}
