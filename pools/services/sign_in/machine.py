"""The one place that signs people in: every adapter asks :func:`begin` and :func:`respond`, and shows what comes back.

After the first proof (the password) the next step is the first of ``STEPS`` that still stands between the attempt
and its end; the order of the table is the specification (COGNITO.md 3.2). Only :func:`complete` issues tokens or opens
a browser's session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from prometheus_client import Counter

from identity.foundation import clock, gate
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    DomainError,
    FlowNotEnabled,
    Invalid,
    PasswordIncorrect,
    PasswordResetRequired,
    SessionRefused,
    SessionUsed,
    TemporaryPasswordExpired,
    UserDisabled,
    UserNotConfirmed,
    UserNotFound,
)
from identity.foundation.names import uuid7
from pools.models import AppClient, hot
from pools.models.hot import Person, SignIn
from pools.models.user import Status
from pools.services import access, audit, lockout, receipts
from pools.services.people import passwords
from pools.services.pools import app_clients
from pools.services.receipts import Receipt
from pools.services.sign_in import attempt_tokens as session_text
from pools.services.sign_in import factors, password_proofs
from pools.services.sign_in.attempt import Accepted, Attempt, Challenge, Step, Want
from pools.services.sign_in.steps import factor_setup, new_password, totp
from pools.services.tokens import sessions, tokens
from pools.services.tokens.claims import Grant
from pools.services.tokens.sessions import OpenedSession
from pools.services.tokens.tokens import TokenSet

__all__ = [
    "Challenge",
    "Challenged",
    "SignedIn",
    "Want",
    "associate",
    "begin",
    "begin_confirmed",
    "respond",
    "verify_enrolment",
]

SIGN_INS = Counter("cognate_sign_ins_total", "Sign-ins by how they ended.", ["outcome"])
STEPS = cast("tuple[Step, ...]", (new_password, factor_setup, totp))
METHODS = {"password": "pwd", "totp": sessions.CODE, "enrolled": sessions.CODE}
"""RFC 8176 names of the proofs."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """The sign-in goes on: the adapter asks for this, and comes back with the session string."""

    challenge: Challenge
    session: str
    username: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The sign-in ended well: in tokens, or in a browser's session."""

    person: Person
    client: AppClient
    tokens: TokenSet | None
    browser: OpenedSession | None

    @property
    def user(self) -> Person:
        """Return who signed in."""
        return self.person


def next_step(attempt: Attempt) -> Step | None:
    """Return the first step that still stands between this attempt and its end."""
    return next((step for step in STEPS if step.applies(attempt)), None)


def begin(
    client: AppClient,
    *,
    username: str,
    password: str,
    want: Want,
    admin: bool = False,
    receipt: Receipt | None = None,
    by: Actor,
) -> Challenged | SignedIn:
    """Begin with a name and a password.

    ``want=TOKENS`` is the API's and needs the client's flow switched on (``admin`` the operator's one);
    ``want=BROWSER`` is the hosted pages'.

    Raises:
        FlowNotEnabled: the client may not sign people in so.
        PasswordIncorrect, or UserNotFound where the client lets unknown users know: wrong.
        LockedOut: too many wrong passwords, for people and unknown users alike.
        UserDisabled, UserNotConfirmed, PasswordResetRequired, TemporaryPasswordExpired: right, but.
        Overloaded: too many others are being hashed.

    """
    _check_flow(client, want, admin=admin)
    pool = client.pool
    gate.refuse_if_full(pool.public_id)
    unknown = access.decoy(pool, username)
    found = hot.sign_in(pool.pk, access.normalise(pool, username), unknown.id)
    subject = found.person.id if found.person else unknown.id
    lockout.refuse_if_locked(found.locked_until)
    with gate.slot(pool.public_id):  # first: whoever is turned away there has not guessed
        lockout.reserve(pool, subject, lockout.Kind.PASSWORD)
        right = passwords.verify(pool.public_id, found.argon2, password)
    refusal = _refusal(client, found, right=right)
    if refusal is not None:
        _refused(client, found.person, subject if right else None, refusal, by)
        raise refusal
    person = cast("Person", found.person)
    changed = session_text.moment(found.password_changed_at)
    attempt = Attempt(client, person, found.groups, want, {"password": clock.epoch()}, changed)

    def write() -> DomainError | None:
        lockout.clear(pool, person.id, lockout.Kind.PASSWORD)
        return None

    return _proceed(attempt, Accepted("password", write), receipt, by)


