"""Authlib's client of a provider, by requests. ``token_requests`` imports it when a provider is first asked."""

from __future__ import annotations

from typing import Any

from authlib.integrations.requests_client import OAuth2Session

from identity.foundation import http_sessions


class UpstreamSession(OAuth2Session, http_sessions.GuardedSession):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client with no way out but ours: guarded addresses, no redirects, capped and timed answers."""

    def __init__(self, **client: Any) -> None:
        """Be a client of a provider."""
        OAuth2Session.__init__(self, **client)
        self.guard(http_sessions.adapter())
