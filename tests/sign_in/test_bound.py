"""What a grant carries comes out in its tokens: a member of tomorrow's, and rows that the release before wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pools.models import AppClient, AuthorizationCode, RefreshFamily, User, hot
from pools.services.pools import resource_servers, signing_keys
from pools.services.sign_in.machine import EndsIn, SignedIn
from pools.services.tokens import authorization_codes, bound, claims, refresh, sessions
from pools.services.tokens.bound import Bound
from pools.services.tokens.issue import TokenSet
from tests import factories
from tests.factories import PASSWORD
from tests.sign_in.conftest import BY

CALLBACK = "https://app.example/cb"
ASKED = Bound(("openid", "photos/read"), oauth=True, nonce="n")
STORED = {"scopes": ["openid", "photos/read"], "oauth": True, "nonce": "n"}


@pytest.fixture(autouse=True)
def photos(client: AppClient) -> None:
    """Have a resource server with the scope that is asked for."""
    scopes = [{"name": "read", "description": "See photos"}]
    resource_servers.create(client.pool, identifier="photos", name="Photos", scopes=scopes, by=BY)


def issue_code(client: AppClient, asked: Bound) -> str:
    outcome = factories.begin(client, username="alice", password=PASSWORD, ends_in=EndsIn.BROWSER, by=BY)
    assert isinstance(outcome, SignedIn)
    assert outcome.opened_session is not None
    session = sessions.signed_in_session(client.pool, outcome.opened_session.cookie)
    assert session is not None
    return authorization_codes.issue_code(client, session, redirect_uri=CALLBACK, bound=asked)


def redeem(client: AppClient, code: str) -> TokenSet:
    return authorization_codes.redeem(client, code, redirect_uri=CALLBACK, verifier=None, by=BY)


def told(issued: TokenSet) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the claims of access and ID token."""
    return signing_keys.unverified_claims(issued.access), signing_keys.unverified_claims(issued.id or "")


@dataclass(frozen=True, slots=True)
class Extended(Bound):
    """With members that no file of the product knows."""

    resource: tuple[str, ...] = ()
    requested: dict[str, Any] = field(default_factory=dict)


def test_a_new_member_comes_out_in_the_tokens_with_no_change_between(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Extended(("openid",), oauth=True, resource=("https://photos.example",), requested={"name": None})
    makes_claims = claims.access
    # The two places that a new member touches: its declaration, and who reads it.
    monkeypatch.setattr(bound, "Bound", Extended)
    bound.read.cache_clear()
    monkeypatch.setattr(claims, "access", lambda *given: {**makes_claims(*given), "carried": repr(given[-1].bound)})

    issued = redeem(client, issue_code(client, asked))
    again = refresh.refresh(client, issued.refresh or "", by=BY)

    assert [told(tokens)[0]["carried"] for tokens in (issued, again)] == [repr(asked)] * 2


def test_a_member_of_a_later_release_goes_through_this_one(client: AppClient, person: User) -> None:
    minted = issue_code(client, ASKED)
    AuthorizationCode.objects.filter(pool_id=client.pool_id).update(bound={**STORED, "later": [1]})

    issued = redeem(client, minted)

    assert RefreshFamily.objects.get(pool_id=client.pool_id).bound == {**STORED, "later": [1]}
    assert refresh.refresh(client, issued.refresh or "", by=BY).scopes == ASKED.scopes


def test_a_nonce_is_told_once(client: AppClient, person: User) -> None:
    issued = redeem(client, issue_code(client, ASKED))
    again = refresh.refresh(client, issued.refresh or "", by=BY)

    assert told(issued)[1]["nonce"] == "n"
    assert "nonce" not in told(again)[1]


def test_what_the_release_before_wrote_is_carried_as_before(client: AppClient, person: User) -> None:
    minted = issue_code(client, ASKED)
    # Such a process knows the old columns only, and reads what we wrote there.
    AuthorizationCode.objects.filter(pool_id=client.pool_id).update(bound={})
    issued = redeem(client, minted)
    family = RefreshFamily.objects.get(pool_id=client.pool_id)
    assert (family.bound, family.scopes, family.oauth, family.nonce) == (
        STORED,
        list(ASKED.scopes),
        True,
        "n",
    )
    RefreshFamily.objects.filter(pool_id=client.pool_id).update(bound={})
    again = refresh.refresh(client, issued.refresh or "", by=BY)

    for access, identity in (told(issued), told(again)):
        assert (access["scope"], access["version"]) == ("openid photos/read", 2)
        assert "at_hash" in identity
    assert told(issued)[1]["nonce"] == "n"


def test_a_sign_in_by_the_api_reads_the_same_in_both_releases(client: AppClient, person: User) -> None:
    outcome = factories.begin(client, username="alice", password=PASSWORD, ends_in=EndsIn.TOKENS, by=BY)
    assert isinstance(outcome, SignedIn)
    assert outcome.tokens is not None
    scopes = "aws.cognito.signin.user.admin"
    family = RefreshFamily.objects.get(pool_id=client.pool_id)
    assert (family.bound, family.scopes, family.oauth) == ({"scopes": [scopes]}, [scopes], False)

    RefreshFamily.objects.filter(pool_id=client.pool_id).update(bound={})
    access, identity = told(refresh.refresh(client, outcome.tokens.refresh or "", by=BY))

    assert access["scope"] == scopes
    assert "version" not in access
    assert "at_hash" not in identity


def test_rows_that_know_no_new_column_are_taken(client: AppClient, person: User) -> None:
    """A process of the release before inserts by its own list of columns."""
    new = {"bound", "rotations"}
    for model in (AuthorizationCode, RefreshFamily):
        columns = {column.name: column for column in model._meta.local_concrete_fields}
        needed = {name for name, column in columns.items() if not (column.has_default() or column.null)}
        assert new & set(columns)
        assert not new & needed
        assert all(columns[name].has_db_default() for name in new & set(columns))
    assert hot.family(client.pool_id, person.id) is None
