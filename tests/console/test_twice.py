"""Every form of the console, sent twice at once and once more: what it does is done once, and all answers are one."""

from __future__ import annotations

import html
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import requests
from django.db.models import Q
from django.test import RequestFactory

from identity.console import guard, urls
from tests.console import test_saml_applications as saml
from tests.console.world import PASSWORD, TOKEN, Person, Visitor, World
from tests.providers import SOCIAL

Given = tuple[Visitor, Person, str, dict[str, str]]


class Sending(NamedTuple):
    """A form as a browser sends it."""

    world: World
    path: str
    body: dict[str, str]
    cookies: dict[str, str]

    def send(self, barrier: Barrier | None = None) -> requests.Response:
        """Send it, at the same moment as others."""
        visitor = self.world.visitor()
        visitor.cookies.update(self.cookies)
        if barrier is not None:
            barrier.wait(30)
        return visitor.post(self.path, data=self.body)


def sending(world: World, visitor: Visitor, path: str, typed: dict[str, str]) -> Sending:
    """Return the form of a page, filled in."""
    page = "/console/access-keys" if path == "/console/sign-out" else path.removesuffix("/check")
    shown = visitor.get(page)
    token = TOKEN.search(shown.text)
    assert token, (path, shown.status_code, shown.text[:500])
    body = {"csrfmiddlewaretoken": html.unescape(token[1]), **typed}
    return Sending(world, path, body, visitor.cookies.get_dict())


def sign_in(world: World) -> Given:
    who = world.operator()
    return world.visitor(), who, "/console/sign-in", {"username": who.username, "password": PASSWORD}


def code(world: World) -> Given:
    visitor, who, path, typed = sign_in(world)
    visitor.send_form(path, **typed)
    return visitor, who, "/console/sign-in/code", {"code": who.code()}


def inside(world: World) -> tuple[Visitor, Person]:
    who = world.operator()
    return world.inside(who), who


def sign_out(world: World) -> Given:
    return *inside(world), "/console/sign-out", {}


def link(world: World) -> Given:
    from identity.foundation.actor import Actor
    from identity.models import Operator
    from pools.services.operators import operator_sign_in

    who = world.operator(enrolled=False, password=None)
    with world.live.orm():
        token = operator_sign_in.sign_in_link(Operator.objects.get(id=who.id), by=Actor.system())
    return world.visitor(), who, f"/console/link?token={token}", {}


def set_password(world: World) -> Given:
    visitor, who, path, typed = link(world)
    visitor.send_form(path, **typed)
    return visitor, who, "/console/welcome/password", {"new_password": PASSWORD}


def set_authenticator(world: World) -> Given:
    from identity.models import Operator
    from pools.services.operators import operator_sign_in

    visitor, who, path, typed = set_password(world)
    visitor.send_form(path, **typed)
    visitor.get("/console/welcome/authenticator")
    with world.live.orm():
        secret = operator_sign_in.pending_secret(Operator.objects.get(id=who.id)) or ""
    shown = Person(who.id, who.username, secret)
    return visitor, who, "/console/welcome/authenticator", {"code": shown.code()}


def new_app(world: World) -> Given:
    visitor, who = inside(world)
    typed = {"name": "Twice", "kind": "confidential", "callback_urls": "https://app.example.com/callback"}
    return visitor, who, f"/console/pools/{world.pool_id}/apps/new", typed


def new_pool(world: World) -> Given:
    return *inside(world), "/console/pools/new", {"name": "Twice", "sign_in": "email", "mfa": "OFF"}


def new_key(world: World) -> Given:
    return *inside(world), "/console/access-keys", {"description": "twice"}


def disable_key(world: World) -> Given:
    from identity.models import AccessKey

    visitor, who, path, typed = new_key(world)
    visitor.send_form(path, **typed)
    with world.live.orm():
        key = AccessKey.objects.get(operator_id=who.id).pk
    return visitor, who, f"/console/access-keys/{key}/disable", {"confirmation": key}


def limit_key(world: World) -> Given:
    visitor, who, path, _ = disable_key(world)
    return visitor, who, path.removesuffix("/disable"), {"actions": "cognito-idp:List*", "pools": world.pool_id}


def sign_out_everywhere(world: World) -> Given:
    visitor, who = inside(world)
    path = f"/console/pools/{world.pool_id}/users/{world.subs[3]}/sign-out"
    return visitor, who, path, {"confirmation": "person03@example.com"}


