"""Requests of applications: what they ask is read, and each rule refuses alone, with an answer or without one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from federation.saml import authn_requests, name_ids, statuses
from federation.saml.authn_contexts import PASSWORD, REFEDS_MFA, Requested
from federation.saml.authn_requests import StatusRefused
from federation.saml.statuses import Status
from identity.foundation import clock
from identity.foundation.errors import LoginRefused
from tests.federation.saml.asking import (
    OTHER_ACS,
    PINNED,
    SSO,
    answer,
    expected,
    read,
    refusal,
    request,
    signing_application,
)
from tests.federation.saml.edits import add, drop, repeat, set_at, text_at, then
from tests.federation.saml.identity_provider import ACS, AUDIENCE, NAME, PERSISTENT, put
from tests.federation.saml.issuer import tree
from tests.walks import walk

anything = walk(100)
Element = Any
Edit = Callable[[Element], None]
POLICY = "samlp:NameIDPolicy"
CONTEXT = "samlp:RequestedAuthnContext"
INDEX = "AssertionConsumerServiceIndex"


def asks(*classes: str, name: str = "saml:AuthnContextClassRef", **attributes: str) -> Edit:
    """Return an edit that asks for classes of authentication context."""

    def edit(root: Element) -> None:
        made = put(root, CONTEXT, **attributes)
        for each in classes:
            put(made, name, each)

    return edit


def wants(name: str, inner: str, text: str | None = None) -> Edit:
    """Return an edit that adds a part with one inside."""

    def edit(root: Element) -> None:
        put(put(root, name), inner, text)

    return edit


def for_whom(audience: str) -> Edit:
    """Return an edit that asks for an audience."""

    def edit(root: Element) -> None:
        put(put(put(root, "saml:Conditions"), "saml:AudienceRestriction"), "saml:Audience", audience)

    return edit


# -- what is asked ---------------------------------------------------------------------------------------------------


def test_a_request_that_says_no_more_than_it_must_is_read() -> None:
    with time_machine.travel("2026-03-04T05:06:07.250Z", tick=False):
        data = request()
        found = read(data)

        assert found.kept_until == clock.now() + timedelta(minutes=6)
    assert found.id == tree(data).get("ID")
    assert found.issuer == AUDIENCE
    assert found.acs_url == ACS
    assert not found.force_authn
    assert not found.is_passive
    assert found.requested == Requested()
    assert found.name_id_format == ""
    assert not found.allow_create
    assert found.subject == ""
    assert not found.was_signed


@pytest.mark.parametrize(
    ("edit", "name", "value"),
    [
        (set_at(".", AssertionConsumerServiceURL=ACS), "acs_url", ACS),
        (set_at(".", AssertionConsumerServiceURL=OTHER_ACS), "acs_url", OTHER_ACS),
        (set_at(".", **{INDEX: "3"}), "acs_url", ACS),
        (set_at(".", **{INDEX: "0"}), "acs_url", OTHER_ACS),
        (set_at(".", Destination=None), "acs_url", ACS),
        (set_at(".", ProtocolBinding=authn_requests.POST), "acs_url", ACS),
        (set_at(".", ForceAuthn="true"), "force_authn", True),
        (set_at(".", ForceAuthn="1"), "force_authn", True),
        (set_at(".", ForceAuthn="0"), "force_authn", False),
        (set_at(".", IsPassive="true"), "is_passive", True),
        (set_at(".", IsPassive="false"), "is_passive", False),
        (add(".", POLICY, Format=PERSISTENT), "name_id_format", PERSISTENT),
        (add(".", POLICY, Format=name_ids.UNSPECIFIED), "name_id_format", ""),
        (add(".", POLICY, SPNameQualifier=AUDIENCE), "name_id_format", ""),
        (add(".", POLICY, AllowCreate="true"), "allow_create", True),
        (add(".", POLICY, AllowCreate="false"), "allow_create", False),
        (wants("saml:Subject", "saml:NameID", NAME), "subject", NAME),
        (asks(PASSWORD), "requested", Requested((PASSWORD,))),
        (asks(REFEDS_MFA, PASSWORD, Comparison="minimum"), "requested", Requested((REFEDS_MFA, PASSWORD), "minimum")),
        (asks("urn:unknown"), "requested", Requested(("urn:unknown",))),
        (for_whom(AUDIENCE), "issuer", AUDIENCE),
        (add(".", "saml:Conditions"), "issuer", AUDIENCE),
        (wants("samlp:Scoping", "samlp:RequesterID", "x"), "issuer", AUDIENCE),
        (wants("samlp:Extensions", "saml:x", "x"), "issuer", AUDIENCE),
        (set_at(".", ProviderName="It", Consent="urn:x", AttributeConsumingServiceIndex="7"), "issuer", AUDIENCE),
        (set_at("saml:Issuer", Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity"), "issuer", AUDIENCE),
    ],
)
def test_what_is_asked_is_told(edit: Edit, name: str, value: object) -> None:
    assert getattr(read(request(edit)), name) == value


def test_whose_request_it_is_can_be_looked_up() -> None:
    assert authn_requests.unverified_issuer(request()) == AUDIENCE
    assert authn_requests.unverified_issuer(request(text_at("saml:Issuer", "urn:x"))) == "urn:x"
    assert authn_requests.unverified_issuer(request(drop("saml:Issuer"))) == ""


@pytest.mark.parametrize("data", [b"", b"<a/>", b"<!DOCTYPE a><a/>"])
def test_what_is_no_request_is_nobodys(data: bytes) -> None:
    with pytest.raises(LoginRefused) as caught:
        authn_requests.unverified_issuer(data)

    assert caught.value.detail.startswith("saml ")
    assert refusal(data) == caught.value.detail.removeprefix("saml ")


# -- signatures ------------------------------------------------------------------------------------------------------


def test_a_signed_request_is_read_by_any_certificate_of_the_application() -> None:
    found = read(request(signed_by=PINNED), **signing_application())

    assert found.was_signed
    assert found.acs_url == ACS


def test_a_query_that_was_verified_needs_no_signature_inside() -> None:
    assert read(request(), was_signed=True, **signing_application()).was_signed
    assert read(request(signed_by=PINNED), was_signed=True, **signing_application()).was_signed


def test_an_application_that_has_certificates_has_to_sign() -> None:
    assert refusal(request(), **signing_application()) == "signature: it is missing"


@pytest.mark.parametrize("was_signed", [False, True])
def test_a_signature_of_somebody_else_is_none(was_signed: bool) -> None:
    data = request(signed_by="a stranger's")

    assert refusal(data, was_signed=was_signed, **signing_application()) == (
        "signature: by no certificate of the provider"
    )


def test_a_signed_request_cannot_be_edited() -> None:
    data = request(set_at(".", ForceAuthn="true"), signed_by=PINNED)

    edited = data.replace(b'ForceAuthn="true"', b'ForceAuthn="false"')

    assert edited != data
    assert read(data, **signing_application()).force_authn
    assert refusal(edited, **signing_application()) == "signature: by no certificate of the provider"


def test_a_signature_without_a_certificate_says_nothing() -> None:
    assert not read(request(signed_by=PINNED)).was_signed
    with pytest.raises(ValueError, match="no certificate"):
        read(request(), was_signed=True)


@pytest.mark.parametrize("was_signed", [False, True])
def test_what_is_signed_says_whom_it_is_for(was_signed: bool) -> None:
    data = request(set_at(".", Destination=None), signed_by="" if was_signed else PINNED)

    assert refusal(data, was_signed=was_signed, **signing_application()) == "request Destination: it is missing"


# -- each rule, broken alone -----------------------------------------------------------------------------------------

NO_MOMENT = "IssueInstant: it is missing, or no moment in UTC"
ACS_RULE = "AssertionConsumerService"
OTHER_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos"
ENCRYPTED_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"
UNANSWERED: list[tuple[Edit, str]] = [
    (set_at(".", ID=None), "ID: it has none"),
    (drop("saml:Issuer"), "Issuer: there is not one"),
    (repeat("saml:Issuer"), "Issuer: there is not one"),
    (text_at("saml:Issuer", "urn:other"), "Issuer: it is another application"),
    (text_at("saml:Issuer", f" {AUDIENCE}"), "Issuer: it is another application"),
    (text_at("saml:Issuer", ""), "Issuer: it is another application"),
    (add("saml:Issuer", "saml:x"), "Issuer: it is another application"),
    (set_at("saml:Issuer", Format=PERSISTENT), "Issuer: its Format is another"),
    (set_at(".", IssueInstant=None), NO_MOMENT),
    (set_at(".", IssueInstant="2026-01-01T00:00:00"), NO_MOMENT),
    (set_at(".", IssueInstant="2026-13-01T00:00:00Z"), NO_MOMENT),
    (set_at(".", IssueInstant=90), "IssueInstant: it is to come"),
    (set_at(".", IssueInstant=-361), "IssueInstant: it is too long ago"),
    (set_at(".", IssueInstant="0001-01-01T00:00:00Z"), "IssueInstant: it is too long ago"),
    (set_at(".", Destination=f"{SSO}/"), "Destination: it is another address"),
    (set_at(".", Destination=""), "Destination: it is another address"),
    (set_at(".", AssertionConsumerServiceURL="https://evil.example/"), f"{ACS_RULE}: URL is not registered"),
    (set_at(".", AssertionConsumerServiceURL=f"{ACS}/"), f"{ACS_RULE}: URL is not registered"),
    (set_at(".", AssertionConsumerServiceURL=f"{ACS}?x=1"), f"{ACS_RULE}: URL is not registered"),
    (set_at(".", AssertionConsumerServiceURL=ACS[:-1]), f"{ACS_RULE}: URL is not registered"),
    (set_at(".", AssertionConsumerServiceURL=ACS.upper()), f"{ACS_RULE}: URL is not registered"),
    (set_at(".", AssertionConsumerServiceURL=""), f"{ACS_RULE}: URL is not registered"),
    (set_at(".", **{INDEX: "1"}), f"{ACS_RULE}: Index is not registered"),
    (set_at(".", **{INDEX: "03"}), f"{ACS_RULE}: Index is not registered"),
    (set_at(".", **{INDEX: "-0"}), f"{ACS_RULE}: Index is not registered"),
    (set_at(".", **{INDEX: "x"}), f"{ACS_RULE}: Index is not registered"),
    (set_at(".", AssertionConsumerServiceURL=ACS, **{INDEX: "3"}), f"{ACS_RULE}: URL and Index are both there"),
]
ANSWERED: list[tuple[Edit, str, Status]] = [
    (set_at(".", Version="1.1"), "Version: it is not 2.0", statuses.VERSION_MISMATCH),
    (set_at(".", Version=None), "Version: it is not 2.0", statuses.VERSION_MISMATCH),
    (add(".", "saml:Assertion"), "parts: one is not known", statuses.REQUEST_UNSUPPORTED),
    (then(add(".", POLICY), add(".", POLICY)), "parts: one is there twice", statuses.REQUEST_UNSUPPORTED),
    (set_at(".", ForceAuthn="TRUE"), "booleans: ForceAuthn is neither true nor false", statuses.REQUEST_UNSUPPORTED),
    (set_at(".", IsPassive=""), "booleans: IsPassive is neither true nor false", statuses.REQUEST_UNSUPPORTED),
    (
        add(".", POLICY, AllowCreate="yes"),
        "booleans: AllowCreate is neither true nor false",
        statuses.REQUEST_UNSUPPORTED,
    ),
    (
        set_at(".", ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"),
        "ProtocolBinding: it is not HTTP-POST",
        statuses.UNSUPPORTED_BINDING,
    ),
    (add(".", POLICY, Format=OTHER_FORMAT), "NameIDPolicy: Format is not issued", statuses.INVALID_NAME_ID_POLICY),
    (add(".", POLICY, Format=ENCRYPTED_FORMAT), "NameIDPolicy: Format is not issued", statuses.INVALID_NAME_ID_POLICY),
    (
        add(".", POLICY, SPNameQualifier="urn:affiliation"),
        "NameIDPolicy: SPNameQualifier is another application",
        statuses.INVALID_NAME_ID_POLICY,
    ),
    (add(".", "saml:Subject"), "Subject: it is not one NameID", statuses.REQUEST_UNSUPPORTED),
    (wants("saml:Subject", "saml:EncryptedID"), "Subject: it is not one NameID", statuses.REQUEST_UNSUPPORTED),
    (
        then(
            wants("saml:Subject", "saml:NameID", NAME), add("saml:Subject", "saml:SubjectConfirmation", Method="urn:x")
        ),
        "Subject: it is not one NameID",
        statuses.REQUEST_UNSUPPORTED,
    ),
    (
        wants("saml:Subject", "saml:NameID", "a\u200bda"),
        "Subject: it is no text that can name somebody",
        statuses.REQUEST_UNSUPPORTED,
    ),
    (
        wants("saml:Subject", "saml:NameID", "x" * 257),
        "Subject: it is no text that can name somebody",
        statuses.REQUEST_UNSUPPORTED,
    ),
    (wants("saml:Conditions", "saml:OneTimeUse"), "Conditions: one is not understood", statuses.REQUEST_UNSUPPORTED),
    (
        add(".", "saml:Conditions", NotOnOrAfter="2999-01-01T00:00:00Z"),
        "Conditions: one is not understood",
        statuses.REQUEST_UNSUPPORTED,
    ),
    (for_whom("urn:other"), "Conditions: they are for others", statuses.REQUEST_UNSUPPORTED),
    (
        asks(PASSWORD, Comparison="best"),
        "RequestedAuthnContext: Comparison is not known",
        statuses.NO_AUTHN_CONTEXT,
    ),
    (asks(), "RequestedAuthnContext: it is not some classes", statuses.NO_AUTHN_CONTEXT),
    (asks(*["urn:x"] * 33), "RequestedAuthnContext: it is not some classes", statuses.NO_AUTHN_CONTEXT),
    (
        asks("urn:x", name="saml:AuthnContextDeclRef"),
        "RequestedAuthnContext: it is not some classes",
        statuses.NO_AUTHN_CONTEXT,
    ),
    (asks(PASSWORD, " "), "RequestedAuthnContext: a class is no identifier", statuses.NO_AUTHN_CONTEXT),
]


@pytest.mark.parametrize(("edit", "rule"), UNANSWERED)
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "verified"])
def test_each_rule_refuses_alone_without_an_answer(edit: Edit, rule: str, is_signed: bool) -> None:
    changes = signing_application() if is_signed else {}

    assert refusal(request(edit), was_signed=is_signed, **changes) == f"request {rule}"


@pytest.mark.parametrize(("edit", "rule", "status"), ANSWERED)
def test_each_rule_refuses_alone_with_an_answer(edit: Edit, rule: str, status: Status) -> None:
    data = request(then(edit, set_at(".", AssertionConsumerServiceURL=OTHER_ACS)))

    found = answer(data)

    assert found.detail == f"saml request {rule}"
    assert found.status == status
    assert found.acs_url == OTHER_ACS
    assert found.request_id == tree(data).get("ID")


@pytest.mark.parametrize(("edit", "rule", "status"), ANSWERED)
def test_nobody_is_answered_at_an_address_that_is_not_registered(edit: Edit, rule: str, status: Status) -> None:
    data = request(then(edit, set_at(".", AssertionConsumerServiceURL="https://evil.example/")))

    assert refusal(data) == f"request {ACS_RULE}: URL is not registered"


def test_a_format_that_is_not_this_applications_is_not_issued() -> None:
    data = request(add(".", POLICY, Format=PERSISTENT))

    found = answer(data, name_id_formats=[name_ids.EMAIL])

    assert found.status == statuses.INVALID_NAME_ID_POLICY
    assert read(data, name_id_formats=[PERSISTENT]).name_id_format == PERSISTENT


@pytest.mark.parametrize(("seconds", "is_taken"), [(60, True), (61, False), (-359, True), (-360, False)])
def test_a_request_is_of_this_moment_by_the_skew(seconds: int, is_taken: bool) -> None:
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        data = request(set_at(".", IssueInstant=seconds))
        if is_taken:
            assert read(data).kept_until > clock.now()
        else:
            assert refusal(data).startswith("request IssueInstant: it is to")
        read(data, skew=120)


@pytest.mark.parametrize(
    "changes", [{"issuer": ""}, {"sso_url": ""}, {"acs_urls": {}}, {"acs_urls": {0: ACS, 1: ""}}], ids=str
)
def test_an_empty_expectation_is_a_mistake(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="empty"):
        expected(**changes)


# -- whatever comes --------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "<!-- -->",
        "<saml:Subject/>",
        '<samlp:NameIDPolicy Format="x"/>',
        ' ID="_1"',
        "&amp;",
        "\x00",
        "<",
        ' Version="3"',
    ]
)


@anything
@given(data=st.data())
def test_whatever_comes_is_a_request_or_refused(data: st.DataObject) -> None:
    genuine = request(asks(PASSWORD)).decode()
    cut = data.draw(st.integers(0, len(genuine)))
    message = genuine[:cut] + data.draw(PIECES) + genuine[cut + data.draw(st.integers(0, 3)) :]

    try:
        found = read(message.encode())
    except (LoginRefused, StatusRefused) as refused:
        assert refused.detail.startswith("saml ")
        assert len(refused.detail) < 160
    else:
        assert found.acs_url in {ACS, OTHER_ACS}
        assert found.issuer == AUDIENCE
