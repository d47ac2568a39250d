"""The management API: the same verbs as JSON, and how it refuses."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from identity.foundation import errors
from tests.console.world import World

PROBLEM = "application/problem+json"


def clients(world: World) -> list[str]:
    """Return the names of the pool's apps."""
    return [item["name"] for item in world.api("GET", f"/pools/{world.pool_id}/apps?limit=60").json()["items"]]


def test_pools_are_listed_in_pages_that_neither_skip_nor_repeat(world: World) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = world.api("GET", f"/pools?limit=1{'&cursor=' + cursor if cursor else ''}").json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if not cursor:
            break

    assert len(found) == len(set(found))
    assert {world.pool_id, world.other_pool_id} <= set(found)


def test_a_pool_tells_its_addresses(world: World) -> None:
    pool = world.api("GET", f"/pools/{world.pool_id}").json()

    assert pool["id"] == world.pool_id
    assert pool["issuer"] == f"{world.base_url}/{world.pool_id}"
    assert pool["arn"].endswith(f"userpool/{world.pool_id}")
    assert pool["username_attributes"] == ["email"]


def test_users_are_listed_in_pages_and_found_by_prefix(world: World) -> None:
    first = world.api("GET", f"/pools/{world.pool_id}/users?limit=20").json()
    second = world.api("GET", f"/pools/{world.pool_id}/users", params={"limit": 20, "cursor": first["next"]}).json()
    some = world.api("GET", f"/pools/{world.pool_id}/users", params={"filter": 'email ^= "person1"'}).json()

    subs = [item["sub"] for item in [*first["items"], *second["items"]]]
    assert sorted(subs) == sorted(world.subs)
    assert second["next"] is None
    assert sorted(item["attributes"]["email"] for item in some["items"]) == [
        f"person{n}@example.com" for n in range(10, 20)
    ]


def test_an_app_is_made_with_its_secret_shown_once(world: World) -> None:
    made = world.api(
        "POST",
        f"/pools/{world.pool_id}/apps",
        json={
            "name": "By API",
            "confidential": True,
            "oauth_flows": ["code"],
            "scopes": ["openid", "photos/read"],
            "callback_urls": ["https://api.example.com/callback"],
        },
    )
    read = world.api("GET", f"/pools/{world.pool_id}/apps/{made.json()['client_id']}").json()

    where = f"/api/v1/pools/{world.pool_id}/apps/{made.json()['client_id']}"
    assert (made.status_code, made.headers["Location"]) == (201, where)
    assert len(made.json()["secret"]) == 51
    assert "secret" not in read
    assert read["callback_urls"] == ["https://api.example.com/callback"]
    assert read["confidential"] is True
    assert made.json()["secret"] not in json.dumps(world.api("GET", f"/pools/{world.pool_id}/apps").json())


def test_an_app_is_openid_strict_unless_it_says_otherwise_and_can_be_switched(world: World) -> None:
    apps = f"/pools/{world.pool_id}/apps"
    made = world.api("POST", apps, json={"name": "Strict"}).json()
    loose = world.api("POST", apps, json={"name": "Loose", "openid_strict": False}).json()
    where = f"{apps}/{made['client_id']}"

    off = world.api("PATCH", where, json={"openid_strict": False})
    odd: list[Any] = [{}, {"openid_strict": "x"}, {"confidential": True}, []]
    wrong = [world.api("PATCH", where, json=each) for each in odd]

    assert (made["openid_strict"], loose["openid_strict"]) == (True, False)
    assert (off.status_code, off.json()) == (
        200,
        {**off.json(), "client_id": made["client_id"], "openid_strict": False},
    )
    assert [answer.status_code for answer in wrong] == [400] * 4
    assert world.api("GET", where).json()["openid_strict"] is False
    assert world.api("PATCH", f"{apps}/{world.other_client_id}", json={"openid_strict": True}).status_code == 404
    with world.live.orm():
        from pools.models import AuditEvent

        row = AuditEvent.objects.get(tag="client_changed", subject=made["client_id"])
    assert (row.actor_kind, row.detail["changed"]) == ("operator", ["openid_strict"])


