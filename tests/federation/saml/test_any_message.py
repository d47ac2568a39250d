"""Whatever comes that was genuine once: requests, queries, forms, logout messages and metadata, changed at random.

Each is refused in the domain's way, within its budget of CPU, or it says what it said. Responses have a file of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from federation.saml import authn_requests, bindings, logout, metadata
from federation.saml.authn_contexts import PASSWORD
from federation.saml.authn_requests import AuthnRequest, StatusRefused
from federation.saml.bindings import Received
from federation.saml.responses import NameId
from identity.foundation.errors import Invalid, LoginRefused
from tests.federation.saml import asking, mutations
from tests.federation.saml.costs import cheaply
from tests.federation.saml.edits import add, set_at, then
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    ISSUER,
    NAME,
    PERSISTENT,
    Element,
    certificate,
    posted,
    put,
    rsa_key,
    written,
)
from tests.federation.saml.reader import expected
from tests.federation.saml.test_metadata import published
from tests.walks import walk

anything = walk(100)
at_length = walk(300)
CUTS = st.sampled_from(
    ["&", "=", "%", "+", "%00", "%26", "&SAMLRequest=", "&SigAlg=", "&RelayState=", "SAMLEncoding=x"]
)


@pytest.fixture(autouse=True, scope="module")
def one_moment() -> Iterator[None]:
    """Have no message grow old, however long the walk is."""
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        yield


def says_much(root: Element) -> None:
    """Ask for all that may be asked."""
    set_at(".", AssertionConsumerServiceURL=ACS, ForceAuthn="true", ProtocolBinding=authn_requests.POST)(root)
    put(put(root, "saml:Subject"), "saml:NameID", NAME)
    then(add(".", "samlp:NameIDPolicy", Format=PERSISTENT, AllowCreate="true"), add(".", "samlp:Extensions"))(root)
    context = put(root, "samlp:RequestedAuthnContext", Comparison="minimum")
    put(context, "saml:AuthnContextClassRef", PASSWORD)


@cache
def request(signed_by: str) -> bytes:
    """Return a genuine request, signed or not."""
    return asking.request(says_much, signed_by=signed_by)


@cache
def logout_request() -> bytes:
    """Return a genuine logout request."""
    message = logout.request(
        issuer=ISSUER, destination=ACS, name_id=NameId(NAME, PERSISTENT), session_indexes=["_s1", "_s2"]
    )
    return message.data


@cache
def query() -> str:
    """Return a genuine query of a redirect, signed."""
    url = bindings.redirect_url(ACS, logout_request(), field="SAMLRequest", relay_state="a b&c", key=rsa_key())
    return url.partition("?")[2]


def assert_refused(refused: LoginRefused | StatusRefused) -> None:
    """Hold that a refusal says which check it is, in few plain words."""
    assert refused.detail.startswith("saml ")
    assert len(refused.detail) < 160
    assert refused.detail.isascii()
    assert refused.detail.isprintable()


# -- requests --------------------------------------------------------------------------------------------------------


@at_length
@given(data=st.data(), was_signed=st.booleans())
def test_a_signed_request_is_refused_or_asks_what_it_asked(data: st.DataObject, was_signed: bool) -> None:
    pinned = asking.signing_application()
    message = mutations.mutated(request(asking.PINNED), data)

    try:
        found = cheaply(lambda: asking.read(message, **pinned))
    except (LoginRefused, StatusRefused) as refused:
        assert_refused(refused)
    else:
        assert found == asking.read(request(asking.PINNED), **pinned)


@at_length
@given(data=st.data())
def test_a_request_is_refused_or_answered_where_its_application_is_registered(data: st.DataObject) -> None:
    message = mutations.mutated(request(""), data)

    try:
        found: AuthnRequest = cheaply(lambda: asking.read(message))
    except StatusRefused as refused:
        assert_refused(refused)
        assert refused.acs_url in {ACS, asking.OTHER_ACS}
    except LoginRefused as refused:
        assert_refused(refused)
    else:
        assert found.acs_url in {ACS, asking.OTHER_ACS}
        assert found.issuer == AUDIENCE
        assert found.id
        assert not found.was_signed


# -- on their way ----------------------------------------------------------------------------------------------------


def assert_genuine(received: Received) -> None:
    """Hold that a logout request is the one that was written."""
    assert received.is_signed
    asked = logout.read_request(received, expected(request_id="", is_unsolicited=True))
    assert asked.name_id == NameId(NAME, PERSISTENT)
    assert asked.session_indexes == ("_s1", "_s2")


@anything
@given(data=st.data())
def test_a_query_is_refused_or_says_what_was_signed(data: st.DataObject) -> None:
    raw = query()
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(raw)))
        put_in = data.draw(st.one_of(CUTS, st.text(max_size=4)))
        raw = raw[:at] + put_in + raw[at + data.draw(st.integers(0, 4)) :]
    parts = data.draw(st.one_of(st.just(raw.split("&")), st.permutations(raw.split("&"))))

    try:
        found = cheaply(
            lambda: bindings.verified_redirect("&".join(parts), [certificate(rsa_key())], field="SAMLRequest")
        )
    except LoginRefused as refused:
        assert_refused(refused)
    else:
        assert_genuine(found)
        assert found.relay_state == "a b&c"


@anything
@given(data=st.data())
def test_an_unsigned_query_is_refused_or_some_logout_of_nobody(data: st.DataObject) -> None:
    message = mutations.mutated(logout_request(), data)
    raw = bindings.redirect_url("", message, field="SAMLRequest").partition("?")[2]

    try:
        found = cheaply(lambda: bindings.verified_redirect(raw, [], field="SAMLRequest", may_be_unsigned=True))
    except LoginRefused as refused:
        assert_refused(refused)
    else:
        with pytest.raises(LoginRefused, match="could not be verified"):
            logout.read_request(found, expected(request_id="", is_unsolicited=True))


@anything
@given(data=st.data())
def test_a_logout_request_of_any_form_is_refused_or_names_somebody(data: st.DataObject) -> None:
    """Of a provider that is wrong: it signs what no message is."""
    message = mutations.mutated(logout_request(), data)

    def read() -> logout.LogoutRequest:
        raw = bindings.redirect_url("", message, field="SAMLRequest", key=rsa_key()).partition("?")[2]
        found = bindings.verified_redirect(raw, [certificate(rsa_key())], field="SAMLRequest")
        return logout.read_request(found, expected(request_id="", is_unsolicited=True))

    try:
        asked = cheaply(read)
    except LoginRefused as refused:
        assert_refused(refused)
    else:
        assert 0 < len(asked.name_id.value) <= 256
        assert asked.id


@anything
@given(data=st.data())
def test_a_form_is_refused_or_says_what_was_signed(data: st.DataObject) -> None:
    genuine = request(asking.PINNED)
    pinned = [certificate(rsa_key(asking.PINNED))]
    message = mutations.mutated(genuine, data)

    try:
        found = cheaply(lambda: bindings.verified_form({"SAMLRequest": posted(message)}, pinned, field="SAMLRequest"))
    except LoginRefused as refused:
        assert_refused(refused)
    else:
        signed = bindings.verified_form({"SAMLRequest": posted(genuine)}, pinned, field="SAMLRequest")
        assert etree.tostring(found.root) == etree.tostring(signed.root)


# -- metadata --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told() -> bytes:
    """Return what a provider tells of itself."""
    return written(published(rsa_key(), rsa_key("the next"), signed=True))


@anything
@given(data=st.data())
def test_metadata_are_refused_or_of_a_provider_that_can_be_used(told: bytes, data: st.DataObject) -> None:
    message = mutations.mutated(told, data)

    try:
        found = cheaply(lambda: metadata.read(message))
    except Invalid as refused:
        assert refused.field == "provider_details.MetadataFile"
    else:
        assert found.entity_id
        assert found.certificates
        assert found.sso_post_url or found.sso_redirect_url
        with suppress(LoginRefused):  # a bit of a key may be another
            bindings.verified_redirect(query(), found.certificates, field="SAMLRequest")
