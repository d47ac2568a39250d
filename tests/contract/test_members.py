"""No member of an operation's input is silently ignored, and ``docs/coverage.md`` says of each what it does not do."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from botocore import xform_name
from django.conf import settings as settings_of_django

from identity.foundation.actor import Actor
from identity.management import coverage_tables
from identity.management.commands import write_coverage_docs
from identity.management.coverage_tables import IN_ALL, IN_ONE, TESTS, Less
from pools.cognito.contract import SERVICES, Operation, Service, user_pools
from pools.services.pools.settings_table import Availability, Setting
from tests.architecture.source import ROOT, sources
from tests.contract.conftest import FLOWS, Place, Wire, make_identity_pool, make_place
from tests.contract.member_reads import unread

ANSWERED = [operation for service in SERVICES.values() for operation in write_coverage_docs.answered(service)]
TABLE = "identity/management/coverage_tables.py"
PAGE = "and write the page again: manage.py write_coverage_docs"


def label(operation: Operation) -> str:
    """Return an operation's name in a test's."""
    return operation.name


# -- members ---------------------------------------------------------------------------------------------------------


def faults(operation: Operation) -> Iterator[str]:
    """Yield where code and table differ about an operation's members."""
    notes, nowhere = write_coverage_docs.notes(operation), unread(operation)
    for member in nowhere:
        parts = member.split(".")
        if not any(".".join(parts[:count]) in notes for count in range(1, len(parts) + 1)):
            yield (
                f"{operation.name} ignores {member}: read it, refuse it (NotAvailable), or say in IN_ALL or IN_ONE of "
                f"{TABLE} why it does less, {PAGE}"
            )
    for member, note in notes.items():
        if note.less is Less.NOT_USED and member not in nowhere and not is_unread_key(member):
            yield f"{operation.name} reads {member}: take it from {TABLE}, {PAGE}"
        if note.less is Less.NOT_YET and member in nowhere:
            yield f"{operation.name} ignores {member}, which {TABLE} says is refused"


def is_unread_key(member: str) -> bool:
    """Say whether that is a key of a map of texts which the adapter never names."""
    outer, _, key = member.rpartition(".")
    files = (ROOT / "pools/cognito").rglob("*.py")
    return outer in {"AuthParameters", "ChallengeResponses"} and not any(
        f'"{key}"' in each.read_text() for each in files
    )


@pytest.mark.parametrize("operation", ANSWERED, ids=label)
def test_each_member_is_read_or_said_to_do_less(operation: Operation) -> None:
    if problems := list(faults(operation)):
        pytest.fail("\n".join(problems), pytrace=False)


def test_each_line_of_the_tables_is_about_a_member() -> None:
    inputs = {operation.name: operation.model.input_shape for operation in ANSWERED}
    of_none = [
        name for name in IN_ALL if not any(write_coverage_docs.takes(each, name.split(".")) for each in inputs.values())
    ]
    of_one = [name.split(".") for name in IN_ONE]

    assert of_none == []
    assert [name for name, *member in of_one if not write_coverage_docs.takes(inputs.get(name), member)] == []


def reads_nothing(call: Mapping[str, Any], by: Actor) -> None:
    del call, by


def reads_what_is_not_used(call: Mapping[str, Any], by: Actor) -> None:
    del by
    told = {name: call.get(name) for name in ("ClientId", "Username")}
    told["metadata"] = dict(call.get("ClientMetadata") or {})


def reads_no_names(call: Mapping[str, Any], by: Actor) -> None:
    del by
    given = call["UserAttributes"]
    list(map(str, given))


@pytest.mark.parametrize(
    ("name", "handler", "found"),
    [
        ("AdminGetUser", reads_nothing, "AdminGetUser ignores UserPoolId: read it"),
        ("SignUp", reads_what_is_not_used, "SignUp reads ClientMetadata: take it"),
        ("SignUp", reads_nothing, "SignUp ignores Password: read it"),
        ("SignUp", reads_no_names, "SignUp ignores UserAttributes.Value: read it"),
        ("SetUserMFAPreference", reads_nothing, "ignores EmailMfaSettings, which"),
    ],
)
def test_a_planted_handler_is_caught(name: str, handler: Callable[..., None], found: str) -> None:
    caught = list(faults(replace(user_pools.operations[name], handler=handler)))

    assert any(found in fault for fault in caught), caught


