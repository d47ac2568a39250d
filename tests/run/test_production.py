"""The production shape as its people meet it: through Caddy, by https, mail by SMTP. No container is needed."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import botocore.config
import psycopg
import pyotp
import pytest
import requests

from tests import servers
from tests.console.world import Visitor
from tests.live import SESSION
from tests.run import caddy, smtp_server
from tests.run.production import SERVED, Production
from tests.run.smtp_server import SmtpServer

pytestmark = [pytest.mark.run, pytest.mark.timeout(240)]

PERSON = "ada@example.com"
PASSWORD = "Correct-horse-1"


class Place:
    """The running shape: its two addresses, and what trusts its certificates."""

    def __init__(self, production: Production, mail: SmtpServer, ca: Path) -> None:
        """Know where everything is."""
        self.production, self.mail, self.ca = production, mail, ca
        self.base_url, self.console_url = (
            f"https://{production.told[name]}" for name in ("COGNATE_HOST", "CONSOLE_HOST")
        )

    def start(self) -> None:
        """Start what serves, and wait until a request by https reaches a web process that is ready."""
        for service in SERVED:
            self.production.start(service)
        until = monotonic() + 60
        while monotonic() < until:
            with contextlib.suppress(OSError):  # not yet
                if self.visitor(self.base_url).get("/health/ready").status_code == 200:
                    return
            assert self.production.processes["web"].poll() is None, self.production.log("web").read_text()
            sleep(0.1)
        pytest.fail(self.production.log("web").read_text() + self.production.log("proxy").read_text())

    def visitor(self, base_url: str) -> Visitor:
        """Return a browser without script."""
        visitor = Visitor(base_url)
        visitor.verify = str(self.ca)
        visitor.headers["Referer"] = f"{base_url}/"
        return visitor

    def manage(self, *words: str) -> str:
        """Run ``manage.py`` as `docker compose exec web` does."""
        done = self.production.run("web", "python", "manage.py", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def boto(self, key: tuple[str, str] | None = None) -> Any:  # noqa: ANN401 - boto3's own
        """Return a client by https, signed if there is a key."""
        signing: dict[str, Any] = {} if key else {"signature_version": botocore.UNSIGNED}
        return SESSION.client(
            "cognito-idp",
            endpoint_url=self.base_url,
            region_name="us-east-1",
            aws_access_key_id=key[0] if key else None,
            aws_secret_access_key=key[1] if key else None,
            verify=str(self.ca),
            config=botocore.config.Config(retries={"total_max_attempts": 1}, **signing),
        )


@pytest.fixture(scope="module")
def names() -> Iterator[None]:
    """Let this process find names below `localhost`, which not every resolver knows."""
    look_up = socket.getaddrinfo

    def found(host: Any, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - what it is asked
        return look_up("127.0.0.1" if str(host).endswith(".localhost") else host, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        yield


@pytest.fixture(scope="module")
def place(names: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start everything in the compose file's order."""
    del names
    caddy.program()
    home = tmp_path_factory.mktemp("production")
    port = servers.free_port()
    sites = {"COGNATE_HOST": f"id.localhost:{port}", "CONSOLE_HOST": f"console.localhost:{port}"}
    with contextlib.ExitStack() as until_the_end:
        mail = until_the_end.enter_context(smtp_server.running())
        told = sites | {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail.server_address[1]),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "no-reply@example.com",
            "WEB_WORKERS": "1",
        }
        production = Production(home, told)
        until_the_end.callback(production.leave_nothing)
        production.prepare()
        migrated = production.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        until_the_end.enter_context(caddy.running(production.port, sites, home))
        started = Place(production, mail, caddy.authority(home))
        started.start()
        yield started


@pytest.fixture(scope="module")
def key(place: Place) -> tuple[str, str]:
    """Return the access key of an operator."""
    place.manage("create_operator", "runner")
    made = dict(line.split("=", 1) for line in place.manage("create_access_key", "runner").splitlines())
    return made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"]


