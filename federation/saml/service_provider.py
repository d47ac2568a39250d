"""A pool as a service provider of SAML 2.0: what it sends to an identity provider, and what comes back.

Each check is a module's beside this; here they are given what they need. What providers are and keep is
``saml_provider``'s and the pools'.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from federation import saml_details as names
from federation.details import refused
from federation.refusals import forged
from federation.saml import (
    aggregates,
    apart,
    bindings,
    logout,
    metadata,
    metadata_writing,
    redaction,
    requests,
    responses,
    signing,
)
from federation.saml.bindings import Received
from federation.saml.metadata import IdentityProviderMetadata
from federation.saml.responses import NameId, SignedIn
from federation.saml.rules import SKEW, Expected, saml, text
from federation.saml.signing import SigningKey
from federation.saml.writing import written
from identity.foundation import outbound
from identity.foundation.destinations import CAP, TOTAL
from identity.foundation.errors import LoginRefused, OutsideUnavailable
from pools.ports import (
    MESSAGE,
    BrowserMessage,
    EndedSessions,
    ExternalIdentity,
    OurSide,
    SignOutMessage,
    UpstreamRedirect,
    UpstreamWishes,
)

KEPT: Final = "metadata"
"""The detail that holds what a provider's metadata say."""
ISSUER: Final = "issuer"
ENDS: Final = "ends"
JOB_SECONDS: Final = 60.0
ACCEPT: Final = {"Accept": "application/samlmetadata+xml, application/xml, text/xml, */*"}
REQUEST: Final = "request_id"
"""What is kept while somebody is away: the ID that a response has to name."""
ASKS_AGAIN: Final = frozenset({"login", "select_account"})
"""Wishes that a session which is there already shall not be enough."""
LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
FORMATS: Final = (
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
)
"""A name that changes at each sign-in would make somebody new each time."""
SAFE: Final = ".-*_"
"""What stays of a value in a list as it is. AWS: Specifying identity provider attribute mappings."""


# -- metadata --------------------------------------------------------------------------------------------------------


def fetched(details: Mapping[str, str], *, in_job: bool) -> dict[str, str]:
    """Return what is kept of a provider's metadata; nothing of a federation's outside a job."""
    entity_id = details.get(names.ENTITY_ID, "")
    if details.get(names.FILE):
        data = details[names.FILE].encode()
    elif not entity_id:
        try:
            data = loaded(details[names.URL], CAP, TOTAL)
        except OutsideUnavailable as problem:
            if in_job:
                raise
            raise refused(names.URL, "metadata_away", "Unable to contact metadata url") from problem
    elif in_job:
        data = loaded(details[names.URL], aggregates.LARGEST, JOB_SECONDS)
    else:
        return {}
    found = apart.run(lambda: metadata.read(aggregates.find(io.BytesIO(data), entity_id)))
    last = max(each.not_valid_after_utc for each in found.certificates)
    return {KEPT: kept(found), ISSUER: found.entity_id, ENDS: last.isoformat()}


def loaded(url: str, cap: int, seconds: float) -> bytes:
    """Return what is at an address. Raises OutsideUnavailable, Overloaded."""
    answer = outbound.http("GET", url, headers=ACCEPT, cap=cap, total=seconds)
    if answer.status != HTTPStatus.OK:
        raise OutsideUnavailable(
            code="answered_status", parameters={"status": answer.status}, detail="metadata: not there"
        )
    return answer.body


def kept(found: IdentityProviderMetadata) -> str:
    """Return metadata as a detail holds them."""
    plain = asdict(replace(found, certificates=(), valid_until=None))
    certificates = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in found.certificates]
    ends = found.valid_until.isoformat() if found.valid_until else ""
    return json.dumps(plain | {"certificates": certificates, "valid_until": ends})


@lru_cache(maxsize=512)
def read_kept(told: str) -> IdentityProviderMetadata:
    """Return the metadata that a detail holds."""
    found: dict[str, Any] = json.loads(told)
    found["certificates"] = tuple(
        x509.load_der_x509_certificate(base64.b64decode(each)) for each in found["certificates"]
    )
    found["name_id_formats"] = tuple(found["name_id_formats"])
    found["valid_until"] = datetime.fromisoformat(found["valid_until"]) if found["valid_until"] else None
    return IdentityProviderMetadata(**found)


def known(details: Mapping[str, str]) -> IdentityProviderMetadata:
    """Return a provider's metadata.

    Raises:
        OutsideUnavailable: nobody has read them yet.

    """
    if KEPT not in details:
        raise OutsideUnavailable(code="not_read_yet", detail="metadata: nobody has read them yet")
    return read_kept(details[KEPT])


