"""Every form of the pages, sent twice at once and once more: what it does is done once, and all answers are one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import NamedTuple
from urllib.parse import quote, urljoin

import pyotp
import pytest
import requests

from pools.hosted.urls import urlpatterns
from pools.web import form_guard
from tests.hosted.arrivals import arrive
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, TIMEOUT, Visitor, World

Typed = dict[str, str]
AUTHENTICATOR = "authenticator"


class Sending(NamedTuple):
    """A form as a browser sends it."""

    url: str
    body: Typed
    cookies: dict[str, str]


def sending(visitor: Visitor, typed: Typed, *, form: int = 0) -> Sending:
    """Return the present page's form, filled in."""
    shown = visitor.here.read.forms[form]
    body = {**shown.values, **typed}
    if name := shown.buttons[0].get("name"):
        body.setdefault(name, shown.buttons[0]["value"])  # unless another of its buttons is pressed
    return Sending(urljoin(visitor.here.url, shown.action), body, visitor.session.cookies.get_dict())


def send(sent: Sending, barrier: Barrier | None = None) -> requests.Response:
    """Send it, at the same moment as others."""
    if barrier is not None:
        barrier.wait(TIMEOUT)
    return requests.post(sent.url, sent.body, cookies=sent.cookies, allow_redirects=False, timeout=TIMEOUT)


def send_twice(sent: Sending) -> list[requests.Response]:
    """Send it twice at once."""
    barrier = Barrier(2)
    with ThreadPoolExecutor(2) as both:
        return list(both.map(lambda _: send(sent, barrier), range(2)))


@contextmanager
def counted(world: World) -> Iterator[dict[str, int]]:
    """Give what a pool has more of at the end: changes, refusals, sign-ins, browser sessions, messages, receipts."""
    from pools.models import AuditEvent, AuthEvent, BrowserSession, FormReceipt, OutboxMessage

    def count() -> dict[str, int]:
        with world.rows() as pool:
            of_pool = {"pool_id": pool.pk}
            return {
                "changes": AuditEvent.objects.filter(**of_pool, outcome="done").count(),
                "refusals": AuditEvent.objects.filter(**of_pool, outcome="refused").count(),
                "sign_ins": AuthEvent.objects.filter(**of_pool, passed=True).count(),
                "sessions": BrowserSession.objects.filter(**of_pool).count(),
                "messages": OutboxMessage.objects.filter(**of_pool).count(),
                "receipts": FormReceipt.objects.filter(**of_pool).count(),
            }

    found: dict[str, int] = {}
    before = count()
    yield found
    found.update({name: number - before[name] for name, number in count().items() if number != before[name]})


def signed_up(world: World, visitor: Visitor) -> str:
    name = world.name()
    visitor.start("/signup")
    visitor.submit(username=name, password=PASSWORD)
    return name


def confirmed(world: World, visitor: Visitor) -> str:
    name = signed_up(world, visitor)
    visitor.submit(code=world.mailed(name))
    return name


def secret_of(visitor: Visitor) -> str:
    """Return the key that a set-up page shows."""
    address = next(where for where in visitor.here.read.links.values() if where.startswith("otpauth:"))
    return pyotp.parse_uri(address).secret


