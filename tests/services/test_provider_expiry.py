"""Certificates of SAML providers that end soon: operators are told once, by mail, log, metric and console."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from identity.foundation import clock
from pools.models import AuditEvent, IdentityProvider, OutboxMessage, UserPool
from pools.services.audit import Tag
from pools.services.operators import operators
from pools.services.providers import expiry, identity_providers
from tests.factories import BY
from tests.hosted.saml_upstream import SamlProvider
from tests.providers import SOCIAL


@pytest.fixture
def provider(pool: UserPool) -> IdentityProvider:
    """Return a provider whose certificate is good until 2045."""
    operators.create("ada", email="ada@operators.example", by=BY)
    operators.create("without-mail", by=BY)
    given = {"MetadataFile": SamlProvider().metadata}
    return identity_providers.create(pool, "Staff", kind="SAML", details=given, by=BY)


def before_the_end(provider: IdentityProvider, days: int) -> time_machine.travel:
    """Go to so many days before a provider's certificate ends."""
    assert provider.ends_at is not None
    return time_machine.travel(provider.ends_at - timedelta(days=days), tick=True)


def test_operators_are_told_once_of_a_certificate_that_ends_within_thirty_days(
    pool: UserPool, provider: IdentityProvider
) -> None:
    with before_the_end(provider, 31):
        assert (expiry.tell_due(by=BY), expiry.gauges()[0].value, expiry.is_soon(provider)) == (0, 0, False)
    with before_the_end(provider, 29):
        assert (expiry.tell_due(by=BY), expiry.gauges()[0].value, expiry.is_soon(provider)) == (1, 1, True)
        assert expiry.tell_due(by=BY) == 0

    assert OutboxMessage.objects.filter(pool_id=pool.pk).count() == 1
    [event] = AuditEvent.objects.filter(pool_id=pool.pk, tag=Tag.PROVIDER_CERTIFICATE_ENDS)
    assert event.detail["provider"] == "Staff"


def test_one_with_a_later_certificate_is_told_of_again_in_its_time(pool: UserPool, provider: IdentityProvider) -> None:
    with before_the_end(provider, 10):
        expiry.tell_due(by=BY)
    end = clock.now() + timedelta(days=20)
    IdentityProvider.objects.filter(pool_id=pool.pk).update(ends_at=end)

    assert expiry.tell_due(by=BY) == 1
    assert IdentityProvider.objects.get(pool_id=pool.pk).expiry_told == end


def test_a_provider_without_certificates_is_told_of_never(pool: UserPool) -> None:
    made = identity_providers.create(pool, "Google", kind="Google", details=SOCIAL, by=BY)

    assert (made.ends_at, expiry.is_soon(made), expiry.tell_due(by=BY)) == (None, False, 0)
