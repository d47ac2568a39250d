"""Second factors that administrators prefer and remove for a user, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.administrators import about, audited, sub_of
from tests.cognito.conftest import World, refused

INVALID, NOT_AUTHORIZED = "InvalidParameterException", "NotAuthorizedException"


def prefer(world: World, name: str, **settings: Any) -> None:
    """Set somebody's preference for their authenticator."""
    about(world, name, "admin_set_user_mfa_preference", SoftwareTokenMfaSettings=settings)


def test_an_operator_says_whether_codes_are_asked_for(careful: World) -> None:
    world, name = careful, careful.person()
    with refused(INVALID, "User has not verified software token mfa."):
        prefer(world, name, Enabled=True)
    world.enrol(world.tokens(name)["AccessToken"])

    prefer(world, name, Enabled=False)
    assert "AuthenticationResult" in world.sign_in(name)
    told = about(world, name, "admin_get_user_auth_factors")
    del told["ResponseMetadata"]
    assert told == {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD", "SOFTWARE_TOKEN"]}
    prefer(world, name, Enabled=True, PreferredMfa=True)

    assert world.sign_in(name)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    told = about(world, name, "admin_get_user_auth_factors")
    assert (told["PreferredMfaSetting"], told["UserMFASettingList"]) == ("SOFTWARE_TOKEN_MFA", ["SOFTWARE_TOKEN_MFA"])
    with refused(INVALID, "Preferred MFA must be enabled."):
        prefer(world, name, Enabled=False, PreferredMfa=True)
    assert world.user(name)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


@pytest.mark.parametrize("member", ["EmailMfaSettings", "WebAuthnMfaSettings"])
def test_factors_of_later_releases_are_not_turned_on_for_show(careful: World, member: str) -> None:
    name = careful.person()

    about(careful, name, "admin_set_user_mfa_preference", **{member: {"Enabled": False}})
    with refused(INVALID, f"{member} is not available in this release."):
        about(careful, name, "admin_set_user_mfa_preference", **{member: {"Enabled": True}})


@pytest.mark.parametrize("mode", ["OPTIONAL", "ON"])
def test_a_lost_authenticator_is_removed_and_another_set_up(new_world: Callable[..., World], mode: str) -> None:
    world = new_world()
    world.mfa("OPTIONAL")
    name = world.person()
    token = world.tokens(name)["AccessToken"]
    app = world.enrol(token)
    world.mfa(mode)
    waiting = world.sign_in(name)
    if mode == "ON":
        with refused(INVALID, "This user pool requires a second factor."):
            prefer(world, name, Enabled=False)

    for _ in range(2):
        about(world, name, "admin_delete_software_token")

    with refused(NOT_AUTHORIZED, "Invalid session for the user."):
        world.respond(waiting, name, SOFTWARE_TOKEN_MFA_CODE=app.code())
    told = about(world, name, "admin_get_user_auth_factors")
    del told["ResponseMetadata"]
    assert told == {"Username": name, "ConfiguredUserAuthFactors": ["PASSWORD"]}
    again = world.sign_in(name)
    assert ("AuthenticationResult" in again, again.get("ChallengeName")) == (
        (False, "MFA_SETUP") if mode == "ON" else (True, None)
    )
    assert world.anyone.associate_software_token(AccessToken=token)["SecretCode"]
    done = [tag for tag, _, _ in audited(world, sub_of(world, name)) if tag == "factor_removed"]
    assert done == ["factor_removed"]
