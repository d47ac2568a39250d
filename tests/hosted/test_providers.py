"""Signing in with an identity provider: another pool of the same installation, as a browser meets both."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from tests.hosted.world import CALLBACK, OTHER_PASSWORD, PASSWORD, Page, Visitor, World
from tests.live import Live
from tests.oidc.world import claims

CORP = "Corp"
MAPPING = {"email": "email", "email_verified": "email_verified"}
OVER = "This sign-in is over"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class Federation:
    """A pool that sends people to another one."""

    def __init__(self, live: Live, mapping: dict[str, str] | None = None, **settings: Any) -> None:
        """Make both, each registered with the other."""
        self.up, self.down = World(live), World(live, **settings)
        made = self.up.idp.create_user_pool_client(
            UserPoolId=self.up.pool_id,
            ClientName="Downstream",
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid", "email", "profile"],
            CallbackURLs=[f"{self.down.base}/oauth2/idpresponse"],
            SupportedIdentityProviders=["COGNITO"],
        )["UserPoolClient"]
        self.details = {
            "client_id": made["ClientId"],
            "client_secret": made["ClientSecret"],
            "authorize_scopes": "openid email profile",
            "oidc_issuer": self.up.base,
            "attributes_request_method": "GET",
        }
        self.idp = self.down.idp
        self.idp.create_identity_provider(
            UserPoolId=self.down.pool_id,
            ProviderName=CORP,
            ProviderType="OIDC",
            ProviderDetails=self.details,
            AttributeMapping=MAPPING if mapping is None else mapping,
        )
        self.down.client_id = self.down.app("Both ways", SupportedIdentityProviders=["COGNITO", CORP])

    def visitor(self, **parameters: str) -> Visitor:
        """Return a browser that comes from the app to the pool below."""
        visitor = self.down.visitor()
        visitor.open(self.down.url("/oauth2/authorize", code_challenge=CHALLENGE, **parameters))
        return visitor

    def sign_in(self, name: str, visitor: Visitor | None = None) -> Page:
        """Go to the provider and sign in there; return where that leads."""
        visitor = visitor or self.visitor()
        visitor.follow(f"Continue with {CORP}")
        assert visitor.here.url.startswith(self.up.base), visitor.here.text
        return visitor.submit(username=name, password=PASSWORD)

    def claims(self, page: Page) -> dict[str, Any]:
        """Trade the code of a page for tokens; return what the ID token says."""
        given = {"grant_type": "authorization_code", "code": page.code, "client_id": self.down.client_id}
        more = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        answer = requests.post(f"{self.down.base}/oauth2/token", data=given | more, timeout=30)
        assert answer.status_code == 200, answer.text
        return claims(answer.json()["id_token"])

    def user(self, username: str) -> dict[str, Any]:
        """Return somebody as an administrator sees them, attributes as a map."""
        found: dict[str, Any] = self.idp.admin_get_user(UserPoolId=self.down.pool_id, Username=username)
        return found | {"attributes": {each["Name"]: each["Value"] for each in found["UserAttributes"]}}

    def users(self) -> int:
        """Count the accounts of the pool below."""
        return len(self.idp.list_users(UserPoolId=self.down.pool_id)["Users"])

    def sub(self, name: str) -> str:
        """Return who somebody is at the provider."""
        found = self.up.idp.admin_get_user(UserPoolId=self.up.pool_id, Username=name)
        return next(str(each["Value"]) for each in found["UserAttributes"] if each["Name"] == "sub")

    def refusals(self) -> list[dict[str, Any]]:
        """Return what the audit log says of sign-ins that failed, oldest first."""
        from pools.models import AuditEvent

        with self.down.rows() as pool:
            rows = AuditEvent.objects.filter(pool_id=pool.pk, tag="provider_login_refused").order_by("id")
            return [row.detail for row in rows]


def heading(page: Page) -> str:
    """Return what a page about something that stopped says first."""
    return page.read.title.removeprefix("Error: ").partition(" – ")[0]


@pytest.fixture(scope="module")
def federation(live: Live) -> Federation:
    """Return the pair."""
    return Federation(live)


def test_who_comes_for_the_first_time_gets_an_account_as_cognito_makes_it(federation: Federation) -> None:
    name = federation.up.person()
    subject = federation.sub(name)

    told = federation.claims(federation.sign_in(name))

    assert told["cognito:username"] == f"corp_{subject}"
    assert told["email"] == name
    [identity] = told["identities"]
    assert (identity["userId"], identity["providerName"], identity["providerType"]) == (subject, CORP, "OIDC")
    assert (identity["primary"], identity["issuer"]) == ("true", None)
    found = federation.user(told["cognito:username"])
    assert (found["UserStatus"], found["Enabled"]) == ("EXTERNAL_PROVIDER", True)
    assert found["attributes"]["email_verified"] == "true"
    assert json.loads(found["attributes"]["identities"])[0]["userId"] == subject
    assert told["cognito:groups"] == [f"{federation.down.pool_id}_{CORP}"]


def test_who_comes_again_is_the_same_with_what_the_provider_says_now(federation: Federation) -> None:
    name, other = federation.up.person(), federation.up.name()
    first = federation.claims(federation.sign_in(name))
    federation.up.idp.admin_update_user_attributes(
        UserPoolId=federation.up.pool_id,
        Username=name,
        UserAttributes=[{"Name": "email", "Value": other}, {"Name": "email_verified", "Value": "true"}],
    )

    again = federation.claims(federation.sign_in(other))

    assert again["sub"] == first["sub"]
    assert again["email"] == other


@pytest.fixture
def both(federation: Federation) -> str:
    """Return an address that has an account at the provider, and another in the pool below, verified in both."""
    name = federation.up.person()
    federation.idp.admin_create_user(
        UserPoolId=federation.down.pool_id,
        Username=name,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}],
    )
    federation.idp.admin_set_user_password(
        UserPoolId=federation.down.pool_id, Username=name, Password=OTHER_PASSWORD, Permanent=True
    )
    return name


def test_who_proves_that_an_account_is_theirs_has_it_from_then_on(federation: Federation, both: str) -> None:
    owner = federation.user(both)
    visitor = federation.visitor()

    page = federation.sign_in(both, visitor)
    assert page.path.startswith("/login/join")
    assert both in page.text
    assert visitor.follow("Sign in to that account").form["username"]["value"] == both
    told = federation.claims(visitor.submit(username=both, password=OTHER_PASSWORD))

    assert told["sub"] == owner["attributes"]["sub"]
    assert [each["providerName"] for each in told["identities"]] == [CORP]
    assert federation.claims(federation.sign_in(both))["sub"] == owner["attributes"]["sub"]
    assert federation.user(both)["UserStatus"] == "CONFIRMED"


def test_who_proves_another_account_gets_neither(federation: Federation, both: str) -> None:
    """Signing in to any account of the pool is no proof of the one that has the address."""
    stranger = federation.down.person()
    visitor = federation.visitor()
    federation.sign_in(both, visitor)

    visitor.follow("Sign in to that account")
    page = visitor.submit(username=stranger, password=PASSWORD)

    assert page.path.startswith("/login/join")
    assert "identities" not in federation.user(both)["attributes"]
    assert "identities" not in federation.user(stranger)["attributes"]


def test_who_declines_gets_an_account_without_that_name(federation: Federation, both: str) -> None:
    visitor = federation.visitor()
    federation.sign_in(both, visitor)

    told = federation.claims(visitor.submit())

    assert told["cognito:username"] == f"corp_{federation.sub(both)}"
    assert federation.user(both)["attributes"]["sub"] != told["sub"]
    assert "identities" not in federation.user(both)["attributes"]


@pytest.mark.parametrize("side", ["here", "there"])
def test_an_address_that_is_not_verified_on_both_sides_joins_nothing(
    federation: Federation, both: str, side: str
) -> None:
    world = federation.down if side == "here" else federation.up
    world.idp.admin_update_user_attributes(
        UserPoolId=world.pool_id,
        Username=both,
        UserAttributes=[{"Name": "email", "Value": both}, {"Name": "email_verified", "Value": "false"}],
    )

    told = federation.claims(federation.sign_in(both))

    assert told["cognito:username"] == f"corp_{federation.sub(both)}"


def test_a_link_that_an_operator_made_leads_to_the_account(federation: Federation) -> None:
    name, owner = federation.up.person(), federation.down.person()
    federation.idp.admin_link_provider_for_user(
        UserPoolId=federation.down.pool_id,
        DestinationUser={"ProviderName": "Cognito", "ProviderAttributeValue": owner},
        SourceUser={
            "ProviderName": CORP,
            "ProviderAttributeName": "email",
            "ProviderAttributeValue": name,
        },
    )

    told = federation.claims(federation.sign_in(name))

    assert told["sub"] == federation.user(owner)["attributes"]["sub"]
    assert told["email"] == owner  # by which they sign in here: no provider changes that
    assert told["identities"][0]["userId"] == federation.sub(name)


def test_who_is_disabled_here_is_not_signed_in_and_nothing_is_written(federation: Federation) -> None:
    name = federation.up.person()
    username = federation.claims(federation.sign_in(name))["cognito:username"]
    federation.idp.admin_disable_user(UserPoolId=federation.down.pool_id, Username=username)

    page = federation.sign_in(name)

    assert (page.status, heading(page)) == (403, "This account is switched off")
    assert page.link("Start again").startswith(f"{federation.down.base}/login")


def test_an_account_of_a_provider_has_no_password_here(federation: Federation) -> None:
    username = federation.claims(federation.sign_in(federation.up.person()))["cognito:username"]

    page = federation.down.visitor().sign_in(username)

    assert page.path.startswith("/login")
    assert page.alert.startswith("That sign-in didn't work.")


class Answer:
    """A browser that has signed in at the provider, and the address at which it comes back, not opened yet."""

    def __init__(self, federation: Federation) -> None:
        """Stop before the last hop."""
        self.visitor = federation.visitor()
        start = self.visitor.here.link(f"Continue with {CORP}")
        there = self.visitor.session.get(start, allow_redirects=False, timeout=30).headers["Location"]
        self.visitor.open(there)
        page = self.visitor.here
        sent = page.form
        body = {**sent.values, "username": federation.up.person(), "password": PASSWORD}
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        url = requests.compat.urljoin(page.url, sent.action)
        answer = self.visitor.session.post(
            url, data=body, headers={"Origin": origin}, allow_redirects=False, timeout=30
        )
        while not answer.headers["Location"].startswith(federation.down.base):
            url = requests.compat.urljoin(answer.url, answer.headers["Location"])
            answer = self.visitor.session.get(url, allow_redirects=False, timeout=30)
        self.url: str = answer.headers["Location"]

    @property
    def given(self) -> dict[str, str]:
        """Return what the provider says in it."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def otherwise(self, **changed: str) -> str:
        """Return the same address with something else in it; what is empty is left out."""
        given = {name: value for name, value in {**self.given, **changed}.items() if value}
        return f"{self.url.partition('?')[0]}?{urlencode(given)}"


