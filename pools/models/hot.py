"""Raw SQL: constant statements of the hot paths, and the single-use ones that the ORM cannot say; others are beside it.

Each is a constant string without formatting, and returns named tuples. Every statement on a pool's tables names the
pool. Decides nothing: what a row means is the services' business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from pools.models.rows import (
    AccessTokenStatus,
    AttemptRow,
    BrowserSession,
    Credentials,
    EnrolledFactor,
    Family,
    NewFamily,
    Person,
    Proven,
    RedeemedCode,
    UserGroup,
    document,
    enrolled_factors,
    person,
    user_groups,
)
from pools.models.statements import execute, one

__all__ = [
    "AccessTokenStatus",
    "AttemptRow",
    "BrowserSession",
    "Credentials",
    "EnrolledFactor",
    "Family",
    "NewFamily",
    "Person",
    "Proven",
    "RedeemedCode",
    "UserGroup",
    "attempt_row",
    "audit_once",
    "bearer",
    "browser_session",
    "count_try",
    "end_sign_in",
    "execute",
    "factors",
    "family",
    "keep_receipt",
    "moved_configuration",
    "one",
    "proven",
    "redeem",
    "reserve_guess",
    "start_family",
    "step",
]

MOVED = """
SELECT 'pool', public_id, version, '' FROM user_pool WHERE changed_at > clock_timestamp() - interval '120 s'
UNION ALL
SELECT 'identity', public_id, version, '' FROM identity_pool WHERE changed_at > clock_timestamp() - interval '120 s'
UNION ALL
SELECT 'installation', '', 0, coalesce(md5(string_agg(kid || coalesce(retire_at::text, ''), ',' ORDER BY id)), '')
FROM signing_key WHERE pool_id IS NULL
"""

PERSON = """
    u.id, u.pool_id, u.sub, u.username, u.email, u.email_verified, u.phone_number, u.phone_number_verified, u.name,
    u.given_name, u.family_name, u.preferred_username, u.attributes, u.status, u.enabled, u.epoch, u.preferred_mfa,
    u.created_at, u.modified_at
"""
# Every second factor, here alone, in a column each: what is not proven is none, nor what has no number to go to.
FACTORS = """
    (SELECT json_agg(json_build_array('totp', t.name, t.enabled)) FROM totp_factor t
     WHERE t.pool_id = u.pool_id AND t.user_id = u.id AND t.verified_at IS NOT NULL),
    CASE WHEN u.sms_enabled AND u.phone_number <> '' THEN '[["sms", "", true]]' END
"""
PERSON_AND_FACTORS = PERSON + "," + FACTORS
GROUPS = """
    (SELECT json_agg(json_build_array(g.name, g.role_arn, g.precedence) ORDER BY g.precedence NULLS LAST, g.name)
     FROM membership m JOIN pool_group g ON g.pool_id = m.pool_id AND g.id = m.group_id
     WHERE m.pool_id = u.pool_id AND m.user_id = u.id)
"""

PROVEN = (
    "SELECT p.changed_at, "
    + GROUPS
    + ","
    + PERSON_AND_FACTORS
    + """
FROM pool_user u
LEFT JOIN password p ON p.pool_id = u.pool_id AND p.user_id = u.id
WHERE u.pool_id = %s AND u.id = %s AND u.deleted_at IS NULL
"""
)

ATTEMPT = (
    "SELECT a.id, a.user_id, a.step, a.strikes, a.open, a.evidence, a.epoch, a.expires_at, c.client_id, p.changed_at, "
    + GROUPS
    + ","
    + PERSON_AND_FACTORS
    + """
FROM attempt a
JOIN app_client c ON c.pool_id = a.pool_id AND c.id = a.client_id
LEFT JOIN pool_user u ON u.pool_id = a.pool_id AND u.id = a.user_id AND u.deleted_at IS NULL
LEFT JOIN password p ON p.pool_id = u.pool_id AND p.user_id = u.id
WHERE a.pool_id = %s AND a.id = %s
"""
)

# What a grant carries; of a row that a process of the release before wrote, out of the columns it had.
FAMILY_BOUND = """
    CASE WHEN f.bound <> '{}' THEN f.bound
         ELSE jsonb_build_object('scopes', f.scopes, 'oauth', f.oauth, 'nonce', f.nonce) END
"""
CODE_BOUND = """
    CASE WHEN c.bound <> '{}' THEN c.bound
         ELSE jsonb_build_object('scopes', c.scopes, 'oauth', true, 'nonce', c.nonce) END