def test_a_pool_asks_for_a_recent_sign_in_where_an_operator_says_so(world: World) -> None:
    where = f"/pools/{world.live.boto().create_user_pool(PoolName='wire')['UserPool']['Id']}"
    before = world.api("GET", where).json()
    odd: list[Any] = [{}, {"recent_proof": "x"}, {"case_sensitive": False}, []]

    switched = world.api("PATCH", where, json={"recent_proof": True})
    wrong = [world.api("PATCH", where, json=each).status_code for each in odd]

    assert before["recent_proof"] is False
    changed = {"recent_proof": True, "modified_at": switched.json()["modified_at"]}
    assert (switched.status_code, switched.json()) == (200, {**before, **changed})
    assert wrong == [400] * 4
    assert world.api("GET", where).json() == switched.json()
    assert world.api("PATCH", "/pools/us-east-1_nobody123", json={"recent_proof": True}).status_code == 404
    with world.live.orm():
        from pools.models import AuditEvent

        row = AuditEvent.objects.get(tag="pool_changed", subject=before["id"])
    assert (row.actor_kind, row.detail["changed"]) == ("operator", ["recent_proof"])


def test_apps_register_themselves_where_an_operator_says_so(world: World) -> None:
    where = f"/pools/{world.live.boto().create_user_pool(PoolName='wire')['UserPool']['Id']}"
    wanted = {"registration": True, "open_registration": True, "registration_grants": [], "registration_scopes": []}
    odd: list[dict[str, Any]] = [
        {"registration_grants": ["implicit"]},
        {"registration_grants": "code"},
        {"registration_scopes": ["none/read"]},
    ]

    before, changed = world.api("GET", where).json(), world.api("PATCH", where, json=wanted)
    wrong = [world.api("PATCH", where, json=each) for each in odd]
    made = requests.post(
        f"{before['issuer']}/oauth2/register", json={"redirect_uris": ["https://a.example/"]}, timeout=20
    )

    assert (before["registration"], before["registration_grants"]) == (False, ["code", "client_credentials"])
    assert (changed.status_code, {name: changed.json()[name] for name in wanted}) == (200, wanted)
    assert [each.status_code for each in wrong] == [400] * 3
    assert wrong[2].json()["errors"][0]["field"] == "registration_scopes"
    assert world.api("GET", f"{where}/apps/{made.json()['client_id']}").json()["registered"] == "openly"


