"""What the README shows runs as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from pytest_django import Settings

from identity.demo import seed
from tests.architecture.source import ROOT
from tests.live import Live


def test_the_first_call_by_boto3_runs_beside_a_bootstrap_file(live: Live, tmp_path: Path, settings: Settings) -> None:
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    settings.DATA_DIR = tmp_path / "var"
    settings.DATA_DIR.mkdir()
    with live.orm():
        seed.seed(None)
    # As a newcomer has it: nothing that boto3 might read instead of what the program says.
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**bare, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "{'Name': 'email', 'Value': 'ada@example.com'}" in done.stdout
