"""Every operation of both services, with something of another tenant put into it. The registries say which."""

from __future__ import annotations

import pytest

from pools.cognito import operations
from pools.cognito.contract import SERVICES, Operation
from tests.tenants.conftest import Sides, Street
from tests.tenants.crossings import CROSSINGS, INSTALLATION_WIDE, NOBODY, NOT_AUTHORIZED, OWN, Case
from tests.tenants.tenant import Answer, Tenant

assert operations
HANDLED = {
    name: operation for each in SERVICES.values() for name, operation in each.operations.items() if operation.handler
}
SIGNED = sorted(name for name, operation in HANDLED.items() if not operation.is_public)


def test_every_operation_says_what_a_foreign_credential_means_there() -> None:
    assert CROSSINGS.keys() | INSTALLATION_WIDE.keys() == HANDLED.keys()
    assert not CROSSINGS.keys() & INSTALLATION_WIDE.keys()
    # A stranger brings no key: what is public is never only the installation's.
    assert INSTALLATION_WIDE.keys() <= set(SIGNED)


def test_a_digest_tells_of_a_row_that_is_theirs_and_of_no_other(street: Street) -> None:
    before = [street.settled(each) for each in (street.one, street.two)]

    street.one.person()

    changed, same = (each.digest(street.looks) for each in (street.one, street.two))
    assert {name for name in changed if changed[name] != before[0][name]} >= {"pool_user", "password", "sign_in_name"}
    assert same == before[1]


def sent(mine: Tenant, operation: Operation, case: Case, **instead: object) -> Answer:
    members = {**case.right, **instead}
    return mine.wire.send(operation, {name: value for name, value in members.items() if value is not None})


@pytest.mark.parametrize("name", sorted(HANDLED.keys() - INSTALLATION_WIDE.keys()))
def test_what_is_another_tenants_is_refused_where_ones_own_is_taken(name: str, sides: Sides, street: Street) -> None:
    mine, theirs = sides
    for case in CROSSINGS[name](mine, theirs):
        with street.crossing(theirs) as crossing:
            for number, (foreign, refusal) in enumerate(case.wrong):
                answer = crossing.saw(sent(mine, HANDLED[name], case, **foreign))
                if refusal == NOBODY and NOBODY not in HANDLED[name].errors:
                    refusal = NOT_AUTHORIZED  # noqa: PLW2901 - what an operation says that does not declare it
                expected = (200, "") if refusal is OWN else (400, refusal)
                assert (answer.status, answer.code) == expected, (number, foreign, answer)
            right = crossing.saw(sent(mine, HANDLED[name], case))
        assert (right.status, right.code) == ((400, case.otherwise) if case.otherwise else (200, "")), right


@pytest.mark.parametrize("name", SIGNED)
def test_nothing_that_a_tenant_holds_signs_an_operators_call(name: str, street: Street) -> None:
    mine, theirs = street.two, street.one
    operation = HANDLED[name]
    named = {"UserPoolId": theirs.pool_id, "IdentityPoolId": theirs.identity_pool_id, "Username": theirs.ann.name}
    shape = operation.model.input_shape
    members = {member: value for member, value in named.items() if shape and member in shape.members}
    tokens = mine.tokens()
    with street.crossing(theirs) as crossing:
        answers = [
            crossing.saw(mine.wire.send(operation, members, key=None, headers=headers))
            for headers in (
                {},
                *({"Authorization": f"Bearer {token}"} for token in tokens.values() if "." in str(token)),
            )
        ]
        answers += [
            crossing.saw(mine.wire.send(operation, members, key=(app.id, app.secret)))
            for app in (mine.confidential, mine.machine, theirs.confidential)
        ]
    assert {answer.code for answer in answers} == {
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
        "UnrecognizedClientException",
    }
