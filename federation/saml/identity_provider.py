"""A pool as an identity provider of SAML 2.0: what applications bring to it, and what it answers them.

Each check is a module's beside this; here they are given what they need. Who may sign in, and what is told of them, is
the pools'.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from federation import details
from federation.refusals import forged
from federation.saml import (
    apart,
    application_metadata,
    authn_contexts,
    authn_requests,
    bindings,
    issuing,
    logout,
    metadata,
    metadata_writing,
    name_ids,
    rules,
    service_provider,
    statuses,
)
from federation.saml.authn_contexts import Requested
from federation.saml.authn_requests import AUTHN_REQUEST, StatusRefused
from federation.saml.bindings import Received
from federation.saml.issuing import Attribute, Issuer, SignIn
from federation.saml.responses import NameId
from federation.saml.rules import saml, text
from federation.saml.signing import SigningKey
from federation.saml.writing import Unwritable
from identity.foundation.destinations import CAP, TOTAL
from identity.foundation.errors import Invalid, OutsideUnavailable
from pools.ports import (
    ApplicationLogout,
    BrowserMessage,
    IssuingSide,
    PostedForm,
    RegisteredApplication,
    RequestUnfulfilled,
    SamlName,
    SamlRequest,
    SamlSignIn,
)

FORMATS: Final = {each.rpartition(":")[2]: each for each in name_ids.FORMATS}
"""By the last part of a format's name."""
UNKNOWN: Final = (statuses.REQUESTER, statuses.UNKNOWN_PRINCIPAL.sub_code)
PARTIAL: Final = (rules.SUCCESS, logout.PARTIAL)
"""SAML core 3.7.3.2: who asked is signed out, and somebody else may not be."""
ARMOUR: Final = "-----"
"""Begins the lines around a certificate that is written as PEM."""


# -- metadata --------------------------------------------------------------------------------------------------------


def introduction(ours: IssuingSide) -> bytes:
    """Return our metadata, signed."""
    key = signing_key(ours)
    return metadata_writing.of_identity_provider(
        metadata_writing.IdentityProvider(
            ours.entity_id, ours.sso_url, ours.slo_url, [key.certificate], list(FORMATS.values())
        ),
        key,
    )


def read_metadata(data: bytes) -> RegisteredApplication:
    """Return what an application tells of itself. Raises Invalid."""
    try:
        return apart.run(lambda: application_metadata.read(data))
    except Invalid as problem:
        raise named(problem, "metadata") from None


def fetch_metadata(url: str) -> bytes:
    """Return what is at an address. Raises Invalid, Overloaded."""
    if not (details.is_secure_enough(url) and details.is_address(url)):
        raise Invalid("The address is no URL that starts with https://", field="metadata_url", code="metadata_address")
    try:
        return service_provider.loaded(url, CAP, TOTAL)
    except OutsideUnavailable as problem:
        raise Invalid("Unable to contact metadata url", field="metadata_url", code="metadata_away") from problem


def check_certificate(told: str, *, encrypts: bool) -> str:
    """Return a certificate as DER in base64. Raises Invalid."""
    field = "encryption_certificate" if encrypts else "certificates"
    lines = [line for line in told.splitlines() if not line.startswith(ARMOUR)]
    try:
        found = metadata.certificate("".join(lines))
    except Invalid as problem:
        raise named(problem, field) from None
    if encrypts and not isinstance(found.public_key(), rsa.RSAPublicKey):
        raise Invalid("Assertions are encrypted for RSA keys.", field=field, code="not_rsa")
    return base64.b64encode(found.public_bytes(Encoding.DER)).decode()


def named(problem: Invalid, field: str) -> Invalid:
    """Return a refusal of metadata as one of a registration's field."""
    return Invalid(problem.message, field=field, code=problem.code, parameters=problem.parameters)


# -- signing in ------------------------------------------------------------------------------------------------------


