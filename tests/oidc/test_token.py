"""/oauth2/token: grants, how clients prove themselves, single use, and what garbage is answered with."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.live import Live
from tests.oidc.world import CALLBACK, MOBILE, PASSWORD, SCOPES, App, Proof, World, claims

FORM = "application/x-www-form-urlencoded"


def refused(answer: requests.Response, error: str, status: int = 400) -> None:
    """See that a refusal has OAuth's form."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["error"] == error


def test_a_code_becomes_tokens(world: World) -> None:
    answer = world.token(world.public, "authorization_code", code=world.code(), redirect_uri=CALLBACK)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    issued = answer.json()
    assert set(issued) == {"access_token", "id_token", "refresh_token", "token_type", "expires_in", "scope"}
    assert issued["token_type"] == "Bearer"
    assert issued["expires_in"] == 3600
    assert issued["scope"].split() == SCOPES
    access, identity = claims(issued["access_token"]), claims(issued["id_token"])
    assert access["client_id"] == identity["aud"] == world.public.id
    assert access["iss"] == identity["iss"] == world.issuer
    assert access["sub"] == identity["sub"] == world.ann.sub
    assert access["version"] == 2
    assert "at_hash" in identity


def test_without_openid_there_is_no_id_token(world: World) -> None:
    issued = world.tokens(scope="aws.cognito.signin.user.admin")

    assert "id_token" not in issued
    assert issued["scope"] == "aws.cognito.signin.user.admin"


Shown = Callable[[App], dict[str, Any]]
PROOFS: list[tuple[str, Shown]] = [
    ("header", lambda app: {"headers": app.basic()}),
    (
        "header in lower case",
        lambda app: {"headers": {"Authorization": app.basic()["Authorization"].replace("B", "b", 1)}},
    ),
    (
        "header, form-encoded",
        lambda app: {"headers": app.basic("".join(f"%{ord(each):02x}" for each in app.secret or ""))},
    ),
    ("header and client_id", lambda app: {"headers": app.basic(), "client_id": app.id}),
    ("form", lambda app: {"client_id": app.id, "client_secret": app.secret}),
]


@pytest.mark.parametrize(("name", "proof"), PROOFS, ids=[name for name, _ in PROOFS])
def test_a_confidential_client_may_prove_itself_by_header_or_form(world: World, name: str, proof: Shown) -> None:
    app = world.confidential
    code = world.code(None, app)

    answer = world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK, **proof(app))

    assert answer.status_code == 200, name


WRONG_PROOFS: list[tuple[str, Shown, str, int]] = [
    ("none", lambda app: {"client_secret": None}, "invalid_client", 401),
    ("an empty secret", lambda app: {"client_secret": ""}, "invalid_client", 401),
    ("a wrong secret", lambda app: {"client_secret": "wrong"}, "invalid_client", 401),
    ("a wrong secret by header", lambda app: {"headers": app.basic("wrong")}, "invalid_client", 401),
    ("part of the secret", lambda app: {"client_secret": (app.secret or "")[:-1]}, "invalid_client", 401),
    ("both ways", lambda app: {"headers": app.basic(), "client_secret": app.secret}, "invalid_request", 400),
    ("two clients", lambda app: {"headers": app.basic(), "client_id": "other"}, "invalid_request", 400),
    ("a header that is no base64", lambda app: {"headers": {"Authorization": "Basic %%%"}}, "invalid_client", 401),
    ("a header without colon", lambda app: {"headers": {"Authorization": "Basic YWJj"}}, "invalid_client", 401),
    ("bytes in the header", lambda app: {"headers": {"Authorization": "Basic //8="}}, "invalid_client", 401),
    ("another scheme", lambda app: {"headers": {"Authorization": f"Bearer {app.secret}"}}, "invalid_client", 401),
    ("no client at all", lambda app: {"client_id": None, "client_secret": None}, "invalid_request", 400),
    ("an unknown client", lambda app: {"client_id": "unknown"}, "invalid_client", 401),
    ("a client with NUL", lambda app: {"client_id": "a\x00b"}, "invalid_request", 400),
    ("a client with an umlaut", lambda app: {"client_id": "ä"}, "invalid_client", 401),
    ("a huge client", lambda app: {"client_id": "x" * 2000}, "invalid_client", 401),
]


