"""What credentials follow from the token of a pool's developers, for how long, and who wins where two race."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from identity.foundation import clock
from identity.foundation.errors import LoginRefused, NotAuthorized, NotFound
from pools.models import Identity, IdentityLogin, IdentityPool
from pools.services.identity_pools import developers, identities, identity_pools, logins
from tests.federation.conftest import BY, EAST, MEMBER_ROLE, WEST, Issuer, Provider, make_pool
from tests.federation.test_identities import raced

Providers = dict[str, Provider]
BROUGHT = "cognito-identity.amazonaws.com"


@pytest.fixture
def ours(issuer: Issuer, providers: Providers) -> IdentityPool:
    """Return an identity pool with developers."""
    return make_pool(developer_provider_name="ours")


def token(pool: IdentityPool, user: str, **more: object) -> tuple[str, str]:
    """Return a user's identity and token."""
    return developers.open_id_token(pool, {"ours": user}, by=BY, **more)  # type: ignore[arg-type]


def test_the_pools_role_and_the_tags_of_the_token_reach_the_sts(ours: IdentityPool, issuer: Issuer) -> None:
    identity, brought = token(ours, "anna", tags={"team": "red"})

    found = identity_pools.credentials(identity, {BROUGHT: brought}, by=BY)

    assert (found.identity_id, issuer.last["role_arn"]) == (identity, MEMBER_ROLE)
    claims = issuer.last["claims"]
    assert claims["amr"] == ["authenticated", "ours", f"ours:{ours.public_id}:anna"]
    assert claims["https://aws.amazon.com/tags"]["principal_tags"] == {"team": ["red"]}
    assert "developer_user" not in claims


def test_the_tags_of_a_map_are_not_lost_to_a_token_without_any(
    ours: IdentityPool, issuer: Issuer, providers: Providers
) -> None:
    identity_pools.set_tag_map(ours, EAST, use_defaults=False, tags={"who": "sub"}, by=BY)
    east = {EAST: providers[EAST].token("anna")}
    identity, brought = developers.open_id_token(ours, {"ours": "anna", **east}, by=BY)

    identity_pools.credentials(identity, {BROUGHT: brought, **east}, by=BY)

    assert issuer.last["claims"]["https://aws.amazon.com/tags"]["principal_tags"] == {"who": ["anna"]}


def test_a_token_is_good_for_as_long_as_it_says_and_credentials_of_it_for_an_hour(
    ours: IdentityPool, issuer: Issuer
) -> None:
    began = clock.now()
    with time_machine.travel(began, tick=False) as travel:
        identity, brought = token(ours, "anna", life=7200)

        travel.move_to(began + timedelta(seconds=7199), tick=False)
        identity_pools.credentials(identity, {BROUGHT: brought}, by=BY)
        assert issuer.last["claims"]["exp"] == clock.epoch() + 600
        assert issuer.last["duration"] == 3600

        travel.move_to(began + timedelta(seconds=7200), tick=False)
        with pytest.raises(LoginRefused, match="Token expired"):
            identity_pools.credentials(identity, {BROUGHT: brought}, by=BY)
    assert len(issuer.asked) == 1


def test_a_new_user_raced_for_has_one_identity(ours: IdentityPool) -> None:
    found = raced(8, lambda _: token(ours, "anna")[0])

    assert len(set(found)) == 1
    assert (Identity.objects.count(), IdentityLogin.objects.count()) == (1, 1)


def test_a_user_raced_for_by_two_identities_is_one_of_thems(ours: IdentityPool) -> None:
    rivals = [identity_pools.get_id(ours, {}, by=BY) for _ in range(6)]

    def claim(number: int) -> str:
        try:
            return token(ours, "anna", identity_id=rivals[number])[0]
        except identities.DeveloperUserTaken:
            return "taken"

    found = raced(6, claim)

    (winner,) = set(found) - {"taken"}
    assert found.count("taken") == 5
    assert IdentityLogin.objects.get().identity.public_id == winner
    assert Identity.objects.filter(member=True).count() == 1


def test_merging_raced_for_in_both_directions_leaves_one_identity(ours: IdentityPool) -> None:
    both = {token(ours, user)[0] for user in ("anna", "bert")}

    found = raced(
        6, lambda number: developers.merge(ours, *("anna", "bert")[:: 1 if number % 2 else -1], provider="ours", by=BY)
    )

    (stays,) = set(found)
    assert stays in both
    assert Identity.objects.filter(enabled=True).count() == 1
    assert IdentityLogin.objects.filter(identity__public_id=stays).count() == 2


def test_a_token_whose_user_was_unlinked_since_it_was_looked_at_links_nobody(ours: IdentityPool) -> None:
    with pytest.raises(LoginRefused):
        identities.of(ours, [logins.developers_login(ours, "anna")], by=BY)

    assert not Identity.objects.exists()


def test_a_user_unlinked_by_several_at_once_is_unlinked_by_one(ours: IdentityPool, providers: Providers) -> None:
    identity, brought = token(ours, "anna")

    def unlink(number: int) -> str:
        try:
            if number % 2:
                developers.unlink(identity, ours, "anna", provider="ours", by=BY)
                return "unlinked"
            # Whoever comes with the token meanwhile links nobody again.
            identity_pools.credentials(identity, {BROUGHT: brought, WEST: providers[WEST].token("anna")}, by=BY)
        except NotFound:
            return "gone"
        except NotAuthorized:
            return "refused"
        return "in time"

    found = raced(8, unlink)

    assert (found.count("unlinked"), found.count("gone")) == (1, 3)
    assert not IdentityLogin.objects.filter(provider=BROUGHT).exists()
    with pytest.raises(LoginRefused):
        identity_pools.credentials(identity, {BROUGHT: brought}, by=BY)