def test_settings_of_a_pool_change_by_name_and_the_others_stay(world: World) -> None:
    given = {
        "Policies": {"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True}},
        "AdminCreateUserConfig": {"InviteMessageTemplate": {"EmailSubject": "Welcome"}},
        "UserPoolTags": {"team": "blue"},
    }
    made = world.live.boto().create_user_pool(PoolName="wire", **given)["UserPool"]
    where = f"/pools/{made['Id']}"
    wanted = {"name": "Renamed", "mfa": "OPTIONAL", "admin_only_sign_up": True, "deletion_protected": True}
    wanted["password_history_size"] = 4

    too_many = world.api("PATCH", where, json={**wanted, "password_history_size": 25})
    changed = world.api("PATCH", where, json=wanted)

    told = world.live.boto().describe_user_pool(UserPoolId=made["Id"])["UserPool"]
    assert (changed.status_code, {name: changed.json()[name] for name in wanted}) == (200, wanted)
    invitation = made["AdminCreateUserConfig"] | {"AllowAdminCreateUserOnly": True}
    expected: dict[str, Any] = {"Name": "Renamed", "MfaConfiguration": "OPTIONAL", "DeletionProtection": "ACTIVE"}
    expected |= {"AdminCreateUserConfig": invitation, "LastModifiedDate": told["LastModifiedDate"]}
    policy = {**made["Policies"]["PasswordPolicy"], "PasswordHistorySize": 4}
    expected["Policies"] = {**made["Policies"], "PasswordPolicy": policy}
    assert (too_many.status_code, [fault["field"] for fault in too_many.json()["errors"]]) == (
        400,
        ["password_history_size"],
    )
    assert told == {**made, **expected}
    with world.live.orm():
        from pools.models import AuditEvent

        row = AuditEvent.objects.get(tag="pool_changed", subject=made["Id"])
    assert row.detail["changed"] == [
        "admin_create_user_config.allow_admin_create_user_only",
        "deletion_protection",
        "mfa_configuration",
        "policies.password_policy.password_history_size",
        "pool_name",
        "software_token_mfa_configuration.enabled",
    ]


def test_settings_of_an_app_change_by_name_and_the_others_stay(world: World) -> None:
    given = {"ReadAttributes": ["email"], "LogoutURLs": ["https://a.example/"], "AccessTokenValidity": 2}
    pool = {"UserPoolId": world.pool_id}
    made = world.live.boto().create_user_pool_client(**pool, ClientName="wire", **given)["UserPoolClient"]
    where = f"/pools/{world.pool_id}/apps/{made['ClientId']}"
    wanted = {
        "name": "Renamed",
        "hide_existence": True,
        "refresh_seconds": 5400,
        "callback_urls": ["https://a.example/"],
    }

    changed = world.api("PATCH", where, json={**wanted, "access_seconds": 3600})

    told = world.live.boto().describe_user_pool_client(**pool, ClientId=made["ClientId"])["UserPoolClient"]
    assert (changed.status_code, {name: changed.json()[name] for name in wanted}) == (200, wanted)
    assert told == {
        **made,
        "ClientName": "Renamed",
        "PreventUserExistenceErrors": "ENABLED",
        "CallbackURLs": ["https://a.example/"],
        "AccessTokenValidity": 1,
        "RefreshTokenValidity": 90,
        "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "minutes"},
        "LastModifiedDate": told["LastModifiedDate"],
    }


@pytest.mark.parametrize(
    ("of_app", "body", "fields"),
    [
        (False, {"name": "a/b", "mfa": "SOMETIMES"}, {"mfa"}),
        (False, {"name": "a/b"}, {"name"}),
        (False, {"name": "Café"}, {"name"}),
        (False, {"sign_in": "username"}, {"sign_in"}),
        (True, {"callback_urls": ["javascript:alert(1)"], "access_seconds": 1}, {"callback_urls", "access_seconds"}),
        (True, {"callback_urls": []}, {"callback_urls"}),  # its people would have no way back
        (True, {"id_seconds": 7200, "refresh_seconds": 3600}, {"refresh_seconds"}),
        (True, {"name": "bad*"}, {"name"}),
        (True, {"name": "Café"}, {"name"}),  # which Amazon's clients would not take back
        (True, {"access_seconds": "1 hour"}, {"access_seconds"}),
        (True, {"secret": "x"}, {"secret"}),
    ],
)
def test_settings_that_break_a_rule_are_refused_by_name_and_nothing_is_changed(
    world: World, of_app: bool, body: dict[str, Any], fields: set[str]
) -> None:
    where = f"/pools/{world.pool_id}{f'/apps/{world.client_id}' if of_app else ''}"
    before = world.api("GET", where).json()

    answer = world.api("PATCH", where, json=body)

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROBLEM)
    assert {fault["field"] for fault in answer.json()["errors"]} == fields
    assert world.api("GET", where).json() == before