@pytest.mark.parametrize(("name", "proof", "error", "status"), WRONG_PROOFS, ids=[each[0] for each in WRONG_PROOFS])
def test_a_client_that_does_not_prove_itself_gets_nothing_and_spends_nothing(
    world: World, name: str, proof: Shown, error: str, status: int
) -> None:
    app = world.confidential
    code = world.code(None, app)

    answer = world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK, **proof(app))
    right = world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK)

    refused(answer, error, status)
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic "), name
    assert right.status_code == 200


def test_wrong_secrets_leave_one_audit_row_a_minute_and_right_ones_none(world: World, live: Live) -> None:
    from pools.models import AuditEvent

    app = world.app("guessed", GenerateSecret=True)
    assert world.token(app, "refresh_token", refresh_token="x").status_code == 400

    def rows() -> int:
        with live.orm():
            return AuditEvent.objects.filter(tag="client_refused", subject=app.id, outcome="refused").count()

    assert rows() == 0
    world.token(app, "refresh_token", refresh_token="x", client_secret="wrong")
    assert rows() == 1
    for _ in range(9):
        refused(world.token(app, "refresh_token", refresh_token="x", headers=app.basic("wrong")), "invalid_client", 401)
    assert 1 <= rows() <= 2, "two minutes may be met"


def test_a_public_client_must_send_no_secret(world: World) -> None:
    code = world.code()

    wrong = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK, client_secret="x")
    by_header = world.token(
        world.public, "authorization_code", code=code, redirect_uri=CALLBACK, headers=world.public.basic("x")
    )
    right = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK)

    refused(wrong, "invalid_client", 401)
    refused(by_header, "invalid_client", 401)
    assert right.status_code == 200


# -- what a code is bound to


def test_a_code_is_bound_to_its_client(world: World) -> None:
    other = world.app("other")
    code = world.code(None, world.public)

    stolen = world.token(other, "authorization_code", code=code, redirect_uri=CALLBACK)
    by_confidential = world.token(world.confidential, "authorization_code", code=code, redirect_uri=CALLBACK)
    own = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK)

    refused(stolen, "invalid_grant")
    refused(by_confidential, "invalid_grant")
    assert own.status_code == 200


def test_a_code_is_bound_to_its_pool(world: World, other_world: World) -> None:
    code = world.code()

    refused(
        other_world.token(other_world.public, "authorization_code", code=code, redirect_uri=CALLBACK), "invalid_grant"
    )
    refused(
        other_world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK), "invalid_client", 401
    )


@pytest.mark.parametrize("redirect_uri", [MOBILE, CALLBACK + "/", CALLBACK.upper(), "https://evil.example"])
def test_a_code_is_bound_to_its_redirect_uri(world: World, redirect_uri: str) -> None:
    code = world.code()

    wrong = world.token(world.public, "authorization_code", code=code, redirect_uri=redirect_uri)
    missing = world.token(world.public, "authorization_code", code=code)
    right = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK)

    refused(wrong, "invalid_grant")
    refused(missing, "invalid_request")
    assert right.status_code == 200


def test_a_verifier_is_required_exactly_when_a_challenge_was_sent(world: World) -> None:
    proof = Proof()
    bound, plain = world.code(**proof.challenge), world.code()

    def redeem(code: str, verifier: str | None) -> requests.Response:
        return world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)

    refused(redeem(bound, None), "invalid_grant")
    refused(redeem(bound, Proof().verifier), "invalid_grant")
    refused(redeem(bound, proof.challenge["code_challenge"]), "invalid_grant")
    refused(redeem(bound, "short"), "invalid_request")
    refused(redeem(bound, "é" * 50), "invalid_request")
    refused(redeem(plain, proof.verifier), "invalid_grant")
    assert redeem(bound, proof.verifier).status_code == 200
    assert redeem(plain, None).status_code == 200


def test_a_confidential_client_is_held_to_its_challenge_too(world: World) -> None:
    proof, app = Proof(), world.confidential
    code = world.code(None, app, **proof.challenge)

    refused(world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK), "invalid_grant")
    assert (
        world.token(
            app, "authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=proof.verifier
        ).status_code
        == 200
    )


def test_a_code_expires(world: World, live: Live) -> None:
    from datetime import timedelta

    from django.db.models import F

    from pools.models import AuthorizationCode

    old, young = world.code(), world.code()
    with live.orm():
        from identity.foundation import sealing

        hashed = sealing.keyed_hash("authorization_code", old)
        AuthorizationCode.objects.filter(hashed=hashed).update(expires_at=F("expires_at") - timedelta(minutes=5))

    refused(world.token(world.public, "authorization_code", code=old, redirect_uri=CALLBACK), "invalid_grant")
    assert world.token(world.public, "authorization_code", code=young, redirect_uri=CALLBACK).status_code == 200


