"""Codes by SMS as a second factor, as boto3 sees them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.cognito.conftest import Authenticator, World, named, refused
from tests.live import Live

INVALID, DENIED = "InvalidParameterException", "NotAuthorizedException"
ROLE = {"SnsCallerArn": "arn:aws:iam::123456789012:role/texts", "ExternalId": "cognate", "SnsRegion": "eu-west-1"}
TEXT = "Yours is {####}."
BY_SMS = [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]


def turn_on(world: World, mode: str = "OPTIONAL", *, totp: bool = True, **by_sms: Any) -> dict[str, Any]:
    """Let a pool's people have codes by SMS."""
    found: dict[str, Any] = world.idp.set_user_pool_mfa_config(
        UserPoolId=world.pool_id,
        MfaConfiguration=mode,
        SmsMfaConfiguration=by_sms,
        **({"SoftwareTokenMfaConfiguration": {"Enabled": True}} if totp else {}),
    )
    del found["ResponseMetadata"]
    return found


@pytest.fixture(scope="module")
def texting(live: Live) -> World:
    """Return a pool whose people may have codes by SMS, or an authenticator."""
    world = World(live)
    turn_on(world)
    return world


def with_number(world: World) -> tuple[str, str]:
    """Make somebody with a number of their own; return name and number."""
    number = f"+1206{secrets.randbelow(10**7):07d}"
    return world.person(phone_number=number), number


def prefer(world: World, name: str, **settings: Any) -> None:
    world.idp.admin_set_user_mfa_preference(UserPoolId=world.pool_id, Username=name, **settings)


def wrong(code: str) -> str:
    return "111111" if code != "111111" else "222222"


def test_a_person_signs_in_with_a_code_by_sms(texting: World) -> None:
    world, (name, number) = texting, with_number(texting)
    token = world.tokens(name)["AccessToken"]

    world.anyone.set_user_mfa_preference(AccessToken=token, SMSMfaSettings={"Enabled": True, "PreferredMfa": True})

    asked = world.sign_in(name)
    assert asked["ChallengeName"] == "SMS_MFA"
    assert asked["ChallengeParameters"] == {
        "USER_ID_FOR_SRP": name,
        "CODE_DELIVERY_DELIVERY_MEDIUM": "SMS",
        "CODE_DELIVERY_DESTINATION": f"+*******{number[-4:]}",
    }
    code = world.code(number)
    with refused(INVALID, "Missing required parameter SMS_MFA_CODE"):
        world.respond(asked, name)
    with refused("CodeMismatchException"):
        world.respond(asked, name, SMS_MFA_CODE=wrong(code))
    assert "AccessToken" in world.respond(asked, name, SMS_MFA_CODE=code)["AuthenticationResult"]
    with refused(DENIED, "Invalid session for the user, session can only be used once."):
        world.respond(asked, name, SMS_MFA_CODE=code)
    told = world.user(name)
    assert (told["PreferredMfaSetting"], told["UserMFASettingList"], told["MFAOptions"]) == (
        "SMS_MFA",
        ["SMS_MFA"],
        BY_SMS,
    )
    assert named(told["UserAttributes"])["phone_number_verified"] == "true"
    own = world.anyone.get_user(AccessToken=token)
    assert (own["UserMFASettingList"], own["MFAOptions"]) == (["SMS_MFA"], BY_SMS)
    assert world.anyone.get_user_auth_factors(AccessToken=token)["ConfiguredUserAuthFactors"] == ["PASSWORD", "SMS_OTP"]


def test_an_administrator_does_it_for_a_person_and_signs_them_in(texting: World) -> None:
    world, (name, number) = texting, with_number(texting)
    prefer(world, name, SMSMfaSettings={"Enabled": True})

    asked = world.idp.admin_initiate_auth(
        UserPoolId=world.pool_id,
        ClientId=world.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": "Correct-horse-7"},
    )
    done = world.idp.admin_respond_to_auth_challenge(
        UserPoolId=world.pool_id,
        ClientId=world.client_id,
        ChallengeName=asked["ChallengeName"],
        Session=asked["Session"],
        ChallengeResponses={"USERNAME": name, "SMS_MFA_CODE": world.code(number)},
    )

    assert "AccessToken" in done["AuthenticationResult"]
    prefer(world, name, SMSMfaSettings={"Enabled": False})
    assert "AuthenticationResult" in world.sign_in(name)
    assert "MFAOptions" not in world.user(name)


