"""OpenID strict, beside an app that is Cognito's. What the Foundation asks is in ``test_certification_plans``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.live import Live
from tests.oidc.world import CALLBACK, FULL, TYPES, App, Person, Proof, World, claims, said


def document(world: World) -> dict[str, Any]:
    """Return the discovery document."""
    found: dict[str, Any] = requests.get(f"{world.issuer}/.well-known/openid-configuration", timeout=20).json()
    return found


@pytest.mark.parametrize("way", ["get", "post with the header", "post with a form"])
def test_user_info_has_the_standards_types(world: World, whole: Person, way: str) -> None:
    token = world.tokens(whole, world.strict, scope="openid email phone profile")["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    answer = {
        "get": lambda: world.user_info(token),
        "post with the header": lambda: world.post("/oauth2/userInfo", b"", headers=header),
        "post with a form": lambda: world.post("/oauth2/userInfo", {"access_token": token}),
    }[way]()

    told = answer.json()
    assert answer.headers["Content-Type"].startswith("application/json")
    assert told["sub"] == whole.sub
    assert told.keys() >= FULL.keys() | {"email", "email_verified", "given_name"}
    assert {name: type(value) for name, value in told.items()} == {name: TYPES.get(name, str) for name in told}
    assert (told["email_verified"], told["updated_at"]) == (True, 1764000000)
    assert told["address"] == {"formatted": "1 Harbour Road"}


def test_an_app_of_cognitos_is_told_texts(world: World, whole: Person) -> None:
    told = world.user_info(world.tokens(whole, scope="openid email phone profile")["access_token"]).json()

    assert (told["email_verified"], told["phone_number_verified"], told["updated_at"]) == ("true", "true", "1764000000")


@pytest.mark.parametrize(("stored", "told"), [("0", 0), ("1764000000", 1764000000), ("-1", -1), ("soon", "soon")])
def test_a_time_of_change_is_a_number_wherever_the_pool_lets_it_begin(stored: str, told: object) -> None:
    from pools.services.tokens import claims

    assert claims.typed("updated_at", stored) == told


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid profile", set(FULL) - {"phone_number", "phone_number_verified"}),
        ("profile openid email phone", FULL.keys() | {"email", "email_verified"}),
    ],
)
def test_each_scope_gives_its_claims(world: World, whole: Person, scope: str, wanted: set[str]) -> None:
    told = world.user_info(world.tokens(whole, world.strict, scope=scope)["access_token"]).json()

    assert told.keys() - {"given_name", "custom:role"} == wanted | {"sub", "username"}


def test_an_id_token_is_what_the_core_says(world: World) -> None:
    found = document(world)
    browser = world.browser(world.ann)

    answer = browser.authorize(world.strict, scope="openid", nonce="n", acr_values="urn:cognito:loa:1", max_age="9999")
    code = said(answer)["code"]
    issued = world.token(world.strict, "authorization_code", code=code, redirect_uri=CALLBACK).json()

    keys = KeySet.import_key_set(requests.get(found["jwks_uri"], timeout=20).json())
    told = jwt.decode(issued["id_token"], keys, algorithms=found["id_token_signing_alg_values_supported"]).claims
    assert (told["iss"], told["aud"], told["sub"], told["nonce"]) == (
        found["issuer"],
        world.strict.id,
        world.ann.sub,
        "n",
    )
    assert told["acr"] in found["acr_values_supported"]
    assert isinstance(told["auth_time"], int)
    assert told["exp"] > told["iat"] >= told["auth_time"]
    assert {name for name in told if not name.startswith("custom:")} <= set(found["claims_supported"])


@pytest.mark.parametrize(("methods", "acr"), [(["pwd"], "urn:cognito:loa:1"), (["pwd", "otp"], "urn:cognito:loa:2")])
def test_acr_says_by_how_much_a_session_was_proven_and_is_kept_at_refresh(
    world: World, methods: list[str], acr: str
) -> None:
    def both(app: App) -> list[dict[str, Any]]:
        browser = world.browser(world.ann, methods=methods)
        proof = Proof()
        code = said(browser.authorize(app, **proof.challenge))["code"]
        issued = world.token(
            app, "authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=proof.verifier
        ).json()
        fresh = world.token(app, "refresh_token", refresh_token=issued["refresh_token"]).json()
        return [claims(each["id_token"]) for each in (issued, fresh)]

    assert [told["acr"] for told in both(world.strict)] == [acr, acr]
    assert [told["acr"] for told in both(world.strict_public)] == [acr, acr]
    assert not any("acr" in told for told in both(world.public))


def test_a_code_of_before_that_says_nothing_of_its_proofs_gives_no_acr(world: World, live: Live) -> None:
    from identity.foundation import sealing
    from pools.models import AuthorizationCode

    code = world.code(None, world.strict)
    with live.orm():
        AuthorizationCode.objects.filter(hashed=sealing.keyed_hash("authorization_code", code)).update(methods=[])

    issued = world.token(world.strict, "authorization_code", code=code, redirect_uri=CALLBACK).json()

    assert "acr" not in claims(issued["id_token"])


UNKNOWN = ["id_token", "code id_token", "code token", "id_token token", "none", "foo"]


@pytest.mark.parametrize("response_type", UNKNOWN)
def test_an_unknown_response_type_has_its_own_error_where_its_clients_look(world: World, response_type: str) -> None:
    for app, error in ((world.strict, "unsupported_response_type"), (world.public, "invalid_request")):
        answer = world.browser(world.ann).authorize(app, response_type=response_type, state="s")

        parts = urlsplit(answer.headers["Location"])
        told = said(answer)
        assert (told["error"], told["state"], told["iss"]) == (error, "s", world.issuer)
        assert bool(parts.fragment) is ("token" in response_type)
        assert bool(parts.query) is not bool(parts.fragment)


@pytest.mark.parametrize("wrong", [{"scope": "unknown"}, {"nonce": "n" * 5000}, {"prompt": "none login"}])
def test_whatever_is_wrong_is_in_the_fragment_for_who_looks_there(world: World, wrong: dict[str, str]) -> None:
    answer = world.browser().authorize(world.strict, response_type="id_token token", state="s", **wrong)

    assert "error" in said(answer)
    assert urlsplit(answer.headers["Location"]).query == ""


def test_a_strict_app_without_a_secret_needs_pkce(world: World) -> None:
    browser = world.browser(world.ann)

    without = browser.authorize(world.strict_public, state="s")

    assert (said(without)["error"], said(without)["state"]) == ("invalid_request", "s")
    assert "code_challenge" in said(without)["error_description"]
    assert "code" in said(browser.authorize(world.strict_public, **Proof().challenge))
    assert "code" in said(browser.authorize(world.strict))
    assert "code" in said(browser.authorize(world.public))


def test_discovery_says_what_is_true(world: World) -> None:
    found = document(world)
    browser = world.browser(world.ann)

    assert found["response_types_supported"] == ["code"]
    for prompt in found["prompt_values_supported"]:
        assert "error" not in said(browser.authorize(world.strict, prompt=prompt)), prompt
    for mode in found["response_modes_supported"]:
        assert "code" in said(browser.authorize(world.strict, response_mode=mode)), mode
    for scope in found["scopes_supported"]:
        assert "code" in said(browser.authorize(world.strict, scope=f"openid {scope}")), scope
    for method in found["code_challenge_methods_supported"]:
        asked = {**Proof().challenge, "code_challenge_method": method}
        assert "code" in said(browser.authorize(world.strict, **asked)), method
    for grant in found["grant_types_supported"]:
        assert world.token(world.strict, grant).json()["error"] != "unsupported_grant_type", grant
    assert found["acr_values_supported"] == ["urn:cognito:loa:1", "urn:cognito:loa:2"]
    assert found["subject_types_supported"] == ["public"]
    assert found["claims_parameter_supported"] is False
    assert found["authorization_response_iss_parameter_supported"] is True
    assert said(browser.authorize(world.strict))["iss"] == found["issuer"] == world.issuer


# -- the token endpoint's query


def test_the_token_endpoint_reads_the_query_of_cognitos_apps_and_tells_strict_ones_why_not(world: World) -> None:
    def ask(app: App, split: int) -> requests.Response:
        """Send that many of the parameters in the query, the others in the body."""
        sent = {
            "grant_type": "authorization_code",
            "client_id": app.id,
            "client_secret": app.secret,
            "code": world.code(None, app),
            "redirect_uri": CALLBACK,
        }
        pairs = [pair for pair in sent.items() if pair[1]]
        return world.post("/oauth2/token", dict(pairs[split:]), params=dict(pairs[:split]))

    for app in (world.public, world.confidential):
        assert {ask(app, split).status_code for split in (0, 1, 3, 5)} == {200}
    refused = [ask(world.strict, split) for split in (1, 3, 5)]
    assert [answer.status_code for answer in refused] == [400] * 3
    for answer in refused:
        assert answer.json() == {
            "error": "invalid_request",
            "error_description": "Parameters belong in the body, not in the query string.",
        }
    assert ask(world.strict, 0).status_code == 200


def test_a_parameter_in_query_and_body_is_repeated(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": world.machine.id, "client_secret": world.machine.secret}

    twice = world.post("/oauth2/token", form, params={"grant_type": "client_credentials"})
    in_query = world.post("/oauth2/token", None, params=[*form.items(), ("scope", "a"), ("scope", "b")])
    unreadable = world.post("/oauth2/token?scope=%ff", form)

    assert [answer.json()["error"] for answer in (twice, in_query, unreadable)] == ["invalid_request"] * 3
    assert "repeated" in twice.json()["error_description"]
