"""Responses of a SAML provider to sign-ins at an application, as that brings them to identity pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identity.foundation.saml_issuers import SamlProvider
from tests.federation.saml.edits import then
from tests.federation.saml.identity_provider import ACS, AUDIENCE, Edit, Element, IdentityProvider, nothing, one, posted
from tests.federation.saml.identity_provider import put as add_to
from tests.hosted.saml_upstream import SamlProvider as Upstream

CORP = "arn:aws:iam::000000000000:saml-provider/corp"
ROLE = "https://aws.amazon.com/SAML/Attributes/Role"


def described() -> str:
    """Return the provider's metadata."""
    return Upstream().metadata


def at(metadata: str) -> SamlProvider:
    """Return the provider as the installation trusts it, whose metadata are at a place."""
    return SamlProvider(metadata, AUDIENCE, ACS)


def telling(**attributes: Sequence[str]) -> Edit:
    """Return an edit after which an assertion tells nothing but this, and roles by the short name ``role``."""

    def edit(root: Element) -> None:
        statement = one(root, "//saml:AttributeStatement")
        statement[:] = []
        for name, values in attributes.items():
            made = add_to(statement, "saml:Attribute", Name=ROLE if name == "role" else name)
            for value in values:
                add_to(made, "saml:AttributeValue", value)

    return edit


def response(subject: str = "ada", edit: Edit = nothing, **provider: Any) -> str:
    """Return a response about somebody, edited before it is signed, as a login of an identity pool."""

    def name(root: Element) -> None:
        one(root, "//saml:NameID").text = subject

    return posted(IdentityProvider(before=then(name, edit), **provider).response())
