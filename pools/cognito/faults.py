"""Which exception of Amazon's a refusal of ours becomes. One table; no rule."""

from __future__ import annotations

from collections.abc import Mapping


class Fault(Exception):
    """An answer that is an error, in Amazon's words."""

    def __init__(
        self, code: str, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what the client will read."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})
