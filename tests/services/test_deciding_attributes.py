"""Whoever writes what decides about their role is told of, whichever came last: the app or the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from identity.foundation import names
from pools.models import IdentityPool, UserPool
from pools.services.identity_pools import identity_pools
from pools.services.pools import app_clients, deciding_attributes, user_pools
from tests import factories
from tests.factories import BY

ROLE = "arn:aws:iam:::role/Member"
LISTED = {"write_attributes": ["name"]}


@pytest.fixture
def people(transactional_db: None) -> UserPool:
    """Return a pool with custom attributes, of which no app lets people write any yet."""
    own = [{"name": name, "mutable": True} for name in ("role", "team", "shoe")]
    pool = factories.make_pool(schema=[*own, {"name": "rank", "mutable": True, "developer_only_attribute": True}])
    app_clients.create(pool, "listed", settings=LISTED, by=BY)
    return pool


@pytest.fixture
def trusting(people: UserPool) -> IdentityPool:
    """Return an identity pool that names the pool's app."""
    [client] = app_clients.page(people, 5, None).rows
    line = {"provider_name": provider_of(people), "client_id": client.client_id}
    return identity_pools.create("p", settings={"cognito_identity_providers": [line]}, by=BY)


def provider_of(people: UserPool) -> str:
    return names.without_scheme(names.issuer(people.public_id))


def map_roles(pool: IdentityPool, people: UserPool, *claims: str) -> None:
    rules = [{"claim": claim, "match_type": "Equals", "value": "a", "role_arn": ROLE} for claim in claims]
    mapping = {"type": "Rules", "ambiguous_role_resolution": "Deny", "rules_configuration": {"rules": rules}}
    identity_pools.set_roles(pool, roles={}, mappings={provider_of(people): mapping}, by=BY)


def map_tags(pool: IdentityPool, people: UserPool, *claims: str) -> None:
    tags = {f"tag{number}": claim for number, claim in enumerate(claims)}
    identity_pools.set_tag_map(pool, provider_of(people), use_defaults=False, tags=tags, by=BY)


def told(logs: list[Any]) -> list[tuple[list[str], int]]:
    said = [line for line in logs if line["event"] == "self_written_attributes_decide"]
    return [(line["attributes"], len(line["clients"]) + line["more"]) for line in said]


@pytest.mark.parametrize("decide", [map_roles, map_tags])
@pytest.mark.parametrize("later", ["app", "list", "rule"])
def test_what_people_write_about_themselves_is_told_whichever_came_last(
    people: UserPool, trusting: IdentityPool, decide: Callable[..., None], later: str
) -> None:
    claims = ("custom:role", "custom:none", "dev:custom:rank", "email")
    with capture_logs() as quiet:
        if later == "rule":
            app_clients.create(people, "plain", settings={}, by=BY)
        else:
            decide(trusting, people, *claims)
    [listed] = [row for row in app_clients.page(people, 5, None).rows if row.name == "listed"]

    with capture_logs() as logs:
        if later == "rule":
            decide(trusting, people, *claims)
        elif later == "list":
            app_clients.update(listed, {"write_attributes": ["custom:role"]}, by=BY)
        else:
            app_clients.create(people, "plain", settings={}, by=BY)

    assert told(quiet) == []
    assert told(logs) == [(["custom:role"], 1)]


def test_of_many_apps_the_first_are_named_and_the_rest_counted(people: UserPool, trusting: IdentityPool) -> None:
    map_roles(trusting, people, "custom:role", "custom:team")
    plain = [app_clients.create(people, f"app {number}", settings={}, by=BY) for number in range(7)]
    [listed] = app_clients.page(people, 1, None).rows

    found = deciding_attributes.find(people)

    assert (found.attributes, found.count, found.more) == (("custom:role", "custom:team"), 7, 2)
    assert [client.client_id for client in found.apps] == [client.client_id for client in plain[:5]]
    assert deciding_attributes.find(people, plain[6]).count == 1
    assert deciding_attributes.find(people, listed).attributes == ()


def test_rules_of_other_pools_and_of_identity_pools_that_are_gone_say_nothing(
    people: UserPool, trusting: IdentityPool
) -> None:
    other = factories.make_pool(schema=[{"name": "role", "mutable": True}])
    app_clients.create(other, "plain", settings={}, by=BY)
    app_clients.create(people, "plain", settings={}, by=BY)
    map_roles(trusting, people, "custom:role")

    assert deciding_attributes.find(other).attributes == ()
    assert deciding_attributes.find(people).attributes == ("custom:role",)
    map_roles(trusting, people, "custom:shoe")
    assert deciding_attributes.find(people).attributes == ("custom:shoe",)
    identity_pools.set_roles(trusting, roles={}, mappings=None, by=BY)
    assert deciding_attributes.find(people).attributes == ()
    map_roles(trusting, people, "custom:role")
    user_pools.delete(people, by=BY)
    map_roles(trusting, people, "custom:team")
