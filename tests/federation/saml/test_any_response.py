"""Whatever comes in: a refusal that names its check, or who the provider says it is; never anything else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import time_machine
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from federation.saml import responses
from federation.saml.rules import Expected
from identity.foundation.errors import LoginRefused
from pools.ports import LoginDenied
from tests.federation.saml import mutations
from tests.federation.saml.costs import cheaply
from tests.federation.saml.encryptor import CBC, GCM, Encryptor
from tests.federation.saml.identity_provider import (
    ATTRIBUTES,
    NAME,
    SAML,
    Element,
    IdentityProvider,
    posted,
    written,
)
from tests.federation.saml.reader import expected
from tests.walks import walk

anything = walk(100)

KINDS = {
    "assertion": IdentityProvider(),
    "response": IdentityProvider(signs=("response",)),
    "both": IdentityProvider(signs=("assertion", "response")),
    "GCM": IdentityProvider(encrypt=Encryptor(method=GCM)),
    "CBC": IdentityProvider(encrypt=Encryptor(method=CBC, beside=True)),
    "signed around CBC": IdentityProvider(signs=("response",), encrypt=Encryptor(method=CBC)),
}
GENUINE = {name: tuple(values) for name, values in ATTRIBUTES.items()}


@pytest.fixture(autouse=True, scope="module")
def one_moment() -> Iterator[None]:
    """Have no message grow old, however long the walk is."""
    with time_machine.travel("2026-03-04T05:06:07Z", tick=False):
        yield


@cache
def genuine(kind: str) -> bytes:
    """Return a message of a kind."""
    return written(KINDS[kind].response())


@cache
def usual() -> Expected:
    """Return what is expected."""
    return expected()


def assert_refused_or_genuine(answer: object) -> None:
    """Hold that there is one of two outcomes."""
    try:
        found = cheaply(lambda: responses.read(answer, usual()))
    except (LoginRefused, LoginDenied) as refused:
        assert refused.detail.startswith(("saml ", "the provider says "))
        assert len(refused.detail) < 160
        assert refused.detail.isascii()
        assert refused.detail.isprintable()
    else:
        assert found.name_id.value == NAME
        assert found.attributes == GENUINE


kinds = st.sampled_from(sorted(KINDS))


@pytest.mark.parametrize("kind", KINDS)
def test_unchanged_it_is_genuine(kind: str) -> None:
    assert responses.read(posted(genuine(kind)), usual()).attributes == GENUINE


@anything
@given(
    st.one_of(
        st.none(),
        st.integers(),
        st.text(),
        st.binary(),
        st.binary().map(posted),
        st.text("<>/!-[]&;?aID=:'\" ").map(str.encode).map(posted),
    )
)
def test_anything_at_all(answer: object) -> None:
    assert_refused_or_genuine(answer)


@anything
@given(
    kind=kinds,
    place=st.floats(0, 1),
    length=st.integers(0, 40),
    bytes_put=st.one_of(st.binary(max_size=8), mutations.SOME_XML.map(str.encode)),
)
def test_bytes_that_others_took_the_place_of(kind: str, place: float, length: int, bytes_put: bytes) -> None:
    data = genuine(kind)
    at = int(place * len(data))

    assert_refused_or_genuine(posted(data[:at] + bytes_put + data[at + length :]))


@anything
@given(kind=kinds, places=st.lists(st.floats(0, 0.999), min_size=1, max_size=4), flips=st.integers(1, 255))
def test_bits_that_were_flipped(kind: str, places: list[float], flips: int) -> None:
    data = bytearray(genuine(kind))
    for place in places:
        data[int(place * len(data))] ^= flips

    assert_refused_or_genuine(posted(bytes(data)))


@anything
@given(kind=kinds, other=kinds, data=st.data())
def test_parts_that_were_moved(kind: str, other: str, data: st.DataObject) -> None:
    root = etree.fromstring(genuine(kind))
    for _ in range(data.draw(st.integers(1, 3))):
        mutations.move(root, etree.fromstring(genuine(other)), data)

    assert_refused_or_genuine(posted(root))


@anything
@given(kind=st.sampled_from(["signed around CBC", "CBC", "GCM"]), data=st.data())
def test_what_was_decrypted_and_is_no_assertion(kind: str, data: st.DataObject) -> None:
    """Anybody can encrypt for us: what comes out is anything."""
    anything = data.draw(
        st.one_of(st.binary(max_size=64), st.text(max_size=64).map(str.encode), mutations.SOME_XML.map(str.encode))
    )
    at = data.draw(st.floats(0, 1))

    def edit(plain: bytes) -> bytes:
        place = int(at * len(plain))
        return plain[:place] + anything + plain[place:]

    made = IdentityProvider(encrypt=Encryptor(method=CBC if "CBC" in kind else GCM, plain=edit))
    assert_refused_or_genuine(posted(made.response()))


@anything
@given(
    value=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1
    )
)
@example(value="<saml:NameID>")
@example(value="]]>&<!-- -->")
def test_whatever_a_provider_tells_arrives_as_it_is(value: str) -> None:
    def edit(root: Element) -> None:
        for each in root.iter(f"{{{SAML}}}AttributeValue"):
            each.text = value

    found = responses.read(posted(IdentityProvider(before=edit).response()), usual())

    assert set(sum(found.attributes.values(), ())) == {value}
