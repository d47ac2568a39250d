"""App clients: Cognito's defaults, ranges and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from identity.foundation import errors
from pools.models import AppClient, ClientSecret, UserPool
from pools.services import access
from pools.services.pools import app_clients, client_rules, client_secrets, resource_servers, schema
from tests import factories
from tests.factories import BY

CODE = {
    "allowed_oauth_flows_user_pool_client": True,
    "allowed_oauth_flows": ["code"],
    "allowed_oauth_scopes": ["openid"],
    "callback_urls": ["https://app.example/back"],
}


def make(pool: UserPool, **settings: Any) -> AppClient:
    return app_clients.create(pool, "app", settings=settings, by=BY)


def test_a_plain_client_has_cognitos_defaults(pool: UserPool) -> None:
    client = make(pool)

    assert app_clients.effective_flows(client) == {
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_CUSTOM_AUTH",
    }
    assert (client.access_seconds, client.id_seconds, client.refresh_seconds) == (3600, 3600, 30 * 86400)
    assert (client.session_minutes, client.revocation, client.hide_existence) == (3, True, False)
    assert client_secrets.values(client) == []
    assert client.explicit == []
    assert {"email", "email_verified", "sub"} <= app_clients.readable(client, pool)
    assert "email_verified" not in app_clients.writable(client, pool)


def test_a_client_without_lists_reads_all_and_one_with_lists_what_they_say(transactional_db: None) -> None:
    """aws-cdk#30608: custom attributes too, whether they can change or not."""
    fixed, hidden = {"name": "fixed"}, {"name": "hidden", "mutable": True, "developer_only_attribute": True}
    pool = factories.make_pool(schema=[fixed, hidden, {"name": "role", "mutable": True}])
    plain, listed = make(pool), make(pool, read_attributes=["name"], write_attributes=["custom:fixed"])
    custom = {"custom:fixed", "custom:role"}

    assert app_clients.readable(plain, pool) == schema.STANDARD.keys() | custom | {"dev:custom:hidden"}
    unwritable = {"sub", "email_verified", "phone_number_verified"}
    assert app_clients.writable(plain, pool) == (schema.STANDARD.keys() | custom) - unwritable
    assert app_clients.readable(listed, pool) == {"name", "sub"}
    assert app_clients.writable(listed, pool) == {"custom:fixed"}


def test_a_secret_is_told_back_and_kept_sealed_and_hashed(pool: UserPool) -> None:
    client = make(pool, generate_secret=True)

    [secret] = client_secrets.values(client)
    row = ClientSecret.objects.get()
    assert len(secret) == 51
    assert secret.encode() not in bytes(row.sealed) + bytes(row.hashed)
    access.authenticate(access.client(client.client_id), [secret], by=BY)
    with pytest.raises(errors.ClientRefused):
        access.authenticate(access.client(client.client_id), [secret + "x"], by=BY)


def test_an_own_secret_is_taken(pool: UserPool) -> None:
    assert client_secrets.values(make(pool, client_secret="a" * 24)) == ["a" * 24]


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({"access_token_validity": 5, "token_validity_units": {"access_token": "minutes"}}, (300, 3600, 2592000)),
        ({"access_token_validity": 1, "token_validity_units": {"access_token": "days"}}, (86400, 3600, 2592000)),
        ({"id_token_validity": 300, "token_validity_units": {"id_token": "seconds"}}, (3600, 300, 2592000)),
        ({"refresh_token_validity": 0}, (3600, 3600, 2592000)),
        ({"refresh_token_validity": 3650}, (3600, 3600, 315360000)),
        ({"refresh_token_validity": 1, "token_validity_units": {"refresh_token": "hours"}}, (3600, 3600, 3600)),
    ],
)
def test_lifetimes_follow_units(pool: UserPool, settings: dict[str, Any], seconds: tuple[int, int, int]) -> None:
    client = make(pool, **settings)

    assert (client.access_seconds, client.id_seconds, client.refresh_seconds) == seconds


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"access_token_validity": 299, "token_validity_units": {"access_token": "seconds"}}, errors.Invalid),
        ({"access_token_validity": 25}, errors.Invalid),
        ({"refresh_token_validity": 59, "token_validity_units": {"refresh_token": "minutes"}}, errors.Invalid),
        ({"refresh_token_validity": 3651}, errors.Invalid),
        (
            {
                "refresh_token_validity": 1,
                "access_token_validity": 2,
                "token_validity_units": {"refresh_token": "hours"},
            },
            errors.Invalid,
        ),
        ({"generate_secret": True, "client_secret": "a" * 24}, errors.Invalid),
        ({"client_secret": "short"}, errors.Invalid),
        ({"auth_session_validity": 2}, errors.Invalid),
        ({"auth_session_validity": 16}, errors.Invalid),
        ({"explicit_auth_flows": ["ALLOW_EVERYTHING"]}, errors.Invalid),
        ({"explicit_auth_flows": ["ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH"]}, errors.Invalid),
        ({"read_attributes": ["nonsense"]}, errors.Invalid),
        ({"write_attributes": ["name"]}, errors.Invalid),
        ({"write_attributes": ["email", "email_verified"]}, errors.Invalid),
        ({"enable_propagate_additional_user_context_data": True}, errors.Invalid),
        (
            {
                "refresh_token_rotation": {"feature": "ENABLED"},
                "explicit_auth_flows": ["ALLOW_REFRESH_TOKEN_AUTH"],
            },
            errors.Invalid,
        ),
        ({"refresh_token_rotation": {"feature": "ENABLED", "retry_grace_period_seconds": 61}}, errors.Invalid),
        ({"supported_identity_providers": ["Google"]}, errors.Invalid),
        ({"unheard_of": 1}, errors.Invalid),
        ({**CODE, "allowed_oauth_scopes": ["photos/read"]}, errors.ScopeUnknown),
        ({**CODE, "allowed_oauth_scopes": ["email"]}, errors.Invalid),
        ({**CODE, "allowed_oauth_flows": ["code", "client_credentials"]}, errors.OAuthFlowRefused),
        ({**CODE, "allowed_oauth_flows": ["client_credentials"]}, errors.OAuthFlowRefused),
        ({**CODE, "generate_secret": True, "allowed_oauth_flows": ["client_credentials"]}, errors.OAuthFlowRefused),
        ({**CODE, "allowed_oauth_flows": ["implicit"]}, errors.NotAvailable),
        ({**CODE, "callback_urls": []}, errors.OAuthFlowRefused),
        ({**CODE, "allowed_oauth_flows": []}, errors.Invalid),
        ({**CODE, "default_redirect_uri": "https://app.example/other"}, errors.Invalid),
        ({**CODE, "callback_urls": [f"https://app.example/{number}" for number in range(101)]}, errors.Invalid),
    ],
)
def test_a_setting_that_breaks_a_rule_makes_no_client(
    pool: UserPool, settings: dict[str, Any], problem: type[Exception]
) -> None:
    with pytest.raises(problem) as refused:
        make(pool, **settings)

    assert type(refused.value) is problem
    assert app_clients.page(pool, 60, None).rows == []


