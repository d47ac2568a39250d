"""Details that several kinds of providers have, as operators are asked for them. What they may hold is ``details``."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from pools.ports.kinds import Control, Detail, Text

CLIENT_ID, CLIENT_SECRET = gettext_lazy("Client ID"), gettext_lazy("Client secret")
USUAL = {
    "email": "email",
    "email_verified": "email_verified",
    "name": "name",
    "given_name": "given_name",
    "family_name": "family_name",
}
"""Attributes and the claims of OpenID Connect Core 5.1 that hold them."""


def client_secret(label: Text = CLIENT_SECRET, text: Text = "", *, is_required: bool = True) -> Detail:
    """Return the field of our secret at a provider."""
    return Detail("client_secret", label, text, Control.SECRET, is_required)


def scopes(initial: str) -> Detail:
    """Return the field of what is asked for."""
    text = gettext_lazy("What is asked for, with a space between each two.")
    return Detail("authorize_scopes", gettext_lazy("Scopes"), text, initial=initial)


def endpoint(name: str, label: Text) -> Detail:
    """Return the field of an address that discovery tells."""
    return Detail(name, label, control=Control.ADDRESS, is_required=False)
