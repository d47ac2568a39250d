"""Apps that have no hosted pages: a machine's, one without OAuth, one whose people come by a provider alone.

Nobody signs up or recovers there unproven.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from pools.hosted.urls import urlpatterns
from tests import providers
from tests.hosted.world import CALLBACK, World

NEEDS_NO_APP = {
    *("error", "provider_answer", "provider_form", "provider_left", "saml_answer", "saml_metadata", "saml_sign_out"),
    *("saml_idp_metadata", "saml_slo", "saml_sso"),
}
OF_EACH_APP = {"confirm_link", "confirm_only"}
"""Where a mail's link leads, whatever app somebody signed up with."""
PATHS = sorted(str(each.pattern) for each in urlpatterns if each.name not in NEEDS_NO_APP | OF_EACH_APP)
WITHOUT: dict[str, dict[str, Any]] = {
    "without OAuth": {"AllowedOAuthFlowsUserPoolClient": False},
    "without OAuth, with a secret": {"AllowedOAuthFlowsUserPoolClient": False, "GenerateSecret": True},
    "of a machine": {
        "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthScopes": ["machines/read"],
        "GenerateSecret": True,
    },
    "of a machine, switched off": {
        "AllowedOAuthFlowsUserPoolClient": False,
        "AllowedOAuthFlows": ["client_credentials"],
        "AllowedOAuthScopes": ["machines/read"],
        "GenerateSecret": True,
    },
}


@pytest.fixture(scope="module")
def resources(world: World) -> None:
    """Give the pool something that machines ask for, and a provider."""
    scopes = [{"ScopeName": "read", "ScopeDescription": "read"}]
    world.idp.create_resource_server(UserPoolId=world.pool_id, Identifier="machines", Name="M", Scopes=scopes)
    world.idp.create_identity_provider(UserPoolId=world.pool_id, **providers.request("Google"))


BY_PROVIDER = {"SupportedIdentityProviders": ["Google"]}
OPEN_TO_PROVIDERS = {
    *("sign_in", "provider", "join", "provider_answer", "totp", "factor_setup", "account", "account_mfa", "sign_out"),
    *("signed_out", "error", "provider_form", "provider_left", "saml_answer", "saml_metadata", "saml_sign_out"),
    *("saml_idp_metadata", "saml_slo", "saml_sso", "saml_request", "sms", "factor_choice"),
}
"""Pages that an app has to which people come by a provider alone."""


@pytest.fixture(scope="module", params=WITHOUT)
def client_id(request: pytest.FixtureRequest, world: World, resources: None) -> str:
    """Return an app that has no pages."""
    return world.app(str(request.param), **WITHOUT[request.param])


@pytest.mark.parametrize("asked", [{}, {"redirect_uri": CALLBACK, "response_type": "code"}], ids=["bare", "asking"])
def test_no_page_opens_for_it(world: World, client_id: str, asked: dict[str, str]) -> None:
    query = urlencode({"client_id": client_id, **asked})

    for path in PATHS:
        for method in ("GET", "POST"):
            answer = requests.request(method, f"{world.base}/{path}?{query}", allow_redirects=False, timeout=20)

            assert answer.status_code == 400 or (answer.status_code == 405 and method not in answer.headers["Allow"])
            assert ("This app has no sign-in pages" in answer.text) is (answer.status_code == 400), path
            assert "<form" not in answer.text
            assert "Location" not in answer.headers


def test_the_page_without_an_app_leads_to_one_that_has_pages(world: World, client_id: str) -> None:
    answer = requests.get(f"{world.base}/.well-known/change-password", allow_redirects=False, timeout=20)

    assert client_id not in urlsplit(answer.headers["Location"]).query
    assert world.client_id in urlsplit(answer.headers["Location"]).query


def test_an_app_to_which_others_come_alone_has_no_page_for_a_password(world: World, resources: None) -> None:
    query = urlencode({"client_id": world.app("by a provider alone", **BY_PROVIDER)})
    closed = sorted(str(each.pattern) for each in urlpatterns if each.name not in OPEN_TO_PROVIDERS)
    assert {"signup", "forgotPassword", "confirm"} <= set(closed)

    for path in closed:
        for method in ("GET", "POST"):
            answer = requests.request(method, f"{world.base}/{path}?{query}", allow_redirects=False, timeout=20)

            assert answer.status_code == 400 or (answer.status_code == 405 and method not in answer.headers["Allow"])
            assert ("This app has no sign-in pages" in answer.text) is (answer.status_code == 400), path
    visitor = world.visitor()
    page = visitor.open(f"{world.base}/login?{query}")
    assert (page.status, page.read.forms) == (200, [])
    assert list(page.read.links) == ["Sign in with Google"]
    sent = visitor.session.post(page.url, data={"username": "x", "password": "y"}, timeout=20)
    assert (sent.status_code, "<form" in sent.text, visitor.cookie()) == (200, False, None)
