"""SAML applications in the management API and the console: registered by hand or metadata, changed, deleted."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.console.test_providers import faults, shown
from tests.console.world import World
from tests.federation.saml.test_application_metadata import acs, document
from tests.hosted.saml_application import told_certificate

ENTITY_ID, ACS = "https://wiki.example/saml", "https://wiki.example/saml/acs"
LEAST: dict[str, Any] = {"entity_id": ENTITY_ID, "acs_urls": [ACS]}


def place(world: World) -> tuple[str, str]:
    """Return where a new pool's applications are in the API, and an app client of its."""
    idp = world.live.boto()
    pool_id = idp.create_user_pool(PoolName="places")["UserPool"]["Id"]
    return f"/pools/{pool_id}/saml-applications", app(world, pool_id)


def app(world: World, pool_id: str, **settings: Any) -> str:
    """Make an app with pages; return its client id."""
    usual = {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"],
        "CallbackURLs": ["https://app.example.com/callback"],
        "SupportedIdentityProviders": ["COGNITO"],
    }
    made = world.live.boto().create_user_pool_client(UserPoolId=pool_id, ClientName="Wiki", **{**usual, **settings})
    return str(made["UserPoolClient"]["ClientId"])


def wrong(answer: requests.Response) -> dict[str, str]:
    """Return the codes of what is wrong, by member."""
    assert answer.status_code == 400, answer.text
    return {each["field"]: each["code"] for each in answer.json()["errors"]}


# -- the management API ------------------------------------------------------------------------------------------------


def test_an_application_is_registered_changed_listed_and_deleted(world: World) -> None:
    path, client_id = place(world)
    given = {**LEAST, "client_id": client_id, "certificates": [told_certificate()], "attributes": {"mail": "email"}}

    made = world.api("POST", path, json=given)

    assert made.status_code == 201, made.text
    body = made.json()
    where = f"{path}/{body['id']}"
    assert made.headers["Location"] == f"/api/v1{where}"
    assert {name: body[name] for name in given} == given
    own = f"{world.base_url}{path.removeprefix('/pools').removesuffix('/saml-applications')}/saml2/idp"
    assert body["identity_provider"] == {
        "entity_id": f"{own}/metadata",
        "sso_url": f"{own}/sso",
        "slo_url": f"{own}/slo",
    }
    changed = world.api("PATCH", where, json={"name_id_format": "emailAddress", "allows_unasked": True})
    assert changed.status_code == 200
    assert changed.json() == body | {
        "name_id_format": "emailAddress",
        "allows_unasked": True,
        "modified_at": changed.json()["modified_at"],
    }
    assert world.api("GET", path).json() == {"items": [changed.json()], "next": None}
    assert world.api("DELETE", where).status_code == 204
    assert world.api("GET", where).status_code == 404


def test_what_is_not_given_is_read_from_the_metadata(world: World) -> None:
    path, client_id = place(world)
    metadata = document(acs("3", ACS) + acs("4", f"{ACS}/other")).decode()

    made = world.api("POST", path, json={"client_id": client_id, "metadata": metadata, "entity_id": "another"}).json()

    assert (made["entity_id"], made["acs_urls"]) == ("another", [ACS, f"{ACS}/other"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"entity_id": "entity_id", "acs_urls": "acs_urls"}),
        ({"metadata": "nothing"}, {"metadata": "unreadable_metadata"}),
        ({"metadata_url": "ftp://wiki.example"}, {"metadata_url": "metadata_address"}),
        ({"metadata_url": "http://127.0.0.1:9/"}, {"metadata_url": "metadata_away"}),
        ({"metadata": "a", "metadata_url": "b"}, {"metadata_url": "invalid"}),
        (
            {**LEAST, "slo_url": "x", "encrypts": True, "attributes": {"mail": "nobody"}},
            {
                "slo_url": "application_address",
                "encryption_certificate": "no_encryption_certificate",
                "attributes": "unknown_source",
            },
        ),
        ({**LEAST, "client_id": "nobody"}, {"client_id": "client_not_found"}),
        ({**LEAST, "novelty": 1}, {"novelty": "invalid"}),
    ],
)
def test_all_that_is_wrong_is_said_at_its_member(world: World, given: dict[str, Any], expected: dict[str, str]) -> None:
    path, client_id = place(world)

    answer = world.api("POST", path, json={"client_id": client_id, **given})

    assert wrong(answer) == expected
    assert world.api("GET", path).json()["items"] == []


def test_an_entity_id_and_an_app_are_one_applications(world: World) -> None:
    path, client_id = place(world)
    other = app(world, path.split("/")[2])
    world.api("POST", path, json={**LEAST, "client_id": client_id})

    answers = [
        world.api("POST", path, json={**LEAST, "client_id": client_id, "entity_id": "another"}),
        world.api("POST", path, json={**LEAST, "client_id": other}),
    ]

    assert [each.status_code for each in answers] == [409, 409]


def test_a_change_that_would_break_a_rule_changes_nothing(world: World) -> None:
    path, client_id = place(world)
    made = world.api("POST", path, json={**LEAST, "client_id": client_id}).json()
    where = f"{path}/{made['id']}"

    assert wrong(world.api("PATCH", where, json={"signs_assertion": False, "signs_response": False}))
    assert wrong(world.api("PATCH", where, json={"client_id": client_id})) == {"client_id": "invalid"}
    assert world.api("PATCH", where, json={}).status_code == 400
    assert world.api("GET", where).json() == made


# -- the console -------------------------------------------------------------------------------------------------------

USUAL = {"signs_assertion": "on", "signs_response": "on"}


def console(world: World) -> tuple[str, str]:
    """Return where a new pool's applications are in the console, and an app client of its."""
    path, client_id = place(world)
    return f"/console{path.removesuffix('-applications')}", client_id


