"""Where a browser goes on is one table: by what it came for, and nothing else that its address says."""

from __future__ import annotations

import pytest
from django.urls import reverse

from pools.services.sign_in import machine
from pools.services.sign_in.machine import Challenge
from pools.services.tokens import interactions
from pools.services.tokens.interactions import Kind
from pools.web import resume, sign_in_outcomes


@pytest.fixture(autouse=True)
def at_a_pool(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where a pool's addresses are."""
    settings.ROOT_URLCONF = "identity.pool_urls"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("parameters", "address"),
    [
        ({"response_type": "code"}, "/oauth2/authorize"),
        ({"response_type": ""}, "/oauth2/authorize"),
        ({"response_type": "code", "resume": "account_mfa"}, "/oauth2/authorize"),
        ({"resume": "account_mfa"}, "/account/mfa"),
        ({"resume": "account_password"}, "/account/password"),
        ({"resume": "account"}, "/account"),
        *(
            ({"resume": named}, "/account")
            for named in ("logout", "oauth_request", "oidc:logout", "//evil.example", "")
        ),
        ({"redirect_uri": "https://evil.example/", "state": "x"}, "/account"),
        ({}, "/account"),
    ],
)
def test_a_sign_in_goes_on_to_what_the_browser_came_for(parameters: dict[str, str], address: str) -> None:
    kind = interactions.kind_of(parameters)

    assert resume.url(kind) == address
    assert resume.url(kind, "a=b&c=%2F") == address + "?a=b&c=%2F"


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_an_address_and_comes_back_from_the_login_page_where_it_may(kind: Kind) -> None:
    assert set(interactions.RESUMES_AT) == set(Kind)
    assert resume.url(kind).startswith("/")
    back = interactions.kind_of(interactions.parameters_of(kind))
    assert back is (kind if kind in interactions.RESUMABLE else Kind.ACCOUNT)


@pytest.mark.parametrize("challenge", sorted(set(Challenge) - machine.FIRST - {Challenge.UPSTREAM}))
def test_each_challenge_after_the_first_proof_has_a_page(challenge: Challenge) -> None:
    assert reverse(f"hosted:{sign_in_outcomes.PAGES[challenge].name}").startswith("/login/")
