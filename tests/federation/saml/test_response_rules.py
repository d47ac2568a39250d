"""Rules of responses: each refuses alone what a provider itself signed, plain and encrypted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from identity.foundation import clock
from tests.federation.saml.edits import add, drop, repeat, set_at, text_at, then
from tests.federation.saml.encryptor import Encryptor
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    ISSUER,
    NAME,
    PERSISTENT,
    IdentityProvider,
    at,
    nothing,
)
from tests.federation.saml.reader import NOBODYS, OF_OTHERS, UNASKED, expected, read, refusal

Element = Any
Edit = Callable[[Element], None]

# -- each rule, broken alone, by a provider whose signature is right -------------------------------------------------

DATA = "//saml:SubjectConfirmationData"
ASSERTED = "//saml:Assertion"
NO_MOMENT = "no moment in UTC"
CASES: list[tuple[Edit, str]] = [
    (set_at(".", Version="1.1"), "response Version: it is not 2.0"),
    (set_at(".", ID=None), "response ID: it has none"),
    (set_at(".", IssueInstant=None), f"response IssueInstant: it is missing, or {NO_MOMENT}"),
    (set_at(".", IssueInstant=90), "response IssueInstant: it is to come"),
    (set_at(".", Destination=None), "response Destination: it is missing"),
    (set_at(".", Destination=f"{ACS}/"), "response Destination: it is another address"),
    (set_at(".", Destination="https://other.example/acs"), "response Destination: it is another address"),
    (text_at("/samlp:Response/saml:Issuer", "https://other.example"), "response Issuer: it is another provider"),
    (add(".", "saml:Issuer", ISSUER), "response Issuer: there is not one"),
    (set_at("/samlp:Response/saml:Issuer", Format=PERSISTENT), "response Issuer: its Format is another"),
    (set_at(".", InResponseTo=None), "response InResponseTo: it is missing"),
    (set_at(".", InResponseTo="_other"), "response InResponseTo: it is another request"),
    (set_at(".", InResponseTo=""), "response InResponseTo: it is another request"),
    (drop("//samlp:Status"), "response Status: there is not one"),
    (drop("//samlp:StatusCode"), "response Status: there is not one"),
    (add("//samlp:Status", "samlp:StatusCode", Value="x"), "response Status: there is not one"),
    (set_at(ASSERTED, Version="2"), "assertion Version: it is not 2.0"),
    (set_at(ASSERTED, IssueInstant="2026-01-01T00:00:00"), f"assertion IssueInstant: it is missing, or {NO_MOMENT}"),
    (set_at(ASSERTED, IssueInstant="2026-13-01T00:00:00Z"), f"assertion IssueInstant: it is missing, or {NO_MOMENT}"),
    (set_at(ASSERTED, IssueInstant=90), "assertion IssueInstant: it is to come"),
    (text_at("//saml:Assertion/saml:Issuer", "https://other.example"), "assertion Issuer: it is another provider"),
    (text_at("//saml:Assertion/saml:Issuer", f" {ISSUER}"), "assertion Issuer: it is another provider"),
    (add("//saml:Assertion/saml:Issuer", "saml:Issuer", ISSUER), "assertion Issuer: it is another provider"),
    (drop("//saml:Subject"), "assertion Subject: there is not one"),
    (add(ASSERTED, "saml:Subject"), "assertion Subject: there is not one"),
    (drop("//saml:NameID"), "assertion NameID: there is not one"),
    (add("//saml:Subject", "saml:NameID", "mallory"), "assertion NameID: there is not one"),
    (add("//saml:Subject", "saml:EncryptedID"), "assertion NameID: there is not one"),
    (text_at("//saml:NameID", ""), "assertion NameID: it is no text that can name somebody"),
    (text_at("//saml:NameID", " ada"), "assertion NameID: it is no text that can name somebody"),
    (text_at("//saml:NameID", "ada\u200b"), "assertion NameID: it is no text that can name somebody"),
    (text_at("//saml:NameID", "ada\nb"), "assertion NameID: it is no text that can name somebody"),
    (text_at("//saml:NameID", "x" * 257), "assertion NameID: it is no text that can name somebody"),
    (add("//saml:NameID", "saml:x"), "assertion NameID: it is no text that can name somebody"),
    (
        set_at("//saml:NameID", Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"),
        "assertion NameID: its Format names no person",
    ),
    (drop("//saml:SubjectConfirmation"), "assertion SubjectConfirmation: there is none for a bearer"),
    (
        set_at("//saml:SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
        "assertion SubjectConfirmation: there is none for a bearer",
    ),
    (drop(DATA), "assertion SubjectConfirmation: SubjectConfirmationData is missing, or there twice"),
    (set_at(DATA, Recipient=None), "assertion SubjectConfirmation: Recipient is missing"),
    (set_at(DATA, Recipient=f"{ACS}2"), "assertion SubjectConfirmation: Recipient is another address"),
    (
        set_at(DATA, Recipient=f"http://evil.example/?x={ACS}"),
        "assertion SubjectConfirmation: Recipient is another address",
    ),
    (set_at(DATA, Recipient=ACS[:-1]), "assertion SubjectConfirmation: Recipient is another address"),
    (set_at(DATA, NotOnOrAfter=None), f"assertion SubjectConfirmation: NotOnOrAfter is missing, or {NO_MOMENT}"),
    (set_at(DATA, NotOnOrAfter="tomorrow"), f"assertion SubjectConfirmation: NotOnOrAfter is missing, or {NO_MOMENT}"),
    (set_at(DATA, NotOnOrAfter=-61), "assertion SubjectConfirmation: NotOnOrAfter is past"),
    (set_at(DATA, NotOnOrAfter="0001-01-01T00:00:00Z"), "assertion SubjectConfirmation: NotOnOrAfter is past"),
    (set_at(DATA, NotBefore=-61), "assertion SubjectConfirmation: NotBefore is there"),
    (set_at(DATA, InResponseTo=None), "assertion SubjectConfirmation: InResponseTo: it is missing"),
    (set_at(DATA, InResponseTo="_other"), "assertion SubjectConfirmation: InResponseTo: it is another request"),
    (drop("//saml:Conditions"), "assertion Conditions: there are not some once"),
    (add(ASSERTED, "saml:Conditions"), "assertion Conditions: there are not some once"),
    (set_at("//saml:Conditions", NotBefore=90), "assertion Conditions: NotBefore is to come"),
    (set_at("//saml:Conditions", NotBefore="9999-12-31T23:59:59Z"), "assertion Conditions: NotBefore is to come"),
    (set_at("//saml:Conditions", NotBefore="now"), f"assertion Conditions: NotBefore is {NO_MOMENT}"),
    (set_at("//saml:Conditions", NotOnOrAfter=-61), "assertion Conditions: NotOnOrAfter is past"),
    (set_at("//saml:Conditions", NotOnOrAfter=""), f"assertion Conditions: NotOnOrAfter is {NO_MOMENT}"),
    (add("//saml:Conditions", "saml:Condition"), "assertion Conditions: one is not understood"),
    (drop("//saml:AudienceRestriction"), "assertion AudienceRestriction: there is none"),
    (drop("//saml:Audience"), "assertion AudienceRestriction: it is for others"),
    (text_at("//saml:Audience", "urn:other"), "assertion AudienceRestriction: it is for others"),
    (text_at("//saml:Audience", f"{AUDIENCE}2"), "assertion AudienceRestriction: it is for others"),
    (add("//saml:Audience", "saml:x"), "assertion AudienceRestriction: it is for others"),
    (add("//saml:Conditions", "saml:AudienceRestriction"), "assertion AudienceRestriction: it is for others"),
    (drop("//saml:AuthnStatement"), "assertion AuthnStatement: there is none"),
    (
        set_at("//saml:AuthnStatement", AuthnInstant=None),
        f"assertion AuthnStatement: AuthnInstant is missing, or {NO_MOMENT}",
    ),
    (set_at("//saml:AuthnStatement", AuthnInstant=90), "assertion AuthnStatement: AuthnInstant is to come"),
    (
        set_at("//saml:AuthnStatement", SessionNotOnOrAfter=-61),
        "assertion AuthnStatement: SessionNotOnOrAfter is past",
    ),
    (
        set_at("//saml:AuthnStatement", SessionNotOnOrAfter="later"),
        f"assertion AuthnStatement: SessionNotOnOrAfter is {NO_MOMENT}",
    ),
    (
        add("//saml:AttributeStatement", "saml:EncryptedAttribute"),
        "assertion AttributeStatement: an attribute is encrypted",
    ),
    (add("//saml:AttributeStatement", "saml:Attribute"), "assertion AttributeStatement: an attribute has no Name"),
]


@pytest.mark.parametrize(("edit", "rule"), CASES)
@pytest.mark.parametrize("must_encrypt", [False, True], ids=["plain", "encrypted"])
def test_each_rule_refuses_alone(edit: Edit, rule: str, must_encrypt: bool) -> None:
    provider = IdentityProvider(before=edit, encrypt=Encryptor() if must_encrypt else nothing)

    assert refusal(provider) == rule


UNSIGNABLE: list[tuple[Edit, str]] = [
    (set_at(ASSERTED, ID=None), "assertion ID: it has none"),
    (drop("//saml:Assertion/saml:Issuer"), "assertion Issuer: there is not one"),
    (repeat("//saml:Assertion/saml:Issuer"), "assertion Issuer: there is not one"),
]


@pytest.mark.parametrize(("edit", "rule"), UNSIGNABLE)
def test_without_what_its_own_signature_needs_an_assertion_is_refused(edit: Edit, rule: str) -> None:
    assert refusal(IdentityProvider(signs=("response",), before=edit)) == rule


@pytest.mark.parametrize(("seconds", "is_taken"), [(-59, True), (-60, False), (-61, False)])
def test_an_end_is_late_by_the_skew(seconds: int, is_taken: bool) -> None:
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        provider = IdentityProvider(before=set_at(DATA, NotOnOrAfter=at(seconds)))
        if is_taken:
            read(provider)
        else:
            assert refusal(provider) == "assertion SubjectConfirmation: NotOnOrAfter is past"
        assert read(provider, skew=120).name_id.value == NAME


@pytest.mark.parametrize(("seconds", "is_taken"), [(59, True), (60, True), (61, False)])
def test_a_beginning_is_early_by_the_skew(seconds: int, is_taken: bool) -> None:
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        provider = IdentityProvider(before=set_at("//saml:Conditions", NotBefore=at(seconds)))
        if is_taken:
            read(provider)
        else:
            assert refusal(provider) == "assertion Conditions: NotBefore is to come"
        assert read(provider, skew=120).name_id.value == NAME


def test_a_response_is_good_for_some_minutes() -> None:
    root = IdentityProvider().response()

    with time_machine.travel(clock.epoch() + 362, tick=False):
        assert refusal(root) == "assertion SubjectConfirmation: NotOnOrAfter is past"


# -- what nobody asked for -------------------------------------------------------------------------------------------


def test_an_answer_to_a_request_is_none_where_none_is_pending() -> None:
    problem = "InResponseTo: it names a request, and none is pending"

    assert refusal(IdentityProvider(), **NOBODYS) == f"response {problem}"
    only_inside = IdentityProvider(before=set_at(".", InResponseTo=None))
    assert refusal(only_inside, **NOBODYS) == f"assertion SubjectConfirmation: {problem}"


def test_what_nobody_asked_for_is_none_where_a_request_is_pending() -> None:
    assert refusal(IdentityProvider(before=UNASKED)) == "response InResponseTo: it is missing"


@pytest.mark.parametrize("path", [".", ASSERTED])
def test_what_nobody_asked_for_is_six_minutes_old_at_most(path: str) -> None:
    fresh = IdentityProvider(before=then(UNASKED, set_at(path, IssueInstant=-400)))
    stale = IdentityProvider(before=then(UNASKED, set_at(path, IssueInstant=-421)))

    read(fresh, **NOBODYS)
    assert refusal(stale, **NOBODYS).endswith("IssueInstant: it is too long ago for what nobody asked for")
    read(IdentityProvider(before=set_at(path, IssueInstant=-421)))


@pytest.mark.parametrize("name", ["issuer", "acs_url", "audience"])
def test_an_empty_expectation_is_a_mistake(name: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        expected(**{name: ""})


# -- what others asked for -------------------------------------------------------------------------------------------

LONG_AGO = then(*(set_at(path, IssueInstant=-7200) for path in (".", ASSERTED)))


@pytest.mark.parametrize("edit", [nothing, UNASKED, set_at(DATA, InResponseTo="_other"), LONG_AGO])
def test_an_answer_to_others_may_name_any_request_and_is_good_until_it_ends(edit: Edit) -> None:
    assert read(IdentityProvider(before=edit), **OF_OTHERS).name_id.value == NAME


@pytest.mark.parametrize(("edit", "rule"), [case for case in CASES if "InResponseTo" not in case[1]])
def test_each_other_rule_refuses_an_answer_to_others(edit: Edit, rule: str) -> None:
    assert refusal(IdentityProvider(before=edit), **OF_OTHERS) == rule


@pytest.mark.parametrize(
    "told",
    [
        {"request_id": ""},
        {"is_unsolicited": True},
        {"is_of_others": True},
        {"request_id": "", "is_unsolicited": True, "is_of_others": True},
    ],
)
def test_whether_somebody_left_with_a_request_is_said_in_one_way(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unsolicited"):
        expected(**told)