def app_settings(world: World) -> Given:
    typed = {"name": "Front", "initial-name": "Other", "access_seconds": "2 hours", "id_seconds": "1 hour"}
    typed |= {"refresh_seconds": "30 days", "callback_urls": "https://app.example.com/callback"}
    return *inside(world), f"/console/pools/{world.pool_id}/apps/{world.client_id}", typed


def pool_settings(world: World) -> Given:
    """Change a pool of its own: other tests look for the shared one by its name."""
    visitor, who = inside(world)
    made = visitor.send_form("/console/pools/new", name="Once", sign_in="email", mfa="OFF")
    return (
        visitor,
        who,
        made.headers["Location"],
        {
            "recent_proof": "on",
            "name": "Twice",
            "mfa": "OFF",
            "password_history_size": "0",
        },
    )


def new_provider(world: World) -> Given:
    """Add a provider to a pool of its own."""
    visitor, who, path, _ = pool_settings(world)
    return visitor, who, f"{path}/providers/new/amazon", {**SOCIAL, "claim-email": "email"}


def a_provider(world: World) -> Given:
    visitor, who, path, typed = new_provider(world)
    return visitor, who, visitor.send_form(path, **typed).headers["Location"], {}


def provider_settings(world: World) -> Given:
    visitor, who, path, _ = a_provider(world)
    typed = {**SOCIAL, "client_secret": "", "initial-authorize_scopes": SOCIAL["authorize_scopes"]}
    return visitor, who, path, {**typed, "authorize_scopes": "profile postal_code"}


def check_provider(world: World) -> Given:
    """Google's keys are where the tests' copy of it would be: nobody answers, which is an answer."""
    visitor, who, path, _ = pool_settings(world)
    made = visitor.send_form(f"{path}/providers/new/google", **SOCIAL)
    return visitor, who, f"{made.headers['Location']}/check", {}


def delete_provider(world: World) -> Given:
    visitor, who, path, _ = a_provider(world)
    return visitor, who, f"{path}/delete", {"confirmation": "LoginWithAmazon"}


def new_saml_application(world: World) -> Given:
    """Register an application in a pool of its own."""
    visitor, who, path, _ = pool_settings(world)
    client_id = saml.app(world, path.rpartition("/")[2])
    typed = {"client_id": client_id, "entity_id": saml.ENTITY_ID, "acs_urls": saml.ACS, **saml.USUAL}
    return visitor, who, f"{path}/saml/new", typed


def saml_application(world: World) -> Given:
    visitor, who, path, typed = new_saml_application(world)
    where = visitor.send_form(path, **typed).headers["Location"]
    return visitor, who, where, {**typed, "slo_url": "https://wiki.example/slo"}


def delete_saml_application(world: World) -> Given:
    visitor, who, path, _ = saml_application(world)
    return visitor, who, f"{path}/delete", {"confirmation": "Wiki"}


class Case(NamedTuple):
    """A form: its page's name, how to come to it, where it leads, how many changes it makes."""

    page: str
    reach: Callable[[World], Given]
    leads_to: str
    changes: int = 1


CASES = [
    Case("sign_in", sign_in, "/console/sign-in/code", 0),
    Case("code", code, "/console/pools"),
    Case("sign_out", sign_out, "/console/sign-in"),
    Case("link", link, "/console/welcome/password"),
    Case("set_password", set_password, "/console/welcome/authenticator"),
    Case("set_authenticator", set_authenticator, "/console/pools", 2),
    Case("new_app", new_app, "/console/pools/"),
    Case("new_pool", new_pool, "/console/pools/us-east-1_"),
    Case("app", app_settings, "/console/pools/"),
    Case("pool", pool_settings, "/console/pools/"),
    Case("keys", new_key, "/console/access-keys"),
    Case("limit_key", limit_key, "/console/access-keys"),
    Case("disable_key", disable_key, "/console/access-keys"),
    Case("new_provider", new_provider, "/console/pools/", 2),  # its group too
    Case("provider", provider_settings, "/console/pools/"),
    Case("check_provider", check_provider, "/console/pools/", 0),
    Case("delete_provider", delete_provider, "/console/pools/"),
    Case("new_saml_application", new_saml_application, "/console/pools/"),
    Case("saml_application", saml_application, "/console/pools/"),
    Case("delete_saml_application", delete_saml_application, "/console/pools/"),
    Case("change_user", sign_out_everywhere, "/console/pools/"),
]


def takes_forms(view: guard.View) -> bool:
    """Say whether a view takes a form: others refuse one before they look at anything."""
    try:
        return view(RequestFactory().post("/")).status_code != 405
    except (AttributeError, TypeError):
        return True


