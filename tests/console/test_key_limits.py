"""What an access key may do, set in the console and by the management API, and seen by boto3."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.console.world import World

PROBLEM = "application/problem+json"
SHOWN = re.compile(r'class="value" tabindex="0">([^<]+)<')


def test_a_key_is_limited_in_the_console_from_its_next_call_on(world: World) -> None:
    visitor, other = world.inside(), {"UserPoolId": world.other_pool_id}
    limits = {"actions": "cognito-idp:Describe*\ncognito-idp:List*", "pools": world.pool_id}
    page = visitor.get(visitor.send_form("/console/access-keys", description="", **limits).headers["Location"]).text
    key_id, secret = (html.unescape(value) for value in SHOWN.findall(page))
    idp, own = world.live.boto(key=(key_id, secret)), {"UserPoolId": world.pool_id}
    where = f"/console/access-keys/{key_id}"

    assert "2 actions, 1 pool" in page
    assert idp.describe_user_pool(**own)["UserPool"]["Id"] == world.pool_id
    with pytest.raises(ClientError, match="AccessDenied"):
        idp.describe_user_pool(**other)
    with pytest.raises(ClientError, match="AccessDenied"):
        idp.get_user_pool_mfa_config(**own)
    assert limits["actions"] in visitor.get(where).text.replace("\r", "")

    wrong = visitor.send_form(where, actions="s3:GetObject cognito-idp:", pools="us-east-1_nobody123")
    assert wrong.status_code == 422
    for text in ("s3:GetObject is no action", "cognito-idp: is no action", "There is no pool us-east-1_nobody123."):
        assert text in html.unescape(wrong.text)
    assert idp.describe_user_pool(**own)

    assert visitor.send_form(where, actions="cognito-idp:ListUserPools", pools="").status_code == 303
    assert idp.list_user_pools(MaxResults=1)["UserPools"]
    with pytest.raises(ClientError, match="AccessDenied"):
        idp.describe_user_pool(**own)

    assert visitor.send_form(where, actions="", pools="").status_code == 303
    assert "Everything" in visitor.get("/console/access-keys").text
    assert idp.describe_user_pool(**other)
    assert world.session.get(where).status_code == 404, "one's own keys only"


def test_a_key_whose_pool_is_gone_is_limited_anew_without_reaching_another(world: World) -> None:
    idp = world.live.boto()
    gone = idp.create_user_pool(PoolName="gone")["UserPool"]["Id"]
    page = world.session.send_form("/console/access-keys", description="", actions="", pools=gone)
    key_id, secret = (html.unescape(value) for value in SHOWN.findall(world.session.get(page.headers["Location"]).text))
    idp.delete_user_pool(UserPoolId=gone)

    said = world.session.send_form(f"/console/access-keys/{key_id}", actions="cognito-idp:*", pools=gone)
    assert said.status_code == 303
    more = world.session.send_form(f"/console/access-keys/{key_id}", actions="", pools=f"{gone} us-east-1_nobody123")
    assert more.status_code == 422

    with pytest.raises(ClientError, match="AccessDenied"):
        world.live.boto(key=(key_id, secret)).describe_user_pool(UserPoolId=world.pool_id)


def test_a_key_is_made_limited_and_ended_by_the_api(world: World) -> None:
    made = world.api("POST", "/access-keys", json={"description": "CI", "actions": ["cognito-idp:List*"]})
    key, where = made.json(), f"/access-keys/{made.json()['id']}"
    idp, own = world.live.boto(key=(key["id"], key["secret"])), {"UserPoolId": world.pool_id}

    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1{where}")
    assert idp.list_user_pools(MaxResults=1)["UserPools"]
    read = world.api("GET", where).json()
    assert {**read, "secret": key["secret"], "last_used_at": None} == key
    assert read["last_used_at"]
    assert read in world.api("GET", "/access-keys").json()["items"]
    bearer = {"Authorization": f"Bearer {key['id']}.{key['secret']}"}
    assert world.visitor().get("/api/v1/pools", headers=bearer).status_code == 401, "its limits are the wire API's"

    limited = world.api("PUT", f"{where}/limits", json={"actions": None, "pools": [world.pool_id]})
    assert (limited.json()["actions"], limited.json()["pools"]) == (None, [world.pool_id])
    with pytest.raises(ClientError, match="AccessDenied"):
        idp.list_user_pools(MaxResults=1)
    assert [each["UserPoolId"] for each in idp.list_groups(**own)["Groups"]] == [world.pool_id]

    everything: dict[str, Any] = {"actions": None, "pools": None}
    for body in ({}, {"actions": None}, {**everything, "actions": []}, {**everything, "more": 1}):
        refused = world.api("PUT", f"{where}/limits", json=body)
        assert (refused.status_code, refused.headers["Content-Type"]) == (400, PROBLEM), body
    faults = world.api("PUT", f"{where}/limits", json={"actions": ["s3:Get"], "pools": None}).json()["errors"]
    assert [(each["field"], each["code"]) for each in faults] == [("actions", "no_action")]
    gone = world.live.boto().create_user_pool(PoolName="gone")["UserPool"]["Id"]
    assert world.api("PUT", f"{where}/limits", json={"actions": None, "pools": [world.pool_id, gone]}).ok
    world.live.boto().delete_user_pool(UserPoolId=gone)
    assert world.api("PUT", f"{where}/limits", json={"actions": None, "pools": [gone, world.pool_id]}).ok
    faults = world.api("POST", "/access-keys", json={"pools": ["us-east-1_nobody123"]}).json()["errors"]
    assert [(each["field"], each["code"]) for each in faults] == [("pools", "no_pool")]
    assert [each["UserPoolId"] for each in idp.list_groups(**own)["Groups"]] == [world.pool_id]

    assert world.inside().get(f"/api/v1{where}").status_code == 404, "one's own keys only"
    assert world.api("POST", f"{where}/disable").status_code == 204
    assert world.api("GET", where).status_code == 404
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        idp.list_groups(**own)
