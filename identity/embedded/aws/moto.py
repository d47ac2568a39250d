"""moto as a part: DynamoDB of the demo, and STS and S3 too where there is no Ceph. It checks nothing.

Who may ask it, and which pages, is ``moto_server``'s, which runs it.
"""

from __future__ import annotations

import sys

from identity.embedded.aws.ports import answers
from identity.embedded.parts import Part
from identity.settings import BASE_DIR

TABLES = ("dynamodb",)
EVERYTHING = ("dynamodb", "iam", "s3", "sts")


def part(port: int, services: tuple[str, ...]) -> Part:
    """Return the server of these services as the supervisor keeps it. What it holds is gone when it ends."""
    return Part(
        name="moto",
        command=(sys.executable, "-m", "identity.embedded.aws.moto_server", str(port), *services),
        directory=BASE_DIR,
        ready=lambda: answers(port),
    )
