"""Each hot statement uses indexes only, names its pool, and says what the ORM would say."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DataError, NotSupportedError, connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg import sql
from pytest_django import Settings

from identity.foundation import clock, sealing
from identity.foundation.names import uuid7
from pools.models import (
    AppClient,
    Guess,
    Membership,
    RefreshFamily,
    SigningKey,
    TotpFactor,
    User,
    UserPool,
    account_rows,
    app_client_rows,
    hot,
    message_rows,
    user_listing,
)
from pools.services import access, configuration, lockout
from pools.services.people import groups
from pools.services.pools import signing_keys
from pools.services.sign_in.machine import EndsIn, SignedIn
from pools.services.tokens import authorization_codes, sessions
from pools.services.tokens.bound import Bound
from tests import factories

BY = factories.BY
NOW = clock.now
SOME = uuid.UUID(int=7)
ASKED = Bound(("openid",), oauth=True)

FAMILY: dict[str, Any] = {
    **dict.fromkeys(("id", "client", "user", "event"), SOME),
    **dict.fromkeys(("auth_time", "expires_at", "now"), NOW()),
    "pool": 1,
    "salt": b"s",
    "epoch": 0,
    "bound": '{"scopes": ["openid"], "oauth": true}',
    "proofs": ["pwd"],
}
CLEARED: dict[str, Any] = {"pool": 1, "subject": SOME, "guessed": "password"}
EVENT: dict[str, Any] = {
    **dict.fromkeys(("event", "client", "user"), SOME),
    **dict.fromkeys(("reason", "request_id"), ""),
    "pool": 1,
    "kind": "sign_in",
    "passed": True,
    "methods": "[]",
    "address": None,
}
PAGE: dict[str, Any] = {"pool": 1, "after": SOME, "last": SOME, "first": "a", "below": "b"}
SENT: dict[str, Any] = {
    "pool": 1,
    "hashes": [b"x"],
    "client": SOME,
    "since": NOW(),
    "floor": SOME,
    "but": "notice",
    "most": 9,
}
PARAMETERS: dict[str, Any] = {
    "CREDENTIALS": (1, "alice", SOME),
    "PROVEN": (1, SOME),
    "ATTEMPT": (1, SOME),
    "REFRESH": (1, SOME),
    "BEARER": (SOME, 1, SOME),
    "BROWSER": (1, SOME),
    "FACTORS_OF": (1, SOME),
    "ACCESS_KEY": ("AKIA",),
    "RESERVE_GUESS": {
        "id": SOME,
        "pool": 1,
        "subject": SOME,
        "kind": "password",
        "now": NOW(),
        "quiet": NOW(),
        "free": 5,
    },
    "CLEAR_GUESS": CLEARED,
    "LOCKED_UNTIL": (1, SOME, "password"),
    "STRIKE": (1, SOME, 0, 5, NOW()),
    "STEP": (True, "{}", NOW(), 1, SOME, 0, NOW()),
    "KEEP_RECEIPT": {"id": SOME, "pool": 1, "key": b"k", "browser": b"b", "expires_at": NOW(), "now": NOW()},
    "ROTATE": (b"s", NOW(), NOW(), "{}", 1, SOME, 0),
    "START_FAMILY": FAMILY,
    "AUTH_EVENT": EVENT,
    "AUDIT_ONCE": {
        **dict.fromkeys(("tag", "actor_kind", "actor_id", "subject", "outcome", "request_id"), ""),
        **dict.fromkeys(("personal_digest", "digest", "salt"), b"x"),
        **dict.fromkeys(("pool", "identity_pool", "format"), 1),
        **dict.fromkeys(("detail", "values"), "{}"),
        "id": SOME,
    },
    "END_SIGN_IN": {**FAMILY, **EVENT, **CLEARED},
    "REDEEM": {
        **dict.fromkeys(("family_expires_at", "now"), NOW()),
        "pool": 1,
        "hashes": [b"x"],
        "client": SOME,
        "redirect_uri": "",
        "challenge": "",
        "salt": b"s",
    },
    "FIND_ANYBODY": {"pool": 1, "name": "alice", "now": NOW()},
    "FIND_USER": {"pool": 1, "name": "alice", "sub": SOME},
    "LOCK_USER": (1, SOME),
    "IS_TAKEN": {"pool": 1, "name": "alice", "sub": str(SOME), "but": SOME},
    "MAKE_USER": {
        **dict.fromkeys(account_rows.NEW, "x"),
        **dict.fromkeys(("email_verified", "phone_number_verified"), False),
        **dict.fromkeys(("created_at", "modified_at"), NOW()),
        "id": SOME,
        "sub": SOME,
        "pool": 1,
        "attributes": "{}",
        "status": "CONFIRMED",
        "name_ids": [SOME],
        "names": ["alice"],
        "kinds": ["username"],
    },
    "STORE_HASHES": {
        **dict.fromkeys(("argon2", "verifier_pool", "verifier_name"), "x"),
        **dict.fromkeys(("expires_at", "changed_at"), NOW()),
        "user": SOME,
        "pool": 1,
        "verifier": b"v",
    },
    "SET_STATUS": {"pool": 1, "user": SOME, "status": "CONFIRMED", "now": NOW()},
    "REVOKE_CODES": {
        "pool": 1,
        "subject": SOME,
        "now": NOW(),
        **{key: ["x"] for key in ("purposes", "of_addresses", "own")},
    },
    "QUEUE": {
        **dict.fromkeys(message_rows.WRITTEN, "x"),
        **dict.fromkeys(("recipient_hash", "mailbox_hash", "sealed"), b"x"),
        **dict.fromkeys(("expires_at", "created_at"), NOW()),
        **dict.fromkeys(("id", "client_id"), SOME),
        "pool_id": 1,
        "attempts": 0,
    },
    **dict.fromkeys(("SENT_TO_ADDRESS", "SENT_TO_MAILBOX", "SENT_OF_CLIENT", "SENT_OF_POOL"), SENT),
    "WITH_FLOW": {"pool": 1, "flow": "code", "provider": "COGNITO"},
    "ALL": PAGE,
    "BY_SUB": PAGE,
    "BY_STATUS": {**PAGE, "value": "CONFIRMED"},
    "BY_ENABLED": {**PAGE, "value": True},
    **{name: PAGE for name, text in vars(user_listing).items() if text in user_listing.BY_TEXT.values()},
}
MODULES = (hot, account_rows, app_client_rows, message_rows, user_listing)
FRAGMENTS = {"COLUMNS", "LISTED"}
"""What statements begin with."""
# The poll asks for what changed in all pools, over a table that has a row a pool; the spent and operators have no pool.
WITHOUT_POOL = {"MOVED", "SPEND", "ACCESS_KEY"}


def statements() -> dict[str, str]:
    """Return the modules' statements by name."""
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
    return {
        name: value
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, str) and name.isupper() and value.strip().startswith(verbs) and name not in FRAGMENTS
    }


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return every node of a plan."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    configuration.cache.forget_everything()


