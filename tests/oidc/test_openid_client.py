"""openid-client 6, the usual relying party of Node, against the pool."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.live import Live
from tests.oidc import pages
from tests.oidc.registering import PEOPLE, Registering
from tests.oidc.world import AFTER_LOGOUT, CALLBACK, World

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]
PACKAGE = "openid-client@6.8.9"


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder where Node finds openid-client."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs: node and npm (apt-get install nodejs npm)")
    folder = tmp_path_factory.mktemp("node")
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if installed.returncode:
        pytest.skip(f"needs: {PACKAGE} from npm, which cannot be reached: {installed.stderr[-200:]}")
    shutil.copy(Path(__file__).parent / "interop_openid_client.mjs", folder / "party.mjs")
    return folder


@pytest.fixture(scope="session")
def registering(live: Live) -> Registering:
    """Return a pool where apps register themselves."""
    return Registering(live)


@pytest.fixture
def party(node_folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Return the relying party, waiting for its settings."""
    with subprocess.Popen(
        ["node", "party.mjs"],
        cwd=node_folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def tell(party: subprocess.Popen[str], **said: object) -> dict[str, object]:
    """Say a line to the relying party and return its answer."""
    assert party.stdin
    assert party.stdout
    assert party.stderr
    party.stdin.write(json.dumps(said) + "\n")
    party.stdin.flush()
    line = party.stdout.readline()
    assert line, party.stderr.read()
    answer: dict[str, object] = json.loads(line)
    return answer


@pytest.mark.parametrize("proof", ["none", "basic", "post"])
def test_openid_client_walks_the_whole_flow(world: World, party: subprocess.Popen[str], proof: str) -> None:
    app = world.public if proof == "none" else world.confidential
    asked = tell(
        party,
        issuer=world.issuer,
        client_id=app.id,
        client_secret=app.secret,
        proof=proof,
        redirect_uri=CALLBACK,
        after_logout=AFTER_LOGOUT,
    )
    browser = requests.Session()

    returned = pages.sign_in(browser, str(asked["url"]), world.ann.email, until=CALLBACK)
    done = tell(party, returned=returned)

    claims, info, failures = done["claims"], done["info"], done["failures"]
    assert isinstance(claims, dict)
    assert isinstance(info, dict)
    assert isinstance(failures, dict)
    assert claims["sub"] == info["sub"] == world.ann.sub
    assert info["email"] == world.ann.email
    assert done["refreshed"] is True
    assert {name: failure["error"] for name, failure in failures.items()} == {
        "revoked": "invalid_grant",
        "dead": "invalid_token",
        "replayed": "invalid_grant",
        "wrong_secret": "invalid_client",
    }
    left = browser.get(str(done["logout"]), allow_redirects=False, timeout=20)
    assert left.headers["Location"] == AFTER_LOGOUT


@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
def test_openid_client_registers_itself_and_walks_the_whole_flow(
    registering: Registering, party: subprocess.Popen[str], method: str
) -> None:
    asked = tell(
        party,
        issuer=registering.issuer,
        registers={**PEOPLE, "post_logout_redirect_uris": [AFTER_LOGOUT], "token_endpoint_auth_method": method},
        token=registering.key,
        proof="none" if method == "none" else None,
        redirect_uri=CALLBACK,
        after_logout=AFTER_LOGOUT,
    )

    returned = pages.sign_in(requests.Session(), str(asked["url"]), registering.ann.email, until=CALLBACK)
    done = tell(party, returned=returned)

    claims, failures = done["claims"], done["failures"]
    assert isinstance(claims, dict)
    assert isinstance(failures, dict)
    assert claims["sub"] == registering.ann.sub
    assert claims["aud"] == done["client_id"]
    assert done["client_id"] in registering.clients(ClientType="DCR")
    assert done["refreshed"] is True
    assert failures["replayed"]["error"] == "invalid_grant"
