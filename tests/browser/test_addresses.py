"""The login pages at every address of a pool: over https, and at its prefix domain.

Names below ``localhost`` are the browser's to resolve: it takes all of them for this machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from joserfc import jws
from playwright.sync_api import Browser, BrowserContext, BrowserType, Error, Page, expect

from tests.browser.conftest import listen
from tests.hosted.world import OTHER_PASSWORD, PASSWORD, World
from tests.live import Live
from tests.oidc.world import Proof
from tests.pressing import submit
from tests.run.installation import Installation, lived_in, running

pytestmark = [pytest.mark.browser, pytest.mark.run, pytest.mark.timeout(300)]

ADDRESSES = {
    "https": "{tls_base_url}/{user_pool_id}",
    "https-domain": "https://{tls_domain}",
    "http-domain": "http://{domain}",
}
PATIENCE = 30


class InstalledWorld(Live):
    """An installation of ``make run``, where tests expect the live installation."""

    def __init__(self, installation: Installation) -> None:
        """Know how to reach it."""
        kept = installation.bootstrap()
        self.installation, self.base_url, self.region = installation, installation.base_url, kept["region"]
        self.access_key = (kept["access_key_id"], kept["secret_access_key"])

    def log(self, name: str) -> str:
        """Return what all parts have said."""
        del name
        return self.installation.said()


class Demo(World):
    """The demo's pool, which has a prefix domain, as it is reached at one of its addresses."""

    def __init__(self, installation: Installation, address: str, *, callback: str) -> None:
        """Make an app there."""
        kept = installation.bootstrap()
        self.live, self.callback, self.by_email = InstalledWorld(installation), callback, True
        self.idp = self.live.boto()
        self.pool_id, self.issuer = kept["user_pool_id"], kept["issuer"]
        self.client_id = self.app("Photos")
        self.base = address.format(**kept)
        self.duplicate = duplicate(self.base, kept)

    @property
    def is_secure(self) -> bool:
        """Say whether this address is https."""
        return self.base.startswith("https://")

    @property
    def cookie_name(self) -> str:
        """Return the name of the session's cookie."""
        return f"{'__Host-' if self.is_secure else ''}cg-{self.pool_id.rpartition('_')[2]}"

    def page(self, path: str) -> str:
        """Return the address of a page, of somebody who comes from no app's request."""
        return f"{self.base}{path}?client_id={self.client_id}"


def duplicate(base: str, kept: dict[str, Any]) -> str:
    """Return the same place by the other scheme."""
    parts = urlsplit(base)
    other = urlsplit(str(kept["base_url" if parts.scheme == "https" else "tls_base_url"]))
    return urlunsplit((other.scheme, f"{parts.hostname}:{other.port}", parts.path, "", ""))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Start what ``make run`` starts, and wait for https too."""
    with running(lived_in(tmp_path_factory.mktemp("addresses") / "var")) as started:
        until = monotonic() + PATIENCE
        while not listens(int(started.environment["TLS_PORT"])):
            assert monotonic() < until, started.said()[-3000:]
            sleep(0.1)
        yield started


def listens(port: int) -> bool:
    """Say whether a server is there. The one of https starts after that of http."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.fixture(scope="module")
def trusting(
    installation: Installation,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Browser]:
    """Return a Chromium whose user has trusted the local authority, in the store where Chromium looks for such.

    Errors of certificates are not ignored: a page that opens was served with a good one.
    """
    if not shutil.which("certutil"):
        pytest.skip("needs: certutil (apt-get install libnss3-tools)")
    home = tmp_path_factory.mktemp("home")
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for order in (
        ("-N", "--empty-password"),
        ("-A", "-n", "local", "-t", "C,,", "-i", str(installation.data_dir / "ca.pem")),
    ):
        subprocess.run(["certutil", "-d", f"sql:{store}", *order], check=True)
    opened = browser_type.launch(**{**browser_type_launch_args, "env": {**os.environ, "HOME": str(home)}})
    yield opened
    opened.close()


@pytest.fixture(params=ADDRESSES)
def pool(request: pytest.FixtureRequest, installation: Installation, app_url: str) -> Demo:
    """Return the pool at one of its addresses."""
    return Demo(installation, ADDRESSES[request.param], callback=app_url)