def told(details: Mapping[str, str], ours: OurSide) -> dict[str, str]:
    """Return what follows from a provider's metadata, by Amazon's names."""
    found = {names.CERTIFICATE: base64.b64encode(ours.keys.decryption()[0].certificate).decode()}
    if KEPT in details:
        provider = known(details)
        found[names.SSO] = provider.sso_redirect_url or provider.sso_post_url
        if provider.slo_redirect_url:
            found[names.SLO] = provider.slo_redirect_url
    return found


def introduction(ours: OurSide) -> bytes:
    """Return our metadata, signed."""
    key = signing_key(ours)
    return metadata_writing.of_service_provider(
        metadata_writing.ServiceProvider(
            ours.entity_id,
            ours.callback,
            ours.signed_out,
            [key.certificate],
            [certificate(each.certificate) for each in ours.keys.decryption()[:1]],
            FORMATS,
            # Each provider of a pool decides it for itself: one that is promised signatures refuses what has none.
            signs_requests=False,
        ),
        key,
    )


# -- signing in ------------------------------------------------------------------------------------------------------


def departure(details: Mapping[str, str], ours: OurSide, *, state: str, wishes: UpstreamWishes) -> UpstreamRedirect:
    """Return the way to a provider with an AuthnRequest (SAML profiles 4.1.3): by a form where it takes no redirect."""
    provider = known(details)
    there = provider.sso_redirect_url or provider.sso_post_url
    is_again = not ASKS_AGAIN.isdisjoint(wishes.prompt.split())
    message = requests.authn_request(requests.Asked(ours.entity_id, there, ours.callback, force_authn=is_again))
    is_signed = bool(details.get(names.SIGNED)) or provider.wants_requests_signed
    key = signing_key(ours) if is_signed else None
    kept = {REQUEST: message.id}
    if provider.sso_redirect_url:
        private_key = key.key if key is not None else None
        url = bindings.redirect_url(there, message.data, field="SAMLRequest", relay_state=state, key=private_key)
        return UpstreamRedirect(url, kept)
    data = message.data if key is None else written(signing.signed(message.root, key))
    return UpstreamRedirect(there, kept, fields=bindings.form_fields(data, field="SAMLRequest", relay_state=state))


def arrival(
    details: Mapping[str, str], ours: OurSide, kept: Mapping[str, str], answer: Mapping[str, str]
) -> ExternalIdentity:
    """Return who came back with a response, by all rules. Raises LoginDenied, LoginRefused, OutsideUnavailable."""
    if not kept.get(REQUEST) and details.get(names.UNASKED) != names.TRUE:
        raise forged("saml response: nobody was sent to the provider, and it may not send people by itself")
    wanted = expected(
        details,
        ours,
        ours.callback,
        request_id=kept.get(REQUEST, ""),
        keys=decryption(ours),
        must_be_encrypted=details.get(names.ENCRYPTED) == names.TRUE,
    )
    signed_in = apart.run(lambda: read(answer.get("SAMLResponse"), wanted))
    name = signed_in.name_id
    return ExternalIdentity(
        name.value,
        {claim: listed(values) for claim, values in signed_in.attributes.items() if values},
        authenticated_at=signed_in.authn_instant,
        acr=signed_in.authn_context,
        session={part: value for part, value in {**asdict(name), "index": signed_in.session_index}.items() if value},
        session_name=signed_in.session_index,
        once=signed_in.assertion_id,
        once_until=until(signed_in),
    )


def read(sent: object, wanted: Expected) -> SignedIn:
    """Return who came back; a refusal shows an operator the message, without what it says of people."""
    try:
        return responses.read(sent, wanted)
    except LoginRefused as refusal:
        refusal.parameters = {**refusal.parameters, MESSAGE: redaction.redacted(sent)}
        raise


def until(signed_in: SignedIn) -> datetime:
    """Return until when an assertion would be taken again; providers may say the last moment there is."""
    return min(signed_in.not_on_or_after, LAST) + timedelta(seconds=SKEW)


def listed(values: Sequence[str]) -> str:
    """Return values as one: as it is, or as a list that can be told apart again.

    AWS: Specifying identity provider attribute mappings: URL-encoded but for ``. - * _``, in brackets, with commas.
    """
    if len(values) == 1:
        return values[0]
    return f"[{','.join(quote_plus(each, safe=SAFE).replace('~', '%7E') for each in values)}]"


def expected(details: Mapping[str, str], ours: OurSide, address: str, *, request_id: str = "", **more: Any) -> Expected:
    """Return what a provider's message has to be that is brought to an address of ours."""
    provider = known(details)
    return Expected(
        issuer=provider.entity_id,
        certificates=provider.certificates,
        acs_url=address,
        audience=ours.entity_id,
        request_id=request_id,
        is_unsolicited=not request_id,
        **more,
    )


# -- signing out -----------------------------------------------------------------------------------------------------


