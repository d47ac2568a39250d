"""Every address of the installation itself: nothing that a tenant holds opens it, no thing is found under another."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.console.world import PASSWORD as OPERATORS_PASSWORD
from tests.console.world import TOKEN, Person, Visitor
from tests.tenants.conftest import Sides, Street
from tests.tenants.tenant import Answer, Tenant, answered

OPEN = {
    "cognito:gateway": "walked operation by operation in test_wire",
    "cognito:user_import": "signed for one job of one pool; walked in cognito/test_user_imports",
    "identity_oidc:discovery": "public, and of no user pool",
    "identity_oidc:jwks": "public, and of no user pool",
    "health/live": "tells nothing of a pool",
    "health/ready": "tells nothing of a pool",
    "console:home": "leads to the list of pools",
    "console:sign_in": "an operator's own password",
    "console:code": "an operator's own code",
    "console:sign_out": "ends whatever session comes",
    "console:link": "an operator's own link",
    "console:set_password": "an operator's own link",
    "console:set_authenticator": "an operator's own link",
    "console:mailbox": "captured mail of the whole installation, in development only",
    "console:messages": "captured mail of the whole installation, in development only",
    "console:api_docs": "documentation",
    "console:api_schema": "documentation",
    "console:api_nothing": "any other address",
    "^console/.*$": "any other address",
}
CLOSED = {"metrics": 200}  # to this machine, where tests are; to others 404 whatever they bring
OF_A_PAGE = {"console:check_provider", "console:try_provider", "console:tried_provider"}
"""Buttons, whose form leads back to their page where it came too late or from nobody: that page is closed itself."""
# With an operator's credential: what of another pool may stand in the address of one.
HOLES = {"client_id", "sub", "provider_id", "application_id"}


def patterns(resolver: URLResolver, space: str = "") -> list[tuple[str, str]]:
    """Return name and path of each address; the path where there is no name."""
    found = []
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            found.append((f"{space}{each.name}" if each.name else str(each.pattern), str(each.pattern)))
        else:
            below = patterns(each, f"{each.namespace}:" if each.namespace else space)
            found += [(name, f"{each.pattern}{path}") for name, path in below]
    return found


ADDRESSES = dict(patterns(get_resolver("identity.urls")))
GUARDED = {name: path for name, path in ADDRESSES.items() if name not in OPEN | CLOSED}
MIXED = sorted(name for name, path in GUARDED.items() if any(f":{hole}>" in path for hole in HOLES))


def filled(path: str, pool: Tenant, things: Tenant, sub: str = "") -> str:
    """Return an address with one tenant's pool, and things of the same or the other."""
    values = {
        "pool_id": pool.pool_id,
        "client_id": things.confidential.id,
        "sub": sub or things.ann.sub,
        "key": "sign-out",
        "key_id": things.confidential.id,
        "job_id": "import-none",
        "application_id": things.application_id,
        "provider_id": things.identity_provider_id,
        "kind": "oidc",
    }
    return "/" + re.sub(r"<\w+:(\w+)>", lambda hole: values[hole[1]], path)


@pytest.fixture(scope="package")
def operator(street: Street) -> Visitor:
    """Return an operator's browser, signed in."""
    from pools.services.operators import operator_sign_in, operators
    from tests import factories

    with street.live.orm():
        who = operators.create(f"op-{factories.number()}", password=OPERATORS_PASSWORD, by=factories.BY)
        secret = operator_sign_in.enrol(who, by=factories.BY, confirmed=True)
    visitor = Visitor(street.live.base_url)
    assert visitor.sign_in(Person(who.pk, who.username, secret)).status_code == 303
    return visitor