def test_who_has_several_chooses_between_them(texting: World) -> None:
    world, (name, number) = texting, with_number(texting)
    app: Authenticator = world.enrol(world.tokens(name)["AccessToken"])
    prefer(world, name, SMSMfaSettings={"Enabled": True}, SoftwareTokenMfaSettings={"Enabled": True})

    def choose(factor: str) -> dict[str, Any]:
        return world.respond(world.sign_in(name), name, ANSWER=factor)

    asked = world.sign_in(name)
    assert asked["ChallengeName"] == "SELECT_MFA_TYPE"
    assert json.loads(asked["ChallengeParameters"]["MFAS_CAN_CHOOSE"]) == ["SOFTWARE_TOKEN_MFA", "SMS_MFA"]
    with refused(INVALID, "Missing required parameter ANSWER"):
        world.respond(asked, name)
    for answer in ("EMAIL_OTP", "SMS", ""):
        with refused(INVALID, "Invalid MFA type selected."):
            choose(answer)
    done = world.respond(choose("SOFTWARE_TOKEN_MFA"), name, SOFTWARE_TOKEN_MFA_CODE=app.code())
    assert "AccessToken" in done["AuthenticationResult"]
    done = world.respond(choose("SMS_MFA"), name, SMS_MFA_CODE=world.code(number))
    assert "AccessToken" in done["AuthenticationResult"]
    with refused(INVALID, "Only one factor can be set as preferred."):
        both = {"Enabled": True, "PreferredMfa": True}
        prefer(world, name, SMSMfaSettings=both, SoftwareTokenMfaSettings=both)