def later(secret: str) -> str:
    """Return the authenticator's next code: the present one may be spent."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def sign_up(world: World, visitor: Visitor) -> Typed:
    visitor.start("/signup")
    return {"username": world.name(), "password": PASSWORD}


def sign_up_of_a_taken_address(world: World, visitor: Visitor) -> Typed:
    name = world.person()
    visitor.start("/signup")
    return {"username": name, "password": PASSWORD}


def confirm(world: World, visitor: Visitor) -> Typed:
    return {"code": world.mailed(signed_up(world, visitor))}


def confirm_for_an_app(world: World, visitor: Visitor) -> Typed:
    name, client_id = world.name(), world.app("of its own pages", AllowedOAuthFlowsUserPoolClient=False)
    world.live.boto(signed=False).sign_up(ClientId=client_id, Username=name, Password=PASSWORD)
    visitor.open(f"{world.base}/confirmUser?client_id={client_id}&user_name={quote(name)}")
    return {"code": world.mailed(name)}


def resend(world: World, visitor: Visitor) -> Typed:
    name = signed_up(world, world.visitor())  # another browser's, so that this one need not wait
    visitor.start("/confirmUser", user_name=name, confirmation_code="000000")
    return {}


def sign_in(world: World, visitor: Visitor) -> Typed:
    name = world.person()
    visitor.start()
    return {"username": name, "password": PASSWORD}


def sign_in_before_the_code(world: World, visitor: Visitor) -> Typed:
    name = signed_up(world, world.visitor())
    visitor.start()
    return {"username": name, "password": PASSWORD}


def totp(world: World, visitor: Visitor) -> Typed:
    name = world.person()
    secret = world.give_totp(name)
    visitor.sign_in(name)
    return {"code": later(secret)}


def required_set_up(world: World, visitor: Visitor) -> Typed:
    visitor.sign_in(world.person())
    return {"code": pyotp.TOTP(secret_of(visitor)).now()}


def offered_set_up(world: World, visitor: Visitor) -> Typed:
    name = confirmed(world, visitor)
    visitor.submit(username=name, password=PASSWORD)
    return {"code": pyotp.TOTP(secret_of(visitor)).now()}


def new_password(world: World, visitor: Visitor) -> Typed:
    visitor.sign_in(world.person(temporary=True))
    return {"new_password": OTHER_PASSWORD}


def forgot(world: World, visitor: Visitor) -> Typed:
    visitor.start("/forgotPassword")
    return {"username": world.person()}


def forgot_of_nobody(world: World, visitor: Visitor) -> Typed:
    visitor.start("/forgotPassword")
    return {"username": world.name()}


def confirm_forgot(world: World, visitor: Visitor) -> Typed:
    name = world.person()
    visitor.start("/forgotPassword")
    visitor.submit(username=name)
    return {"code": world.mailed(name), "new_password": OTHER_PASSWORD}


def inside(world: World, visitor: Visitor, page: str) -> None:
    """Open a page of somebody who is signed in."""
    visitor.sign_in(world.person())
    visitor.open(f"{world.base}{page}?client_id={world.client_id}")


def sign_out(world: World, visitor: Visitor) -> Typed:
    inside(world, visitor, "/account")
    return {}


def sign_out_by_a_link(world: World, visitor: Visitor) -> Typed:
    inside(world, visitor, "/signout")
    return {}


def own_password(world: World, visitor: Visitor) -> Typed:
    inside(world, visitor, "/account/password")
    return {"password": PASSWORD, "new_password": OTHER_PASSWORD}


def begin_set_up(world: World, visitor: Visitor) -> Typed:
    inside(world, visitor, "/account/mfa")
    return {}


def verify_set_up(world: World, visitor: Visitor) -> Typed:
    begin_set_up(world, visitor)
    visitor.submit()
    return {"code": pyotp.TOTP(secret_of(visitor)).now()}


def remove_authenticator(world: World, visitor: Visitor) -> Typed:
    visitor.submit(verify_set_up(world, visitor))
    visitor.submit()  # which asks
    return {}


def code_by_text(world: World, visitor: Visitor) -> str:
    """Sign in somebody who is asked for a code by text message; return the number it went to."""
    number = world.number()
    world.ask_for_texts(name := world.person(phone_number=number))
    visitor.sign_in(name)
    return number


def sms(world: World, visitor: Visitor) -> Typed:
    return {"code": world.mailed(code_by_text(world, visitor))}


def factor_choice(world: World, visitor: Visitor) -> Typed:
    name = world.person(phone_number=world.number())
    world.give_totp(name)
    world.ask_for_texts(name)
    prefer_none(world, name)
    visitor.sign_in(name)
    return {"factor": "sms"}


def ask_for_texts_instead(world: World, visitor: Visitor) -> Typed:
    name = world.person(phone_number=world.number())
    world.give_totp(name)
    world.ask_for_texts(name)
    app = {"SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": True}}
    world.idp.admin_set_user_mfa_preference(UserPoolId=world.pool_id, Username=name, **app)
    visitor.sign_in(name)
    return {}


def prefer_none(world: World, name: str) -> None:
    """Have both factors of somebody asked for, and neither first."""
    neither = {"Enabled": True, "PreferredMfa": False}
    world.idp.admin_set_user_mfa_preference(
        UserPoolId=world.pool_id, Username=name, SMSMfaSettings=neither, SoftwareTokenMfaSettings=neither
    )


def number_required(world: World, visitor: Visitor) -> Typed:
    visitor.sign_in(world.person())
    visitor.submit(factor="sms")
    return {"phone_number": world.number()}


def texts_required(world: World, visitor: Visitor) -> Typed:
    number = number_required(world, visitor)
    visitor.submit(number)
    return {"code": world.mailed(number["phone_number"])}


def texts_offered(world: World, visitor: Visitor) -> Typed:
    confirmed(world, visitor)
    visitor.submit(factor="sms")
    visitor.submit(phone_number=(number := world.number()))
    return {"code": world.mailed(number)}


def begin_texts(world: World, visitor: Visitor) -> Typed:
    visitor.sign_in(world.person(phone_number=world.number()))
    visitor.open(f"{world.base}/account/mfa?client_id={world.client_id}")
    return {}


def turn_texts_off(world: World, visitor: Visitor) -> Typed:
    visitor.submit(sms(world, visitor))
    visitor.open(f"{world.base}/account/mfa?client_id={world.client_id}")
    visitor.submit(form=1)  # which asks
    return {}


def prefer_texts(world: World, visitor: Visitor) -> Typed:
    number = world.number()
    name = world.person(phone_number=number)
    world.give_totp(name)
    prefer_none(world, name)
    visitor.sign_in(name)
    visitor.submit(factor="sms")
    visitor.submit(code=world.mailed(number))
    visitor.open(f"{world.base}/account/mfa?client_id={world.client_id}")
    return {"first": "sms"}


def join(world: World, visitor: Visitor) -> Typed:
    arrive(world, visitor)
    return {"given_name": "Ada"}


class Case(NamedTuple):
    """A form: its page's name, how to come to it, where it leads, what it does once."""

    page: str
    reach: Callable[[World, Visitor], Typed]
    leads_to: str
    does: dict[str, int]
    pool: str = "world"
    form: int = 0


