"""The aws command line with the documented profile: what an administrator types, and what an app's people do."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.cognito.conftest import PASSWORD
from tests.live import Live

HERE = Path(__file__).parent / "aws_cli"
DOCUMENTED = "http://localhost:8000"
"""Where ``make run`` answers, which the documented profile names."""
REFUSED = 255
"""What version 1 exits with when the service says no."""


@pytest.fixture(scope="session")
def program() -> Path:
    """Return the Python that has the program, in an environment of its own that is kept.

    Its dependencies are not those of this suite.
    """
    folder, lock = servers.slot() / "aws_cli", HERE / "awscli.lock"
    installed = folder / "installed"
    with servers.locked(servers.slot() / "aws_cli.lock"):
        if not installed.exists() or installed.read_text() != lock.read_text():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            done = subprocess.run(
                [*pip, "--no-deps", "--require-hashes", "-r", str(lock)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(f"needs: the packages of tests/clients/aws_cli/awscli.lock: {done.stderr[-300:]}")
            installed.write_text(lock.read_text())
    return folder / "bin" / "python"


@pytest.fixture
def aws(program: Path, live: Live, tmp_path: Path) -> Callable[..., Any]:
    """Return what runs a command line with the documented profile; only its address is the test's."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text((HERE / "config").read_text().replace(DOCUMENTED, live.base_url))
    key_id, secret = live.access_key
    credentials.write_text(f"[cognate]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_PROFILE": "cognate",
    }

    def run(line: str, *more: str, status: int = 0) -> Any:  # noqa: ANN401 - what the command answers
        # As a module: the script's first line could not name a folder with a space.
        command = [str(program), "-m", "awscli", *line.split(), *more]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == status, done.stderr
        if status:
            return done.stderr.strip()
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


@pytest.mark.interop
@pytest.mark.timeout(600)
def test_a_pool_is_made_used_and_deleted(aws: Callable[..., Any]) -> None:
    pool = aws("cognito-idp create-user-pool --pool-name cli --auto-verified-attributes email --query UserPool.Id")
    flows = "--explicit-auth-flows ALLOW_USER_PASSWORD_AUTH ALLOW_REFRESH_TOKEN_AUTH"
    app = aws(
        f"cognito-idp create-user-pool-client --user-pool-id {pool} --client-name cli {flows}",
        *("--query", "UserPoolClient.ClientId"),
    )
    made = aws(
        f"cognito-idp admin-create-user --user-pool-id {pool} --username ada --message-action SUPPRESS",
        *("--user-attributes", "Name=email,Value=ada@example.com", "Name=email_verified,Value=true"),
    )
    assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    of_ada = f"--user-pool-id {pool} --username ada"
    aws(f"cognito-idp admin-set-user-password {of_ada} --password {PASSWORD} --permanent")

    # Public calls come unsigned.
    parameters = f"--auth-parameters USERNAME=ada,PASSWORD={PASSWORD}"
    signed_in = aws(f"cognito-idp initiate-auth --client-id {app} --auth-flow USER_PASSWORD_AUTH {parameters}")
    token = signed_in["AuthenticationResult"]["AccessToken"]
    assert aws(f"cognito-idp get-user --access-token {token}")["Username"] == "ada"

    assert aws(f"cognito-idp describe-user-pool --user-pool-id {pool}")["UserPool"]["Name"] == "cli"
    assert aws(f"cognito-idp admin-get-user {of_ada} --query UserStatus") == "CONFIRMED"
    aws(f"cognito-idp delete-user-pool-client --user-pool-id {pool} --client-id {app}")
    aws(f"cognito-idp delete-user-pool --user-pool-id {pool}")
    said = aws(f"cognito-idp describe-user-pool --user-pool-id {pool}", status=REFUSED)
    assert said == (
        "An error occurred (ResourceNotFoundException) when calling the DescribeUserPool operation: "
        f"User pool {pool} does not exist."
    )


@pytest.mark.interop
@pytest.mark.timeout(600)
def test_pages_of_users_are_walked_and_queried(aws: Callable[..., Any]) -> None:
    pool = aws("cognito-idp create-user-pool --pool-name cli --query UserPool.Id")
    names = sorted(f"ada-{secrets.token_hex(4)}" for _ in range(5))
    for name in names:
        aws(f"cognito-idp admin-create-user --user-pool-id {pool} --username {name} --message-action SUPPRESS")
    users = f"cognito-idp list-users --user-pool-id {pool}"

    # The program follows the tokens of pages by itself, and gives its own for what it holds back.
    assert sorted(aws(f"{users} --page-size 2 --query Users[].Username")) == names
    first = aws(f"{users} --page-size 2 --max-items 3")
    rest = aws(f"{users} --page-size 2", "--starting-token", first["NextToken"])
    assert sorted(user["Username"] for user in first["Users"] + rest["Users"]) == names
    assert aws(users, "--filter", f'username = "{names[0]}"', "--query", "Users[].Username") == [names[0]]


@pytest.mark.interop
@pytest.mark.timeout(600)
def test_an_identity_pool_answers_at_the_same_profile(aws: Callable[..., Any]) -> None:
    made = aws("cognito-identity create-identity-pool --identity-pool-name cli --allow-unauthenticated-identities")
    pool = made["IdentityPoolId"]

    identity = aws(f"cognito-identity get-id --identity-pool-id {pool}")["IdentityId"]

    found = aws(f"cognito-identity list-identities --identity-pool-id {pool} --max-results 10")
    assert [line["IdentityId"] for line in found["Identities"]] == [identity]
    aws(f"cognito-identity delete-identity-pool --identity-pool-id {pool}")


def test_the_page_shows_the_profile_that_is_tested() -> None:
    page = (servers.ROOT / "docs" / "aws-cli.md").read_text()

    assert f"```ini\n{(HERE / 'config').read_text()}```" in page