def test_a_code_of_somebody_who_was_disabled_meanwhile_is_worthless(world: World) -> None:
    bob = world.person()
    code = world.code(bob)

    world.disable(bob)

    refused(world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK), "invalid_grant")


def test_of_fifty_redemptions_at_once_one_wins_and_its_tokens_die_with_the_reuse(world: World) -> None:
    code = world.code()

    with ThreadPoolExecutor(50) as crowd:
        answers = list(
            crowd.map(
                lambda _: world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK), range(50)
            )
        )

    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    for answer in answers:
        if answer is not won[0]:
            refused(answer, "invalid_grant")
    issued = won[0].json()
    refused(world.token(world.public, "refresh_token", refresh_token=issued["refresh_token"]), "invalid_grant")
    assert world.user_info(issued["access_token"]).status_code == 401


def test_a_code_used_twice_ends_what_the_first_use_made_and_nothing_else(world: World) -> None:
    code, other = world.code(), world.tokens()
    first = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK).json()
    assert world.user_info(first["access_token"]).status_code == 200

    again = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK)

    refused(again, "invalid_grant")
    assert world.user_info(first["access_token"]).status_code == 401
    refused(world.token(world.public, "refresh_token", refresh_token=first["refresh_token"]), "invalid_grant")
    assert world.user_info(other["access_token"]).status_code == 200


def test_a_stranger_who_replays_a_spent_code_ends_nothing(world: World) -> None:
    thief = world.app("thief")
    code = world.code()
    issued = world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK).json()

    refused(world.token(thief, "authorization_code", code=code, redirect_uri=CALLBACK), "invalid_grant")

    assert world.user_info(issued["access_token"]).status_code == 200


# -- refresh


def test_a_refresh_token_gives_new_tokens_of_the_same_sign_in(world: World) -> None:
    issued = world.tokens(scope="openid email", nonce="n")

    answer = world.token(world.public, "refresh_token", refresh_token=issued["refresh_token"])

    assert answer.status_code == 200
    fresh = answer.json()
    assert set(fresh) == {"access_token", "id_token", "token_type", "expires_in", "scope"}
    assert fresh["scope"] == "openid email"
    before, after = claims(issued["id_token"]), claims(fresh["id_token"])
    assert after["auth_time"] == before["auth_time"]
    assert after["origin_jti"] == before["origin_jti"]
    assert after["jti"] != before["jti"]
    assert "nonce" not in after


def test_a_refresh_token_of_an_api_sign_in_is_good_here_too(world: World, live: Live) -> None:
    signed_in = live.boto(signed=False).initiate_auth(
        ClientId=world.public.id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": world.ann.email, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]

    answer = world.token(world.public, "refresh_token", refresh_token=signed_in["RefreshToken"])

    assert answer.status_code == 200
    assert answer.json()["scope"] == "aws.cognito.signin.user.admin"


def test_a_refresh_token_is_bound_to_client_and_pool(world: World, other_world: World) -> None:
    token = world.tokens()["refresh_token"]

    refused(world.token(world.app("another"), "refresh_token", refresh_token=token), "invalid_grant")
    refused(other_world.token(other_world.public, "refresh_token", refresh_token=token), "invalid_grant")
    refused(other_world.token(world.public, "refresh_token", refresh_token=token), "invalid_client", 401)
    assert world.token(world.public, "refresh_token", refresh_token=token).status_code == 200


def test_a_refresh_cannot_ask_for_scopes_that_the_client_does_not_have(world: World) -> None:
    token = world.tokens(scope="openid")["refresh_token"]

    refused(
        world.token(world.public, "refresh_token", refresh_token=token, scope="openid photos/read"), "invalid_scope"
    )
    widened = world.token(world.public, "refresh_token", refresh_token=token, scope="openid email")

    assert widened.json()["scope"] == "openid"
    assert claims(widened.json()["access_token"])["scope"] == "openid"


def test_a_scope_that_is_gone_is_in_no_new_token(other_world: World) -> None:
    world, about = other_world, {"UserPoolId": other_world.pool_id, "Identifier": "albums"}
    scopes = [{"ScopeName": name, "ScopeDescription": name} for name in ("read", "write")]
    world.idp.create_resource_server(**about, Name="Albums", Scopes=scopes)
    asked = "openid albums/read albums/write"
    app = world.app("albums", AllowedOAuthScopes=asked.split())

    def refreshed() -> str:
        fresh = world.token(app, "refresh_token", refresh_token=token).json()
        assert claims(fresh["access_token"])["scope"] == fresh["scope"]
        return str(fresh["scope"])

    token, code = world.tokens(None, app, scope=asked)["refresh_token"], world.code(None, app, scope=asked)
    assert refreshed() == asked

    world.idp.update_resource_server(**about, Name="Albums", Scopes=scopes[:1])
    assert refreshed() == "openid albums/read"
    world.idp.delete_resource_server(**about)

    assert refreshed() == "openid"
    redeemed = world.token(app, "authorization_code", code=code, redirect_uri=CALLBACK).json()
    assert redeemed["scope"] == "openid"


def test_a_disabled_person_is_not_refreshed(world: World) -> None:
    bob = world.person()
    token = world.tokens(bob)["refresh_token"]
    assert world.token(world.public, "refresh_token", refresh_token=token).status_code == 200

    world.disable(bob)

    refused(world.token(world.public, "refresh_token", refresh_token=token), "invalid_grant")


def test_a_rotated_refresh_token_that_comes_back_ends_the_family(world: World) -> None:
    app = world.app(
        "rotating",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
        RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 0},
    )
    first = world.tokens(None, app)
    second = world.token(app, "refresh_token", refresh_token=first["refresh_token"]).json()
    third = world.token(app, "refresh_token", refresh_token=second["refresh_token"]).json()
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3

    reused = world.token(app, "refresh_token", refresh_token=first["refresh_token"])

    refused(reused, "invalid_grant")
    refused(world.token(app, "refresh_token", refresh_token=third["refresh_token"]), "invalid_grant")
    assert world.user_info(third["access_token"]).status_code == 401


