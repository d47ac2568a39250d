"""Two pools with people and apps, operators to sign in, and a browser without script."""

from __future__ import annotations

import html
import itertools
import random
import re
import time
from dataclasses import dataclass
from typing import Any

import pyotp
import requests
from requests.adapters import HTTPAdapter

from tests import factories
from tests.live import Live

PASSWORD = "a quiet harbour in november"
SCRIPT = "<script>alert(1)</script>"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Person:
    """An operator, as a person knows them."""

    id: int
    username: str
    secret: str

    def code(self, ahead: int = 0) -> str:
        """Return what the authenticator shows, or will show."""
        return pyotp.TOTP(self.secret).at(int(time.time()) + 30 * ahead)


class From(HTTPAdapter):
    """Connections from an address of their own, so that one visitor's rate is not another's."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Choose one of this machine's sixteen million."""
        address = ".".join(["127", *(str(random.SystemRandom().randrange(1, 255)) for _ in range(3))])
        super().init_poolmanager(*args, **more, source_address=(address, 0))


class Visitor(requests.Session):
    """A browser without script: keeps cookies, sends forms with the token of the page they are on."""

    def __init__(self, base_url: str) -> None:
        """Know where the console is."""
        super().__init__()
        self.base_url = base_url
        self.trust_env = False
        self.mount("http://", From())

    def request(  # type: ignore[override]
        self, method: str | bytes, url: str | bytes, **more: Any
    ) -> requests.Response:
        """Send, without following where an answer leads."""
        more["allow_redirects"] = False  # Session.get asks for the opposite
        more.setdefault("timeout", 30)
        where = url if str(url).startswith("http") else self.base_url + str(url)
        return super().request(method, where, **more)

    def send_form(self, path: str, *, page: str = "", **data: object) -> requests.Response:
        """Open a page and send its form."""
        shown = self.get(page or path)
        found = TOKEN.search(shown.text)
        assert found, f"{page or path} has no form: {shown.status_code} {shown.text[:300]}"
        return self.post(path, data={"csrfmiddlewaretoken": html.unescape(found[1]), **data})

    def sign_in(self, who: Person, ahead: int = 0) -> requests.Response:
        """Show both factors."""
        first = self.send_form("/console/sign-in", username=who.username, password=PASSWORD)
        assert first.headers.get("Location") == "/console/sign-in/code", (first.status_code, first.text[:2000])
        return self.send_form("/console/sign-in/code", code=who.code(ahead))


class World:
    """What the tests of the console look at."""

    def __init__(self, live: Live) -> None:
        """Make two pools; the first with more users than a page holds."""
        self.live = live
        self.base_url = live.base_url
        self._names = itertools.count()
        with live.orm():
            from identity.foundation.actor import Actor
            from pools.services import access
            from pools.services.people import users
            from pools.services.pools import app_clients, resource_servers, user_pools

            by = Actor.system()
            self.pool, self.other_pool = (
                user_pools.create(
                    name, settings={"username_attributes": ["email"], "auto_verified_attributes": ["email"]}, by=by
                )
                for name in ("Harbour, Sons", "Next door")
            )
            self.pool_id, self.other_pool_id = (self.pool.public_id, self.other_pool.public_id)
            resource_servers.create(
                self.pool, identifier="photos", name="Photos", scopes=[{"name": "read", "description": "Look"}], by=by
            )
            self.subs = [
                str(
                    users.create(
                        self.pool,
                        f"person{number:02}@example.com",
                        attributes={
                            "email": f"person{number:02}@example.com",
                            "email_verified": "true",
                            "given_name": SCRIPT,
                        },
                        temporary_password=None,
                        message="suppress",
                        by=by,
                    ).sub
                )
                for number in range(32)
            ]
            self.other_sub = str(
                users.create(
                    self.other_pool,
                    "neighbour@example.com",
                    attributes={"email": "neighbour@example.com"},
                    temporary_password=None,
                    message="suppress",
                    by=by,
                ).sub
            )
            url = {"callback_urls": ["https://app.example.com/callback"]}
            oauth = {
                "allowed_oauth_flows": ["code"],
                "allowed_oauth_flows_user_pool_client": True,
                "allowed_oauth_scopes": ["openid"],
                "supported_identity_providers": ["COGNITO"],
            }
            self.client_id = app_clients.create(self.pool, "Front", settings={**oauth, **url}, by=by).client_id
            self.other_client_id = app_clients.create(
                self.other_pool, "Their front", settings={**oauth, **url}, by=by
            ).client_id
            self.provider_id, self.other_provider_id = (
                str(factories.make_provider(pool).id) for pool in (self.pool, self.other_pool)
            )
            self.application_id, self.other_application_id = (
                str(factories.make_saml_application(access.client(client_id)).id)
                for client_id in (self.client_id, self.other_client_id)
            )
        self.admin = self.operator()
        self.session = Visitor(self.base_url)
        assert self.session.sign_in(self.admin).status_code == 303
        with live.orm():
            from identity.models import Operator
            from pools.services.operators import operators

            self.key = operators.create_key(Operator.objects.get(id=self.admin.id), by=by)

    def operator(self, *, enrolled: bool = True, password: str | None = PASSWORD) -> Person:
        """Make an operator."""
        with self.live.orm():
            from identity.foundation.actor import Actor
            from pools.services.operators import operator_sign_in, operators

            by = Actor.system()
            who = operators.create(f"operator-{next(self._names)}", password=password, by=by)
            secret = operator_sign_in.enrol(who, by=by, confirmed=True) if enrolled else ""
        return Person(who.pk, who.username, secret)

    def visitor(self) -> Visitor:
        """Return a browser that has been nowhere."""
        return Visitor(self.base_url)

    def inside(self, who: Person | None = None) -> Visitor:
        """Return a browser that is signed in, by default as an operator of its own."""
        visitor = self.visitor()
        answer = visitor.sign_in(who or self.operator())
        assert answer.status_code == 303, answer.text[:2000]
        return visitor

    def api(self, method: str, path: str, **more: Any) -> requests.Response:
        """Call the management API with the access key."""
        headers = {"Authorization": "Bearer " + ".".join(self.key), **more.pop("headers", {})}
        return self.visitor().request(method, f"/api/v1{path}", headers=headers, **more)

    def pools(self) -> list[str]:
        """Return the ids of all pools."""
        from pools.models import UserPool

        with self.live.orm():
            return list(UserPool.objects.filter(deleted_at=None).order_by("id").values_list("public_id", flat=True))
