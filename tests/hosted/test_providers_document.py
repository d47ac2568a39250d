"""What docs/providers.md shows by boto3 runs as it is written, and people sign in by what it makes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT
from tests.federation.emulator import running
from tests.federation.openid_provider import SECRET, OpenIdProvider
from tests.federation.social_emulator import APPLE_KEY, pem
from tests.hosted.saml_upstream import SamlProvider
from tests.hosted.upstream import Sent
from tests.hosted.world import World
from tests.live import Live

PAGE = (ROOT / "docs" / "providers.md").read_text()
METADATA = SamlProvider().metadata
SOCIAL = ("Google", "Facebook", "LoginWithAmazon")


def test_the_page_makes_one_of_each_kind_by_which_people_sign_in(live: Live, tmp_path: Path) -> None:
    world = World(live, mfa="OFF")
    program, by_saml = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    # What follows goes on from there; this test has metadata as a text.
    program += by_saml.replace('"MetadataURL": "https://idp.corp.example/metadata"', f'"MetadataFile": {METADATA!r}')
    (key := tmp_path / "AuthKey.p8").write_text(pem(APPLE_KEY))
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    corp = OpenIdProvider()
    corp.claims, corp.person = {"aud": "cognate"}, {"email_verified": True, "given_name": "Ada"}
    with running(corp):
        told = {
            "HOME": str(tmp_path),
            "AWS_ACCESS_KEY_ID": live.access_key[0],
            "AWS_SECRET_ACCESS_KEY": live.access_key[1],
            "COGNATE": live.base_url,
            "USER_POOL_ID": world.pool_id,
            "CLIENT_ID": world.client_id,
            "CORP_ISSUER": corp.url,
            "CORP_SECRET": SECRET,
            **{
                f"{name}_{part}": "x" for name in ("Google", "Facebook", "LoginWithAmazon") for part in ("ID", "SECRET")
            },
            "APPLE_SERVICES_ID": "com.example.web",
            "APPLE_TEAM_ID": "TEAM123456",
            "APPLE_KEY_ID": "KEY1234567",
            "APPLE_KEY_FILE": str(key),
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**bare, **told},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"{world.base}/oauth2/idpresponse"

        page = world.visitor().start()
        offered = [given["data-provider"] for _, given in page.read.tags if "data-provider" in given]
        assert offered == ["Corp", *SOCIAL, "SignInWithApple"]
        assert Sent(world, world.client_id, "Corp").back().code
        found = world.idp.list_users(UserPoolId=world.pool_id)["Users"]
        assert [(user["UserStatus"], user["Username"]) for user in found] == [("EXTERNAL_PROVIDER", "corp_subject-1")]