# -- client credentials


def test_a_machine_gets_a_token_of_its_own(world: World) -> None:
    answer = world.token(world.machine, "client_credentials")

    assert answer.status_code == 200
    issued = answer.json()
    assert set(issued) == {"access_token", "token_type", "expires_in", "scope"}
    told = claims(issued["access_token"])
    assert told["sub"] == told["client_id"] == world.machine.id
    assert told["scope"] == "photos/read photos/write"
    assert told["token_use"] == "access"
    assert "username" not in told


def test_a_machine_may_ask_for_less_and_not_for_more(world: World) -> None:
    less = world.token(world.machine, "client_credentials", scope="photos/read")

    assert claims(less.json()["access_token"])["scope"] == "photos/read"
    for scope in ("photos/none", "openid", "photos/read openid", "other/read"):
        refused(world.token(world.machine, "client_credentials", scope=scope), "invalid_scope")


def test_each_client_has_only_its_own_grants(world: World) -> None:
    refused(world.token(world.public, "client_credentials"), "unauthorized_client")
    refused(world.token(world.confidential, "client_credentials"), "unauthorized_client")
    refused(
        world.token(world.machine, "authorization_code", code=str(uuid.uuid4()), redirect_uri=CALLBACK),
        "unauthorized_client",
    )


def test_a_machine_of_another_pool_is_unknown(world: World, other_world: World) -> None:
    refused(other_world.token(world.machine, "client_credentials"), "invalid_client", 401)
    assert world.token(world.machine, "client_credentials").status_code == 200


# -- malformed


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "x" * 999])
def test_other_grants_are_unsupported(world: World, grant: str) -> None:
    refused(world.token(world.public, grant), "unsupported_grant_type")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "scope", "anything"])
def test_a_parameter_sent_twice_is_refused(world: World, name: str) -> None:
    form = [
        ("grant_type", "client_credentials"),
        ("client_id", world.machine.id),
        ("client_secret", world.machine.secret),
        ("scope", "photos/read"),
        ("anything", "1"),
    ]
    again = next(each for each in form if each[0] == name)

    assert world.post("/oauth2/token", form).status_code == 200
    refused(world.post("/oauth2/token", [*form, again]), "invalid_request")


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/xml"]
)
def test_only_a_form_is_read(world: World, content_type: str) -> None:
    body = f"grant_type=client_credentials&client_id={world.machine.id}&client_secret={world.machine.secret}"

    right = world.post("/oauth2/token", body, headers={"Content-Type": f"{FORM}; charset=UTF-8"})
    wrong = world.post("/oauth2/token", body, headers={"Content-Type": content_type})

    assert right.status_code == 200
    refused(wrong, "invalid_request")


