"""Identity providers in the console: added by kind, changed, checked, deleted; offered by apps; and by the API."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests import providers
from tests.console.world import TOKEN, Visitor, World
from tests.federation.emulator import running
from tests.federation.openid_provider import OpenIdProvider
from tests.providers import CORP, SOCIAL

PROBLEM = "application/problem+json"
SECRET = "the-secret-that-nobody-is-shown"


def faults(page: requests.Response) -> dict[str, str]:
    """Return what a page says is wrong, by field; above the form it is under nothing."""
    found = re.findall(r'id="([\w:-]+)_error"><span>(.*?)</span>', page.text)
    return {name: html.unescape(text) for name, text in found}


def places(world: World) -> str:
    """Return where a new pool's providers are."""
    pool_id = world.live.boto().create_user_pool(PoolName="places")["UserPool"]["Id"]
    return f"/console/pools/{pool_id}/providers"


def shown(visitor: Visitor, path: str) -> dict[str, str]:
    """Return what a page's fields hold, and what it says that they held."""
    page = visitor.get(path).text
    return {
        html.unescape(tag["name"]): html.unescape(tag["value"])
        for found in re.findall(r"<input [^>]*>", page)
        if (tag := dict(re.findall(r'(\w+)="([^"]*)"', found))).get("name") and "value" in tag
        if tag.get("type") not in {"checkbox", "radio"} or " checked" in found
    }


@pytest.fixture
def upstream() -> Iterator[OpenIdProvider]:
    """Return an OpenID provider that answers."""
    place = OpenIdProvider()
    with running(place):
        yield place


def made(world: World, path: str, kind: str = "oidc", **typed: str) -> str:
    """Add a provider; return where it is."""
    given = {**(CORP if kind == "oidc" else SOCIAL), **({"name": "Corp"} if kind == "oidc" else {}), **typed}
    answer = world.session.send_form(f"{path}/new/{kind}", **given)
    assert answer.status_code == 303, (answer.status_code, faults(answer))
    return answer.headers["Location"]


def described(world: World, path: str, name: str = "Corp") -> dict[str, Any]:
    """Return a provider as the wire API tells it."""
    pool_id = path.split("/")[3]
    found = world.live.boto().describe_identity_provider(UserPoolId=pool_id, ProviderName=name)
    return dict(found["IdentityProvider"])


def test_a_provider_is_added_by_choosing_its_kind(world: World) -> None:
    path = places(world)
    chosen = world.session.get(f"{path}/new").text
    kinds = ["oidc", "google", "facebook", "amazon", "apple", "saml"]
    assert re.findall(rf'href="{path}/new/(\w+)"', chosen) == kinds
    form = world.session.get(f"{path}/new/oidc").text
    assert f"{world.base_url}/{path.split('/')[3]}/oauth2/idpresponse</code>" in form
    usual = shown(world.session, f"{path}/new/oidc")
    assert (usual["claim-email"], usual["claim-given_name"]) == ("email", "given_name")
    assert "claim-nickname" not in usual  # the field is there, and empty

    where = made(world, path, **{"claim-email": "mail", "identifiers": "corp.example\ncorp two"})

    told = described(world, path)
    assert told["ProviderDetails"] == {**CORP, "attributes_url_add_attributes": "false"}
    assert told["AttributeMapping"] == {"email": "mail", "username": "sub"}
    assert told["IdpIdentifiers"] == ["corp.example", "corp two"]
    page = world.session.get(where).text
    assert CORP["client_secret"] not in page
    assert "Kept. Type another one to replace it." in page
    assert ">Corp</bdi></a>" in world.session.get(path).text


@pytest.mark.parametrize("kind", ["google", "facebook", "amazon", "apple"])
def test_a_network_of_the_public_is_added_once_under_its_own_name(world: World, kind: str) -> None:
    path = places(world)
    name = {"google": "Google", "facebook": "Facebook", "amazon": "LoginWithAmazon", "apple": "SignInWithApple"}[kind]
    given = {**providers.DETAILS[name], "claim-email": "email"}

    first = world.session.send_form(f"{path}/new/{kind}", **given)
    again = world.session.send_form(f"{path}/new/{kind}", **given)

    assert first.status_code == 303, faults(first)
    assert (again.status_code, "The pool has an identity provider of that name" in again.text) == (422, True)
    told = described(world, path, name)
    assert told["AttributeMapping"]["email"] == "email"
    assert "Added already" in world.session.get(f"{path}/new").text
    page = world.session.get(first.headers["Location"]).text
    for secret in ("client_secret", "private_key"):
        assert given.get(secret, "-none-") not in page


