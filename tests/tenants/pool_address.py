"""A pool's two addresses, and a browser or application in front of them that shows whatever cookie it is told to."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from pools.web import form_guard
from pools.web.browser import BrowserCookies, PageState
from tests.tenants.tenant import CALLBACK, PASSWORD, Answer, App, Person, Tenant, answered

NONCE = "n" * 32
CHANGING = re.compile(r"[0-9a-f]{96}|[0-9a-f]{64}|[0-9a-f-]{36}|'date': '[^']*'|[\w-]{200,}|'content-length': '\d+'")


@dataclass(frozen=True)
class PoolAddress:
    """One of a pool's addresses."""

    tenant: Tenant
    kind: str
    """``path``, the pool's id in the path; ``host``, the pool's own host."""

    def send(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request without following where the answer leads. ``cookies`` go as they are, in one header."""
        tenant, headers = self.tenant, dict(more.pop("headers", {}))
        cookies = more.pop("cookies", {})
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        url = f"{tenant.live.base_url}/{tenant.pool_id}/{path}"
        if self.kind == "host":
            url = f"http://127.0.0.1:{tenant.live.port}/{path}"
            headers["Host"] = tenant.host
        return answered(requests.request(method, url, headers=headers, allow_redirects=False, timeout=30, **more))


def asking(tenant: Tenant, app: App | None = None) -> dict[str, str]:
    """Return an application's authorization request."""
    app = app or tenant.public
    return {"client_id": app.id, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid email"}


def location(answer: Answer) -> str:
    """Return where a redirect leads; empty for none."""
    found = re.search(r"'[Ll]ocation': '([^']*)'", answer.told)
    return found[1] if found else ""


def code(tenant: Tenant, app: App) -> str:
    """Return an authorization code of the pool's person."""
    address = PoolAddress(tenant, "path")
    answer = address.send(
        "GET", f"oauth2/authorize?{urlencode(asking(tenant, app))}", cookies={tenant.cookie: tenant.session()}
    )
    return dict(parse_qsl(urlsplit(location(answer)).query))["code"]


def granted(tenant: Tenant, app: App) -> dict[str, Any]:
    """Return tokens of the pool's person, got by a code."""
    form = {"grant_type": "authorization_code", "code": code(tenant, app), "redirect_uri": CALLBACK}
    answer = PoolAddress(tenant, "path").send("POST", "oauth2/token", data={**form, **credentials(app)})
    assert answer.status == 200, answer
    return answer.json


def credentials(app: App) -> dict[str, str]:
    """Return how an app proves itself in a form."""
    return {"client_id": app.id, **({"client_secret": app.secret} if app.secret else {})}


def form_token(tenant: Tenant, form: str) -> str:
    """Return the token that a page of the pool gives to a browser with our nonce."""
    browser: Any = SimpleNamespace(form_nonce=lambda: NONCE, pool=SimpleNamespace(public_id=tenant.pool_id))
    return form_guard.token(browser, form)


def holding(kind: str, tenant: Tenant) -> dict[str, str]:
    """Return all that a browser holds of a pool: a session, the nonce, and a sign-in that waits for its next step.

    ``kind`` is that step: a new password, or an authenticator's code.
    """
    step = tenant.steps.get(kind)
    if step is None:
        person = tenant.invited() if kind == "new password" else tenant.challenged()[0]
        step = tenant.steps[kind] = waiting(tenant, person)
    return {tenant.cookie: tenant.session(), f"{tenant.cookie}-form": NONCE, f"{tenant.cookie}-step": step}


def waiting(tenant: Tenant, person: Person) -> str:
    """Return the cookie of a sign-in that waits for its next step."""
    form = {form_guard.FIELD: form_token(tenant, "sign_in"), "username": person.name, "password": PASSWORD}
    url = f"{tenant.live.base_url}/{tenant.pool_id}/login?{urlencode(asking(tenant))}"
    cookies = {f"{tenant.cookie}-form": NONCE}
    answer = requests.post(url, data=form, cookies=cookies, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text
    return str(answer.cookies[f"{tenant.cookie}-step"])


def lifted(tenant: Tenant, query: str) -> str:
    """Return the cookie of a step that is of a pool, though kept for this request, whoever's it is."""
    request: Any = SimpleNamespace(COOKIES={f"{tenant.cookie}-form": NONCE}, is_secure=lambda: False)
    browser = BrowserCookies(request, tenant.row, query)
    browser.keep(PageState(username=tenant.ann.name, challenge="totp", attempt_token="s"))
    return browser._seal()


def renamed(cookies: dict[str, str], of: Tenant, to: Tenant) -> dict[str, str]:
    """Return one pool's cookies under the names of another's."""
    return {name.replace(of.cookie, to.cookie): value for name, value in cookies.items()}


def shape(answer: Answer) -> Answer:
    """Return an answer without what differs each time."""
    return replace(answer, asked="", told=CHANGING.sub("", answer.told), body="")
