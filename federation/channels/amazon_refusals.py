"""What SES, SNS and STS mean by their error codes, for a message that waits: one table, each code with its reason.

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
    """What some codes mean, where Amazon's text has one of these words; without words, whatever it says."""

    codes: frozenset[str]
    refusal: type[Refusal]
    reason: str
    words: tuple[str, ...] = ()

    def holds(self, code: str, text: str) -> bool:
        """Say whether this is what was answered."""
        return code in self.codes and (not self.words or any(word in text.lower() for word in self.words))


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
    Meaning(of("LimitExceeded"), InstallationAtFault, "the quota of the account is used up"),
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
        of("InternalFailure InternalError InternalServerError ServiceUnavailable ServiceFailure RequestTimeout"),
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
    found = next((each for each in MEANINGS if each.holds(code, text)), None) or BY_STATUS[_kind(status)]
    return found.refusal(detail=f"{service}: {found.reason} ({code[:60] or status})")


def _kind(status: int) -> str:
    if status == THROTTLED:
        return "throttled"
    if status in REFUSED:
        return "refused"
    return "broken" if status >= SERVER_FAULT else "unknown"
