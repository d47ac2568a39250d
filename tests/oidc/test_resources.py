"""/oauth2/userInfo and /oauth2/revoke: whose token opens what, and how a token dies."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests import providers
from tests.live import Live
from tests.oidc.world import PASSWORD, App, World, claims


def refused(answer: requests.Response, error: str, status: int) -> None:
    """See that a refusal says the same in header and body."""
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]
    assert f'error_description="{answer.json()["error_description"]}"' in answer.headers["WWW-Authenticate"]
    assert answer.headers["Cache-Control"] == "no-store"


def reader(world: World) -> App:
    """Return a client that may read a custom attribute too."""
    return world.app("reader", ReadAttributes=["email", "email_verified", "given_name", "custom:role"])


def test_user_info_tells_who_somebody_is_in_texts(world: World) -> None:
    answer = world.user_info(world.tokens(None, reader(world))["access_token"])

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert told["sub"] == world.ann.sub
    assert told["username"] == world.ann.username
    assert told["email"] == world.ann.email
    assert told["email_verified"] == "true"
    assert told["given_name"] == "Ann"
    assert told["custom:role"] == "editor"


def test_capitals_are_told_nowhere_where_case_does_not_matter(world: World) -> None:
    """AWS: User pool case sensitivity: userInfo, GetUser and tokens tell such values in lowercase."""
    person = world.person(email=f"Zoe-{secrets.token_hex(4)}@Example.org", preferred_username="Zoë.E", name="Zoë E")

    tokens = world.tokens(person)

    read = {
        each["Name"]: each["Value"] for each in world.idp.get_user(AccessToken=tokens["access_token"])["UserAttributes"]
    }
    for told in (claims(tokens["id_token"]), world.user_info(tokens["access_token"]).json(), read):
        assert (told["email"], told["preferred_username"], told["name"]) == (person.email.lower(), "zoë.e", "Zoë E")


@pytest.mark.parametrize(
    ("scope", "seen", "hidden"),
    [
        ("openid email", {"sub", "username", "email", "email_verified"}, {"given_name", "custom:role"}),
        ("openid profile", {"sub", "username", "given_name", "custom:role"}, {"email", "email_verified"}),
        ("openid", {"sub", "username", "email", "given_name"}, set()),
    ],
)
def test_user_info_tells_what_the_scopes_cover(world: World, scope: str, seen: set[str], hidden: set[str]) -> None:
    told = world.user_info(world.tokens(None, reader(world), scope=scope)["access_token"]).json()

    assert seen <= set(told)
    assert not hidden & set(told)


def test_neither_user_info_nor_the_id_token_says_what_was_never_said_of_an_address(world: World) -> None:
    tokens = world.tokens(world.person(email_verified=""), reader(world))

    told = world.user_info(tokens["access_token"]).json()

    for one in (told, claims(tokens["id_token"])):
        assert "email" in one
        assert "email_verified" not in one


def test_user_info_tells_only_what_the_client_may_read(world: World) -> None:
    app = world.app("narrow", ReadAttributes=["email"])

    told = world.user_info(world.tokens(None, app)["access_token"]).json()

    assert told["email"] == world.ann.email
    assert not {"given_name", "custom:role"} & set(told)


@pytest.fixture(scope="module")
def google(world: World) -> None:
    """Give the pool a provider."""
    world.idp.create_identity_provider(UserPoolId=world.pool_id, **providers.request("Google"))


@pytest.mark.usefixtures("google")
@pytest.mark.parametrize("scope", ["openid", "openid email", "openid profile"])
def test_logins_at_providers_are_told_whatever_the_scopes(world: World, scope: str) -> None:
    person = world.person()
    world.idp.admin_link_provider_for_user(
        UserPoolId=world.pool_id,
        DestinationUser={"ProviderName": "Cognito", "ProviderAttributeValue": person.username},
        SourceUser={
            "ProviderName": "Google",
            "ProviderAttributeName": "Cognito_Subject",
            "ProviderAttributeValue": person.sub,
        },
    )

    tokens = world.tokens(person, world.app("narrow", ReadAttributes=["email"]), scope=scope)

    [claim], [told] = (
        claims(tokens["id_token"])["identities"],
        json.loads(world.user_info(tokens["access_token"]).json()["identities"]),
    )
    assert (claim["userId"], claim["primary"]) == (person.sub, "false")
    assert (told["userId"], told["primary"]) == (person.sub, False)
    assert "identities" not in claims(tokens["access_token"])


def test_user_info_takes_the_token_from_a_form_too_but_not_twice_and_not_from_the_query(world: World) -> None:
    token = world.tokens()["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    assert world.post("/oauth2/userInfo", {"access_token": token}).status_code == 200
    assert requests.post(world.url("/oauth2/userInfo"), headers=header, timeout=20).status_code == 200
    refused(world.post("/oauth2/userInfo", {"access_token": token}, headers=header), "invalid_request", 400)
    in_query = requests.get(world.url("/oauth2/userInfo"), {"access_token": token}, timeout=20)
    refused(in_query, "invalid_request", 400)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer é", "Token x"])
def test_user_info_without_a_readable_token_is_a_bad_request(world: World, header: str | None) -> None:
    headers = {"Authorization": header.encode()} if header is not None else {}

    answer = requests.get(world.url("/oauth2/userInfo"), headers=headers, timeout=20)

    refused(answer, "invalid_request", 400)
    assert answer.json()["error_description"] == "Bad OAuth2 request at UserInfo Endpoint"


def test_a_token_without_openid_is_not_enough(world: World, live: Live) -> None:
    by_api = live.boto(signed=False).initiate_auth(
        ClientId=world.public.id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": world.ann.email, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]

    refused(world.user_info(by_api["AccessToken"]), "insufficient_scope", 403)
    narrow = world.tokens(scope="aws.cognito.signin.user.admin")
    refused(world.user_info(narrow["access_token"]), "insufficient_scope", 403)


def unsigned(token: str, **header: object) -> str:
    """Return a token with another header and no signature."""
    body = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{body}.{token.split('.')[1]}."


def symmetric(token: str, secret: bytes, **header: object) -> str:
    """Return a token with another header, signed by HMAC over some bytes that are no secret."""
    signed = unsigned(token, **header).rstrip(".")
    mac = hmac.digest(secret, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def jwt_with_crit(token: str, header: dict[str, Any]) -> str:
    """Return a token whose header asks for an extension that must be understood."""
    return unsigned(token, **header, crit=["exp"], exp=0) + token.rpartition(".")[2]


def forgeries(world: World, token: str) -> dict[str, str]:
    """Return tokens that say what a good one says and are not ours."""
    said = claims(token)
    header = json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    public = requests.get(f"{world.issuer}/.well-known/jwks.json", timeout=20).json()["keys"]
    own = next(key for key in public if key["kid"] == header["kid"])
    stranger = RSAKey.generate_key(2048)
    public_pem = RSAKey.import_key(own).as_pem(private=False)
    signature = token.rpartition(".")[2]
    spoiled = ("A" if signature[10] != "A" else "B").join([signature[:10], signature[11:]])
    raised = base64.urlsafe_b64encode(json.dumps({**said, "username": "root"}).encode()).decode().rstrip("=")
    return {
        "alg none": unsigned(token, alg="none", kid=header["kid"]),
        "alg None": unsigned(token, alg="None"),
        "HS256 by our public key": symmetric(token, public_pem, alg="HS256", kid=header["kid"]),
        "HS256 by nothing": symmetric(token, b"", alg="HS256", kid=header["kid"]),
        "an extension we do not know": jwt_with_crit(token, header),
        "a stranger's key": jwt.encode({"alg": "RS256", "kid": header["kid"]}, said, stranger),
        "a stranger's key, embedded": jwt.encode(
            {"alg": "RS256", "kid": header["kid"], "jwk": stranger.as_dict(private=False)}, said, stranger
        ),
        "an unknown key": jwt.encode({"alg": "RS256", "kid": "../../etc/passwd"}, said, stranger),
        "a spoiled signature": token.rpartition(".")[0] + "." + spoiled,
        "other claims": ".".join([token.partition(".")[0], raised, signature]),
        "no signature": token.rpartition(".")[0] + ".",
        "two parts": token.rpartition(".")[0],
        "not a token": "abc",
    }


def test_forged_tokens_open_nothing(world: World) -> None:
    token = world.tokens()["access_token"]
    assert world.user_info(token).status_code == 200

    for name, forged in forgeries(world, token).items():
        answer = world.user_info(forged)
        assert answer.status_code == 401, name
        refused(answer, "invalid_token", 401)


def test_only_a_live_access_token_of_a_live_person_of_this_pool_is_good(world: World, other_world: World) -> None:
    issued = world.tokens()
    gone, revoked, good = world.person(), world.tokens(), world.tokens()
    disabled = world.tokens(gone)
    machine = world.token(world.machine, "client_credentials").json()
    for each in (disabled, revoked, good):
        assert world.user_info(each["access_token"]).status_code == 200

    world.disable(gone)
    world.post("/oauth2/revoke", {"token": revoked["refresh_token"], "client_id": world.public.id})

    bad = {
        "the ID token": issued["id_token"],
        "the refresh token": issued["refresh_token"],
        "another pool's": other_world.tokens()["access_token"],
        "of a disabled person": disabled["access_token"],
        "revoked": revoked["access_token"],
        "a machine's": machine["access_token"],
    }
    for name, token in bad.items():
        assert world.user_info(token).status_code == 401, name
    assert other_world.user_info(good["access_token"]).status_code == 401
    assert world.user_info(good["access_token"]).status_code == 200


def test_an_expired_token_is_refused(world: World, live: Live) -> None:
    from pools.services import access
    from pools.services.pools import signing_keys

    said = claims(world.tokens()["access_token"])
    with live.orm():
        pool = access.pool(world.pool_id)
        old, young = (
            signing_keys.sign(pool, signing_keys.Use.ACCESS, {**said, "exp": said["iat"] + int(life.total_seconds())})
            for life in (timedelta(0), timedelta(hours=1))
        )

    assert world.user_info(young).status_code == 200
    refused(world.user_info(old), "invalid_token", 401)


def test_an_access_token_says_it_is_one(world: World, live: Live) -> None:
    from pools.services import access
    from pools.services.pools import signing_keys

    said = claims(world.tokens()["access_token"])
    with live.orm():
        pool = access.pool(world.pool_id)
        wrong = [
            signing_keys.sign(pool, signing_keys.Use.ACCESS, {**said, "token_use": "id"}),
            signing_keys.sign(pool, signing_keys.Use.ACCESS, {**said, "iss": "https://elsewhere.example"}),
            signing_keys.sign(pool, signing_keys.Use.ACCESS, {**said, "client_id": "gone"}),
            signing_keys.sign(pool, signing_keys.Use.ID, said),
        ]

    for token in wrong:
        refused(world.user_info(token), "invalid_token", 401)


# -- revoke


def test_a_revoked_refresh_token_and_its_access_tokens_are_dead_and_others_live(world: World) -> None:
    dead, alive = world.tokens(), world.tokens()
    assert world.user_info(dead["access_token"]).status_code == 200

    answer = world.post("/oauth2/revoke", {"token": dead["refresh_token"], "client_id": world.public.id})

    assert answer.status_code == 200
    assert answer.content == b""
    assert world.user_info(dead["access_token"]).status_code == 401
    assert world.token(world.public, "refresh_token", refresh_token=dead["refresh_token"]).status_code == 400
    assert world.user_info(alive["access_token"]).status_code == 200
    again = world.post("/oauth2/revoke", {"token": dead["refresh_token"], "client_id": world.public.id})
    assert again.status_code == 200


def test_a_confidential_client_revokes_by_header_and_form(world: World) -> None:
    app = world.confidential
    for way in (
        {"data": {}, "headers": app.basic()},
        {"data": {"client_id": app.id, "client_secret": app.secret}, "headers": {}},
    ):
        issued = world.tokens(None, app)
        form = {"token": issued["refresh_token"], "token_type_hint": "refresh_token", **way["data"]}

        answer = world.post("/oauth2/revoke", form, headers=way["headers"])

        assert answer.status_code == 200
        assert world.user_info(issued["access_token"]).status_code == 401


def test_nobody_revokes_what_is_another_clients(world: World, other_world: World) -> None:
    issued = world.tokens(None, world.confidential)
    token = issued["refresh_token"]

    by_other = world.post("/oauth2/revoke", {"token": token, "client_id": world.public.id})
    without_secret = world.post("/oauth2/revoke", {"token": token, "client_id": world.confidential.id})
    elsewhere = other_world.post("/oauth2/revoke", {"token": token, "client_id": world.public.id})

    assert (by_other.status_code, by_other.json()["error"]) == (400, "unauthorized_client")  # RFC 7009 section 2.1
    assert without_secret.status_code == elsewhere.status_code == 401
    assert without_secret.json()["error"] == "invalid_client"
    assert world.user_info(issued["access_token"]).status_code == 200


def test_unknown_tokens_are_no_error_and_others_are_unsupported(world: World) -> None:
    issued = world.tokens()

    def revoke(token: str) -> requests.Response:
        return world.post("/oauth2/revoke", {"token": token, "client_id": world.public.id})

    assert revoke("unknown").status_code == 200
    for kind in ("access_token", "id_token"):
        answer = revoke(issued[kind])
        assert answer.status_code == 400
        assert answer.json()["error"] == "unsupported_token_type"
    assert world.user_info(issued["access_token"]).status_code == 200
    missing = world.post("/oauth2/revoke", {"client_id": world.public.id})
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")


def test_a_client_with_revocation_switched_off_is_told_so(world: World) -> None:
    app = world.app("lasting", EnableTokenRevocation=False)
    issued = world.tokens(None, app)

    answer = world.post("/oauth2/revoke", {"token": issued["refresh_token"], "client_id": app.id})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert world.user_info(issued["access_token"]).status_code == 200