def told(world: World, where: str) -> dict[str, Any]:
    """Return an application as the API tells it."""
    found: dict[str, Any] = world.api(
        "GET", where.removeprefix("/console").replace("/saml/", "/saml-applications/")
    ).json()
    return found


def made(world: World, path: str, client_id: str, **typed: str) -> str:
    """Register an application; return where it is."""
    given = {"client_id": client_id, "entity_id": ENTITY_ID, "acs_urls": ACS, **USUAL, **typed}
    answer = world.session.send_form(f"{path}/new", **given)
    assert answer.status_code == 303, faults(answer)
    return answer.headers["Location"]


def test_an_application_is_registered_by_hand_and_its_page_says_what_it_needs(world: World) -> None:
    path, client_id = console(world)
    assert "No SAML application yet" in world.session.get(path).text
    app_page = f"{path.removesuffix('/saml')}/apps/{client_id}"
    assert f'href="{path}/new?app={client_id}"' in world.session.get(app_page).text
    assert shown(world.session, f"{path}/new?app={client_id}")["client_id"] == client_id

    where = made(
        world,
        path,
        client_id,
        acs_urls=f"{ACS}\n{ACS}/other",
        attributes="mail = email\nurn:a=b = given_name",
        certificates=told_certificate(),
        allows_unasked="on",
    )

    found = told(world, where)
    assert (found["acs_urls"], found["certificates"]) == ([ACS, f"{ACS}/other"], [told_certificate()])
    assert found["attributes"] == {"mail": "email", "urn:a=b": "given_name"}
    assert (found["name_id_format"], found["signs_response"], found["encrypts"]) == ("persistent", True, False)
    page = world.session.get(where).text
    for address in found["identity_provider"].values():
        assert f"{address}</code>" in page
    assert f"/saml2/idp/sso?entity_id={quote(ENTITY_ID, safe='')}</code>" in page
    assert ENTITY_ID in world.session.get(path).text
    assert f'href="{where}"' in world.session.get(app_page).text


def test_an_application_is_registered_by_its_metadata(world: World) -> None:
    path, client_id = console(world)
    metadata = document(acs("3", ACS)).decode()

    given = {"metadata": metadata, "entity_id": "", "acs_urls": "", "signs_requests": "on"}
    where = made(world, path, client_id, **given, name_id_format="emailAddress")

    found = told(world, where)
    assert found["signs_requests"] is False
    assert (found["entity_id"], found["acs_urls"]) == ("https://sp.example/metadata", [ACS])
    assert found["name_id_format"] == "emailAddress"


def test_all_that_is_wrong_is_said_at_its_field(world: World) -> None:
    path, client_id = console(world)
    wrong = {"acs_urls": "nowhere", "certificates": "none", "encrypts": "on", "attributes": "mail = nobody"}

    page = world.session.send_form(f"{path}/new", client_id=client_id, **wrong)
    unknown = world.session.send_form(f"{path}/new", client_id="nobody", entity_id=ENTITY_ID, acs_urls=ACS, **USUAL)
    unread = world.session.send_form(f"{path}/new", client_id=client_id, metadata="none", attributes="mail")

    assert page.status_code == 422
    assert set(faults(page)) == {
        *("entity_id", "acs_urls", "certificates", "encryption_certificate", "signs_assertion", "attributes")
    }
    assert faults(unknown) == {"client_id": "The pool has no such app."}
    assert set(faults(unread)) == {"metadata", "attributes"}
    assert world.api("GET", path.removeprefix("/console") + "-applications").json()["items"] == []


def test_only_what_was_changed_changes(world: World) -> None:
    path, client_id = console(world)
    where = made(world, path, client_id, attributes="mail = email")
    held = page_fields(world, where)
    world.api(
        "PATCH",
        where.removeprefix("/console").replace("/saml/", "/saml-applications/"),
        json={"encrypts": False, "slo_url": f"{ACS}/slo"},
    )

    answer = world.session.send_form(where, **held | {"attributes": "mail = email\ngroups = cognito:groups"})

    assert answer.status_code == 303, faults(answer)
    found = told(world, where)
    assert found["attributes"] == {"mail": "email", "groups": "cognito:groups"}
    assert found["slo_url"] == f"{ACS}/slo"  # which another operator set meanwhile
    assert found["signs_response"] is True


def page_fields(world: World, where: str) -> dict[str, str]:
    """Return what an application's page would send as it is."""
    found = shown(world.session, where)
    found |= {**USUAL, "acs_urls": ACS, "attributes": "mail = email", "certificates": "", "encryption_certificate": ""}
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def test_an_application_is_deleted_by_its_name(world: World) -> None:
    path, client_id = console(world)
    where = made(world, path, client_id)

    refused = world.session.send_form(f"{where}/delete", confirmation="another")
    answer = world.session.send_form(f"{where}/delete", confirmation="Wiki")

    assert (refused.status_code, answer.status_code, answer.headers["Location"]) == (422, 303, path)
    assert world.session.get(where).status_code == 404


def test_a_second_application_is_refused_at_its_field(world: World) -> None:
    path, client_id = console(world)
    made(world, path, client_id)
    given = {"acs_urls": ACS, **USUAL}

    same_app = world.session.send_form(f"{path}/new", client_id=client_id, entity_id="another", **given)
    other = app(world, path.split("/")[3])
    same_name = world.session.send_form(f"{path}/new", client_id=other, entity_id=ENTITY_ID, **given)

    assert faults(same_app) == {"client_id": "This app has a SAML application already."}
    assert faults(same_name) == {"entity_id": "Another application of the pool has this entity ID."}