def test_every_statement_is_listed_here() -> None:
    assert statements().keys() == PARAMETERS.keys() | WITHOUT_POOL


def numbered(name: str) -> tuple[str, list[Any]]:
    """Return a statement as the server prepares it, with ``$1`` and on, and its parameters in that order."""
    given, values = PARAMETERS[name], list[Any]()
    places: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        key = found[1] or str(len(values))
        if key not in places:
            values.append(given[key] if isinstance(given, dict) else given[len(values)])
            places[key] = f"${len(values)}"
        return places[key]

    return re.sub(r"%(?:\((\w+)\))?s", number, statements()[name]), values


@pytest.mark.parametrize("how", ["with literals", "prepared"])
@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_hot_statement_uses_indexes_only(name: str, how: str, db: None) -> None:
    with connection.cursor() as cursor:
        # Tables are empty here: the planner is asked whether an index would do, not whether it pays.
        cursor.execute("SET LOCAL enable_seqscan = off")
        if how == "prepared":
            text, values = numbered(name)
            types = ", ".join("timestamptz" if isinstance(value, datetime) else "unknown" for value in values)
            cursor.execute(f"PREPARE asked ({types}) AS {text}")
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({', '.join(['%s'] * len(values))})", values)
        else:
            cursor.execute("EXPLAIN (FORMAT JSON) " + statements()[name], PARAMETERS[name])
        answer = cursor.fetchone()
        if how == "prepared":
            # One plan for any parameters, as the connection's own settings have it.
            cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = 'asked'")
            assert cursor.fetchone() == (1, 0)
            cursor.execute("DEALLOCATE asked")
    assert answer
    plan = json.loads(answer[0]) if isinstance(answer[0], str) else answer[0]

    scans = [node["Relation Name"] for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"]
    assert scans == []


def prepared() -> list[tuple[int, int]]:
    """Return how often each statement that this connection keeps prepared ran by a plan for any parameters, and not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements ORDER BY name")
        return [(int(generic), int(custom)) for generic, custom in cursor.fetchall()]


def test_a_hot_statement_is_planned_once_for_a_connection(transactional_db: None) -> None:
    connection.close()

    for pool_id in (1, 2, 3):
        hot.bearer(pool_id, SOME, SOME)
        User.objects.filter(pool_id=pool_id, sub=SOME).first()  # the ORM's are not

    assert prepared() == [(3, 0)]


def test_nothing_is_prepared_where_a_pooler_cannot_keep_it(transactional_db: None, settings: Settings) -> None:
    settings.DATABASE_PREPARES = False
    connection.close()

    hot.bearer(1, SOME, SOME)

    assert prepared() == []


@contextmanager
def wider_failures() -> Iterator[None]:
    """Change the type of a column that a hot statement returns, by a connection beside ours; undo it."""
    change = sql.SQL("ALTER TABLE guess ALTER failures TYPE {}").format
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as beside:
        beside.execute(change(sql.SQL("bigint")))
        try:
            yield
        finally:
            connection.close()
            beside.execute(change(sql.SQL("integer")))


def test_a_column_of_another_type_fails_no_prepared_statement(transactional_db: None) -> None:
    given = {**PARAMETERS["RESERVE_GUESS"], "subject": uuid7(), "quiet": NOW() - timedelta(days=1)}
    assert (hot.one(hot.RESERVE_GUESS, given) or ())[0] == 1

    with wider_failures():
        assert (hot.one(hot.RESERVE_GUESS, given) or ())[0] == 2
        assert (hot.one(hot.RESERVE_GUESS, given) or ())[0] == 3


def test_a_column_of_another_type_fails_a_transaction_once(transactional_db: None) -> None:
    given = {**PARAMETERS["RESERVE_GUESS"], "subject": uuid7(), "quiet": NOW() - timedelta(days=1)}
    with transaction.atomic():
        hot.one(hot.RESERVE_GUESS, given)

    with wider_failures():
        with pytest.raises(NotSupportedError), transaction.atomic():
            hot.one(hot.RESERVE_GUESS, given)
        with transaction.atomic():
            assert (hot.one(hot.RESERVE_GUESS, given) or ())[0] == 2


def test_what_a_rollback_dropped_is_prepared_again(transactional_db: None) -> None:
    connection.close()
    hot.bearer(1, SOME, SOME)
    with transaction.atomic():
        hot.bearer(1, SOME, SOME)
        transaction.set_rollback(True)
    assert prepared() == []

    hot.bearer(1, SOME, SOME)

    assert prepared() == [(1, 0)]


@pytest.mark.parametrize("prepares", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_a_statement_that_fails_raises_an_error_of_djangos(
    transactional_db: None, settings: Settings, *, prepares: bool, inside: bool
) -> None:
    settings.DATABASE_PREPARES = prepares

    with pytest.raises(DataError, match="uuid"), transaction.atomic() if inside else nullcontext():
        hot.one(hot.LOCKED_UNTIL, (1, "no id", "password"))

    assert hot.one(hot.LOCKED_UNTIL, (1, SOME, "password")) is None


def test_a_row_is_the_same_however_it_is_asked_for(pool: UserPool, user: User, settings: Settings) -> None:
    asked = (pool.pk, user.username, user.id)
    found = [hot.one(account_rows.CREDENTIALS, asked)]
    settings.DATABASE_PREPARES = False
    found.append(hot.one(account_rows.CREDENTIALS, asked))
    with transaction.atomic():
        found.append(hot.one(account_rows.CREDENTIALS, asked))
    with CaptureQueriesContext(connection) as seen:
        found.append(hot.one(account_rows.CREDENTIALS, asked))

    assert len(seen) == 1
    assert user.id in (found[0] or ())
    assert found == [found[0]] * 4


@pytest.mark.parametrize("inside", [True, False])
def test_a_wrapper_of_djangos_sees_each_hot_statement(transactional_db: None, *, inside: bool) -> None:
    seen: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: ANN401 - Django's
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch), transaction.atomic() if inside else nullcontext():
        hot.one(hot.LOCKED_UNTIL, (1, SOME, "password"))

    assert seen == [(hot.LOCKED_UNTIL, (1, SOME, "password"))]


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - WITHOUT_POOL))
def test_a_hot_statement_names_its_pool(name: str) -> None:
    assert re.search(r"pool_id( =|,|\b.*VALUES)", statements()[name])


@pytest.fixture
def pool(transactional_db: None) -> UserPool:
    return factories.make_pool(mfa="OPTIONAL")


@pytest.fixture
def client(pool: UserPool) -> AppClient:
    return factories.make_client(pool, explicit_auth_flows=[*factories.FLOWS])


@pytest.fixture
def user(pool: UserPool) -> User:
    made = factories.make_user(pool, "alice", email="a@example.com", nickname="Al", given_name="Alice")
    groups.create(pool, "late", precedence=9, by=BY)
    groups.create(pool, "first", role_arn="arn:aws:iam:::role/First", precedence=1, by=BY)
    for name in ("late", "first"):
        groups.add(pool, made, name, by=BY)
    return access.user_by_sub(pool, made.sub)


def redeem(app: AppClient, code: str, **other: Any) -> hot.RedeemedCode | None:
    """Redeem a code as it was minted, or otherwise."""
    given = {
        "pool": app.pool_id,
        "hashes": sealing.keyed_hashes("authorization_code", code),
        "client": app.pk,
        "redirect_uri": "https://app.example",
        "challenge": "",
        "salt": b"s" * 16,
        "now": NOW(),
        "family_expires_at": NOW() + timedelta(days=1),
    }
    return hot.redeem(**{**given, **other})


def same(person: hot.Person | None, user: User, *, with_factors: bool = True) -> bool:
    """Say whether a hot row is what the ORM reads."""
    fresh = User.objects.get(pk=user.pk)
    expected = {name: getattr(fresh, name) for name in hot.Person._fields if name != "held"}
    proven = TotpFactor.objects.filter(pk=user.pk).exclude(verified_at=None)
    held = tuple(hot.EnrolledFactor("totp", factor.name, factor.enabled) for factor in proven)
    return person is not None and person._asdict() == {**expected, "held": held if with_factors else None}


def test_credentials_are_what_the_orm_reads(pool: UserPool, user: User) -> None:
    lockout.take_guess(pool, user.id, Guess.Kind.PASSWORD)
    found = account_rows.credentials(pool.pk, "alice", SOME)

    same_names = set(found._fields) & {field.name for field in User._meta.fields}
    assert same_names >= {"id", "sub", "username", "email", "phone_number", "preferred_username", "status", "epoch"}
    assert {name: getattr(found, name) for name in same_names} == {name: getattr(user, name) for name in same_names}
    assert found.argon2 == user.password.argon2
    assert found.sealed_verifier == bytes(user.password.sealed_verifier or b"")
    assert (found.verifier_pool, found.verifier_name) == (pool.public_id, user.username)
    assert found.locked_until is None
    assert account_rows.credentials(pool.pk, "", user.id) == found
    assert account_rows.credentials(factories.make_pool().pk, "", user.id).id is None


def test_of_whom_was_proven_all_is_read(pool: UserPool, user: User) -> None:
    factories.give_totp(pool, user)

    found = hot.proven(pool.pk, user.id)

    assert found is not None
    assert same(found.person, user)
    ordered = Membership.objects.filter(user=user).order_by("group__precedence").values_list("group__name", flat=True)
    assert [group.name for group in found.groups] == list(ordered)
    assert found.password_changed_at == user.password.changed_at
    assert hot.proven(factories.make_pool().pk, user.id) is None
    assert hot.proven(pool.pk, SOME) is None


@pytest.mark.parametrize("name", ["nobody", "", "Alice"])
def test_a_stranger_is_one_row_that_holds_no_more_than_a_lock(pool: UserPool, user: User, name: str) -> None:
    until = clock.now()
    Guess.objects.create(
        pool=pool, subject=SOME, kind=Guess.Kind.PASSWORD, failures=5, last_at=until, locked_until=until
    )

    found = account_rows.credentials(pool.pk, name, SOME)

    assert found == (None,) * (len(found) - 1) + (until,)


def test_no_statement_reads_another_pools_rows(client: AppClient, user: User) -> None:
    outcome = factories.begin(client, username="alice", password=factories.PASSWORD, ends_in=EndsIn.TOKENS, by=BY)
    browser = factories.begin(client, username="alice", password=factories.PASSWORD, ends_in=EndsIn.BROWSER, by=BY)
    assert isinstance(outcome, SignedIn)
    assert isinstance(browser, SignedIn)
    assert browser.opened_session
    session = sessions.signed_in_session(client.pool, browser.opened_session.cookie)
    assert session
    minted = authorization_codes.issue_code(client, session, redirect_uri="https://app.example", bound=ASKED)
    family = RefreshFamily.objects.get(pool_id=client.pool_id)
    other = factories.make_pool()

    assert same(session.person, user)
    for pool_id, found in ((client.pool_id, True), (other.pk, False)):
        assert bool(hot.family(pool_id, family.id)) is found
        assert bool(hot.bearer(pool_id, user.sub, family.id)) is found
        assert bool(redeem(client, minted, pool=pool_id, redirect_uri="https://app.example/other")) is found
        assert bool(hot.browser_session(pool_id, session.id)) is found
    live = hot.bearer(client.pool_id, user.sub, family.id)
    assert live
    assert same(live.person, user)
    assert same(getattr(hot.family(client.pool_id, family.id), "person", None), user, with_factors=False)
    redeemed = redeem(client, minted)
    assert redeemed
    assert redeemed.redeemed
    assert same(redeemed.person, user, with_factors=False)


def test_a_code_that_is_not_as_presented_is_read_and_stays_unspent(client: AppClient, user: User) -> None:
    browser = factories.begin(client, username="alice", password=factories.PASSWORD, ends_in=EndsIn.BROWSER, by=BY)
    assert isinstance(browser, SignedIn)
    assert browser.opened_session
    session = sessions.signed_in_session(client.pool, browser.opened_session.cookie)
    assert session
    minted = authorization_codes.issue_code(
        client, session, redirect_uri="https://app.example", bound=ASKED, code_challenge="c"
    )
    late = NOW() + timedelta(minutes=6)
    wrong: list[dict[str, Any]] = [
        {"client": SOME},
        {"redirect_uri": "https://app.example/"},
        {"challenge": ""},
        {"challenge": "C"},
        {"now": late},
    ]

    for one in wrong:
        found = redeem(client, minted, **{"challenge": "c", **one})
        assert found
        assert not found.redeemed
        assert found.consumed_at is None
    for change, undone in (({"enabled": False}, {"enabled": True}), ({"epoch": 7}, {"epoch": 0})):
        User.objects.filter(pk=user.pk).update(**change)
        found = redeem(client, minted, challenge="c")
        assert found
        assert not found.redeemed
        User.objects.filter(pk=user.pk).update(**undone)
    assert not RefreshFamily.objects.filter(pool_id=client.pool_id, oauth=True).exists()
    found = redeem(client, minted, challenge="c")
    assert found
    assert found.redeemed


def test_what_is_spent_is_spent_once(transactional_db: None) -> None:
    spent = uuid7()

    assert hot.execute(hot.SPEND, (spent,)) == 1
    assert hot.execute(hot.SPEND, (spent,)) == 0


def test_a_poll_sees_what_changed_in_a_transaction_that_began_before_it(pool: UserPool) -> None:
    with transaction.atomic():
        configuration.touch(pool)
        version = UserPool.objects.get(pk=pool.pk).version

    moved, _ = hot.moved_configuration()

    assert ("pool", pool.public_id, version) in moved


def test_a_poll_sees_a_installation_key_that_takes_the_place_of_two(transactional_db: None) -> None:
    signing_keys.ensure_installation_keys()
    signing_keys.rotate(None, by=BY)
    seen = [hot.moved_configuration()[1]]

    # One row goes that was retired, one comes that is not, and one retires: as many rows and dates as before.
    SigningKey.objects.filter(pool=None).exclude(retire_at=None).delete()
    SigningKey.objects.filter(pool=None).update(active_from=NOW())
    signing_keys.rotate(None, by=BY)
    seen.append(hot.moved_configuration()[1])
    SigningKey.objects.filter(pool=None).exclude(retire_at=None).update(retire_at=NOW())
    seen.append(hot.moved_configuration()[1])

    assert len(set(seen)) == 3
    assert hot.moved_configuration()[1] == seen[-1]


def test_a_process_takes_up_the_installation_keys_of_another(transactional_db: None) -> None:
    signing_keys.ensure_installation_keys()
    signing_keys.rotate(None, by=BY)
    other = configuration.ConfigurationCache()
    other.poll()
    before = {key.kid for key in other.keys(None)}
    SigningKey.objects.filter(pool=None).exclude(retire_at=None).delete()
    SigningKey.objects.filter(pool=None).update(active_from=NOW())
    signing_keys.rotate(None, by=BY)

    other.poll(force=True)

    now = {key.kid for key in other.keys(None)}
    assert now == set(SigningKey.objects.filter(pool=None).values_list("kid", flat=True))
    assert now != before


def test_of_a_deleted_apps_tokens_nothing_is_read(client: AppClient, user: User) -> None:
    factories.begin(client, username="alice", password=factories.PASSWORD, ends_in=EndsIn.TOKENS, by=BY)
    family = RefreshFamily.objects.get(pool_id=client.pool_id)
    before = hot.bearer(client.pool_id, user.sub, family.id)

    AppClient.objects.filter(pk=client.pk).delete()

    after = hot.bearer(client.pool_id, user.sub, family.id)
    assert before is not None
    assert after is not None
    assert (before.family_id, after.family_id) == (family.id, None)
    assert hot.family(client.pool_id, family.id) is None
