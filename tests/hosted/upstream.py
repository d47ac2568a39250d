"""People who go from a pool to an identity provider of the tests', beside the live installation, and come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import requests

from tests.federation.emulator import brought_back, running
from tests.federation.openid_provider import OpenIdProvider
from tests.hosted.federation import CHALLENGE, MAPPING
from tests.hosted.world import Page, Visitor, World

OVER = "This sign-in is over"


def heading(page: Page) -> str:
    """Return what a page about something that stopped says first."""
    return page.read.title.removeprefix("Error: ").partition(" – ")[0]


class Sent:
    """A browser that was sent to a provider, and what that has it bring back, which it has not yet."""

    def __init__(
        self, world: World, client_id: str, provider: str, visitor: Visitor | None = None, **parameters: str
    ) -> None:
        """Go there."""
        self.world = world
        self.visitor = visitor or world.visitor()
        asked = {"client_id": client_id, "identity_provider": provider, "code_challenge": CHALLENGE, **parameters}
        self.visitor.open(world.url("/oauth2/authorize", **asked))
        self.place, self.answer = brought_back(self.visitor.here.url)
        assert self.place == f"{world.base}/oauth2/idpresponse"

    def url(self, **changed: str) -> str:
        """Return the address at which the browser comes back; what is changed to nothing is left out."""
        given = {name: value for name, value in {**self.answer, **changed}.items() if value}
        return f"{self.place}?{urlencode(given)}"

    def back(self, **changed: str) -> Page:
        """Come back."""
        return self.visitor.open(self.url(**changed))

    def post(self) -> Page:
        """Come back by a form of the provider's page, which brings no cookies; then the browser asks for the answer."""
        posted = requests.post(self.place, data=self.answer, allow_redirects=False, timeout=30)
        assert posted.status_code == 303, posted.text
        return self.visitor.open(requests.compat.urljoin(self.place, posted.headers["Location"]))


@contextmanager
def openid(world: World, name: str) -> Iterator[tuple[OpenIdProvider, str]]:
    """Run an OpenID provider to which a pool sends people under this name; gives an app of theirs too."""
    found = OpenIdProvider()
    with running(found):
        world.idp.create_identity_provider(
            UserPoolId=world.pool_id,
            ProviderName=name,
            ProviderType="OIDC",
            ProviderDetails=found.details(),
            AttributeMapping=MAPPING,
        )
        yield found, world.app(f"By {name}", SupportedIdentityProviders=["COGNITO", name])


def accounts(world: World) -> list[tuple[Any, ...]]:
    """Return who has an account in a pool, as it is, and which logins are whose."""
    from pools.models import ExternalLogin, User

    with world.rows() as pool:
        people = User.objects.filter(pool_id=pool.pk).order_by("id").values_list("id", "status", "modified_at")
        logins = ExternalLogin.objects.filter(pool_id=pool.pk).order_by("id").values_list("id", "user_id", "subject")
        return [*people, *logins]


def refusals(world: World, provider: str) -> list[dict[str, Any]]:
    """Return what the audit log says of sign-ins at a provider that failed, oldest first, its name left out."""
    from pools.models import AuditEvent

    with world.rows() as pool:
        rows = AuditEvent.objects.filter(pool_id=pool.pk, tag="provider_login_refused", subject=provider).order_by("id")
        return [{name: value for name, value in row.detail.items() if name != "provider"} for row in rows]
