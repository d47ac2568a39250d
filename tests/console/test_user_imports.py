"""Imports as operators see them: how far they are, and which lines failed."""

from __future__ import annotations

import re
import time

import pytest
import requests

from tests.console.world import World
from tests.importer import Importer


def imported(world: World) -> tuple[str, str]:
    """Import a file of which one line fails; return the pool's path and the job's id."""
    idp = world.live.boto()
    pool_id = idp.create_user_pool(PoolName="Moved", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    columns = idp.get_csv_header(UserPoolId=pool_id)["CSVHeader"]
    given = {"email": "ada@example.com", "email_verified": "true", "cognito:mfa_enabled": "false"}
    lines = [{**given, "cognito:username": "ada"}, {**given, "cognito:username": "eve", "email": "=1+1"}]
    body = "\n".join([",".join(columns), *(",".join(line.get(name, "") for name in columns) for line in lines)])
    job = idp.create_user_import_job(
        UserPoolId=pool_id, JobName="From the old", CloudWatchLogsRoleArn="arn:aws:iam::111111111111:role/Logs"
    )["UserImportJob"]
    assert requests.put(job["PreSignedUrl"], data=body.encode(), timeout=30).status_code == 200
    idp.start_user_import_job(UserPoolId=pool_id, JobId=job["JobId"])
    return f"/console/pools/{pool_id}/imports", job["JobId"]


def test_an_import_shows_how_far_it_is_and_which_lines_failed(world: World) -> None:
    path, job_id = imported(world)
    until = time.monotonic() + 20
    while "Succeeded" not in (page := world.session.get(f"{path}/{job_id}").text):
        assert 'hx-trigger="every 3s"' in page
        assert time.monotonic() < until
        time.sleep(0.1)

    assert 'hx-trigger="every 3s"' not in page
    assert "Invalid email address format." in page
    assert "From the old" in page
    assert "=1+1" not in page
    assert job_id in world.session.get(path).text
    answer = world.session.get(f"{path}/{job_id}/failures.csv")
    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (
        "text/csv; charset=utf-8",
        f'attachment; filename="{job_id}.csv"',
    )
    assert answer.text.splitlines() == ["line,skipped,reason", "3,false,Invalid email address format."]


def test_the_part_of_the_page_that_goes_on_is_what_it_asks_for(world: World) -> None:
    idp = world.live.boto()
    pool_id = idp.create_user_pool(PoolName="Waits")["UserPool"]["Id"]
    job = idp.create_user_import_job(
        UserPoolId=pool_id, JobName="waits", CloudWatchLogsRoleArn="arn:aws:iam::111111111111:role/Logs"
    )["UserImportJob"]
    path = f"/console/pools/{pool_id}/imports/{job['JobId']}"
    asked = {"HX-Request": "true", "HX-Target": "import"}

    for page in (world.session.get(path), world.session.get(path, headers=asked)):
        assert f'<div id="import" class="stack" hx-get="{path}"' in page.text
        assert "Waits for its file" in page.text


@pytest.mark.parametrize(("hashing", "told"), [("BCRYPT", "bcrypt"), ("PBKDF2_SHA256", "PBKDF2-SHA256"), ("", "")])
def test_an_import_shows_whose_hashes_it_takes(world: World, hashing: str, told: str) -> None:
    idp = world.live.boto()
    pool_id = idp.create_user_pool(PoolName="Hashes")["UserPool"]["Id"]
    job = Importer(idp, pool_id).create(hashing)

    page = world.session.get(f"/console/pools/{pool_id}/imports/{job['JobId']}").text

    assert ("Password hashes" in page) is bool(hashing)
    assert f"<bdi>{told}</bdi>" in page or not hashing


def test_a_pool_without_imports_says_how_one_is_made(world: World) -> None:
    pool_id = world.live.boto().create_user_pool(PoolName="Empty")["UserPool"]["Id"]
    page = world.session.get(f"/console/pools/{pool_id}/imports").text

    command = re.search(r'<code class="value"[^>]*>(aws [^<]*)<', page)
    # Selected by hand where there is no script, which takes it as it is shown: on one line.
    assert command
    assert command[1].split()[2] == "create-user-import-job"
    assert "\n" not in command[1]
    assert "--password-hashing-algorithm BCRYPT, SCRYPT, ARGON2ID or PBKDF2_SHA256" in page
    assert world.session.get(f"/console/pools/{pool_id}/imports/import-none").status_code == 404
    assert world.session.get(f"/console/pools/{pool_id}/users").text.count("/imports") == 1
