# pretend: pools/hosted/sniffing.py
"""A page that finds out by itself where to go."""

from __future__ import annotations

from collections.abc import Mapping


def url(parameters: Mapping[str, str]) -> str:
    """Return where a browser goes on."""
    return "/oauth2/authorize" if "response_type" in parameters else "/account"