def test_custom_scopes_exist_once_their_server_does(pool: UserPool) -> None:
    scopes = [{"name": "read", "description": "Read"}]
    resource_servers.create(pool, identifier="photos", name="Photos", scopes=scopes, by=BY)

    client = make(
        pool,
        generate_secret=True,
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["client_credentials"],
        allowed_oauth_scopes=["photos/read"],
    )

    assert client.scopes == ["photos/read"]


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/back",
        "https://app.example:8443/back?x=1",
        "http://localhost:3000/callback",
        "http://127.0.0.1/",
        "http://[::1]:3000/",
        "myapp://signed-in",
        "com.example.app:/back",
    ],
)
def test_addresses_that_browsers_may_be_sent_to(url: str) -> None:
    assert client_rules.redirect_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "app.example/back",
        "http://app.example/",
        "http://localhost.evil.example/",
        "https://",
        "https://app.example/#fragment",
        "https://user@app.example/",
        "https://*.example/",
        "https://app.example\\@evil.example/",
        "https://app.example/a b",
        "https://app.example/\n",
        "https://[::1/",
        "https://app.example:99999/",
        "javascript:alert(1)",
        "JavaScript://%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://app.example/" + "a" * 1024,
    ],
)
def test_addresses_that_browsers_are_never_sent_to(url: str) -> None:
    assert client_rules.redirect_problem(url)


def test_an_update_replaces_what_it_leaves_out(pool: UserPool) -> None:
    client = make(pool, **CODE, prevent_user_existence_errors="ENABLED", generate_secret=True)
    secret = client_secrets.values(client)

    app_clients.update(client, {"callback_urls": ["https://new.example/"]}, whole=True, by=BY)

    after = access.client(client.client_id)
    assert after.callback_urls == ["https://new.example/"]
    assert (after.hide_existence, after.oauth_enabled, after.confidential) == (False, False, True)
    assert after.name == "app"
    assert client_secrets.values(after) == secret
    with pytest.raises(errors.Invalid):
        app_clients.update(client, {"client_secret": "b" * 24}, whole=True, by=BY)


@pytest.mark.parametrize("strict", [True, False])
def test_an_update_that_does_not_name_the_openid_switch_leaves_it(pool: UserPool, strict: bool) -> None:
    client = make(pool, openid_strict=not strict)
    assert "openid_strict" not in client.explicit

    switched = app_clients.update(client, {"openid_strict": strict}, by=BY)
    updated = app_clients.update(client, {"client_name": "other"}, whole=True, by=BY)  # which still holds it as it was

    assert switched.openid_strict is strict
    assert (updated.name, AppClient.objects.get(pk=client.pk).openid_strict) == ("other", strict)
    app_clients.update(client, {"openid_strict": not strict}, whole=True, by=BY)
    assert AppClient.objects.get(pk=client.pk).openid_strict is not strict


def test_pages_hold_each_client_once(pool: UserPool, alias_pool: UserPool) -> None:
    made = [make(pool).client_id for _ in range(5)]
    make(alias_pool)

    first = app_clients.page(pool, 3, None)
    second = app_clients.page(pool, 3, first.token)

    assert [client.client_id for client in [*first.rows, *second.rows]] == made
    assert second.token is None
    with pytest.raises(errors.Invalid):
        app_clients.page(alias_pool, 3, first.token)


def test_older_names_of_flows_mean_the_newer(pool: UserPool) -> None:
    client = make(pool, explicit_auth_flows=["ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"])

    assert {"ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"} <= app_clients.effective_flows(client)
    assert client.auth_flows == ["ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"]
