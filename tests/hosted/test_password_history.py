"""A pool that has nobody choose one of their last passwords again, by pages."""

from __future__ import annotations

import pytest

from tests.hosted.test_double_submit import counted, send, sending
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, Visitor, World
from tests.live import Live

USED = "You have used that password before. Choose another one."
THIRD_PASSWORD = "Third-horse-33"


@pytest.fixture(scope="module")
def remembering(live: Live) -> World:
    """Return a pool that remembers two passwords."""
    return World(live, Policies={"PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 2}})


@pytest.fixture
def visitor(remembering: World) -> Visitor:
    return remembering.visitor()


def person_of(world: World) -> str:
    """Make somebody whose temporary password was another one."""
    name = world.name()
    email = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
    given = {"UserPoolId": world.pool_id, "Username": name}
    world.idp.admin_create_user(**given, MessageAction="SUPPRESS", UserAttributes=email)
    world.idp.admin_set_user_password(**given, Password=PASSWORD, Permanent=True)
    return name


def test_a_forgotten_password_is_replaced_by_none_of_the_last(remembering: World, visitor: Visitor) -> None:
    name = person_of(remembering)
    visitor.start("/forgotPassword")
    visitor.submit(username=name)
    code = remembering.mailed(name)

    page = visitor.submit(code=code, new_password=PASSWORD)

    assert (page.path, page.alert) == ("/confirmForgotPassword", USED)
    assert page.form["new_password"]["aria-describedby"] == "new_password_error password_policy"
    assert visitor.submit(code=code, new_password=OTHER_PASSWORD).code
    assert remembering.visitor().sign_in(name, OTHER_PASSWORD).code


def test_a_password_of_ones_own_is_changed_to_none_of_the_last(remembering: World, visitor: Visitor) -> None:
    name = person_of(remembering)
    where = f"{remembering.base}/account/password?client_id={remembering.client_id}"
    visitor.open(where)
    visitor.submit(username=name, password=PASSWORD)
    assert visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD).path == "/account"

    for used in (PASSWORD, OTHER_PASSWORD):
        visitor.open(where)
        page = visitor.submit(password=OTHER_PASSWORD, new_password=used)
        assert (page.path, page.alert) == ("/account/password", USED)

    assert visitor.submit(password=OTHER_PASSWORD, new_password=THIRD_PASSWORD).path == "/account"
    visitor.open(where)
    assert visitor.submit(password=THIRD_PASSWORD, new_password=PASSWORD).path == "/account"


def test_a_form_that_is_refused_for_it_leaves_no_receipt(remembering: World, visitor: Visitor) -> None:
    name = person_of(remembering)
    visitor.open(f"{remembering.base}/account/password?client_id={remembering.client_id}")
    visitor.submit(username=name, password=PASSWORD)
    form = sending(visitor, {"password": PASSWORD, "new_password": PASSWORD})

    with counted(remembering) as found:
        answers = [send(form) for _ in range(2)]

    assert [(answer.status_code, "You have used that password before." in answer.text) for answer in answers] == [
        (200, True)
    ] * 2
    assert found == {"refusals": 2}


def test_who_was_invited_chooses_another_password(remembering: World, visitor: Visitor) -> None:
    name = remembering.person(temporary=True)
    visitor.sign_in(name)

    page = visitor.submit(new_password=PASSWORD)

    assert (page.path, page.alert) == ("/login/new-password", USED)
    assert visitor.submit(new_password=OTHER_PASSWORD).code


def test_the_password_that_anothers_account_began_with_is_nobodys(remembering: World, visitor: Visitor) -> None:
    """Who confirms an account that another browser made chooses a password, and none was theirs before."""
    name = remembering.name()
    visitor.start("/signup")
    visitor.submit(username=name, password=PASSWORD)
    other = remembering.visitor()
    other.start("/confirmUser")

    page = other.submit(username=name, code=remembering.mailed(name))

    assert page.path == "/confirmForgotPassword"
    assert other.submit(code=remembering.mailed(name, count=2), new_password=PASSWORD).path != page.path
    assert remembering.visitor().sign_in(name, PASSWORD).code
