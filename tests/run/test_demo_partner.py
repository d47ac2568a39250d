"""The demo's second pool: seeded once, brought along to another address, and people sign in to the first by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from pools.services import configuration
from tests.hosted.world import Visitor, World
from tests.live import Live

ELSEWHERE = "http://localhost:9999"


def seeded(live: Live, place: Path) -> dict[str, Any]:
    """Seed the demo, as a start does; return the bootstrap file."""
    configuration.cache.forget_everything()
    live.manage("seed_demo", "--aws", "starting")
    found: dict[str, Any] = json.loads((place / "bootstrap.json").read_text())
    return found


@pytest.fixture
def place(tmp_path: Path, settings: Settings) -> Path:
    """Return a data folder of a demo that is new."""
    settings.DATA_DIR, settings.DEMO = tmp_path, True
    return tmp_path


def test_a_newcomer_signs_in_to_the_demo_by_the_partner(live: Live, place: Path) -> None:
    kept = seeded(live, place)
    idp, visitor = live.boto(), Visitor(World(live))

    login = visitor.open(kept["hosted_login_url"])
    assert "Continue with Partner" in login.read.links
    there = visitor.follow("Continue with Partner")
    assert there.url.startswith(f"{live.base_url}/{kept['partner_pool_id']}/login")
    visitor.submit(username=kept["partner_username"], password=kept["partner_password"])

    found = idp.list_users(UserPoolId=kept["user_pool_id"])["Users"]
    [made] = [each for each in found if each["UserStatus"] == "EXTERNAL_PROVIDER"]
    assert made["Username"].startswith("partner_")
    told = {each["Name"]: each["Value"] for each in made["Attributes"]}
    assert (told["email"], told["email_verified"], told["given_name"]) == (kept["partner_username"], "true", "Ada")


def test_a_second_start_makes_nothing_and_one_elsewhere_brings_both_along(
    live: Live, place: Path, settings: Settings
) -> None:
    kept, idp = seeded(live, place), live.boto()
    own = ("partner_pool_id", "partner_client_id", "partner_username", "partner_password", "partner_provider")

    again = seeded(live, place)
    settings.BASE_URL = ELSEWHERE
    later = seeded(live, place)

    assert [(again[name], later[name]) for name in own] == [(kept[name], kept[name]) for name in own]
    about = {"UserPoolId": kept["user_pool_id"], "ProviderName": "Partner"}
    details = idp.describe_identity_provider(**about)["IdentityProvider"]["ProviderDetails"]
    assert details["oidc_issuer"] == f"{ELSEWHERE}/{kept['partner_pool_id']}"
    assert details["token_url"] == f"{ELSEWHERE}/{kept['partner_pool_id']}/oauth2/token"
    about = {"UserPoolId": kept["partner_pool_id"], "ClientId": kept["partner_client_id"]}
    assert idp.describe_user_pool_client(**about)["UserPoolClient"]["CallbackURLs"] == [
        f"{ELSEWHERE}/{kept['user_pool_id']}/oauth2/idpresponse"
    ]
    offered = {"UserPoolId": kept["user_pool_id"], "ClientId": kept["client_id"]}
    told = idp.describe_user_pool_client(**offered)["UserPoolClient"]
    assert told["SupportedIdentityProviders"] == ["COGNITO", "Partner"]


def test_data_of_a_release_without_the_partner_gets_one(live: Live, place: Path) -> None:
    kept, idp = seeded(live, place), live.boto()
    idp.delete_identity_provider(UserPoolId=kept["user_pool_id"], ProviderName="Partner")
    old = {name: value for name, value in kept.items() if not name.startswith("partner_")}
    (place / "bootstrap.json").write_text(json.dumps(old))

    new = seeded(live, place)

    assert new["partner_pool_id"] != kept["partner_pool_id"]
    about = {"UserPoolId": kept["user_pool_id"], "ProviderName": "Partner"}
    details = idp.describe_identity_provider(**about)["IdentityProvider"]["ProviderDetails"]
    assert details["client_id"] == new["partner_client_id"]


def test_a_partner_that_was_deleted_stays_so(live: Live, place: Path) -> None:
    kept = seeded(live, place)
    live.boto().delete_user_pool(UserPoolId=kept["partner_pool_id"])

    again = seeded(live, place)

    assert again["partner_pool_id"] == kept["partner_pool_id"]
    assert again["base_url"] == kept["base_url"]
