"""The demo as ``make run`` seeds it, with an STS of one's own: asked from outside, by what the bootstrap file says."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qsl

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.browser.conftest import listen
from tests.browser.test_addresses import InstalledWorld, listens
from tests.console.world import Visitor as Console
from tests.hosted.world import PASSWORD, Visitor, World
from tests.oidc.world import Proof, claims
from tests.run.installation import PATIENCE, Installation, lived_in

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]

CALLBACK = "http://localhost:3000/callback"
SCOPES = {"openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"}
DISCOVERY = "/.well-known/openid-configuration"
STS = "http://localhost:9"
# What an earlier start with an AWS of the demo's left in the file.
EARLIER = {
    "aws_endpoint_url": "http://127.0.0.1:1",
    "aws_enforces": True,
    "dynamodb_endpoint_url": "http://127.0.0.1:2",
    "aws_is_demo": True,
}


class Demo(World):
    """The demo's pool, as the bootstrap file tells of it."""

    def __init__(self, installation: Installation) -> None:
        """Read the file."""
        self.kept = installation.bootstrap()
        self.live, self.callback, self.by_email = InstalledWorld(installation), CALLBACK, True
        self.idp = self.live.boto()
        self.pool_id, self.base, self.client_id = (self.kept[name] for name in ("user_pool_id", "issuer", "client_id"))
        self.provider = self.base.partition("://")[2]

    def described(self, name: str) -> dict[str, Any]:
        """Return a client of the file, as its pool describes it."""
        answer = self.idp.describe_user_pool_client(UserPoolId=self.pool_id, ClientId=self.kept[name])
        found: dict[str, Any] = answer["UserPoolClient"]
        return found

    def authorized(self, name: str, visitor: Visitor, username: str = "") -> dict[str, str]:
        """Come from a client of the file, and sign in where asked; return what its token request says."""
        proof = Proof()
        asked = {"client_id": self.kept[name], "scope": " ".join(sorted(SCOPES)), "state": "s-1", **proof.challenge}
        visitor.open(self.url("/oauth2/authorize", **asked))
        if username:
            visitor.submit(username=username, password=PASSWORD)
        back, _, said = visitor.here.url.partition("?")
        told = dict(parse_qsl(said))
        assert (back, told["state"]) == (CALLBACK, "s-1")
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": told["code"]}
        return {**form, "code_verifier": proof.verifier}

    def token(self, name: str, **form: str) -> dict[str, Any]:
        """Ask for tokens as a client of the file, by its secret if it has one."""
        client_id, secret = self.kept[f"{name}_id"], self.kept.get(f"{name}_secret")
        answer = requests.post(
            f"{self.base}/oauth2/token",
            data={**form, "client_id": client_id, **({"client_secret": secret} if secret else {})},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Start what ``make run`` starts, and wait until nobody seeds any more."""
    started = Installation(lived_in(tmp_path_factory.mktemp("demo") / "var"))
    assert started.environment["STS_ENDPOINT_URL"] == STS
    (started.data_dir / "bootstrap.json").write_text(json.dumps(EARLIER))
    try:
        started.start()
        settle(started)
        yield started
    finally:
        started.stop()


def settle(installation: Installation) -> None:
    """Wait until https is there, the addresses are shown by this start, and no seed has run for a second."""
    until = monotonic() + PATIENCE
    quiet_since = monotonic()
    while monotonic() < quiet_since + 1:
        assert monotonic() < until, installation.said()[-3000:]
        if (
            not listens(int(installation.environment["TLS_PORT"]))
            or "Cognate is up" not in installation.shown()[installation.seen :]
            or "seed" in installation.leaders()
        ):
            quiet_since = monotonic()
        sleep(0.05)


@pytest.fixture(scope="module")
def demo(installation: Installation) -> Demo:
    """Return the demo's pool."""
    return Demo(installation)


def test_an_aws_of_ones_own_is_not_seeded(installation: Installation) -> None:
    """Nothing is asked for where nobody listens, and the log has nothing to say of it."""
    said = installation.said()

    assert "Cognate is up" in said
    assert re.findall(r"^(?:seed|moto|ceph\S*|rgw) .*", said, flags=re.MULTILINE) == []
    assert re.findall(r".*(?:Traceback|Error|cannot be set up).*", said) == []
    assert not (installation.data_dir / "aws").exists()


def test_the_addresses_are_those_of_this_start(installation: Installation) -> None:
    kept = installation.bootstrap()

    assert {name: kept[name] for name in EARLIER} == {
        "aws_endpoint_url": STS,
        "aws_enforces": False,
        "dynamodb_endpoint_url": "",
        "aws_is_demo": False,
    }
    with urllib.request.urlopen(f"{installation.base_url}/demo/config.json") as answer:
        told = json.load(answer)
    assert (told["aws_endpoint_url"], told["aws_is_demo"]) == (STS, False)


@pytest.mark.browser
def test_the_sample_says_whose_rules_decide_and_what_to_do_next(installation: Installation, browser: Browser) -> None:
    page, complaints = browser.new_page(), list[str]()
    listen(page, complaints)
    page.goto(f"{installation.base_url}/demo/")

    about = page.get_by_role("region", name="About this installation")
    expect(about).to_contain_text("Credentials come from the STS that this installation is configured with")
    expect(about).to_contain_text(STS)
    expect(about).to_contain_text("Its own rules decide")
    expect(about).to_contain_text("roles and bucket are its administrator's")
    steps = about.get_by_role("listitem")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text(f"{installation.base_url}/identity-pools")
    expect(steps.nth(0)).to_contain_text(installation.bootstrap()["identity_pool_id"])
    expect(steps.nth(1)).to_contain_text("SetIdentityPoolRoles")
    expect(steps.nth(2)).to_contain_text(installation.base_url)
    expect(about).to_contain_text("Or start without STS_ENDPOINT_URL")
    expect(about).not_to_contain_text(re.compile("moto|Ceph"))
    page.close()
    assert complaints == []


def test_the_bootstrap_file_has_what_the_contract_names(installation: Installation) -> None:
    kept = installation.bootstrap()

    assert kept.keys() >= {
        *("base_url", "tls_base_url", "ca_file", "console_url", "region", "account_id", "operator"),
        *("access_key_id", "secret_access_key", "user_pool_id", "issuer", "hosted_login_url", "domain", "tls_domain"),
        *("client_id", "confidential_client_id", "confidential_client_secret"),
        *("machine_client_id", "machine_client_secret", "identity_pool_id", "mailbox_url", "aws_endpoint_url"),
        *("aws_enforces", "dynamodb_endpoint_url", "bucket", "table"),
    }
    assert kept["operator"].keys() == {"username", "password", "totp_secret"}
    assert [name for name in kept if kept[name] == ""] == ["dynamodb_endpoint_url"]
    assert (installation.data_dir / "bootstrap.json").stat().st_mode & 0o777 == 0o600


def test_its_addresses_answer(installation: Installation) -> None:
    kept = installation.bootstrap()
    issuer = kept["issuer"]
    trust = ssl.create_default_context(cafile=kept["ca_file"])

    for url in (kept["hosted_login_url"], kept["mailbox_url"], kept["console_url"], f"{kept['base_url']}/health/live"):
        assert requests.get(url, timeout=30).status_code == 200, url
    with urllib.request.urlopen(f"{kept['tls_base_url']}/health/live", context=trust) as answer:
        assert answer.status == 200
    assert requests.get(f"{issuer}{DISCOVERY}", timeout=30).json()["issuer"] == issuer
    for domain, secured in ((kept["domain"], None), (kept["tls_domain"], trust)):
        assert json.loads(at_domain(domain, DISCOVERY, secured))["issuer"] == issuer, domain


def at_domain(domain: str, path: str, trust: ssl.SSLContext | None) -> bytes:
    """Ask at a name below localhost, which not every resolver knows."""
    host, _, port = domain.partition(":")
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    with contextlib.closing(connection):
        connection.connect()
        if trust:
            connection.sock = trust.wrap_socket(connection.sock, server_hostname=host)
        connection.request("GET", path, headers={"Host": domain})
        return connection.getresponse().read()


def test_the_pool_is_the_contracts(demo: Demo) -> None:
    pool = demo.idp.describe_user_pool(UserPoolId=demo.pool_id)["UserPool"]
    bare = demo.idp.create_user_pool(PoolName="bare")["UserPool"]
    schema = {each["Name"]: each for each in pool["SchemaAttributes"]}

    assert pool["UsernameAttributes"] == pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["Policies"]["PasswordPolicy"] == bare["Policies"]["PasswordPolicy"]
    assert schema["email"]["Required"] is True
    assert (schema["custom:role"]["AttributeDataType"], schema["custom:role"]["Mutable"]) == ("String", True)
    factors = demo.idp.get_user_pool_mfa_config(UserPoolId=demo.pool_id)
    assert (factors["MfaConfiguration"], factors["SoftwareTokenMfaConfiguration"]) == ("OPTIONAL", {"Enabled": True})


def test_the_public_client_is_the_contracts(demo: Demo) -> None:
    client = demo.described("client_id")

    assert "ClientSecret" not in client
    assert set(client["ExplicitAuthFlows"]) == {
        *("ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"),
        *("ALLOW_CUSTOM_AUTH", "ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
    }
    assert client["AllowedOAuthFlowsUserPoolClient"] is True
    assert client["AllowedOAuthFlows"] == ["code"]
    assert set(client["AllowedOAuthScopes"]) == SCOPES
    assert set(client["CallbackURLs"]) == {CALLBACK, f"{demo.live.base_url}/demo/callback"}
    assert set(client["LogoutURLs"]) == {"http://localhost:3000/", f"{demo.live.base_url}/demo/"}


def test_the_clients_with_a_secret_are_the_contracts(demo: Demo) -> None:
    server, machine = demo.described("confidential_client_id"), demo.described("machine_client_id")

    assert server["ClientSecret"] == demo.kept["confidential_client_secret"]
    assert (server["AllowedOAuthFlows"], server["CallbackURLs"]) == (["code"], [CALLBACK])
    assert set(server["AllowedOAuthScopes"]) == SCOPES
    assert machine["ClientSecret"] == demo.kept["machine_client_secret"]
    assert machine["AllowedOAuthFlows"] == ["client_credentials"]
    assert set(machine["AllowedOAuthScopes"]) == {"photos/read", "photos/write"}
    assert (machine["ReadAttributes"], machine["WriteAttributes"]) == (["email"], ["email"])
    for client in (demo.described("client_id"), server):
        assert "custom:role" in client["WriteAttributes"]
        assert not {"sub", "email_verified"} & set(client["WriteAttributes"])


def test_the_client_with_a_secret_is_openid_strict_and_the_sample_is_cognitos(demo: Demo) -> None:
    key = {"Authorization": f"Bearer {demo.kept['access_key_id']}.{demo.kept['secret_access_key']}"}
    strict = {
        name: requests.get(
            f"{demo.live.base_url}/api/v1/pools/{demo.pool_id}/apps/{demo.kept[name]}", headers=key, timeout=20
        ).json()["openid_strict"]
        for name in ("client_id", "confidential_client_id", "machine_client_id")
    }

    assert strict == {"client_id": False, "confidential_client_id": True, "machine_client_id": False}


def test_the_machine_gets_a_token(demo: Demo) -> None:
    issued = demo.token("machine_client", grant_type="client_credentials")

    assert set(claims(issued["access_token"])["scope"].split()) == {"photos/read", "photos/write"}


def test_a_person_comes_to_both_apps_and_has_one_identity(demo: Demo) -> None:
    """By code and PKCE; the case of an address does not matter. Either name of the provider leads to the identity."""
    name, visitor = demo.person(), demo.visitor()
    public = demo.authorized("client_id", visitor, name.upper())
    issued = demo.token("client", **public)
    server = demo.token("confidential_client", **demo.authorized("confidential_client_id", visitor))
    anyone = demo.live.boto("cognito-identity", signed=False)
    amazon = f"cognito-idp.{demo.kept['region']}.amazonaws.com/{demo.pool_id}"

    for tokens in (issued, server):
        assert claims(tokens["id_token"])["email"] == name
        assert set(claims(tokens["access_token"])["scope"].split()) == SCOPES
    identities = {
        anyone.get_id(IdentityPoolId=demo.kept["identity_pool_id"], Logins={provider: tokens["id_token"]})["IdentityId"]
        for provider in (demo.provider, amazon)
        for tokens in (issued, server)
    }
    assert len(identities) == 1


def test_the_identity_pool_is_the_contracts_and_its_roles_are_the_administrators(demo: Demo) -> None:
    identity, pool_id = demo.live.boto("cognito-identity"), demo.kept["identity_pool_id"]
    pool = identity.describe_identity_pool(IdentityPoolId=pool_id)

    assert (pool["AllowUnauthenticatedIdentities"], pool["AllowClassicFlow"]) == (True, True)
    assert {(each["ProviderName"], each["ClientId"]) for each in pool["CognitoIdentityProviders"]} == {
        (demo.provider, demo.kept["client_id"]),
        (demo.provider, demo.kept["confidential_client_id"]),
    }
    assert identity.get_identity_pool_roles(IdentityPoolId=pool_id).get("Roles", {}) == {}
    assert demo.live.boto("cognito-identity", signed=False).get_id(IdentityPoolId=pool_id)["IdentityId"]


def test_the_operator_opens_the_console(installation: Installation) -> None:
    operator, visitor = installation.bootstrap()["operator"], Console(installation.base_url)
    first = visitor.send_form("/console/sign-in", username=operator["username"], password=operator["password"])
    assert first.headers["Location"] == "/console/sign-in/code"
    visitor.send_form("/console/sign-in/code", code=pyotp.TOTP(operator["totp_secret"]).now())

    assert visitor.get(f"{installation.bootstrap()['console_url']}pools").status_code == 200
