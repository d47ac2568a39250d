"""Tags of user pools through boto3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.cognito.conftest import World, refused
from tests.live import Live


class Tagged(World):
    """A pool with tags."""

    def __init__(self, live: Live) -> None:
        """Make it."""
        super().__init__(live, pool={"UserPoolTags": {"Team": "blue", "Cost": ""}})
        self.arn: str = self.pool["Arn"]

    def tags(self) -> dict[str, str]:
        """Return its tags, which both operations tell alike."""
        found: dict[str, str] = self.idp.list_tags_for_resource(ResourceArn=self.arn)["Tags"]
        assert self.idp.describe_user_pool(UserPoolId=self.pool_id)["UserPool"]["UserPoolTags"] == found
        return found


@pytest.fixture
def tagged(live: Live) -> Tagged:
    """Return such a pool."""
    return Tagged(live)


def test_tags_are_added_replaced_and_taken(tagged: Tagged) -> None:
    tagged.idp.tag_resource(ResourceArn=tagged.arn, Tags={"Team": "red", "Über uns": "a.b:c/d=e+f-g@h_i"})
    added = tagged.tags()
    tagged.idp.untag_resource(ResourceArn=tagged.arn, TagKeys=["Cost", "Team", "NeverThere"])

    assert added == {"Team": "red", "Cost": "", "Über uns": "a.b:c/d=e+f-g@h_i"}
    assert tagged.tags() == {"Über uns": "a.b:c/d=e+f-g@h_i"}
    tagged.idp.untag_resource(ResourceArn=tagged.arn, TagKeys=["Über uns"])
    assert tagged.tags() == {}


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"aws:cloudformation": "x"}, "Keys of tags do not begin with aws:"),
        ({"AWS:x": "x"}, "Keys of tags do not begin with aws:"),
        ({"a": "<b>"}, "Tags hold letters, digits, spaces and _.:/=+-@ alone."),
        ({"a#": "b"}, "Tags hold letters, digits, spaces and _.:/=+-@ alone."),
        (
            {f"key{number}": "x" for number in range(49)},
            "At most 50 tags, keys of 1 to 128 and values of up to 256 characters.",
        ),
    ],
    ids=["of AWS", "of AWS in capitals", "value", "key", "too many"],
)
def test_a_tag_that_breaks_a_rule_changes_nothing(tagged: Tagged, tags: dict[str, str], text: str) -> None:
    with refused("InvalidParameterException", text):
        tagged.idp.tag_resource(ResourceArn=tagged.arn, Tags=tags)

    assert tagged.tags() == {"Team": "blue", "Cost": ""}


@pytest.mark.parametrize(
    ("old", "new"),
    [(":userpool/", ":identitypool/"), ("us-east-1:", "eu-west-1:"), (":000000000000:", ":111111111111:")],
)
def test_an_arn_of_something_else_is_refused(tagged: Tagged, old: str, new: str) -> None:
    arn = tagged.arn.replace(old, new, 1)
    calls: list[tuple[Any, dict[str, Any]]] = [
        (tagged.idp.tag_resource, {"Tags": {"Team": "red"}}),
        (tagged.idp.untag_resource, {"TagKeys": ["Team"]}),
        (tagged.idp.list_tags_for_resource, {}),
    ]

    for ask, about in calls:
        with refused("InvalidParameterException", "The resource ARN is not the ARN of a user pool."):
            ask(ResourceArn=arn, **about)

    assert tagged.tags() == {"Team": "blue", "Cost": ""}


def test_tags_that_are_added_at_once_are_all_kept(tagged: Tagged) -> None:
    barrier = Barrier(4)

    def add(number: int) -> None:
        barrier.wait(30)
        tagged.idp.tag_resource(ResourceArn=tagged.arn, Tags={f"key{number}": "x"})

    with ThreadPoolExecutor(4) as all_at_once:
        list(all_at_once.map(add, range(4)))

    assert tagged.tags() == {"Team": "blue", "Cost": "", **{f"key{number}": "x" for number in range(4)}}
