"""Each refusal of the installation is an exception that the operation declares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from identity.foundation import errors, sealing
from pools.cognito import faults, operations
from pools.cognito.contract import SERVICES, Operation, user_pools

assert operations
HANDLED = [operation for service in SERVICES.values() for operation in service.operations.values() if operation.handler]


def kinds(kind: type[errors.DomainError] = errors.DomainError) -> Iterator[type[errors.DomainError]]:
    """Walk all refusals of the foundation."""
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield below
        yield from kinds(below)


@pytest.mark.parametrize("operation", HANDLED, ids=lambda operation: operation.name)
def test_every_refusal_becomes_an_exception_that_the_operation_declares(operation: Operation) -> None:
    for kind in kinds():
        name = faults.exception(operation.name, operation.errors, kind)

        assert name in operation.errors | faults.COMMON, f"{kind.__name__} is {name}"


@pytest.mark.parametrize(
    "name", sorted({*faults.EXCEPTION.values(), *faults.INSTEAD.values(), *faults.UNLESS.values()})
)
def test_every_exception_in_the_table_is_amazons(name: str) -> None:
    known = [operation for service in SERVICES.values() for operation in service.operations.values()]
    declared = {error for operation in known for error in operation.errors}

    assert name in declared | faults.COMMON


@pytest.mark.parametrize(
    ("operation", "refusal", "code"),
    [
        ("InitiateAuth", errors.PasswordIncorrect(), "NotAuthorizedException"),
        ("InitiateAuth", errors.LockedOut(), "NotAuthorizedException"),
        ("InitiateAuth", errors.Overloaded(), "TooManyRequestsException"),
        ("InitiateAuth", errors.RefreshReused(), "NotAuthorizedException"),
        ("InitiateAuth", errors.FlowNotEnabled(), "InvalidParameterException"),
        ("SetUserMFAPreference", errors.Overloaded(), "ThrottlingException"),
        ("ConfirmSignUp", errors.TooManyWrongCodes(), "TooManyFailedAttemptsException"),
        ("ConfirmSignUp", errors.TooManyAttempts(), "LimitExceededException"),
        ("RespondToAuthChallenge", errors.TotpMismatch(), "CodeMismatchException"),
        ("RespondToAuthChallenge", errors.TotpUsed(), "ExpiredCodeException"),
        ("VerifySoftwareToken", errors.TotpEnrolmentFailed(), "EnableSoftwareTokenMFAException"),
        ("RevokeToken", errors.ClientNotFound("x"), "UnauthorizedException"),
        ("RevokeToken", errors.ClientRefused(), "UnauthorizedException"),
        ("AdminCreateUser", errors.WrongState(), "UnsupportedUserStateException"),
        ("AdminConfirmSignUp", errors.WrongState(), "NotAuthorizedException"),
        ("GlobalSignOut", errors.UserNotFound(), "NotAuthorizedException"),
        ("CreateUserPoolClient", errors.ScopeUnknown(), "ScopeDoesNotExistException"),
    ],
)
def test_the_table_says_what_cognito_says(operation: str, refusal: errors.DomainError, code: str) -> None:
    fault = faults.fault(operation, user_pools.operations[operation].errors, refusal)

    assert fault is not None
    assert (fault.code, fault.message, fault.status) == (code, refusal.message, 400)


def test_whoever_is_refused_for_load_is_told_when_to_come_back() -> None:
    refusal = errors.Overloaded(retry_after=2)

    fault = faults.fault("InitiateAuth", user_pools.operations["InitiateAuth"].errors, refusal)

    assert fault is not None
    assert fault.headers == {"retry-after": "2"}


def test_a_failure_of_our_own_is_no_refusal() -> None:
    declared = user_pools.operations["InitiateAuth"].errors

    assert faults.fault("InitiateAuth", declared, sealing.Unsealable(detail="a row")) is None