SIGNED_IN = {"sign_ins": 1, "sessions": 1}
TOLD = {"changes": 1, "messages": 1}
"""A change of which its owner hears by mail."""
CASES = [
    Case("sign_up", sign_up, "/confirm?", {"changes": 1, "messages": 1}),
    Case("sign_up", sign_up_of_a_taken_address, "/confirm?", {"refusals": 2, "messages": 2}),
    Case("confirm", confirm, "/login/mfa?", {"changes": 2, **SIGNED_IN}),
    Case("confirm_only", confirm_for_an_app, "/confirmUser?", {"changes": 1}),
    Case("resend", resend, "/confirm?", {"changes": 1, "messages": 1}, form=1),
    Case("sign_in", sign_in, "/oauth2/authorize?", SIGNED_IN),
    Case("sign_in", sign_in_before_the_code, "/confirm?", {"changes": 1, "messages": 1}),
    Case("totp", totp, "/oauth2/authorize?", SIGNED_IN),
    Case("factor_setup", required_set_up, "/oauth2/authorize?", {**TOLD, **SIGNED_IN}, pool="strict"),
    Case("factor_setup", offered_set_up, "/oauth2/authorize?", {**TOLD, "sessions": 1}),
    Case("new_password", new_password, "/oauth2/authorize?", {**TOLD, **SIGNED_IN}),
    Case("forgot", forgot, "/confirmForgotPassword?", {"changes": 1, "messages": 1}),
    Case("forgot", forgot_of_nobody, "/confirmForgotPassword?", {"refusals": 1, "messages": 1}),
    Case("confirm_forgot", confirm_forgot, "/oauth2/authorize?", {**TOLD, **SIGNED_IN}),
    Case("account", sign_out, "/signedout?", {"changes": 1}),
    Case("sign_out", sign_out_by_a_link, "/logout?", {"changes": 1}),
    Case("account_password", own_password, "/account?", TOLD),
    Case("account_mfa", begin_set_up, "/account/mfa?", {"changes": 1}),
    Case("account_mfa", verify_set_up, "/account/mfa?", {**TOLD, "sessions": 1}),
    Case("account_mfa", remove_authenticator, "/account/mfa?", TOLD),
    Case("sms", sms, "/oauth2/authorize?", {"changes": 1, **SIGNED_IN}, pool="texting"),
    Case("factor_choice", factor_choice, "/login/sms?", {"changes": 1, "messages": 1}, pool="texting"),
    Case("totp", ask_for_texts_instead, "/login/sms?", {"changes": 1, "messages": 1}, pool="texting", form=1),
    Case("factor_setup", number_required, "/login/mfa?", {"changes": 2, "messages": 1}, pool="strict_texting"),
    Case("factor_setup", texts_required, "/oauth2/authorize?", {**TOLD, "changes": 2, **SIGNED_IN}, "strict_texting"),
    Case("factor_setup", texts_offered, "/oauth2/authorize?", {**TOLD, "changes": 2, "sessions": 1}, pool="texting"),
    Case("account_mfa", begin_texts, "/account/mfa?", {"changes": 2, "messages": 1}, pool="texting", form=1),
    Case("account_mfa", turn_texts_off, "/account/mfa?", TOLD, pool="texting"),
    Case("account_mfa", prefer_texts, "/account/mfa?", {"changes": 1}, pool="texting", form=2),
    Case("join", join, "/oauth2/authorize?", {"changes": 1, **SIGNED_IN}, pool="by_username"),
]