@pytest.fixture(scope="module")
def pool(place: Place, key: tuple[str, str]) -> tuple[str, str]:
    """Make a pool and an app in it."""
    admin = place.boto(key)
    pool: str = admin.create_user_pool(
        PoolName="Harbour", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"]
    )["UserPool"]["Id"]
    app = admin.create_user_pool_client(
        UserPoolId=pool,
        ClientName="front",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        SupportedIdentityProviders=["COGNITO"],
        CallbackURLs=["https://app.example.com/callback"],
        AllowedOAuthFlows=["code"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["openid"],
    )["UserPoolClient"]["ClientId"]
    return pool, app


@pytest.fixture(scope="module")
def tokens(place: Place, pool: tuple[str, str]) -> dict[str, str]:
    """Sign somebody up, confirm by the mailed code, sign in."""
    cognito, (_, app) = place.boto(), pool
    cognito.sign_up(
        ClientId=app, Username=PERSON, Password=PASSWORD, UserAttributes=[{"Name": "email", "Value": PERSON}]
    )
    mail = place.mail.mail_to(PERSON)
    text = mail.get_body(("plain",))
    assert text is not None
    [code] = re.findall(r"\b\d{6}\b", text.get_content())
    assert mail["From"] == "no-reply@example.com"
    cognito.confirm_sign_up(ClientId=app, Username=PERSON, ConfirmationCode=code)
    signed_in: dict[str, str] = cognito.initiate_auth(
        ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": PERSON, "PASSWORD": PASSWORD}
    )["AuthenticationResult"]
    return signed_in


def test_somebody_signs_up_by_mail_and_in(place: Place, tokens: dict[str, str]) -> None:
    told = place.boto().get_user(AccessToken=tokens["AccessToken"])["UserAttributes"]

    assert {"Name": "email_verified", "Value": "true"} in told


def test_a_visitors_address_is_the_proxys_word(place: Place, pool: tuple[str, str], tokens: dict[str, str]) -> None:
    del tokens
    lie = {"X-Forwarded-For": "6.6.6.6", "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"}
    asked = {
        "ClientId": pool[1],
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": PERSON, "PASSWORD": PASSWORD},
    }
    kind = {"Content-Type": "application/x-amz-json-1.1"}
    # Once through the proxy, then past it: from an address of nobody's.
    through = place.visitor(place.base_url).post("/", json=asked, headers=lie | kind)
    past = Visitor(f"http://127.0.0.1:{place.production.port}").post(
        "/", json=asked, headers=lie | kind | {"Host": place.production.told["COGNATE_HOST"]}
    )

    assert (through.status_code, past.status_code) == (200, 200), (through.text, past.text)
    with psycopg.connect(place.production.database) as connection:
        seen = {str(row[0]) for row in connection.execute("SELECT address FROM auth_event WHERE passed")}
    assert "6.6.6.6" not in seen
    assert len(seen) > 1, seen
    assert "strict-transport-security" in through.headers
    assert "strict-transport-security" not in past.headers


def test_login_pages_and_discovery_are_the_pools_by_https(place: Place, pool: tuple[str, str]) -> None:
    visitor, (pool_id, app) = place.visitor(place.base_url), pool
    issuer = f"{place.base_url}/{pool_id}"

    told = visitor.get(f"/{pool_id}/.well-known/openid-configuration").json()
    page = visitor.get(
        f"/{pool_id}/login?client_id={app}&response_type=code&redirect_uri=https://app.example.com/callback"
    )

    assert told["issuer"] == issuer
    assert told["token_endpoint"].startswith(issuer)
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"]
    set_cookies = page.raw.headers.getlist("Set-Cookie")
    assert set_cookies
    for cookie in set_cookies:
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
    style = re.findall(r'href="(/[^"]+\.css)"', page.text)
    assert style
    assert visitor.get(style[0]).headers["Content-Type"].startswith("text/css")


def test_an_operator_enters_at_the_consoles_origin(place: Place) -> None:
    link = place.manage("create_operator", "newcomer")
    assert link.startswith(f"{place.console_url}/console/")
    visitor = place.visitor(place.console_url)

    visitor.send_form(link.removeprefix(place.console_url))
    visitor.send_form("/console/welcome/password", new_password="a long walk on the beach")
    page = visitor.get("/console/welcome/authenticator").text
    secret = page.split('<code class="key">')[1].split("</code>")[0].replace(" ", "")
    visitor.send_form("/console/welcome/authenticator", code=pyotp.TOTP(secret).now())

    assert visitor.get("/console/pools").status_code == 200
    spent = place.visitor(place.console_url).get(link.removeprefix(place.console_url))
    assert (spent.status_code, "manage.py create_operator --link NAME" in spent.text) == (410, True)
    assert "make run" not in spent.text
    assert all(cookie.secure and cookie.name.startswith("__Host-") for cookie in visitor.cookies)


def test_each_origin_has_its_own_addresses_only(place: Place, pool: tuple[str, str]) -> None:
    installation, console = (place.visitor(url) for url in (place.base_url, place.console_url))
    discovery = f"/{pool[0]}/.well-known/openid-configuration"

    assert console.get("/console/sign-in").status_code == 200
    assert installation.get(discovery).status_code == 200
    for path in ("/console/", "/console/sign-in", "/api/v1/pools", "/api/docs/"):
        assert installation.get(path).status_code == 404, path
    for path in ("/", discovery, f"/{pool[0]}/login", f"/{pool[0]}/oauth2/token", "/identity-pools/jwks.json"):
        assert console.get(path).status_code == 404, path


@pytest.mark.parametrize("path", ["/demo/", "/dev/mailbox", "/dev/messages", "/metrics"])
def test_what_development_shows_is_not_there(path: str, place: Place) -> None:
    for url in (place.base_url, place.console_url):
        assert place.visitor(url).get(path).status_code == 404


def test_plain_http_leads_to_https(place: Place) -> None:
    port = re.search(r"http_port (\d+)", (place.production.home / "Caddyfile").read_text())
    assert port

    answer = requests.get(f"http://id.localhost:{port[1]}/x", allow_redirects=False, timeout=10)

    assert answer.status_code in {301, 308}
    assert answer.headers["Location"].startswith(f"{place.base_url}/x")


@pytest.mark.parametrize("service", SERVED)
def test_the_health_check_of_the_compose_file_says_yes_while_it_works(service: str, place: Place) -> None:
    until = monotonic() + 30
    while not place.production.is_well(service):
        assert monotonic() < until, place.production.log(service).read_text()
        sleep(0.5)


def test_what_make_run_starts_is_not_in_the_image(place: Place) -> None:
    inside = {path.name for path in (place.production.tree / "identity").iterdir()}

    assert {"serve.py", "settings.py"} <= inside
    assert not {"embedded", "demo"} & inside


# A server can be started by its own program, too.
ROUNDABOUT = {
    "web": ("python", "-m", "granian", "--interface", "wsgi", "--port", "0", "identity.wsgi:application"),
    "worker": ("python", "-m", "celery", "-A", "identity.celery", "worker", "-P", "threads"),
    "beat": ("python", "-m", "celery", "-A", "identity.celery", "beat"),
}


@pytest.mark.parametrize("service", SERVED)
@pytest.mark.parametrize("roundabout", [False, True])
def test_it_refuses_what_is_unsafe(service: str, roundabout: bool, place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret_keys").write_text("development-1 " + "A" * 43 + "=\n")
    unsafe = {
        "BASE_URL": "http://id.localhost",
        "MESSAGES": "captured",
        "DEBUG": "true",
        "SECRET_KEYS_FILE": str(tmp_path / "secret_keys"),
    }

    refused = place.production.run(service, *(ROUNDABOUT[service] if roundabout else ()), **unsafe)

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    for name in ("E004", "E005", "E007", "E013"):
        assert f"identity.{name}" in refused.stderr


def test_each_ends_in_seconds_when_asked(place: Place) -> None:
    for service in SERVED:
        said = place.production.log(service).read_text()
        assert "System check identified no issues" in said, said
        began = monotonic()
        assert place.production.stop(service) == 0, place.production.log(service).read_text()
        assert monotonic() - began < 10, service
        if (alive := place.production.alive(service)).exists():
            long_ago = alive.stat().st_mtime - 100
            os.utime(alive, (long_ago, long_ago))
        assert not place.production.is_well(service)
    # As after a reboot: nothing waits for anything.
    place.start()
