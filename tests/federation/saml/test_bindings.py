"""Messages on their way: what is signed arrives as it was, and whatever was done to it is refused by its rule."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from federation.saml import bindings, requests, signing
from federation.saml.bindings import Field, Received
from federation.saml.signing import SigningKey
from identity.foundation.errors import LoginRefused
from tests.federation.saml.identity_provider import (
    ACS,
    AUDIENCE,
    Key,
    certificate,
    ec_key,
    one,
    posted,
    rsa_key,
    written,
)
from tests.walks import walk

anything = walk(100)
SSO = "https://idp.example/sso"
RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-"
ECDSA = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
STATE = "a b+c/&=é%"
STRANGER = "by no certificate of the sender"
ALONE = "it has a signature or an algorithm alone"
NOT_ALLOWED = "its algorithm is not allowed"
TWICE = "a parameter is there twice"
BOTH = "it brings a request and a response"
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
Edit = Callable[[str], str]


def document() -> bytes:
    """Return a message."""
    return requests.authn_request(requests.Asked(AUDIENCE, SSO, ACS)).data


def query(*, key: Key | None = None, field: Field = "SAMLRequest", state: str = STATE) -> str:
    """Return a query that is signed as ours are."""
    return urlsplit(
        bindings.redirect_url(SSO, document(), field=field, relay_state=state, key=key or rsa_key())  # type: ignore[arg-type]
    ).query


def signed_by(key: Key, covered: str, hashed: str) -> str:
    """Return a query with a signature over what precedes it, by any key and hash."""
    data = covered.encode()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.key_size + 7) // 8
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(HASHES[hashed])))
        made = b"".join(number.to_bytes(size) for number in numbers)
    else:
        made = key.sign(data, PKCS1v15(), HASHES[hashed])
    return f"{covered}&Signature={quote(base64.b64encode(made), safe='')}"


def unsigned(*, state: str = "&RelayState=s", algorithm: str = f"{RSA}sha256", message: str = "") -> str:
    """Return what a signature covers."""
    carried = message or quote(base64.b64encode(bindings.deflated(document())), safe="")
    return f"SAMLRequest={carried}{state}&SigAlg={quote(algorithm, safe='')}"


def verified(
    raw: str,
    *keys: Key,
    field: Field = "SAMLRequest",
    certificates: Sequence[x509.Certificate] | None = None,
    may_be_unsigned: bool = False,
) -> Received:
    """Return the message of a redirect."""
    pinned = [certificate(key) for key in keys or (rsa_key(),)] if certificates is None else certificates
    return bindings.verified_redirect(raw, pinned, field=field, may_be_unsigned=may_be_unsigned)


def refusal(raw: str, *keys: Key, field: Field = "SAMLRequest", may_be_unsigned: bool = False) -> str:
    """Return why a redirect is refused."""
    with pytest.raises(LoginRefused) as caught:
        verified(raw, *keys, field=field, may_be_unsigned=may_be_unsigned)
    assert str(caught.value) == "The identity provider's answer could not be verified."
    return caught.value.detail.removeprefix("saml redirect: ")


# -- by redirect -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["SAMLRequest", "SAMLResponse"])
@pytest.mark.parametrize("state", ["", STATE])
def test_what_is_sent_arrives(field: Field, state: str) -> None:
    data = document()

    url = bindings.redirect_url(SSO, data, field=field, relay_state=state, key=rsa_key())
    found = verified(urlsplit(url).query, rsa_key("b"), rsa_key(), field=field)

    assert etree.tostring(found.root) == data
    assert found.relay_state == state
    assert found.is_signed
    names = [part.partition("=")[0] for part in urlsplit(url).query.split("&")]
    assert names == [field, *(["RelayState"] if state else []), "SigAlg", "Signature"]


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("https://idp.example/sso", "https://idp.example/sso?SAMLRequest="),
        ("https://idp.example/sso?tenant=1&x=%2f", "https://idp.example/sso?tenant=1&x=%2f&SAMLRequest="),
        ("https://idp.example/sso?", "https://idp.example/sso?SAMLRequest="),
        ("https://idp.example/sso?a&", "https://idp.example/sso?a&SAMLRequest="),
    ],
)
def test_an_address_keeps_the_query_it_has(url: str, begins: str) -> None:
    made = bindings.redirect_url(url, document(), field="SAMLRequest", relay_state="s", key=rsa_key())

    assert made.startswith(begins)
    assert verified(urlsplit(made).query).relay_state == "s"


def test_without_a_key_nothing_is_signed() -> None:
    url = bindings.redirect_url(SSO, document(), field="SAMLRequest", relay_state="s")

    assert sorted(parse_qs(urlsplit(url).query)) == ["RelayState", "SAMLRequest"]
    assert refusal(urlsplit(url).query) == "it is not signed"
    assert not verified(urlsplit(url).query, may_be_unsigned=True).is_signed


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        *((rsa_key, f"{RSA}sha{bits}") for bits in (256, 384, 512)),
        *((ec_key, f"{ECDSA}sha{bits}") for bits in (256, 384, 512)),
        (lambda: ec_key(521), f"{ECDSA}sha512"),
    ],
)
def test_each_algorithm_is_taken(key: Callable[[], Key], algorithm: str) -> None:
    raw = signed_by(key(), unsigned(algorithm=algorithm), algorithm.rpartition("-")[2])

    assert verified(raw, rsa_key("b"), ec_key(384), key()).is_signed


@pytest.mark.parametrize(
    "covered",
    [
        unsigned(state=""),
        unsigned(state="&RelayState="),
        unsigned(state="&RelayState=a+b"),
        unsigned().replace("%2F", "%2f").replace("%3A", "%3a").replace("%2B", "%2b").replace("%3D", "%3d"),
        unsigned().replace("%3D", "=").replace("%3A", ":").replace("%2F", "/"),
        unsigned(state="&RelayState=%61"),
    ],
    ids=["no state", "an empty one", "a plus", "lower case", "not encoded", "more encoded"],
)
def test_octets_are_verified_as_they_came(covered: str) -> None:
    assert verified(signed_by(rsa_key(), covered, "sha256")).is_signed


def test_parameters_may_come_in_another_order_and_with_others() -> None:
    message, state, algorithm, signature = query().split("&")

    raw = f"tenant=1&{signature}&{algorithm}&{state}&x=1&x=2&{message}"

    assert verified(raw).relay_state == STATE


def test_parameters_may_be_many() -> None:
    assert verified(f"{query()}{'&x=y' * 96}").relay_state == STATE


def test_an_encoding_may_be_named() -> None:
    deflate = quote("urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE", safe="")

    assert verified(f"{query()}&SAMLEncoding={deflate}").is_signed


def other_order() -> str:
    """Return a query whose signature covers its parameters in another order."""
    message, state, algorithm = unsigned().split("&")
    return signed_by(rsa_key(), f"{state}&{message}&{algorithm}", "sha256")


def change(name: str, edit: Edit) -> Edit:
    """Return an edit of a value."""

    def changed(raw: str) -> str:
        pairs = (part.partition("=") for part in raw.split("&"))
        return "&".join(f"{found}={edit(value) if found == name else value}" for found, _, value in pairs)

    return changed


def without(name: str) -> Edit:
    """Return an edit that leaves a parameter out."""
    return lambda raw: "&".join(part for part in raw.split("&") if not part.startswith(f"{name}="))


def again(name: str) -> Edit:
    """Return an edit that has a parameter twice."""
    return lambda raw: f"{raw}&{next(part for part in raw.split('&') if part.startswith(f'{name}='))}"


def other_message(_: str) -> str:
    """Return another message."""
    return quote(base64.b64encode(bindings.deflated(document())), safe="")


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (lambda raw: raw + "é", "it is no query"),
        (lambda raw: raw + " ", "it is no query"),
        (lambda raw: raw + "&x=" + "y" * bindings.LONGEST_QUERY, "it is too long"),
        (lambda raw: raw + "&x=y" * 97, "it has too many parameters"),
        (lambda raw: raw.replace("SAMLRequest", "SAML%52equest"), "a parameter's name is encoded"),
        (lambda raw: raw + "&%53AMLRequest=x", "a parameter's name is encoded"),
        (lambda raw: raw + "&Relay%53tate=x", "a parameter's name is encoded"),
        *((again(name), TWICE) for name in ("SAMLRequest", "RelayState", "SigAlg", "Signature")),
        (lambda raw: f"SAMLRequest=x&{raw}", TWICE),
        (lambda raw: raw + "&SAMLResponse=x", BOTH),
        (lambda raw: raw + "&SAMLResponse=", BOTH),
        (lambda raw: raw.replace("SAMLRequest", "SAMLResponse"), "its message is missing"),
        (without("SAMLRequest"), "its message is missing"),
        (change("SAMLRequest", lambda _: ""), "its message is missing"),
        (lambda raw: "", "its message is missing"),
        (lambda raw: raw + "&SAMLEncoding=urn:other", "its encoding is another"),
        (lambda raw: raw + "&SAMLEncoding=", "its encoding is another"),
        (without("SigAlg"), ALONE),
        (without("Signature"), ALONE),
        (lambda raw: without("SigAlg")(without("Signature")(raw)), "it is not signed"),
        (change("SigAlg", lambda _: quote(RSA_SHA1, safe="")), NOT_ALLOWED),
        (change("SigAlg", lambda _: "none"), NOT_ALLOWED),
        (change("SigAlg", lambda _: ""), NOT_ALLOWED),
        (change("SigAlg", lambda value: value.lower() + "%20"), NOT_ALLOWED),
        (change("SigAlg", lambda value: value.replace("256", "512")), STRANGER),
        (change("SigAlg", lambda value: value.replace("rsa", "ecdsa")), STRANGER),
        (change("SigAlg", lambda value: value.replace("%3A", ":")), STRANGER),
        (change("Signature", lambda _: ""), "its signature is not base64"),
        (change("Signature", lambda _: "?"), "its signature is not base64"),
        (change("Signature", lambda _: "AAAA"), STRANGER),
        (change("Signature", lambda value: quote(unquote(value)[4:], safe="")), STRANGER),
        (change("RelayState", lambda value: value + "x"), STRANGER),
        (change("RelayState", lambda value: value.replace("%20", "+")), STRANGER),
        (without("RelayState"), STRANGER),
        (change("SAMLRequest", other_message), STRANGER),
        (change("SAMLRequest", lambda value: value.replace("%2B", "%2b").replace("%2F", "%2f")), STRANGER),
    ],
)
def test_each_rule_refuses_alone(edit: Edit, rule: str) -> None:
    raw = query()
    assert verified(raw).is_signed

    raw = edit(raw)

    assert refusal(raw) == rule
    assert rule == "it is not signed" or refusal(raw, may_be_unsigned=True) == rule


def test_a_signature_of_another_order_is_none() -> None:
    assert refusal(other_order()) == STRANGER


def test_a_signature_of_a_request_is_none_of_a_response() -> None:
    raw = query().replace("SAMLRequest", "SAMLResponse")

    assert refusal(raw, field="SAMLResponse") == STRANGER


@pytest.mark.parametrize("keys", [("a stranger's",), ("b", "c")])
def test_a_signature_is_by_a_pinned_key(keys: Sequence[str]) -> None:
    assert refusal(query(), *map(rsa_key, keys)) == STRANGER
    assert refusal(query(), ec_key()) == STRANGER


@pytest.mark.parametrize(("key", "algorithm"), [(ec_key, f"{RSA}sha256"), (rsa_key, f"{ECDSA}sha256")])
def test_a_key_signs_by_no_algorithm_of_another_kind(key: Callable[[], Key], algorithm: str) -> None:
    raw = signed_by(key(), unsigned(algorithm=algorithm), "sha256")

    assert refusal(raw, ec_key(), rsa_key()) == STRANGER


def test_what_really_is_signed_by_sha_1_is_refused() -> None:
    assert refusal(signed_by(rsa_key(), unsigned(algorithm=RSA_SHA1), "sha1")) == NOT_ALLOWED


def test_without_a_certificate_a_signature_is_as_good_as_none() -> None:
    raw = query()

    assert not verified(raw, certificates=[], may_be_unsigned=True).is_signed
    with pytest.raises(LoginRefused):
        verified(raw, certificates=[])


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("AAAA", "saml document: not deflated"),
        ("!", "saml document: not base64"),
        ("PGEvPg==", "saml document: not deflated"),
    ],
)
def test_what_is_signed_is_a_document_all_the_same(message: str, rule: str) -> None:
    assert refusal(signed_by(rsa_key(), unsigned(message=quote(message, safe="")), "sha256")) == rule


NAMES = st.sampled_from(["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature", "SAMLEncoding", "x", ""])


@anything
@given(
    place=st.floats(0, 1),
    length=st.integers(0, 40),
    put_in=st.one_of(
        st.text(max_size=8),
        st.sampled_from(["&", "=", "%", "%00", "%2", "+", "#", "&RelayState=x", "&SAMLRequest=", ";Signature=x"]),
    ),
    may_be_unsigned=st.booleans(),
)
def test_characters_that_others_took_the_place_of(
    place: float, length: int, put_in: str, may_be_unsigned: bool
) -> None:
    raw = query()
    at = int(place * len(raw))

    assert_read_or_refused(raw[:at] + put_in + raw[at + length :], may_be_unsigned=may_be_unsigned)


@anything
@given(
    pairs=st.lists(st.tuples(NAMES, st.one_of(st.text(max_size=20), st.just(f"{RSA}sha256"), st.just("AAAA")))),
    may_be_unsigned=st.booleans(),
)
def test_any_parameters_at_all(pairs: list[tuple[str, str]], may_be_unsigned: bool) -> None:
    raw = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)

    assert_read_or_refused(raw, may_be_unsigned=may_be_unsigned)


def assert_read_or_refused(raw: str, *, may_be_unsigned: bool) -> None:
    """Hold that there is one of two outcomes, and that what is signed is what was sent."""
    try:
        found = verified(raw, may_be_unsigned=may_be_unsigned)
    except LoginRefused as refused:
        assert refused.detail.startswith("saml ")
        assert refused.detail.isascii()
    else:
        assert found.is_signed or may_be_unsigned
        assert not found.is_signed or (found.relay_state == STATE and one(found.root, "saml:Issuer").text == AUDIENCE)


# -- by form ---------------------------------------------------------------------------------------------------------


def form(*, key: str = "", state: str = "s") -> dict[str, str]:
    """Return the fields of a form with a signed message."""
    chosen = rsa_key(key) if key else rsa_key()
    root = requests.authn_request(requests.Asked(AUDIENCE, SSO, ACS)).root
    data = written(signing.signed(root, SigningKey(chosen, certificate(chosen))))
    return bindings.form_fields(data, field="SAMLRequest", relay_state=state)


def from_form(fields: Mapping[str, str], *, trusted: bool = True, may_be_unsigned: bool = False) -> Received:
    """Return the message of a form."""
    pinned = [certificate(rsa_key())] if trusted else []
    return bindings.verified_form(fields, pinned, field="SAMLRequest", may_be_unsigned=may_be_unsigned)


def form_refusal(fields: Mapping[str, str], *, may_be_unsigned: bool = False) -> str:
    """Return why a form is refused."""
    with pytest.raises(LoginRefused) as caught:
        from_form(fields, may_be_unsigned=may_be_unsigned)
    return caught.value.detail.removeprefix("saml ")


def test_what_a_form_carries_arrives() -> None:
    found = from_form(form())

    assert found.is_signed
    assert found.relay_state == "s"
    assert one(found.root, "saml:Issuer").text == AUDIENCE
    assert "RelayState" not in form(state="")
    assert from_form(form(state="")).relay_state == ""


@pytest.mark.parametrize("may_be_unsigned", [False, True])
def test_a_form_is_signed_by_a_pinned_key(may_be_unsigned: bool) -> None:
    stranger = form(key="a stranger's")

    assert form_refusal(stranger, may_be_unsigned=may_be_unsigned) == "signature: by no certificate of the provider"


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({}, "document: none in the answer"),
        ({"SAMLResponse": "PGEvPg=="}, "document: none in the answer"),
        ({"SAMLRequest": "PGEvPg==", "SAMLResponse": ""}, "form: it brings a request and a response"),
        ({"SAMLRequest": "?"}, "document: not base64"),
        ({"SAMLRequest": "PGEvPg=="}, "signature: it is missing"),
    ],
)
def test_a_form_without_a_signed_message_is_refused(fields: Mapping[str, str], rule: str) -> None:
    assert form_refusal(fields) == rule


def test_a_form_may_be_unsigned_where_that_is_said() -> None:
    unsigned_one = {"SAMLRequest": posted(document())}

    assert not from_form(unsigned_one, may_be_unsigned=True).is_signed
    assert from_form(form(), may_be_unsigned=True).is_signed
    assert not from_form(form(), trusted=False, may_be_unsigned=True).is_signed


def test_what_was_changed_in_a_form_is_refused() -> None:
    root = etree.fromstring(base64.b64decode(form()["SAMLRequest"]))
    root.set("AssertionConsumerServiceURL", "https://evil.example")

    assert form_refusal({"SAMLRequest": posted(root)}) == "signature: by no certificate of the provider"
