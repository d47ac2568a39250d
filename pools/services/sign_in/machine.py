"""The one place that signs people in: every adapter asks :func:`begin` and :func:`respond`, and shows what comes back.

The next step is the first of ``STEPS`` that still stands between the attempt and its end; the order of the table is the
specification. A known name and an unknown one take the same path: decoys come to every first factor
and past none. Only :func:`complete` issues tokens or opens a browser's session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from identity.foundation import clock, gate
from identity.foundation.actor import Actor
from identity.foundation.errors import (
    AttemptTokenRefused,
    AttemptTokenUsed,
    DomainError,
    Invalid,
    PasswordIncorrect,
    UserNotFound,
)
from identity.foundation.names import uuid7
from pools.models import AppClient, account_rows, hot
from pools.models.hot import Person
from pools.services import access, assurance, atomic_part, audit, lockout, receipts, triggers
from pools.services.receipts import Receipt
from pools.services.sign_in import attempt_tokens, chosen_passwords, first_proofs, sealed_attempts
from pools.services.sign_in.attempt import CHOSEN, Accepted, Attempt, Challenge, EndsIn, Step, moment, no_write
from pools.services.sign_in.first_proofs import SIGN_INS
from pools.services.sign_in.flows import OpenFlow
from pools.services.sign_in.steps import factor_choice, factor_setup, new_password, password, second_factor, srp
from pools.services.sign_in.vouched import Vouched
from pools.services.tokens import issue, sessions
from pools.services.tokens.claims import Grant
from pools.services.tokens.issue import TokenSet
from pools.services.tokens.sessions import OpenedSession
from pools.services.triggers import Trigger

__all__ = [
    "Challenge",
    "Challenged",
    "EndsIn",
    "SignedIn",
    "advance",
    "ask_again",
    "ask_another",
    "begin",
    "begin_confirmed",
    "begin_upstream",
    "respond",
]

STEPS: tuple[Step, ...] = (password, srp, new_password, factor_setup, factor_choice, *second_factor.STEPS)
FIRST = {Challenge.PASSWORD, Challenge.PASSWORD_VERIFIER}
"""Steps that are answered before there is a row."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """The sign-in goes on: the adapter asks for this, and comes back with the attempt token."""

    challenge: str
    """One of ``Challenge``, or a second factor's kind."""
    attempt_token: str
    username: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The sign-in ended well: in tokens, or in a browser's session."""

    person: Person
    client: AppClient
    tokens: TokenSet | None
    opened_session: OpenedSession | None


def next_step(attempt: Attempt) -> Step | None:
    """Return the first step that still stands between this attempt and its end."""
    return next((step for step in STEPS if step.applies(attempt)), None)


def begin(
    open_flow: OpenFlow,
    *,
    username: str,
    answers: Mapping[str, Any],
    receipt: Receipt | None = None,
    by: Actor,
) -> Challenged | SignedIn:
    """Begin with a name, by the first factor of a flow that the client has open (``sign_in.flows``).

    Answers that hold its proof are looked at, at once; else it asks, and nothing is written until the proof comes.

    Raises:
        UserNotFound: nobody of that name, said only where the client shows existence.
        LockedOut: too many wrong passwords, for people and unknown users alike.
        Overloaded: too many others are being hashed.
        What the first factor refuses.

    """
    client, pool = open_flow.client, open_flow.client.pool
    gate.refuse_if_full(pool.public_id)
    triggers.check(pool, *triggers.OF_SIGN_IN)
    unknown = access.decoy(pool, username)
    found = account_rows.credentials(pool.pk, access.normalise(pool, username), unknown.id)
    lockout.refuse_if_locked(found.locked_until)
    if found.id is None:
        triggers.check(pool, Trigger.USER_MIGRATION)
    attempt = Attempt(
        client,
        found.id or unknown.id,
        None,
        (),
        open_flow.ends_in,
        open_flow.first,
        name=found.username or unknown.username,
        initial_answers=answers,
        password_changed=moment(found.password_changed_at),
        credentials_if_due=found,
    )
    first = cast("Step", next_step(attempt))
    if first.proof in answers:
        return _proceed(attempt, first.check(attempt, answers, by=by), receipt, by)
    if found.id is None and not client.hide_existence:
        raise UserNotFound
    offer = first.offer(attempt)
    SIGN_INS.labels("challenged").inc()
    return Challenged(first.challenge, sealed_attempts.seal(attempt, offer.private), attempt.name, offer.parameters)


