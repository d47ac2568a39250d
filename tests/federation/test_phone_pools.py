"""People known by a phone number: everything that takes a code, by each gateway, on the pages and through the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from django.conf import settings as installation
from django.test import Client
from pytest_django import Settings

from pools.models import AppClient, OneTimeCode, UserPool
from pools.services import access
from pools.services.messages import deliveries
from pools.services.people import users
from tests import factories
from tests.federation.gateways import EXTERNAL_ID, ROLE, SENT_TEXT
from tests.federation.servers import Told, serving
from tests.federation.test_eums import SENT as TAKEN
from tests.hosted import in_process
from tests.hosted.world import CALLBACK, Reader

pytestmark = pytest.mark.usefixtures("transactional_db")
PASSWORD, ANOTHER = "Correct-horse-7", "Battery-staple-8"
CODE = re.compile(r"\b\d{6}\b")
OWN = {"sms_configuration": {"sns_caller_arn": ROLE, "external_id": EXTERNAL_ID}}
POOLS: dict[str, tuple[str, dict[str, Any], bytes]] = {
    "the installation's SNS": ("sns", {}, SENT_TEXT),
    "a role of the pool's own": ("", OWN, SENT_TEXT),
    "a role of the pool's own for EUMS": ("", {"sms_configuration": {"eums_sms": {"caller_arn": ROLE}}}, TAKEN),
}
"""Channel of the installation, settings of the pool, and what its gateway answers."""


@pytest.fixture
def gateway(aws: Settings, sts: Told) -> Iterator[Told]:
    """Return what takes each text, with an STS that lets us assume any role."""
    del sts
    with serving(Told()) as told:
        aws.SNS_ENDPOINT_URL = aws.EUMS_ENDPOINT_URL = told.url
        yield told


def text(gateway: Told) -> tuple[str, str]:
    """Return number and text of the newest message."""
    sent = gateway.asked[-1].decode()
    if sent.startswith("{"):
        told = json.loads(sent)
        return told["DestinationPhoneNumber"], told["MessageBody"]
    form = parse_qs(sent)
    return form["PhoneNumber"][0], form["Message"][0]


@pytest.fixture(params=POOLS)
def client(request: pytest.FixtureRequest, gateway: Told, aws: Settings) -> AppClient:
    """Return an app of a pool whose people sign in by phone number."""
    aws.SMS_CHANNEL, given, gateway.body = POOLS[request.param]
    pool = factories.make_pool(username_attributes=["phone_number"], auto_verified_attributes=["phone_number"], **given)
    pages = {**factories.PAGES, "callback_urls": [CALLBACK]}
    return factories.make_client(pool, **pages)


class Person:
    """Somebody with a telephone."""

    def __init__(self, client: AppClient, gateway: Told) -> None:
        """Have a number that nobody has."""
        self.client, self.gateway = client, gateway
        self.number = f"+43664{int(factories.number()[-6:], 16) % 10**7:07}"

    def code(self) -> str:
        """Return the code of the newest text to the number, which is delivered now."""
        before = len(self.gateway.asked)
        deliveries.sweep()
        assert len(self.gateway.asked) == before + 1
        to, told = text(self.gateway)
        assert to == self.number
        found = CODE.search(told)
        assert found
        return found[0]

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Call an operation as anyone may."""
        answer = Client().post(
            "/",
            json.dumps({"ClientId": self.client.client_id, **given}),
            content_type="application/x-amz-json-1.1",
            headers={
                "host": urlsplit(installation.BASE_URL).netloc,
                "x-amz-target": f"AWSCognitoIdentityProviderService.{operation}",
            },
        )
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = json.loads(answer.content)
        return found

    def sign_in(self, password: str) -> dict[str, Any]:
        """Sign in through the API; return the tokens."""
        parameters = {"USERNAME": self.number, "PASSWORD": password}
        found: dict[str, Any] = self.call("InitiateAuth", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)[
            "AuthenticationResult"
        ]
        return found

    @property
    def pool(self) -> UserPool:
        """Return the pool."""
        return self.client.pool