def issuer_of(message: BrowserMessage, field: bindings.Field) -> str:
    """Return the Issuer that a message names, which nobody has checked. Raises LoginRefused."""
    return apart.run(lambda: text(service_provider.received(message, field, ()).root.find(saml("Issuer"))) or "")


def request(ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage) -> SamlRequest:
    """Return what an application asks, by all rules. Raises LoginRefused, RequestUnfulfilled."""
    known_by = certificates(application)
    may_be_unsigned = not (known_by and application.signs_requests)

    def read() -> SamlRequest:
        found = service_provider.received(message, "SAMLRequest", known_by, may_be_unsigned=may_be_unsigned)
        wanted = authn_requests.Expected(
            application.entity_id,
            ours.sso_url,
            application.acs_urls,
            known_by if found.is_signed else (),
            {FORMATS[application.name_id_format], name_ids.TRANSIENT},
        )
        return told(found, wanted)

    return apart.run(read)


def told(received: Received, wanted: authn_requests.Expected) -> SamlRequest:
    """Return what a request asks that came by either binding. Raises as :func:`request`."""
    if received.root.tag != AUTHN_REQUEST:
        raise forged("saml request: another message")
    try:
        found = authn_requests.asked(received.root, wanted)
    except StatusRefused as refusal:
        raise RequestUnfulfilled(
            statuses.name_of(refusal.status),
            acs_url=refusal.acs_url,
            request_id=refusal.request_id,
            relay_state=received.relay_state,
            detail=refusal.detail,
        ) from None
    return SamlRequest(
        id=found.id,
        acs_url=found.acs_url,
        kept_until=found.kept_until,
        force_authn=found.force_authn,
        is_passive=found.is_passive,
        classes=found.requested.classes,
        comparison=found.requested.comparison,
        name_id_format=found.name_id_format.rpartition(":")[2],
        subject=found.subject,
        relay_state=received.relay_state,
    )


def context(methods: Collection[str], asked: SamlRequest) -> str:
    """Return the class that proofs reach and a request wants; empty where none is."""
    return authn_contexts.context_class(methods, Requested(asked.classes, asked.comparison))


def can_be_reached(asked: SamlRequest) -> bool:
    """Say whether any proofs reach what a request wants."""
    return authn_contexts.can_be_reached(Requested(asked.classes, asked.comparison))


def answer(
    ours: IssuingSide, application: RegisteredApplication, asked: SamlRequest, sign_in: SamlSignIn
) -> PostedForm:
    """Return the answer that says who signed in. Raises RequestUnfulfilled."""
    encrypts_for = application.encryption_certificate
    issued_to = issuing.Application(
        application.entity_id,
        asked.acs_url,
        application.signs_assertion,
        application.signs_response,
        certificate(encrypts_for) if encrypts_for else None,
    )
    signed_in = SignIn(
        name_id=name_of(ours, application, sign_in.name),
        authn_instant=sign_in.authenticated_at,
        authn_context=sign_in.context,
        session_index=sign_in.name.session_index,
        session_not_on_or_after=sign_in.ends_at,
        attributes=[Attribute(name, values) for name, values in sign_in.attributes.items()],
    )
    try:
        data = issuing.response(issuer(ours), issued_to, signed_in, request_id=asked.id)
    except Unwritable as problem:
        raise RequestUnfulfilled(
            statuses.name_of(statuses.AUTHN_FAILED),
            acs_url=asked.acs_url,
            request_id=asked.id,
            relay_state=asked.relay_state,
            detail=problem.detail,
        ) from None
    return PostedForm(asked.acs_url, bindings.form_fields(data, field="SAMLResponse", relay_state=asked.relay_state))


def refusal(ours: IssuingSide, refused: RequestUnfulfilled) -> PostedForm:
    """Return the answer that says why nobody signed in."""
    status = statuses.BY_NAME[refused.status]
    data = issuing.failure(issuer(ours), refused.acs_url, status, request_id=refused.request_id)
    fields = bindings.form_fields(data, field="SAMLResponse", relay_state=refused.relay_state)
    return PostedForm(refused.acs_url, fields)


