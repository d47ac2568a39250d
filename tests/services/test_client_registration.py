"""Apps that register themselves: who records it, how many there may be, and what they are called to people."""

from __future__ import annotations

from typing import Any

import pytest

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.models import AppClient, AuditEvent, ResourceServer, UserPool
from pools.services import access, configuration
from pools.services.messages import texts
from pools.services.pools import app_clients, client_registration, resource_servers, user_pools
from pools.services.pools.client_registration import Registered
from pools.services.pools.registration_settings import RegistrationRefused
from tests import factories
from tests.factories import BY
from tests.services.conftest import at_once

CALLBACK = "https://app.example/callback"
METADATA = {"client_name": "Photo frame", "redirect_uris": [CALLBACK]}
SETTING: dict[str, Any] = {"dcr_configuration": {"open_dcr_enabled": True}}
VISITOR = Actor.visitor(address="192.0.2.7", request_id="r")


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    """Return a pool where apps register themselves, openly too."""
    configuration.cache.forget_everything()
    return factories.make_pool(**SETTING)


def register(pool: UserPool, registered: Registered = Registered.OPENLY, **metadata: Any) -> AppClient:
    """Register, and return the app."""
    made = client_registration.register(pool, {**METADATA, **metadata}, registered=registered, by=VISITOR)
    return access.client_in(pool, made["client_id"])


def test_a_registration_leaves_a_row_that_says_who_and_how(pool: UserPool) -> None:
    openly, trusted = register(pool), register(pool, Registered.WITH_TOKEN)

    rows = {row.subject: row for row in AuditEvent.objects.filter(pool_id=pool.pk, tag="client_created")}
    assert rows.keys() == {openly.client_id, trusted.client_id}
    assert {row.actor_kind for row in rows.values()} == {"visitor"}
    assert rows[openly.client_id].detail == {"name": "Photo frame", "confidential": True, "registered": "openly"}
    assert rows[trusted.client_id].detail["registered"] == "token"


def test_a_refused_registration_changes_nothing(pool: UserPool) -> None:
    before = AuditEvent.objects.count()

    for metadata, problem in (
        ({"redirect_uris": []}, client_registration.RedirectRefused),
        ({"scope": "openid none/read"}, client_registration.MetadataRefused),
        ({"grant_types": ["client_credentials"]}, client_registration.MetadataRefused),
        ({"software_statement": "a.b.c"}, client_registration.StatementUnapproved),
    ):
        with pytest.raises(problem):
            register(pool, **metadata)

    assert AppClient.objects.filter(pool_id=pool.pk).count() == 0
    assert AuditEvent.objects.count() == before


def test_strangers_leave_operators_room(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_clients, "MAX_OPEN", 2)
    monkeypatch.setattr(app_clients, "MAX_CLIENTS", 5)
    made = [register(pool) for _ in range(2)]

    with pytest.raises(errors.LimitExceeded):
        register(pool)
    register(pool, Registered.WITH_TOKEN)
    factories.make_client(pool)
    app_clients.delete(made[0], by=BY)
    register(pool)
    factories.make_client(pool)
    with pytest.raises(errors.LimitExceeded):
        register(pool, Registered.WITH_TOKEN)

    assert AppClient.objects.filter(pool_id=pool.pk).count() == 5


def test_of_many_strangers_at_once_no_more_come_in_than_may(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_clients, "MAX_OPEN", 3)

    def one(_: int) -> bool:
        try:
            register(pool)
        except errors.LimitExceeded:
            return False
        return True

    done = at_once(8, one)

    assert (done.count(True), done.count(False)) == (3, 5)
    assert AppClient.objects.filter(pool_id=pool.pk, registered=Registered.OPENLY).count() == 3


def test_a_deleted_pool_takes_nobody(pool: UserPool) -> None:
    user_pools.delete(pool, by=BY)

    with pytest.raises(errors.PoolNotFound):
        client_registration.register(pool, METADATA, registered=Registered.OPENLY, by=VISITOR)


