"""Signing in with an identity provider: another pool of the same installation, as a browser meets both."""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from tests.hosted.federation import CHALLENGE, CORP, Federation
from tests.hosted.upstream import OVER, heading
from tests.hosted.world import OTHER_PASSWORD, PASSWORD
from tests.live import Live


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


def test_a_link_by_an_address_waits_until_the_provider_has_verified_it(federation: Federation) -> None:
    name, owner = federation.up.person(), federation.down.person()
    federation.up.idp.admin_update_user_attributes(
        UserPoolId=federation.up.pool_id,
        Username=name,
        UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "false"}],
    )
    federation.idp.admin_link_provider_for_user(
        UserPoolId=federation.down.pool_id,
        DestinationUser={"ProviderName": "Cognito", "ProviderAttributeValue": owner},
        SourceUser={"ProviderName": CORP, "ProviderAttributeName": "email", "ProviderAttributeValue": name},
    )

    told = federation.claims(federation.sign_in(name))

    assert told["sub"] != federation.user(owner)["attributes"]["sub"]
    assert told["cognito:username"] == f"corp_{federation.sub(name)}"


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


UNCHECKED = "That sign-in could not be checked"


@pytest.mark.parametrize(
    ("changed", "status", "title", "check", "said"),
    [
        ({"code": "x"}, 400, UNCHECKED, "provider_refused", "invalid_grant"),
        ({"iss": "https://evil.example"}, 400, UNCHECKED, "answer: iss is another issuer's", ""),
        ({"iss": ""}, 400, UNCHECKED, "answer: no iss, which discovery promises", ""),
        ({"code": "", "error": "access_denied"}, 403, "You were not signed in", "login_denied", "access_denied"),
        ({"code": ""}, 400, UNCHECKED, "answer: neither a code nor an error", ""),
    ],
)
def test_an_answer_that_is_wrong_signs_nobody_in_and_the_audit_log_says_why(
    federation: Federation, changed: dict[str, str], status: int, title: str, check: str, said: str
) -> None:
    answer, before, logged = Answer(federation), federation.users(), federation.refusals()

    page = answer.visitor.open(answer.otherwise(**changed))

    assert (page.status, heading(page)) == (status, title)
    assert page.link("Start again").startswith(f"{federation.down.base}/login?")
    assert federation.users() == before
    [entry] = [each for each in federation.refusals() if each not in logged]
    assert entry == {"provider": CORP, "check": check, "said": said}


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


def test_the_domain_of_an_address_says_which_provider_is_somebodys(federation: Federation) -> None:
    federation.idp.update_identity_provider(
        UserPoolId=federation.down.pool_id, ProviderName=CORP, IdpIdentifiers=["corp.example"]
    )
    visitor = federation.visitor()
    form = next(each for each in visitor.here.read.forms if each.action.endswith("/login/provider"))
    asked = {**form.values, "email": "Ada@Corp.example"}

    there = visitor.open(f"{federation.down.base}/login/provider?{urlencode(asked)}")
    nowhere = federation.visitor().open(f"{federation.down.base}/login/provider?{urlencode({**asked, 'email': 'a@b'})}")

    assert there.url.startswith(f"{federation.up.base}/login")
    assert there.form["username"]["value"] == "Ada@Corp.example"
    assert (nowhere.status, heading(nowhere)) == (400, "That address is of no organisation here")
    assert visitor.submit(username=federation.up.person(), password=PASSWORD).code


def test_a_browser_is_shown_by_which_provider_it_signed_in_last(federation: Federation) -> None:
    visitor = federation.visitor()
    federation.sign_in(federation.up.person(), visitor)

    shown = visitor.start(prompt="login")
    assert "Last used" in shown.text
    visitor.submit(username=federation.down.person(), password=PASSWORD)

    assert "Last used" not in visitor.start(prompt="login").text


