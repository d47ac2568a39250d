"""Signing in at OpenID providers that others wrote: panva's oidc-provider with its own pages, and oauth2-mock-server.

Both run in Node, from ``tests/interop/node/package-lock.json``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urljoin

import pytest
import requests

from federation import discovery, provider_keys
from identity.foundation.errors import DomainError, LoginRefused, OutsideUnavailable
from pools import ports
from pools.ports import ExternalIdentity, LoginDenied, UpstreamWishes
from tests import node_packages, servers
from tests.federation.emulator import Form

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

HERE = Path(__file__).parent
CALLBACK = "https://pool.example/oauth2/idpresponse"
SECRET = "a secret of at least thirty-two characters"
STEPS = 12
"""How often a browser is sent on before somebody gives up."""


@contextmanager
def started(program: str) -> Iterator[str]:
    """Run a provider; return its issuer."""
    folder = node_packages.folder(HERE / "node", "upstreams")
    settings = {"port": servers.free_port(), "secret": SECRET, "callback": CALLBACK}
    with subprocess.Popen(
        ["node", program], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            process.stdin.write(f"{json.dumps(settings)}\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield json.loads(line)["issuer"]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def openid_provider() -> Iterator[str]:
    """Run panva's provider."""
    with started("openid_provider.mjs") as issuer:
        yield issuer


@pytest.fixture(scope="module")
def mock_server() -> Iterator[str]:
    """Run the one that forges."""
    with started("mock_server.mjs") as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def nothing_held() -> None:
    """Start each test with nothing held."""
    discovery.documents.forget_everything()
    provider_keys.documents.forget_everything()


class Trip:
    """Somebody's way to a provider and back."""

    def __init__(self, issuer: str, client: str, **details: str) -> None:
        """Be about to go there."""
        self.kind = ports.provider_kinds["OIDC"]
        given = {
            "client_id": client,
            "client_secret": SECRET,
            "authorize_scopes": "openid email profile",
            "oidc_issuer": issuer,
            "attributes_request_method": "GET",
            **details,
        }
        self.details = self.kind.check_details({key: value for key, value in given.items() if value})
        self.answer: dict[str, str] = {}

    def go(self, login: str = "", *, wishes: UpstreamWishes = ports.NO_WISHES, aborts: bool = False) -> Trip:
        """Go through the provider's pages: sign in by any password and agree, or turn back."""
        self.redirect = self.kind.start(self.details, state="the-state", callback=CALLBACK, wishes=wishes)
        self.seen: list[str] = []
        with requests.Session() as browser:
            answered = browser.get(self.redirect.url, allow_redirects=False)
            for _ in range(STEPS):
                there = answered.headers.get("location", "")
                if there.startswith(CALLBACK):
                    self.answer = dict(parse_qsl(there.partition("?")[2]))
                    assert self.answer["state"] == "the-state"
                    return self
                if there:
                    answered = browser.get(urljoin(answered.url, there), allow_redirects=False)
                    continue
                assert answered.status_code == 200, answered.text
                self.seen.append(answered.text)
                form = Form()
                form.feed(answered.text)
                if aborts:
                    answered = browser.get(f"{form.action}/abort", allow_redirects=False)
                    continue
                typed = {"login": login, "password": "any"} if "login" in form.fields else {}
                answered = browser.post(form.action, data={**form.fields, **typed}, allow_redirects=False)
        raise AssertionError(f"sent on more than {STEPS} times")

    def finish(self) -> ExternalIdentity:
        """Return who came back."""
        return self.kind.finish(self.details, self.redirect, self.answer, callback=CALLBACK)

    def login(self) -> ports.VerifiedLogin:
        """Return whose login the ID token is that the code is traded for, as an identity pool sees it."""
        client = self.details["client_id"]
        given = {
            "grant_type": "authorization_code",
            "code": self.answer["code"],
            "redirect_uri": CALLBACK,
            "client_id": client,
            "client_secret": self.details["client_secret"],
            "code_verifier": self.redirect.kept["verifier"],
        }
        token = requests.post(self.details["token_url"], data=given, timeout=10).json()["id_token"]
        issuer = self.details["oidc_issuer"]
        return ports.issuer_verifiers[ports.OPENID].verify(token, issuer=issuer, audiences=["another", client])

    def refused(self) -> DomainError:
        """Return why nobody did."""
        with pytest.raises(DomainError) as caught:
            self.finish()
        return caught.value


# -- oidc-provider ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES256"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_signs_in_by_its_pages_comes_back(openid_provider: str, alg: str, method: str) -> None:
    trip = Trip(openid_provider, alg, attributes_request_method=method).go("ada")

    found = trip.finish()

    assert trip.answer["iss"] == openid_provider
    assert trip.redirect.kept["tells_issuer"] == "yes"
    assert len(trip.seen) == 2
    assert found.subject == "ada"
    assert (found.claims["email"], found.claims["email_verified"]) == ("ada@id.example", True)
    assert found.claims["name"] == "ada of interop"