def test_a_setting_that_no_table_has_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    table = write_coverage_docs.TABLES["CreateUserPool"]
    others = tuple(row for row in table.settings if row.name != "user_pool_tier")
    monkeypatch.setitem(write_coverage_docs.TABLES, "CreateUserPool", replace(table, settings=others))

    [fault] = faults(user_pools.operations["CreateUserPool"])

    assert fault.startswith("CreateUserPool ignores UserPoolTier: read it")


def test_the_page_has_one_row_for_each_operation() -> None:
    before, *chapters = write_coverage_docs.Command().text().split("\n## ")
    numbers = re.findall(r"^\| .* pools \| (\d+) \| (\d+) \| (\d+) \|", before, re.MULTILINE)

    for service, (amount, done, later), chapter in zip(SERVICES.values(), numbers, chapters[:2], strict=True):
        row = re.findall(r"^\| (\w+) \| (done|not yet) \|", chapter, re.MULTILINE)
        assert sorted(row) == sorted(
            (name, "done" if operation.handler else "not yet") for name, operation in service.operations.items()
        )
        states = [state for _, state in row]
        assert [len(row), states.count("done"), states.count("not yet")] == [int(amount), int(done), int(later)]


SETTINGS = [(of, row) for of, table in write_coverage_docs.TABLES.items() for row in table.settings]
DECLARED = {
    "pool_settings",
    "pool_rules",
    "client_settings",
    "client_rules",
    "identity_pool_settings",
    "settings_table",
}


@cache
def named_beside_the_tables() -> frozenset[str]:
    """Return the attributes and texts of the product's code that are not where settings are declared and stored."""
    found = set()
    for source in sources():
        is_reader = source.under("pools/services", "pools/oidc", "pools/hosted", "pools/models/hot.py", "federation")
        if is_reader and source.parts[-1] not in DECLARED:
            found |= {node.attr for node in source.walk() if isinstance(node, ast.Attribute)}
            found |= {
                node.value for node in source.walk() if isinstance(node, ast.Constant) if isinstance(node.value, str)
            }
    return frozenset(found)


def is_read(setting: Setting) -> bool:
    """Say whether somebody names a setting's column, or its member of one, beside the tables, which tell it anyway."""
    return setting.path[-1] in named_beside_the_tables()


@pytest.mark.parametrize(("of", "setting"), SETTINGS, ids=lambda each: getattr(each, "name", each))
def test_a_setting_that_is_done_is_read(of: str, setting: Setting) -> None:
    if setting.availability is Availability.DONE and setting.place is not None:
        assert is_read(setting), f"nothing follows from {setting.name} of {of}: it is KEPT_ONLY, or NOT_YET"


def test_a_setting_that_nobody_reads_is_caught() -> None:
    assert not is_read(Setting(name="email_configuration.shoe_size"))
    assert not is_read(Setting(name="shoe_size", place="shoe_size"))


# -- what is refused -------------------------------------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "AllowedOAuthFlows": ["implicit"],
    "AuthFlow": "USER_AUTH",
    "ChallengeName": "EMAIL_OTP",
    "EmailMfaSettings": {"Enabled": True},
    "RevokeAssociatedSessions": "LINKED",
    "Routing": {"Failover": {"SecondaryRegion": "eu-west-1", "PrimaryRoute53HealthCheckId": "one"}},
    "SupportedLoginProviders": {"api.twitter.com": "key;secret"},
    "WebAuthnMfaSettings": {"Enabled": True},
}
"""Of each member that is not there yet, a value that asks for it."""
NOT_YET = [
    (operation, member)
    for operation in ANSWERED
    for member, note in write_coverage_docs.notes(operation).items()
    if note.less is Less.NOT_YET
]


