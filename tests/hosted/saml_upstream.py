"""An identity provider that speaks SAML, as a browser brings its messages: nobody asks it but by that browser."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urljoin, urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from federation.saml import encrypting
from tests.federation.saml.identity_provider import (
    ISSUER,
    PROTOCOL,
    SAML,
    Element,
    IdentityProvider,
    at,
    certificate,
    new_id,
    nothing,
    one,
    posted,
    put,
    rsa_key,
    written,
)
from tests.hosted.federation import CHALLENGE
from tests.hosted.world import Page, Visitor, World

SSO, SLO = "https://idp.example/sso", "https://idp.example/slo"
EMAIL, GROUP = "email", "http://schemas.xmlsoap.org/claims/Group"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
REDIRECT, POST = (f"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{name}" for name in ("Redirect", "POST"))


@dataclass
class Message:
    """What a browser was sent to a provider with."""

    root: Element
    relay_state: str
    query: str

    @property
    def id(self) -> str:
        """Return its ID."""
        return str(self.root.get("ID"))

    def is_signed_by(self, known: x509.Certificate) -> bool:
        """Say whether its query is signed by a certificate's key, as SAML bindings 3.4.4.1 has it."""
        covered, _, signature = self.query.partition("&Signature=")
        if not signature:
            return False
        key: Any = known.public_key()
        key.verify(base64.b64decode(parse_qs(f"s={signature}")["s"][0]), covered.encode(), PKCS1v15(), hashes.SHA256())
        return True


def sent(url: str, *, to: str, name: str = "SAMLRequest") -> Message:
    """Return the message that an address brings."""
    parts = urlsplit(url)
    assert url.startswith(to), url
    fields = dict(parse_qsl(parts.query))
    plain = zlib.decompress(base64.b64decode(fields[name]), -zlib.MAX_WBITS)
    return Message(etree.fromstring(plain), fields.get("RelayState", ""), parts.query)


@dataclass
class SamlProvider:
    """The provider, and what it tells of people."""

    name_id: str = "Ada.Lovelace"
    attributes: Mapping[str, Sequence[str]] = field(default_factory=lambda: {EMAIL: ["ada@corp.example"]})
    entity_id: str = ISSUER
    key: str = "the provider's"
    session: str = "_s1"
    signs: Sequence[str] = ("assertion",)
    encrypts_for: x509.Certificate | None = None
    binding: str = REDIRECT
    """By which it takes requests to sign in."""

    @property
    def metadata(self) -> str:
        """Return what it tells of itself."""
        told = base64.b64encode(certificate(rsa_key(self.key)).public_bytes(Encoding.DER)).decode()
        return f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
            xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{self.entity_id}">
          <md:IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}">
            <md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{told}</ds:X509Certificate>
            </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
            <md:SingleLogoutService Binding="{REDIRECT}" Location="{SLO}"/>
            <md:SingleSignOnService Binding="{self.binding}" Location="{SSO}"/>
          </md:IDPSSODescriptor></md:EntityDescriptor>"""

    def response(self, world: World, request_id: str = "", *, edit: Callable[[Element], None] = nothing) -> str:
        """Return a response to a request, or to none, as its page posts it."""

        def describe(root: Element) -> None:
            there, audience = f"{world.base}/saml2/idpresponse", f"urn:amazon:cognito:sp:{world.pool_id}"
            confirmed, name = one(root, ".//saml:SubjectConfirmationData"), one(root, ".//saml:NameID")
            root.set("Destination", there)
            confirmed.set("Recipient", there)
            for element in (root, confirmed):
                if request_id:
                    element.set("InResponseTo", request_id)
                else:
                    del element.attrib["InResponseTo"]
            one(root, ".//saml:Audience").text = audience
            name.text = self.name_id
            name.set("SPNameQualifier", audience)
            one(root, ".//saml:AuthnStatement").set("SessionIndex", self.session)
            statement = one(root, ".//saml:AttributeStatement")
            statement[:] = []
            for claim, values in self.attributes.items():
                told = put(statement, "saml:Attribute", Name=claim)
                for value in values:
                    put(told, "saml:AttributeValue", value)
            edit(root)

        def encrypt(root: Element) -> None:
            if self.encrypts_for is not None:
                assertion = one(root, "saml:Assertion")
                root.remove(assertion)
                root.append(encrypting.encrypted(assertion, self.encrypts_for))

        issued = IdentityProvider(
            key=self.key, entity_id=self.entity_id, signs=self.signs, before=describe, encrypt=encrypt
        )
        return posted(issued.response())

    def redirect(self, url: str, root: Element, *, name: str, relay_state: str = "", is_signed: bool = True) -> str:
        """Return an address that brings a message, signed as a redirect is."""
        deflated = zlib.compress(written(root))[2:-4]
        query = f"{name}={quote(base64.b64encode(deflated), safe='')}"
        query += f"&RelayState={quote(relay_state, safe='')}" if relay_state else ""
        if is_signed:
            query += f"&SigAlg={quote(RSA_SHA256, safe='')}"
            made = rsa_key(self.key).sign(query.encode(), PKCS1v15(), hashes.SHA256())
            query += f"&Signature={quote(base64.b64encode(made), safe='')}"
        return f"{url}?{query}"

    def message(self, name: str, world: World, **attributes: str) -> Element:
        """Return a logout message that nobody signed."""
        told = {"ID": new_id(), "Version": "2.0", "IssueInstant": at(), "Destination": f"{world.base}/saml2/logout"}
        root = etree.Element(f"{{{PROTOCOL}}}{name}", {**told, **attributes}, nsmap={"samlp": PROTOCOL, "saml": SAML})
        put(root, "saml:Issuer", self.entity_id)
        return root

    def logout_request(self, world: World, *indexes: str) -> Element:
        """Return the request that somebody's sessions end."""
        root = self.message("LogoutRequest", world)
        put(root, "saml:NameID", self.name_id)
        for index in indexes:
            put(root, "samlp:SessionIndex", index)
        return root