def test_all_that_is_wrong_is_said_at_once_each_at_its_field(world: World) -> None:
    path = places(world)
    wrong = {"name": "a b", "client_id": "", "oidc_issuer": "ftp://corp.example", "authorize_scopes": 'open"id'}
    wrong |= {"identifiers": "a/b", "jwks_uri": "x", "attributes_request_method": "GET", "claim-email": "x" * 3000}

    page = world.session.send_form(f"{path}/new/oidc", **wrong)

    assert page.status_code == 422
    found = faults(page)
    assert set(found) == {
        *("name", "client_id", "oidc_issuer", "authorize_scopes", "identifiers", "jwks_uri", "claim-email")
    }
    assert found["oidc_issuer"] == "Providers are only asked over https."
    assert found["client_id"] == "Fill this in."
    assert "<details open>" in page.text
    assert not world.live.boto().list_identity_providers(UserPoolId=path.split("/")[3])["Providers"]


def test_an_issuer_that_tells_nothing_is_said_at_its_field(world: World) -> None:
    path = places(world)
    given = {key: value for key, value in CORP.items() if not key.endswith(("_url", "_uri"))}

    page = world.session.send_form(f"{path}/new/oidc", **given | {"name": "Gone", "oidc_issuer": "http://127.0.0.1:9"})

    assert page.status_code == 422
    assert "/.well-known/openid-configuration" in faults(page)["oidc_issuer"]


def save(visitor: Visitor, where: str, **changed: str) -> requests.Response:
    """Send a provider's page with changes, the rest as it was shown."""
    kept = {name: value for name, value in shown(visitor, where).items() if name != "csrfmiddlewaretoken"}
    return visitor.send_form(where, **{**kept, **changed})


def test_what_is_changed_is_changed_and_the_rest_stays(world: World) -> None:
    path = places(world)
    where = made(world, path, **{"claim-email": "email", "client_secret": SECRET})
    assert world.session.get(where).text.count(SECRET) == 0

    changes = {"authorize_scopes": "openid", "claim-name": "name", "identifiers": "a.example"}
    changes |= {"asks_second_factor": "on", "signs_out": "on"}

    answer = save(world.session, where, **changes)

    assert answer.status_code == 303, faults(answer)
    told = described(world, path)
    assert told["ProviderDetails"]["authorize_scopes"] == "openid"
    assert told["ProviderDetails"]["client_secret"] == SECRET
    assert told["ProviderDetails"]["token_url"] == CORP["token_url"]
    assert told["AttributeMapping"] == {"email": "email", "name": "name", "username": "sub"}
    assert told["IdpIdentifiers"] == ["a.example"]
    ours = world.api("GET", f"/pools/{path.split('/')[3]}/providers").json()["items"][0]
    assert (ours["asks_second_factor"], ours["signs_out"]) == (True, True)
    assert save(world.session, where, signs_out="on").status_code == 303  # the other box is not ticked any more
    ours = world.api("GET", f"/pools/{path.split('/')[3]}/providers").json()["items"][0]
    assert (ours["asks_second_factor"], ours["signs_out"]) == (False, True)


def test_what_another_changed_meanwhile_stays(world: World) -> None:
    path = places(world)
    where = made(world, path, **{"claim-email": "email"})
    kept = shown(world.session, where)
    world.live.boto().update_identity_provider(
        UserPoolId=path.split("/")[3], ProviderName="Corp", ProviderDetails={**CORP, "authorize_scopes": "openid phone"}
    )

    answer = world.session.post(where, data={**kept, "claim-name": "name"})

    assert answer.status_code == 303, faults(answer)
    assert described(world, path)["ProviderDetails"]["authorize_scopes"] == "openid phone"
    assert described(world, path)["AttributeMapping"]["name"] == "name"