def needed(place: Place) -> dict[str, Any]:
    """Return values of what operations need beside, by the members that take them."""
    provider = f"{settings_of_django.BASE_URL.split('://')[1]}/{place.pool}"
    return {
        "AccessToken": place.tokens["AccessToken"],
        "AllowUnauthenticatedIdentities": True,
        "ClientId": place.client,
        "ClientName": "other",
        "Domain": "photos",
        "IdentityPoolId": make_identity_pool(place, provider, guests=True),
        "IdentityPoolName": "other",
        "ProviderDetails": {"MetadataURL": "https://corp.example/metadata"},
        "ProviderName": "Corp",
        "Token": place.tokens["RefreshToken"],
        "UserPoolId": place.pool,
        "Username": place.username,
    }


@pytest.mark.parametrize(("operation", "member"), NOT_YET, ids=lambda each: getattr(each, "name", each))
def test_what_is_not_yet_is_refused_by_name(wire: Wire, operation: Operation, member: str) -> None:
    known = needed(make_place(wire, ExplicitAuthFlows=[*FLOWS, "ALLOW_USER_AUTH"]))
    shape = operation.model.input_shape
    assert shape is not None
    right = {name: known[name] for name in shape.required_members if name != member}

    _, text = wire.refusal(operation.name, **right, **{member: VALUES[member]})

    assert "not available in this release" in text


# -- tests of operations ---------------------------------------------------------------------------------------------


def untested(operation: Operation, tests: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return what is wrong with the line that says which test calls an operation as a client does."""
    service = operation.service.name
    file = tests[service].get(operation.name)
    if file is None:
        return (
            f"{operation.name} is answered: add the line of its test to TESTS in {TABLE}, like "
            f'"{operation.name}": "cognito/test_….py", below {service}, {PAGE}'
        )
    path = ROOT / "tests" / file
    if not path.exists():
        return f"{operation.name}: there is no tests/{file}; name its test in TESTS in {TABLE}, {PAGE}"
    if not calls(path.read_text(), operation):
        return f"tests/{file} never calls {operation.name}; name a test that does in TESTS in {TABLE}, {PAGE}"
    return None


def calls(text: str, operation: Operation) -> bool:
    """Say whether code calls an operation.

    By boto3's method; by a call that is given either name; by a table of calls, whose keys are methods and whose values
    are what they are given.
    """
    names = (xform_name(operation.name), operation.name)
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Attribute(attr=name) if name == names[0]:
                return True
            case ast.Call(args=given) if any(isinstance(each, ast.Constant) and each.value in names for each in given):
                return True
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == names[0] and isinstance(value, ast.Dict):
                        return True
    return False


@pytest.mark.parametrize("operation", ANSWERED, ids=label)
def test_each_operation_that_is_answered_has_a_test(operation: Operation) -> None:
    if problem := untested(operation, TESTS):
        pytest.fail(problem, pytrace=False)


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: service.name)
def test_no_other_operation_has_a_line(service: Service) -> None:
    others = TESTS[service.name].keys() - {operation.name for operation in write_coverage_docs.answered(service)}

    assert others == set(), f"not answered: take them from TESTS in {coverage_tables.__name__}"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (
            {},
            'GetGroup is answered: add the line of its test to TESTS in identity/management/coverage_tables.py, like "',
        ),
        ({"GetGroup": "cognito/test_nothing.py"}, "GetGroup: there is no tests/cognito/test_nothing.py"),
        ({"GetGroup": "cognito/test_srp.py"}, "tests/cognito/test_srp.py never calls GetGroup"),
    ],
)
def test_an_operation_without_a_test_is_caught(lines: dict[str, str], found: str) -> None:
    assert found in str(untested(user_pools.operations["GetGroup"], {"cognito-idp": lines}))


def test_only_a_call_counts() -> None:
    operation = user_pools.operations["GetGroup"]

    assert calls("world.idp.get_group(GroupName='g')", operation)
    assert calls("wire.ask('GetGroup', GroupName='g')", operation)
    assert calls("CALLS = {'get_group': {'GroupName': 'g'}}", operation)
    assert not calls("names = ['GetGroup']  # get_group", operation)
    assert not calls("TAGS = {'get_group': 'read'}", operation)