"""

REFRESH = (
    """SELECT f.id, f.client_id, f.generation, f.salt, f.previous_salt, f.rotated_at, f.revoked_at,
    nullif(f.rotations, '{}'), f.epoch, f.auth_time, f.methods, f.event_id, f.expires_at, f.last_active_at, """  # noqa: S608 - of constants
    + FAMILY_BOUND
    + "::text,"
    + GROUPS
    + ","
    + PERSON
    + """
FROM refresh_family f
LEFT JOIN pool_user u ON u.pool_id = f.pool_id AND u.id = f.user_id AND u.deleted_at IS NULL
WHERE f.pool_id = %s AND f.id = %s
    AND EXISTS (SELECT FROM app_client a WHERE a.pool_id = f.pool_id AND a.id = f.client_id)
"""
)

BEARER = (
    "SELECT f.id, f.epoch, f.revoked_at, "  # noqa: S608 - of constants
    + PERSON_AND_FACTORS
    + """
FROM pool_user u
LEFT JOIN refresh_family f ON f.pool_id = u.pool_id AND f.id = %s AND f.user_id = u.id
    AND EXISTS (SELECT FROM app_client a WHERE a.pool_id = f.pool_id AND a.id = f.client_id)
WHERE u.pool_id = %s AND u.sub = %s AND u.deleted_at IS NULL
"""
)

BROWSER = (
    """SELECT b.id, b.hashed, b.epoch, b.auth_time, b.methods, b.event_id, b.created_at, b.last_seen_at, b.expires_at,
    b.ended_at, """
    + PERSON_AND_FACTORS
    + """
FROM browser_session b
JOIN pool_user u ON u.pool_id = b.pool_id AND u.id = b.user_id AND u.deleted_at IS NULL
WHERE b.pool_id = %s AND b.id = %s
"""
)

FACTORS_OF = "SELECT " + FACTORS + "FROM pool_user u WHERE u.pool_id = %s AND u.id = %s"
ACCESS_KEY = """
SELECT k.sealed_secret, k.operator_id, o.username, k.last_used_at, k.actions, k.pools
FROM access_key k JOIN operator o ON o.id = k.operator_id
WHERE k.id = %s AND k.disabled_at IS NULL AND o.is_active
"""

# Reserve before evaluating. Losing the last moments of this counter in a crash is fine, waiting for the disk at
# each guess is not: the commit of this one statement is asynchronous.
RESERVE_GUESS = """
INSERT INTO guess (id, pool_id, subject, kind, failures, last_at, locked_until)
SELECT %(id)s, %(pool)s, %(subject)s, %(kind)s, 1, %(now)s,
       CASE WHEN %(free)s <= 1 THEN %(now)s + interval '1 s' END
FROM set_config('synchronous_commit', 'off', true)
ON CONFLICT (pool_id, subject, kind) DO UPDATE SET
    failures = CASE WHEN guess.last_at < %(quiet)s THEN 1 ELSE guess.failures + 1 END,
    last_at = %(now)s,
    locked_until = CASE
        WHEN guess.last_at < %(quiet)s OR guess.failures + 1 < %(free)s THEN NULL
        ELSE %(now)s + least(power(2, least(guess.failures + 1 - %(free)s, 20)), 900) * interval '1 s' END
WHERE guess.locked_until IS NULL OR guess.locked_until <= %(now)s
RETURNING failures, locked_until
"""
CLEAR_GUESS = """
UPDATE guess SET failures = 0, locked_until = NULL
WHERE pool_id = %(pool)s AND subject = %(subject)s AND kind = %(guessed)s AND failures > 0
"""
LOCKED_UNTIL = "SELECT locked_until FROM guess WHERE pool_id = %s AND subject = %s AND kind = %s"
STRIKE = """
UPDATE attempt SET strikes = strikes + 1
WHERE pool_id = %s AND id = %s AND step = %s AND open AND strikes < %s AND expires_at > %s
RETURNING strikes
"""
STEP = """
UPDATE attempt SET step = step + 1, strikes = 0, open = %s, evidence = %s, expires_at = %s
WHERE pool_id = %s AND id = %s AND step = %s AND open AND expires_at > %s
"""
SPEND = "INSERT INTO spent (id) VALUES (%s) ON CONFLICT DO NOTHING"
# The slower of two duplicates waits here until the faster has committed. A minute later the same form is another one.
KEEP_RECEIPT = """
INSERT INTO form_receipt (id, pool_id, key, browser, answer, expires_at)
VALUES (%(id)s, %(pool)s, %(key)s, %(browser)s, '', %(expires_at)s)
ON CONFLICT (pool_id, key) DO UPDATE SET
    id = EXCLUDED.id, browser = EXCLUDED.browser, next_browser = NULL, answer = '', expires_at = EXCLUDED.expires_at
