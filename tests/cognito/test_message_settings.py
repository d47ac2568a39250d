"""In whose name a pool's mail and SMS go, through boto3: told as given, refused in Amazon's error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from identity.management.commands import write_coverage_docs
from pools.services.pools.settings_table import Availability
from tests.cognito.conftest import World, refused

CALLER = "arn:aws:iam::000000000000:role/sms"
SOURCE = "arn:aws:ses:us-east-1:000000000000:identity/example.com"
GIVEN: dict[str, Any] = {
    "EmailConfiguration": {
        "EmailSendingAccount": "DEVELOPER",
        "SourceArn": SOURCE,
        "From": "The team <team@example.com>",
        "ReplyToEmailAddress": "help@example.com",
        "ConfigurationSet": "ours",
    },
    "SmsConfiguration": {"SnsCallerArn": CALLER, "ExternalId": "x", "SnsRegion": "us-east-1"},
}
BY_EUMS: dict[str, Any] = {
    "EumsSms": {
        "CallerArn": CALLER,
        "ExternalId": "x",
        "OriginationIdentity": "arn:aws:sms-voice:us-east-1:000000000000:phone-number/phone-1",
        "ConfigurationSetName": "ours",
        "InEntityId": "1101",
        "InTemplateId": "1107",
        "Region": "us-east-1",
    }
}


def eums(**members: str) -> dict[str, Any]:
    """Return the settings of a pool that sends by End User Messaging."""
    return {"SmsConfiguration": {"EumsSms": {"CallerArn": CALLER, **members}}}


def test_senders_are_told_changed_and_put_back(new_world: Callable[..., World]) -> None:
    world = new_world(pool=GIVEN)
    about = {"UserPoolId": world.pool_id}

    world.idp.update_user_pool(**about, **GIVEN)
    told = world.idp.describe_user_pool(**about)["UserPool"]
    world.idp.update_user_pool(**about, SmsConfiguration={"SnsCallerArn": CALLER})
    shorter = world.idp.describe_user_pool(**about)["UserPool"]
    world.idp.update_user_pool(**about)
    after = world.idp.describe_user_pool(**about)["UserPool"]

    for pool in (world.pool, told):
        assert {name: pool[name] for name in GIVEN} == GIVEN
    assert shorter["SmsConfiguration"] == {"SnsCallerArn": CALLER}
    assert after["EmailConfiguration"] == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    assert "SmsConfiguration" not in after


@pytest.mark.parametrize(
    "given",
    [
        BY_EUMS,
        {"EumsSms": {"CallerArn": CALLER}},
        {"EumsSms": {"CallerArn": CALLER, "OriginationIdentity": "+43720000000"}},
        {"EumsSms": {"CallerArn": CALLER, **dict.fromkeys(("OriginationIdentity", "InEntityId", "InTemplateId"), "")}},
        {"SnsCallerArn": "", "EumsSms": {"CallerArn": CALLER}},
    ],
)
def test_end_user_messaging_is_told_as_given_taken_back_and_put_back(
    new_world: Callable[..., World], given: dict[str, Any]
) -> None:
    world = new_world(pool={"SmsConfiguration": given})
    about = {"UserPoolId": world.pool_id}
    assert world.pool["SmsConfiguration"] == given

    world.idp.update_user_pool(**about, SmsConfiguration=world.pool["SmsConfiguration"])
    assert world.idp.describe_user_pool(**about)["UserPool"]["SmsConfiguration"] == given
    world.idp.update_user_pool(**about, SmsConfiguration={"SnsCallerArn": CALLER})
    assert world.idp.describe_user_pool(**about)["UserPool"]["SmsConfiguration"] == {"SnsCallerArn": CALLER}
    world.idp.update_user_pool(**about, SmsConfiguration={"EumsSms": {"CallerArn": CALLER}})
    other = world.idp.describe_user_pool(**about)["UserPool"]["SmsConfiguration"]
    assert other == {"EumsSms": {"CallerArn": CALLER}}
    world.idp.update_user_pool(**about)
    assert "SmsConfiguration" not in world.idp.describe_user_pool(**about)["UserPool"]


def test_end_user_messaging_needs_a_role(world: World) -> None:
    with refused(
        "InvalidParameterException",
        "1 validation error detected: Value null at 'smsConfiguration.eumsSms.callerArn' failed to satisfy constraint: "
        "Member must not be null",
    ):
        world.idp.create_user_pool(PoolName="never", SmsConfiguration={"EumsSms": {"InEntityId": "1101"}})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"EmailConfiguration": {"EmailSendingAccount": "DEVELOPER"}},
            "Source ARN is required to use DEVELOPER email sending owner",
        ),
        (
            {"EmailConfiguration": {"SourceArn": SOURCE.replace(":identity/", ":template/")}},
            "SourceArn is not the ARN of an Amazon SES identity.",
        ),
        ({"EmailConfiguration": {"From": "nobody"}}, "Provided From email address is invalid"),
        (
            {"EmailConfiguration": {"From": "team@example.com"}},
            "Cannot configure From email address for default email configuration",
        ),
        (
            {"SmsConfiguration": {"SnsCallerArn": CALLER.replace(":role/", ":user/")}},
            "SnsCallerArn is not the ARN of an IAM role.",
        ),
        ({"SmsConfiguration": {"ExternalId": "x"}}, "SnsCallerArn is required in SmsConfiguration."),
        (
            {"SmsConfiguration": {"SnsCallerArn": CALLER, "SnsRegion": "x.example/"}},
            "SnsRegion is not an AWS region.",
        ),
        (eums(CallerArn=CALLER.replace(":role/", ":user/")), "CallerArn is not the ARN of an IAM role."),
        (eums(Region="eu-west-1"), "Region of EumsSms is the user pool's, us-east-1."),
        (eums(OriginationIdentity="a b"), "OriginationIdentity is no number, sender ID or phone pool."),
        (eums(ConfigurationSetName="o" * 257), "ConfigurationSetName is no configuration set."),
        (eums(InEntityId="1 1"), "InEntityId and InTemplateId hold up to 64 characters, none of them a space."),
        (eums(InTemplateId="1" * 65), "InEntityId and InTemplateId hold up to 64 characters, none of them a space."),
        (
            {"SmsConfiguration": {"SnsCallerArn": CALLER, "EumsSms": {"CallerArn": CALLER}}},
            "Provide either SnsCallerArn or EumsSms in SmsConfiguration, but not both.",
        ),
        (
            {"SmsConfiguration": {"ExternalId": "x", "EumsSms": {"CallerArn": CALLER}}},
            "SnsCallerArn is required in SmsConfiguration.",
        ),
    ],
)
def test_what_no_message_could_go_by_is_refused(world: World, given: dict[str, Any], text: str) -> None:
    before = world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"]

    with refused("InvalidParameterException", text):
        world.idp.create_user_pool(PoolName="refused", **given)
    with refused("InvalidParameterException", text):
        world.idp.update_user_pool(UserPoolId=world.pool_id, **given)

    assert world.idp.describe_user_pool(UserPoolId=world.pool_id)["UserPool"] == before


def test_an_empty_configuration_says_nothing(new_world: Callable[..., World]) -> None:
    pool = new_world(pool={"SmsConfiguration": {}, "EmailConfiguration": {}}).pool

    assert "SmsConfiguration" not in pool
    assert pool["EmailConfiguration"] == {"EmailSendingAccount": "COGNITO_DEFAULT"}


def test_none_of_them_is_kept_only() -> None:
    listed = "".join(write_coverage_docs.rows(Availability.KEPT_ONLY))

    assert "EmailConfiguration" not in listed
    assert "SmsConfiguration" not in listed
    assert "SmsConfiguration" not in "".join(write_coverage_docs.rows(Availability.NOT_YET))
