"""What can go wrong, named for what happened. Adapters turn these into their protocol's answers.

Each error has a code with parameters, by which adapters choose their words, a public message, which is the wire's, and
a private detail for logs and audit. No words for people are kept here, and nobody reads a message to find out.
"""

from __future__ import annotations

from identity.foundation.domain_error import NO_PARAMETERS, DomainError, Parameters, refuse

__all__ = ["NO_PARAMETERS", "DomainError", "Parameters", "refuse"]


class Invalid(DomainError):
    """A value breaks a rule. ``field`` names it in the caller's words where there is one."""

    public = "A value is not valid."

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str = "",
        code: str = "",
        parameters: Parameters = NO_PARAMETERS,
        detail: str = "",
    ) -> None:
        """Keep the name of the field that is wrong."""
        super().__init__(message, code=code, parameters=parameters, detail=detail)
        self.field = field


class NotAvailable(Invalid):
    """Asked for something that this release does not have; refused rather than silently ignored."""


class NotFound(DomainError):
    """No such thing in this place."""

    public = "The resource does not exist."


class IdNotFound(NotFound):
    """Nothing with that id, which the message names."""

    def __init__(self, asked: str = "", *, detail: str = "") -> None:
        """Name it as Cognito does."""
        super().__init__(self.public.format(asked), parameters={"id": asked}, detail=detail)


class PoolNotFound(IdNotFound):
    """No user pool with that id."""

    public = "User pool {} does not exist."


class ClientNotFound(IdNotFound):
    """No app client with that id (in that pool)."""

    public = "User pool client {} does not exist."


class UserNotFound(NotFound):
    """No such user, said only where that may be said."""

    public = "User does not exist."


class IdentityPoolNotFound(IdNotFound):
    """No identity pool with that id."""

    public = "IdentityPool '{}' not found."


class IdentityNotFound(IdNotFound):
    """No identity with that id."""

    public = "Identity '{}' not found."


class AlreadyExists(DomainError):
    """A name is taken."""

    public = "The resource already exists."


class UsernameExists(AlreadyExists):
    """The sign-in name is taken."""

    public = "User already exists"


class AliasExists(AlreadyExists):
    """Another user has verified this email address or phone number."""

    public = "An account with the given email already exists."


class GroupExists(AlreadyExists):
    """The pool has a group of that name."""

    public = "A group already exists with the name."


class NotAuthorized(DomainError):
    """May not do this."""

    public = "Not authorized."


class PasswordIncorrect(NotAuthorized):
    """Wrong password, or an unknown user told the same."""

    public = "Incorrect username or password."


class LockedOut(NotAuthorized):
    """Too many wrong passwords; ``retry_after`` seconds remain."""

    public = "Password attempts exceeded"

    def __init__(self, message: str | None = None, *, retry_after: int = 1, detail: str = "") -> None:
        """Keep how long the lock still holds."""
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class UserDisabled(NotAuthorized):
    """An operator disabled the account."""

    public = "User is disabled."


class TemporaryPasswordExpired(NotAuthorized):
    """The invitation is too old."""

    public = "Temporary password has expired and must be reset by an administrator."


class SecretHashRefused(NotAuthorized):
    """The client's proof of its secret is missing, wrong or unexpected."""


class ClientRefused(NotAuthorized):
    """The client did not prove its secret."""

    public = "Client authentication failed."


class TokenRefused(NotAuthorized):
    """An access token is unreadable, forged, of another kind or pool."""

    public = "Invalid Access Token"


class TokenExpired(TokenRefused):
    """The access token is too old."""

    public = "Access Token has expired"


class TokenRevoked(TokenRefused):
    """The access token's session was ended."""

    public = "Access Token has been revoked"


class ScopeMissing(TokenRefused):
    """The access token lacks a scope."""

    public = "Access Token does not have required scopes"


class ProofTooOld(NotAuthorized):
    """Whoever changes what they sign in by signed in too long ago."""

    public = "Sign in again to change how you sign in."


class RefreshRefused(NotAuthorized):
    """The refresh token is unreadable, of another client, expired or revoked."""

    public = "Invalid Refresh Token."


class RefreshReused(NotAuthorized):
    """A rotated refresh token came back after its grace time."""

    public = "Refresh token reuse detected."


class TokenOfAnotherClient(NotAuthorized):
    """A refresh token that another client of the pool was given."""

    public = "The token was issued to another client."


class GrantRefused(NotAuthorized):
    """An authorization code is unknown, spent, expired or not this client's."""

    public = "The grant is invalid, expired or already used."


class AttemptTokenRefused(NotAuthorized):
    """The attempt token is unknown or of another step."""

    public = "Invalid session for the user."