WHERE form_receipt.expires_at <= %(now)s
"""
ROTATE = """
UPDATE refresh_family SET generation = generation + 1, previous_salt = salt, salt = %s, rotated_at = %s,
    last_active_at = %s, rotations = %s
WHERE pool_id = %s AND id = %s AND generation = %s AND revoked_at IS NULL
"""
# `scopes` beside `bound`: for processes of the release before, while both run.
START_FAMILY = """
INSERT INTO refresh_family (id, pool_id, client_id, user_id, salt, epoch, bound, scopes, auth_time, methods, event_id,
    expires_at, last_active_at)
VALUES (%(id)s, %(pool)s, %(client)s, %(user)s, %(salt)s, %(epoch)s, %(bound)s::jsonb,
    ARRAY(SELECT jsonb_array_elements_text(%(bound)s::jsonb -> 'scopes')), %(auth_time)s, %(proofs)s, %(event)s,
    %(expires_at)s, %(now)s)
"""
AUTH_EVENT = """
INSERT INTO auth_event (id, pool_id, client_id, user_id, kind, passed, reason, methods, address, request_id)
VALUES (%(event)s, %(pool)s, %(client)s, %(user)s, %(kind)s, %(passed)s, %(reason)s, %(methods)s, %(address)s,
    %(request_id)s)
"""
# An audit row whose id says what it is about, and the side row of the one that was written first.
AUDIT_ONCE = """
WITH kept AS (
    INSERT INTO audit_event (id, pool_id, identity_pool_id, tag, actor_kind, actor_id, subject, outcome, detail,
        request_id, format, personal_digest, digest)
    VALUES (%(id)s, %(pool)s, %(identity_pool)s, %(tag)s, %(actor_kind)s, %(actor_id)s, %(subject)s, %(outcome)s,
        %(detail)s, %(request_id)s, %(format)s, %(personal_digest)s, %(digest)s)
    ON CONFLICT DO NOTHING
    RETURNING id, pool_id
)
INSERT INTO audit_personal (id, pool_id, salt, values)
SELECT id, pool_id, %(salt)s::bytea, %(values)s::jsonb FROM kept WHERE %(values)s::jsonb IS NOT NULL
"""
# The end of a sign-in by password alone, whose failures are forgotten: one statement, one transaction, one wait.
END_SIGN_IN = "WITH forgotten AS (" + CLEAR_GUESS + "), event AS (" + AUTH_EVENT + ")" + START_FAMILY
# A code is spent, and its family live, where all that it is bound to is as presented, in one statement: of two that
# come with it one gets a family. The row comes back either way, as it was before, to tell what was wrong.
REDEEM = (
    """
WITH spent AS (
    UPDATE authorization_code c SET consumed_at = %(now)s
    FROM pool_user u
    WHERE c.pool_id = %(pool)s AND c.hashed = ANY(%(hashes)s) AND c.client_id = %(client)s AND c.consumed_at IS NULL
        AND c.expires_at > %(now)s AND c.redirect_uri = %(redirect_uri)s AND c.code_challenge = %(challenge)s
        AND u.pool_id = c.pool_id AND u.id = c.user_id AND u.deleted_at IS NULL AND u.enabled AND u.epoch = c.epoch
    RETURNING c.*
), family AS (
    INSERT INTO refresh_family (id, pool_id, client_id, user_id, salt, epoch, scopes, oauth, nonce, auth_time,
        methods, event_id, expires_at, last_active_at, bound)
    SELECT c.family_id, c.pool_id, c.client_id, c.user_id, %(salt)s, c.epoch, c.scopes, true, c.nonce, c.auth_time,
        c.methods, c.event_id, %(family_expires_at)s, %(now)s, """  # noqa: S608 - of constants
    + CODE_BOUND
    + """
    FROM spent c
)
SELECT EXISTS (SELECT FROM spent), c.client_id, c.redirect_uri, c.code_challenge, c.auth_time, c.methods, c.epoch,
    c.event_id, c.family_id, c.expires_at, c.consumed_at, """
    + CODE_BOUND
    + "::text,"
    + GROUPS
    + ","
    + PERSON
    + """
