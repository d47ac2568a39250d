"""Single logout: what is written is read, by both bindings, and each rule refuses alone what the other side signed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from lxml import etree

from federation.saml import bindings, documents, encryption, logout, rules, signing
from federation.saml.bindings import Field, Received
from federation.saml.logout import LogoutRequest, LogoutResponse
from federation.saml.messages import Message
from federation.saml.responses import NameId
from federation.saml.rules import Expected
from federation.saml.signing import SigningKey
from identity.foundation.errors import LoginRefused
from tests.federation.saml.edits import add, drop, repeat, set_at, text_at, then
from tests.federation.saml.encryptor import OURS, Encryptor
from tests.federation.saml.identity_provider import (
    AUDIENCE,
    ISSUER,
    PERSISTENT,
    REQUEST,
    SAML,
    Edit,
    Element,
    certificate,
    one,
    rsa_key,
    written,
)
from tests.federation.saml.reader import NOBODYS
from tests.federation.saml.reader import expected as expected_of_responses

SLO = "https://pool.example/saml2/logout"
ADA = NameId("ada@example.com", PERSISTENT, ISSUER, AUDIENCE)
SESSIONS = ("_s1", "_s2")
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
NAME = "/*/saml:NameID"
NO_MOMENT = "no moment in UTC"
NO_NAME = "it is no text that can name somebody"


def request() -> Message:
    """Return a provider's request."""
    return logout.request(issuer=ISSUER, destination=SLO, name_id=ADA, session_indexes=SESSIONS)


def response(*status: str) -> Message:
    """Return a provider's response."""
    told = {"status": status} if status else {}
    return logout.response(issuer=ISSUER, destination=SLO, in_response_to=REQUEST, **told)


MADE: dict[Field, Callable[[], Message]] = {"SAMLRequest": request, "SAMLResponse": response}


def by_redirect(root: Element, field: Field) -> Received:
    """Return a message as a redirect brings it."""
    url = bindings.redirect_url(SLO, written(root), field=field, key=rsa_key())
    return bindings.verified_redirect(urlsplit(url).query, [certificate(rsa_key())], field=field)


def by_form(root: Element, field: Field) -> Received:
    """Return a message as a form brings it."""
    data = written(signing.signed(copy.deepcopy(root), SigningKey(rsa_key(), certificate(rsa_key()))))
    fields = bindings.form_fields(data, field=field)
    return bindings.verified_form(fields, [certificate(rsa_key())], field=field)


BINDINGS: dict[str, Callable[[Element, Field], Received]] = {"redirect": by_redirect, "form": by_form}
both_bindings = pytest.mark.parametrize("carry", BINDINGS.values(), ids=BINDINGS)


def expected(field: Field, **changes: Any) -> Expected:
    """Return what is expected of a message."""
    usual = {"acs_url": SLO, **(NOBODYS if field == "SAMLRequest" else {})}
    return expected_of_responses(**{**usual, **changes})


def read(received: Received, field: Field, **changes: Any) -> LogoutRequest | LogoutResponse:
    """Return what a message tells."""
    reader = logout.read_request if field == "SAMLRequest" else logout.read_response
    return reader(received, expected(field, **changes))


def refusal(received: Received, field: Field, **changes: Any) -> str:
    """Return why a message is refused."""
    with pytest.raises(LoginRefused) as caught:
        read(received, field, **changes)
    assert caught.value.detail.isprintable()
    return caught.value.detail.removeprefix("saml ")


# -- what is read ----------------------------------------------------------------------------------------------------


@both_bindings
def test_a_request_says_who_shall_be_signed_out(carry: Callable[[Element, Field], Received]) -> None:
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        message = request()
        found = logout.read_request(carry(message.root, "SAMLRequest"), expected("SAMLRequest"))

    end = datetime(2026, 3, 4, 5, 11, 7, tzinfo=UTC)
    assert found == LogoutRequest(message.id, ADA, SESSIONS, end)
    names = [etree.QName(child).localname for child in message.root]
    assert names == ["Issuer", "NameID", "SessionIndex", "SessionIndex"]


def test_a_request_may_be_about_all_sessions_of_a_plain_name() -> None:
    message = logout.request(issuer=ISSUER, destination=SLO, name_id=NameId("ada"))
    drop_end = set_at(".", NotOnOrAfter=None)
    drop_end(message.root)

    found = read(by_form(message.root, "SAMLRequest"), "SAMLRequest")

    assert found == LogoutRequest(message.id, NameId("ada"), (), None)
    assert dict(one(message.root, "saml:NameID").attrib) == {}


