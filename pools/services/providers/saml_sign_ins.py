"""What SAML applications ask, until they are answered: once, about who is signed in, as far as they may know it.

A request lives in the address of our pages, sealed, so that whoever sends some leaves no row. It is answered by a form
that a browser posts; signing out is ``saml_logouts``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from identity.foundation import clock, sealing
from identity.foundation.actor import Actor
from identity.foundation.errors import DomainError, InteractionExpired, LoginRefused, NotFound
from pools import ports
from pools.models import AppClient, SamlApplication, UserPool, hot
from pools.models.hot import BrowserSession
from pools.ports import BrowserMessage, PostedForm, RequestUnfulfilled, SamlName, SamlRequest, SamlSignIn
from pools.ports import saml as statuses
from pools.services import access, audit, configuration
from pools.services.audit import Tag
from pools.services.providers import our_side, proofs, saml_applications
from pools.services.providers.saml_application_rules import GROUPS, LONGEST_NAME, LONGEST_STATE, USERNAME
from pools.services.tokens import claims, interactions, participants
from pools.services.tokens.interactions import Kind

ASKED: Final = "asked"
"""The parameter in which our pages carry a request."""
LIFE: Final = timedelta(hours=1)
"""How long somebody may take to sign in, to sign up or to find their password again."""
LONGEST: Final = 4500
"""Characters of a request that our pages carry: there are other parameters beside it."""
LONGEST_CHECK: Final = 300
NAMES: Final = "saml-persistent-names"
"""What the pool's permanent secret is used for here."""
Format = SamlApplication.NameIdFormat


class Asked(NamedTuple):
    """A request that was checked, on its way through our pages."""

    application: SamlApplication
    client: AppClient
    request: SamlRequest
    since: datetime
    """When it came."""


# -- a request comes -------------------------------------------------------------------------------------------------


def receive(pool: UserPool, message: BrowserMessage, *, by: Actor) -> dict[str, str] | PostedForm:
    """Check a request; return the parameters with which our pages carry it on, or its answer where that is known.

    Raises:
        LoginRefused: nobody is to be answered. An audit row says why.

    """
    protocol, application = ports.application_protocols[ports.SAML_APPLICATIONS], None
    try:
        application = sender(pool, protocol.issuer(message))
        request = protocol.request(our_side.issuing(pool), saml_applications.registered(application), message)
    except LoginRefused as refusal:
        record_refusal(pool, application, refusal, by=by)
        raise
    except RequestUnfulfilled as refusal:
        return refuse(pool, application, refusal, by=by)
    if not protocol.can_be_reached(request):
        return refuse(pool, application, unfulfilled(request, statuses.NO_AUTHN_CONTEXT), by=by)
    carried = carry(pool, application, request)
    if len(carried[ASKED]) > LONGEST:
        too_long = unfulfilled(request, statuses.REQUEST_UNSUPPORTED, "saml request: it is too long for our pages")
        return refuse(pool, application, too_long, by=by)
    return carried


def begin_here(pool: UserPool, entity_id: str, relay_state: str, *, by: Actor) -> dict[str, str]:
    """Begin a sign-in that no application asked for (SAML profiles 4.1.5); return parameters as :func:`receive` does.

    No request of the application's protects it: whoever has somebody follow a link signs them in there as themselves.
    So it is only where an operator lets it be.

    Raises:
        LoginRefused: the application is not known, or lets nobody come so. An audit row says so.

    """
    application = None
    try:
        application = sender(pool, entity_id)
        check_beginning(application, relay_state)
    except LoginRefused as refusal:
        record_refusal(pool, application, refusal, by=by)
        raise
    state = relay_state or application.default_relay_state
    return carry(pool, application, SamlRequest("", application.acs_urls[0], clock.now(), relay_state=state))


def check_beginning(application: SamlApplication, relay_state: str) -> None:
    """Raise LoginRefused unless sign-in at an application may begin here, and lead there."""
    if not application.allows_unasked:
        raise LoginRefused(detail="saml: sign-in may not begin here")
    if len(relay_state) > LONGEST_STATE:
        raise LoginRefused(detail="saml: its RelayState is too long")