def test_another_issuer_has_its_own_endpoints(world: World, upstream: OpenIdProvider) -> None:
    path = places(world)
    where = made(world, path)

    answer = save(world.session, where, oidc_issuer=upstream.url)

    assert answer.status_code == 303, faults(answer)
    assert described(world, path)["ProviderDetails"]["token_url"] == f"{upstream.url}/token"


def test_check_now_says_whether_the_provider_answers_and_why_not(world: World, upstream: OpenIdProvider) -> None:
    path = places(world)
    given = {name: value for name, value in upstream.details().items() if name != "attributes_request_method"}
    empty = dict.fromkeys(("authorize_url", "token_url", "attributes_url", "jwks_uri"), "")
    where = made(world, path, **given, **empty)

    def check() -> str:
        answer = world.session.send_form(f"{where}/check", page=where)
        return world.session.get(answer.headers["Location"]).text

    good = check()
    assert "Corp answers: what it publishes was read." in html.unescape(good)
    assert good.count('data-tone="good">Read') == 2
    upstream.discovery = {"issuer": "https://other.example"}
    upstream.published = []
    wrong = check()
    assert "Discovery: The document is about another issuer than this one." in wrong
    assert "Cannot be read" in wrong
    assert "Last failed:" in wrong
    assert "Last read:" in wrong
    assert "Cannot be read" in world.session.get(path).text


def test_a_provider_is_deleted_by_typing_its_name(world: World) -> None:
    path = places(world)
    where = made(world, path)

    wrong = world.session.send_form(f"{where}/delete", confirmation="corp")
    right = world.session.send_form(f"{where}/delete", confirmation="Corp")

    assert (wrong.status_code, right.status_code, right.headers["Location"]) == (422, 303, path)
    assert world.session.get(where).status_code == 404
    assert "No identity provider yet" in world.session.get(path).text


def test_a_provider_of_another_pool_is_not_there(world: World) -> None:
    where = f"/console/pools/{world.other_pool_id}/providers/{world.provider_id}"

    assert [world.session.get(f"{where}{page}").status_code for page in ("", "/delete", "/try", "/tried")] == [404] * 4
    token = TOKEN.search(world.session.get("/console/access-keys").text)
    assert token
    for page in ("", "/check", "/delete"):
        body = {"csrfmiddlewaretoken": html.unescape(token[1]), "confirmation": "Corp"}
        assert world.session.post(f"{where}{page}", data=body).status_code == 404


def test_an_app_offers_the_providers_that_are_chosen_for_it(world: World) -> None:
    path = places(world)
    made(world, path)
    pool_id = path.split("/")[3]
    boto = world.live.boto()
    client_id = boto.create_user_pool_client(
        UserPoolId=pool_id, ClientName="App", SupportedIdentityProviders=["COGNITO"]
    )["UserPoolClient"]["ClientId"]
    where = f"/console/pools/{pool_id}/apps/{client_id}"
    typed = {"name": "App", "access_seconds": "1 hour", "id_seconds": "1 hour", "refresh_seconds": "30 days"}
    typed |= {f"initial-{name}": value for name, value in typed.items()}

    assert 'value="Corp"' in world.session.get(where).text
    chosen: dict[str, Any] = {"initial-identity_providers": ["COGNITO"], "identity_providers": ["Corp", "COGNITO"]}

    changed = world.session.send_form(where, **typed, **chosen)

    assert changed.status_code == 303, faults(changed)
    told = boto.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    assert told["SupportedIdentityProviders"] == ["COGNITO", "Corp"]
    provider = world.api("GET", f"/pools/{pool_id}/providers").json()["items"][0]["id"]
    assert f'href="{where}"' in world.session.get(f"{path}/{provider}").text
    odd = world.api("PATCH", f"/pools/{pool_id}/apps/{client_id}", json={"identity_providers": ["Nobody"]})
    assert odd.status_code == 400
    assert odd.json()["errors"][0]["field"] == "identity_providers"
    assert odd.json()["errors"][0]["code"] == "no_such_provider"


# -- the management API ----------------------------------------------------------------------------------------------