@pytest.mark.parametrize(
    "after", [{"enable_status": "Disabled"}, {"open_dcr_enabled": False}, {"open_dcr_grant_types": []}]
)
def test_who_read_the_pool_before_it_was_closed_does_not_get_in(pool: UserPool, after: dict[str, Any]) -> None:
    held = UserPool.objects.get(pk=pool.pk)
    changes = {f"dcr_configuration.{name}": value for name, value in after.items()}
    user_pools.update(pool, changes, by=BY)

    with pytest.raises(RegistrationRefused):
        client_registration.register(held, METADATA, registered=Registered.OPENLY, by=VISITOR)

    assert not AppClient.objects.filter(pool_id=pool.pk).exists()


def test_a_scope_that_is_gone_is_not_given(pool: UserPool) -> None:
    scopes = [{"name": "read", "description": "See photos"}]
    resource_servers.create(pool, identifier="photos", name="Photos", scopes=scopes, by=BY)
    pool = user_pools.update(pool, {"dcr_configuration": {"allowed_scopes": ["photos/read"]}}, by=BY)
    assert register(pool, Registered.WITH_TOKEN, scope="openid photos/read").scopes == ["openid", "photos/read"]

    resource_servers.delete(pool, "photos", by=BY)

    with pytest.raises(client_registration.MetadataRefused):
        register(pool, Registered.WITH_TOKEN, scope="openid photos/read")


def test_people_know_an_open_app_by_where_it_leads(pool: UserPool) -> None:
    one = register(pool)
    several = register(pool, redirect_uris=[CALLBACK, "http://localhost:3000/cb", "com.example.app:/cb"])
    trusted = register(pool, Registered.WITH_TOKEN)

    def name(client: AppClient, redirect_uri: str = "") -> str:
        return app_clients.name_for_people(pool, client, redirect_uri)

    assert (name(one), name(trusted)) == ("app.example", "Photo frame")
    assert name(several) == several.client_id
    assert name(several, "http://localhost:3000/cb") == "localhost:3000"
    assert name(several, "com.example.app:/cb") == "com.example.app"
    assert [app_clients.asks_consent(each) for each in (one, several, trusted)] == [True, True, False]
    assert "app.example" in texts.reminder(pool, one).text
    assert "Photo frame" not in texts.reminder(pool, one).text
    assert "Photo frame" in texts.reminder(pool, trusted).text


def test_no_app_that_registered_speaks_for_its_pool(pool: UserPool) -> None:
    register(pool)
    register(pool, Registered.WITH_TOKEN)
    assert app_clients.oldest_with_pages(pool) is None
    assert app_clients.name_for_people(pool, None) == ""

    own = factories.make_client(pool, **factories.PAGES)

    assert app_clients.oldest_with_pages(pool) == own
    assert app_clients.name_for_people(pool, None) == own.name


def test_the_resource_server_of_registration_comes_and_goes_with_it(pool: UserPool) -> None:
    def own() -> list[str]:
        return [server.identifier for server in ResourceServer.objects.filter(pool_id=pool.pk)]

    assert own() == ["aws.cognito/dcr"]
    user_pools.update(pool, {"dcr_configuration": {"enable_status": "Disabled"}}, by=BY)
    assert own() == []
    user_pools.update(pool, {"dcr_configuration.enable_status": "Enabled"}, by=BY)
    user_pools.update(pool, {"dcr_configuration.open_dcr_enabled": False}, by=BY)
    assert own() == ["aws.cognito/dcr"]

    rows = AuditEvent.objects.filter(pool_id=pool.pk, subject="aws.cognito/dcr").order_by("id")
    assert [row.tag for row in rows] == [
        "resource_server_created",
        "resource_server_deleted",
        "resource_server_created",
    ]


def test_an_operators_choice_changes_what_it_names_and_no_more(pool: UserPool) -> None:
    given = {"open_dcr_enabled": True, "authenticated_grant_types": ["code"], "allowed_scopes": ["openid"]}
    user_pools.update(pool, {"dcr_configuration": given}, by=BY)

    after = user_pools.update(pool, {"dcr_configuration.enable_status": "Disabled"}, by=BY)

    assert not after.registration
    assert after.open_registration
    assert (after.registration_grants, after.registration_scopes) == (["code"], ["openid"])
    whole = user_pools.update(pool, {"dcr_configuration": {}}, whole=True, by=BY)
    assert (whole.registration, whole.open_registration) == (True, False)
    assert (whole.registration_grants, whole.open_registration_grants) == (["code", "client_credentials"], ["code"])
    assert whole.registration_scopes == []
