"""Settings of user pools that are kept only, through boto3: checked, told back as they were given, listed as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from identity.management.commands import write_coverage_docs
from pools.services.pools.settings_table import Availability
from tests.cognito.conftest import World, refused

KEPT: dict[str, Any] = {
    "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}},
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False},
    "UserPoolAddOns": {
        "AdvancedSecurityMode": "AUDIT",
        "AdvancedSecurityAdditionalFlows": {"CustomAuthMode": "ENFORCED"},
    },
    "UserPoolTier": "PLUS",
}
FACTORS: dict[str, Any] = {
    "MfaConfiguration": "OPTIONAL",
    "SoftwareTokenMfaConfiguration": {"Enabled": True},
    "EmailMfaConfiguration": {"Message": "Yours is {####}.", "Subject": "A code"},
    "WebAuthnConfiguration": {"RelyingPartyId": "login.example.com", "UserVerification": "required"},
}


def test_what_is_kept_only_is_told_changed_and_put_back(new_world: Callable[..., World]) -> None:
    world = new_world(pool=KEPT)
    plain = new_world().pool

    world.idp.update_user_pool(UserPoolId=world.pool_id, **KEPT)
    told = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
    world.idp.update_user_pool(UserPoolId=world.pool_id)
    after = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]

    factors = told["Policies"]["SignInPolicy"]
    for pool in (world.pool, told):
        assert {name: pool[name] for name in KEPT if name != "Policies"} == {
            name: value for name, value in KEPT.items() if name != "Policies"
        }
        assert factors == KEPT["Policies"]["SignInPolicy"]
    assert {name: after.get(name) for name in KEPT} == {name: plain.get(name) for name in KEPT}


def test_second_factors_that_are_kept_only_outlive_an_update_and_end_with_their_own(
    new_world: Callable[..., World],
) -> None:
    world = new_world()
    about = {"UserPoolId": world.pool_id}

    answer = world.idp.set_user_pool_mfa_config(**about, **FACTORS)
    world.idp.update_user_pool(**about)
    told = world.idp.get_user_pool_mfa_config(**about)
    world.idp.set_user_pool_mfa_config(
        **about, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True}, EmailMfaConfiguration={}
    )
    empty = world.idp.get_user_pool_mfa_config(**about)
    world.idp.set_user_pool_mfa_config(**about, WebAuthnConfiguration=FACTORS["WebAuthnConfiguration"])
    off = world.idp.get_user_pool_mfa_config(**about)

    for each in (answer, told, empty, off):
        del each["ResponseMetadata"]
    assert answer == told == FACTORS
    assert empty == {
        "MfaConfiguration": "ON",
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
        "EmailMfaConfiguration": {},
    }
    assert off == {"MfaConfiguration": "OFF", "WebAuthnConfiguration": FACTORS["WebAuthnConfiguration"]}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["EMAIL_OTP"]}}},
            "Password should be configured as one of the allowed first auth factors.",
        ),
    ],
)
def test_what_is_kept_only_is_checked_all_the_same(world: World, given: dict[str, Any], text: str) -> None:
    with refused("InvalidParameterException", text):
        world.idp.update_user_pool(UserPoolId=world.pool_id, **given)


def test_passkeys_are_for_a_domain(world: World) -> None:
    with refused("InvalidParameterException", "RelyingPartyId is no domain name."):
        world.idp.set_user_pool_mfa_config(
            UserPoolId=world.pool_id, WebAuthnConfiguration={"RelyingPartyId": "not a host!"}
        )


def test_what_is_kept_only_is_listed() -> None:
    listed = "".join(write_coverage_docs.rows(Availability.KEPT_ONLY))

    for name in (*KEPT.keys() - {"Policies"}, "Policies.SignInPolicy"):
        assert f"| CreateUserPool | `{name}" in listed
    for name in ("EmailMfaConfiguration", "WebAuthnConfiguration"):
        assert f"| SetUserPoolMfaConfig | `{name}` |" in listed