def name_of(ours: IssuingSide, application: RegisteredApplication, name: SamlName) -> NameId:
    """Return a name as messages have it."""
    return name_ids.name_id(
        name.value, FORMATS[name.name_id_format], issuer=ours.entity_id, application=application.entity_id
    )


# -- signing out -----------------------------------------------------------------------------------------------------


def signed_out(ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage) -> ApplicationLogout:
    """Return whom an application asks us to sign out. Raises LoginRefused."""
    known_by, wanted = certificates(application), expected(ours, application)

    def read() -> ApplicationLogout:
        found = logout_message(message, "SAMLRequest", known_by)
        asked = logout.read_request(found, wanted)
        return ApplicationLogout(asked.id, asked.name_id.value, asked.session_indexes, found.relay_state)

    return apart.run(read)


def sign_out(ours: IssuingSide, application: RegisteredApplication, name: SamlName, *, state: str) -> str:
    """Return the way to an application with a LogoutRequest."""
    message = logout.request(
        issuer=ours.entity_id,
        destination=application.slo_url,
        name_id=name_of(ours, application, name),
        session_indexes=[name.session_index],
        identifier=service_provider.request_of(state),
    )
    return bindings.redirect_url(
        application.slo_url, message.data, field="SAMLRequest", relay_state=state, key=signing_key(ours).key
    )


def check_signed_out(
    ours: IssuingSide, application: RegisteredApplication, message: BrowserMessage, *, state: str
) -> None:
    """Check that an application says, itself, that a session has ended there. Raises LoginRefused."""
    known_by = certificates(application)
    wanted = expected(ours, application, request_id=service_provider.request_of(state))
    answer = apart.run(lambda: logout.read_response(logout_message(message, "SAMLResponse", known_by), wanted))
    if not answer.is_success:
        raise forged(f"saml logout response: the application says {answer.code}")


def logout_answer(
    ours: IssuingSide,
    application: RegisteredApplication,
    asked: ApplicationLogout,
    *,
    is_known: bool,
    is_partial: bool,
) -> str:
    """Return the way back to an application with a LogoutResponse."""
    status: Sequence[str] = UNKNOWN
    if is_known:
        status = PARTIAL if is_partial else (rules.SUCCESS,)
    message = logout.response(
        issuer=ours.entity_id, destination=application.slo_url, in_response_to=asked.id, status=status
    )
    return bindings.redirect_url(
        application.slo_url,
        message.data,
        field="SAMLResponse",
        relay_state=asked.relay_state,
        key=signing_key(ours).key,
    )


def logout_message(message: BrowserMessage, field: bindings.Field, known_by: Sequence[x509.Certificate]) -> Received:
    """Return a message for signing out, which an application's key signed. Raises LoginRefused."""
    if not known_by:
        raise forged("saml logout: the application is registered without a certificate")
    return service_provider.received(message, field, known_by)


def expected(ours: IssuingSide, application: RegisteredApplication, **more: Any) -> rules.Expected:
    """Return what an application's message for signing out has to be."""
    return rules.Expected(
        issuer=application.entity_id,
        certificates=certificates(application),
        acs_url=ours.slo_url,
        audience=ours.entity_id,
        is_unsolicited="request_id" not in more,
        **more,
    )


# -- keys ------------------------------------------------------------------------------------------------------------


def issuer(ours: IssuingSide) -> Issuer:
    """Return who issues."""
    return Issuer(ours.entity_id, signing_key(ours))


def signing_key(ours: IssuingSide) -> SigningKey:
    """Return the pool's key, and the certificate that applications know it by."""
    own = ours.keys.signing()
    return SigningKey(service_provider.private(own.private), service_provider.certificate(own.certificate))


def certificates(application: RegisteredApplication) -> list[x509.Certificate]:
    """Return by whose keys an application signs."""
    return [certificate(each) for each in application.certificates]


def certificate(told: str) -> x509.Certificate:
    """Return a certificate, given as DER in base64."""
    return service_provider.certificate(base64.b64decode(told))
