"""Writes the request that a browser takes to an identity provider (SAML core 3.4.1, SAML profiles 4.1.4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from federation.saml import messages
from federation.saml.messages import Message
from federation.saml.rules import saml, samlp
from federation.saml.writing import put

POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
Comparison = Literal["exact", "minimum", "maximum", "better"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a provider. What is left out, it decides."""

    issuer: str
    """What we call ourselves there: our entity id."""
    destination: str
    """Where the provider takes requests."""
    acs_url: str
    """Where it shall bring its response, by POST."""
    name_id_format: str = ""
    force_authn: bool = False
    """It shall ask people who they are even though it knows."""
    is_passive: bool = False
    """It shall ask people nothing."""
    authn_contexts: Sequence[str] = ()
    """Classes of assurance."""
    comparison: Comparison = "exact"
    """How the assurance compares with those classes (SAML core 3.3.2.2.1)."""


def authn_request(asked: Asked) -> Message:
    """Return an AuthnRequest, whose ID the response will name."""
    message = messages.begin("AuthnRequest", issuer=asked.issuer, destination=asked.destination)
    root = message.root
    root.set("AssertionConsumerServiceURL", asked.acs_url)
    root.set("ProtocolBinding", POST)
    if asked.force_authn:
        root.set("ForceAuthn", "true")
    if asked.is_passive:
        root.set("IsPassive", "true")
    policy = put(root, samlp("NameIDPolicy"), AllowCreate="true")
    if asked.name_id_format:
        policy.set("Format", asked.name_id_format)
    if asked.authn_contexts:
        wanted = put(root, samlp("RequestedAuthnContext"), Comparison=asked.comparison)
        for name in asked.authn_contexts:
            put(wanted, saml("AuthnContextClassRef"), name)
    return message