def test_where_it_is_required_a_number_is_all_it_takes(new_world: Callable[..., World]) -> None:
    world = new_world()
    turn_on(world, "ON", totp=False, SmsAuthenticationMessage=TEXT)
    name, number = with_number(world)

    asked = world.sign_in(name)

    assert asked["ChallengeName"] == "SMS_MFA"
    assert world.live.message(number)["body"].startswith("Yours is ")
    assert "AuthenticationResult" in world.respond(asked, name, SMS_MFA_CODE=world.code(number))
    without = world.sign_in(world.person())
    assert without["ChallengeName"] == "MFA_SETUP"
    assert json.loads(without["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SMS_MFA"]
    with refused("SoftwareTokenMFANotFoundException"):
        world.anyone.associate_software_token(Session=without["Session"])
    with refused(INVALID, "This user pool requires a second factor."):
        prefer(world, name, SMSMfaSettings={"Enabled": False})


def test_the_older_word_for_it_means_the_same(texting: World) -> None:
    world, (name, _) = texting, with_number(texting)
    token = world.tokens(name)["AccessToken"]

    world.anyone.set_user_settings(AccessToken=token, MFAOptions=BY_SMS)
    assert world.sign_in(name)["ChallengeName"] == "SMS_MFA"
    world.anyone.set_user_settings(AccessToken=token, MFAOptions=[])
    assert "AuthenticationResult" in world.sign_in(name)
    world.idp.admin_set_user_settings(UserPoolId=world.pool_id, Username=name, MFAOptions=BY_SMS)
    assert world.user(name)["MFAOptions"] == BY_SMS
    world.idp.admin_set_user_settings(UserPoolId=world.pool_id, Username=name, MFAOptions=[])
    assert "MFAOptions" not in world.user(name)
    others: list[list[dict[str, str]]] = [[{"DeliveryMedium": "EMAIL", "AttributeName": "email"}], [{}], [*BY_SMS, {}]]
    for options in others:
        with refused(INVALID, "MFAOptions can name SMS to phone_number alone."):
            world.anyone.set_user_settings(AccessToken=token, MFAOptions=options)


def test_nothing_is_turned_on_where_there_is_nothing(texting: World, world: World) -> None:
    name, _ = with_number(world)
    token = world.tokens(name)["AccessToken"]

    with refused(INVALID, "User does not have delivery config set to turn on SMS_MFA"):
        prefer(texting, texting.person(), SMSMfaSettings={"Enabled": True})
    for settings in ({"Enabled": True}, {"PreferredMfa": True}):
        with refused(INVALID, "User pool does not have SMS MFA turned on."):
            world.anyone.set_user_mfa_preference(AccessToken=token, SMSMfaSettings=settings)
    with refused(INVALID, "User pool does not have SMS MFA turned on."):
        world.anyone.set_user_settings(AccessToken=token, MFAOptions=BY_SMS)
    world.anyone.set_user_settings(AccessToken=token, MFAOptions=[])
    assert "MFAOptions" not in world.user(name)


class TestPools:
    def test_the_configuration_is_told_as_it_was_given(self, new_world: Callable[..., World]) -> None:
        world = new_world()
        given: dict[str, Any] = {"SmsAuthenticationMessage": TEXT, "SmsConfiguration": ROLE}

        told = turn_on(world, **given)

        assert told == {
            "MfaConfiguration": "OPTIONAL",
            "SmsMfaConfiguration": given,
            "SoftwareTokenMfaConfiguration": {"Enabled": True},
        }
        pool = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]
        assert (pool["SmsAuthenticationMessage"], pool["SmsConfiguration"]) == (TEXT, ROLE)
        world.mfa("OPTIONAL")
        assert "SmsMfaConfiguration" not in world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)
        with refused(INVALID, "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."):
            turn_on(world, "OFF", totp=False)

    def test_what_makes_a_pool_with_mfa_and_a_role_means_sms(self, new_world: Callable[..., World]) -> None:
        world = new_world(pool={"MfaConfiguration": "ON", "SmsConfiguration": ROLE})

        told = world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)

        assert (told["MfaConfiguration"], told["SmsMfaConfiguration"]) == ("ON", {"SmsConfiguration": ROLE})
        world.idp.update_user_pool(UserPoolId=world.pool_id, MfaConfiguration="OFF")
        told = world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)
        del told["ResponseMetadata"]
        assert told == {"MfaConfiguration": "OFF"}
        with refused(INVALID):
            world.idp.update_user_pool(UserPoolId=world.pool_id, MfaConfiguration="ON")
        world.idp.update_user_pool(UserPoolId=world.pool_id, MfaConfiguration="OPTIONAL", SmsConfiguration=ROLE)
        assert "SmsMfaConfiguration" in world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)

    @pytest.mark.parametrize(
        "more",
        [{}, {"SoftwareTokenMfaConfiguration": {"Enabled": False}}, {"EmailMfaConfiguration": {"Subject": "Code"}}],
        ids=["none", "one that is off", "by mail"],
    )
    def test_a_role_alone_turns_nothing_on_where_kinds_have_words(
        self, new_world: Callable[..., World], more: dict[str, Any]
    ) -> None:
        world = new_world(pool={"SmsConfiguration": ROLE})
        text = "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."
        if "EmailMfaConfiguration" in more:
            text = "EmailMfaConfiguration as the only second factor is not available in this release."

        with refused(INVALID, text):
            world.idp.set_user_pool_mfa_config(UserPoolId=world.pool_id, MfaConfiguration="ON", **more)

        assert world.idp.get_user_pool_mfa_config(UserPoolId=world.pool_id)["MfaConfiguration"] == "OFF"

    def test_a_role_that_is_given_takes_the_place_of_the_old_one_and_of_all_beside_it(
        self, new_world: Callable[..., World]
    ) -> None:
        world = new_world(pool={"SmsConfiguration": ROLE})
        other = {"SnsCallerArn": "arn:aws:iam::123456789012:role/others"}

        assert turn_on(world, SmsConfiguration=other)["SmsMfaConfiguration"] == {"SmsConfiguration": other}
        assert turn_on(world)["SmsMfaConfiguration"] == {"SmsConfiguration": other}
        eums = {"EumsSms": {"CallerArn": ROLE["SnsCallerArn"]}}
        assert turn_on(world, SmsConfiguration=eums)["SmsMfaConfiguration"] == {"SmsConfiguration": eums}

    def test_a_message_without_a_place_for_the_code_is_refused(self, new_world: Callable[..., World]) -> None:
        with refused(INVALID):
            turn_on(new_world(), SmsAuthenticationMessage="Your code.")


def test_who_must_not_recover_by_sms_is_sent_a_mail(texting: World) -> None:
    world, (name, number) = texting, with_number(texting)
    world.idp.admin_update_user_attributes(
        UserPoolId=world.pool_id,
        Username=name,
        UserAttributes=[{"Name": "phone_number_verified", "Value": "true"}],
    )
    prefer(world, name, SMSMfaSettings={"Enabled": True})

    sent = world.anyone.forgot_password(ClientId=world.client_id, Username=name)["CodeDeliveryDetails"]

    assert sent["DeliveryMedium"] == "EMAIL"
    assert not number.endswith(sent["Destination"])
