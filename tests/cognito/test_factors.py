"""Second factors through boto3, by access token. On the way in they are tried in ``test_sign_in``."""

from __future__ import annotations

import pytest

from tests.cognito.conftest import Authenticator, World, refused


def test_an_authenticator_counts_once_it_is_proven_and_preferred(careful: World) -> None:
    world, name = careful, careful.person()
    token = world.tokens(name)["AccessToken"]
    seed = world.anyone.associate_software_token(AccessToken=token)

    assert "Session" not in seed
    app = Authenticator(seed["SecretCode"])
    with refused("InvalidParameterException", "User has not verified software token mfa."):
        world.anyone.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True})
    with refused("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA"):
        world.anyone.verify_software_token(AccessToken=token, UserCode=app.wrong())
    assert world.anyone.verify_software_token(AccessToken=token, UserCode=app.code())["Status"] == "SUCCESS"
    assert "AuthenticationResult" in world.sign_in(name)
    world.anyone.set_user_mfa_preference(
        AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )
    for told in (world.anyone.get_user(AccessToken=token), world.user(name)):
        assert told["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
        assert told["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    assert world.sign_in(name)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    world.anyone.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": False})
    assert "AuthenticationResult" in world.sign_in(name)
    assert "UserMFASettingList" not in world.user(name)


def test_asking_again_replaces_the_seed_that_waits(careful: World) -> None:
    world = careful
    token = world.tokens(world.person())["AccessToken"]
    first = Authenticator(world.anyone.associate_software_token(AccessToken=token)["SecretCode"])
    second = Authenticator(world.anyone.associate_software_token(AccessToken=token)["SecretCode"])

    with refused("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA"):
        world.anyone.verify_software_token(AccessToken=token, UserCode=first.code())
    assert world.anyone.verify_software_token(AccessToken=token, UserCode=second.code())


def test_without_a_seed_there_is_nothing_to_prove(careful: World) -> None:
    token = careful.tokens(careful.person())["AccessToken"]

    with refused("SoftwareTokenMFANotFoundException"):
        careful.anyone.verify_software_token(AccessToken=token, UserCode="123456")


def test_someone_must_be_named(careful: World) -> None:
    for call, given in (
        (careful.anyone.associate_software_token, {}),
        (careful.anyone.verify_software_token, {"UserCode": "123456"}),
    ):
        with refused("InvalidParameterException", "Either AccessToken or Session is required."):
            call(**given)
        with refused("NotAuthorizedException", "Invalid session for the user."):
            call(**given, Session="A" * 30)


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", ""])
def test_a_code_has_six_digits(careful: World, code: str) -> None:
    token = careful.tokens(careful.person())["AccessToken"]

    with refused("InvalidParameterException"):
        careful.anyone.verify_software_token(AccessToken=token, UserCode=code)


@pytest.mark.parametrize("name", ["EmailMfaSettings", "WebAuthnMfaSettings"])
def test_factors_of_later_releases_can_be_off_but_not_on(careful: World, name: str) -> None:
    token = careful.tokens(careful.person())["AccessToken"]

    careful.anyone.set_user_mfa_preference(AccessToken=token, **{name: {"Enabled": False}})
    with refused("InvalidParameterException", f"{name} is not available in this release."):
        careful.anyone.set_user_mfa_preference(AccessToken=token, **{name: {"Enabled": True}})


def test_where_the_pool_has_no_factors_none_is_preferred(world: World) -> None:
    token = world.tokens(world.person())["AccessToken"]

    with refused("InvalidParameterException"):
        world.anyone.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True})


def test_wrong_codes_lock(careful: World) -> None:
    world = careful
    token = world.tokens(world.person())["AccessToken"]
    app = Authenticator(world.anyone.associate_software_token(AccessToken=token)["SecretCode"])

    for _ in range(5):
        with refused("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA"):
            world.anyone.verify_software_token(AccessToken=token, UserCode=app.wrong())

    with refused("NotAuthorizedException"):
        world.anyone.verify_software_token(AccessToken=token, UserCode=app.code())
