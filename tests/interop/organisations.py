"""A pool whose people come from an identity provider that others wrote, and a browser that goes both ways."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests

from tests.hosted.federation import CHALLENGE, VERIFIER
from tests.hosted.upstream import heading
from tests.hosted.world import CALLBACK, TIMEOUT, Page, Visitor, World
from tests.live import Live
from tests.oidc.world import claims

STEPS = 20
"""How often a browser is sent on before somebody gives up."""
CARRIED = {"SAMLRequest", "SAMLResponse"}


class Browser(Visitor):
    """A browser with scripts: it goes to providers too, and sends the forms that carry messages of SAML.

    What one site has another's browser post arrives without cookies, as those of ``SameSite=Lax`` do.
    """

    def __init__(self, world: World) -> None:
        """Start with no cookies, having seen no messages."""
        super().__init__(world, world.visitor().address)
        self.carried: list[dict[str, str]] = []

    def _follow(self, method: str, url: str, **more: Any) -> Page:
        for _ in range(STEPS):
            answered = self.ask(method, url, **more)
            method, more = "GET", {}
            if answered.is_redirect:
                url = urljoin(url, answered.headers["Location"])
                if not url.startswith(CALLBACK):
                    continue
                answered.url, answered._content = url, b""
            self.page = Page(answered)
            if onward := leads_to(self.page):
                url = urljoin(answered.url, onward)
                continue
            form = next((each for each in self.page.read.forms if CARRIED & set(each.values)), None)
            if form is None:
                return self.page
            self.carried.append(form.values)
            method, url = "POST", urljoin(answered.url, form.action)
            more = {
                "data": form.values,
                "headers": {"Origin": "{0.scheme}://{0.netloc}".format(urlsplit(answered.url))},
            }
        raise AssertionError(f"sent on more than {STEPS} times")

    def ask(self, method: str, url: str, **more: Any) -> requests.Response:
        """Ask for an address, once."""
        for cookie in self.session.cookies:
            cookie.secure = False  # browsers send to this machine what is for https alone, too
        here = urlsplit(self.page.url).hostname if self.page is not None else None
        if method == "GET" or here == urlsplit(url).hostname:
            return self.session.request(method, url, allow_redirects=False, timeout=TIMEOUT, **more)
        answered = requests.request(method, url, allow_redirects=False, timeout=TIMEOUT, **more)
        self.session.cookies.update(answered.cookies)
        return answered

    def fill_in(self, **typed: str) -> Page:
        """Fill in the form of the present page that asks for these, and send it."""
        found = next(at for at, form in enumerate(self.here.read.forms) if set(typed) <= set(form.values))
        return self.submit(typed, form=found)

    def agree(self) -> Page:
        """Send the form of the present page as it is, its button being a field of it."""
        form = self.here.form
        return self._follow("POST", urljoin(self.here.url, form.action), data=form.values)

    def open_frames(self) -> None:
        """Open what the present page has in frames, each by itself."""
        page = self.here
        for tag, given in page.read.tags:
            if tag == "iframe":
                self.open(urljoin(page.url, given["src"]))


def leads_to(page: Page) -> str:
    """Return where a page leads by itself; empty where it stays."""
    told = (given for tag, given in page.read.tags if tag == "meta" and given.get("http-equiv") == "refresh")
    return next(told, {}).get("content", "").partition("url=")[2]


class Organisation:
    """A pool, an app, and a provider whose people alone the app lets in."""

    name = "Staff"

    def __init__(self, live: Live) -> None:
        """Make a pool, which the provider may read of before anything is known of the provider."""
        self.world = World(live, mfa="OFF", by_email=False)
        self.app = ""

    @property
    def entity_id(self) -> str:
        """Return what the pool is called at the provider."""
        return f"urn:amazon:cognito:sp:{self.world.pool_id}"

    @property
    def metadata(self) -> str:
        """Return what the pool tells of itself."""
        return requests.get(f"{self.world.base}/saml2/metadata", timeout=TIMEOUT).text

    def trust(self, mapping: Mapping[str, str], **details: str) -> None:
        """Have people come from a provider."""
        self.world.idp.create_identity_provider(
            UserPoolId=self.world.pool_id,
            ProviderName=self.name,
            ProviderType="SAML",
            ProviderDetails=details,
            AttributeMapping=mapping,
        )
        self.app = self.world.app(f"By {self.name}", SupportedIdentityProviders=[self.name])

    def browser(self) -> Browser:
        """Return a browser that has been nowhere."""
        return Browser(self.world)

    def depart(self, browser: Browser, **parameters: str) -> Page:
        """Go to the provider; return its page, or what it leads to for somebody whom it knows."""
        asked = {"client_id": self.app, "identity_provider": self.name, "code_challenge": CHALLENGE, **parameters}
        return browser.open(self.world.url("/oauth2/authorize", **asked))

    @property
    def portal(self) -> str:
        """Return what a provider's portal brings as RelayState. AWS: SAML session initiation."""
        asked = {
            "identity_provider": self.name,
            "client_id": self.app,
            "redirect_uri": self.world.callback,
            "response_type": "code",
            "scope": "openid email",
        }
        return urlencode(asked)

    def told(self, page: Page, *, verifier: str = VERIFIER) -> dict[str, Any]:
        """Trade the code of a page for tokens; return what the ID token says."""
        given = {"grant_type": "authorization_code", "code": page.code, "client_id": self.app}
        more = {"redirect_uri": self.world.callback, **({"code_verifier": verifier} if verifier else {})}
        answer = requests.post(f"{self.world.base}/oauth2/token", data=given | more, timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text
        return claims(answer.json()["id_token"])

    def knows(self, browser: Browser) -> bool:
        """Say whether a browser's session at the pool lives."""
        return heading(browser.open(f"{self.world.base}/account")) == "Your account"

    def sign_out(self, browser: Browser) -> Page:
        """Sign out of the pool, and so of the provider."""
        browser.open(f"{self.world.base}/account")
        return browser.submit()


def is_encrypted(response: str) -> bool:
    """Say whether a response, as it was carried, has its assertion encrypted."""
    plain = base64.b64decode(response)
    return b"EncryptedAssertion" in plain and b"AttributeStatement" not in plain
