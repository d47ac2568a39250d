"""Browsers that are signed in to a pool: one session serves every app of the pool. The cookie holds id and secret.

What a session is good for follows from what was proven to open it, and from what its person needs today.
"""

from __future__ import annotations

import base64
import os
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import transaction

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import AttemptTokenRefused
from identity.foundation.names import uuid7
from pools.models import BrowserSession, UserPool, hot
from pools.models.hot import Person
from pools.services import assurance, audit, receipts
from pools.services.audit import Tag
from pools.services.receipts import Receipt
from pools.services.tokens import participants

LIFE = timedelta(hours=1)
"""Absolute: Cognito's hour, not renewed by use."""
IDLE = timedelta(hours=1)
SECRET = 32


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and what to put into the browser's cookie: the only time its secret is known."""

    id: uuid.UUID
    cookie: str
    max_age: int


def cookie_name(pool: UserPool, secure: bool) -> str:  # noqa: FBT001 - the one thing that decides
    """Return the name of a pool's session cookie: the one function that decides it."""
    short = pool.public_id.rpartition("_")[2]
    return f"__Host-cg-{short}" if secure else f"cg-{short}"


@dataclass(frozen=True, slots=True)
class PreparedSession:
    """A session that was prepared and is not written yet."""

    row: BrowserSession
    opened: OpenedSession
    instead_of: uuid.UUID | None = None

    def save(self) -> OpenedSession:
        """Write it: in the transaction of the proof.

        Raises:
            AttemptTokenRefused: the session whose place it takes was ended meanwhile.

        """
        if self.instead_of is not None:
            live = BrowserSession.objects.filter(pool_id=self.row.pool_id, pk=self.instead_of, ended_at=None)
            if live.update(ended_at=clock.now()) != 1:
                raise AttemptTokenRefused(detail="the session was ended meanwhile")
        self.row.save(force_insert=True)
        if self.instead_of is not None:
            participants.hand_over(self.row.pool_id, self.instead_of, self.row.pk, seconds=self.opened.max_age)
        return self.opened


def prepare(
    pool: UserPool, person: Person, *, event_id: uuid.UUID, methods: list[str], auth_time: datetime | None = None
) -> PreparedSession:
    """Make a session for someone who has just proven who they are. A new id and secret each time.

    ``auth_time`` is when they did, where that was elsewhere and before.
    """
    session_id, secret, now = uuid7(), os.urandom(SECRET), clock.now()
    row = BrowserSession(
        id=session_id,
        pool_id=pool.pk,
        user_id=person.id,
        hashed=sealing.keyed_hash("browser_session", secret),
        epoch=person.epoch,
        auth_time=auth_time or now,
        methods=methods,
        event_id=event_id,
        last_seen_at=now,
        expires_at=now + LIFE,
    )
    cookie = base64.urlsafe_b64encode(session_id.bytes + secret).decode().rstrip("=")
    return PreparedSession(row, OpenedSession(session_id, cookie, int(LIFE.total_seconds())))


def prepare_step_up(pool: UserPool, session: hot.BrowserSession, method: str) -> PreparedSession:
    """Make the session of a browser that proves more now: in the old one's place, as old, and for as long.

    It has another id and secret, so that a copy of the old cookie does not rise with it.
    """
    methods = list(dict.fromkeys([*session.methods, method]))
    opening = prepare(pool, session.person, event_id=session.event_id, methods=methods)
    opening.row.auth_time, opening.row.expires_at = session.auth_time, session.expires_at
    max_age = int((session.expires_at - clock.now()).total_seconds())
    return replace(opening, opened=replace(opening.opened, max_age=max_age), instead_of=session.id)


def read_cookie(cookie: str | None) -> tuple[uuid.UUID, bytes] | None:
    """Return id and secret as a cookie says them, unchecked; None for what is no cookie of ours. Ids sort by age."""
    if not cookie or len(cookie) > 200:  # noqa: PLR2004 - ours have 64
        return None
    try:
        raw = base64.b64decode(cookie + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return (uuid.UUID(bytes=raw[:16]), raw[16:]) if len(raw) == 16 + SECRET else None


def signed_in_session(pool: UserPool, cookie: str | None) -> hot.BrowserSession | None:
    """Return the session that carries its person: live, and opened by all that they need today; None for others."""
    found = live_session(pool, cookie)
    return found if found is not None and is_enough(pool, found) else None


def is_enough(pool: UserPool, session: hot.BrowserSession) -> bool:
    """Say whether a session was opened by all that signing in takes now: pool and person may ask for more since."""
    return assurance.is_enough(pool, session.person, session.methods)


def live_session(pool: UserPool, cookie: str | None) -> hot.BrowserSession | None:
    """Return the live session of a cookie, with its person, by one statement: good for ending it, and no more."""
    read = read_cookie(cookie)
    if read is None:
        return None
    session_id, secret = read
    found = hot.browser_session(pool.pk, session_id)
    if found is None or not sealing.matches("browser_session", secret, found.hashed):
        return None
    now = clock.now()
    if found.ended_at is not None or found.expires_at <= now or found.last_seen_at <= now - IDLE:
        return None
    return found if found.person.enabled and found.person.epoch == found.epoch else None


def end(pool: UserPool, session: hot.BrowserSession, *, receipt: Receipt | None = None, by: Actor) -> None:
    """End one browser's session. Tokens that apps hold live on."""
    with transaction.atomic(durable=True):
        live = BrowserSession.objects.filter(pool_id=pool.pk, pk=session.id, ended_at=None)
        # Who comes second finds nothing to end.
        if live.update(ended_at=clock.now()) and receipts.keep(receipt) is None:
            audit.record(Tag.SIGNED_OUT, pool=pool, subject=session.person.sub, by=by)
