"""What vending leaves behind, what a stranger who asks again and again is given, and a token that came too late."""

from __future__ import annotations

import json
import secrets

import pytest
from django.db import OperationalError

from identity.foundation.call import Call
from identity.foundation.errors import DomainError, NotAuthorized, OutsideUnavailable, Overloaded, RoleRefused
from pools.cognito import gateway as wire
from pools.models import AuditEvent, IdentityPool
from pools.ports import TokenTooOld
from pools.services import access, audit
from pools.services.identity_pools import identity_pools
from pools.services.pools import signing_keys
from tests.federation.conftest import BY, EAST, WEST, Issuer, Provider, make_pool

Providers = dict[str, Provider]


def identity_of(pool: IdentityPool, logins: dict[str, str]) -> str:
    """Return the identity that these logins mean."""
    return identity_pools.get_id(access.identity_pool(pool.public_id), logins, by=BY)


def rows(tag: str) -> list[AuditEvent]:
    """Return the audit rows of a tag, oldest first."""
    return list(AuditEvent.objects.filter(tag=tag).order_by("written_at"))


def test_every_vending_and_a_refusal_leave_a_row(pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    logins = {EAST: providers[EAST].token("anna")}
    member = identity_of(pool, logins)
    identity_pools.credentials(member, logins, by=BY)
    issuer.refusals.append(RoleRefused(detail="STS: AccessDenied no trust"))
    with pytest.raises(RoleRefused):
        identity_pools.credentials(member, logins, by=BY)

    (done,), (refused,) = rows("credentials_issued"), rows("credentials_refused")
    assert (done.subject, done.outcome, done.detail["access_key_id"]) == (member, "done", "ASIAKEY")
    assert (refused.subject, refused.outcome) == (member, "refused")
    assert refused.detail["reason"] == "STS: AccessDenied no trust"
    assert "secret" not in json.dumps([done.detail, refused.detail])


@pytest.mark.parametrize("refusal", [OutsideUnavailable(), Overloaded()])
def test_what_was_not_answered_is_no_refusal_of_ours(refusal: DomainError, pool: IdentityPool, issuer: Issuer) -> None:
    guest = identity_of(pool, {})
    issuer.refusals.append(refusal)

    with pytest.raises(type(refusal)):
        identity_pools.credentials(guest, {}, by=BY)
    assert not rows("credentials_refused")


def test_the_classic_flow_leaves_rows_too(pool: IdentityPool, providers: Providers, issuer: Issuer) -> None:
    logins = {EAST: providers[EAST].token("anna"), WEST: providers[WEST].token("anni")}
    identity_pools.set_tag_map(pool, EAST, use_defaults=True, tags=None, by=BY)
    member = identity_of(pool, logins)
    _, token = identity_pools.open_id_token(member, logins, by=BY)
    with pytest.raises(NotAuthorized):
        identity_pools.open_id_token(member, {}, by=BY)

    (done,), (refused,) = rows("identity_token_issued"), rows("identity_token_refused")
    assert (done.subject, done.outcome, done.identity_pool_id) == (member, "done", pool.pk)
    assert done.detail == {"member": True, "providers": [EAST, WEST], "tags": ["client", "username"]}
    assert (refused.subject, refused.outcome) == (member, "refused")
    assert (refused.detail["code"], refused.detail["member"]) == ("NotAuthorized", False)
    assert token not in json.dumps([done.detail, refused.detail])


def test_no_token_leaves_the_installation_without_its_row(
    pool: IdentityPool, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = identity_of(pool, {})
    assert identity_pools.open_id_token(guest, {}, by=BY)

    def away(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(audit, "record", away)
    with pytest.raises(OperationalError):
        identity_pools.open_id_token(guest, {}, by=BY)


@pytest.mark.parametrize(
    ("give", "tag"),
    [
        (identity_pools.credentials, "credentials_refused"),
        (identity_pools.open_id_token, "identity_token_refused"),
    ],
)
def test_whoever_is_refused_again_and_again_leaves_one_row_a_minute(
    give: object, tag: str, pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    logins = {EAST: providers[EAST].token("anna")}
    annas, berts = identity_of(pool, logins), identity_of(pool, {WEST: providers[WEST].token("bert")})
    for _ in range(12):
        for identity_id in (annas, berts):
            with pytest.raises(NotAuthorized):
                give(identity_id, {}, by=BY)  # type: ignore[operator]

    subjects = [row.subject for row in rows(tag)]
    assert set(subjects) == {annas, berts}
    assert len(subjects) <= 4, "two minutes may be met, for two identities"


def test_a_stranger_who_is_refused_does_not_hide_that_a_role_is_broken(
    pool: IdentityPool, providers: Providers, issuer: Issuer
) -> None:
    logins = {EAST: providers[EAST].token("anna")}
    member = identity_of(pool, logins)
    with pytest.raises(NotAuthorized):
        identity_pools.credentials(member, {}, by=BY)
    issuer.refusals.append(RoleRefused(detail="STS: AccessDenied no trust"))
    with pytest.raises(RoleRefused):
        identity_pools.credentials(member, logins, by=BY)

    assert [row.detail["code"] for row in rows("credentials_refused")] == ["NotAuthorized", "RoleRefused"]


@pytest.mark.parametrize("operation", ["GetId", "GetOpenIdToken", "GetCredentialsForIdentity"])
def test_an_address_that_floods_identity_pools_is_told_to_wait(
    operation: str, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    for name in wire.QUOTA:
        monkeypatch.setitem(wire.QUOTA, name, 2)

    def ask(address: str) -> str:
        headers = {"x-amz-target": f"AWSCognitoIdentityService.{operation}"}
        return str(json.loads(wire.gateway(Call("POST", "/", "", headers, b"{}", address, "1")).body)["__type"])

    prefix = f"10.7.{secrets.randbelow(256)}."
    flood = [ask(prefix + "7") for _ in range(6)]

    assert flood[:2] == ["ValidationException"] * 2
    assert "TooManyRequestsException" in flood
    assert ask(prefix + "8") == "ValidationException"


def test_a_token_that_came_too_late_is_made_anew_once(pool: IdentityPool, issuer: Issuer) -> None:
    guest = identity_of(pool, {})
    issuer.refusals.append(TokenTooOld(detail="STS: ExpiredTokenException"))

    assert identity_pools.credentials(guest, {}, by=BY).identity_id == guest
    first, second = (asked["claims"] for asked in issuer.asked)
    assert first["jti"] != second["jti"]

    issuer.refusals += [TokenTooOld(detail="STS: ExpiredTokenException")] * 3
    with pytest.raises(RoleRefused):
        identity_pools.credentials(guest, {}, by=BY)
    assert len(issuer.asked) == 4


def test_a_role_that_is_refused_is_asked_for_once(pool: IdentityPool, issuer: Issuer) -> None:
    guest = identity_of(pool, {})
    issuer.refusals.append(RoleRefused(detail="STS: AccessDenied"))

    with pytest.raises(RoleRefused):
        identity_pools.credentials(guest, {}, by=BY)
    assert len(issuer.asked) == 1


def test_without_the_classic_flow_no_token_is_made(providers: Providers, issuer: Issuer) -> None:
    guest = identity_of(make_pool(allow_classic_flow=False), {})

    with pytest.raises(DomainError, match="not enabled"):
        identity_pools.open_id_token(guest, {}, by=BY)
    assert not rows("identity_token_issued")
    assert signing_keys.unverified_claims(identity_pools.open_id_token(identity_of(make_pool(), {}), {}, by=BY)[1])
