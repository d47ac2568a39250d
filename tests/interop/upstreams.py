"""Somebody's way to an OpenID provider that others wrote, through its own pages, and back."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urljoin

import pytest
import requests

from federation import discovery, provider_keys
from identity.foundation.errors import DomainError
from pools import ports
from pools.ports import ExternalIdentity, UpstreamWishes
from tests import providers
from tests.federation.emulator import Form

CALLBACK = "https://pool.example/oauth2/idpresponse"
OURS = providers.ours(CALLBACK)
SECRET = "a secret of at least thirty-two characters"
STEPS = 12
"""How often a browser is sent on before somebody gives up."""


class Trip:
    """Somebody's way to a provider and back."""

    def __init__(self, issuer: str, client: str, **details: str) -> None:
        """Be about to go there, with nothing held of earlier trips."""
        discovery.documents.forget_everything()
        provider_keys.documents.forget_everything()
        self.kind = ports.provider_kinds["OIDC"]
        given = {
            "client_id": client,
            "client_secret": SECRET,
            "authorize_scopes": "openid email profile",
            "oidc_issuer": issuer,
            "attributes_request_method": "GET",
            **details,
        }
        self.details = self.kind.check_details({key: value for key, value in given.items() if value})
        self.answer: dict[str, str] = {}

    def go(self, typed: Mapping[str, str], *, wishes: UpstreamWishes = ports.NO_WISHES, aborts: bool = False) -> Trip:
        """Go through the provider's pages: type what its forms ask for and agree, or turn back."""
        self.redirect = self.kind.start(self.details, OURS, state="the-state", wishes=wishes)
        self.seen: list[str] = []
        with requests.Session() as browser:
            answered = browser.get(self.redirect.url, allow_redirects=False)
            for _ in range(STEPS):
                for cookie in browser.cookies:
                    cookie.secure = False  # browsers send to localhost what is for https alone, too
                there = answered.headers.get("location", "")
                if there.startswith(CALLBACK):
                    self.answer = dict(parse_qsl(there.partition("?")[2]))
                    assert self.answer["state"] == "the-state"
                    return self
                if there:
                    answered = browser.get(urljoin(answered.url, there), allow_redirects=False)
                    continue
                assert answered.status_code == 200, answered.text
                self.seen.append(answered.text)
                form = Form()
                form.feed(answered.text)
                if aborts:
                    answered = browser.get(f"{form.action}/abort", allow_redirects=False)
                    continue
                known = {name: text for name, text in typed.items() if name in form.fields}
                answered = browser.post(form.action, data={**form.fields, **known}, allow_redirects=False)
        raise AssertionError(f"sent on more than {STEPS} times")

    def finish(self) -> ExternalIdentity:
        """Return who came back."""
        return self.kind.finish(self.details, OURS, self.redirect, self.answer)

    def login(self) -> ports.VerifiedLogin:
        """Return whose login the ID token is that the code is traded for, as an identity pool sees it."""
        client = self.details["client_id"]
        given = {
            "grant_type": "authorization_code",
            "code": self.answer["code"],
            "redirect_uri": CALLBACK,
            "client_id": client,
            "client_secret": self.details["client_secret"],
            "code_verifier": self.redirect.kept["verifier"],
        }
        token = requests.post(self.details["token_url"], data=given, timeout=10).json()["id_token"]
        issuer = self.details["oidc_issuer"]
        return ports.issuer_verifiers[ports.OPENID].verify(token, issuer=issuer, audiences=["another", client])

    def refused(self) -> DomainError:
        """Return why nobody did."""
        with pytest.raises(DomainError) as caught:
            self.finish()
        return caught.value