def test_the_api_makes_reads_lists_changes_and_deletes(world: World) -> None:
    pool_id = places(world).split("/")[3]
    place = f"/pools/{pool_id}/providers"
    given = {"name": "Corp", "kind": "OIDC", "details": {**CORP, "client_secret": SECRET}}

    made = world.api(
        "POST", place, json={**given, "attribute_mapping": {"email": "email"}, "identifiers": ["a.example"]}
    )
    body = made.json()
    where = f"{place}/{body['id']}"

    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1{where}")
    assert SECRET not in made.text
    assert body["redirect_uri"] == f"{world.base_url}/{pool_id}/oauth2/idpresponse"
    assert (body["kind"], body["asks_second_factor"], body["identifiers"]) == ("OIDC", False, ["a.example"])
    assert [each["what"] for each in body["documents"]] == ["discovery", "keys"]
    assert world.api("GET", where).json() == body
    assert [each["id"] for each in world.api("GET", place).json()["items"]] == [body["id"]]
    changes = {
        "asks_second_factor": True,
        "signs_out": True,
        "details": {"authorize_scopes": "openid"},
        "attribute_mapping": {},
    }
    changed = world.api("PATCH", where, json=changes).json()
    assert (changed["asks_second_factor"], changed["signs_out"]) == (True, True)
    assert (changed["asks_second_factor"], changed["details"]["authorize_scopes"]) == (True, "openid")
    assert changed["attribute_mapping"] == {"username": "sub"}
    assert changed["details"]["token_url"] == CORP["token_url"]
    told = world.live.boto().describe_identity_provider(UserPoolId=pool_id, ProviderName="Corp")["IdentityProvider"]
    assert told["ProviderDetails"]["client_secret"] == SECRET
    assert world.api("POST", place, json=given).status_code == 409
    assert world.api("DELETE", where).status_code == 204
    assert world.api("GET", where).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"kind": "Twitter"}, ["kind"]),
        ({"name": "a b", "identifiers": ["a/b"]}, ["identifiers", "name"]),
        ({"details": {}}, [f"details.{name}" for name in sorted(("client_id", "authorize_scopes", "oidc_issuer"))]),
        ({"details": {**CORP, "odd": "x"}}, ["details.odd"]),
        ({"details": {**CORP, "oidc_issuer": "http:/corp"}}, ["details.oidc_issuer"]),
        ({"attribute_mapping": {"nothing": "x", "sub": "sub"}}, ["attribute_mapping"]),
        ({"acr_mapping": {"Level9": "x"}}, ["acr_mapping"]),
        ({"surprise": 1}, ["surprise"]),
    ],
)
def test_the_api_refuses_by_naming_all_that_is_wrong(world: World, wrong: dict[str, Any], fields: list[str]) -> None:
    place = f"/pools/{world.pool_id}/providers"
    before = world.api("GET", place).json()

    refused = world.api("POST", place, json={"name": "Odd", "kind": "OIDC", "details": CORP, **wrong})

    assert (refused.status_code, refused.headers["Content-Type"]) == (400, PROBLEM)
    named = sorted({each["field"] for each in refused.json()["errors"]})
    assert set(fields) <= set(named)
    assert all(each["message"] for each in refused.json()["errors"])
    assert world.api("GET", place).json() == before


def test_the_api_refuses_a_change_that_is_wrong(world: World) -> None:
    where = f"/pools/{world.pool_id}/providers/{world.provider_id}"
    before = world.api("GET", where).json()
    odd: list[Any] = [{}, {"name": "Other"}, {"details": {"oidc_issuer": "x"}}, {"details": {"client_id": ""}}, []]
    odd += [{"asks_second_factor": "perhaps"}, {"identifiers": ["a", "a"]}, {"details": {"client_id": None}}]

    assert [world.api("PATCH", where, json=each).status_code for each in odd] == [400] * len(odd)
    assert world.api("GET", where).json() == before
    elsewhere = f"/pools/{world.other_pool_id}/providers/{world.provider_id}"
    for method in ("GET", "PATCH"):
        assert world.api(method, elsewhere, json={"asks_second_factor": True}).status_code == 404
    assert world.api("DELETE", elsewhere).status_code == 404
    assert world.api("GET", where).json() == before
