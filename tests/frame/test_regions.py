"""A region's name is one of AWS's, in whatever partition, and nothing else that a host's name could hold."""

from __future__ import annotations

import botocore.loaders
import pytest
from pydantic import TypeAdapter, ValidationError

from identity.foundation import regions
from identity.foundation.setting_types import Region
from pools.services.pools import pool_rules

PARTITIONS = botocore.loaders.Loader().load_data("partitions")["partitions"]
REGIONS = sorted(name for each in PARTITIONS for name in each["regions"] if not name.endswith("-global"))
"""Every region that botocore knows. ``aws-global`` and its like stand for services without regions."""
REFUSED = [
    "",
    "us",
    "us-east",
    "us-east-",
    "us-east-1.example",
    "us-east-1\n",
    "us_east_1",
    "US-EAST-1",
    "us--east-1",
    "-us-east-1",
    "us-east-123",
    "x.example/",
    "aws-global",
    f"us-{'e' * 40}-1",
]


def test_each_partition_has_regions_here() -> None:
    assert {each["id"] for each in PARTITIONS} >= {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e"}
    assert {"us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-gov-west-1", "cn-north-1"} <= set(REGIONS)


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_of_every_partition_is_one(region: str) -> None:
    assert regions.is_region(region)
    assert TypeAdapter(Region).validate_python(region) == region
    assert list(pool_rules.region_problems(region, "sms_configuration.sns_region")) == []


@pytest.mark.parametrize("text", REFUSED)
def test_what_no_host_can_be_called_by_is_none(text: str) -> None:
    assert not regions.is_region(text)
    with pytest.raises(ValidationError):
        TypeAdapter(Region).validate_python(text)
    assert [problem.message for problem in pool_rules.region_problems(text, "x")] == ["SnsRegion is not an AWS region."]
