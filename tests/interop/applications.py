"""A pool that is the identity provider of applications that others wrote, and a browser that goes both ways."""

from __future__ import annotations

import base64
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import urlsplit

import requests
from lxml import etree

from tests.federation.saml.identity_provider import Edit, one
from tests.hosted.upstream import heading
from tests.hosted.world import PASSWORD, TIMEOUT, From, Page, World
from tests.interop import organisations
from tests.live import Live

ATTRIBUTES = {"mail": "email", "member": "cognito:groups"}
"""What each application is told of people, by its own names."""
GROUPS = ("admins", "R&D")


class Browser(organisations.Browser):
    """A browser at one address, which sends cookies of ``SameSite=None`` with what one site has it post to another.

    Its owner may edit the responses that it carries.
    """

    def __init__(self, world: World, edit: Edit | None = None) -> None:
        """Start with no cookies."""
        super().__init__(world)
        self.edit = edit

    def ask(self, method: str, url: str, **more: Any) -> requests.Response:
        """Ask for an address, once."""
        response = more.get("data", {}).get("SAMLResponse")
        if response and self.edit is not None:
            root = etree.fromstring(base64.b64decode(response))
            self.edit(root)
            more["data"] = {**more["data"], "SAMLResponse": base64.b64encode(etree.tostring(root)).decode()}
        here = urlsplit(self.page.url).hostname if self.page is not None else None
        if method == "GET" or here == urlsplit(url).hostname:
            return super().ask(method, url, **more)
        with requests.Session() as elsewhere:
            elsewhere.mount("http://", From(self.address))
            kept = {each.name: each.value or "" for each in self.session.cookies if goes_everywhere(each, url)}
            answered = elsewhere.request(method, url, cookies=kept, allow_redirects=False, timeout=TIMEOUT, **more)
        self.session.cookies.update(answered.cookies)
        return answered


def goes_everywhere(cookie: Cookie, url: str) -> bool:
    """Say whether a cookie is of an address's host, and goes there from other sites too."""
    same_site = str(cookie.get_nonstandard_attr("SameSite") or "")
    return (
        same_site.lower() == "none" and cookie.domain.removeprefix(".").removesuffix(".local") == urlsplit(url).hostname
    )


def rename(response: etree._Element) -> None:
    """Have a response say that it is somebody else."""
    one(response, ".//saml:NameID").text = "somebody-else"


class Employer:
    """A pool whose people go to applications by SAML."""

    def __init__(self, live: Live) -> None:
        """Make a pool that knows no application yet."""
        self.world = World(live, mfa="OFF", by_email=False)
        for group in GROUPS:
            self.world.idp.create_group(UserPoolId=self.world.pool_id, GroupName=group)

    @property
    def metadata_url(self) -> str:
        """Return where the pool tells of itself, which is what it is called too."""
        return f"{self.world.base}/saml2/idp/metadata"

    @property
    def metadata(self) -> str:
        """Return what the pool tells of itself."""
        return requests.get(self.metadata_url, timeout=TIMEOUT).text

    @property
    def certificate(self) -> str:
        """Return the certificate of the pool's key, as Amazon tells it: DER in base64."""
        return str(self.world.idp.get_signing_certificate(UserPoolId=self.world.pool_id)["Certificate"])

    def register(self, metadata: bytes, **settings: Any) -> None:
        """Register an application by what it tells of itself, for an app of its own."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.providers import saml_applications

        client_id = self.world.app("By SAML", ReadAttributes=["email"])
        with self.world.live.orm():
            pool = access.pool(self.world.pool_id)
            told = saml_applications.of_metadata(metadata)
            chosen = {**told, "attributes": ATTRIBUTES, **settings}
            saml_applications.create(pool, access.client_in(pool, client_id), chosen, by=Actor.system())

    def person(self) -> str:
        """Make somebody who is in every group; return the name they sign in by."""
        name = self.world.person()
        for group in GROUPS:
            found = {"Username": name, "GroupName": group}
            self.world.idp.admin_add_user_to_group(UserPoolId=self.world.pool_id, **found)
        return name

    def browser(self, edit: Edit | None = None) -> Browser:
        """Return a browser that has been nowhere."""
        return Browser(self.world, edit)

    def sign_in(self, browser: Browser, name: str) -> Page:
        """Type a name and a password on the pool's page, to which an application led."""
        assert heading(browser.here) == "Sign in", (browser.here.url, browser.here.text)
        return browser.submit(username=name, password=PASSWORD)

    def begin(self, browser: Browser, entity_id: str, relay_state: str = "") -> Page:
        """Begin a sign-in at an application here."""
        asked = requests.Request("GET", f"{self.world.base}/saml2/idp/sso")
        asked.params = {"entity_id": entity_id, **({"RelayState": relay_state} if relay_state else {})}
        return browser.open(str(asked.prepare().url))

    def knows(self, browser: Browser) -> bool:
        """Say whether a browser's session at the pool lives."""
        return heading(browser.open(f"{self.world.base}/account")) == "Your account"

    def sign_out(self, browser: Browser) -> Page:
        """Sign out at the pool, and so of every application."""
        browser.open(f"{self.world.base}/account")
        return browser.submit()