class AttemptTokenUsed(AttemptTokenRefused):
    """The attempt token was used already."""

    public = "Invalid session for the user, session can only be used once."


class AttemptTokenExpired(AttemptTokenRefused):
    """The attempt token is too old."""

    public = "Invalid session for the user, session is expired."


class UserNotConfirmed(DomainError):
    """The account waits for its confirmation code."""

    public = "User is not confirmed."


class PasswordResetRequired(DomainError):
    """An operator ended the old password."""

    public = "Password reset required for the user"


class AttributeProvided(NotAuthorized):
    """An attribute that can be given once has a value already."""

    def __init__(self, name: str = "", *, detail: str = "") -> None:
        """Name the attribute as Cognito does."""
        super().__init__(f"Cannot modify an already provided {name}", detail=detail)
        self.field = name


class WrongState(NotAuthorized):
    """The account is not in a state that allows this."""


class PasswordRejected(DomainError):
    """The new password breaks the pool's policy."""

    public = "Password did not conform with policy"


class CodeMismatch(DomainError):
    """The code is wrong."""

    public = "Invalid verification code provided, please try again."


class CodeExpired(DomainError):
    """The code is too old, spent, or was never asked for."""

    public = "Invalid code provided, please request a code again."


class CodeSpent(CodeExpired):
    """The code is right and was used already: said only to who knows it."""


class TotpMismatch(CodeMismatch):
    """The authenticator's code is wrong."""

    public = "Invalid code received for user"


class TotpUsed(CodeExpired):
    """The authenticator's code was used already."""

    public = "Your software token has already been used once."


class TotpEnrolmentFailed(DomainError):
    """The first code of a new authenticator is wrong."""

    public = "Code mismatch and fail enable Software Token MFA"


class TotpNotFound(DomainError):
    """The user has no authenticator."""

    public = "Software token MFA is not enabled for the user."


class TooManyAttempts(DomainError):
    """Too many tries or messages in a while; after ``wait`` seconds there is room again, 0 where nobody can say."""

    public = "Attempt limit exceeded, please try after some time."

    def __init__(self, message: str | None = None, *, wait: int = 0, detail: str = "") -> None:
        """Keep how long to wait: for pages; the API's answer does not tell it, as Amazon's does not."""
        super().__init__(message, detail=detail)
        self.wait = wait


class TooManyWrongCodes(TooManyAttempts):
    """The code was tried too often and is dead."""

    public = "Too many failed attempts, please request a new code."


class Overloaded(DomainError):
    """The service sheds load; ``retry_after`` seconds is a good time to come back."""

    public = "Too many requests"

    def __init__(self, message: str | None = None, *, retry_after: int = 1, detail: str = "") -> None:
        """Keep when to come back."""
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class FlowNotEnabled(Invalid):
    """The client may not sign people in this way."""


class ScopeUnknown(DomainError):
    """No resource server of the pool has that scope."""

    public = "The scope does not exist."


class OAuthFlowRefused(Invalid):
    """The OAuth flows of a client contradict one another, or what they need is not there."""

    public = "The OAuth flows are not valid."


class LimitExceeded(DomainError):
    """A quota of things is used up."""

    public = "Limit exceeded."


class PreconditionNotMet(DomainError):
    """Something has to be done or to end before."""

    public = "A precondition is not met."


class ImportInProgress(DomainError):
    """Users of the pool are being imported: what they are made by does not change meanwhile."""

    public = "A user import job is in progress for the user pool."


class UnsupportedToken(DomainError):
    """Only refresh tokens can be revoked."""

    public = "Unsupported token type."


class RevocationDisabled(DomainError):
    """The client has token revocation switched off."""

    public = "Token revocation is not enabled for this client."


class LoginRefused(NotAuthorized):
    """A login elsewhere is not accepted: by an identity pool, or as an identity provider's answer."""

    public = "Invalid login token."


class ResourceConflict(DomainError):
    """The login is linked to another identity."""

    public = "Login already linked to another identity."


class RoleRefused(DomainError):
    """The role cannot be assumed: missing, untrusting, or tags refused. The true reason is the detail."""

    public = "Invalid identity pool configuration. Check assigned IAM roles for this pool."


class OutsideUnavailable(DomainError):
    """A system that was asked did not answer in time."""

    public = "An external service is not available. Try again."


class InteractionExpired(DomainError):
    """What the browser came for is unknown, used, too old, or another browser's."""

    public = "This sign-in has expired. Start again from the application."


class Misuse(AssertionError):
    """A law of the architecture is broken by our own code: outside work inside a transaction."""