def sender(pool: UserPool, entity_id: str) -> SamlApplication:
    """Return the application that a message says it is from.

    Raises:
        LoginRefused: the pool has none of that name.

    """
    try:
        return saml_applications.called(pool, entity_id)
    except NotFound:
        raise LoginRefused(detail="saml: its sender is no application of the pool") from None


# -- it is carried ---------------------------------------------------------------------------------------------------


def carry(pool: UserPool, application: SamlApplication, request: SamlRequest) -> dict[str, str]:
    """Return the parameters with which our pages carry a request that is here now."""
    plain = {**asdict(request), "kept_until": request.kept_until.isoformat()}
    kept = json.dumps([str(application.id), clock.now().isoformat(), plain]).encode()
    carried = {
        "client_id": application.client.client_id,
        **interactions.parameters_of(Kind.SAML_REQUEST),
        ASKED: sealing.seal_text(kept, purpose=_purpose(pool)),
    }
    if request.force_authn:
        carried["prompt"] = "login"  # providers of ours are asked to ask again too
    if "@" in request.subject:
        carried["login_hint"] = request.subject
    return carried


def read(pool: UserPool, parameters: Mapping[str, str]) -> Asked:
    """Return a request that our pages carried.

    Raises:
        InteractionExpired: it is none, or too old; or its application is gone, or another app's.

    """
    try:
        sealed = sealing.unseal_text(parameters.get(ASKED, ""), purpose=_purpose(pool))
        application_id, since, plain = json.loads(sealed)
        application = saml_applications.by_id(pool, UUID(application_id))
    except (sealing.Unsealable, NotFound):
        raise InteractionExpired(detail="no request of an application") from None
    began = datetime.fromisoformat(since)
    if clock.now() - began > LIFE or parameters.get("client_id") != application.client.client_id:
        raise InteractionExpired(detail="too old, or carried by another app")
    plain |= {"classes": tuple(plain["classes"]), "kept_until": datetime.fromisoformat(plain["kept_until"])}
    return Asked(application, access.client_in(pool, application.client.client_id), SamlRequest(**plain), began)


# -- it is answered --------------------------------------------------------------------------------------------------


def needs_sign_in(asked: Asked, session: BrowserSession | None) -> bool:
    """Say whether somebody has to sign in, once more perhaps, before an application is answered.

    Raises:
        RequestUnfulfilled: they would have to, and may be shown no page; or have, and it was not enough.

    """
    request, is_new = asked.request, session is not None and session.auth_time >= asked.since
    reached = ""
    if session is not None:
        reached = ports.application_protocols[ports.SAML_APPLICATIONS].context(session.methods, request)
    if reached and (is_new or not request.force_authn):
        return False
    if request.is_passive:
        raise unfulfilled(request, statuses.NO_PASSIVE)
    if is_new:
        raise unfulfilled(request, statuses.NO_AUTHN_CONTEXT)
    return True


def answer(pool: UserPool, asked: Asked, session: BrowserSession, *, by: Actor) -> PostedForm:
    """Return the answer to an application, about a session's person; once for each request. An audit row says so.

    Raises:
        InteractionExpired: the request was answered before.
        RequestUnfulfilled: its wishes cannot be met, or there is no name for the person in the format that is wanted.

    """
    application, _, request, _ = asked
    protocol = ports.application_protocols[ports.SAML_APPLICATIONS]
    told = known_of(asked, session)
    name_id_format = request.name_id_format or application.name_id_format
    known_by = participants.join(
        application, session, name_id_format, lambda: name_of(asked, session, told, name_id_format)
    )
    form = protocol.answer(
        our_side.issuing(pool),
        saml_applications.registered(application),
        request,
        SamlSignIn(
            name=SamlName(known_by.name, name_id_format, known_by.session_index),
            authenticated_at=session.auth_time,
            context=protocol.context(session.methods, request),
            ends_at=session.expires_at,
            attributes={name: told[source] for name, source in application.attributes.items() if source in told},
        ),
    )
    if request.id:
        try:
            # As long as it could come, and be carried, again.
            proofs.note(pool.pk, f"{application.id}:{request.id}", request.kept_until + LIFE)
        except LoginRefused:
            raise InteractionExpired(detail="the request was answered before") from None
    detail = {"application": application.entity_id, "client_id": asked.client.client_id}
    audit.record(Tag.SAML_RESPONSE_ISSUED, pool=pool, subject=session.person.sub, by=by, detail=detail)
    return form


