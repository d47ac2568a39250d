"""What a sign-in by an identity provider costs once the browser is back: the callback, and the page that joins.

As a program: ``serve PORT``, an OpenID provider that agrees to everything and signs what its code says; ``play``, the
browsers that come back, told what to do by JSON on standard input.
"""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import perf_counter, time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.bench.installation import CALLBACK, World
from tests.bench.load import OK, Connection, wire
from tests.servers import ROOT

if TYPE_CHECKING:
    from pools.models import AppClient

NAME = "Bench"
CLIENT, SECRET = "bench", "a secret of the bench's"
ACCESS = "an-access-token"
FIRST, AGAIN = "sign-in by a provider, a new account", "sign-in by a provider"
REACH = 15.0
"""Milliseconds of the web process's processor time a sign-in."""
SIGN_INS = 300
AT_ONCE = 4
PATH = "/oauth2/idpresponse"


# -- the provider ----------------------------------------------------------------------------------------------------


class Upstream(ThreadingHTTPServer):
    """The provider. A code is base64url of JSON: who came, and the trip's nonce."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int) -> None:
        """Make its key."""
        from joserfc.jwk import RSAKey

        self.key = RSAKey.generate_key(2048, {"kid": "bench", "use": "sig", "alg": "RS256"})
        self.issuer = f"http://127.0.0.1:{port}"
        super().__init__(("127.0.0.1", port), Handler)

    def tokens(self, code: str) -> dict[str, Any]:
        """Return what a code is traded for."""
        from joserfc import jwt

        told, now = json.loads(base64.urlsafe_b64decode(code)), int(time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "auth_time": now, **told}
        token = jwt.encode({"alg": "RS256", "kid": "bench"}, claims, self.key)
        return {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 60, "id_token": token}


class Handler(BaseHTTPRequestHandler):
    """Answers as the provider."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # one packet: two would wait for each other 40 ms
    disable_nagle_algorithm = True
    server: Upstream

    def do_GET(self) -> None:
        """Tell of the provider, or its keys."""
        issuer = self.server.issuer
        if self.path == "/keys":
            self.tell({"keys": [self.server.key.as_dict(private=False)]})
        else:
            endpoints = {f"{name}_endpoint": f"{issuer}/{name}" for name in ("authorization", "token")}
            self.tell({"issuer": issuer, **endpoints, "jwks_uri": f"{issuer}/keys"})

    def do_POST(self) -> None:
        """Trade a code for tokens."""
        given = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
        self.tell(self.server.tokens(given["code"][0]))

    def tell(self, what: dict[str, Any]) -> None:
        """Answer in JSON."""
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


# -- what is measured ------------------------------------------------------------------------------------------------


def make(world: World, port: int) -> AppClient:
    """Have the pool send people to the provider; return the app that they come from."""
    from identity.foundation.actor import Actor
    from pools.models import UserPool
    from pools.services.providers import identity_providers
    from tests import factories

    by, issuer = Actor.system(), f"http://127.0.0.1:{port}"
    pool = UserPool.objects.get(pk=world.pool.pk)
    details = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "authorize_scopes": "openid email",
        "oidc_issuer": issuer,
        "attributes_request_method": "GET",
    }
    mapping = {"email": "email", "email_verified": "email_verified", "given_name": "given_name"}
    identity_providers.create(pool, NAME, kind="OIDC", details=details, attribute_mapping=mapping, by=by)
    return factories.make_client(
        UserPool.objects.get(pk=pool.pk),
        allowed_oauth_flows_user_pool_client=True,
        allowed_oauth_flows=["code"],
        allowed_oauth_scopes=["openid", "email"],
        callback_urls=[CALLBACK],
        supported_identity_providers=["COGNITO", NAME],
    )