def begin_confirmed(
    client: AppClient, *, username: str, proof: str, receipt: Receipt | None = None, by: Actor
) -> Challenged | SignedIn:
    """Begin with the proof that this browser chose the password of an account confirmed now; end in its session.

    The proof is spent with its effect. Raises AttemptTokenRefused where it does not count, else as :func:`begin`.
    """
    triggers.check(client.pool, *triggers.OF_SIGN_IN)
    unknown = access.decoy(client.pool, username)
    found = account_rows.credentials(client.pool.pk, access.normalise(client.pool, username), unknown.id)
    chosen = chosen_passwords.check(client, proof, found)
    lockout.refuse_if_locked(found.locked_until)
    if (refusal := first_proofs.refusal_of(client, found, right=True)) is not None:
        first_proofs.record_refusal(client, chosen.user_id, None, refusal, by=by)
        raise refusal
    attempt = Attempt(
        client,
        chosen.user_id,
        None,
        (),
        EndsIn.BROWSER,
        Challenge.PASSWORD,
        name=found.username or "",
        password_changed=moment(found.password_changed_at),
        credentials_if_due=found,
    )
    return _proceed(attempt, Accepted("password", lambda: chosen_passwords.spend(chosen)), receipt, by)


def begin_upstream(
    client: AppClient, vouched: Vouched, *, receipt: Receipt | None = None, by: Actor
) -> Challenged | SignedIn:
    """Begin with an identity provider's word for who somebody is; end in a browser's session.

    Raises:
        LockedOut: too many wrong passwords, which a provider does not make up for.
        What :func:`first_proofs.check_vouched` refuses.

    """
    triggers.check(client.pool, *triggers.OF_SIGN_IN)
    found = account_rows.credentials(client.pool.pk, "", vouched.user_id)
    lockout.refuse_if_locked(found.locked_until)
    first_proofs.check_vouched(client, found, by=by)
    return _proceed(vouched.attempt(client, found), Accepted(vouched.evidence), receipt, by)


def respond(
    client: AppClient,
    *,
    challenge: str,
    attempt_token: str,
    answers: Mapping[str, Any],
    username: str | None = None,
    receipt: Receipt | None = None,
    by: Actor,
) -> Challenged | SignedIn:
    """Answer the present step of a sign-in. A wrong answer leaves the token usable until its strikes are used up.

    Who says a ``username`` with the answer must name whom the token is about, by any name of theirs.

    Raises:
        AttemptTokenRefused, AttemptTokenExpired: the token is not of this step, or no longer, or another person's.
        What the step refuses.

    """
    if challenge in FIRST:
        gate.refuse_if_full(client.pool.public_id)
        attempt = sealed_attempts.load(attempt_token, client, Challenge(challenge))
    else:
        attempt = attempt_tokens.load(attempt_token, client)
    if username is not None and not sealed_attempts.is_about(attempt, username):
        raise AttemptTokenRefused(detail="another person's")
    step = next_step(attempt)
    if step is None or step.challenge != challenge:
        raise AttemptTokenRefused(detail="another step is due")
    if attempt.row is None:
        lockout.refuse_if_locked(attempt.credentials.locked_until)  # its tries are counted by the name
    else:
        attempt_tokens.count_try(attempt)
    return _proceed(attempt, step.check(attempt, answers, by=by), receipt, by)


def _proceed(attempt: Attempt, accepted: Accepted, receipt: Receipt | None, by: Actor) -> Challenged | SignedIn:
    """Go on from an accepted proof: end the sign-in where nothing more stands in the way, else ask for the next."""
    attempt = _identify(attempt)

    def write() -> DomainError | None:
        return receipts.keep(receipt) or sealed_attempts.spend(attempt) or accepted.write()

    moved = replace(
        attempt,
        evidence={**attempt.evidence, accepted.evidence: clock.epoch(), **accepted.notes},
        password_changed=accepted.password_changed or attempt.password_changed,
    )
    at_once = accepted.only_forgets and attempt.carried is None and receipt is None
    if not accepted.changes_person and next_step(moved) is None:
        return complete(moved, write, at_once=at_once, by=by)
    attempt_token, reached = advance(moved, write, reload=accepted.changes_person, enters=True, by=by)
    step = next_step(reached)
    if step is None:
        return complete(reached, no_write, by=by)
    SIGN_INS.labels("challenged").inc()
    return Challenged(step.challenge, attempt_token, reached.person.username, step.offer(reached).parameters)


def _identify(attempt: Attempt) -> Attempt:
    """Return an attempt after its first proof with whom it is about, as they are now.

    Raises:
        PasswordIncorrect: what was proven is so no longer.

    """
    checked = attempt.credentials_if_due
    if checked is None:
        return attempt
    found = hot.proven(attempt.pool.pk, attempt.subject)
    before = (checked.epoch, checked.password_changed_at, checked.status)
    if found is None or (found.person.epoch, found.password_changed_at, found.person.status) != before:
        raise PasswordIncorrect(detail="changed meanwhile")
    return replace(attempt, person_if_known=found.person, groups=found.groups, credentials_if_due=None)


