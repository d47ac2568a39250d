"""Signing out of a provider and by it: what a pool sends, and what it makes of what comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import etree

from federation.saml import bindings, logout, messages, responses, service_provider
from federation.saml.responses import NameId
from identity.foundation.errors import LoginRefused
from pools.ports import EndedSessions, SignOutMessage
from tests.federation.saml.edits import drop, set_at, then
from tests.federation.saml.identity_provider import (
    ISSUER,
    NAME,
    Edit,
    IdentityProvider,
    certificate,
    nothing,
    one,
    posted,
    rsa_key,
    written,
)
from tests.federation.saml.pool import POOL, SESSION, SIGNED_OUT, STATE, details, sent
from tests.federation.saml.test_metadata import SLO, SLO_POST, SLO_REDIRECT


@pytest.mark.parametrize("index", ["_s1", ""])
def test_who_signs_out_is_sent_to_the_provider_with_a_signed_request(index: str) -> None:
    session = {key: value for key, value in {**SESSION, "index": index}.items() if value}

    url = service_provider.sign_out(details(), POOL, state=STATE, session=session)

    root, fields = sent(url)
    query = urlsplit(url).query.partition("&")[2]  # behind what the address has of its own
    assert url.startswith(f"{SLO}&")
    assert bindings.verified_redirect(query, [certificate(rsa_key("signing"))], field="SAMLRequest").is_signed
    assert fields["RelayState"] == STATE
    assert root.get("ID") == service_provider.request_of(STATE)
    assert one(root, "saml:NameID").text == NAME
    assert [each.text for each in root.iterfind("{*}SessionIndex")] == ([index] if index else [])


def test_nobody_is_sent_where_there_is_no_address_or_no_session() -> None:
    assert service_provider.sign_out(details(drop(SLO_REDIRECT)), POOL, state=STATE, session=SESSION) == ""
    assert service_provider.sign_out(details(), POOL, state=STATE, session={}) == ""


@dataclass
class Speaker:
    """The provider, and by which key and binding it speaks."""

    key: str = "the provider's"
    by_form: bool = False

    def brings(self, message: messages.Message, field: bindings.Field, state: str = STATE) -> SignOutMessage:
        """Return a message as a browser brings it."""
        key = rsa_key(self.key)
        if self.by_form:
            signed = IdentityProvider(key=key).signed(message.root)
            return SignOutMessage("", bindings.form_fields(written(signed), field=field, relay_state=state))
        url = bindings.redirect_url("", message.data, field=field, relay_state=state, key=key)
        return SignOutMessage(url.removeprefix("?"), {})


def answer(**changes: Any) -> messages.Message:
    """Return the provider's answer to our request."""
    usual = {"issuer": ISSUER, "destination": SIGNED_OUT, "in_response_to": service_provider.request_of(STATE)}
    return logout.response(**{**usual, **changes})


def request(name: str = NAME) -> messages.Message:
    """Return the provider's request."""
    return logout.request(
        issuer=ISSUER, destination=SIGNED_OUT, name_id=NameId(name), session_indexes=["_s1"], identifier="_theirs"
    )


@pytest.mark.parametrize("by_form", [False, True])
def test_an_answer_says_itself_that_a_session_has_ended(by_form: bool) -> None:
    message = Speaker(by_form=by_form).brings(answer(), "SAMLResponse")

    assert service_provider.state_of(message) == STATE
    service_provider.check_signed_out(details(), POOL, message, state=STATE)


@pytest.mark.parametrize(
    ("speaker", "changes", "detail"),
    [
        (Speaker("a stranger's"), {}, "redirect: by no certificate of the sender"),
        (Speaker("a stranger's", by_form=True), {}, "signature: by no certificate of the provider"),
        (Speaker(), {"in_response_to": "_other"}, "logout response InResponseTo: it is another request"),
        (Speaker(), {"status": [f"{responses.STATUS}Responder"]}, "logout response: the provider says Responder"),
    ],
)
def test_an_answer_that_says_something_else_is_refused(
    speaker: Speaker, changes: Mapping[str, Any], detail: str
) -> None:
    message = speaker.brings(answer(**changes), "SAMLResponse")

    with pytest.raises(LoginRefused) as caught:
        service_provider.check_signed_out(details(), POOL, message, state=STATE)

    assert caught.value.detail == f"saml {detail}"


@pytest.mark.parametrize("by_form", [False, True])
def test_a_provider_asks_for_sessions_to_end(by_form: bool) -> None:
    message = Speaker(by_form=by_form).brings(request(), "SAMLRequest")

    assert service_provider.state_of(message) == ""
    assert service_provider.issuer_of(message) == ISSUER
    assert service_provider.ended(details(), POOL, message) == EndedSessions(NAME, ("_s1",), "_theirs", STATE)


def test_who_asks_is_told_by_the_issuer_alone() -> None:
    message = request()
    one(message.root, "saml:Issuer").append(etree.Element("x"))

    with_parts = SignOutMessage("", {"SAMLRequest": posted(message.root)})

    assert service_provider.issuer_of(with_parts) == ""


def test_a_stranger_ends_nothing() -> None:
    with pytest.raises(LoginRefused, match="could not be verified"):
        service_provider.ended(details(), POOL, Speaker("a stranger's").brings(request(), "SAMLRequest"))


@pytest.mark.parametrize("query", ["SAMLResponse=x&RelayState=s" + "&a" * 100, "SAMLResponse=x&RelayState=s" * 10_000])
def test_in_a_query_that_is_too_large_nobody_looks_for_a_state(query: str) -> None:
    message = SignOutMessage(query, {})

    assert service_provider.state_of(message) == ""
    with pytest.raises(LoginRefused):
        service_provider.issuer_of(message)


@pytest.mark.parametrize(
    ("edit", "url"),
    [
        (nothing, SLO),
        (set_at(SLO_REDIRECT, ResponseLocation="https://idp.example/done"), "https://idp.example/done"),
    ],
)
def test_a_request_is_answered_at_the_providers_address_for_answers(edit: Edit, url: str) -> None:
    ended = EndedSessions(NAME, ("_s1",), "_theirs", STATE)

    way = service_provider.sign_out_answer(details(edit), POOL, ended)

    root, fields = sent(way, "SAMLResponse")
    assert way.startswith(url)
    assert (root.get("InResponseTo"), root.get("Destination"), fields["RelayState"]) == ("_theirs", url, STATE)
    assert "Signature" in fields


def test_a_provider_without_an_address_is_not_answered() -> None:
    known = details(then(drop(SLO_REDIRECT), drop(SLO_POST)))

    assert service_provider.sign_out_answer(known, POOL, EndedSessions(NAME, (), "_theirs")) == ""
