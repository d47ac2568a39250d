"""Applications that speak SAML: what a registration may hold, what is unique, what a change keeps."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from identity.foundation.errors import Invalid, NotFound
from pools.models import AuditEvent, SamlApplication, UserPool
from pools.services import housekeeping
from pools.services.pools import app_clients
from pools.services.providers import saml_applications
from pools.services.providers.saml_applications import ApplicationExists
from tests import factories
from tests.factories import BY
from tests.federation.saml.identity_provider import certificate, ec_key, rsa_key

ENTITY_ID, ACS = "https://sp.example/metadata", "https://sp.example/acs"
LEAST: dict[str, Any] = {"entity_id": ENTITY_ID, "acs_urls": [ACS]}


def told(key: str = "an application's", *, pem: bool = False) -> str:
    """Return the certificate of a key, as an operator gives it."""
    found = certificate(rsa_key(key))
    if pem:
        return found.public_bytes(Encoding.PEM).decode()
    return base64.b64encode(found.public_bytes(Encoding.DER)).decode()


def of_curve() -> str:
    """Return a certificate that nobody can encrypt for."""
    return certificate(ec_key()).public_bytes(Encoding.PEM).decode()


def make(pool: UserPool, **settings: Any) -> SamlApplication:
    """Register an application for an app client of its own."""
    return saml_applications.create(pool, factories.make_client(pool, **factories.PAGES), {**LEAST, **settings}, by=BY)


def test_what_is_not_said_is_the_careful_choice(pool: UserPool) -> None:
    made = make(pool)

    assert (made.name_id_format, made.attributes, made.allows_unasked) == ("persistent", {}, False)
    assert (made.signs_assertion, made.signs_response, made.encrypts) == (True, True, False)
    assert made.acs_indexes == [0]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"entity_id": ""}, "entity_id"),
        ({"entity_id": " padded"}, "entity_id"),
        ({"entity_id": "x" * 1025}, "entity_id"),
        ({"acs_urls": []}, "acs_urls"),
        ({"acs_urls": [ACS, ACS]}, "acs_urls"),
        ({"acs_urls": ["javascript:alert(1)"]}, "application_address"),
        ({"acs_urls": ["https://sp.example/acs#x"]}, "application_address"),
        ({"acs_indexes": [1, 2]}, "acs_indexes"),
        ({"slo_url": "nowhere"}, "application_address"),
        ({"certificates": ["nothing"]}, "unreadable_certificate"),
        ({"encrypts": True}, "no_encryption_certificate"),
        ({"encryption_certificate": of_curve()}, "not_rsa"),
        ({"signs_assertion": False, "signs_response": False}, "nothing_signed"),
        ({"name_id_format": "kerberos"}, "name_id_format"),
        ({"name_id_attribute": "cognito:groups"}, "unknown_source"),
        ({"name_id_attribute": "custom:nothing"}, "unknown_source"),
        ({"attributes": {"mail": "nothing"}}, "unknown_source"),
        ({"attributes": {"": "email"}}, "attribute_name"),
        ({"attributes": {f"a{n}": "email" for n in range(51)}}, "too_many_attributes"),
        ({"default_relay_state": "two\nlines"}, "relay_state"),
    ],
)
def test_what_an_application_cannot_be_is_refused_by_name(pool: UserPool, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        make(pool, **settings)

    assert refused.value.code == code
    assert refused.value.field in settings or code in {"acs_indexes", "no_encryption_certificate", "nothing_signed"}
    assert not SamlApplication.objects.filter(pool_id=pool.pk).exists()


def test_an_app_without_pages_has_no_application(pool: UserPool) -> None:
    with pytest.raises(Invalid) as refused:
        saml_applications.create(pool, factories.make_client(pool), LEAST, by=BY)

    assert (refused.value.field, refused.value.code) == ("client_id", "app_without_pages")


def test_a_certificate_is_kept_in_one_form_and_once(pool: UserPool) -> None:
    made = make(pool, certificates=[told(pem=True), told(), f" {told()}\n"], encryption_certificate=told(pem=True))

    assert made.certificates == [told()]
    assert made.encryption_certificate == told()


def test_an_entity_id_is_one_applications_and_a_client_has_one(pool: UserPool) -> None:
    made = make(pool)
    other = make(pool, entity_id="https://other.example")

    attempts: list[Callable[[], object]] = [
        lambda: make(pool),
        lambda: saml_applications.create(pool, made.client, {**LEAST, "entity_id": "third"}, by=BY),
        lambda: saml_applications.update(other, {"entity_id": ENTITY_ID}, by=BY),
    ]

    for attempt in attempts:
        with pytest.raises(ApplicationExists):
            attempt()


def test_another_pools_application_is_unknown(pool: UserPool) -> None:
    made, elsewhere = make(pool), factories.make_pool()

    with pytest.raises(NotFound):
        saml_applications.by_id(elsewhere, made.id)
    with pytest.raises(NotFound):
        saml_applications.called(elsewhere, ENTITY_ID)
    make(elsewhere)  # the same entity id, in another pool


def test_an_address_that_stays_keeps_its_index(pool: UserPool) -> None:
    made = make(pool, acs_urls=[ACS, f"{ACS}/2"], acs_indexes=[7, 0])

    changed = saml_applications.update(made, {"acs_urls": [f"{ACS}/3", ACS]}, by=BY)

    assert list(zip(changed.acs_indexes, changed.acs_urls, strict=True)) == [(0, f"{ACS}/3"), (7, ACS)]


def test_a_change_keeps_the_rest_and_is_recorded(pool: UserPool) -> None:
    made = make(pool, slo_url="https://sp.example/slo")

    changed = saml_applications.update(made, {"attributes": {"mail": "email"}}, by=BY)

    assert (changed.slo_url, changed.attributes) == ("https://sp.example/slo", {"mail": "email"})
    with pytest.raises(Invalid):
        saml_applications.update(made, {"signs_assertion": False, "signs_response": False}, by=BY)
    rows = AuditEvent.objects.filter(pool_id=pool.pk, tag__startswith="saml_application").order_by("id")
    assert [(row.tag, row.detail.get("changed")) for row in rows] == [
        ("saml_application_created", None),
        ("saml_application_changed", ["attributes"]),
    ]


def test_a_deleted_application_is_gone_and_so_is_that_of_a_deleted_app(pool: UserPool) -> None:
    first, second = make(pool), make(pool, entity_id="https://other.example")

    saml_applications.delete(first, by=BY)
    app_clients.delete(second.client, by=BY)

    assert not SamlApplication.objects.filter(pool_id=pool.pk).exists()
    with pytest.raises(NotFound):
        saml_applications.delete(first, by=BY)


def test_what_is_kept_of_applications_goes_with_their_pool() -> None:
    gone = {table.__name__ for table in housekeeping.OF_A_POOL}

    assert {"SamlApplication", "SamlParticipant"} <= gone
    assert "SamlParticipant" in {table.__name__ for table, _ in housekeeping.OF_A_USER}