@both_bindings
@pytest.mark.parametrize(
    ("status", "told"),
    [
        ([], (True, False, "Success")),
        ([f"{STATUS}Success", f"{STATUS}PartialLogout"], (True, True, "PartialLogout")),
        ([f"{STATUS}Responder", f"{STATUS}PartialLogout"], (False, True, "PartialLogout")),
        ([f"{STATUS}PartialLogout"], (False, False, "PartialLogout")),
        ([f"{STATUS}Requester", f"{STATUS}RequestDenied"], (False, False, "RequestDenied")),
        (["urn:other:\u202eé" + "x" * 100], (False, False, "urn:other:" + "x" * 54)),
    ],
)
def test_a_response_says_what_came_of_it(
    carry: Callable[[Element, Field], Received], status: list[str], told: tuple[bool, bool, str]
) -> None:
    message = response(*status)

    found = logout.read_response(carry(message.root, "SAMLResponse"), expected("SAMLResponse"))

    assert found == LogoutResponse(message.id, *told)


def test_a_status_that_others_describe_is_none() -> None:
    message = response()
    add("//samlp:Status", "samlp:StatusDetail")(message.root)
    add("//samlp:StatusDetail", "samlp:StatusCode", Value=f"{STATUS}PartialLogout")(message.root)

    assert read(by_form(message.root, "SAMLResponse"), "SAMLResponse") == LogoutResponse(
        message.id, is_success=True, is_partial=False, code="Success"
    )


# -- a name that is encrypted ----------------------------------------------------------------------------------------


def encrypted(plain: bytes | None = None, encryptor: Encryptor | None = None) -> Element:
    """Return a request whose name is encrypted for us."""
    root = request().root
    name = one(root, "saml:NameID")
    made = (encryptor or Encryptor()).encrypted(plain or written(name))
    made.tag = f"{{{SAML}}}EncryptedID"
    root.replace(name, made)
    return root


@both_bindings
def test_a_name_may_be_encrypted(carry: Callable[[Element, Field], Received]) -> None:
    found = read(carry(encrypted(), "SAMLRequest"), "SAMLRequest")

    assert isinstance(found, LogoutRequest)
    assert (found.name_id, found.session_indexes) == (ADA, SESSIONS)


@pytest.mark.parametrize(
    ("root", "rule"),
    [
        (lambda: encrypted(b"<a/>"), "encryption: it holds another message"),
        (lambda: encrypted(b"ada"), "document: not XML (XMLSyntaxError)"),
        (lambda: encrypted(encryptor=Encryptor(keys=("somebody's",))), "encryption: cannot be decrypted"),
        (
            lambda: encrypted(encryptor=Encryptor(transport=f"{encryption.XENC}rsa-1_5")),
            "encryption: its key transport is not allowed",
        ),
        (lambda: encrypted(f'<s:NameID xmlns:s="{SAML}"> </s:NameID>'.encode()), f"logout request NameID: {NO_NAME}"),
    ],
)
def test_what_was_encrypted_is_refused_where_it_is_no_name(root: Callable[[], Element], rule: str) -> None:
    assert refusal(by_form(root(), "SAMLRequest"), "SAMLRequest", keys=[rsa_key(OURS)]) == rule


def test_a_name_twice_is_none_though_one_is_encrypted() -> None:
    for root in (encrypted(), request().root):
        beside = one(encrypted(), "saml:EncryptedID")
        root.append(beside)
        assert refusal(by_form(root, "SAMLRequest"), "SAMLRequest") == "logout request NameID: there is not one"


# -- each rule, broken alone -----------------------------------------------------------------------------------------