def test_an_answer_is_good_once_and_in_the_browser_that_asked(federation: Federation) -> None:
    answer, before = Answer(federation), federation.users()

    elsewhere = federation.down.visitor().open(answer.url)
    assert (elsewhere.status, heading(elsewhere)) == (400, OVER)
    assert federation.users() == before
    assert answer.visitor.open(answer.url).code
    again = answer.visitor.open(answer.url)

    assert (again.status, heading(again)) == (400, OVER)
    assert federation.users() == before + 1


@pytest.mark.parametrize("state", ["", "x", "state of another pool"])
def test_a_state_that_is_not_ours_is_no_trip(federation: Federation, live: Live, state: str) -> None:
    answer = Answer(federation)
    if state.startswith("state of"):
        other = Answer(Federation(live))
        state = other.given["state"]

    page = answer.visitor.open(answer.otherwise(state=state))

    assert (page.status, heading(page)) == (400, OVER)


@pytest.mark.parametrize(
    ("changed", "status", "title", "refusal"),
    [
        ({"code": "x"}, 400, "That sign-in could not be checked", "LoginRefused"),
        ({"iss": "https://evil.example"}, 400, "That sign-in could not be checked", "LoginRefused"),
        ({"code": "", "error": "access_denied"}, 403, "You were not signed in", "LoginDenied"),
        ({"code": ""}, 400, "That sign-in could not be checked", "LoginRefused"),
    ],
)
def test_an_answer_that_is_wrong_signs_nobody_in_and_the_audit_log_says_why(
    federation: Federation, changed: dict[str, str], status: int, title: str, refusal: str
) -> None:
    answer, before, logged = Answer(federation), federation.users(), len(federation.refusals())

    page = answer.visitor.open(answer.otherwise(**changed))

    assert (page.status, heading(page)) == (status, title)
    assert page.link("Start again").startswith(f"{federation.down.base}/login?")
    assert federation.users() == before
    [entry] = federation.refusals()[logged:]
    assert (entry["provider"], entry["refusal"]) == (CORP, refusal)
    assert entry["why"]


