"""A relying party that believes nothing unchecked, as the OpenID Foundation's suite is one.

Each check is one that the suite counts as a failure (OIDCCServerTest and what it is made of); the tests say what is
sent.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from time import time
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from tests.oidc import pages
from tests.oidc.world import CALLBACK, TEXTS, TYPES, App, Browser, Person, World

Json = dict[str, Any]
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""What an error's description may hold (RFC 6749 section 5.2)."""
SKEW = 300
"""Seconds that the suite lets two clocks differ."""


@dataclass(frozen=True)
class Signed:
    """A sign-in that was checked: what the token endpoint issued, and what the ID token says."""

    issued: Json
    told: Json


class Party:
    """An app with a secret, registered by hand, that finds the rest by discovery."""

    def __init__(self, world: World, app: App, person: Person) -> None:
        """Read the discovery document and the keys."""
        self.world, self.app, self.person = world, app, person
        self.document: Json = requests.get(f"{world.issuer}/.well-known/openid-configuration", timeout=20).json()
        self.keys = KeySet.import_key_set(requests.get(self.document["jwks_uri"], timeout=20).json())

    # -- the authorization endpoint

    def request(self, **asked: str | None) -> dict[str, str]:
        """Return an authorization request with a state and a nonce of its own. None leaves a parameter out."""
        given = {
            "client_id": self.app.id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(96),
            "nonce": secrets.token_urlsafe(32),
            **asked,
        }
        return {name: value for name, value in given.items() if value is not None}

    def sent(self, browser: Browser, asked: dict[str, str], *, method: str = "GET") -> str:
        """Return where the authorization endpoint sends a browser, a posted request's way by GET included."""
        url, session = self.document["authorization_endpoint"], browser.session
        if method == "POST":
            posted = session.post(url, asked, allow_redirects=False, timeout=20)
            assert posted.status_code == 303, posted.text
            answer = session.get(urljoin(url, posted.headers["Location"]), allow_redirects=False, timeout=20)
        else:
            answer = session.get(url, params=asked, allow_redirects=False, timeout=20)
        assert answer.is_redirect, answer.text
        return str(urljoin(url, answer.headers["Location"]))

    def signs_in(self, browser: Browser, asked: dict[str, str], *, method: str = "GET") -> str:
        """Have the person sign in over the pages, which must be shown, and return the code."""
        page = self.sent(browser, asked, method=method)
        assert page.startswith(f"{self.world.issuer}/login?"), page
        return self.code(pages.sign_in(browser.session, page, self.person.email, until=CALLBACK), asked)

    def silently(self, browser: Browser, asked: dict[str, str]) -> str:
        """Return the code for a browser that must see no page."""
        return self.code(self.sent(browser, asked), asked)

    def code(self, location: str, asked: dict[str, str]) -> str:
        """Return the code that an answer brings to the redirect URI, with the state and our issuer."""
        assert location.partition("?")[0] == CALLBACK, location
        told = dict(parse_qsl(location.partition("?")[2], strict_parsing=True))
        code = told.pop("code")
        assert told == {"state": asked["state"], "iss": self.document["issuer"]}
        assert len(code) * 8 >= 128
        return code

    def is_refused(self, location: str, asked: dict[str, str], errors: set[str]) -> None:
        """Check an error that is told to the redirect URI."""
        assert location.partition("?")[0] == CALLBACK, location
        told = dict(parse_qsl(location.partition("?")[2], strict_parsing=True))
        assert told.keys() <= {"error", "error_description", "error_uri", "state", "iss"}
        assert (told.get("state"), told["iss"]) == (asked.get("state"), self.document["issuer"])
        assert told["error"] in errors
        assert DESCRIPTION.fullmatch(told["error_description"])

    def shows_an_error(self, browser: Browser, location: str) -> None:
        """Check that a browser stays with us, at a page that says what is wrong."""
        assert location.startswith(f"{self.world.issuer}/error?"), location
        page = browser.session.get(location, allow_redirects=False, timeout=20)
        assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
        assert "<h1" in page.text

    # -- the token endpoint and userInfo

    def token(self, form: dict[str, str], *, by_form: bool = False) -> requests.Response:
        """Ask the token endpoint, proving the app by the header or by the form."""
        proof = {"client_id": self.app.id, "client_secret": str(self.app.secret)} if by_form else {}
        headers = {} if by_form else self.app.basic()
        return requests.post(self.document["token_endpoint"], {**form, **proof}, headers=headers, timeout=20)

    def issued(self, answer: requests.Response) -> Json:
        """Check an answer with tokens and return it (RFC 6749 section 5.1)."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Pragma"] == "no-cache"
        found: Json = answer.json()
        assert found["token_type"].lower() == "bearer"
        assert type(found["expires_in"]) is int
        assert found["expires_in"] > 0
        for name in ("access_token", "refresh_token"):
            assert re.fullmatch(r"[\x20-\x7e]{16,}", found.get(name, "none, which is fine"))
        return found

    def is_no_grant(self, answer: requests.Response) -> None:
        """Check the refusal of a grant (RFC 6749 section 5.2)."""
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (400, "application/json")
        assert answer.json()["error"] == "invalid_grant"
        assert DESCRIPTION.fullmatch(answer.json()["error_description"])

    def finished(self, code: str, asked: dict[str, str], *, by_form: bool = False, **more: str) -> Signed:
        """Redeem a code; check the answer and the ID token, and that the access token opens userInfo."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"], **more}
        issued = self.issued(self.token(form, by_form=by_form))
        told = self.id_token(issued, asked.get("nonce"))
        assert self.world.user_info(issued["access_token"]).status_code == 200
        return Signed(issued, told)

    def id_token(self, issued: Json, nonce: str | None) -> Json:
        """Check an ID token and return its claims (OpenID Connect Core sections 2, 3.1.3.7 and 5.1)."""
        header = jws.extract_compact(issued["id_token"].encode()).headers()
        assert header["alg"] == "RS256"
        key = self.keys.get_by_kid(header["kid"])
        told = dict(jwt.decode(issued["id_token"], key, algorithms=["RS256"]).claims)
        assert (told["iss"], told["aud"], told.get("nonce")) == (self.document["issuer"], self.app.id, nonce)
        assert told["exp"] > time() - SKEW
        assert told["auth_time"] <= told["iat"] < time() + SKEW
        assert "azp" not in told
        assert told["sub"] == self.person.sub
        digest = hashlib.sha256(issued["access_token"].encode()).digest()
        assert told["at_hash"] == base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")
        are_typed(told)
        return told

    def user_info(self, signed: Signed, way: str = "get") -> Json:
        """Ask userInfo by one of three ways, check what it says, and return that (section 5.3.2)."""
        url, token = self.document["userinfo_endpoint"], signed.issued["access_token"]
        header = {"Authorization": f"Bearer {token}"}
        answer = {
            "get": lambda: requests.get(url, headers=header, timeout=20),
            "post, header": lambda: requests.post(url, headers=header, timeout=20),
            "post, body": lambda: requests.post(url, {"access_token": token}, timeout=20),
        }[way]()
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
        found: Json = answer.json()
        assert found["sub"] == signed.told["sub"]
        assert not {"_claim_names", "_claim_sources"} & found.keys()
        are_typed(found)
        return found

    # -- a whole sign-in

    def signed_in(self, ago: int = 0) -> Browser:
        """Return a browser that signed in some seconds ago, by the short cut of the tests."""
        return self.world.browser(self.person, signed_in_ago=ago)

    def once(self, browser: Browser | None = None, **asked: str | None) -> Signed:
        """Sign in without a page, and check all that comes of it."""
        given = self.request(**asked)
        return self.finished(self.silently(browser or self.signed_in(), given), given)

    # -- the end session endpoint

    def leaves(self, browser: Browser, **asked: str) -> requests.Response:
        """Come to the end session endpoint; return the page that is shown in the end, or the redirect away from us."""
        return self.followed(browser, requests.Request("GET", self.document["end_session_endpoint"], params=asked))

    def confirms(self, browser: Browser, page: requests.Response) -> requests.Response:
        """Press the button of the page that asks, and return where that ends."""
        form = pages.Form(page)
        return self.followed(browser, requests.Request("POST", form.action, data=form.fields))

    def followed(self, browser: Browser, first: requests.Request) -> requests.Response:
        """Send a request and follow redirects as long as they lead to us."""
        answer = browser.session.send(browser.session.prepare_request(first), allow_redirects=False, timeout=20)
        for _ in range(5):
            location = urljoin(answer.url, answer.headers.get("Location", ""))
            if not answer.is_redirect or urlsplit(location).netloc != urlsplit(self.world.issuer).netloc:
                return answer
            answer = browser.session.get(location, allow_redirects=False, timeout=20)
        raise AssertionError("too many redirects")

    def is_out(self, browser: Browser) -> None:
        """Check that a browser is signed out."""
        asked = self.request(prompt="none")
        self.is_refused(self.sent(browser, asked), asked, NEEDS_A_PAGE)


NEEDS_A_PAGE = {"interaction_required", "login_required", "account_selection_required", "consent_required"}
"""Errors that say that no page may be shown but one is needed (OpenID Connect Core section 3.1.2.6)."""


def are_typed(told: Json) -> None:
    """Check that standard claims are of the standard's types (section 5.1), and that a time of change can be one."""
    wrong = {name: value for name, value in told.items() if name in TEXTS and type(value) is not str}
    wrong |= {name: told[name] for name, kind in TYPES.items() if name in told and type(told[name]) is not kind}
    assert not wrong
    assert set(map(type, told.get("address", {"": ""}).values())) == {str}
    assert 631_152_000 <= told.get("updated_at", time()) <= time() + SKEW  # 1990
    assert re.fullmatch(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?", told.get("birthdate", "1990"))


def unsigned(told: Json) -> str:
    """Return a JWT that nobody signed."""
    parts = ({"alg": "none"}, told)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
