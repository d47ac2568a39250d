"""What SES, SNS, End User Messaging SMS and STS mean by their error codes, for a message that waits: one table.

Three answers: this message can never go (``Undeliverable``), it is tried again so many times (``NotNow``), or nothing
is held against it because account, sender, quota or credentials are at fault (``InstallationAtFault``). What Amazon
says beside a code is looked at and never kept: it quotes addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pools.ports import InstallationAtFault, NotNow, Undeliverable

Refusal = Undeliverable | NotNow
SERVER_FAULT, THROTTLED, REFUSED = 500, 429, frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What some codes mean, where Amazon gives one of these reasons, or its text has one of these words.

    Without reasons or words, whatever it says.
    """

    codes: frozenset[str]
    refusal: type[Refusal]
    reason: str
    words: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()
    """Codes of reasons, and names of members of a request, that an answer has beside its own code."""

    def holds(self, code: str, text: str, given: frozenset[str] = frozenset()) -> bool:
        """Say whether this is what was answered."""
        said = not self.words or any(word in text.lower() for word in self.words)
        return code in self.codes and said and (not self.given or not self.given.isdisjoint(given))


def of(codes: str) -> frozenset[str]:
    """Return codes, without the "Exception" that some protocols append."""
    return frozenset(codes.split())