@pytest.mark.parametrize("alg", ["RS256", "PS512", "ES256"])
def test_its_id_token_is_a_login(openid_provider: str, alg: str) -> None:
    found = Trip(openid_provider, alg).go("ada").login()

    assert (found.provider, found.subject, found.audience) == (openid_provider.partition("://")[2], "ada", alg)


def test_a_client_without_a_secret_comes_back_by_its_verifier(openid_provider: str) -> None:
    assert Trip(openid_provider, "public", client_secret="").go("ada").finish().subject == "ada"


def test_what_is_wished_for_reaches_its_pages(openid_provider: str) -> None:
    wishes = UpstreamWishes(login_hint="ada@id.example", prompt="login consent", acr_values="urn:example:gold")

    trip = Trip(openid_provider, "RS256").go("ada", wishes=wishes)

    assert 'value="ada@id.example"' in trip.seen[0]
    assert "urn:example:gold" in trip.seen[0]
    assert trip.finish().subject == "ada"


def test_who_turns_back_is_told_apart(openid_provider: str) -> None:
    refused = Trip(openid_provider, "RS256").go(aborts=True).refused()

    assert isinstance(refused, LoginDenied)
    assert refused.parameters["error"] == "access_denied"


def test_an_answer_without_its_name_is_refused(openid_provider: str) -> None:
    trip = Trip(openid_provider, "RS256").go("ada")
    del trip.answer["iss"]

    assert trip.refused().detail == "answer: no iss, which discovery promises"


def test_a_code_works_once_for_whoever_has_the_secret_and_the_verifier(openid_provider: str) -> None:
    wrong_secret = Trip(openid_provider, "RS256", client_secret="another secret of as many characters").go("ada")
    assert wrong_secret.refused().parameters["error"] == "invalid_client"

    mixed, other = Trip(openid_provider, "RS256").go("ada"), Trip(openid_provider, "RS256").go("ada")
    mixed.answer = other.answer
    assert mixed.refused().parameters["error"] == "invalid_grant"

    twice = Trip(openid_provider, "RS256").go("ada")
    twice.finish()
    assert twice.refused().parameters["error"] == "invalid_grant"


# -- oauth2-mock-server ----------------------------------------------------------------------------------------------


def test_whom_the_mock_server_approves_comes_back(mock_server: str) -> None:
    assert Trip(mock_server, "honest").go().finish().subject == "johndoe"


@pytest.mark.parametrize(
    ("forgery", "kind", "detail"),
    [
        ("aud", LoginRefused, "id token: aud is somebody else"),
        ("azp", LoginRefused, "id token: azp is somebody else"),
        ("iss", LoginRefused, "id token: iss is another issuer"),
        ("nonce", LoginRefused, "id token: nonce is another trip's"),
        ("expired", LoginRefused, "id token: exp is past"),
        ("future", LoginRefused, "id token: iat is to come"),
        ("sub", LoginRefused, "id token: sub is missing"),
        ("at_hash", LoginRefused, "id token: at_hash is another access token's"),
        ("kid", LoginRefused, "id token: no key of its kid for its alg"),
        ("none", LoginRefused, "id token: none in the token response"),
        ("userinfo", LoginRefused, "userinfo: sub is somebody else"),
        ("denied", LoginRefused, "the provider says invalid_grant"),
        ("down", OutsideUnavailable, "token endpoint: answers 503"),
    ],
)
def test_what_the_mock_server_forges_is_refused_by_name(
    mock_server: str, forgery: str, kind: type[DomainError], detail: str
) -> None:
    refused = Trip(mock_server, forgery).go().refused()

    assert (type(refused), refused.detail) == (kind, detail)


def test_whom_the_mock_server_approves_has_a_login(mock_server: str) -> None:
    assert Trip(mock_server, "honest").go().login().subject == "johndoe"


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        ("aud", ports.OTHER_APPLICATION),
        ("azp", ports.OTHER_APPLICATION),
        ("iss", ports.OTHER_ISSUER),
        ("expired", "Invalid login token. Token expired: "),
        ("future", "Invalid login token."),
        ("sub", "Invalid login token. Missing a required claim: sub"),
        ("kid", ports.NOT_SIGNED),
    ],
)
def test_what_the_mock_server_forges_is_no_login(mock_server: str, forgery: str, said: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        Trip(mock_server, forgery).go().login()

    assert caught.value.message.startswith(said) if forgery == "expired" else caught.value.message == said
