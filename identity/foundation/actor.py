"""Who acts: every write is told, and every audit row names it. What one may do is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts."""

    kind: str
    id: str = ""
    address: str = ""
    request_id: str = ""
    is_api: bool = False
    """Through Cognito's wire API: what Amazon does there, and pages do otherwise, may hang on it."""

    @classmethod
    def operator(cls, operator_id: object, *, address: str = "", request_id: str = "") -> Actor:
        """Return one who runs the installation, through console, management API or a signed wire call."""
        return cls("operator", str(operator_id), address, request_id)

    @classmethod
    def user(cls, sub: object, *, address: str = "", request_id: str = "") -> Actor:
        """Return a signed-in person of a pool."""
        return cls("user", str(sub), address, request_id)

    @classmethod
    def client(cls, client_id: str, *, address: str = "", request_id: str = "") -> Actor:
        """Return an application acting for itself."""
        return cls("client", client_id, address, request_id)

    @classmethod
    def visitor(cls, *, address: str = "", request_id: str = "") -> Actor:
        """Return someone who has proven nothing."""
        return cls("visitor", "", address, request_id)

    @classmethod
    def import_(cls, job: str = "", *, address: str = "", request_id: str = "") -> Actor:
        """Return an import job."""
        return cls("import", job, address, request_id)

    @classmethod
    def system(cls, *, address: str = "", request_id: str = "") -> Actor:
        """Return the installation itself: a periodic task, a command."""
        return cls("system", "", address, request_id)
