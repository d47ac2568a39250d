"""Which identity logins mean: found, made, linked, merged, and raced for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from identity.foundation.errors import IdentityNotFound, Invalid, LoginRefused, NotAuthorized, ResourceConflict
from pools.models import AuditEvent, Identity, IdentityLogin, IdentityPool
from pools.services.identity_pools import identity_pools
from tests.federation.conftest import BY, EAST, WEST, Issuer, Provider, make_pool

Providers = dict[str, Provider]


def get_id(pool: IdentityPool, **logins: str) -> str:
    """Return the identity of these logins (``east=``, ``west=``)."""
    names = {"east": EAST, "west": WEST}
    return identity_pools.get_id(pool, {names[name]: token for name, token in logins.items()}, by=BY)


def test_a_login_always_means_the_same_identity_and_a_guest_is_always_new(
    pool: IdentityPool, providers: Providers
) -> None:
    first = get_id(pool, east=providers[EAST].token("anna"))

    assert get_id(pool, east=providers[EAST].token("anna")) == first
    assert get_id(pool, east=providers[EAST].token("bert")) != first
    assert get_id(pool) != get_id(pool)


def test_a_pool_without_guests_refuses_them_and_takes_members(providers: Providers, transactional_db: None) -> None:
    pool = make_pool(allow_unauthenticated_identities=False)

    assert get_id(pool, east=providers[EAST].token("anna"))
    with pytest.raises(NotAuthorized, match="Unauthenticated access is not supported for this identity pool"):
        get_id(pool)


@pytest.mark.parametrize("fault", ["none", "forged", "another app", "unknown provider", "empty"])
def test_only_good_tokens_of_the_pools_providers_count(fault: str, pool: IdentityPool, providers: Providers) -> None:
    good = providers[EAST].token("anna")
    logins = {
        "none": {EAST: good},
        "forged": {EAST: providers[WEST].token("anna")},
        "another app": {EAST: providers[EAST].token("anna", audience="another")},
        "unknown provider": {"north.example.test": good},
        "empty": {EAST: ""},
    }[fault]

    if fault == "none":
        assert identity_pools.get_id(pool, logins, by=BY)
    else:
        with pytest.raises(LoginRefused):
            identity_pools.get_id(pool, logins, by=BY)
        assert not Identity.objects.exists()


def test_two_logins_at_once_are_linked(pool: IdentityPool, providers: Providers) -> None:
    both = get_id(pool, east=providers[EAST].token("anna"), west=providers[WEST].token("anni"))

    assert get_id(pool, west=providers[WEST].token("anni")) == both
    assert get_id(pool, east=providers[EAST].token("anna")) == both


def test_a_second_login_of_the_same_provider_conflicts(pool: IdentityPool, providers: Providers) -> None:
    get_id(pool, east=providers[EAST].token("anna"), west=providers[WEST].token("anni"))

    with pytest.raises(ResourceConflict):
        get_id(pool, east=providers[EAST].token("bert"), west=providers[WEST].token("anni"))
    assert IdentityLogin.objects.count() == 2


def test_two_identities_are_merged_into_the_older_one(pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    east, west = providers[EAST].token("anna"), providers[WEST].token("anni")
    older, younger = get_id(pool, east=east), get_id(pool, west=west)

    assert get_id(pool, west=west, east=east) == older
    assert get_id(pool, west=west) == older
    assert identity_pools.credentials(older, {WEST: west}, by=BY).identity_id == older
    with pytest.raises(NotAuthorized, match="forbidden"):
        identity_pools.credentials(younger, {WEST: west}, by=BY)
    merged = AuditEvent.objects.get(tag="identity_merged")
    assert (merged.subject, merged.detail) == (younger, {"into": older})


def test_a_guest_who_signs_in_keeps_the_identity_and_is_no_guest_any_more(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    guest, token = get_id(pool), providers[EAST].token("anna")

    assert identity_pools.credentials(guest, {}, by=BY).identity_id == guest
    assert identity_pools.credentials(guest, {EAST: token}, by=BY).identity_id == guest
    assert get_id(pool, east=token) == guest
    with pytest.raises(NotAuthorized, match=f"Access to Identity '{guest}' is forbidden"):
        identity_pools.credentials(guest, {}, by=BY)


def test_a_guest_who_turns_out_to_be_a_known_member_becomes_that_member(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    token = providers[EAST].token("anna")
    member, guest = get_id(pool, east=token), get_id(pool)

    assert identity_pools.credentials(guest, {EAST: token}, by=BY).identity_id == member
    with pytest.raises(NotAuthorized):
        identity_pools.credentials(guest, {}, by=BY)


def test_nobody_acts_as_a_member_without_a_login_of_that_member(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    anna, bert = providers[EAST].token("anna"), providers[WEST].token("bert")
    annas = get_id(pool, east=anna)

    assert identity_pools.credentials(annas, {EAST: anna}, by=BY).identity_id == annas
    with pytest.raises(NotAuthorized, match="Logins don't match"):
        identity_pools.credentials(annas, {WEST: bert}, by=BY)
    assert len(issuer.asked) == 1
    assert IdentityLogin.objects.count() == 1


def test_another_pools_identity_takes_no_login_of_this_pool(pool: IdentityPool, providers: Providers) -> None:
    token = providers[EAST].token("anna")
    here, there = get_id(pool, east=token), get_id(make_pool(), east=token)

    assert here != there


def test_an_unknown_identity_is_not_found(pool: IdentityPool, issuer: Issuer) -> None:
    nobody = "us-east-1:00000000-0000-4000-8000-000000000000"

    with pytest.raises(IdentityNotFound, match=f"Identity '{nobody}' not found"):
        identity_pools.credentials(nobody, {}, by=BY)


def test_the_classic_flow_must_be_switched_on(providers: Providers, issuer: Issuer) -> None:
    off, on = make_pool(allow_classic_flow=False), make_pool()

    assert identity_pools.open_id_token(get_id(on), {}, by=BY)[1]
    with pytest.raises(Invalid, match=r"Basic \(classic\) flow is not enabled, please use enhanced flow\."):
        identity_pools.open_id_token(get_id(off), {}, by=BY)


def raced(times: int, work: Callable[[int], str]) -> list[str]:
    """Do something in threads at once."""

    def one(number: int) -> str:
        try:
            return work(number)
        except ResourceConflict:
            return "conflict"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as crowd:
        return list(crowd.map(one, range(times)))


def test_a_new_login_raced_for_makes_one_identity(pool: IdentityPool, providers: Providers) -> None:
    token = providers[EAST].token("anna")

    found = raced(8, lambda _: get_id(pool, east=token))

    assert len(set(found)) == 1
    assert Identity.objects.count() == 1


def test_merging_raced_for_in_both_orders_leaves_one_identity(pool: IdentityPool, providers: Providers) -> None:
    east, west = providers[EAST].token("anna"), providers[WEST].token("anni")
    older = get_id(pool, east=east)
    get_id(pool, west=west)

    found = raced(6, lambda number: get_id(pool, **dict([("east", east), ("west", west)][:: 1 if number % 2 else -1])))

    assert set(found) == {older}
    assert Identity.objects.filter(enabled=True).count() == 1
    assert AuditEvent.objects.filter(tag="identity_merged").count() == 1


def test_two_people_racing_for_one_guest_do_not_share_it(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    guest = get_id(pool)
    tokens = [providers[EAST].token(f"person{number}") for number in range(4)]

    def claim(number: int) -> str:
        try:
            return identity_pools.credentials(guest, {EAST: tokens[number]}, by=BY).identity_id
        except NotAuthorized:
            return "refused"

    found = raced(4, claim)

    assert sorted(found) == sorted([guest, "refused", "refused", "refused"])
    assert IdentityLogin.objects.filter(identity__public_id=guest).count() == 1
