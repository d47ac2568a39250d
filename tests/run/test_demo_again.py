"""A demo whose pool its operator deleted: later starts say so, and bring the rest along."""

from __future__ import annotations

import json
from pathlib import Path

from tests.live import Live

ELSEWHERE = "http://localhost:9999"


def test_a_pool_that_was_deleted_keeps_nothing_else_back(live: Live, tmp_path: Path) -> None:
    told = {"DATA_DIR": str(tmp_path), "DEMO": "1"}
    live.manage("seed_demo", **told)
    before = json.loads((tmp_path / "bootstrap.json").read_text())
    live.boto().delete_user_pool(UserPoolId=before["user_pool_id"])

    live.manage("seed_demo", "--aws", "starting", **told, BASE_URL=ELSEWHERE)

    after = json.loads((tmp_path / "bootstrap.json").read_text())
    assert after["base_url"] == ELSEWHERE
    assert after["aws_endpoint_url"] != before["aws_endpoint_url"]
    assert after["user_pool_id"] == before["user_pool_id"]