def advance(
    attempt: Attempt,
    write: Callable[[], DomainError | None],
    *,
    reload: bool = False,
    enters: bool = False,
    by: Actor,
) -> tuple[str, Attempt]:
    """Spend the present step, or make the row of an attempt's first one; return the token of the next.

    Who ``enters`` goes on to another step, which issues in this transaction what it asks for.
    """
    row = attempt_tokens.row(attempt) if attempt.row is None else None
    at = (row.id, 0) if row is not None else (attempt.stored_row.id, attempt.stored_row.step + 1)
    attempt_token = attempt_tokens.text(attempt, *at)
    with atomic_part.begin() as part:
        if row is not None:
            row.save(force_insert=True)
        else:
            part.refuse_if(_spend(attempt, still_open=True))
        part.refuse_if(write())
        reached = attempt_tokens.load(attempt_token, attempt.client) if reload else attempt
        if enters and (step := next_step(reached)) is not None:
            part.refuse_if(step.enter(reached, by=by))
    return attempt_token, reached


def _spend(attempt: Attempt, *, still_open: bool) -> DomainError | None:
    row = attempt.row
    if row is None:
        return None
    now = clock.now()
    spent = hot.step(
        attempt.pool.pk,
        row.id,
        row.step,
        still_open=still_open,
        evidence=attempt_tokens.evidence(attempt),
        now=now,
        expires_at=now + attempt_tokens.life(attempt),
    )
    return None if spent else AttemptTokenUsed(detail="a duplicate was faster")


def complete(
    attempt: Attempt, write: Callable[[], DomainError | None], *, at_once: bool = False, by: Actor
) -> SignedIn:
    """End a sign-in that nothing stands in the way of: the only place that issues tokens for someone who signs in.

    Signatures come first; one transaction then spends the last step, writes its effect and makes the tokens live.
    ``at_once``, where ``write`` would forget wrong passwords and no more, it is one statement.
    """
    client, person, event_id = attempt.client, attempt.person, uuid7()
    methods = attempt.methods
    if next_step(attempt) is not None or not assurance.is_enough(attempt.pool, person, methods):
        raise AttemptTokenRefused(detail="a step is still due")
    issued = opening = None
    if attempt.ends_in is EndsIn.TOKENS:
        grant = Grant(family_id=uuid7(), event_id=event_id, auth_time=clock.now(), methods=tuple(methods))
        issued = issue.issue(client, person, attempt.groups, grant)
    else:
        proven_at = attempt.authenticated_at
        opening = sessions.prepare(client.pool, person, event_id=event_id, methods=methods, auth_time=proven_at)
    event = audit.sign_in_event(
        event_id=event_id,
        pool=client.pool,
        client_pk=client.pk,
        user_id=person.id,
        passed=True,
        by=by,
        methods=methods,
    )
    triggers.check(client.pool, Trigger.POST_AUTHENTICATION)
    if issued is not None and at_once:
        hot.end_sign_in(issued.family, event)
    else:
        _end(attempt, write, issued.family if issued else None, opening, event)
    SIGN_INS.labels("signed_in").inc()
    return SignedIn(person, client, issued.tokens if issued else None, opening.opened if opening else None)


def _end(
    attempt: Attempt,
    write: Callable[[], DomainError | None],
    family: hot.NewFamily | None,
    opening: sessions.PreparedSession | None,
    event: dict[str, Any],
) -> None:
    with atomic_part.begin() as part:
        part.refuse_if(_spend(attempt, still_open=False) or write())
        if family is not None:
            hot.start_family(family)
        if opening is not None:
            opening.save()
        hot.execute(hot.AUTH_EVENT, event)


def ask_another(
    client: AppClient, attempt_token: str, kind: str, *, receipt: Receipt | None = None, by: Actor
) -> Challenged | SignedIn:
    """Have another of a person's second factors asked for in place of the present one, whichever they prefer.

    What is tried is counted anew: who comes so far has shown the password, and may begin again with it.

    Raises:
        AttemptTokenRefused, AttemptTokenExpired: as elsewhere, or no second factor is asked for.
        Invalid: it is none of theirs, or the one that is asked for.
        TooManyAttempts: it sends a code, and a send limit is reached.
        AlreadyAccepted: the same form was faster.

    """
    attempt = attempt_tokens.load(attempt_token, client)
    step = next_step(attempt)
    if step is None or step not in second_factor.STEPS:
        raise AttemptTokenRefused(detail="no second factor is asked for")
    if kind not in step.offer(attempt).parameters["others"]:
        raise Invalid("Invalid MFA type selected.", field="factor", code="no_such_factor")
    return _proceed(attempt, Accepted(Challenge.FACTOR_CHOICE, notes={CHOSEN: kind}), receipt, by)


def ask_again(client: AppClient, attempt_token: str, *, receipt: Receipt | None = None, by: Actor) -> None:
    """Have the present step issue anew what it asks for: another code, in place of the one before.

    Wrong answers to this step stay counted.

    Raises:
        AttemptTokenRefused, AttemptTokenExpired: as elsewhere.
        TooManyAttempts: a send limit is reached; nothing was sent.
        AlreadyAccepted: the same form was faster.

    """
    attempt = attempt_tokens.load(attempt_token, client)
    step = next_step(attempt)
    if step is None:
        raise AttemptTokenRefused(detail="nothing is asked for")
    with atomic_part.begin() as part:
        part.refuse_if(receipts.keep(receipt))
        part.refuse_if(step.enter(attempt, by=by))