class Browser:
    """A browser of that person's, at the pages."""

    def __init__(self, person: Person) -> None:
        """Open none yet."""
        self.person, self.http = person, in_process.browser()
        self.url = ""
        self.page: Any = None

    def open(self, page: str) -> None:
        """Come from the app."""
        query = {
            "client_id": self.person.client.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
        }
        self.go(f"{installation.BASE_URL}/{self.person.pool.public_id}{page}?{urlencode(query)}")

    def go(self, url: str) -> None:
        """Open an address, and what it leads to, until the app."""
        self.url = url
        if url.startswith(installation.BASE_URL):
            self.page = self.http.get(url.removeprefix(installation.BASE_URL))
            self.follow()

    def follow(self) -> None:
        """Go where the page sends."""
        if self.page.status_code in {302, 303}:
            self.go(urljoin(self.url, self.page["Location"]))

    def submit(self, **typed: str) -> None:
        """Fill the page's form in and send it."""
        form = Reader(self.page.content.decode()).forms[0]
        button = form.buttons[0]
        chosen = {button["name"]: button.get("value", "")} if "name" in button else {}
        where = urljoin(self.url, form.action)
        values = {**form.values, **chosen, **typed}
        self.page = self.http.post(
            where.removeprefix(installation.BASE_URL), values, headers={"origin": installation.BASE_URL}
        )
        self.url = where
        self.follow()

    @property
    def alert(self) -> str:
        """Return what the page complains of."""
        return Reader(self.page.content.decode()).alert

    @property
    def has_arrived(self) -> bool:
        """Say whether this is the app, with a code."""
        return self.url.startswith(CALLBACK) and bool(parse_qs(urlsplit(self.url).query).get("code"))


def test_a_phone_pools_whole_way_through_the_api(client: AppClient, gateway: Told) -> None:
    person = Person(client, gateway)
    told = {
        "Destination": f"+{'*' * (len(person.number) - 5)}{person.number[-4:]}",
        "DeliveryMedium": "SMS",
        "AttributeName": "phone_number",
    }

    made = person.call("SignUp", Username=person.number, Password=PASSWORD)
    assert (made["UserConfirmed"], made["CodeDeliveryDetails"]) == (False, told)
    person.code()
    age(person)
    assert person.call("ResendConfirmationCode", Username=person.number)["CodeDeliveryDetails"] == told
    person.call("ConfirmSignUp", Username=person.number, ConfirmationCode=person.code())
    assert person.sign_in(PASSWORD)["AccessToken"]

    assert person.call("ForgotPassword", Username=person.number)["CodeDeliveryDetails"] == told
    person.call("ConfirmForgotPassword", Username=person.number, ConfirmationCode=person.code(), Password=ANOTHER)
    token = person.sign_in(ANOTHER)["AccessToken"]

    user = access.user(person.pool, person.number)
    assert (user.phone_number, user.phone_number_verified) == (person.number, True)
    person.number = person.number[:-1] + str((int(person.number[-1]) + 1) % 10)
    changed = [{"Name": "phone_number", "Value": person.number}]
    person.call("UpdateUserAttributes", AccessToken=token, UserAttributes=changed)
    person.call("VerifyUserAttribute", AccessToken=token, AttributeName="phone_number", Code=person.code())
    assert access.user(person.pool, person.number).phone_number_verified


def age(person: Person) -> None:
    """Let a while pass since the last code."""
    for row in OneTimeCode.objects.filter(pool_id=person.pool.pk):
        OneTimeCode.objects.filter(pk=row.pk).update(created_at=row.created_at - timedelta(minutes=10))


def test_a_phone_pools_whole_way_on_the_pages(client: AppClient, gateway: Told) -> None:
    person = Person(client, gateway)
    browser = Browser(person)
    browser.open("/signup")
    browser.submit(username=person.number, password=PASSWORD)
    assert "/confirm" in browser.url, browser.alert
    browser.submit(code=person.code())
    assert browser.has_arrived, browser.alert

    again = Browser(person)
    again.open("/login")
    again.submit(username=person.number, password=PASSWORD)
    assert again.has_arrived, again.alert

    forgetful = Browser(person)
    forgetful.open("/forgotPassword")
    forgetful.submit(username=person.number)
    assert "/confirmForgotPassword" in forgetful.url, forgetful.alert
    forgetful.submit(code=person.code(), new_password=ANOTHER)
    assert person.sign_in(ANOTHER)["AccessToken"]
    late = Browser(person)
    late.open("/login")
    late.submit(username=person.number, password=ANOTHER)
    assert late.has_arrived, late.alert


def test_who_is_invited_by_phone_signs_in_with_what_the_text_says(client: AppClient, gateway: Told) -> None:
    person = Person(client, gateway)

    users.create(client.pool, person.number, attributes={}, by=factories.BY)
    deliveries.sweep()

    to, told = text(gateway)
    found = re.match(r"Your username is (\S+) and temporary password is (\S+)\.$", told)
    assert found
    assert (to, found[1]) == (person.number, person.number)
    parameters = {"USERNAME": person.number, "PASSWORD": found[2]}
    answer = person.call("InitiateAuth", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)
    assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
