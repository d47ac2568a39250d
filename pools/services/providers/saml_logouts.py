"""Single logout with SAML applications, whichever side begins it (SAML profiles 4.4): by browser, one after another.

Each application on the way is an interaction, whose sealed id it brings back. One that does not answer keeps the
browser; nobody stays signed in here for that: sessions end before anybody is told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from identity.foundation import clock
from identity.foundation.actor import Actor
from identity.foundation.errors import LoginRefused, NotFound
from pools import ports
from pools.models import SamlApplication, SamlParticipant, UserPool, hot
from pools.models.hot import BrowserSession
from pools.ports import ApplicationLogout, BrowserMessage, SamlName
from pools.services.audit import Tag
from pools.services.providers import our_side, saml_applications, saml_sign_ins, sign_outs, trips
from pools.services.tokens import interactions, sessions
from pools.services.tokens.interactions import Kind

MINUTES = 20
UNBOUND = "saml_logout"
"""An application may be answered in a window without our cookies: what is kept is bound to its id alone."""


@dataclass(frozen=True, slots=True)
class Round:
    """Who is being told that a browser's sessions are over, and what follows when all are."""

    sessions: list[str]
    methods: list[str]
    """By which the session was opened: an identity provider may have to be told too."""
    onward: str = ""
    """Where the browser goes on; empty where an application asked."""
    application: str = ""
    """Which one asked: its id."""
    asked: dict[str, str] | None = None
    told: str = ""
    """The application that is being told: its id."""
    is_partial: bool = False
    """Whether somebody could not be told."""


def leave(pool: UserPool, session: BrowserSession, *, onward: str) -> str:
    """Return where somebody goes on whose session is over here.

    That is each application that knows of it, then their identity provider where an operator wants that, then
    ``onward``.
    """
    return _go_on(pool, Round([str(session.id)], session.methods, onward=onward))


def tell(pool: UserPool, ended: Collection[UUID], *, onward: str) -> str:
    """Return where somebody goes on whose sessions an identity provider has ended: by all applications, to ``onward``.

    Without ``onward`` they come to our own last page.
    """
    last_page = our_side.address(pool, "signedout")
    return _go_on(pool, Round([str(each) for each in ended], [], onward=onward or last_page))


def receive(pool: UserPool, message: BrowserMessage, *, by: Actor) -> str:
    """Take an application's message: its answer to ours, or the request to sign somebody out. Return the way on.

    Empty where nobody waits for an answer.

    Raises:
        LoginRefused: it is forged or expired, or of no application. An audit row says so, and nothing ends.
        InteractionExpired: nobody who left with that state comes back.

    """
    if state := ports.application_protocols[ports.SAML_APPLICATIONS].state(message):
        return _come_back(pool, message, state, by=by)
    return _sign_out(pool, message, by=by)


def _come_back(pool: UserPool, message: BrowserMessage, state: str, *, by: Actor) -> str:
    """Note what an application answers, and go on to the next."""
    row_id = trips.read_id(pool, Kind.SAML_LOGOUT, state)
    row = interactions.take(pool, row_id, kind=Kind.SAML_LOGOUT, browser=UNBOUND)
    going = Round(**trips.unseal(pool, row))
    application = _application(pool, going.told)
    if application is None:
        return _go_on(pool, going)
    ours, registered = our_side.issuing(pool), saml_applications.registered(application)
    try:
        ports.application_protocols[ports.SAML_APPLICATIONS].check_signed_out(ours, registered, message, state=state)
    except LoginRefused as refusal:
        # Whether they are signed out there nobody knows. Here they are.
        saml_sign_ins.record_refusal(pool, application, refusal, tag=Tag.SAML_LOGOUT_REFUSED, by=by)
        going = replace(going, is_partial=True)
    return _go_on(pool, going)


