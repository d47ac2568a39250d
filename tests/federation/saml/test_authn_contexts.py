"""Classes of authentication context: what proofs reach, and every comparison of what an application asks."""

from __future__ import annotations

import pytest

from federation.saml.authn_contexts import (
    PASSWORD,
    PASSWORD_PROTECTED,
    REFEDS_MFA,
    STRENGTH,
    TIME_SYNC_TOKEN,
    UNSPECIFIED,
    Requested,
    context_class,
    reached,
    satisfies,
)
from pools.services import assurance

UNKNOWN = "urn:oasis:names:tc:SAML:2.0:ac:classes:Smartcard"
BY_PASSWORD = [assurance.PASSWORD]
BY_BOTH = [assurance.PASSWORD, assurance.CODE]
BY_PROVIDER = [assurance.UPSTREAM, f"{assurance.BY}Corp", f"{assurance.TOLD}pwd"]


@pytest.mark.parametrize(
    ("methods", "strongest", "others"),
    [
        ([], UNSPECIFIED, []),
        (["made up"], UNSPECIFIED, []),
        (BY_PASSWORD, PASSWORD_PROTECTED, [PASSWORD, UNSPECIFIED]),
        ([assurance.CODE], TIME_SYNC_TOKEN, [UNSPECIFIED]),
        (BY_BOTH, REFEDS_MFA, [TIME_SYNC_TOKEN, PASSWORD_PROTECTED, PASSWORD, UNSPECIFIED]),
        ([*BY_PASSWORD, *BY_PASSWORD], PASSWORD_PROTECTED, [PASSWORD, UNSPECIFIED]),
        (BY_PROVIDER, UNSPECIFIED, []),
        ([*BY_PROVIDER, f"{assurance.TOLD}mfa"], UNSPECIFIED, []),
        ([*BY_PROVIDER, f"{assurance.LEVEL}1"], UNSPECIFIED, []),
        ([*BY_PROVIDER, f"{assurance.LEVEL}2"], REFEDS_MFA, [UNSPECIFIED]),
        ([assurance.UPSTREAM_FIRST, assurance.CODE], REFEDS_MFA, [TIME_SYNC_TOKEN, UNSPECIFIED]),
    ],
)
def test_proofs_reach_classes(methods: list[str], strongest: str, others: list[str]) -> None:
    assert context_class(methods) == strongest
    assert reached(methods) == ([strongest, *others] if strongest != UNSPECIFIED else [UNSPECIFIED])


@pytest.mark.parametrize(
    ("methods", "comparison", "classes", "told"),
    [
        (BY_PASSWORD, "exact", [PASSWORD_PROTECTED], PASSWORD_PROTECTED),
        (BY_PASSWORD, "exact", [PASSWORD], PASSWORD),
        (BY_PASSWORD, "exact", [REFEDS_MFA], ""),
        (BY_PASSWORD, "exact", [UNKNOWN], ""),
        (BY_PASSWORD, "exact", [UNKNOWN, PASSWORD], PASSWORD),
        (BY_BOTH, "exact", [PASSWORD_PROTECTED], PASSWORD_PROTECTED),
        (BY_BOTH, "exact", [PASSWORD_PROTECTED, REFEDS_MFA], REFEDS_MFA),
        (BY_PROVIDER, "exact", [PASSWORD_PROTECTED], ""),
        (BY_PASSWORD, "minimum", [PASSWORD], PASSWORD_PROTECTED),
        (BY_PASSWORD, "minimum", [PASSWORD_PROTECTED], PASSWORD_PROTECTED),
        (BY_PASSWORD, "minimum", [TIME_SYNC_TOKEN], ""),
        (BY_PASSWORD, "minimum", [REFEDS_MFA, PASSWORD], PASSWORD_PROTECTED),
        (BY_PASSWORD, "minimum", [UNKNOWN], ""),
        (BY_BOTH, "minimum", [PASSWORD], REFEDS_MFA),
        (BY_PASSWORD, "better", [PASSWORD], PASSWORD_PROTECTED),
        (BY_PASSWORD, "better", [PASSWORD_PROTECTED], ""),
        (BY_PASSWORD, "better", [PASSWORD, PASSWORD_PROTECTED], ""),
        (BY_BOTH, "better", [PASSWORD, PASSWORD_PROTECTED], REFEDS_MFA),
        (BY_BOTH, "better", [PASSWORD, UNKNOWN], ""),
        (BY_BOTH, "better", [REFEDS_MFA], ""),
        (BY_BOTH, "maximum", [PASSWORD_PROTECTED], PASSWORD_PROTECTED),
        (BY_BOTH, "maximum", [PASSWORD, TIME_SYNC_TOKEN], TIME_SYNC_TOKEN),
        (BY_BOTH, "maximum", [REFEDS_MFA], REFEDS_MFA),
        (BY_PASSWORD, "maximum", [UNSPECIFIED], UNSPECIFIED),
        (BY_BOTH, "maximum", [UNKNOWN], ""),
    ],
)
def test_what_an_application_asks_is_told_where_it_is_reached(
    methods: list[str], comparison: str, classes: list[str], told: str
) -> None:
    assert context_class(methods, Requested(tuple(classes), comparison)) == told


@pytest.mark.parametrize("each", STRENGTH)
def test_who_asks_nothing_is_satisfied(each: str) -> None:
    assert satisfies(each, Requested())
    assert satisfies(each, Requested(comparison="better"))