FROM authorization_code c
LEFT JOIN pool_user u ON u.pool_id = c.pool_id AND u.id = c.user_id AND u.deleted_at IS NULL
WHERE c.pool_id = %(pool)s AND c.hashed = ANY(%(hashes)s)
"""
)


def moved_configuration() -> tuple[list[tuple[str, str, int]], str]:
    """Return what changed in the last two minutes as (kind, public id, version), and a digest of its own keys."""
    with connection.cursor() as opened:
        opened.execute(MOVED)
        rows = opened.fetchall()
    installation = next(row[3] for row in rows if row[0] == "installation")
    return [row[:3] for row in rows if row[0] != "installation"], installation


def proven(pool_id: int, user_id: UUID) -> Proven | None:
    """Return whose a right first proof is, with groups and factors; None when they are gone."""
    row = one(PROVEN, (pool_id, user_id))
    found = person(row[2:]) if row else None
    return Proven(row[0], user_groups(row[1]), found) if row and found else None


def attempt_row(pool_id: int, attempt_id: UUID) -> AttemptRow | None:
    """Return an attempt, with its person where there is one behind it; None when it is gone."""
    row = one(ATTEMPT, (pool_id, attempt_id))
    carried = (*row[6:10], user_groups(row[10]), person(row[11:])) if row else ()
    return AttemptRow._make((*row[:5], document(row[5]), *carried)) if row else None


def family(pool_id: int, family_id: UUID) -> Family | None:
    """Return a refresh family with its person."""
    row = one(REFRESH, (pool_id, family_id))
    if row is None:
        return None
    previous = bytes(row[4]) if row[4] is not None else None
    carried = (document(row[7]) or {}, *row[8:15], user_groups(row[15]), person(row[16:]))
    return Family._make((*row[:3], bytes(row[3]), previous, *row[5:7], *carried))


def bearer(pool_id: int, sub: UUID, family_id: UUID | None) -> AccessTokenStatus | None:
    """Return whom an access token means and whether its family lives, None for nobody."""
    row = one(BEARER, (family_id, pool_id, sub))
    found = person(row[3:]) if row else None
    return AccessTokenStatus._make((*row[:3], found)) if row and found else None


def factors(pool_id: int, user_id: UUID) -> tuple[EnrolledFactor, ...]:
    """Return the second factors of somebody of whom there is a row already."""
    row = one(FACTORS_OF, (pool_id, user_id))
    return enrolled_factors(row) if row else ()


def browser_session(pool_id: int, session_id: UUID) -> BrowserSession | None:
    """Return a browser session with its person, None when either is gone."""
    row = one(BROWSER, (pool_id, session_id))
    found = person(row[10:]) if row else None
    if row is None or found is None:
        return None
    return BrowserSession._make((row[0], bytes(row[1]), row[2], row[3], document(row[4]), *row[5:10], found))


def start_family(start: NewFamily) -> None:
    """Make a refresh family: in the transaction of the proof."""
    execute(START_FAMILY, start._asdict())


def end_sign_in(start: NewFamily, event: Mapping[str, Any]) -> None:
    """Make a refresh family, write the sign-in event and forget wrong passwords, all or nothing."""
    execute(END_SIGN_IN, {**start._asdict(), **event, "subject": start.user, "guessed": "password"})


def audit_once(**parameters: Any) -> None:
    """Write an audit row with its side row, unless a row of that id is there."""
    execute(AUDIT_ONCE, parameters)


def redeem(**parameters: Any) -> RedeemedCode | None:
    """Spend an authorization code that is all it should be, and make its family; None for an unknown code."""
    row = one(REDEEM, parameters)
    return RedeemedCode._make((*row[:12], user_groups(row[12]), person(row[13:]))) if row else None


def keep_receipt(**parameters: Any) -> bool:
    """Keep a receipt: in the transaction of what was accepted; False where the same form has a live one."""
    return execute(KEEP_RECEIPT, parameters) == 1


def reserve_guess(**parameters: Any) -> tuple[int, datetime | None] | None:
    """Count a guess before it is looked at; None when the subject is locked."""
    row = one(RESERVE_GUESS, parameters)
    return (int(row[0]), row[1]) if row else None


def step(
    pool_id: int,
    attempt_id: UUID,
    at: int,
    *,
    still_open: bool,
    evidence: dict[str, Any],
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Spend a step of an attempt; False when it was spent already, closed or late. The next one has time of its own."""
    return execute(STEP, (still_open, json.dumps(evidence), expires_at, pool_id, attempt_id, at, now)) == 1


def count_try(pool_id: int, attempt_id: UUID, at: int, limit: int, now: datetime) -> int | None:
    """Count a try at a step before it is looked at; None when no try is left."""
    row = one(STRIKE, (pool_id, attempt_id, at, limit, now))
    return int(row[0]) if row else None