def test_what_a_provider_gives_is_changed_there_alone(federation: Federation) -> None:
    visitor = federation.down.visitor()
    scope = "openid email aws.cognito.signin.user.admin"
    app = federation.down.app("Own", AllowedOAuthScopes=scope.split(), SupportedIdentityProviders=[CORP])
    visitor.open(federation.down.url("/oauth2/authorize", client_id=app, code_challenge=CHALLENGE, scope=scope))
    token = federation.tokens(federation.sign_in(federation.up.person(), visitor), app)["access_token"]
    idp = federation.down.live.boto(signed=False)
    refused = pytest.raises(
        idp.exceptions.InvalidParameterException, match=r"user\.email: Attribute cannot be updated\."
    )

    with refused:
        idp.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email", "Value": "x@example.org"}])
    with refused:
        idp.delete_user_attributes(AccessToken=token, UserAttributeNames=["email"])
    idp.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "nickname", "Value": "Ada"}])


@pytest.mark.parametrize("name", ["Corp_1", "corp_1"])
def test_nobody_takes_the_name_of_a_providers_person_before_they_come(live: Live, name: str) -> None:
    federation = Federation(live, by_email=False, UsernameConfiguration={"CaseSensitive": False})

    with pytest.raises(federation.idp.exceptions.InvalidParameterException, match="kept for people of an identity"):
        federation.idp.admin_create_user(UserPoolId=federation.down.pool_id, Username=name)
    assert federation.idp.admin_create_user(UserPoolId=federation.down.pool_id, Username="corporal_1")


def test_how_and_when_the_provider_says_is_what_tokens_say(live: Live) -> None:
    """Strict apps on both sides: acr by the names that each pool has for its levels, amr, auth_time."""
    federation = Federation(live)
    federation.be_strict()
    name = federation.up.person()
    for level in ("Level1", "Level3"):
        federation.idp.update_identity_provider(
            UserPoolId=federation.down.pool_id, ProviderName=CORP, AcrMapping={level: "urn:cognito:loa:1"}
        )
        began = int(time.time())

        told = federation.claims(federation.sign_in(name))

        assert told["acr"] == f"urn:cognito:loa:{level[-1]}"
        assert told["amr"] == ["pwd"]
        assert began <= told["auth_time"] <= time.time()


@pytest.mark.parametrize("way", ["logout", "account"])
def test_who_signs_out_here_signs_out_there_where_an_operator_wants_it(live: Live, way: str) -> None:
    federation, bye = Federation(live), "https://app.example/bye"
    app = federation.down.app("Leaving", SupportedIdentityProviders=[CORP], LogoutURLs=[bye])
    name, there = federation.up.person(), f"{federation.up.base}/account?client_id={federation.details['client_id']}"

    for signs_out in (False, True):
        if signs_out:
            federation.sign_out_there_too()
            time.sleep(2.1)  # a process may hold the older setting for two seconds
        visitor = federation.down.visitor()
        visitor.start("/oauth2/authorize", client_id=app)
        federation.sign_in(name, visitor)
        assert "Signed in as" in visitor.open(there).text
        if way == "logout":
            page = visitor.open(f"{federation.down.base}/logout?{urlencode({'client_id': app, 'logout_uri': bye})}")
            assert page.url.startswith(bye)
        else:
            visitor.open(f"{federation.down.base}/account?client_id={app}")
            assert visitor.submit().path.startswith("/signedout")
            if signs_out:
                assert visitor.follow("Go on").path.startswith("/signedout")
        assert ("Signed in as" in visitor.open(there).text) is not signs_out


@pytest.mark.parametrize("state", ["", "x"])
def test_nobody_is_led_away_by_a_made_up_way_back(federation: Federation, state: str) -> None:
    page = federation.down.visitor().open(f"{federation.down.base}/oauth2/idplogout?{urlencode({'state': state})}")

    assert page.path.startswith("/signedout")


def test_what_the_app_may_not_write_a_provider_does_not_write_through_it(federation: Federation) -> None:
    """Cognito refuses such a sign-in (API_UpdateUserPoolClient, WriteAttributes)."""
    name = federation.up.person()
    narrow = federation.down.app(
        "Narrow", SupportedIdentityProviders=["COGNITO", CORP], WriteAttributes=["given_name"], ReadAttributes=["email"]
    )
    before = federation.users()

    refused = federation.sign_in(name, federation.visitor(client_id=narrow))

    assert refused.status == 400
    assert federation.users() == before
    told = federation.claims(federation.sign_in(name))
    assert told["email"] == name
    again = federation.sign_in(name, federation.visitor(client_id=narrow))
    assert again.status == 400