def test_a_pool_is_made_and_asks_for_a_recent_sign_in_unless_it_says_otherwise(world: World) -> None:
    wanted = {"name": "By API", "sign_in": "username_or_email", "admin_only_sign_up": True, "mfa": "OPTIONAL"}

    made, loose = (world.api("POST", "/pools", json={**wanted, **more}) for more in ({}, {"recent_proof": False}))
    read = world.visitor().get(made.headers["Location"], headers={"Authorization": "Bearer " + ".".join(world.key)})

    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1/pools/{made.json()['id']}")
    assert read.json() == made.json()
    assert {name: made.json()[name] for name in ("name", "admin_only_sign_up", "mfa")} == {
        name: wanted[name] for name in ("name", "admin_only_sign_up", "mfa")
    }
    assert (made.json()["alias_attributes"], made.json()["case_sensitive"]) == (["email"], False)
    assert (made.json()["recent_proof"], loose.json()["recent_proof"]) == (True, False)
    with world.live.orm():
        from pools.models import AuditEvent

        row = AuditEvent.objects.get(tag="pool_created", subject=made.json()["id"])
    assert (row.actor_kind, row.detail) == ("operator", {"name": "By API"})


MAIL, PHONE = {"email": "jo@example.com"}, {"phone_number": "+14155552671"}


@pytest.mark.parametrize(
    ("sign_in", "username", "has", "lacking"),
    [
        ("email", "jo@example.com", {}, None),
        ("phone_number", "+14155552671", {}, None),
        ("email_or_phone_number", "+14155552671", {}, None),
        ("username", "jo", MAIL, PHONE),
        ("username_or_email", "jo", MAIL, PHONE),
    ],
)
def test_whoever_signs_up_in_a_new_pool_can_confirm_it(
    world: World, sign_in: str, username: str, has: dict[str, str], lacking: dict[str, str] | None
) -> None:
    made = world.api("POST", "/pools", json={"name": "Kind", "sign_in": sign_in}).json()["id"]
    client = world.live.boto().create_user_pool_client(UserPoolId=made, ClientName="app")["UserPoolClient"]["ClientId"]

    def sign_up(attributes: dict[str, str]) -> Any:  # noqa: ANN401 - boto3's answer
        return world.live.boto(signed=False).sign_up(
            ClientId=client,
            Username=username,
            Password="Correct-horse-7",
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )

    if lacking is not None:
        with pytest.raises(ClientError, match="email"):
            sign_up(lacking)
    sent = sign_up(has)["CodeDeliveryDetails"]
    assert sent["AttributeName"] == ("phone_number" if username.startswith("+") else "email")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "sign_in"}),
        (
            {"name": "a/b", "sign_in": "pigeon", "mfa": "SOMETIMES", "recent_proof": "x"},
            {"name", "sign_in", "mfa", "recent_proof"},
        ),
        ({"name": "Misspelt", "sign_in": "email", "mfaa": "ON"}, {"mfaa"}),
        ({"name": "a/b", "sign_in": "pigeon", "mfaa": "ON"}, {"name", "sign_in", "mfaa"}),
        ({"name": "lone \ud800", "sign_in": "email"}, {"name"}),
        ({"name": " ", "sign_in": ["email"]}, {"name", "sign_in"}),
        ([], set()),
    ],
)
def test_a_bad_pool_is_refused_with_all_that_is_wrong_and_not_made(
    world: World, body: object, fields: set[str]
) -> None:
    before = world.pools()

    answer = world.api("POST", "/pools", data=json.dumps(body), headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, PROBLEM)
    assert {fault["field"] for fault in answer.json()["errors"] if fault["field"]} == fields
    assert world.pools() == before


def test_what_the_wire_api_makes_keeps_to_cognito_until_an_operator_says_otherwise(world: World) -> None:
    made = world.live.boto().create_user_pool_client(UserPoolId=world.pool_id, ClientName="wire")["UserPoolClient"]
    where = f"/pools/{world.pool_id}/apps/{made['ClientId']}"

    before = world.api("GET", where).json()["openid_strict"]
    switched = world.api("PATCH", where, json={"openid_strict": True}).json()["openid_strict"]

    assert (before, switched) == (False, True)


