"""Every refusal that the console's services write has words of its own, which name only what it carries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from identity.console import wording
from identity.foundation import errors, paging
from pools.services.operators import operator_sign_in, operators
from pools.services.people import user_filter
from pools.services.pools import app_clients, client_rules, pool_rules, registration_settings, user_pools
from pools.services.providers import identity_providers, provider_rules, saml_application_rules, saml_applications

SERVICES = (
    *(paging, operator_sign_in, operators, user_filter, app_clients, user_pools, pool_rules, client_rules),
    *(registration_settings, identity_providers, provider_rules, saml_applications, saml_application_rules),
)
# By module: functions that the console does not call.
WIRE_ONLY = {
    "app_clients": {"update"},
    "user_pools": {"delete", "set_mfa"},
    # About settings that operators do not choose, or that one choice gives together.
    "pool_rules": {
        *("among", "template", "link_problems", "reply_to_problems", "recovery_problems", "tag_problems"),
        *("one_kind_of_names", "days_are_given_once", "an_alias_is_optional", "updated_addresses_are_verified"),
        *("second_factor_has_a_kind", "first_second_factor", "a_sender_of_ones_own_has_a_source"),
        *("first_factor_problems", "source_problems", "sender_problems", "caller_problems", "trigger_problems"),
        *("region_problems", "a_role_sends", "a_sender_of_ones_own_is_a_developers"),
        *("eums_caller_problems", "formed", "pools_region_problems", "a_role_sends_by_eums", "sms_is_sent_by_one"),
        "passkey_problems",
    },
    "client_rules": {
        *("flow_problems", "unit_problems", "context_needs_a_secret", "rotation_is_the_only_refresh"),
        *("attributes_exist", "required_attributes_are_writable", "analytics_is_whole"),
        "url_problems",  # whose codes are a table
    },
}
GENERAL = {"DomainError", "Invalid", "NotAvailable", "NotFound", "AlreadyExists", "LimitExceeded", "NotAuthorized"}
"""Errors that say too little without a rule's code."""


class Recorder(dict[str, int]):
    """Parameters of any name, which remember what was asked for."""

    def __missing__(self, name: str) -> int:
        """Answer with a number, which fits text as well."""
        self[name] = 2
        return 2


def keywords(call: ast.Call) -> dict[str, Any]:
    """Return what a call names: texts, and the members of a dictionary."""
    named: dict[str, Any] = {}
    for keyword in call.keywords:
        if isinstance(keyword.value, ast.Constant):
            named[str(keyword.arg)] = keyword.value.value
        elif isinstance(keyword.value, ast.Dict):
            named[str(keyword.arg)] = {key.value for key in keyword.value.keys if isinstance(key, ast.Constant)}
    return named


def complaints(source: str, wire_only: Iterable[str] = ()) -> Iterator[str]:
    """Yield what is wrong with the refusals of a module."""
    for function in ast.parse(source).body:
        if getattr(function, "name", "") in wire_only:
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            kind, named = ast.unparse(call.func).rpartition(".")[2], keywords(call)
            code = named.get("code")
            if kind in GENERAL and not code:
                yield f"{call.lineno}: {kind} has no code"
            if isinstance(getattr(errors, kind, None), type) and code:
                asked = Recorder()
                if code not in wording.WORDS:
                    yield f"{call.lineno}: {code} has no words"
                elif str(wording.WORDS[code] % asked) and set(asked) != named.get("parameters", set()):
                    yield f"{call.lineno}: the words of {code} name {sorted(asked)}"


@pytest.mark.parametrize("module", SERVICES, ids=lambda module: module.__name__)
def test_each_refusal_has_words(module: ModuleType) -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")

    assert list(complaints(source, WIRE_ONLY.get(module.__name__.rpartition(".")[2], ()))) == []


def test_whatever_is_wrong_with_an_address_has_words_that_name_it() -> None:
    for code in (*client_rules.URL_PROBLEMS, "too_many_urls"):
        asked = Recorder()
        assert str(wording.WORDS[code] % asked)
        assert set(asked) == (set() if code == "too_many_urls" else {"url"})


@pytest.mark.parametrize(
    ("refusal", "complaint"),
    [
        ('Invalid("No.", field="name")', "1: Invalid has no code"),
        ('errors.NotFound("No.")', "1: NotFound has no code"),
        ('Invalid(code="nobody_worded_this")', "1: nobody_worded_this has no words"),
        ('Invalid(code="filter_attribute")', "1: the words of filter_attribute name ['name']"),
        ('Invalid(code="filter", parameters={"least": 1})', "1: the words of filter name []"),
    ],
)
def test_a_refusal_without_words_is_noticed(refusal: str, complaint: str) -> None:
    assert list(complaints(f"raise {refusal}")) == [complaint]


def test_the_functions_that_are_left_out_are_there() -> None:
    named = {module.__name__.rpartition(".")[2]: module for module in SERVICES}

    assert {
        module: gone
        for module, left_out in WIRE_ONLY.items()
        if (gone := {name for name in left_out if not hasattr(named[module], name)})
    } == {}


def every(kind: type[errors.DomainError] = errors.DomainError) -> Iterator[type[errors.DomainError]]:
    """Yield each error that there is."""
    yield kind
    for narrower in kind.__subclasses__():
        yield from every(narrower)


def test_an_operator_reads_words_of_ours_whatever_is_refused() -> None:
    ours = {str(words % Recorder()) for words in wording.WORDS.values()}

    told = {kind: wording.of(kind()) for kind in every() if kind.__module__.startswith(("identity", "pools.services"))}

    assert {kind.__name__: text for kind, text in told.items() if not text.strip() or text == kind.public} == {}
    assert told[errors.LockedOut] == "Too many tries. Try again in 1 minute."
    assert told[errors.Invalid] in ours
