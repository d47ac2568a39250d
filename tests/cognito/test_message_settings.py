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
    ("given", "text"),
    [
        (
            {"EmailConfiguration": {"EmailSendingAccount": "DEVELOPER"}},
            "SourceArn is required when EmailSendingAccount is DEVELOPER.",
        ),
        (
            {"EmailConfiguration": {"SourceArn": SOURCE.replace(":identity/", ":template/")}},
            "SourceArn is not the ARN of an Amazon SES identity.",
        ),
        ({"EmailConfiguration": {"From": "nobody"}}, "From is not an email address."),
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
        (
            {"SmsConfiguration": {"EumsSms": {"CallerArn": CALLER}}},
            "EumsSms is not available in this release.",
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
    assert "`SmsConfiguration.EumsSms`" in "".join(write_coverage_docs.rows(Availability.NOT_YET))