def test_every_address_says_what_a_foreign_credential_means_there() -> None:
    # What is neither open nor listed as closed is walked below, whatever its name; what is listed must be there.
    assert OPEN.keys() | CLOSED.keys() <= ADDRESSES.keys()
    assert all(name.startswith("console:") for name in GUARDED), GUARDED
    assert {"console:user", "console:change_user", "console:app", "console:api_user", "console:api_app"} <= set(MIXED)
    assert {"console:provider", "console:try_provider", "console:tried_provider", "console:api_provider"} <= set(MIXED)
    assert {"console:saml_application", "console:delete_saml_application", "console:api_saml_application"} <= set(MIXED)
    assert {re.sub(r".*:", "", hole) for path in GUARDED.values() for hole in re.findall(r"<(\w+:\w+)>", path)} == {
        "pool_id", "client_id", "sub", "key", "key_id", "job_id", "provider_id", "kind", "application_id"
    }  # fmt: skip


def tenants_credentials(mine: Tenant) -> list[dict[str, Any]]:
    """Return what a tenant's people and applications could show."""
    tokens = mine.tokens()
    basic = f"{mine.confidential.id}:{mine.confidential.secret}"
    session = mine.session()
    return [
        *({"headers": {"Authorization": f"Bearer {tokens[kind]}"}} for kind in ("AccessToken", "IdToken")),
        {"headers": {"Authorization": f"Bearer {mine.confidential.id}.{mine.confidential.secret}"}},
        {"auth": tuple(basic.split(":"))},
        {"cookies": {"operator": session, "sessionid": session, mine.cookie: session}},
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_that_a_tenant_holds_is_an_operators(method: str, street: Street) -> None:
    mine, theirs = street.one, street.two
    with street.crossing(theirs) as crossing:
        for credential in tenants_credentials(mine):
            visitor = Visitor(street.live.base_url)
            for name, path in GUARDED.items():
                answer = crossing.saw(answered(visitor.request(method, filled(path, theirs, theirs), **credential)))
                expected = 401 if name.startswith("console:api_") else closed(method, answer)
                assert answer.status == (303 if method == "POST" and name in OF_A_PAGE else expected), name


def closed(method: str, answer: Answer) -> int:
    """Return what a page answers to whoever is no operator: the way to sign in, or a form that is refused."""
    return 302 if method == "GET" or "/console/sign-in" in answer.told else 403


@pytest.mark.parametrize("name", MIXED)
def test_a_thing_is_found_under_its_own_pool_only(name: str, sides: Sides, street: Street, operator: Visitor) -> None:
    mine, theirs = sides
    method = "POST" if ADDRESSES[name].endswith(("able", "<slug:key>", "/check")) else "GET"
    token = TOKEN.search(operator.get("/console/access-keys").text)
    assert token
    ours, other = mine.person(), theirs.person()
    form = {"csrfmiddlewaretoken": token[1], "confirmation": other.name}
    more: dict[str, Any] = {"data": form} if method == "POST" else {}
    if name.startswith("console:api_"):
        more = {"headers": {"Authorization": "Bearer " + ".".join(street.live.access_key)}}
    with street.crossing(theirs) as crossing:
        for pool, things, person in ((mine, theirs, other), (theirs, mine, ours)):
            path = filled(ADDRESSES[name], pool, things, person.sub)
            answer = crossing.saw(answered(operator.request(method, path, **more)))
            assert answer.status == 404, (name, answer)
        own = filled(ADDRESSES[name], mine, mine, ours.sub)
        form["confirmation"] = ours.name
        right = crossing.saw(answered(operator.request(method, own, **more)))
    assert right.status in {200, 303}, right


@pytest.mark.parametrize("name", ["console:api_apps", "console:api_users"])
def test_a_cursor_is_good_in_its_own_list_only(name: str, sides: Sides, street: Street, operator: Visitor) -> None:
    mine, theirs = sides
    for each in sides:
        each.person()
    bearer = {"Authorization": "Bearer " + ".".join(street.live.access_key)}

    def page(of: Tenant, cursor: str = "") -> Answer:
        query = {"limit": "1", **({"cursor": cursor} if cursor else {})}
        path = filled(ADDRESSES[name], of, of)
        return answered(operator.get(path, params=query, headers=bearer))

    own, foreign = (page(each).json["next"] for each in (mine, theirs))
    with street.crossing(theirs) as crossing:
        refused = crossing.saw(page(mine, foreign))
        right = crossing.saw(page(mine, own))

    assert (refused.status, right.status) == (400, 200), refused
