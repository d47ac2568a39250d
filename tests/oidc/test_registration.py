"""The registration endpoint (RFC 7591), over a live installation: who may register what, and every refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic, sleep, time
from typing import Any

import pytest
import requests

from tests.live import Live
from tests.oidc.registering import MACHINE, MACHINES, PEOPLE, REGISTER, SETTING, Registering, app_of
from tests.oidc.world import AFTER_LOGOUT, CALLBACK, World, claims

DEAD = "Access token is expired, disabled, or deleted, or the user has globally signed out."


@pytest.fixture(scope="session")
def pool(live: Live) -> Registering:
    """Return a pool where apps register themselves, openly too."""
    return Registering(live)


@pytest.fixture
def untouched(pool: Registering) -> Callable[[], bool]:
    """Return what says whether no app was made since."""
    before = pool.clients()
    return lambda: pool.clients() == before


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    """Return what a refusal says; it is not to be stored, and pages of any origin may read it."""
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json().keys() == {"error", "error_description"}
    return answer.status_code, answer.json()["error"], answer.json()["error_description"]


# -- what is registered ----------------------------------------------------------------------------------------------


def test_an_app_is_told_all_that_it_is_registered_with(pool: Registering) -> None:
    began = int(time())
    ignored = {"logo_uri": "https://app.example/logo.png", "contacts": ["a@app.example"], "x_unheard_of": {"a": [1]}}

    asked = {**PEOPLE, **ignored, "post_logout_redirect_uris": [AFTER_LOGOUT], "client_uri": None}

    answer, openly = pool.register(asked, key=pool.key), pool.registered(asked)

    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    told = answer.json()
    assert began <= told.pop("client_id_issued_at") <= time()
    assert len(told.pop("client_secret")) >= 24
    assert told == {
        "client_id": told["client_id"],
        "client_secret_expires_at": 0,
        "client_name": "Photo frame",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [AFTER_LOGOUT],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": "openid email phone profile",
    }
    assert openly.keys() == {*told, "client_secret", "client_id_issued_at"} - {"post_logout_redirect_uris"}


def test_a_public_app_and_a_machine_are_told_what_is_theirs(pool: Registering) -> None:
    public = pool.registered({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "scope": "openid"})
    machine = pool.registered({**MACHINE, "response_types": []}, key=pool.key)

    assert not {"client_secret", "client_secret_expires_at"} & public.keys()
    assert (public["client_name"], public["scope"]) == ("app.example", "openid")
    assert machine["client_secret"]
    assert (machine["grant_types"], machine["response_types"]) == (["client_credentials"], [])
    assert "redirect_uris" not in machine


def test_an_administrator_sees_who_registered_and_with_what(pool: Registering) -> None:
    made = pool.registered({**PEOPLE, "scope": "openid aws.cognito.signin.user.admin"}, key=pool.key)

    told = pool.described(made["client_id"])

    assert told["ClientSecret"] == made["client_secret"]
    assert {name: told[name] for name in ("ClientName", "ClientType", "CallbackURLs", "ExplicitAuthFlows")} == {
        "ClientName": "Photo frame",
        "ClientType": "DCR",
        "CallbackURLs": [CALLBACK],
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],
    }
    assert told["AllowedOAuthScopes"] == ["openid", "aws.cognito.signin.user.admin"]
    assert told["PreventUserExistenceErrors"] == "ENABLED"
    assert not [name for name in told["ReadAttributes"] + told["WriteAttributes"] if name.startswith("custom:")]
    assert made["client_id"] in pool.clients(ClientType="DCR")
    assert made["client_id"] not in pool.clients(ClientType="REGULAR")
    assert pool.clients(ClientType="DCR") | pool.clients(ClientType="REGULAR") == pool.clients()


def test_each_registration_is_an_app_of_its_own(pool: Registering) -> None:
    first, second = (pool.registered(PEOPLE, key=pool.key) for _ in range(2))

    assert first["client_id"] != second["client_id"]
    assert first["client_secret"] != second["client_secret"]


# -- who may register ------------------------------------------------------------------------------------------------


def test_a_token_registers_where_nobody_may_without(live: Live) -> None:
    closed = Registering(live, OpenDcrEnabled=False)

    without = closed.register(PEOPLE)

    assert refusal(without) == (401, "invalid_token", "An access token is needed.")
    assert without.headers["WWW-Authenticate"] == f'Bearer realm="register", scope="{REGISTER}"'
    assert closed.registered(PEOPLE, key=closed.key)["client_id"] in closed.clients(ClientType="DCR")


def test_a_persons_token_registers_while_they_are_signed_in(pool: Registering) -> None:
    app = pool.app("console", AllowedOAuthScopes=["openid", REGISTER])
    person = pool.person()
    issued = pool.tokens(person, app, scope=f"openid {REGISTER}")
    assert pool.registered(PEOPLE, key=issued["access_token"])

    pool.disable(person)

    answer = pool.register(PEOPLE, key=issued["access_token"])
    assert refusal(answer) == (401, "invalid_token", DEAD)


def test_a_token_that_is_sent_must_be_good_also_where_none_is_needed(
    pool: Registering, other_world: World, untouched: Callable[[], bool]
) -> None:
    foreign = other_world.token(other_world.machine, "client_credentials").json()["access_token"]
    signed_in = pool.tokens()
    other_scope = pool.token_of(pool.registrar, "photos/read")

    for key in ("nonsense", "a.b.c", pool.key[:-4] + "AAAA", foreign, signed_in["id_token"]):
        answer = pool.register(PEOPLE, key=key)
        assert refusal(answer) == (401, "invalid_token", DEAD), key
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="register", error="invalid_token"')
    for header in ("Basic Og==", "Bearer", "", f"Bearer {pool.key} {pool.key}"):
        answer = pool.send(json.dumps(PEOPLE).encode(), Authorization=header)
        assert refusal(answer)[:2] == (401, "invalid_token"), header
    for key in (other_scope, signed_in["access_token"]):
        answer = pool.register(PEOPLE, key=key)
        assert refusal(answer) == (403, "insufficient_scope", f"The access token lacks the scope {REGISTER}.")
        assert f'scope="{REGISTER}"' in answer.headers["WWW-Authenticate"]
    assert untouched()


def test_a_token_is_good_for_nothing_once_its_app_is_gone_or_lost_the_scope(pool: Registering) -> None:
    gone, reduced = (pool.app("registrar", **MACHINES, AllowedOAuthScopes=[REGISTER]) for _ in range(2))
    keys = [pool.token_of(each, REGISTER) for each in (gone, reduced)]
    assert [pool.register(MACHINE, key=key).status_code for key in keys] == [201, 201]

    pool.idp.delete_user_pool_client(UserPoolId=pool.pool_id, ClientId=gone.id)
    pool.idp.update_user_pool_client(
        UserPoolId=pool.pool_id,
        ClientId=reduced.id,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthScopes=["photos/read"],
    )

    assert [pool.register(MACHINE, key=key).status_code for key in keys] == [401, 403]


def test_nobody_registers_where_it_is_off_and_discovery_says_so(live: Live) -> None:
    pool = Registering(live)
    document = f"{pool.issuer}/.well-known/openid-configuration"
    assert requests.get(document, timeout=20).json()["registration_endpoint"] == pool.url("/oauth2/register")

    pool.configure(EnableStatus="Disabled", OpenDcrEnabled=True)

    until = monotonic() + 2
    while "registration_endpoint" in requests.get(document, timeout=20).json():
        assert monotonic() < until
        sleep(0.05)
    for key in ("", pool.key):
        answer = pool.register(PEOPLE, key=key)
        assert refusal(answer) == (404, "invalid_request", "Dynamic client registration is not enabled.")
    assert pool.clients(ClientType="DCR") == set()


def test_a_pool_that_is_not_there_takes_nobody(live: Live) -> None:
    answer = requests.post(f"{live.base_url}/us-east-1_Nowhere00/oauth2/register", json=PEOPLE, timeout=20)

    assert refusal(answer) == (404, "invalid_request", "There is no such user pool.")


def test_a_pool_without_the_setting_tells_of_no_registration(world: World) -> None:
    document = requests.get(f"{world.issuer}/.well-known/openid-configuration", timeout=20).json()

    assert "registration_endpoint" not in document
    assert requests.post(world.url("/oauth2/register"), json=PEOPLE, timeout=20).status_code == 404


def test_lists_say_which_grants_register_in_which_way(live: Live) -> None:
    pool = Registering(live)
    no_grant = (400, "invalid_client_metadata", "The grant_types are not allowed here.")
    not_so = (403, "access_denied", "Such registrations are not allowed.")

    assert refusal(pool.register(MACHINE)) == no_grant  # openly, people's apps alone, unless the list says so
    assert pool.register(MACHINE, key=pool.key).status_code == 201
    pool.configure(**SETTING, OpenDcrGrantTypes=[], AuthenticatedGrantTypes=["implicit", "client_credentials"])
    assert refusal(pool.register(PEOPLE)) == not_so
    assert refusal(pool.register(PEOPLE, key=pool.key)) == no_grant
    assert pool.register(MACHINE, key=pool.key).status_code == 201
    pool.configure(**SETTING, OpenDcrGrantTypes=["client_credentials"], AuthenticatedGrantTypes=["implicit"])
    assert pool.register(MACHINE).status_code == 201
    assert refusal(pool.register(MACHINE, key=pool.key)) == not_so


# -- what is refused -------------------------------------------------------------------------------------------------

STRING, LIST = "The member {} is not a string.", "The member {} is not a list of strings."
GRANTS = "The grant_types are authorization_code with refresh_token, or client_credentials."
VAIN = "The member {} is not supported with this value."
METHOD = "The token_endpoint_auth_method is client_secret_basic, client_secret_post or none."
NAME = "The client_name holds 1 to 128 printable characters."
SCOPE = "A scope is not known or not allowed."
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"client_name": 5}, STRING.format("client_name")),
    ({"client_name": ["Photo frame"]}, STRING.format("client_name")),
    ({"scope": ["openid"]}, STRING.format("scope")),
    ({"token_endpoint_auth_method": True}, STRING.format("token_endpoint_auth_method")),
    ({"redirect_uris": CALLBACK}, LIST.format("redirect_uris")),
    ({"redirect_uris": [CALLBACK, None]}, LIST.format("redirect_uris")),
    ({"redirect_uris": {"a": CALLBACK}}, LIST.format("redirect_uris")),
    ({"grant_types": "authorization_code"}, LIST.format("grant_types")),
    ({"response_types": [["code"]]}, LIST.format("response_types")),
    ({"client_name": ""}, NAME),
    ({"client_name": " "}, NAME),
    ({"client_name": "n" * 129}, NAME),
    ({"client_name": "Bank\u202egnp.exe"}, NAME),
    ({"client_name": "a\x00b"}, NAME),
    ({"client_name": "two\nlines"}, NAME),
    ({"grant_types": []}, GRANTS),
    ({"grant_types": ["password"]}, GRANTS),
    ({"grant_types": ["authorization_code", "implicit"]}, GRANTS),
    ({"grant_types": ["urn:ietf:params:oauth:grant-type:device_code"]}, GRANTS),
    ({"grant_types": ["refresh_token"]}, "The grant refresh_token needs authorization_code beside it."),
    ({"grant_types": ["authorization_code", "client_credentials"]}, "The grant client_credentials goes with no other."),
    ({"response_types": ["token"]}, "The response_types do not fit the grant_types."),
    ({"response_types": []}, "The response_types do not fit the grant_types."),
    ({**MACHINE, "response_types": ["code"]}, "The response_types do not fit the grant_types."),
    ({"token_endpoint_auth_method": "private_key_jwt"}, METHOD),
    ({"token_endpoint_auth_method": "tls_client_auth"}, METHOD),
    ({**MACHINE, "token_endpoint_auth_method": "none"}, "The grant client_credentials needs a client secret."),
    ({"jwks": {"keys": []}}, VAIN.format("jwks")),
    ({"jwks_uri": "https://app.example/jwks"}, VAIN.format("jwks_uri")),
    ({"id_token_signed_response_alg": "HS256"}, VAIN.format("id_token_signed_response_alg")),
    ({"userinfo_signed_response_alg": "RS256"}, VAIN.format("userinfo_signed_response_alg")),
    ({"subject_type": "pairwise"}, VAIN.format("subject_type")),
    ({"dpop_bound_access_tokens": True}, VAIN.format("dpop_bound_access_tokens")),
    ({"require_pushed_authorization_requests": 1}, VAIN.format("require_pushed_authorization_requests")),
    ({"scope": "openid photos/write"}, SCOPE),
    ({"scope": "openid none/read"}, SCOPE),
    ({"scope": f"openid {REGISTER}"}, SCOPE),
    ({"scope": "openid offline_access"}, SCOPE),
    ({**MACHINE, "scope": REGISTER}, SCOPE),
    ({**MACHINE, "scope": " "}, "The scope is missing: a machine names what it asks for."),
    ({**MACHINE, "scope": "openid"}, "The client metadata cannot be used."),
    ({"scope": "email"}, "The client metadata cannot be used."),
    ({"post_logout_redirect_uris": ["http://app.example/"]}, "One of the post_logout_redirect_uris cannot be used: "),
]


@pytest.mark.parametrize(("metadata", "why"), WRONG, ids=lambda value: json.dumps(value)[:60])
def test_metadata_that_cannot_be_had_is_refused_and_makes_no_app(
    pool: Registering, metadata: dict[str, Any], why: str, untouched: Callable[[], bool]
) -> None:
    given = metadata if "client_credentials" in metadata.get("grant_types", []) else {**PEOPLE, **metadata}

    status, error, description = refusal(pool.register(given, key=pool.key))

    assert (status, error) == (400, "invalid_client_metadata")
    assert description == why or (why.endswith(": ") and description.startswith(why))
    assert untouched()


@pytest.mark.parametrize(
    "harmless",
    [
        {"id_token_signed_response_alg": "RS256", "subject_type": "public", "dpop_bound_access_tokens": False},
        {"grant_types": ["authorization_code"], "response_types": ["code", "code"]},
        {"redirect_uris": [CALLBACK, CALLBACK], "jwks": None, "software_statement": None},
        {"token_endpoint_auth_method": "client_secret_post", "application_type": "native"},
    ],
)
def test_what_asks_for_nothing_more_is_taken(pool: Registering, harmless: dict[str, Any]) -> None:
    made = pool.registered({**PEOPLE, **harmless}, key=pool.key)

    assert made["redirect_uris"] == [CALLBACK]
    assert made["grant_types"] == ["authorization_code", "refresh_token"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Fotorahmen für Zoë", "Fotorahmen fur Zoe"),
        ("Frame (beta) <b>📷</b>", "Frame beta b b"),
        ("n" * 128, "n" * 128),
        ("写真", "app.example"),
        (None, "app.example"),
    ],
)
def test_a_name_is_told_as_it_is_kept(pool: Registering, name: str | None, told: str) -> None:
    made = pool.registered({**PEOPLE, "client_name": name, "client_name#fr": "Cadre"}, key=pool.key)

    assert made["client_name"] == pool.described(made["client_id"])["ClientName"] == told


ADDRESSES = [
    "https://app.example/cb#fragment",
    "https://app.example#",
    "https://user@app.example/cb",
    "https://app.example@evil.example/cb",
    "https://*.app.example/cb",
    "https://app.example\\@evil.example/",
    "https:///cb",
    "http://app.example/cb",
    "http://localhost.evil.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "//app.example/cb",
    "/cb",
    "app.example/cb",
    "https://[::1/cb",
    "https://app.example:99999/cb",
    "https://app.example/ cb",
    "https://app.example/\r\nSet-Cookie: a=b",
    "https://\u0430pp.example/cb",  # a Cyrillic letter
    "https://app.example/" + "a" * 1024,
    "",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_no_browser_may_be_sent_to_is_refused(
    pool: Registering, address: str, untouched: Callable[[], bool]
) -> None:
    status, error, description = refusal(pool.register({**PEOPLE, "redirect_uris": [CALLBACK, address]}, key=pool.key))

    assert (status, error) == (400, "invalid_redirect_uri")
    assert description.startswith("A redirect URI cannot be used: ")
    assert untouched()


@pytest.mark.parametrize("given", [{}, {"redirect_uris": []}, {"redirect_uris": None}])
def test_an_app_for_people_says_where_they_come_back(pool: Registering, given: dict[str, Any]) -> None:
    assert refusal(pool.register(given, key=pool.key)) == (
        400,
        "invalid_redirect_uri",
        "The redirect_uris are missing.",
    )
    too_many = {"redirect_uris": [f"https://app.example/{number}" for number in range(101)]}
    assert refusal(pool.register(too_many, key=pool.key))[1] == "invalid_redirect_uri"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "unapproved_software_statement"),
        ("eyJhbGciOiJub25lIn0.e30.", "unapproved_software_statement"),
        ("nonsense", "invalid_software_statement"),
        ("", "invalid_software_statement"),
    ],
)
def test_a_software_statement_is_refused(pool: Registering, statement: str, error: str) -> None:
    assert refusal(pool.register({**PEOPLE, "software_statement": statement}, key=pool.key))[:2] == (400, error)


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"not json",
    b"\xff\xfe{}",
    b'{"redirect_uris": ["https://app.example/cb"], "redirect_uris": ["https://evil.example/cb"]}',
    b'{"client_name": "a", "x": {"y": 1, "y": 2}}',
    b'{"client_name": "\\ud800"}',
    b'{"x": NaN}',
    b'{"x": ' + b"9" * 5000 + b"}",
    b'{"x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    b"redirect_uris=https://app.example/cb",
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body[:40]))
def test_a_body_that_is_no_object_is_refused(pool: Registering, body: bytes, untouched: Callable[[], bool]) -> None:
    status, error, description = refusal(pool.send(body, key=pool.key))

    assert (status, error) == (400, "invalid_client_metadata")
    assert description in {"The body is not JSON.", "The body is not a JSON object."}
    assert untouched()


def test_a_request_of_another_form_is_refused(pool: Registering, untouched: Callable[[], bool]) -> None:
    body, big = json.dumps(PEOPLE).encode(), json.dumps({**PEOPLE, "x": "y" * 65_536}).encode()
    not_json = (400, "invalid_request", "The body must be application/json.")

    for kind in ("application/x-www-form-urlencoded", "text/plain", "", "multipart/form-data; boundary=x"):
        assert refusal(pool.send(body, key=pool.key, **{"Content-Type": kind})) == not_json
    assert refusal(pool.send(big, key=pool.key)) == (413, "invalid_request", "The body is too large.")
    assert refusal(pool.send(b" " * (3 << 20), key=pool.key))[0] == 413
    queried = pool.send(body, key=pool.key, path="/oauth2/register?client_name=x")
    assert refusal(queried)[:2] == (400, "invalid_request")
    for method in ("GET", "PUT", "DELETE"):
        answer = requests.request(method, pool.url("/oauth2/register"), timeout=20)
        assert refusal(answer)[0] == 405
        assert answer.headers["Allow"] == "POST, OPTIONS"
    preflight = requests.options(pool.url("/oauth2/register"), timeout=20)
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Methods"]) == (204, "POST, OPTIONS")
    assert untouched()
    charset = pool.send(body, key=pool.key, **{"Content-Type": "Application/JSON; charset=utf-8"})
    assert charset.status_code == 201


def test_strangers_who_flood_are_told_to_wait_and_others_are_not(live: Live) -> None:
    flooded, other = Registering(live), Registering(live)

    answers = [flooded.send(b"{") for _ in range(42)]  # a minute may end in between

    assert {each.status_code for each in answers} == {400, 429}
    refused = next(each for each in answers if each.status_code == 429)
    assert refusal(refused) == (429, "temporarily_unavailable", "Too many requests.")
    assert int(refused.headers["Retry-After"]) > 0
    assert flooded.register(PEOPLE, key=flooded.key).status_code == 201
    assert other.register(PEOPLE).status_code == 201


def test_what_registered_is_a_machine_or_nobody_to_the_token_endpoint(pool: Registering) -> None:
    machine = app_of(pool.registered(MACHINE, key=pool.key))

    issued = pool.token(machine, "client_credentials", headers=machine.basic())

    assert claims(issued.json()["access_token"])["scope"] == "photos/read"
    assert pool.token(machine, "client_credentials", scope="photos/write").json()["error"] == "invalid_scope"
    assert pool.token(machine, "client_credentials", scope=REGISTER).json()["error"] == "invalid_scope"
    assert pool.token(machine, "client_credentials", client_secret="x" * 40).json()["error"] == "invalid_client"
