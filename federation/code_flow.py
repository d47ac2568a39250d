"""Signing in at a provider by an authorization code (RFC 6749 4.1): what all kinds of providers have in common.

A kind says what differs. Whom of ours somebody is, and what is shown to them, is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from federation.details import Table
from identity.foundation.errors import NotAvailable
from pools.ports import ExternalIdentity, UpstreamRedirect


class CodeFlow:
    """A kind of provider."""

    table: ClassVar[Table]

    def check_details(self, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return a provider's details, completed.

        Raises:
            Invalid: they cannot be right.

        """
        return self.table.completed(details)

    def start(self, details: Mapping[str, str], *, state: str, callback: str) -> UpstreamRedirect:
        """Refuse: not in this release."""
        del details, state, callback
        raise NotAvailable("Signing in by a provider is not available in this release.")

    def finish(
        self, details: Mapping[str, str], redirect: UpstreamRedirect, answer: Mapping[str, str], *, callback: str
    ) -> ExternalIdentity:
        """Refuse: not in this release."""
        del details, redirect, answer, callback
        raise NotAvailable("Signing in by a provider is not available in this release.")
