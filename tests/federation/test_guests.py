"""Guests who never had credentials go after their days; whoever had some, or a login, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity.foundation import clock
from identity.foundation.errors import IdentityNotFound, OutsideUnavailable
from pools.models import AuditEvent, Identity, IdentityPool
from pools.services import access, housekeeping
from pools.services.identity_pools import identity_pools
from tests.federation.conftest import BY, EAST, Issuer, Provider

Providers = dict[str, Provider]


def guest(pool: IdentityPool) -> str:
    """Return a new guest."""
    return identity_pools.get_id(access.identity_pool(pool.public_id), {}, by=BY)


def test_guests_who_never_had_credentials_go_after_their_days(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    logins = {EAST: providers[EAST].token("anna")}
    never, refused, with_credentials, with_token, joined = (guest(pool) for _ in range(5))
    member = identity_pools.get_id(pool, {EAST: providers[EAST].token("bert")}, by=BY)
    issuer.refusals.append(OutsideUnavailable())
    with pytest.raises(OutsideUnavailable):
        identity_pools.credentials(refused, {}, by=BY)
    identity_pools.credentials(with_credentials, {}, by=BY)
    identity_pools.open_id_token(with_token, {}, by=BY)
    identity_pools.open_id_token(joined, logins, by=BY)
    of_before = Identity.objects.create(pool=pool, public_id="us-east-1:00000000-0000-4000-8000-000000000001").public_id
    began, kept = clock.now(), {with_credentials, with_token, joined, member, of_before}

    with time_machine.travel(began + timedelta(days=89), tick=False) as travel:
        late = guest(pool)
        housekeeping.purge()
        assert set(Identity.objects.values_list("public_id", flat=True)) == {never, refused, late, *kept}

        travel.move_to(began + timedelta(days=91), tick=False)
        housekeeping.purge()
        assert set(Identity.objects.values_list("public_id", flat=True)) == {late, *kept}

        with pytest.raises(IdentityNotFound):
            identity_pools.credentials(never, {}, by=BY)
        assert identity_pools.credentials(with_credentials, {}, by=BY).identity_id == with_credentials


def test_a_guest_who_goes_while_the_sts_is_asked_gets_nothing(
    pool: IdentityPool, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, issue = guest(pool), issuer.issue

    def late(**asked: object) -> object:
        with time_machine.travel(clock.now() + timedelta(days=91), tick=False):
            housekeeping.purge()
        return issue(**asked)

    monkeypatch.setattr(issuer, "issue", late)
    with pytest.raises(IdentityNotFound):
        identity_pools.credentials(going, {}, by=BY)
    assert not AuditEvent.objects.filter(tag="credentials_issued").exists()


def test_that_a_guest_stays_is_written_once(pool: IdentityPool, issuer: Issuer) -> None:
    asking = guest(pool)

    def written() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            identity_pools.credentials(asking, {}, by=BY)
        return [query["sql"] for query in captured if query["sql"].startswith("UPDATE")]

    assert [len(written()) for _ in range(3)] == [1, 0, 0]