OF_BOTH: list[tuple[Edit, str]] = [
    (set_at(".", Version="1.1"), "Version: it is not 2.0"),
    (set_at(".", IssueInstant=None), f"IssueInstant: it is missing, or {NO_MOMENT}"),
    (set_at(".", IssueInstant=90), "IssueInstant: it is to come"),
    (set_at(".", Destination=None), "Destination: it is missing"),
    (set_at(".", Destination=f"{SLO}/"), "Destination: it is another address"),
    (drop("/*/saml:Issuer"), "Issuer: there is not one"),
    (repeat("/*/saml:Issuer"), "Issuer: there is not one"),
    (text_at("/*/saml:Issuer", "https://other.example"), "Issuer: it is another provider"),
    (set_at("/*/saml:Issuer", Format=PERSISTENT), "Issuer: its Format is another"),
]
CASES: list[tuple[Field, Edit, str]] = [
    *(("SAMLRequest", edit, rule) for edit, rule in OF_BOTH),
    *(("SAMLResponse", edit, rule) for edit, rule in OF_BOTH),
    ("SAMLRequest", set_at(".", IssueInstant=-421), "IssueInstant: it is too long ago for what nobody asked for"),
    ("SAMLRequest", set_at(".", NotOnOrAfter=-61), "NotOnOrAfter: it is past"),
    ("SAMLRequest", set_at(".", NotOnOrAfter="later"), f"NotOnOrAfter: it is {NO_MOMENT}"),
    ("SAMLRequest", set_at(".", NotOnOrAfter=""), f"NotOnOrAfter: it is {NO_MOMENT}"),
    ("SAMLRequest", drop(NAME), "NameID: there is not one"),
    ("SAMLRequest", repeat(NAME), "NameID: there is not one"),
    ("SAMLRequest", then(drop(NAME), add(".", "saml:BaseID")), "NameID: there is not one"),
    ("SAMLRequest", add(".", "saml:BaseID"), "NameID: there is not one"),
    ("SAMLRequest", text_at(NAME, None), f"NameID: {NO_NAME}"),
    ("SAMLRequest", text_at(NAME, "x" * 257), f"NameID: {NO_NAME}"),
    ("SAMLRequest", add(NAME, "saml:x"), f"NameID: {NO_NAME}"),
    ("SAMLRequest", set_at(NAME, Format=rules.ENTITY), "NameID: its Format names no person"),
    ("SAMLRequest", text_at("//samlp:SessionIndex[1]", ""), "SessionIndex: one is no identifier"),
    ("SAMLRequest", text_at("//samlp:SessionIndex[2]", " _s2"), "SessionIndex: one is no identifier"),
    ("SAMLRequest", add("//samlp:SessionIndex[2]", "saml:x"), "SessionIndex: one is no identifier"),
    (
        "SAMLRequest",
        then(*[add(".", "samlp:SessionIndex", "_s")] * (logout.MOST_SESSIONS - 1)),
        "SessionIndex: there are too many",
    ),
    ("SAMLResponse", set_at(".", InResponseTo=None), "InResponseTo: it is missing"),
    ("SAMLResponse", set_at(".", InResponseTo="_other"), "InResponseTo: it is another request"),
    ("SAMLResponse", drop("//samlp:Status"), "Status: there is not one"),
    ("SAMLResponse", repeat("//samlp:Status"), "Status: there is not one"),
    ("SAMLResponse", drop("//samlp:StatusCode"), "Status: there is not one"),
    ("SAMLResponse", repeat("//samlp:StatusCode"), "Status: there is not one"),
]


@both_bindings
@pytest.mark.parametrize(("field", "edit", "rule"), CASES)
def test_each_rule_refuses_alone(
    carry: Callable[[Element, Field], Received], field: Field, edit: Edit, rule: str
) -> None:
    read(carry(MADE[field]().root, field), field)
    root = MADE[field]().root

    edit(root)

    what = "request" if field == "SAMLRequest" else "response"
    assert refusal(carry(root, field), field) == f"logout {what} {rule}"


@pytest.mark.parametrize("field", MADE)
def test_without_an_id_a_message_is_refused(field: Field) -> None:
    root = MADE[field]().root
    set_at(".", ID=None)(root)

    assert refusal(by_redirect(root, field), field).endswith(" ID: it has none")


@pytest.mark.parametrize("field", MADE)
def test_a_message_that_nobody_signed_is_refused(field: Field) -> None:
    what = "request" if field == "SAMLRequest" else "response"

    received = Received(documents.parse(MADE[field]().data), "", is_signed=False)

    assert refusal(received, field) == f"logout {what}: it is not signed"


@both_bindings
def test_a_message_is_read_as_what_it_is_alone(carry: Callable[[Element, Field], Received]) -> None:
    as_response = carry(request().root, "SAMLResponse")
    as_request = carry(response().root, "SAMLRequest")

    assert refusal(as_response, "SAMLResponse") == "logout response: another message"
    assert refusal(as_request, "SAMLRequest") == "logout request: another message"


def test_whether_a_message_is_an_answer_is_said_as_it_is() -> None:
    with pytest.raises(ValueError, match="no answer"):
        logout.read_request(by_form(request().root, "SAMLRequest"), expected("SAMLResponse"))
    with pytest.raises(ValueError, match="an answer"):
        logout.read_response(by_form(response().root, "SAMLResponse"), expected("SAMLRequest"))


@pytest.mark.parametrize(("seconds", "is_taken"), [(-59, True), (-60, False)])
def test_an_end_is_late_by_the_skew(seconds: int, is_taken: bool) -> None:
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        root = request().root
        set_at(".", NotOnOrAfter=seconds)(root)
        received = by_redirect(root, "SAMLRequest")

        assert is_taken or refusal(received, "SAMLRequest") == "logout request NotOnOrAfter: it is past"
        assert read(received, "SAMLRequest", skew=60 if is_taken else 120)


@pytest.mark.parametrize(
    "edit", [text_at(NAME, "mallory"), drop("//samlp:SessionIndex[1]"), set_at(".", NotOnOrAfter=9999)]
)
def test_what_was_signed_is_changed_by_nobody(edit: Edit) -> None:
    key = SigningKey(rsa_key(), certificate(rsa_key()))
    root = etree.fromstring(written(signing.signed(request().root, key)))
    edit(root)

    with pytest.raises(LoginRefused) as caught:
        bindings.verified_form(
            bindings.form_fields(written(root), field="SAMLRequest"), [certificate(rsa_key())], field="SAMLRequest"
        )

    assert caught.value.detail == "saml signature: by no certificate of the provider"
