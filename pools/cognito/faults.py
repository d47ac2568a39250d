"""Which exception of Amazon's a refusal of ours becomes. One table; no rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet

from identity.foundation import errors
from pools.services.identity_pools.identities import DeveloperUserTaken
from pools.services.people.password_history import PasswordReused
from pools.services.providers.identity_providers import ProviderChanged, ProviderExists, ProviderNotSupported
from pools.services.triggers import TriggerUnavailable

INTERNAL, SERVER = "InternalErrorException", "InternalServerException"
TEMPORARY = {INTERNAL, SERVER, "InternalFailure"}
"""Exceptions that are the server's fault: status 500."""

EXCEPTION: dict[type[errors.DomainError], str] = {
    errors.Invalid: "InvalidParameterException",
    errors.NotFound: "ResourceNotFoundException",
    errors.UserNotFound: "UserNotFoundException",
    errors.AlreadyExists: "InvalidParameterException",
    errors.UsernameExists: "UsernameExistsException",
    errors.AliasExists: "AliasExistsException",
    errors.GroupExists: "GroupExistsException",
    ProviderExists: "DuplicateProviderException",
    ProviderNotSupported: "UnsupportedIdentityProviderException",
    ProviderChanged: "ConcurrentModificationException",
    errors.NotAuthorized: "NotAuthorizedException",
    errors.RefreshReused: "RefreshTokenReuseException",
    errors.UserNotConfirmed: "UserNotConfirmedException",
    errors.PasswordResetRequired: "PasswordResetRequiredException",
    errors.PasswordRejected: "InvalidPasswordException",
    PasswordReused: "PasswordHistoryPolicyViolationException",
    errors.CodeMismatch: "CodeMismatchException",
    errors.CodeExpired: "ExpiredCodeException",
    errors.TotpEnrolmentFailed: "EnableSoftwareTokenMFAException",
    errors.TotpNotFound: "SoftwareTokenMFANotFoundException",
    errors.TooManyAttempts: "LimitExceededException",
    errors.TooManyWrongCodes: "TooManyFailedAttemptsException",
    errors.Overloaded: "TooManyRequestsException",
    errors.ScopeUnknown: "ScopeDoesNotExistException",
    errors.OAuthFlowRefused: "InvalidOAuthFlowException",
    errors.LimitExceeded: "LimitExceededException",
    errors.PreconditionNotMet: "PreconditionNotMetException",
    errors.ImportInProgress: "UserImportInProgressException",
    errors.UnsupportedToken: "UnsupportedTokenTypeException",
    errors.RevocationDisabled: "UnsupportedOperationException",
    errors.ResourceConflict: "ResourceConflictException",
    DeveloperUserTaken: "DeveloperUserAlreadyRegisteredException",
    errors.RoleRefused: "InvalidIdentityPoolConfigurationException",
    errors.OutsideUnavailable: "ExternalServiceException",
    TriggerUnavailable: "UnexpectedLambdaException",
    errors.InteractionExpired: "NotAuthorizedException",
}
UNLESS: dict[tuple[str, type[errors.DomainError]], str] = {
    ("AdminCreateUser", errors.WrongState): "UnsupportedUserStateException",
    ("ChangePassword", errors.LockedOut): "LimitExceededException",
    # Amazon's words for a client that is unknown here or cannot prove its secret.
    ("RevokeToken", errors.NotFound): "UnauthorizedException",
    ("RevokeToken", errors.NotAuthorized): "UnauthorizedException",
}
INSTEAD = {
    # Where an operation does not declare the exception, what it declares that says the nearest thing.
    "UserNotFoundException": "NotAuthorizedException",
    "UserNotConfirmedException": "NotAuthorizedException",
    "PasswordResetRequiredException": "NotAuthorizedException",
    "RefreshTokenReuseException": "NotAuthorizedException",
    "SoftwareTokenMFANotFoundException": "InvalidParameterException",
    "EnableSoftwareTokenMFAException": "CodeMismatchException",
    "PasswordHistoryPolicyViolationException": "InvalidPasswordException",
    "CodeMismatchException": "NotAuthorizedException",
    "ExpiredCodeException": "NotAuthorizedException",
    "TooManyFailedAttemptsException": "LimitExceededException",
    "LimitExceededException": "TooManyRequestsException",
    "DeveloperUserAlreadyRegisteredException": "ResourceConflictException",
    "ResourceNotFoundException": "InvalidParameterException",
    "NotAuthorizedException": "InvalidParameterException",
    "TooManyRequestsException": "ThrottlingException",
    "ExternalServiceException": "InternalErrorException",
}
COMMON = frozenset(
    {
        # Errors common to all services of AWS, which no operation declares.
        "AccessDeniedException",
        "IncompleteSignatureException",
        "InternalFailure",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "RequestEntityTooLargeException",
        "SerializationException",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    }
)


class Fault(Exception):
    """An answer that is an error, in Amazon's words."""

    def __init__(
        self, code: str, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep what the client will read."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or (500 if code in TEMPORARY else 400)
        self.headers = dict(headers or {})


def own_failure(declared: Collection[str]) -> str:
    """Return the exception that a failure of our own is at an operation which declares these."""
    return SERVER if SERVER in declared else INTERNAL


def exception(operation: str, declared: AbstractSet[str], kind: type[errors.DomainError]) -> str | None:
    """Return the exception that a refusal is at an operation, always one it declares; None for a fault of our own."""
    name = next(
        (
            found
            for ancestor in kind.__mro__
            if (found := UNLESS.get((operation, ancestor)) or EXCEPTION.get(ancestor)) is not None
        ),
        None,
    )
    while name is not None and name not in declared and name not in COMMON:
        name = INSTEAD.get(name, "InvalidParameterException" if "InvalidParameterException" in declared else None)
    return name


def fault(operation: str, declared: AbstractSet[str], refusal: errors.DomainError) -> Fault | None:
    """Return a refusal in Amazon's words; None where the refusal is a fault of our own."""
    name = exception(operation, declared, type(refusal))
    if name is None:
        return None
    wait = getattr(refusal, "retry_after", None)
    message = refusal.message
    if isinstance(refusal, errors.TooManyWrongCodes) and name != EXCEPTION[errors.TooManyWrongCodes]:
        message = errors.TooManyAttempts.public
    return Fault(name, message, headers={} if wait is None else {"retry-after": str(wait)})
