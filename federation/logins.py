"""Who verifies logins of providers that are not pools of ours. One readable table.

A provider that is missing here cannot be named by an identity pool: creating one says so. This release has none.
"""

from __future__ import annotations

from pools.ports import LoginVerifier

VERIFIERS: dict[str, LoginVerifier] = {}
"""By the provider's name in ``Logins``."""