def _sign_out(pool: UserPool, message: BrowserMessage, *, by: Actor) -> str:
    """End the sessions that an application says are over there, and tell all others that know of them."""
    protocol, ours, application = ports.application_protocols[ports.SAML_APPLICATIONS], our_side.issuing(pool), None
    try:
        application = saml_sign_ins.sender(pool, protocol.issuer(message))
        registered = saml_applications.registered(application)
        asked = protocol.logout(ours, registered, message)
    except LoginRefused as refusal:
        saml_sign_ins.record_refusal(pool, application, refusal, tag=Tag.SAML_LOGOUT_REFUSED, by=by)
        raise
    known = _known_by(application, asked.name, asked.session_indexes)
    if not known:
        unknown = LoginRefused(detail="saml logout request: nobody of that name is in such a session")
        saml_sign_ins.record_refusal(pool, application, unknown, tag=Tag.SAML_LOGOUT_REFUSED, by=by)
        return protocol.logout_answer(ours, registered, asked, is_known=False) if application.slo_url else ""
    methods = _end(pool, {row.session_id for row in known}, application, by=by)
    going = Round(
        [str(each) for each in {row.session_id for row in known}],
        methods,
        application=str(application.id),
        asked={"id": asked.id, "relay_state": asked.relay_state},
    )
    return _go_on(pool, going)


def _known_by(application: SamlApplication, name: str, session_indexes: Collection[str]) -> list[SamlParticipant]:
    """Return by what an application knows of sessions: of those that it names, or of all that are somebody's."""
    rows = SamlParticipant.objects.filter(pool_id=application.pool_id, application_id=application.id, name=name)
    return list(rows.filter(session_index__in=session_indexes) if session_indexes else rows)


def _end(pool: UserPool, ids: Collection[UUID], application: SamlApplication, *, by: Actor) -> list[str]:
    """End sessions here, of which an application knows that they are over; return how the first was opened."""
    rows = SamlParticipant.objects.filter(pool_id=pool.pk, application_id=application.id, session_id__in=ids)
    rows.filter(signed_out_at=None).update(signed_out_at=clock.now())
    live = [found for each in ids if (found := hot.browser_session(pool.pk, each)) and found.ended_at is None]
    for session in live:
        sessions.end(pool, session, by=by)
    return live[0].methods if live else []


def _go_on(pool: UserPool, going: Round) -> str:
    """Return the way to the next application that is to be told, or to what follows when all are."""
    protocol, ours = ports.application_protocols[ports.SAML_APPLICATIONS], our_side.issuing(pool)
    while (next_one := _next(pool, going.sessions)) is not None:
        application = _application(pool, str(next_one.application_id))
        if application is None:
            continue
        if not application.slo_url:
            going = replace(going, is_partial=True)
            continue
        going = replace(going, told=str(application.id))
        row_id = interactions.new_id()
        kept = trips.seal(pool, asdict(going))
        interactions.begin(pool, Kind.SAML_LOGOUT, kept, browser=UNBOUND, minutes=MINUTES, interaction_id=row_id)
        return protocol.sign_out(
            ours,
            saml_applications.registered(application),
            SamlName(next_one.name, next_one.name_id_format, next_one.session_index),
            state=trips.sealed_id(pool, Kind.SAML_LOGOUT, row_id),
        )
    return sign_outs.leave(pool, going.methods, onward=going.onward or _answer(pool, going))


def _next(pool: UserPool, ids: Collection[str]) -> SamlParticipant | None:
    """Return an application's knowledge of sessions that are over, which it is told of now; None where all know."""
    waiting = SamlParticipant.objects.filter(
        pool_id=pool.pk, session_id__in=[UUID(each) for each in ids], signed_out_at=None
    )
    while (found := waiting.order_by("id").first()) is not None:
        own = SamlParticipant.objects.filter(pool_id=pool.pk, id=found.id, signed_out_at=None)
        if own.update(signed_out_at=clock.now()) == 1:
            return found
    return None


def _answer(pool: UserPool, going: Round) -> str:
    """Return the way back to the application that asked; empty where it is gone, or takes no answer."""
    application = _application(pool, going.application)
    if application is None or not application.slo_url or going.asked is None:
        return ""
    asked = ApplicationLogout(name="", session_indexes=(), **going.asked)
    return ports.application_protocols[ports.SAML_APPLICATIONS].logout_answer(
        our_side.issuing(pool), saml_applications.registered(application), asked, is_partial=going.is_partial
    )


def _application(pool: UserPool, application_id: str) -> SamlApplication | None:
    """Return an application that was there when a round began; None where it was deleted since."""
    try:
        return saml_applications.by_id(pool, UUID(application_id))
    except (NotFound, ValueError):
        return None
