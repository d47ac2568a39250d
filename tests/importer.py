"""Imports of users through boto3 and a plain PUT, and hashes of passwords as other systems make them."""

from __future__ import annotations

import base64
import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Any

import bcrypt
from argon2 import PasswordHasher

ROLE = "arn:aws:iam::111111111111:role/CognitoLogs"
ENDED = {"Succeeded", "Failed", "Stopped", "Expired"}


class Importer:
    """A pool whose users come from files."""

    def __init__(self, idp: Any, pool_id: str) -> None:  # noqa: ANN401 - boto3's own
        """Ask for the columns."""
        self.idp = idp
        self.pool_id = pool_id
        self.columns: list[str] = idp.get_csv_header(UserPoolId=pool_id)["CSVHeader"]
        # The mailbox is every pool's: an address that another pool's people have too would be answered by their codes.
        self.domain = f"{pool_id.partition('_')[2].lower()}.example.com"

    def address(self, username: str) -> str:
        """Return a user's address, which no other pool has."""
        return f"{username}@{self.domain}"

    def line(self, username: str, **given: str) -> str:
        """Return a user's line: with a verified address, where nothing else is said. ``password_hash`` comes last."""
        values = {
            "cognito:username": username,
            "cognito:mfa_enabled": "FALSE",
            "email": self.address(username),
            "email_verified": "TRUE",
            **{key.replace("__", ":"): value for key, value in given.items()},
        }
        columns = [*self.columns, *(["password_hash"] if "password_hash" in given else [])]
        return ",".join(values.get(column, "") for column in columns)

    def file(self, *lines: str, more: Sequence[str] = ()) -> bytes:
        """Return a whole file, with columns that the pool does not tell."""
        return "\n".join([",".join([*self.columns, *more]), *lines, ""]).encode()

    def create(self, hashing: str = "") -> dict[str, Any]:
        """Make a job."""
        more = {"PasswordHashingAlgorithm": hashing} if hashing else {}
        made: dict[str, Any] = self.idp.create_user_import_job(
            UserPoolId=self.pool_id, JobName="move", CloudWatchLogsRoleArn=ROLE, **more
        )["UserImportJob"]
        return made

    def start(self, job: dict[str, Any]) -> dict[str, Any]:
        """Start it."""
        started: dict[str, Any] = self.idp.start_user_import_job(UserPoolId=self.pool_id, JobId=job["JobId"])[
            "UserImportJob"
        ]
        return started

    def job(self, job_id: str) -> dict[str, Any]:
        """Return how it stands."""
        found: dict[str, Any] = self.idp.describe_user_import_job(UserPoolId=self.pool_id, JobId=job_id)[
            "UserImportJob"
        ]
        return found

    def run(self, body: bytes, hashing: str = "") -> dict[str, Any]:
        """Import a file to the end."""
        job = self.create(hashing)
        assert put(job["PreSignedUrl"], body) == (200, "")
        self.start(job)
        return self.ended(job["JobId"])

    def run_hashes(self, hashing: str, hashes: dict[str, str]) -> dict[str, Any]:
        """Import people with what another system made of their passwords."""
        lines = [self.line(name, password_hash=text.replace(",", "\\,")) for name, text in hashes.items()]
        return self.run(self.file(*lines, more=["password_hash"]), hashing)

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job."""
        until = monotonic() + 10
        while (found := self.job(job_id))["Status"] not in ENDED:
            assert monotonic() < until, found
            sleep(0.05)
        return found


def put(url: str, body: bytes | Iterator[bytes], *, method: str = "PUT", **headers: str) -> tuple[int, str]:
    """Send a file as curl does with the header of Amazon's guide."""
    sent = {"x-amz-server-side-encryption": "aws:kms", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, sent, method=method)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()


def counted(job: dict[str, Any]) -> tuple[str, int, int, int]:
    """Return how a job ended, and the users that it made, skipped and could not make."""
    return job["Status"], job["ImportedUsers"], job["SkippedUsers"], job["FailedUsers"]


def of_bcrypt(password: str, *, cost: int = 4, kind: str = "2b") -> str:
    """Return a hash as OpenBSD, PHP (2y) and older systems (2a) write it."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).decode()
    return f"${kind}{made.removeprefix('$2b')}"


def of_scrypt(password: str, *, n: int = 16, r: int = 1, salt: bytes = b"", length: int = 32) -> str:
    """Return a hash as Amazon's guide writes it."""
    salt = salt or os.urandom(16)
    made = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=1, maxmem=1 << 27, dklen=length)
    return f"{n}${r}$1${salt.hex()}${made.hex()}"


def of_argon2id(password: str, *, memory: int = 8, time: int = 1) -> str:
    """Return a PHC string."""
    return PasswordHasher(time_cost=time, memory_cost=memory, parallelism=1).hash(password)


def of_pbkdf2(password: str, *, rounds: int = 10, salt: bytes = b"", length: int = 32) -> str:
    """Return a hash as passlib writes it."""
    salt = salt or os.urandom(16)
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds, dklen=length)
    return "$".join(["", "pbkdf2-sha256", str(rounds), adapted(salt), adapted(made)])


def adapted(value: bytes) -> str:
    """Return passlib's base64."""
    return base64.b64encode(value).decode().rstrip("=").replace("+", ".")


CHEAP: dict[str, Callable[[str], str]] = {
    "BCRYPT": of_bcrypt,
    "SCRYPT": of_scrypt,
    "ARGON2ID": of_argon2id,
    "PBKDF2_SHA256": of_pbkdf2,
}
"""Each algorithm at its cheapest."""
AT_THE_CAP: dict[str, Callable[[str], str]] = {
    "BCRYPT": lambda password: of_bcrypt(password, cost=12, kind="2y"),
    "SCRYPT": lambda password: of_scrypt(password, n=65536, r=8, salt=os.urandom(64), length=64),
    "ARGON2ID": lambda password: of_argon2id(password, memory=19456, time=2),
    "PBKDF2_SHA256": lambda password: of_pbkdf2(password, rounds=600_000, length=64),
}
"""Each at the highest cost that is taken, and at its longest."""