def begin_confirmed(
    client: AppClient, *, username: str, proof: str, receipt: Receipt | None = None, by: Actor
) -> Challenged | SignedIn:
    """Begin with the proof that this browser chose the password of an account confirmed now; end in its session.

    The proof is spent with its effect. Raises SessionRefused where it does not count, else what :func:`begin` refuses.
    """
    found = hot.sign_in(client.pool.pk, access.normalise(client.pool, username), access.decoy(client.pool, username).id)
    person, chosen = password_proofs.check(client, proof, found)
    lockout.refuse_if_locked(found.locked_until)
    if (refusal := _refusal(client, found, right=True)) is not None:
        _refused(client, person, None, refusal, by)
        raise refusal
    changed = session_text.moment(found.password_changed_at)
    attempt = Attempt(client, person, found.groups, Want.BROWSER, {"password": clock.epoch()}, changed)
    return _proceed(attempt, Accepted("password", lambda: password_proofs.spend(chosen)), receipt, by)


def _check_flow(client: AppClient, want: Want, *, admin: bool) -> None:
    if want is not Want.TOKENS:
        return
    flows = app_clients.effective_flows(client)
    if admin and "ALLOW_ADMIN_USER_PASSWORD_AUTH" not in flows:
        raise FlowNotEnabled("Auth flow not enabled for this client")
    if not admin and "ALLOW_USER_PASSWORD_AUTH" not in flows:
        raise FlowNotEnabled("USER_PASSWORD_AUTH flow not enabled for this client")


def _refusal(client: AppClient, found: SignIn, *, right: bool) -> DomainError | None:
    """Return why a first proof does not lead on, in the order of COGNITO.md 3.2; None where it does."""
    person = found.person
    if person is None and not client.hide_existence:
        return UserNotFound()
    if person is None or not right:
        return PasswordIncorrect()
    if not person.enabled:
        return UserDisabled()
    if person.status == Status.UNCONFIRMED:
        return UserNotConfirmed()
    if person.status == Status.RESET_REQUIRED:
        return PasswordIncorrect() if client.hide_existence else PasswordResetRequired()
    if person.status == Status.EXTERNAL_PROVIDER:
        return PasswordIncorrect(detail="signs in elsewhere")
    if found.password_expires_at is not None and found.password_expires_at <= clock.now():
        return TemporaryPasswordExpired()
    return None


def _refused(client: AppClient, person: Person | None, proven: UUID | None, refusal: DomainError, by: Actor) -> None:
    """Record a refusal outside any transaction; a right password forgets the failures even so."""
    SIGN_INS.labels("refused").inc()
    if proven is not None:
        lockout.clear(client.pool, proven, lockout.Kind.PASSWORD)
    event = audit.sign_in_event(
        event_id=uuid7(),
        pool=client.pool,
        client_pk=client.pk,
        user_id=person.id if person else None,
        passed=False,
        by=by,
        reason=type(refusal).__name__,
    )
    hot.count(hot.AUTH_EVENT, event)


def respond(
    client: AppClient,
    *,
    challenge: Challenge,
    session: str,
    answers: Mapping[str, Any],
    username: str | None = None,
    receipt: Receipt | None = None,
    by: Actor,
) -> Challenged | SignedIn:
    """Answer the present step of a sign-in. A wrong answer leaves the session usable until its strikes are used up.

    Who says a ``username`` with the answer must name whom the session is about, by any name of theirs.

    Raises:
        SessionRefused, SessionExpired: the session is not at this step, or no longer, or another person's.
        What the step raises: TotpMismatch, TotpUsed, PasswordRejected, Invalid, LockedOut.

    """
    attempt = session_text.load(session, client)
    if username is not None and not access.is_called(attempt.pool, attempt.person, username):
        raise SessionRefused(detail="another person's")
    step = next_step(attempt)
    if step is None or step.challenge is not challenge:
        raise SessionRefused(detail="another step is due")
    session_text.strike(attempt)
    return _proceed(attempt, step.check(attempt, answers, by=by), receipt, by)


def _proceed(attempt: Attempt, accepted: Accepted, receipt: Receipt | None, by: Actor) -> Challenged | SignedIn:
    """Go on from an accepted proof: end the sign-in where nothing more stands in the way, else ask for the next."""

    def write() -> DomainError | None:
        return receipts.keep(receipt) or accepted.write()

    moved = replace(attempt, evidence={**attempt.evidence, accepted.evidence: clock.epoch()})
    if not accepted.changes_person and next_step(moved) is None:
        return complete(moved, write, by=by)
    session = _advance(moved, write)
    if accepted.changes_person:
        moved = session_text.load(session, attempt.client)
    step = next_step(moved)
    if step is None:
        return complete(moved, lambda: None, by=by)
    SIGN_INS.labels("challenged").inc()
    return Challenged(step.challenge, session, moved.person.username, step.offer(moved))


