"""Tokens live exactly as long as person, session, client and pool let them; single-use things are used once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

from identity.foundation import clock, errors
from pools.models import AppClient, AuditEvent, RefreshFamily, User, UserPool, hot
from pools.services import access, codes, configuration
from pools.services.people import passwords, users
from pools.services.pools import signing_keys
from pools.services.sign_in.machine import EndsIn, SignedIn
from pools.services.tokens import authorization_codes, issue, refresh, revoke, sessions, verify
from pools.services.tokens.bound import Bound
from pools.services.tokens.issue import TokenSet
from tests import factories
from tests.factories import PASSWORD
from tests.sign_in.conftest import BY

ASKED = Bound(("openid",), oauth=True, nonce="n")
VERIFIER = "a-verifier-of-more-than-forty-three-characters-1234"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def sign_in(client: AppClient) -> TokenSet:
    outcome = factories.begin(client, username="alice", password=PASSWORD, ends_in=EndsIn.TOKENS, by=BY)
    assert isinstance(outcome, SignedIn)
    assert outcome.tokens is not None
    return outcome.tokens


def code(client: AppClient, *, challenge: str = CHALLENGE) -> str:
    outcome = factories.begin(client, username="alice", password=PASSWORD, ends_in=EndsIn.BROWSER, by=BY)
    assert isinstance(outcome, SignedIn)
    assert outcome.opened_session is not None
    session = sessions.signed_in_session(client.pool, outcome.opened_session.cookie)
    assert session is not None
    return authorization_codes.issue_code(
        client, session, redirect_uri="https://app.example/cb", bound=ASKED, code_challenge=challenge
    )


def redeem(client: AppClient, code: str, verifier: str | None = VERIFIER) -> TokenSet:
    return authorization_codes.redeem(client, code, redirect_uri="https://app.example/cb", verifier=verifier, by=BY)


def test_access_tokens_are_checked_by_one_statement(client: AppClient, person: User) -> None:
    issued = sign_in(client)
    verify.verify_access(issued.access)
    configuration.cache.poll(force=True)

    with CaptureQueriesContext(connection) as captured:
        bearer = verify.verify_access(issued.access, scope="aws.cognito.signin.user.admin", pool=client.pool)

    assert len(captured) == 1
    assert verify.attributes_of(bearer.person, bearer.client)["email"] == "alice@example.com"


def test_client_credentials_ask_the_database_nothing(client: AppClient) -> None:
    issue.client_credentials(client, ["photos/read"])
    configuration.cache.poll(force=True)

    with CaptureQueriesContext(connection) as captured:
        issued = issue.client_credentials(client, ["photos/read"])

    assert len(captured) == 0
    claims = signing_keys.verify(client.pool, signing_keys.Use.ACCESS, issued.access)
    assert claims is not None
    assert (claims["sub"], claims["scope"], claims["token_use"]) == (client.client_id, "photos/read", "access")


def test_a_machine_token_speaks_for_nobody(client: AppClient) -> None:
    with pytest.raises(errors.TokenRefused):
        verify.verify_access(issue.client_credentials(client, []).access)


def test_refreshing_keeps_the_session_and_writes_nothing(client: AppClient, person: User) -> None:
    issued = sign_in(client)
    configuration.cache.poll(force=True)

    with CaptureQueriesContext(connection) as captured:
        again = refresh.refresh(client, issued.refresh or "", by=BY)

    assert [query["sql"].split()[0] for query in captured] == ["SELECT"]
    assert again.refresh is None
    old, new = (signing_keys.unverified_claims(token) for token in (issued.access, again.access))
    assert old["origin_jti"] == new["origin_jti"]
    assert old["auth_time"] == new["auth_time"]
    assert old["jti"] != new["jti"]


@pytest.mark.parametrize(
    "what",
    ["disabled", "signed out", "deleted", "recovered", "revoked"],
)
def test_nothing_of_a_session_outlives_its_end(client: AppClient, person: User, what: str) -> None:
    issued = sign_in(client)
    verify.verify_access(issued.access)
    if what == "disabled":
        users.set_enabled(client.pool, person, False, by=BY)
    elif what == "signed out":
        users.global_sign_out(client.pool, person, by=BY)
    elif what == "deleted":
        users.delete(client.pool, person, by=BY)
    elif what == "recovered":
        with transaction.atomic():
            sent = codes.issue(client.pool, person.id, codes.Purpose.RECOVERY, "alice@example.com")
        passwords.confirm_forgot(client, "alice", code=sent, password="Another-horse-1", by=BY)
    else:
        revoke.revoke(client, issued.refresh or "", by=BY)

    with pytest.raises((errors.TokenRefused, errors.UserDisabled, errors.UserNotFound)):
        verify.verify_access(issued.access)
    with pytest.raises((errors.RefreshRefused, errors.UserDisabled)):
        refresh.refresh(client, issued.refresh or "", by=BY)
    with pytest.raises(errors.LoginRefused):
        verify.verify_id(issued.id or "", pool=client.pool, client_ids=[client.client_id])


def test_enabling_again_brings_no_old_token_back(client: AppClient, person: User) -> None:
    issued = sign_in(client)
    users.set_enabled(client.pool, person, False, by=BY)
    users.set_enabled(client.pool, person, True, by=BY)

    with pytest.raises(errors.TokenRevoked):
        verify.verify_access(issued.access)
    with pytest.raises(errors.RefreshRefused):
        refresh.refresh(client, issued.refresh or "", by=BY)
    sign_in(client)


def test_an_access_token_expires(client: AppClient, person: User) -> None:
    issued = sign_in(client)

    with time_machine.travel(clock.now() + timedelta(minutes=59), tick=False):
        configuration.cache.poll(force=True)
        verify.verify_access(issued.access)
    with (
        time_machine.travel(clock.now() + timedelta(minutes=61), tick=False),
        pytest.raises(errors.TokenExpired),
    ):
        verify.verify_access(issued.access)


CRITICAL = JWSRegistry(header_registry={"exp": HeaderParameter("critical", "int")})


def respelt(signature: str) -> str:
    """Return the same bytes in base64 with other unused bits: 256 bytes leave four of them."""
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    return signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]


def test_tokens_of_another_kind_pool_or_maker_are_refused(client: AppClient, person: User) -> None:
    issued = sign_in(client)
    other = factories.make_pool()
    header, payload, signature = issued.access.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    kid = signing_keys.unverified_header(issued.access)["kid"]
    unknown = RSAKey.generate_key(2048)
    public = next(key for key in signing_keys.published(client.pool) if key.kid == kid)
    own = RSAKey(public.private, public.private)
    none = b64(json.dumps({"alg": "none", "kid": kid}).encode())
    # The public key as an HMAC secret: joserfc itself refuses to make such a token.
    pem = public.checks.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    confused = f"{b64(json.dumps({'alg': 'HS256', 'kid': kid}).encode())}.{payload}"
    forged = [
        issued.id or "",
        issued.refresh or "",
        "",
        "a.b.c",
        f"{header}.{payload}.",
        f"{none}.{payload}.",
        f"{header}.{payload[:-4]}AAAA.{signature}",
        # Other spellings of a good signature (RFC 4648 section 3.5), and what our own key did sign.
        *(f"{header}.{payload}.{other}" for other in (respelt(signature), signature + "==", signature + "\n")),
        jwt.encode({"alg": "RS256", "kid": kid, "crit": ["exp"], "exp": 1}, claims, own, registry=CRITICAL),
        jwt.encode({"alg": "RS512", "kid": kid}, claims, own, algorithms=["RS512"]),
        jwt.encode({"alg": "RS256", "kid": kid}, claims, unknown),
        f"{confused}.{b64(hmac.digest(pem, confused.encode(), 'sha256'))}",
        jwt.encode({"alg": "RS256", "kid": "../../etc/passwd"}, claims, unknown),
        jwt.encode({"alg": "RS256", "kid": kid}, {**claims, "iss": f"http://evil.example/{other.public_id}"}, unknown),
    ]

    for token in forged:
        with pytest.raises(errors.TokenRefused):
            verify.verify_access(token)
    with pytest.raises(errors.TokenRefused):
        verify.verify_access(issued.access, pool=other)
    assert verify.verify_access(issued.access, pool=client.pool)


def test_what_was_purged_is_told_like_what_was_revoked(client: AppClient, person: User) -> None:
    issued = sign_in(client)
    RefreshFamily.objects.filter(pool_id=client.pool_id).delete()

    with pytest.raises(errors.RefreshRefused, match="Refresh Token has been revoked"):
        refresh.refresh(client, issued.refresh or "", by=BY)


def test_a_refresh_token_is_its_clients_own(client: AppClient, person: User) -> None:
    issued = sign_in(client)
    sibling = factories.make_client(client.pool)
    foreign = factories.make_client(factories.make_pool())

    for wrong in (sibling, foreign):
        with pytest.raises(errors.RefreshRefused):
            refresh.refresh(wrong, issued.refresh or "", by=BY)
    with pytest.raises(errors.TokenOfAnotherClient):
        revoke.revoke(sibling, issued.refresh or "", by=BY)
    revoke.revoke(foreign, issued.refresh or "", by=BY)  # of another pool's tokens a client learns nothing
    assert refresh.refresh(client, issued.refresh or "", by=BY)


def test_garbage_costs_no_query(client: AppClient) -> None:
    configuration.cache.poll(force=True)

    with CaptureQueriesContext(connection) as captured:
        for garbage in ("", "x", "A" * 91, "eyJ.eyJ.sig"):
            with pytest.raises(errors.RefreshRefused):
                refresh.refresh(client, garbage, by=BY)

    assert len(captured) == 0


def rotating(pool: UserPool, grace: int) -> AppClient:
    """Return a client whose refresh tokens rotate."""
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    settings = {"feature": "ENABLED", "retry_grace_period_seconds": grace}
    return factories.make_client(pool, explicit_auth_flows=flows, refresh_token_rotation=settings)


def test_a_rotated_token_gives_the_same_successor_within_its_grace(pool: UserPool, person: User) -> None:
    client = rotating(pool, grace=10)
    issued = sign_in(client)

    with time_machine.travel(clock.now(), tick=False) as travel:
        first = refresh.refresh(client, issued.refresh or "", by=BY)
        assert refresh.refresh(client, issued.refresh or "", by=BY).refresh == first.refresh
        second = refresh.refresh(client, first.refresh or "", by=BY)
        assert second.refresh != first.refresh
        travel.shift(timedelta(seconds=11))
        with pytest.raises(errors.RefreshReused):
            refresh.refresh(client, first.refresh or "", by=BY)
        with pytest.raises(errors.RefreshRefused):
            refresh.refresh(client, second.refresh or "", by=BY)


def test_each_rotated_token_has_a_grace_time_of_its_own(pool: UserPool, person: User) -> None:
    client = rotating(pool, grace=10)
    issued = sign_in(client)

    def refreshed(token: str | None) -> str:
        return refresh.refresh(client, token or "", by=BY).refresh or ""

    with time_machine.travel(clock.now(), tick=False) as travel:
        first = refreshed(issued.refresh)
        travel.shift(timedelta(seconds=6))
        second = refreshed(first)
        # Whoever still holds the token of before the last two turns goes on with everybody else.
        assert refreshed(issued.refresh) == refreshed(first) == second
        travel.shift(timedelta(seconds=5))
        assert refreshed(first) == second
        third = refreshed(second)
        with pytest.raises(errors.RefreshReused):
            refreshed(issued.refresh)
        for ended in (first, second, third):
            with pytest.raises(errors.RefreshRefused):
                refreshed(ended)
    assert AuditEvent.objects.filter(pool_id=pool.pk, tag="token_reused").count() == 1


def test_no_family_keeps_more_than_a_few_rotated_tokens(pool: UserPool, person: User) -> None:
    client = rotating(pool, grace=60)
    held = [sign_in(client).refresh or ""]

    for _ in range(refresh.MOST + 1):
        held.append(refresh.refresh(client, held[-1], by=BY).refresh or "")

    assert refresh.refresh(client, held[1], by=BY).refresh == held[-1]
    with pytest.raises(errors.RefreshReused):
        refresh.refresh(client, held[0], by=BY)


def test_a_family_that_rotates_slowly_keeps_one_salt_of_before(pool: UserPool, person: User) -> None:
    client = rotating(pool, grace=10)
    held = sign_in(client).refresh

    with time_machine.travel(clock.now(), tick=False) as travel:
        for _ in range(3):
            held = refresh.refresh(client, held or "", by=BY).refresh
            travel.shift(timedelta(seconds=11))

    assert RefreshFamily.objects.get(pool_id=pool.pk).rotations == {}


def test_parallel_rotations_agree_on_one_successor(pool: UserPool, person: User) -> None:
    client = rotating(pool, grace=10)
    issued = sign_in(client)

    def turn(_: int) -> str | None:
        try:
            return refresh.refresh(client, issued.refresh or "", by=BY).refresh
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        successors = set(threads.map(turn, range(24)))

    assert len(successors) == 1
    assert RefreshFamily.objects.get(pool_id=pool.pk).generation == 1


def test_a_code_is_bound_to_client_redirect_and_verifier(client: AppClient, person: User) -> None:
    minted = code(client)
    sibling = factories.make_client(client.pool)

    with pytest.raises(errors.GrantRefused):
        redeem(sibling, minted)
    with pytest.raises(errors.GrantRefused):
        authorization_codes.redeem(client, minted, redirect_uri="https://app.example/other", verifier=VERIFIER, by=BY)
    for wrong in (None, "", "x" * 43, CHALLENGE):
        with pytest.raises(errors.GrantRefused):
            redeem(client, minted, wrong)
    with pytest.raises(errors.GrantRefused):
        redeem(client, code(client, challenge=""), VERIFIER)
    assert redeem(client, minted).id


def test_one_redemption_wins_and_a_second_use_ends_what_it_made(client: AppClient, person: User) -> None:
    minted = code(client)

    def attempt(_: int) -> TokenSet | None:
        try:
            return redeem(client, minted)
        except errors.GrantRefused:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        won = [found for found in threads.map(attempt, range(50)) if found]

    assert len(won) == 1
    with pytest.raises(errors.TokenRevoked):
        verify.verify_access(won[0].access)


def test_a_late_code_and_one_of_someone_signed_out_are_refused(client: AppClient, person: User) -> None:
    late, orphan = code(client), code(client)

    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False), pytest.raises(errors.GrantRefused):
        redeem(client, late)
    users.global_sign_out(client.pool, person, by=BY)
    with pytest.raises(errors.GrantRefused):
        redeem(client, orphan)


def test_tokens_signed_before_a_rotation_verify_after_it(client: AppClient, person: User) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        before = sign_in(client)
        signing_keys.rotate(client.pool, by=BY)
        configuration.cache.forget_everything()
        published = json.loads(signing_keys.jwks(client.pool))["keys"]
        assert len(published) == 4
        travel.shift(timedelta(seconds=4))
        after = sign_in(client)
        kids = {signing_keys.unverified_header(token.access)["kid"] for token in (before, after)}
        assert len(kids) == 2
        verify.verify_access(before.access)
        verify.verify_access(after.access)
        travel.shift(timedelta(days=2))
        assert len(json.loads(signing_keys.jwks(access.pool(client.pool.public_id)))["keys"]) == 2


def test_the_key_that_signs_stands_first_in_the_identity_pools_set(transactional_db: None) -> None:
    signing_keys.ensure_installation_keys()
    with time_machine.travel(clock.now(), tick=False) as travel:
        signing_keys.rotate(None, by=BY)
        configuration.cache.forget_everything()
        for shift in (0, 4):
            travel.shift(timedelta(seconds=shift))
            token = issue.identity_pool_token({"sub": "x"})
            first = json.loads(signing_keys.identity_jwks())["keys"][0]
            assert first["kid"] == signing_keys.unverified_header(token)["kid"]
            assert first["x5c"]


def test_a_client_without_revocation_still_ends_with_a_sign_out(pool: UserPool, person: User) -> None:
    client = factories.make_client(pool, enable_token_revocation=False)
    issued = sign_in(client)

    claims = signing_keys.unverified_claims(issued.access)
    assert "origin_jti" not in claims
    assert "jti" not in claims
    with pytest.raises(errors.RevocationDisabled):
        revoke.revoke(client, issued.refresh or "", by=BY)
    users.global_sign_out(pool, person, by=BY)
    with pytest.raises(errors.TokenRevoked):
        verify.verify_access(issued.access)


def test_only_refresh_tokens_can_be_revoked(client: AppClient, person: User) -> None:
    issued = sign_in(client)

    for token in (issued.access, issued.id or ""):
        with pytest.raises(errors.UnsupportedToken):
            revoke.revoke(client, token, by=BY)
    revoke.revoke(client, "unknown", by=BY)
    revoke.revoke(client, issued.refresh or "", by=BY)
    revoke.revoke(client, issued.refresh or "", by=BY)


def test_a_forced_rotation_ends_a_planned_one_for_good(client: AppClient, person: User) -> None:
    with time_machine.travel(clock.now(), tick=False) as travel:
        planned = signing_keys.rotate(client.pool, by=BY, at_once=False)
        travel.shift(timedelta(minutes=5))
        forced = signing_keys.rotate(client.pool, by=BY)
        for _ in range(4):
            travel.shift(timedelta(hours=1))
            configuration.cache.forget_everything()
            kid = signing_keys.unverified_header(sign_in(access.client(client.client_id)).access)["kid"]
            published = [key["kid"] for key in json.loads(signing_keys.jwks(client.pool))["keys"]]
            assert kid in forced
            assert kid in published
            assert not set(planned) & set(published)


def test_a_used_code_leaves_one_audit_row_however_often_it_comes(client: AppClient, person: User) -> None:
    minted = code(client)
    redeem(client, minted)

    for _ in range(5):
        with pytest.raises(errors.GrantRefused):
            redeem(client, minted)

    assert AuditEvent.objects.filter(pool_id=client.pool_id, tag="code_reused").count() == 1


def test_a_database_that_does_not_answer_is_polled_once_a_second_and_keys_go_on(
    client: AppClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signing_keys.jwks(client.pool)
    asked = []

    def fail() -> None:
        asked.append(1)
        raise OperationalError("gone")

    monkeypatch.setattr(configuration, "POLL", 1.0)
    monkeypatch.setattr(hot, "moved_configuration", fail)
    for late in ("_polled", "_tried"):
        monkeypatch.setattr(configuration.cache, late, clock.monotonic() - 3)

    for _ in range(20):
        assert signing_keys.jwks(client.pool) == before

    assert len(asked) == 1


def test_a_strict_apps_id_tokens_say_how_much_was_proven_by_the_api_too(pool: UserPool, person: User) -> None:
    strict, loose = (factories.make_client(pool, openid_strict=strict) for strict in (True, False))

    def told(client: AppClient) -> list[object]:
        issued = sign_in(client)
        fresh = refresh.refresh(client, issued.refresh or "", by=BY)
        return [signing_keys.unverified_claims(each.id or "").get("acr") for each in (issued, fresh)]

    assert told(strict) == ["urn:cognito:loa:1"] * 2
    assert told(loose) == [None] * 2
