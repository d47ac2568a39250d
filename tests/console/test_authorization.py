"""Every address of console and API: closed to strangers, to the half-proven, to forged forms, across pools."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.console.world import PASSWORD, World
from tests.live import Live

OPEN = {"sign_in", "code", "sign_out", "link", "set_password", "set_authenticator", "mailbox", "messages"}
OPEN |= {"api_docs", "api_schema", "api_nothing", "home"}
POOL = {"name": "x", "sign_in": "email", "mfa": "OFF"}
MAKING = {"api_apps", "api_pools", "api_keys", "api_providers", "api_saml_applications"}
WITHOUT_READING = {"api_disable_user", "api_enable_user", "api_limit_key", "api_disable_key", "check_provider"}
LEADING_ON = {"try_provider", "tried_provider"}
"""To the provider, and to its page where nothing was tried."""
PROBLEM = "application/problem+json"


def addresses() -> Iterator[tuple[str, str]]:
    """Return each named address of the console's urlconfs, with holes."""
    from identity.console import api_urls, urls

    for before, patterns in (("/", urls.urlpatterns), ("/api/", api_urls.urlpatterns)):
        for pattern in patterns:
            name = getattr(pattern, "name", None)
            if name and name not in OPEN:
                yield name, before + str(pattern.pattern)


@cache
def job_of(live: Live, pool_id: str) -> str:
    """Return an import of a pool."""
    role = "arn:aws:iam::111111111111:role/Logs"
    made = live.boto().create_user_import_job(UserPoolId=pool_id, JobName="move", CloudWatchLogsRoleArn=role)
    return str(made["UserImportJob"]["JobId"])


def filled(world: World, address: str, *, foreign: bool = False) -> str:
    """Fill an address's holes: this pool's things, or the other pool's things under this pool."""
    values = {
        "pool_id": world.pool_id,
        "client_id": world.other_client_id if foreign else world.client_id,
        "sub": world.other_sub if foreign else world.subs[0],
        "key": "disable",
        "key_id": world.key[0],
        "job_id": job_of(world.live, world.pool_id),
        "kind": "oidc",
        "application_id": world.other_application_id if foreign else world.application_id,
        "provider_id": world.other_provider_id if foreign else world.provider_id,
    }
    return re.sub(r"<\w+:(\w+)>", lambda hole: values[hole[1]], address)


def every_name() -> list[str]:
    """Return the names to walk; the urlconf is read when tests are collected, which touches no database."""
    import django

    django.setup()
    return [name for name, _ in addresses()]


@pytest.fixture(scope="module")
def by_name() -> dict[str, str]:
    """Return addresses by name."""
    return dict(addresses())


def test_the_walk_meets_every_room(by_name: dict[str, str]) -> None:
    assert {"pools", "user", "change_user", "keys", "disable_key", "api_pools", "api_disable_user"} <= by_name.keys()
    assert len(by_name) >= 19


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
def test_without_sign_in_every_address_is_closed(world: World, by_name: dict[str, str], method: str) -> None:
    visitor = world.visitor()
    for name, address in by_name.items():
        answer = visitor.request(method, filled(world, address))

        if name.startswith("api_"):
            assert answer.status_code == 401, name
            assert answer.headers["WWW-Authenticate"].startswith("Bearer"), name
            assert answer.headers["Content-Type"] == PROBLEM, name
        elif method in {"GET", "HEAD"}:
            assert answer.status_code == 302, name
            assert answer.headers["Location"].startswith("/console/sign-in?next=%2Fconsole%2F"), name
        elif name in LEADING_ON | {"check_provider"}:  # to the page that has the button, which is closed
            assert (answer.status_code, answer.headers["Location"]) == (303, filled(world, by_name["provider"])), name
        else:
            assert answer.status_code in {302, 403}, name
        assert world.subs[0] not in answer.text.replace(filled(world, address), "") or answer.status_code == 302


def test_without_a_second_factor_every_address_is_closed(world: World, by_name: dict[str, str]) -> None:
    who, visitor = world.operator(), world.visitor()
    half = visitor.send_form("/console/sign-in", username=who.username, password=PASSWORD)
    assert half.status_code == 303

    for name, address in by_name.items():
        assert visitor.get(filled(world, address)).status_code == (401 if name.startswith("api_") else 302), name