def _advance(attempt: Attempt, write: Callable[[], DomainError | None]) -> str:
    """Spend the present step, or make the row of an attempt's first one; return the Session string of the next."""
    row = session_text.row(attempt) if attempt.standing is None else None
    with transaction.atomic(durable=True):
        refusal = None
        if row is not None:
            row.save(force_insert=True)
        else:
            refusal = _spend(attempt, still_open=True)
        refusal = refusal or write()
        if refusal is not None:
            transaction.set_rollback(True)
    if refusal is not None:
        raise refusal
    if row is not None:
        return session_text.text(attempt, row.id, 0)
    standing = attempt.standing
    if standing is None:
        raise SessionRefused
    return session_text.text(attempt, standing.id, standing.step + 1)


def _spend(attempt: Attempt, *, still_open: bool) -> DomainError | None:
    standing = attempt.standing
    if standing is None:
        return None
    evidence = {"want": attempt.want, "password_changed": attempt.password_changed, **attempt.evidence}
    now = clock.now()
    spent = hot.step(
        attempt.pool.pk,
        standing.id,
        standing.step,
        still_open=still_open,
        evidence=evidence,
        now=now,
        expires_at=now + session_text.life(attempt),
    )
    return None if spent else SessionUsed(detail="a duplicate was faster")


def complete(attempt: Attempt, write: Callable[[], DomainError | None], *, by: Actor) -> SignedIn:
    """End a sign-in that nothing stands in the way of: the only place that issues tokens for someone who signs in.

    Signatures come first; one transaction then spends the last step, writes its effect and makes the tokens live.
    Where the password was all, it is one statement.
    """
    if next_step(attempt) is not None or not attempt.proven("password"):
        raise SessionRefused(detail="a step is still due")
    client, person, event_id = attempt.client, attempt.person, uuid7()
    methods = list(dict.fromkeys(METHODS[name] for name in attempt.evidence if name in METHODS))
    issued = opening = None
    if attempt.want is Want.TOKENS:
        grant = Grant(family_id=uuid7(), event_id=event_id, auth_time=clock.now(), methods=tuple(methods))
        issued = tokens.issue(client, person, attempt.groups, grant)
    else:
        opening = sessions.prepare(client.pool, person, event_id=event_id, methods=methods)
    event = audit.sign_in_event(
        event_id=event_id,
        pool=client.pool,
        client_pk=client.pk,
        user_id=person.id,
        passed=True,
        by=by,
        methods=methods,
    )
    if issued is not None and attempt.standing is None:
        hot.end_sign_in(issued.family, event)  # which is what an accepted password writes, too
    else:
        _end(attempt, write, issued.family if issued else None, opening, event)
    SIGN_INS.labels("signed_in").inc()
    return SignedIn(person, client, issued.tokens if issued else None, opening.opened if opening else None)


def _end(
    attempt: Attempt,
    write: Callable[[], DomainError | None],
    family: hot.Start | None,
    opening: sessions.Opening | None,
    event: dict[str, Any],
) -> None:
    with transaction.atomic(durable=True):
        refusal = _spend(attempt, still_open=False) or write()
        if refusal is None:
            if family is not None:
                hot.start_family(family)
            if opening is not None:
                opening.save()
            hot.count(hot.AUTH_EVENT, event)
        else:
            transaction.set_rollback(True)
    if refusal is not None:
        raise refusal


def associate(client: AppClient | None, session: str, *, by: Actor) -> tuple[str, str]:
    """Hand out a new authenticator seed within a sign-in that needs one; return it in base32, and the next session.

    Raises:
        SessionRefused, SessionExpired: no set-up is due at this session.

    """
    attempt = _at_set_up(client, session)
    secret = factors.associate(attempt.pool, attempt.person, by=by)
    return secret, _advance(attempt, lambda: None)


def verify_enrolment(
    client: AppClient | None, session: str, code: str, *, name: str = "", receipt: Receipt | None = None, by: Actor
) -> str:
    """Prove the seed that :func:`associate` handed out; return the session with which to answer FACTOR_SETUP.

    Raises:
        TotpEnrolmentFailed: the code is wrong. The session stays usable until its strikes are used up.
        SessionRefused, SessionExpired, LockedOut: as elsewhere.

    """
    attempt = _at_set_up(client, session)
    session_text.strike(attempt)
    factors.verify(attempt.pool, attempt.person, code, name=name, enable=True, receipt=receipt, by=by)
    proven = replace(attempt, evidence={**attempt.evidence, "enrolled": clock.epoch()})
    return _advance(proven, lambda: None)


def _at_set_up(client: AppClient | None, session: str) -> Attempt:
    attempt = session_text.load(session, client)
    step = next_step(attempt)
    if step is None or step.challenge is not Challenge.FACTOR_SETUP or attempt.proven("enrolled"):
        raise SessionRefused(detail="no set-up is due")
    if not attempt.pool.totp_enabled:
        raise Invalid("Software token MFA is not enabled for this user pool.")
    return attempt
