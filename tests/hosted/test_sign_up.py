"""Signing up by pages, confirming by the mailed code, and the offer of a second factor."""

from __future__ import annotations

import re
from contextlib import suppress
from time import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pyotp
import pytest

from pools.models import Password, User
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, Visitor, World

CODE_FAILED = "That code didn't work. Check it, or ask for a new one."


def signed_up(world: World, visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    """Come from the app without an account, and ask for one."""
    visitor.open(world.url("/oauth2/authorize"))
    visitor.follow("Create an account")
    page = visitor.submit(username=name, password=password)
    assert page.path == "/confirm", page.alert


def test_the_story_flows_from_the_app_through_sign_up_and_a_second_factor_back(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    assert name in visitor.here.text

    page = visitor.submit(code=world.mailed(name))
    assert page.path == "/login/mfa"
    secret = dict(parse_qsl(urlsplit(page.link("Open in an authenticator app")).query))["secret"]
    assert secret in page.text.replace(" ", "")
    assert "<svg" in page.text
    assert "style=" not in page.text

    totp = pyotp.TOTP(secret)
    page = visitor.submit(code=totp.now())
    assert page.code
    assert world.visitor().sign_in(name).path == "/login/totp"


def test_not_now_is_one_click_and_the_offer_does_not_come_back(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    assert visitor.submit(code=world.mailed(name)).path == "/login/mfa"

    assert visitor.follow("Not now").code
    assert world.visitor().sign_in(name).code


def test_a_code_may_be_typed_with_spaces(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    code = world.mailed(name)

    assert visitor.submit(code=f" {code[:3]} {code[3:]} ").path == "/login/mfa"


def test_a_wrong_code_may_be_corrected(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)

    wrong = visitor.submit(code="000000")
    assert wrong.alert == CODE_FAILED
    assert wrong.form["code"]["aria-invalid"] == "true"

    assert visitor.submit(code=world.mailed(name)).path == "/login/mfa"


def test_an_unconfirmed_account_is_led_to_its_code_after_the_right_password(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    later = world.visitor()

    assert later.sign_in(name, OTHER_PASSWORD).path == "/login"
    page = later.sign_in(name)

    assert page.path == "/confirm"
    assert "Confirm your account first. A new code is on its way." in page.text
    page = later.submit(code=world.mailed(name, count=2))
    assert page.path == "/login"
    assert "Your account is confirmed. Sign in to continue." in page.text
    later.submit(username=world.name(), password=PASSWORD)
    assert later.submit(username=name, password=PASSWORD).path == "/login/mfa"


def test_who_asks_for_a_code_too_early_is_told_to_wait_and_the_code_stays_good(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)

    for _ in range(2):
        page = visitor.submit(form=1)
        assert page.path == "/confirm"
        assert "No new code was sent. You can ask for one in " in page.text

    assert visitor.submit(code=world.mailed(name)).path == "/login/mfa"


@pytest.mark.parametrize("sent", [True, False])
def test_the_address_of_an_existing_account_looks_like_a_new_one(world: World, *, sent: bool) -> None:
    if not sent:
        world = World(world.live, AutoVerifiedAttributes=[])
    taken, free = world.person(), world.name()
    pages, lengths = [], []
    for name in (taken, free):
        visitor = world.visitor()
        visitor.open(f"{world.base}/signup?client_id={world.client_id}")
        page = visitor.submit(username=name, password=PASSWORD)
        token = [each.values["form_token"] for each in page.read.forms]
        text = page.text.replace(name, "NAME")
        for each in token:
            text = text.replace(each, "TOKEN")
        # The wait for another code, which counts down while the page is made.
        pages.append((page.status, page.path, re.sub(r"\b(?:60|59|58)\b", "SECONDS", text)))
        lengths.append(len(visitor.cookie("-step") or ""))

    assert pages[0] == pages[1]
    assert pages[0][1] == ("/confirm" if sent else "/login")
    assert lengths[0] == lengths[1]


def test_who_signs_up_over_a_strangers_account_chooses_its_password_after_proving_the_address(world: World) -> None:
    """An account made beforehand by somebody else must not keep that person's password."""
    name = world.name()
    signed_up(world, world.visitor(), name, OTHER_PASSWORD)
    owner = world.visitor()
    signed_up(world, owner, name)
    code = world.mailed(name, count=2)

    page = owner.submit(code=code)
    assert page.path == "/confirmForgotPassword"
    assert "Choose the password of your account" in page.text
    assert world.visitor().sign_in(name, OTHER_PASSWORD).path == "/login"

    page = owner.submit(code=world.mailed(name, count=3), new_password=PASSWORD)
    assert page.path == "/login/mfa"
    assert world.visitor().sign_in(name, OTHER_PASSWORD).path == "/login"


@pytest.mark.parametrize("way", ["link", "page", "resent", "another name's sign-up"])
def test_a_code_alone_never_makes_a_strangers_password_good(world: World, way: str) -> None:
    name = world.name()
    signed_up(world, world.visitor(), name, OTHER_PASSWORD)
    owner, code = world.visitor(), world.mailed(name)
    link = urlencode({"client_id": world.client_id, "user_name": name, "confirmation_code": code})
    if way == "another name's sign-up":
        signed_up(world, owner, world.name())
    else:
        owner.start("/confirm") if way == "page" else owner.open(f"{world.base}/confirmUser?{link}")
    sent = 1
    if way == "resent":
        owner.submit(form=1)
        code, sent = world.mailed(name, count=2), 2

    page = owner.submit(username=name, code=code)

    assert page.path == "/confirmForgotPassword"
    assert world.visitor().sign_in(name, OTHER_PASSWORD).path == "/login"
    assert owner.submit(code=world.mailed(name, count=sent + 1), new_password=PASSWORD).path == "/login/mfa"
    assert world.visitor().sign_in(name, PASSWORD).code


def test_a_link_opened_where_the_account_was_made_keeps_its_password(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    link = {"client_id": world.client_id, "user_name": name, "confirmation_code": world.mailed(name)}
    visitor.open(f"{world.base}/confirmUser?{urlencode(link)}")

    assert visitor.submit().path == "/login/mfa"
    assert world.visitor().sign_in(name).code


def test_the_link_of_a_mail_confirms_by_the_address_and_keeps_the_password(world: World) -> None:
    world = World(world.live, VerificationMessageTemplate={"DefaultEmailOption": "CONFIRM_WITH_LINK"})
    name, visitor = world.name(), world.visitor()
    signed_up(world, visitor, name)
    message = world.live.message(name)
    found = re.search(r"https?://\S+/confirmUser\?\S+", message["body"])
    assert found
    assert message["subject"] == "Your verification link"
    link = found[0].replace(world.live.base_url, world.base.rpartition("/")[0])

    page = visitor.open(link)

    assert page.form["username"]["value"] == name
    assert visitor.submit().path == "/login/mfa"


def test_the_link_of_an_app_without_pages_confirms_on_one_of_its_own(world: World) -> None:
    template = {"DefaultEmailOption": "CONFIRM_WITH_LINK", "EmailMessageByLink": "Now {##press##}, {username}"}
    world = World(world.live, VerificationMessageTemplate={**template, "EmailSubjectByLink": "Press"})
    name, api = world.name(), world.live.boto(signed=False)
    app = {"ClientId": world.app("SDK", AllowedOAuthFlowsUserPoolClient=False)}
    api.sign_up(**app, Username=name, Password=PASSWORD)
    message = world.live.message(name)
    assert (message["subject"], message["body"].split(",")[1].strip()) == ("Press", "{username}")
    found = re.search(r"https?://\S+/confirmUser\?\S+", message["body"])
    assert found
    assert f"client_id={app['ClientId']}" in found[0]
    visitor, link = world.visitor(), found[0].replace(world.live.base_url, world.base.rpartition("/")[0]).rstrip(",)")

    page = visitor.open(link)
    assert page.form["username"]["value"] == name
    assert visitor.submit(code="000000").status == 200
    page = visitor.open(link)
    done = visitor.submit()

    assert (done.path, "Your account is confirmed" in done.text, done.read.forms) == ("/confirmUser", True, [])
    assert visitor.open(link).read.forms == []
    signing_in = {"USERNAME": name, "PASSWORD": PASSWORD}
    assert api.initiate_auth(**app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=signing_in)["AuthenticationResult"]


def test_whoever_made_an_account_may_confirm_it_hours_later(visitor: Visitor, world: World) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    cookies = [each for each in visitor.session.cookies if each.name.endswith("-step")]

    assert [round((each.expires or 0) - time()) // 3600 for each in cookies] in ([23], [24])


def test_who_is_not_known_is_shown_where_to_get_a_code(visitor: Visitor) -> None:
    page = visitor.start("/confirm")

    assert [form.action for form in page.read.forms] == [page.form.action]
    assert "/login" in page.link("Sign in to be sent a new code")


def test_a_button_that_comes_too_late_leads_back_to_its_page(visitor: Visitor, world: World) -> None:
    signed_up(world, visitor, world.name())

    page = visitor.submit(form=1, form_token="0" * 64)

    assert (page.status, page.path) == (200, "/confirm")


def test_where_nobody_recovers_alone_an_operator_is_asked(world: World) -> None:
    world = World(world.live, AccountRecoverySetting={"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]})
    name, reader = world.name(), world.visitor()
    signed_up(world, world.visitor(), name, OTHER_PASSWORD)
    reader.start("/confirm")

    page = reader.submit(username=name, code=world.mailed(name))

    assert page.path == "/login"
    assert "Ask an administrator for a password" in page.text
    assert world.visitor().sign_in(name, OTHER_PASSWORD).path == "/login"


def test_what_the_schema_requires_is_asked_for_by_its_own_name(by_username: World) -> None:
    visitor, name = by_username.visitor(), by_username.name()
    page = visitor.start("/signup")
    fields = {each.name: each.attributes for each in page.form.fields}
    assert list(fields) == ["form_token", "username", "email", "given_name", "password"]
    assert fields["given_name"]["autocomplete"] == "given-name"
    assert fields["email"]["autocomplete"] == "email"

    page = visitor.submit(username=name, email=f"{name}@example.org", given_name="Ann", password=PASSWORD)

    assert page.path == "/confirm"
    assert f"<bdi>{name}@example.org</bdi>" in page.text
    assert visitor.submit(code=by_username.mailed(f"{name}@example.org")).code
    given = by_username.idp.admin_get_user(UserPoolId=by_username.pool_id, Username=name)["UserAttributes"]
    assert {"Name": "given_name", "Value": "Ann"} in given


def test_a_taken_username_is_said_since_nobody_could_choose_otherwise(by_username: World) -> None:
    visitor, name = by_username.visitor(), by_username.person()
    visitor.start("/signup")

    page = visitor.submit(username=name, email="ann@example.org", given_name="Ann", password=PASSWORD)

    assert page.alert == "That username is taken. Choose another one."
    assert page.form["username"]["aria-invalid"] == "true"
    assert page.form["given_name"]["value"] == "Ann"
    assert PASSWORD not in page.text


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("Sh0rt!", "That password is too short."),
        ("correct-horse-7", "Add a capital letter."),
        ("CORRECT-HORSE-7", "Add a lower-case letter."),
        ("Correct-horse-x", "Add a number."),
        ("Correcthorse77", "Add a symbol, such as ! or #."),
    ],
)
def test_a_weak_password_says_what_it_lacks(world: World, visitor: Visitor, password: str, said: str) -> None:
    visitor.start("/signup")

    page = visitor.submit(username=world.name(), password=password)

    assert page.alert == said
    assert page.form["password"]["aria-invalid"] == "true"


def test_a_link_in_a_mail_fills_in_and_leaves_the_button_to_a_person(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    link = {"client_id": world.client_id, "user_name": name, "confirmation_code": world.mailed(name)}
    reader = world.visitor()

    page = reader.open(f"{world.base}/confirmUser?{urlencode(link)}")
    status = world.idp.admin_get_user(UserPoolId=world.pool_id, Username=name)["UserStatus"]
    assert status == "UNCONFIRMED"
    assert page.form["code"]["value"] == link["confirmation_code"]

    assert reader.submit().path == "/confirmForgotPassword"
    status = world.idp.admin_get_user(UserPoolId=world.pool_id, Username=name)["UserStatus"]
    assert status == "CONFIRMED"


def test_a_pool_of_invited_people_has_no_sign_up(world: World) -> None:
    invited = World(world.live, AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    visitor = invited.visitor()

    assert "Create an account" not in visitor.start().read.links
    page = visitor.start("/signup")

    assert page.status == 403
    assert "New accounts are made by an administrator here." in page.alert


@pytest.mark.parametrize("meanwhile", ["a factor", "disabled", "another password"])
def test_who_confirms_is_signed_in_by_the_machine(world: World, visitor: Visitor, meanwhile: str) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    if meanwhile == "a factor":
        world.give_totp(name)
    elif meanwhile == "disabled":
        world.disable(name)
    else:
        world.idp.admin_set_user_password(
            UserPoolId=world.pool_id, Username=name, Password=OTHER_PASSWORD, Permanent=False
        )
        with world.rows() as pool:
            User.objects.filter(pool_id=pool.pk, email=name).update(status="UNCONFIRMED")

    page = visitor.submit(code=world.mailed(name))

    assert page.path == ("/login/totp" if meanwhile == "a factor" else "/login")
    assert visitor.cookie() is None
    if meanwhile != "a factor":
        assert "Your account is confirmed. Sign in to continue." in page.text
        assert page.form["username"]["value"] == name


def test_the_step_of_one_browser_signs_nobody_in_at_another(world: World, visitor: Visitor) -> None:
    name = world.name()
    signed_up(world, visitor, name)
    thief = world.visitor()
    thief.start("/confirm")
    stolen = next(each for each in visitor.session.cookies if each.name.endswith("-step"))
    thief.session.cookies.set_cookie(stolen)

    assert thief.submit(username=name, code=world.mailed(name)).path == "/confirmForgotPassword"
    assert thief.cookie() is None


def test_a_wrong_address_is_changed_by_the_browser_that_typed_it(world: World, visitor: Visitor) -> None:
    wrong, right = world.name(), world.name()
    signed_up(world, visitor, wrong)
    code = world.mailed(wrong)

    page = visitor.follow("Change it")
    assert page.path == "/signup"
    assert page.form["username"]["value"] == wrong
    assert page.form["password"].get("value", "") == ""
    assert "too short" in visitor.submit(username=right, password="weak").alert
    assert visitor.submit(username=right, password=PASSWORD).path == "/confirm"

    assert status_of(world, wrong) is None
    assert status_of(world, right) == "UNCONFIRMED"
    other = world.visitor()
    other.start("/confirm")
    assert other.submit(username=wrong, code=code).alert == CODE_FAILED
    assert visitor.submit(code=world.mailed(right)).path == "/login/mfa"


def test_a_name_is_kept_when_its_address_is_changed(by_username: World) -> None:
    visitor, name = by_username.visitor(), by_username.name()
    visitor.start("/signup")
    visitor.submit(username=name, email=f"{name}@example.org", given_name="Ann", password=PASSWORD)
    visitor.submit(form=1)  # another code

    page = visitor.follow("Change it")
    assert {key: page.form[key]["value"] for key in ("username", "email", "given_name")} == {
        "username": name,
        "email": f"{name}@example.org",
        "given_name": "Ann",
    }
    page = visitor.submit(email=f"{name}@example.net", password=PASSWORD)

    assert page.path == "/confirm"
    assert f"<bdi>{name}@example.net</bdi>" in page.text
    assert visitor.submit(code=by_username.mailed(f"{name}@example.net")).code


@pytest.mark.parametrize("why", ["another browser", "not asked for", "confirmed", "another password"])
def test_an_account_is_given_up_by_nobody_else_and_never_by_accident(world: World, visitor: Visitor, why: str) -> None:
    kept, made = world.name(), world.name()
    signed_up(world, visitor, kept)
    visitor.follow("Change it")
    if why == "another browser":
        visitor.session.cookies.clear()
        visitor.start("/signup")
    elif why == "not asked for":
        visitor.start("/signup")
    elif why == "confirmed":
        world.idp.admin_confirm_sign_up(UserPoolId=world.pool_id, Username=kept)
    else:
        with world.rows() as pool:
            Password.objects.filter(pool_id=pool.pk, user__email=kept).update(argon2="set anew")

    typed = {"username": made, "password": PASSWORD, **({"change": "1"} if why == "another browser" else {})}
    assert visitor.submit(typed).path == "/confirm"

    assert status_of(world, kept) == ("CONFIRMED" if why == "confirmed" else "UNCONFIRMED")
    assert status_of(world, made) == "UNCONFIRMED"


def test_an_address_that_has_an_account_keeps_it_when_the_browser_changes_it(world: World, visitor: Visitor) -> None:
    taken, name = world.person(), world.name()
    signed_up(world, visitor, taken)

    visitor.follow("Change it")
    assert visitor.submit(username=name, password=PASSWORD).path == "/confirm"

    assert status_of(world, taken) == "CONFIRMED"
    assert visitor.submit(code=world.mailed(name)).path == "/login/mfa"


def status_of(world: World, name: str) -> str | None:
    """Return the status of an account, None where there is none."""
    with suppress(world.idp.exceptions.UserNotFoundException):
        return str(world.idp.admin_get_user(UserPoolId=world.pool_id, Username=name)["UserStatus"])
    return None
