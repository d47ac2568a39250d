"""moto's server: DynamoDB of the demo, and STS and S3 too where there is no Ceph. It checks nothing."""

from __future__ import annotations

import sys

from identity.embedded.aws.ports import answers
from identity.embedded.parts import Part


def part(port: int) -> Part:
    """Return the server as the supervisor keeps it. What it holds is gone when it ends."""
    return Part(
        name="moto",
        command=(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)),
        ready=lambda: answers(port),
        hushed=(
            "HTTP/1.1",
            "development server",
            "Running on",
            "Press CTRL+C",
            "Serving Flask app",
            "Debug mode",
        ),
    )
