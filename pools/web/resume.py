"""The addresses at which a browser goes on: at what it came for (``interactions`` says), or to sign in first."""

from __future__ import annotations

from collections.abc import Mapping

from django.urls import reverse
from django.utils.http import urlencode

from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind


def url(kind: Kind, query: str = "") -> str:
    """Return the address at which what a browser came for goes on, with the query that it came with."""
    return reverse(interactions.RESUMES_AT[kind]) + (f"?{query}" if query else "")


def sign_in_url(parameters: Mapping[str, str], *, at_provider: bool = False) -> str:
    """Return the address of the login page, which goes on to what these parameters ask.

    ``at_provider`` it is the way to the identity provider that they name.
    """
    return f"{reverse('hosted:provider' if at_provider else 'hosted:sign_in')}?{urlencode(parameters)}"