def test_every_form_of_the_console_is_in_the_table() -> None:
    taking = {name for _, view, name in (*urls.INSIDE, *urls.OUTSIDE) if takes_forms(view)}

    assert taking == {case.page for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reach.__name__)
def test_a_form_sent_twice_is_answered_once(case: Case, world: World) -> None:
    from pools.models import AuditEvent, FormReceipt

    visitor, who, path, typed = case.reach(world)
    sent = sending(world, visitor, path, typed)
    own = Q(actor_id=str(who.id)) | Q(subject=who.username)

    def count() -> tuple[int, int]:
        with world.live.orm():
            return AuditEvent.objects.filter(own, outcome="done").count(), FormReceipt.objects.filter(pool_id=0).count()

    before, barrier = count(), Barrier(2)
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: sent.send(barrier), range(2))
    held = {name: value for name, value in {**sent.cookies, **second.cookies.get_dict()}.items() if value}
    impatient = sent._replace(cookies=held).send()

    assert first.status_code == 303, first.text[:3000]
    assert first.headers["Location"].startswith(case.leads_to)
    assert [each.headers.get("Location") for each in (second, impatient)] == [first.headers["Location"]] * 2
    assert first.cookies.get_dict() == second.cookies.get_dict()
    assert tuple(now - then for now, then in zip(count(), before, strict=True)) == (case.changes, 1)
    follower = world.visitor()
    follower.cookies.update(held)
    assert follower.get(second.headers["Location"]).status_code == 200


def test_the_secret_of_an_app_made_twice_is_shown(world: World) -> None:
    visitor, _, path, typed = new_app(world)
    sent = sending(world, visitor, path, typed)
    answers = [sent.send(), sent.send()]

    visitor.cookies.update(answers[1].cookies)

    assert "It is shown this once." in visitor.get(answers[1].headers["Location"]).text


def test_going_back_to_a_link_that_was_used_leads_on(world: World) -> None:
    visitor, _, path, typed = link(world)
    visitor.send_form(path, **typed)

    assert visitor.get(path).headers["Location"] == "/console/welcome/password"
    assert world.visitor().get(path).status_code == 410


def test_another_browser_gets_nothing_by_a_token_it_stole(world: World) -> None:
    visitor, _, path, typed = code(world)
    sent = sending(world, visitor, path, typed)
    assert sent.send().status_code == 303
    thief = world.visitor()
    thief.get("/console/sign-in")

    for cookies in ({}, thief.cookies.get_dict()):
        answer = sent._replace(cookies=cookies).send()
        assert answer.headers.get("Location") in {None, "/console/sign-in"}
        assert not answer.cookies.get("operator")


def test_a_refused_form_leaves_no_receipt_and_may_be_sent_again(world: World) -> None:
    from pools.models import FormReceipt

    visitor, _, path, typed = sign_in(world)
    sent = sending(world, visitor, path, typed)
    with world.live.orm():
        before = FormReceipt.objects.filter(pool_id=0).count()
    assert sent._replace(body={**sent.body, "password": "wrong"}).send().status_code == 422
    with world.live.orm():
        assert FormReceipt.objects.filter(pool_id=0).count() == before

    assert sent.send().status_code == 303


def test_an_old_form_is_shown_again_with_what_was_typed(world: World) -> None:
    visitor, who = inside(world)
    path = f"/console/pools/{world.pool_id}/apps/new"
    body = {"csrfmiddlewaretoken": "0" * 64, "name": "Kept name", "kind": "public"}

    answer = visitor.post(path, data=body)

    assert answer.status_code == 422
    assert "This page was loaded again" in answer.text
    assert 'value="Kept name"' in answer.text
    assert who.username in answer.text


def test_an_old_form_of_signing_in_leads_on_who_is_signed_in(world: World) -> None:
    visitor, who = inside(world)

    answer = visitor.post("/console/sign-in", data={"username": who.username, "password": PASSWORD})

    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (302, "/console/pools")


def test_an_old_form_shows_no_password_and_no_code(world: World) -> None:
    visitor = world.visitor()

    answer = visitor.post("/console/sign-in", data={"username": "somebody", "password": PASSWORD, "code": "123456"})

    assert answer.status_code == 200
    assert "somebody" in answer.text
    assert PASSWORD not in answer.text
    assert "123456" not in answer.text


def test_a_form_from_another_site_stays_refused(world: World) -> None:
    visitor, _, path, typed = sign_in(world)
    sent = sending(world, visitor, path, typed)
    visitor.headers["Origin"] = "https://evil.example"

    assert visitor.post(path, data=sent.body).status_code == 403