def test_an_answer_by_a_form_of_the_provider_comes_back_with_the_browsers_cookies(federation: Federation) -> None:
    """A form of another site brings no Lax cookie (Sign in with Apple): its answer waits for the browser's own."""
    answer = Answer(federation)
    where = answer.url.partition("?")[0]

    posted = requests.post(where, data=answer.given, allow_redirects=False, timeout=30)
    landed = requests.compat.urljoin(where, posted.headers["Location"])

    assert posted.status_code == 303
    assert answer.given["code"] not in landed
    assert heading(federation.down.visitor().open(landed)) == OVER
    assert requests.post(where, data={"state": "x", "code": "y"}, timeout=30).status_code == 400


def test_a_form_of_the_provider_ends_in_the_app(federation: Federation) -> None:
    answer = Answer(federation)
    where = answer.url.partition("?")[0]
    posted = requests.post(where, data=answer.given, allow_redirects=False, timeout=30)

    assert answer.visitor.open(requests.compat.urljoin(where, posted.headers["Location"])).code


def test_what_the_pool_wants_of_everybody_is_asked_for_once(live: Live) -> None:
    wants = Federation(
        live, Schema=[{"Name": name, "Required": True, "Mutable": True} for name in ("email", "given_name")]
    )
    visitor, name = wants.visitor(), wants.up.person()

    page = wants.sign_in(name, visitor)
    assert page.path.startswith("/login/join")
    assert [each.name for each in page.form.fields if each.name == "given_name"]
    empty = visitor.submit(given_name="")
    assert empty.form["given_name"]["aria-invalid"] == "true"
    told = wants.claims(visitor.submit(given_name="Ada"))

    assert wants.user(told["cognito:username"])["attributes"]["given_name"] == "Ada"
    assert wants.claims(wants.sign_in(name))["sub"] == told["sub"]