def test_every_form_of_the_pages_is_in_the_table() -> None:
    taking = {each.name for each in urlpatterns if getattr(each.callback, "takes_forms", False)}

    assert taking == {case.page for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reach.__name__)
def test_a_form_sent_twice_is_answered_once(case: Case, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(case.pool)
    visitor = world.visitor()
    sent = sending(visitor, case.reach(world, visitor), form=case.form)

    with counted(world) as found:
        first, second = send_twice(sent)
        visitor.session.cookies.update(second.cookies)
        held = visitor.session.cookies.get_dict()
        impatient = send(sent._replace(cookies=held))

    assert first.status_code == 303, first.text[:3000]
    assert case.leads_to in first.headers["Location"]
    assert [each.headers.get("Location") for each in (second, impatient)] == [first.headers["Location"]] * 2
    assert first.cookies.get_dict() == second.cookies.get_dict()
    assert impatient.cookies.get_dict() in ({}, first.cookies.get_dict())
    # The duplicate may be seen to come second: a spent code is refused, and leaves its row.
    done = {name: number for name, number in found.items() if name != "refusals" or name in case.does}
    assert done == {**case.does, "receipts": 1}


def test_the_password_chosen_first_opens_an_account_that_was_made_twice(world: World, visitor: Visitor) -> None:
    typed = sign_up(world, visitor)
    sent = sending(visitor, typed)
    for answer in send_twice(sent):
        visitor.session.cookies.update(answer.cookies)
    visitor.open(urljoin(sent.url, answer.headers["Location"]))
    visitor.submit(code=world.mailed(typed["username"]))

    assert len(world.live.messages(typed["username"])) == 1
    assert visitor.sign_in(typed["username"]).code


def test_a_session_that_two_answers_give_is_the_same_and_live(world: World, visitor: Visitor) -> None:
    sent = sending(visitor, sign_in(world, visitor))

    answers = send_twice(sent)

    for answer in answers:
        browser = world.visitor()
        browser.session.cookies.update(answer.cookies)
        assert "Signed in as" in browser.open(f"{world.base}/account?client_id={world.client_id}").text


def test_another_browser_gets_nothing_by_a_token_it_stole(world: World, visitor: Visitor) -> None:
    sent = sending(visitor, sign_in(world, visitor))
    assert send(sent).status_code == 303
    thief = world.visitor()
    thief.start()

    for cookies in ({}, thief.session.cookies.get_dict()):
        answer = send(sent._replace(cookies=cookies))
        assert answer.status_code == 200
        assert set(answer.cookies.get_dict()) <= set(thief.session.cookies.get_dict())  # a nonce, and no session


def test_another_site_gets_nothing_by_a_token_it_stole(world: World, visitor: Visitor) -> None:
    sent = sending(visitor, sign_in(world, visitor))
    assert send(sent).status_code == 303

    answer = requests.post(
        sent.url,
        sent.body,
        cookies=sent.cookies,
        headers={"Origin": "https://evil.example"},
        allow_redirects=False,
        timeout=TIMEOUT,
    )

    assert answer.status_code == 403
    assert not answer.cookies


REFUSED: list[tuple[Callable[[World, Visitor], Typed], Typed]] = [
    (sign_up, {"password": "weak"}),
    (confirm, {"code": "000000"}),
    (sign_in, {"password": OTHER_PASSWORD}),
    (totp, {"code": "000000"}),
    (sms, {"code": "000000"}),
    (new_password, {"new_password": "weak"}),
    (confirm_forgot, {"code": "000000"}),
    (own_password, {"password": "Wrong-guess-1"}),
]


@pytest.mark.parametrize(("reach", "wrong"), REFUSED, ids=lambda each: getattr(each, "__name__", ""))
def test_a_refused_form_leaves_no_receipt_and_may_be_sent_again(
    request: pytest.FixtureRequest, reach: Callable[[World, Visitor], Typed], wrong: Typed
) -> None:
    world: World = request.getfixturevalue("texting" if reach is sms else "world")
    visitor = world.visitor()
    typed = reach(world, visitor)
    sent = sending(visitor, {**typed, **wrong})

    with counted(world) as found:
        assert send(sent).status_code == 200
    assert "receipts" not in found

    assert send(sent._replace(body={**sent.body, **typed})).status_code == 303


def test_what_was_corrected_after_going_back_is_another_form(world: World, visitor: Visitor) -> None:
    sent = sending(visitor, sign_up(world, visitor))
    assert send(sent).status_code == 303
    corrected = world.name()

    assert send(sent._replace(body={**sent.body, "username": corrected})).status_code == 303

    assert world.mailed(corrected)


def test_each_showing_of_a_form_has_a_token_of_its_own(visitor: Visitor) -> None:
    tokens = [visitor.start("/signup").form.values[form_guard.FIELD] for _ in range(2)]

    assert tokens[0] != tokens[1]


def test_going_back_leads_on(world: World, visitor: Visitor) -> None:
    secret = world.give_totp(name := world.person())
    query = world.url().partition("?")[2]
    visitor.open(f"{world.base}/login?{query}")
    visitor.submit(username=name, password=PASSWORD)
    assert visitor.open(f"{world.base}/login/new-password?{query}").path == "/login/totp"
    visitor.submit(code=later(secret))

    page = visitor.open(f"{world.base}/login/totp?{query}")

    assert page.path == "/login"
    assert "took too long" not in page.text
    assert f"Continue as {name}" in page.read.links


def test_going_back_to_a_code_that_was_accepted_leads_on(world: World, visitor: Visitor) -> None:
    for reach in (confirm, confirm_forgot):
        typed = reach(world, visitor)
        asked_at = visitor.here.url
        visitor.submit(typed)
        assert visitor.cookie()

        back = visitor.open(asked_at)

        assert (back.path, "didn" in back.text) == ("/login", False)


def test_what_is_kept_tells_nothing_in_the_clear(world: World, visitor: Visitor) -> None:
    from pools.models import FormReceipt

    sent = sending(visitor, typed := sign_in(world, visitor))
    answer = send(sent)

    with world.rows() as pool:
        kept = FormReceipt.objects.filter(pool=pool).latest("expires_at")
        row = " ".join(str(bytes(each) if isinstance(each, memoryview) else each) for each in vars(kept).values())
    for secret in (
        *answer.cookies.get_dict().values(),
        *sent.cookies.values(),
        *typed.values(),
        sent.body[form_guard.FIELD],
    ):
        assert secret not in row
    assert kept.answer