def test_a_public_app_has_no_secret(world: World) -> None:
    made = world.api("POST", f"/pools/{world.pool_id}/apps", json={"name": "Public"})

    assert made.status_code == 201
    assert made.json()["secret"] is None


BAD_APPS: list[tuple[Any, str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 129}, "name"),
    ({"name": ["x"]}, "name"),
    ({"name": "nul\x00"}, "name"),
    ({"name": "lone \ud800"}, "name"),
    ({"name": "Bad app", "nmae": 1}, "nmae"),
    ({"name": "Bad app", "confidential": "perhaps"}, "confidential"),
    ({"name": "Bad app", "oauth_flows": ["implicit-ish"]}, "oauth_flows.0"),
    ({"name": "Bad app", "oauth_flows": "code"}, "oauth_flows"),
    ({"name": "Bad app", "oauth_flows": ["code"], "scopes": ["openid"]}, "callback_urls"),
    ({"name": "Bad app", "scopes": ["openid"]}, "scopes"),
    ({"name": "Bad app", "callback_urls": ["x" * 2000]}, "callback_urls.0"),
    ([], ""),
    ("text", ""),
    (None, ""),
]


@pytest.mark.parametrize(("body", "field"), BAD_APPS)
def test_a_bad_app_is_refused_and_not_made(world: World, body: object, field: str) -> None:
    before = clients(world)

    answer = world.api(
        "POST", f"/pools/{world.pool_id}/apps", data=json.dumps(body), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == PROBLEM
    problem = answer.json()
    assert problem["status"] == 400
    assert {"type", "title", "code", "detail"} <= problem.keys()
    if field:
        assert field in {fault["field"] for fault in problem["errors"]}, problem
    assert clients(world) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"name=x", "text/plain", 415),
        (b'{"name": "' + b"x" * 3_000_000 + b'"}', "application/json", 413),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_an_unreadable_body_is_refused(world: World, body: bytes, kind: str, status: int) -> None:
    answer = world.api("POST", f"/pools/{world.pool_id}/apps", data=body, headers={"Content-Type": kind})

    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=61", "limit=x", "limit=99999999999999999999", "cursor=x", "cursor=%00", "cursor=" + "A" * 3000],
)
@pytest.mark.parametrize("path", ["/pools", "/pools/{}/apps", "/pools/{}/users"])
def test_a_bad_page_is_refused(world: World, path: str, query: str) -> None:
    answer = world.api("GET", f"{path.format(world.pool_id)}?{query}")

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == PROBLEM


