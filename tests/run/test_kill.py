"""Kill -9 of each part while sign-ups run: nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any, Self

import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.live import SESSION
from tests.run.installation import Installation, lived_in, running

pytestmark = [pytest.mark.run, pytest.mark.timeout(300)]

PASSWORD = "Correct-horse-9"
PARTS = ["web", "worker", "redis", "postgres"]
VISITORS = 3
BACK_WITHIN = 10


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running(lived_in(tmp_path_factory.mktemp("kill") / "var")) as started:
        yield started


@pytest.fixture(scope="module")
def keys(installation: Installation) -> dict[str, str]:
    """Return the access key of the bootstrap file, a pool that mails codes, and a client that may sign up."""
    kept = installation.bootstrap()
    made = {name: str(kept[name]) for name in ("access_key_id", "secret_access_key", "region")}
    admin = client_of(installation, made)
    made["pool"] = admin.create_user_pool(
        PoolName="crowd", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"]
    )["UserPool"]["Id"]
    made["client"] = admin.create_user_pool_client(UserPoolId=made["pool"], ClientName="crowd")["UserPoolClient"][
        "ClientId"
    ]
    return made


def client_of(installation: Installation, keys: dict[str, str], *, signed: bool = True) -> Any:  # noqa: ANN401 - boto3's own
    config: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "connect_timeout": 2, "read_timeout": 10}
    return SESSION.client(
        "cognito-idp",
        endpoint_url=installation.base_url,
        region_name=keys["region"],
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        config=Config(**config) if signed else Config(**config, signature_version=botocore.UNSIGNED),
    )


class Crowd:
    """Visitors who sign up one after the other until told to stop."""

    def __init__(self, installation: Installation, keys: dict[str, str], name: str) -> None:
        self.installation = installation
        self.name = name
        self.keys = keys
        self.acknowledged: list[str] = []
        self.last = 0.0
        self.back_after = 0.0
        self.over = threading.Event()
        clients = [client_of(installation, keys, signed=False) for _ in range(VISITORS)]
        self.threads = [threading.Thread(target=self.visit, args=visitor) for visitor in enumerate(clients)]

    def visit(self, visitor: int, boto: Any) -> None:  # noqa: ANN401 - boto3's own
        count = 0
        while not self.over.is_set():
            count += 1
            email = f"{self.name}-{visitor}-{count}@example.com"
            try:
                boto.sign_up(ClientId=self.keys["client"], Username=email, Password=PASSWORD)
            except (BotoCoreError, ClientError):
                sleep(0.1)
            else:
                self.acknowledged.append(email)
                self.last = monotonic()

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, count: int, seconds: float = 30) -> None:
        until = monotonic() + seconds
        while len(self.acknowledged) < count:
            assert monotonic() < until, f"{len(self.acknowledged)} of {count}:\n{self.installation.said()[-4000:]}"
            sleep(0.05)


def mails(installation: Installation, to: str) -> list[dict[str, Any]]:
    url = f"{installation.base_url}/dev/messages?{urllib.parse.urlencode({'to': to})}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


@pytest.fixture(scope="module")
def crowds(installation: Installation, keys: dict[str, str]) -> dict[str, Crowd]:
    """Kill each part in turn while people sign up. A mail that was in the hands of the dead is due a minute later."""
    found = {part: Crowd(installation, keys, part) for part in PARTS}
    for part, crowd in found.items():
        with crowd:
            crowd.wait_for(3)
            before = len(crowd.acknowledged)
            installation.kill(part)
            killed = monotonic()
            crowd.wait_for(before + 3 * VISITORS, seconds=BACK_WITHIN + 20)
            crowd.back_after = crowd.last - killed
    return found


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_loses_nothing_acknowledged(
    installation: Installation, keys: dict[str, str], crowds: dict[str, Crowd], part: str
) -> None:
    crowd = crowds[part]

    admin = client_of(installation, keys)
    until = monotonic() + 75
    for email in crowd.acknowledged:
        assert admin.admin_get_user(UserPoolId=keys["pool"], Username=email)["UserStatus"] == "UNCONFIRMED"
        while not (found := mails(installation, email)):
            assert monotonic() < until, f"no mail for {email}:\n{installation.said()[-4000:]}"
            sleep(0.2)
        assert len(found) == 1, "captured exactly once"
    assert crowd.back_after < BACK_WITHIN + 5

    visitor = client_of(installation, keys, signed=False)
    email = crowd.acknowledged[-1]
    code = re.search(r"\b\d{6}\b", mails(installation, email)[0]["body"])
    assert code
    visitor.confirm_sign_up(ClientId=keys["client"], Username=email, ConfirmationCode=code[0])
    with pytest.raises(ClientError) as refused:
        visitor.confirm_sign_up(ClientId=keys["client"], Username=email, ConfirmationCode=code[0])
    assert refused.value.response["Error"]["Code"] in {"NotAuthorizedException", "ExpiredCodeException"}


def once_back(installation: Installation, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Ask until somebody answers."""
    until = monotonic() + BACK_WITHIN + 20
    while True:
        try:
            return ask()
        except BotoCoreError:
            pass
        except ClientError as refused:
            if refused.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
        assert monotonic() < until, installation.said()[-4000:]
        sleep(0.1)


@pytest.mark.parametrize("part", ["web", "postgres"])
def test_a_killed_part_forgets_no_new_password_and_no_revocation(
    installation: Installation, keys: dict[str, str], part: str
) -> None:
    admin, visitor = client_of(installation, keys), client_of(installation, keys, signed=False)
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    app = admin.create_user_pool_client(UserPoolId=keys["pool"], ClientName="members", ExplicitAuthFlows=flows)
    client, email = app["UserPoolClient"]["ClientId"], f"member-{part}@example.com"
    admin.admin_create_user(UserPoolId=keys["pool"], Username=email, MessageAction="SUPPRESS")
    admin.admin_set_user_password(UserPoolId=keys["pool"], Username=email, Password=PASSWORD, Permanent=True)

    def sign_in(password: str) -> dict[str, Any]:
        asked = {"USERNAME": email, "PASSWORD": password}
        answer = visitor.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=asked)
        return dict(answer["AuthenticationResult"])

    ended, kept = sign_in(PASSWORD), sign_in(PASSWORD)
    visitor.revoke_token(ClientId=client, Token=ended["RefreshToken"])
    visitor.change_password(
        AccessToken=kept["AccessToken"], PreviousPassword=PASSWORD, ProposedPassword="Another-horse-9"
    )
    installation.kill(part)

    assert once_back(installation, lambda: sign_in("Another-horse-9"))["AccessToken"]
    for gone in (
        lambda: sign_in(PASSWORD),
        lambda: visitor.get_user(AccessToken=ended["AccessToken"]),
        lambda: visitor.initiate_auth(
            ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": ended["RefreshToken"]}
        ),
    ):
        with pytest.raises(visitor.exceptions.NotAuthorizedException):
            gone()
    assert visitor.get_user(AccessToken=kept["AccessToken"])