def known_of(asked: Asked, session: BrowserSession) -> dict[str, Sequence[str]]:
    """Return what an application may know of a session's person, by what gives it.

    That is what its app client reads. An address that nobody proved is left out: SAML has no word for that.
    """
    client, person = asked.client, session.person
    seen = claims.visible(client, person, None)
    found: dict[str, Sequence[str]] = {name: (value,) for name, value in seen.items() if value}
    if not person.email_verified:
        found.pop("email", None)
    if not person.phone_number_verified:
        found.pop("phone_number", None)
    found[USERNAME] = (person.username,)
    if GROUPS in asked.application.attributes.values():
        proven = hot.proven(client.pool_id, person.id)
        found[GROUPS] = tuple(group.name for group in proven.groups) if proven is not None else ()
    return found


def name_of(asked: Asked, session: BrowserSession, told: Mapping[str, Sequence[str]], name_id_format: str) -> str:
    """Return what an application is to call a session's person.

    Raises:
        RequestUnfulfilled: they have nothing that could be their name in that format.

    """
    application, client, request, _ = asked
    protocol = ports.application_protocols[ports.SAML_APPLICATIONS]
    if name_id_format == Format.PERSISTENT:
        secret = sealing.derive(configuration.decoy_key(client.pool), NAMES)
        return protocol.persistent_name(secret, application.entity_id, str(session.person.sub))
    if name_id_format == Format.TRANSIENT:
        return protocol.transient_name()
    source = "email" if name_id_format == Format.EMAIL else application.name_id_attribute or USERNAME
    [value] = told.get(source, ("",))
    if not 0 < len(value) <= LONGEST_NAME or not value.isprintable() or value != value.strip():
        raise unfulfilled(request, statuses.INVALID_NAME_ID_POLICY, f"saml: nobody is named by their {source}")
    return value


# -- it is refused ---------------------------------------------------------------------------------------------------


def unfulfilled(request: SamlRequest, status: str, detail: str = "") -> RequestUnfulfilled:
    """Return the refusal of a request that is told its application."""
    return RequestUnfulfilled(
        status, acs_url=request.acs_url, request_id=request.id, relay_state=request.relay_state, detail=detail
    )


def refuse(
    pool: UserPool, application: SamlApplication | None, refusal: RequestUnfulfilled, *, by: Actor
) -> PostedForm:
    """Return the answer that says why nobody signed in. An audit row says so too."""
    record_refusal(pool, application, refusal, by=by, status=refusal.status)
    return ports.application_protocols[ports.SAML_APPLICATIONS].refusal(our_side.issuing(pool), refusal)


def record_refusal(
    pool: UserPool,
    application: SamlApplication | None,
    refusal: DomainError,
    *,
    tag: Tag = Tag.SAML_REQUEST_REFUSED,
    by: Actor,
    status: str = "",
) -> None:
    """Leave an audit row of a message that was refused."""
    named = application.entity_id if application is not None else ""
    detail = {"application": named, "check": (refusal.detail or refusal.code)[:LONGEST_CHECK], "status": status}
    audit.record(tag, pool=pool, subject=named, outcome="refused", by=by, detail=detail)


def _purpose(pool: UserPool) -> str:
    return f"{Kind.SAML_REQUEST}:{pool.public_id}"
