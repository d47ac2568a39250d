"""An application that speaks SAML, as a browser brings its messages: it asks a pool who somebody is, and reads that."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from federation.saml import documents, metadata, responses, signatures, signing
from federation.saml.metadata import IdentityProviderMetadata
from federation.saml.responses import STATUS, SignedIn
from federation.saml.rules import Expected
from federation.saml.signing import SigningKey
from tests.federation.saml.identity_provider import (
    PROTOCOL,
    SAML,
    SUCCESS,
    Edit,
    Element,
    at,
    certificate,
    new_id,
    nothing,
    posted,
    put,
    rsa_key,
    written,
)
from tests.hosted.saml_upstream import RSA_SHA256, Message, sent
from tests.hosted.world import PASSWORD, Page, Visitor, World

ENTITY_ID, ACS, SLO = "https://wiki.example/saml", "https://wiki.example/saml/acs", "https://wiki.example/saml/slo"
ITS_KEY = "an application's"


def told_certificate(key: str = ITS_KEY) -> str:
    """Return the certificate of a key, DER in base64."""
    return base64.b64encode(certificate(rsa_key(key)).public_bytes(Encoding.DER)).decode()


class Application:
    """An application of a pool. It signs what it sends where it is registered with a certificate."""

    def __init__(self, world: World, *, client: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Register it for an app client of its own."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.providers import saml_applications

        self.world = world
        self.settings = {"entity_id": ENTITY_ID, "acs_urls": [ACS], **settings}
        self.entity_id, self.acs = self.settings["entity_id"], self.settings["acs_urls"][0]
        self.key = ITS_KEY if settings.get("certificates") else ""
        self.client_id = world.app("Wiki", **(client or {}))
        with world.live.orm():
            pool = access.pool(world.pool_id)
            registered = access.client_in(pool, self.client_id)
            saml_applications.create(pool, registered, self.settings, by=Actor.system())
        self.asked = ""
        """The ID of its last request."""

    @property
    def sso(self) -> str:
        """Return where the pool takes requests."""
        return f"{self.world.base}/saml2/idp/sso"

    @property
    def pool(self) -> IdentityProviderMetadata:
        """Return what the pool tells of itself."""
        return metadata.read(requests.get(f"{self.world.base}/saml2/idp/metadata", timeout=30).content)

    def request(self, edit: Edit = nothing) -> Element:
        """Return a request, which says no more than it must before it is edited."""
        self.asked = new_id()
        root = etree.Element(
            f"{{{PROTOCOL}}}AuthnRequest",
            {"ID": self.asked, "Version": "2.0", "IssueInstant": at(), "Destination": self.sso},
            nsmap={"samlp": PROTOCOL, "saml": SAML},
        )
        put(root, "saml:Issuer", self.entity_id)
        edit(root)
        return root

    def redirect(self, url: str, root: Element, *, field: str = "SAMLRequest", relay_state: str = "") -> str:
        """Return an address that brings a message, signed as a redirect is."""
        deflated = zlib.compress(written(root))[2:-4]
        query = f"{field}={quote(base64.b64encode(deflated), safe='')}"
        query += f"&RelayState={quote(relay_state, safe='')}" if relay_state else ""
        if self.key:
            query += f"&SigAlg={quote(RSA_SHA256, safe='')}"
            made = rsa_key(self.key).sign(query.encode(), PKCS1v15(), hashes.SHA256())
            query += f"&Signature={quote(base64.b64encode(made), safe='')}"
        return f"{url}?{query}"

    def ask(self, visitor: Visitor, edit: Edit = nothing, *, relay_state: str = "") -> Page:
        """Send a browser with a request, by redirect."""
        return visitor.open(self.redirect(self.sso, self.request(edit), relay_state=relay_state))

    def ask_by_form(self, visitor: Visitor, edit: Edit = nothing, *, relay_state: str = "") -> Page:
        """Send a browser with a request, by a form of our page, which brings no cookies; then it goes on with them."""
        root = self.request(edit)
        if self.key:
            root = signing.signed(root, SigningKey(rsa_key(self.key), certificate(rsa_key(self.key))))
        fields = {"SAMLRequest": posted(root), "RelayState": relay_state}
        answered = requests.post(self.sso, data=fields, allow_redirects=False, timeout=30)
        if answered.status_code != 303:
            visitor.page = Page(answered)
            return visitor.page
        return visitor.open(urljoin(answered.url, answered.headers["Location"]))

    def expected(self, **changes: Any) -> Expected:
        """Return what an answer has to be."""
        usual = {
            "issuer": f"{self.world.base}/saml2/idp/metadata",
            "certificates": self.pool.certificates,
            "acs_url": self.acs,
            "audience": self.entity_id,
            "request_id": self.asked,
        }
        return Expected(**{**usual, **changes})

    def read(self, page: Page, **changes: Any) -> SignedIn:
        """Return who the pool says is there."""
        assert page.form.action == changes.get("acs_url", self.acs), (page.status, page.url, page.read.title)
        return responses.read(page.form.values["SAMLResponse"], self.expected(**changes))

    def status(self, page: Page) -> str:
        """Return why nobody is signed in: the innermost code of an answer that the pool signed."""
        assert page.form.action == self.acs, (page.status, page.url, page.read.title)
        answer = documents.parse(base64.b64decode(page.form.values["SAMLResponse"]))
        root = signatures.verified(answer, self.pool.certificates)
        assert (root.get("InResponseTo"), root.get("Destination")) == (self.asked, self.acs)
        assert root.find(f"{{{SAML}}}Assertion") is None
        codes = root.findall(f".//{{{PROTOCOL}}}StatusCode")
        return str(codes[-1].get("Value")).removeprefix(STATUS)

    @property
    def slo(self) -> str:
        """Return where the pool takes logout messages."""
        return f"{self.world.base}/saml2/idp/slo"

    def logout_message(self, name: str, **attributes: str) -> Element:
        """Return a logout message that nobody signed, and that says no more than who sends it."""
        told = {"ID": new_id(), "Version": "2.0", "IssueInstant": at(), "Destination": self.slo}
        root = etree.Element(f"{{{PROTOCOL}}}{name}", {**told, **attributes}, nsmap={"samlp": PROTOCOL, "saml": SAML})
        put(root, "saml:Issuer", self.entity_id)
        return root

    def logout_request(self, known: SignedIn, *indexes: str, edit: Edit = nothing) -> str:
        """Return an address that brings the request that somebody's sessions end: all of theirs without an index."""
        root = self.logout_message("LogoutRequest")
        put(root, "saml:NameID", known.name_id.value)
        for index in indexes:
            put(root, "samlp:SessionIndex", index)
        edit(root)
        self.asked = root.get("ID")
        return self.redirect(self.slo, root, relay_state="theirs")

    def logout_answer(self, asked: Message, status: str = SUCCESS, *, edit: Edit = nothing) -> str:
        """Return an address that brings the answer to a request to sign somebody out."""
        root = self.logout_message("LogoutResponse", InResponseTo=asked.id)
        put(put(root, "samlp:Status"), "samlp:StatusCode", Value=status)
        edit(root)
        return self.redirect(self.slo, root, field="SAMLResponse", relay_state=asked.relay_state)

    def told_to_sign_out(self, url: str) -> Message:
        """Return the request to sign somebody out that a browser was sent with."""
        found = sent(url, to=self.settings["slo_url"])
        assert found.root.tag == f"{{{PROTOCOL}}}LogoutRequest"
        assert found.is_signed_by(self.pool.certificates[0])
        return found

    def outcome(self, page: Page) -> str:
        """Return what the pool answers to this application's own request to sign somebody out."""
        found = sent(page.url, to=self.settings["slo_url"], name="SAMLResponse")
        assert found.root.tag == f"{{{PROTOCOL}}}LogoutResponse"
        assert found.is_signed_by(self.pool.certificates[0])
        assert (found.root.get("InResponseTo"), found.relay_state) == (self.asked, "theirs")
        return str(found.root.findall(f".//{{{PROTOCOL}}}StatusCode")[-1].get("Value")).removeprefix(STATUS)

    def sign_in(self, visitor: Visitor, name: str, edit: Edit = nothing) -> SignedIn:
        """Have somebody sign in, asked by this application."""
        self.ask(visitor, edit)
        return self.read(visitor.submit(username=name, password=PASSWORD))
