"""Changing one's own password while signed in, and how a password manager gets there."""

from __future__ import annotations

import pytest
import requests

from tests.hosted.world import OTHER_PASSWORD, PASSWORD, TIMEOUT, Visitor, World
from tests.live import Live


@pytest.fixture
def person(world: World, visitor: Visitor) -> str:
    """Return somebody who is signed in and about to change their password."""
    name = world.person()
    visitor.open(f"{world.base}/account/password?client_id={world.client_id}")
    assert visitor.submit(username=name, password=PASSWORD).path == "/account/password"
    return name


def test_the_present_password_is_asked_for_and_the_new_one_holds(world: World, visitor: Visitor, person: str) -> None:
    other = world.visitor()
    assert other.sign_in(person).code

    assert visitor.submit(password=OTHER_PASSWORD, new_password=OTHER_PASSWORD).alert == (
        "That is not your current password."
    )
    assert "too short" in visitor.submit(password=PASSWORD, new_password="Weak-1").alert
    page = visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD)

    assert page.path == "/account"
    assert "Your password is changed." in page.text
    assert "Your password is changed." not in visitor.open(page.url).text
    assert "That sign-in didn't work." in world.visitor().sign_in(person).alert
    assert world.visitor().sign_in(person, OTHER_PASSWORD).code
    assert other.open(world.url("/oauth2/authorize")).code


def test_guesses_at_the_present_password_count_with_those_at_sign_in(
    world: World, visitor: Visitor, person: str
) -> None:
    for _ in range(5):
        visitor.submit(password=OTHER_PASSWORD, new_password=OTHER_PASSWORD)

    page = visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD)

    assert (page.status, page.alert[:15]) == (429, "Too many tries.")
    assert world.visitor().sign_in(person).status == 429


def test_a_password_that_an_operator_ended_is_not_changed_but_chosen_by_the_code(
    world: World, visitor: Visitor, person: str
) -> None:
    world.end_password(person)

    page = visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD)

    assert page.path == "/account/password"
    assert page.alert == (
        "An administrator ended your password. Sign out, then choose a new one with the code you were sent."
    )
    for password in (PASSWORD, OTHER_PASSWORD):
        assert "That sign-in didn't work." in world.visitor().sign_in(person, password).alert


def test_whoever_signs_in_elsewhere_has_no_password_to_change(world: World, visitor: Visitor, person: str) -> None:
    world.idp.admin_disable_provider_for_user(
        UserPoolId=world.pool_id,
        User={
            "ProviderName": "Cognito",
            "ProviderAttributeName": "Cognito_Subject",
            "ProviderAttributeValue": person,
        },
    )

    page = visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD)

    assert page.path == "/account/password"
    assert page.alert == "You have no password here: you sign in with another provider."
    for password in (PASSWORD, OTHER_PASSWORD):
        assert "That sign-in didn't work." in world.visitor().sign_in(person, password).alert


def test_a_session_that_ended_changes_nothing(world: World, visitor: Visitor, person: str) -> None:
    filled = visitor.here
    visitor.session.cookies.pop(f"cg-{world.pool_id.rpartition('_')[2]}")
    visitor.page = filled

    page = visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD)

    assert page.path == "/login"
    assert world.visitor().sign_in(person).code


def test_password_managers_are_led_there_by_the_pools_oldest_app(world: World) -> None:
    world.app("Later")

    answer = requests.get(f"{world.base}/.well-known/change-password", allow_redirects=False, timeout=TIMEOUT)

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/{world.pool_id}/account/password?client_id={world.client_id}"


def test_a_pool_without_an_app_leads_there_all_the_same(live: Live) -> None:
    pool_id = live.boto().create_user_pool(PoolName="empty")["UserPool"]["Id"]

    answer = requests.get(f"{live.base_url}/{pool_id}/.well-known/change-password", allow_redirects=False, timeout=9)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{pool_id}/account/password")


@pytest.mark.parametrize("place", ["{base}", "{pool}"])
def test_a_manager_can_tell_that_other_well_known_addresses_are_nothing(world: World, place: str) -> None:
    """It asks for this name before it believes the other (W3C: Detecting the reliability of HTTP status codes)."""
    base = place.format(base=world.live.base_url, pool=world.base)
    name = "resource-that-should-not-exist-whose-status-code-should-not-be-200"

    assert requests.get(f"{base}/.well-known/{name}", timeout=TIMEOUT).status_code == 404


def test_the_installation_itself_leads_nowhere_since_it_has_no_accounts_of_its_own(world: World) -> None:
    answer = requests.get(f"{world.live.base_url}/.well-known/change-password", timeout=TIMEOUT)

    assert answer.status_code == 404
