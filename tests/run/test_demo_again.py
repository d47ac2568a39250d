"""A demo whose pool its operator deleted: later starts say so, and bring the rest along."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_django import Settings

from pools.services import configuration
from tests.live import Live

ELSEWHERE = "http://localhost:9999"


def test_a_pool_that_was_deleted_keeps_nothing_else_back(live: Live, tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR, settings.DEMO = tmp_path, True
    live.manage("seed_demo")
    before = json.loads((tmp_path / "bootstrap.json").read_text())
    idp, pool = live.boto(), {"UserPoolId": before["user_pool_id"]}
    idp.delete_user_pool_domain(**pool, Domain=idp.describe_user_pool(**pool)["UserPool"]["Domain"])
    idp.delete_user_pool(**pool)

    settings.BASE_URL = ELSEWHERE
    configuration.cache.forget_everything()  # a later start is another process
    live.manage("seed_demo", "--aws", "starting")

    after = json.loads((tmp_path / "bootstrap.json").read_text())
    assert after["base_url"] == ELSEWHERE
    assert after["aws_endpoint_url"] != before["aws_endpoint_url"]
    assert after["user_pool_id"] == before["user_pool_id"]