def trips(app: AppClient, people: range) -> list[list[str]]:
    """Begin a trip for each of these people; return the addresses at which they come back, and their cookies."""
    from pools.ports import NO_WISHES
    from pools.services.providers import our_side
    from pools.services.providers import trips as began

    pool, found = app.pool, []
    provider = began.named(app, name=NAME)
    if provider is None:
        raise RuntimeError("the provider is not there")
    asked = {
        "client_id": app.client_id,
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    for person in people:
        browser = secrets.token_urlsafe(24)
        query = urlencode(asked)
        back = our_side.of(pool, provider.type).callback
        url = began.depart(app, provider, query=query, back=back, browser=browser, wishes=NO_WISHES)
        [state], [nonce] = (parse_qs(urlsplit(url).query)[name] for name in ("state", "nonce"))
        address = {"email": f"upstream{person}@example.org", "email_verified": True}
        told = {"sub": f"upstream-{person}", "nonce": nonce, "given_name": "Ada", **address}
        answer = {"state": state, "code": base64.urlsafe_b64encode(json.dumps(told).encode()).decode()}
        cookie = f"cg-{pool.public_id.rpartition('_')[2]}-trip={browser}"
        found.append([f"/{pool.public_id}{PATH}?{urlencode(answer)}", cookie])
    return found


def come_back(port: int, browsers: list[list[str]]) -> dict[str, Any]:
    """Let the browsers' own process bring them back; return times and failures, as the load's does."""
    order = json.dumps({"port": port, "browsers": browsers})
    command = [sys.executable, "-m", "tests.bench.providers", "play"]
    done = subprocess.run(command, cwd=ROOT, input=order, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def statements(browser: list[str]) -> int:
    """Count the statements of somebody's way from the callback to the session, in this process."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    path, cookie = browser
    visitor = Client(headers={"host": settings.BASE_URL.split("://")[1]})
    name, _, value = cookie.partition("=")
    visitor.cookies[name] = value
    with CaptureQueriesContext(connection) as captured:
        joins = visitor.get(path, REMOTE_ADDR="127.0.0.2")
        done = visitor.get(joins["Location"], REMOTE_ADDR="127.0.0.2")
    if name.removesuffix("-trip") not in done.cookies:
        raise RuntimeError(f"{joins.status_code}, {done.status_code}: nobody is signed in")
    told = [query["sql"] or "" for query in captured.captured_queries]
    return sum(not text.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")) for text in told)


# -- the browsers ----------------------------------------------------------------------------------------------------


def sign_in(connection: Connection, port: int, path: str, cookie: str) -> int:
    """Come back and follow, until there is a session; return the last status, 0 where there is none."""
    session = cookie.partition("=")[0].removesuffix("-trip")
    status = 0
    for _ in range(2):
        status, _ = connection.ask(wire(port, ["GET", path, {"Cookie": cookie}, ""]))
        told = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in connection.lines)]
        if any(name == "set-cookie" and value.startswith(f"{session}=") for name, value in told):
            return status
        where = urlsplit(next((value for name, value in told if name == "location"), ""))
        path = f"{where.path}?{where.query}"
    return 0


def play(order: dict[str, Any]) -> dict[str, Any]:
    """Bring browsers back, some at once; return times, seconds, failures and statuses."""
    port, times, statuses = order["port"], [], []

    def share(browsers: list[list[str]]) -> None:
        connection = Connection(port)
        for path, cookie in browsers:
            began = perf_counter()
            status = sign_in(connection, port, path, cookie)
            statuses.append(status)
            if status in OK:
                times.append(perf_counter() - began)

    began = perf_counter()
    threads = [threading.Thread(target=share, args=(order["browsers"][n::AT_ONCE],)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = {str(status): statuses.count(status) for status in set(statuses)}
    failures = len(order["browsers"]) - len(times)
    return {"seconds": perf_counter() - began, "times": times, "failures": failures, "statuses": counted}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        Upstream(int(sys.argv[2])).serve_forever()
    json.dump(play(json.load(sys.stdin)), sys.stdout)