def sign_out(details: Mapping[str, str], ours: OurSide, *, state: str, session: Mapping[str, str]) -> str:
    """Return the way to a provider with a LogoutRequest; nothing where it takes none, or the session is not known."""
    provider = known(details)
    if not provider.slo_redirect_url or not session:
        return ""
    index = session.get("index", "")
    message = logout.request(
        issuer=ours.entity_id,
        destination=provider.slo_redirect_url,
        name_id=NameId(**{part: value for part, value in session.items() if part != "index"}),
        session_indexes=[index] if index else [],
        # The answer names the request, and is looked for by the state that comes back with it: no row is needed.
        identifier=request_of(state),
    )
    key = private(ours.keys.signing().private)
    return bindings.redirect_url(
        provider.slo_redirect_url, message.data, field="SAMLRequest", relay_state=state, key=key
    )


def request_of(state: str) -> str:
    """Return the ID of the request that leaves with a state: as nobody guesses the one, nobody guesses the other."""
    return f"_{hashlib.sha256(state.encode()).hexdigest()}"


def state_of(message: BrowserMessage) -> str:
    """Return the RelayState of an answer; empty of a request, which asks something of us, and of what is too large."""
    if bindings.size_problem(message.query):
        return ""
    fields = message.fields or dict(parse_qsl(message.query))
    return fields.get("RelayState", "") if "SAMLResponse" in fields else ""


def check_signed_out(details: Mapping[str, str], ours: OurSide, message: SignOutMessage, *, state: str) -> None:
    """Check that a provider says, itself, that a session has ended. Raises LoginRefused."""
    wanted = expected(details, ours, ours.signed_out, request_id=request_of(state))
    known_by = wanted.certificates
    answer = apart.run(lambda: logout.read_response(received(message, "SAMLResponse", known_by), wanted))
    if not answer.is_success:
        raise forged(f"saml logout response: the provider says {answer.code}")


def issuer_of(message: SignOutMessage) -> str:
    """Return the Issuer that a LogoutRequest names, which nobody has checked. Raises LoginRefused."""
    return apart.run(lambda: text(received(message, "SAMLRequest", ()).root.find(saml("Issuer"))) or "")


def ended(details: Mapping[str, str], ours: OurSide, message: SignOutMessage) -> EndedSessions:
    """Return whose sessions a provider asks us to end. Raises LoginRefused."""
    wanted = expected(details, ours, ours.signed_out, keys=decryption(ours))

    def read() -> EndedSessions:
        found = received(message, "SAMLRequest", wanted.certificates)
        asked = logout.read_request(found, wanted)
        return EndedSessions(asked.name_id.value, asked.session_indexes, asked.id, found.relay_state)

    return apart.run(read)


def sign_out_answer(details: Mapping[str, str], ours: OurSide, ended: EndedSessions) -> str:
    """Return the way back to a provider with our LogoutResponse; nothing where it says of no address."""
    provider = known(details)
    url = provider.slo_redirect_response_url or provider.slo_redirect_url
    if not url:
        return ""
    message = logout.response(issuer=ours.entity_id, destination=url, in_response_to=ended.request_id)
    key = private(ours.keys.signing().private)
    return bindings.redirect_url(url, message.data, field="SAMLResponse", relay_state=ended.relay_state, key=key)


def received(
    message: BrowserMessage,
    field: bindings.Field,
    certificates: Sequence[x509.Certificate],
    *,
    may_be_unsigned: bool = False,
) -> Received:
    """Return a message as it came by either binding; signed, where there are certificates. Raises LoginRefused.

    Unless it ``may_be_unsigned``: then a signature is verified where there is one.
    """
    may_be_unsigned = may_be_unsigned or not certificates
    if message.fields:
        return bindings.verified_form(message.fields, certificates, field=field, may_be_unsigned=may_be_unsigned)
    return bindings.verified_redirect(message.query, certificates, field=field, may_be_unsigned=may_be_unsigned)


# -- keys ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def certificate(der: bytes) -> x509.Certificate:
    """Return a certificate of ours."""
    return x509.load_der_x509_certificate(der)


def decryption(ours: OurSide) -> list[rsa.RSAPrivateKey]:
    """Return our keys for which providers encrypt. All are told of them; who has to, a detail says."""
    return [private(each.private) for each in ours.keys.decryption()]


def signing_key(ours: OurSide) -> SigningKey:
    """Return the pool's key, and the certificate that providers know it by."""
    own = ours.keys.signing()
    return SigningKey(private(own.private), certificate(own.certificate))


def private(der: bytes) -> rsa.RSAPrivateKey:
    """Return a private key of ours. It comes from our own sealing, and is not validated again."""
    found = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(found, rsa.RSAPrivateKey):
        raise TypeError("a key of a pool is an RSA key")
    return found
