"""Two pools of which one sends its people to the other: an identity provider as a browser meets it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import requests

from tests.hosted.world import CALLBACK, PASSWORD, Page, Visitor, World
from tests.live import Live
from tests.oidc.world import claims

CORP = "Corp"
MAPPING = {"email": "email", "email_verified": "email_verified"}
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class Federation:
    """A pool that sends people to another one."""

    def __init__(self, live: Live, *, upstream: Live | None = None, callback: str = CALLBACK, **settings: Any) -> None:
        """Make both, each registered with the other; ``upstream`` is another installation, if one is meant."""
        self.up, self.down = World(upstream or live, callback=callback), World(live, callback=callback, **settings)
        made = self.up.idp.create_user_pool_client(
            UserPoolId=self.up.pool_id,
            ClientName="Downstream",
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=["openid", "email", "profile"],
            CallbackURLs=[f"{self.down.base}/oauth2/idpresponse"],
            LogoutURLs=[f"{self.down.base}/oauth2/idplogout"],
            SupportedIdentityProviders=["COGNITO"],
        )["UserPoolClient"]
        self.details = {
            "client_id": made["ClientId"],
            "client_secret": made["ClientSecret"],
            "authorize_scopes": "openid email profile",
            "oidc_issuer": self.up.base,
            "attributes_request_method": "GET",
        }
        self.idp = self.down.idp
        self.idp.create_identity_provider(
            UserPoolId=self.down.pool_id,
            ProviderName=CORP,
            ProviderType="OIDC",
            ProviderDetails=self.details,
            AttributeMapping=MAPPING,
        )
        self.down.client_id = self.down.app("Both ways", SupportedIdentityProviders=["COGNITO", CORP])

    def visitor(self, **parameters: str) -> Visitor:
        """Return a browser that comes from the app to the pool below."""
        visitor = self.down.visitor()
        visitor.open(self.down.url("/oauth2/authorize", code_challenge=CHALLENGE, **parameters))
        return visitor

    def sign_in(self, name: str, visitor: Visitor | None = None) -> Page:
        """Go to the provider and sign in there; return where that leads."""
        visitor = visitor or self.visitor()
        visitor.follow(f"Continue with {CORP}")
        assert visitor.here.url.startswith(self.up.base), visitor.here.text
        return visitor.submit(username=name, password=PASSWORD)

    def claims(self, page: Page) -> dict[str, Any]:
        """Trade the code of a page for tokens; return what the ID token says."""
        return claims(self.tokens(page)["id_token"])

    def tokens(self, page: Page, client_id: str = "") -> dict[str, Any]:
        """Trade the code of a page for tokens."""
        given = {"grant_type": "authorization_code", "code": page.code, "client_id": client_id or self.down.client_id}
        more = {"redirect_uri": self.down.callback, "code_verifier": VERIFIER}
        answer = requests.post(f"{self.down.base}/oauth2/token", data=given | more, timeout=30)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def sign_out_there_too(self) -> None:
        """Have whoever signs out of the pool below sign out of the provider, as an operator switches it on."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.providers import identity_providers

        with self.down.live.orm():
            pool = access.pool(self.down.pool_id)
            identity_providers.update(pool, CORP, changes={"signs_out": True}, by=Actor.system())

    def be_strict(self) -> None:
        """Have the apps of both pools follow OpenID Connect to the letter, as an operator switches it on."""
        from identity.foundation.actor import Actor
        from pools.services import access
        from pools.services.pools import app_clients

        with self.down.live.orm():
            for world, client_id in ((self.up, self.details["client_id"]), (self.down, self.down.client_id)):
                client = access.client_in(access.pool(world.pool_id), client_id)
                app_clients.update(client, {"openid_strict": True}, by=Actor.system())

    def user(self, username: str) -> dict[str, Any]:
        """Return somebody as an administrator sees them, attributes as a map."""
        found: dict[str, Any] = self.idp.admin_get_user(UserPoolId=self.down.pool_id, Username=username)
        return found | {"attributes": {each["Name"]: each["Value"] for each in found["UserAttributes"]}}

    def users(self) -> int:
        """Count the accounts of the pool below."""
        return len(self.idp.list_users(UserPoolId=self.down.pool_id)["Users"])

    def sub(self, name: str) -> str:
        """Return who somebody is at the provider."""
        found = self.up.idp.admin_get_user(UserPoolId=self.up.pool_id, Username=name)
        return next(str(each["Value"]) for each in found["UserAttributes"] if each["Name"] == "sub")

    def refusals(self) -> list[dict[str, Any]]:
        """Return what the audit log says of sign-ins that failed, oldest first."""
        from pools.models import AuditEvent

        with self.down.rows() as pool:
            rows = AuditEvent.objects.filter(pool_id=pool.pk, tag="provider_login_refused").order_by("id")
            return [row.detail for row in rows]