BODIES = [
    b"",
    b"\xff\xfe",
    b"grant_type",
    b"grant_type=",
    b"grant_type=%ff",
    b"grant_type=client_credentials%00",
    b"=&=&=",
    b"a=1&" * 1000,
    b"grant_type=authorization_code&code=" + b"x" * 60_000,
    b"grant_type=authorization_code&code=%f0%9f%92%a5",
    b"grant_type=refresh_token&refresh_token=..",
    b"grant_type=refresh_token&refresh_token=" + b"A" * 60_000,
    b'{"grant_type":"client_credentials"}',
    b"[" * 50_000,
]


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_garbage_is_answered_in_oauths_form(world: World, path: str, body: bytes) -> None:
    for proof in ("", f"&client_id={world.public.id}"):
        answer = world.post(path, body + proof.encode(), headers={"Content-Type": FORM})

        assert answer.status_code in {400, 401}
        assert answer.headers["Content-Type"] == "application/json"
        assert set(answer.json()) <= {"error", "error_description"}


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_a_huge_body_is_refused(world: World, size: int) -> None:
    answer = world.post("/oauth2/token", b"a=" + b"x" * size, headers={"Content-Type": FORM})

    refused(answer, "invalid_request", 413)


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"])
def test_only_post_is_answered(world: World, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = requests.request(method, world.url(path), timeout=20)

        refused(answer, "invalid_request", 405)
        assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke"])
def test_pages_of_any_origin_may_ask_without_credentials(world: World, path: str) -> None:
    asked = requests.options(
        world.url(path),
        headers={
            "Origin": "https://app.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,x-amz-user-agent",
        },
        timeout=20,
    )
    answered = world.post(path, {"grant_type": "x"}, headers={"Origin": "https://app.example"})

    assert asked.status_code == 204
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    for header in ("authorization", "content-type", "x-amz-user-agent"):
        assert header in asked.headers["Access-Control-Allow-Headers"]
    for answer in (asked, answered):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_pool_that_does_not_exist_is_told_in_json(world: World) -> None:
    answer = requests.post(f"{world.live.base_url}/us-east-1_Nowhere00/oauth2/token", data={"a": "b"}, timeout=20)

    refused(answer, "invalid_request", 404)


def test_an_app_that_is_refused_all_the_time_is_told_to_wait(live: Live) -> None:
    from pools.oidc.token import REFUSALS

    world = World(live)
    unknown = App("unknown", None)
    with ThreadPoolExecutor(8) as crowd:
        statuses = list(
            crowd.map(lambda _: world.token(unknown, "client_credentials").status_code, range(2 * REFUSALS + 8))
        )

    assert set(statuses) == {401, 429}
    waiting = world.token(unknown, "client_credentials")
    assert waiting.status_code in {401, 429}
    assert world.token(world.machine, "client_credentials").status_code == 200


# -- bodies in chunks, which name no length


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/revoke"], ids=["by the fast path", "by Django's"])
def test_a_body_in_chunks_is_read_like_any(world: World, path: str) -> None:
    issued = world.tokens()
    form = {
        "/oauth2/token": {"grant_type": "refresh_token", "refresh_token": issued["refresh_token"]},
        "/oauth2/revoke": {"token": issued["refresh_token"]},
    }[path]
    sent = urlencode({"client_id": world.public.id, **form}).encode()
    header = {"Content-Type": FORM}

    whole = world.post(path, iter([sent[:9], sent[9:]]), headers=header)
    huge = world.post(path, iter([sent, *[b"&x=" + b"x" * 100_000] * 30]), headers=header)

    assert whole.status_code == 200, whole.text
    assert (world.user_info(issued["access_token"]).status_code == 401) is (path == "/oauth2/revoke")
    refused(huge, "invalid_request", 413)


@pytest.mark.parametrize("version", ["V2_0", "V3_0"])
def test_a_token_that_a_function_may_change_is_not_issued(live: Live, version: str) -> None:
    world = World(live)
    given, code = world.tokens(), world.code()
    function = {"LambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "LambdaVersion": version}

    world.idp.update_user_pool(UserPoolId=world.pool_id, LambdaConfig={"PreTokenGenerationConfig": function})

    refused(world.token(world.public, "authorization_code", code=code, redirect_uri=CALLBACK), "invalid_request")
    refused(world.token(world.public, "refresh_token", refresh_token=given["refresh_token"]), "invalid_request")
    machine = world.token(world.machine, "client_credentials")
    if version == "V3_0":
        refused(machine, "invalid_request")
    else:
        assert machine.status_code == 200