class Federated:
    """A pool that sends people to the provider, and an app that offers it."""

    def __init__(self, world: World, upstream: SamlProvider, name: str = "Staff", **details: str) -> None:
        """Make both."""
        self.world, self.upstream, self.name = world, upstream, name
        world.idp.create_identity_provider(
            UserPoolId=world.pool_id,
            ProviderName=name,
            ProviderType="SAML",
            ProviderDetails={"MetadataFile": upstream.metadata, **details},
            AttributeMapping={"email": EMAIL},
        )
        self.app = world.app(f"By {name}", SupportedIdentityProviders=[name])

    def depart(self, visitor: Visitor | None = None, **parameters: str) -> tuple[Visitor, Message]:
        """Go to the provider; return who went, and with what."""
        visitor = visitor or self.world.visitor()
        asked = {"client_id": self.app, "identity_provider": self.name, "code_challenge": CHALLENGE, **parameters}
        visitor.open(self.world.url("/oauth2/authorize", **asked))
        return visitor, sent(visitor.here.url, to=SSO)

    def post(self, visitor: Visitor, response: str, relay_state: str) -> Page:
        """Bring a response as the provider's page does, without cookies; then the browser goes on with them."""
        answered = self.bring(response, relay_state)
        if answered.status_code != 303:
            visitor.page = Page(answered)
            return visitor.page
        return visitor.open(urljoin(answered.url, answered.headers["Location"]))

    def bring(self, response: str, relay_state: str) -> requests.Response:
        """Bring a response, and return what is answered at once."""
        given = {"SAMLResponse": response, "RelayState": relay_state}
        return requests.post(f"{self.world.base}/saml2/idpresponse", data=given, allow_redirects=False, timeout=30)

    def sign_in(self, visitor: Visitor | None = None, **parameters: str) -> Page:
        """Go there and come back."""
        visitor, asked = self.depart(visitor, **parameters)
        return self.post(visitor, self.upstream.response(self.world, asked.id), asked.relay_state)