def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    cursor = world.api("GET", f"/pools/{world.pool_id}/users?limit=1").json()["next"]

    assert world.api("GET", "/pools", params={"cursor": cursor}).status_code == 400
    assert world.api("GET", f"/pools/{world.other_pool_id}/users", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("wanted", ['email ^= "', "x", 'password = "x"', 'email = "\x00"', '" OR 1=1 --'])
def test_a_bad_filter_is_refused(world: World, wanted: str) -> None:
    answer = world.api("GET", f"/pools/{world.pool_id}/users", params={"filter": wanted})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == PROBLEM


def test_a_user_is_disabled_and_enabled(world: World) -> None:
    where = f"/pools/{world.pool_id}/users/{world.subs[1]}"

    off = world.api("POST", f"{where}/disable")
    assert (off.status_code, off.json()["enabled"]) == (200, False)
    assert world.api("GET", where).json()["enabled"] is False
    on = world.api("POST", f"{where}/enable")
    assert (on.status_code, on.json()["enabled"]) == (200, True)


def test_a_session_may_call_with_its_token(world: World) -> None:
    visitor = world.inside()
    where = f"/api/v1/pools/{world.pool_id}/users/{world.subs[2]}"
    token = visitor.get("/console/pools").text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    assert visitor.get("/api/v1/pools").status_code == 200
    refused = visitor.post(f"{where}/disable")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_refused")
    done = visitor.post(f"{where}/disable", headers={"X-CSRFToken": token})
    assert done.json()["enabled"] is False
    assert visitor.post(f"{where}/enable", headers={"X-CSRFToken": token}).json()["enabled"] is True


def test_only_a_right_and_live_key_is_let_in(world: World) -> None:
    key_id, secret = world.key
    basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
    headers = [
        f"Bearer {key_id}.{secret[:-1]}",
        f"Bearer {key_id}.",
        f"Bearer {key_id}",
        f"Bearer .{secret}",
        f"Bearer AKIAABSENTABSENTABSE.{secret}",
        f"Basic {basic}",
        "Bearer",
        "Bearer " + "x" * 4000,
        f"Bearer {key_id}%00.{secret}",
        "Bearer \xe9.\xe9",
    ]
    for header in headers:
        answer = world.visitor().get("/api/v1/pools", headers={"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401, header
        assert answer.headers["Content-Type"] == PROBLEM

    assert (
        world.visitor().get("/api/v1/pools", headers={"Authorization": f"Bearer {key_id}.{secret}"}).status_code == 200
    )


def test_a_disabled_key_and_a_disabled_operators_key_stop_at_once(world: World) -> None:
    from identity.foundation.actor import Actor

    who, other = world.operator(), world.operator()
    with world.live.orm():
        from pools.services.operators import operators

        by = Actor.system()
        pairs = [operators.create_key(operators.operator(one.username), by=by) for one in (who, other)]

    def statuses() -> list[int]:
        return [
            world.visitor().get("/api/v1/pools", headers={"Authorization": f"Bearer {key}.{secret}"}).status_code
            for key, secret in pairs
        ]

    assert statuses() == [200, 200]
    with world.live.orm():
        operators.disable_key(pairs[0][0], by=by)
        operators.set_active(operators.operator(other.username), False, by=by)
    assert statuses() == [401, 401]


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/pool", "/api/v2/pools", "/api/x"])
def test_an_unknown_address_is_a_problem_too(world: World, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = world.visitor().request(method, path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == PROBLEM


def test_a_wrong_method_is_a_problem_too(world: World) -> None:
    answer = world.api("DELETE", f"/pools/{world.pool_id}")

    assert answer.status_code == 405
    assert answer.headers["Content-Type"] == PROBLEM


def test_the_schema_is_made_without_warnings(world: World) -> None:
    printed = world.live.manage("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json")

    document = json.loads(printed)
    assert set(document["paths"]) == {
        "/api/v1/access-keys",
        "/api/v1/access-keys/{key_id}",
        "/api/v1/access-keys/{key_id}/disable",
        "/api/v1/access-keys/{key_id}/limits",
        "/api/v1/pools",
        "/api/v1/pools/{pool_id}",
        "/api/v1/pools/{pool_id}/apps",
        "/api/v1/pools/{pool_id}/apps/{client_id}",
        "/api/v1/pools/{pool_id}/providers",
        "/api/v1/pools/{pool_id}/providers/{provider_id}",
        "/api/v1/pools/{pool_id}/saml-applications",
        "/api/v1/pools/{pool_id}/saml-applications/{application_id}",
        "/api/v1/pools/{pool_id}/users",
        "/api/v1/pools/{pool_id}/users/{sub}",
        "/api/v1/pools/{pool_id}/users/{sub}/disable",
        "/api/v1/pools/{pool_id}/users/{sub}/enable",
    }


def test_the_page_shows_how_each_call_is_made(world: World) -> None:
    page = html.unescape(world.session.get("/api/docs/").text)

    for method, path in (("POST", "pools"), ("PATCH", "pools/{pool_id}"), ("PUT", "access-keys/{key_id}/limits")):
        assert re.search(rf"curl -X {method} -H [^\n]*\n.*/api/v1/{re.escape(path)}' ", page), path


def test_the_schema_is_served_in_both_forms(world: World) -> None:
    import yaml

    as_json = world.visitor().get("/api/schema/").json()
    as_yaml = yaml.safe_load(world.visitor().get("/api/schema/?format=yaml").text)

    assert as_json == as_yaml
    assert as_json["servers"] == [{"url": world.base_url}]
    assert "`OFF` - OFF" not in str(as_json)
    made = [as_json["paths"][f"/api/v1/pools{more}"]["post"]["responses"]["201"] for more in ("", "/{pool_id}/apps")]
    assert [answer["headers"].keys() for answer in made] == [{"Location"}] * 2
    assert set(as_json["components"]["securitySchemes"]) == {"accessKey", "session"}


def test_answers_have_the_shape_that_the_schema_says(world: World) -> None:
    import jsonschema

    document = world.visitor().get("/api/schema/").json()
    answers = {
        "PoolPage": world.api("GET", "/pools"),
        "Pool": world.api("GET", f"/pools/{world.pool_id}"),
        "AppPage": world.api("GET", f"/pools/{world.pool_id}/apps"),
        "App": world.api("GET", f"/pools/{world.pool_id}/apps/{world.client_id}"),
        "SamlApplicationPage": world.api("GET", f"/pools/{world.pool_id}/saml-applications"),
        "SamlApplication": world.api("GET", f"/pools/{world.pool_id}/saml-applications/{world.application_id}"),
        "UserPage": world.api("GET", f"/pools/{world.pool_id}/users"),
        "User": world.api("GET", f"/pools/{world.pool_id}/users/{world.subs[0]}"),
        "MadeApp": world.api("POST", f"/pools/{world.pool_id}/apps", json={"name": "Shape"}),
        "Problem": world.api("GET", "/pools?limit=0"),
    }
    for name, answer in answers.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": nullable(document["components"])}
        jsonschema.validate(answer.json(), schema)
        assert answer.json().keys() == document["components"]["schemas"][name]["properties"].keys(), name


def test_what_is_told_may_be_what_only_the_wire_api_takes(world: World) -> None:
    import jsonschema

    registering = {"EnableStatus": "Enabled", "AuthenticatedGrantTypes": ["implicit", "code"]}
    pool = world.live.boto().create_user_pool(PoolName="Wire", DcrConfiguration=registering)["UserPool"]["Id"]
    document, answer = world.visitor().get("/api/schema/").json(), world.api("GET", f"/pools/{pool}").json()

    schema = {"$ref": "#/components/schemas/Pool", "components": nullable(document["components"])}
    jsonschema.validate(answer, schema)
    assert "implicit" in answer["registration_grants"]


def nullable(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Read OpenAPI 3.0's ``nullable`` as JSON Schema's ``null``."""
    if isinstance(schema, dict):
        inner = {key: nullable(value) for key, value in schema.items() if key != "nullable"}
        return {**inner, "type": [inner["type"], "null"]} if schema.get("nullable") is True else inner
    return [nullable(item) for item in schema] if isinstance(schema, list) else schema


def test_oauth_is_one_word_in_the_code_of_a_problem(world: World) -> None:
    machine = {"name": "Machine", "oauth_flows": ["client_credentials"], "scopes": ["openid"], "confidential": False}

    answer = world.api("POST", f"/pools/{world.pool_id}/apps", json=machine)

    assert (answer.status_code, answer.json()["code"]) == (400, "oauth_flow_refused")


def test_the_code_of_each_problem_is_spelt_as_words() -> None:
    kinds = {
        kind.__name__: kind.class_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.DomainError)
    }

    assert {name: code for name, code in kinds.items() if not re.fullmatch(r"[a-z]{2,}(_[a-z]{2,})*", code)} == {}
    assert kinds["OAuthFlowRefused"] == "oauth_flow_refused"
    assert kinds["PoolNotFound"] == "pool_not_found"
    assert kinds["Invalid"] == "invalid"