@pytest.fixture
def context(trusting: Browser, pool: Demo) -> Iterator[BrowserContext]:
    """Return a person's browser. A test fails in which a page complains, or anything but pool and app is asked."""
    opened = trusting.new_context()
    opened.set_default_timeout(PATIENCE * 1000)
    complaints, asked = list[str](), set[str]()
    opened.on("page", lambda page: listen(page, complaints))
    opened.on("request", lambda sent: asked.add("{0.scheme}://{0.netloc}".format(urlsplit(sent.url))))
    yield opened
    opened.close()
    assert complaints == []
    assert asked <= {
        "{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in (pool.base, pool.duplicate, pool.callback)
    }


@pytest.fixture
def person(context: BrowserContext) -> Page:
    """Return a page of that browser."""
    return context.new_page()


def heading(page: Page, text: str) -> None:
    """Wait for a page."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def sign_in(pool: Demo, page: Page, name: str) -> None:
    """Sign in to the account pages."""
    page.goto(pool.page("/login"))
    submit(page, username=name, password=PASSWORD)
    heading(page, "Your account")


def cookies(context: BrowserContext) -> dict[str, str]:
    """Return what a browser holds, by name."""
    return {str(cookie["name"]): str(cookie["value"]) for cookie in context.cookies()}


def test_from_sign_up_to_a_new_password_nothing_leaves_the_address(pool: Demo, person: Page) -> None:
    seen: list[str] = []
    person.on("framenavigated", lambda frame: seen.append(frame.url))
    name = pool.name()
    person.goto(pool.page("/signup"))
    submit(person, username=name, password=PASSWORD)
    submit(person, code=pool.mailed(name))
    heading(person, "Protect your account")
    person.get_by_role("link", name="Not now").click()
    heading(person, "Your account")
    person.get_by_role("button", name="Sign out").click()
    heading(person, "You are signed out")
    person.get_by_role("link", name="Sign in again").click()
    person.get_by_role("link", name="Forgot your password?").click()
    submit(person, username=name)
    submit(person, code=pool.mailed(name, count=2), new_password=OTHER_PASSWORD)
    heading(person, "Your account")

    assert len(seen) >= 7
    assert [url for url in seen if not url.startswith(f"{pool.base}/")] == []
    assert person.evaluate("getComputedStyle(document.querySelector('.card')).borderTopLeftRadius") != "0px"


def test_an_app_opens_a_window_and_gets_tokens_of_the_one_issuer(pool: Demo, person: Page) -> None:
    """The app asks from its own page, as an app without a server does: code, PKCE, and everything at this address."""
    name, proof = pool.person(), Proof()
    person.goto(pool.callback)
    with person.expect_popup() as opened:
        person.evaluate("(url) => { window.open(url) }", pool.url("/oauth2/authorize", state="s-1", **proof.challenge))
    window = opened.value
    submit(window, username=name, password=PASSWORD)
    heading(window, "Welcome back")

    said = dict(parse_qsl(urlsplit(window.url).query))
    assert (said["state"], said["iss"]) == ("s-1", pool.issuer)
    # Pages that cut themselves off from whoever opened them (COOP) would leave the app waiting.
    assert window.evaluate("window.opener !== null")
    form = {"grant_type": "authorization_code", "client_id": pool.client_id, "redirect_uri": pool.callback}
    issued = fetched(
        window, f"{pool.base}/oauth2/token", urlencode({**form, "code": said["code"], "code_verifier": proof.verifier})
    )
    told = jws.extract_compact(issued["id_token"].encode())
    assert isinstance(told.payload, bytes)
    assert f'"iss":"{pool.issuer}"' in told.payload.decode().replace(": ", ":")
    assert fetched(window, f"{pool.base}/oauth2/userInfo", token=issued["access_token"])["email"] == name
    document = fetched(window, f"{pool.base}/.well-known/openid-configuration")
    assert document["issuer"] == pool.issuer
    assert document["token_endpoint"] == f"{pool.issuer}/oauth2/token"
    assert told.headers()["kid"] in {
        key["kid"] for key in fetched(window, f"{pool.base}/.well-known/jwks.json")["keys"]
    }


def fetched(page: Page, url: str, form: str = "", *, token: str = "") -> dict[str, Any]:
    """Fetch JSON from a page of the app."""
    found: dict[str, Any] = page.evaluate(
        """async ([url, body, token]) => {
          const headers = token ? { Authorization: `Bearer ${token}` } : {};
          if (body) headers["Content-Type"] = "application/x-www-form-urlencoded";
          const answer = await fetch(url, { method: body ? "POST" : "GET", headers, body: body || undefined });
          return await answer.json();
        }""",
        [url, form, token],
    )
    return found


def test_cookies_are_for_this_place_alone_and_change_with_each_proof(
    pool: Demo, context: BrowserContext, person: Page
) -> None:
    name = pool.person()
    person.goto(pool.page("/login"))
    before = cookies(context)
    sign_in(pool, person, name)
    first = cookies(context)
    person.goto(pool.url("/oauth2/authorize", prompt="login"))
    submit(person, username=name, password=PASSWORD)
    heading(person, "Welcome back")
    second = cookies(context)

    assert [set(each) for each in (before, first, second)] == [
        {f"{pool.cookie_name}-form"},
        *[{pool.cookie_name, f"{pool.cookie_name}-form"}] * 2,
    ]
    for named in (pool.cookie_name, f"{pool.cookie_name}-form"):
        values = [each[named] for each in (before, first, second) if named in each]
        assert len(set(values)) == len(values), named
    for cookie in context.cookies():
        # No leading dot: no Domain was said, so no other host gets it.
        assert cookie["domain"] == urlsplit(pool.base).hostname
        assert (cookie["path"], cookie["sameSite"], cookie["httpOnly"]) == ("/", "Lax", True)
        assert cookie["secure"] is pool.is_secure


def test_the_other_scheme_of_the_same_place_knows_nobody(pool: Demo, context: BrowserContext, person: Page) -> None:
    """Neither the port nor, below localhost, Secure keeps Chromium from sending a cookie there: its name does."""
    sign_in(pool, person, pool.person())
    session = cookies(context)[pool.cookie_name]

    answer = person.goto(pool.page("/account").replace(pool.base, pool.duplicate))

    heading(person, "Sign in")
    assert person.url.startswith(f"{pool.duplicate}/login")
    assert answer is not None
    assert f"{pool.cookie_name}={session}" in answer.request.all_headers()["cookie"]
    person.goto(pool.page("/account"))
    heading(person, "Your account")


def test_a_password_manager_finds_where_a_password_is_changed(pool: Demo, person: Page) -> None:
    name = pool.person()
    person.goto(f"{pool.base}/.well-known/change-password")
    heading(person, "Sign in")
    submit(person, username=name, password=PASSWORD)
    heading(person, "Change your password")
    assert person.url.startswith(f"{pool.base}/account/password?")
    submit(person, password=PASSWORD, new_password=OTHER_PASSWORD)
    expect(person.get_by_role("status").first).to_have_text("Your password is changed.")
    assert person.url.startswith(f"{pool.base}/account?")


@pytest.mark.parametrize("pool", ["https"], indirect=True)
def test_a_session_of_one_pool_is_none_at_another_of_the_same_origin(
    pool: Demo, context: BrowserContext, person: Page
) -> None:
    other = World(pool.live, callback=pool.callback)
    elsewhere = f"{pool.base.replace(pool.pool_id, other.pool_id)}/account?client_id={other.client_id}"
    sign_in(pool, person, pool.person())
    session = next(cookie for cookie in context.cookies() if cookie["name"] == pool.cookie_name)

    person.goto(elsewhere)
    heading(person, "Sign in")
    renamed = f"__Host-cg-{other.pool_id.rpartition('_')[2]}"
    url = "{0.scheme}://{0.netloc}/".format(urlsplit(pool.base))
    context.add_cookies([{"name": renamed, "value": str(session["value"]), "url": url, "secure": True}])
    answer = person.goto(elsewhere)

    assert answer is not None
    assert f"{renamed}={session['value']}" in (answer.request.redirected_from or answer.request).all_headers()["cookie"]
    heading(person, "Sign in")


def test_the_certificate_is_good_for_every_name_and_only_with_the_local_authority(
    installation: Installation, browser: Browser
) -> None:
    kept = installation.bootstrap()
    port = int(installation.environment["TLS_PORT"])
    trust = ssl.create_default_context(cafile=kept["ca_file"])
    for name in ("localhost", "127.0.0.1", kept["tls_domain"].partition(":")[0]):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            trust.wrap_socket(plain, server_hostname=name) as secured,
        ):
            assert secured.version() == "TLSv1.3"

    stranger = browser.new_page()
    with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
        stranger.goto(f"{kept['tls_base_url']}/health/live")
    stranger.close()