def test_a_proven_operator_reaches_every_address(world: World, by_name: dict[str, str]) -> None:
    for name, address in by_name.items():
        if name in {"disable_key", "limit_key", "api_key"}:
            continue  # the key belongs to the admin, whose session the next line uses
        expected = 405 if name in WITHOUT_READING else 303 if name in LEADING_ON else 200
        assert world.session.get(filled(world, address)).status_code == expected, name


@pytest.mark.parametrize("token", ["", "x" * 64, "of another session"])
def test_a_forged_form_changes_nothing(world: World, by_name: dict[str, str], token: str) -> None:
    visitor, before = world.inside(), world.pools()
    if token.startswith("of"):
        other = world.visitor().get("/console/sign-in").text
        token = other.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    for name, address in by_name.items():
        if name in {"disable_key", "limit_key"} or (
            name.startswith("api_") and "able_user" not in name and name not in MAKING
        ):
            continue
        answer = visitor.post(
            filled(world, address),
            data={"csrfmiddlewaretoken": token, "confirmation": "person00@example.com", **POOL},
        )
        if name in LEADING_ON | {"check_provider"}:
            assert (answer.status_code, answer.headers["Location"]) == (303, filled(world, by_name["provider"])), name
            continue
        # A form is not even a format that the API reads.
        assert answer.status_code in ({415} if name.startswith("api_") else {200, 422}), name
        is_shown = (
            "This page was loaded again" in answer.text or name == "import_failures"
        )  # a file, which says nothing
        assert name.startswith("api_") or is_shown, name

    shown = world.api("GET", f"/pools/{world.pool_id}/users/{world.subs[0]}").json()
    assert shown["enabled"] is True
    assert world.pools() == before


def test_things_of_another_pool_are_not_found_under_this_one(world: World, by_name: dict[str, str]) -> None:
    for name, address in by_name.items():
        if "<slug:client_id>" not in address and "<uuid:sub>" not in address:
            continue
        foreign = filled(world, address, foreign=True)
        if not name.startswith("api_"):
            assert world.session.get(foreign).status_code == 404, name
            continue
        verb = "POST" if "able_user" in name else "GET"
        refused = world.api(verb, foreign.removeprefix("/api/v1"))
        assert refused.status_code == 404, name
        assert refused.headers["Content-Type"] == PROBLEM

    neighbour = world.api("GET", f"/pools/{world.other_pool_id}/users/{world.other_sub}").json()
    assert neighbour["enabled"] is True


@pytest.mark.parametrize("sub", ["00000000-0000-4000-8000-000000000000", "not-a-sub", "%00", "..%2f.."])
def test_a_user_who_is_not_there_is_not_found(world: World, sub: str) -> None:
    assert world.session.get(f"/console/pools/{world.pool_id}/users/{sub}").status_code == 404
    assert world.api("GET", f"/pools/{world.pool_id}/users/{sub}").status_code == 404


@pytest.mark.parametrize("pool", ["us-east-1_absent999", "x", "a_b", "%00_x", "é_é", "a" * 300 + "_b"])
def test_a_pool_that_is_not_there_is_not_found(world: World, pool: str) -> None:
    for path in ("", "/apps", "/users", "/audit", "/apps/new"):
        assert world.session.get(f"/console/pools/{pool}{path}").status_code == 404
    for path in ("", "/apps", "/users"):
        assert world.api("GET", f"/pools/{pool}{path}").status_code == 404


def test_operators_pages_are_not_served_inside_a_pool(world: World) -> None:
    for path in ("/console/pools", "/api/v1/pools", "/dev/mailbox"):
        assert world.session.get(f"/{world.pool_id}{path}").status_code == 404


def test_pages_of_pools_and_machines_get_no_operators_cookie(world: World) -> None:
    for path in (f"/{world.pool_id}/.well-known/jwks.json", f"/{world.pool_id}/login", "/health/live"):
        answer = world.session.get(path)
        assert "operator" not in answer.headers.get("Set-Cookie", "")


def test_console_pages_carry_strict_headers(world: World) -> None:
    for path in ("/console/pools", "/console/sign-in", "/console/nothing-here", "/api/docs/"):
        headers: Any = world.session.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