MEANINGS = (
    # -- SES. AWS: SES API v2 Reference, SendEmail ---------------------------------------------------------------------
    Meaning(
        of("MessageRejected"),
        InstallationAtFault,
        "the sender is not verified, or in the sandbox the recipient",
        ("not verified",),
    ),
    Meaning(of("MessageRejected"), Undeliverable, "the message is rejected"),  # its content, or whom it is for
    Meaning(
        of("BadRequest"),
        Undeliverable,
        "no mail can have this address",
        ("missing final", "domain starts", "domain ends", "domain contains", "domain name", "local address", "illegal"),
    ),
    # A sender, a set or an ARN that SES cannot read: whoever sends again soon may have mended it.
    Meaning(of("BadRequest"), NotNow, "the request cannot be read"),
    Meaning(of("AccountSuspended"), InstallationAtFault, "the account may not send any more"),
    Meaning(of("SendingPaused"), InstallationAtFault, "sending is paused, for the account or the configuration set"),
    Meaning(of("MailFromDomainNotVerified"), InstallationAtFault, "the MAIL FROM domain is not verified"),
    Meaning(of("NotFound"), InstallationAtFault, "identity or configuration set does not exist"),
    Meaning(of("LimitExceeded ServiceQuotaExceeded"), InstallationAtFault, "the quota of the account is used up"),
    # -- End User Messaging SMS. AWS: SMS and Voice API v2 Reference, ValidationException and ConflictException --------
    Meaning(
        of("Validation"),
        Undeliverable,
        "no text message goes to this number's country",
        given=of(
            "COUNTRY_CODE_MISMATCH COUNTRY_NOT_ENABLED DESTINATION_COUNTRY_BLOCKED INTERNATIONAL_SENDING_NOT_SUPPORTED "
            "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY SENDER_ID_NOT_SUPPORTED"
        ),
    ),
    Meaning(
        of("Validation"),
        InstallationAtFault,
        "the origination identity, the configuration set or the registered ids are not right",
        given=of(
            "OriginationIdentity ConfigurationSetName DestinationCountryParameters CHANNEL_NOT_ENABLED INVALID_ARN "
            "MISSING_PARAMETER RESOURCE_NOT_ACCESSIBLE SENDER_ID_NOT_REGISTERED SENDER_ID_REQUIRES_REGISTRATION"
        ),
    ),
    Meaning(
        of("Conflict"),
        Undeliverable,
        "the owner of this number wants no text messages",
        given=of("DESTINATION_PHONE_NUMBER_OPTED_OUT"),
    ),
    Meaning(
        of("Conflict"),
        Undeliverable,
        "the account is protected against writing to this number",
        given=of(
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION "
            "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"
        ),
    ),
    Meaning(
        of("Conflict"),
        InstallationAtFault,
        "the account is in the sandbox, and the number not verified",
        given=of("DESTINATION_PHONE_NUMBER_NOT_VERIFIED"),
    ),
    Meaning(
        of("Conflict"),
        InstallationAtFault,
        "no origination identity can send this",
        given=of(
            "MESSAGE_TYPE_MISMATCH NO_ORIGINATION_IDENTITIES_FOUND NUMBER_CAPABILITIES_MISMATCH "
            "REGISTRATION_NOT_COMPLETE RESOURCE_NOT_ACTIVE"
        ),
    ),
    Meaning(of("ResourceNotFound"), InstallationAtFault, "origination identity or configuration set does not exist"),
    Meaning(
        of("AccessDenied"),
        InstallationAtFault,
        "the account may not send any more",
        given=of("ACCOUNT_DISABLED INSUFFICIENT_ACCOUNT_REPUTATION"),
    ),
    # -- SNS. AWS: SNS API Reference, Publish --------------------------------------------------------------------------
    # Number and text are all that differs between two of our messages: the rest of the request is always the same.
    Meaning(
        of("InvalidParameter InvalidParameterValue ParameterValueInvalid Validation"),
        Undeliverable,
        "no text message goes to this number, or none with this text",
    ),
    Meaning(of("OptedOut"), Undeliverable, "the owner of this number wants no text messages"),
    Meaning(of("AuthorizationError InvalidSecurity"), InstallationAtFault, "the credentials may not send"),
    # -- all of them. AWS: Common Errors -------------------------------------------------------------------------------
    Meaning(
        of(
            "Throttling Throttled TooManyRequests RequestLimitExceeded RequestThrottled SlowDown "
            "BandwidthLimitExceeded PriorRequestNotComplete"
        ),
        InstallationAtFault,  # whoever is throttled has sent too much: no message that waits is the one
        "too much is sent at once",
    ),
    Meaning(
        of(
            "AccessDenied NotAuthorized UnauthorizedOperation UnrecognizedClient InvalidClientTokenId "
            "InvalidAccessKeyId InvalidToken SignatureDoesNotMatch InvalidSignature IncompleteSignature "
            "MissingAuthenticationToken ExpiredToken RequestExpired RequestTimeTooSkewed OptInRequired RegionDisabled"
        ),
        InstallationAtFault,
        "the credentials are refused",
    ),
    Meaning(
        of(
            "InternalFailure InternalError InternalServer InternalServerError ServiceUnavailable ServiceFailure "
            "RequestTimeout"
        ),
        NotNow,
        "the service is out of order",
    ),
)
BY_STATUS = {
    "throttled": Meaning(frozenset(), InstallationAtFault, "too much is sent at once"),
    "refused": Meaning(frozenset(), InstallationAtFault, "the credentials are refused"),
    "broken": Meaning(frozenset(), NotNow, "the service is out of order"),
    # A code of a later day: neither lost at once nor kept for ever.
    "unknown": Meaning(frozenset(), NotNow, "the service says no"),
}
STALE = of("ExpiredToken InvalidClientTokenId UnrecognizedClient InvalidToken")
"""What is said of temporary credentials that are good no longer."""


def code_of(response: Mapping[str, Any]) -> str:
    """Return the code of an error, without the namespace, address or ending that protocols put round it."""
    error = response.get("Error") or response
    code = str(error.get("Code", "")).rpartition("#")[2].partition(":")[0]
    return code.removesuffix("Exception")


def refusal_for(service: str, response: Mapping[str, Any]) -> Refusal:
    """Return what an error answer means to whoever sends."""
    code, status = code_of(response), int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    text = str((response.get("Error") or response).get("Message", ""))
    given = _given(response)
    found = next((each for each in MEANINGS if each.holds(code, text, given)), None) or BY_STATUS[_kind(status)]
    return found.refusal(detail=f"{service}: {found.reason} ({code[:60] or status})")


def _given(response: Mapping[str, Any]) -> frozenset[str]:
    """Return the reason that an answer gives by a code, and the members of the request that it is about."""
    members = [field.get("Name") for field in response.get("Fields") or ()]
    return frozenset(str(each) for each in (response.get("Reason"), *members) if each)


def _kind(status: int) -> str:
    if status == THROTTLED:
        return "throttled"
    if status in REFUSED:
        return "refused"
    return "broken" if status >= SERVER_FAULT else "unknown"