def test_a_pool_that_requires_a_second_factor_asks_none_of_who_comes_from_elsewhere(live: Live) -> None:
    required = Federation(live, mfa="ON")

    assert required.sign_in(required.up.person()).code


def test_a_provider_that_asks_for_our_second_factor_has_who_comes_set_one_up(live: Live) -> None:
    required = Federation(live, mfa="ON")
    with required.down.rows() as pool:
        from identity.foundation.actor import Actor
        from pools.services.providers import identity_providers

        identity_providers.update(pool, CORP, changes={"asks_second_factor": True}, by=Actor.system())
    name = required.up.person()

    page = required.sign_in(name)

    assert page.path.partition("?")[0] == "/login/mfa"
    assert page.form["code"]["autocomplete"] == "one-time-code"
    assert required.down.visitor().start("/account").path.startswith("/login")


def test_an_app_offers_what_it_names_and_a_request_may_go_straight_there(federation: Federation) -> None:
    alone = federation.down.app("Corp alone", SupportedIdentityProviders=[CORP])
    own = federation.down.app("Own people", SupportedIdentityProviders=["COGNITO"])
    visitor = federation.down.visitor

    assert [each for each in visitor().start(client_id=alone).read.links if CORP in each] == [f"Continue with {CORP}"]
    assert "password" not in visitor().start(client_id=alone).text.partition("<main")[2]
    assert not [each for each in visitor().start(client_id=own).read.links if CORP in each]
    straight = visitor().start("/oauth2/authorize", identity_provider=CORP)
    assert straight.url.startswith(f"{federation.up.base}/login")
    refused = visitor().start("/oauth2/authorize", client_id=own, identity_provider=CORP)
    assert dict(parse_qsl(urlsplit(refused.url).query))["error"] == "invalid_request"


def test_an_identifier_is_another_name_of_a_provider(federation: Federation) -> None:
    federation.idp.update_identity_provider(
        UserPoolId=federation.down.pool_id, ProviderName=CORP, IdpIdentifiers=["corp.example"]
    )

    page = federation.down.visitor().start("/oauth2/authorize", idp_identifier="corp.example", login_hint="a@b.example")

    assert page.url.startswith(f"{federation.up.base}/login")
    assert page.form["username"]["value"] == "a@b.example"
