"""Whatever a browser brings and a provider signs: a refusal that says why, or a code and claims that are right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import answers, id_tokens, provider_keys, refusals
from federation.id_tokens import Expected
from federation.published import Published
from identity.foundation import clock
from identity.foundation.errors import LoginRefused, OutsideUnavailable
from pools.ports import LoginDenied
from tests.federation.openid_provider import public, rsa_key, signed

ISSUER, CLIENT, NONCE = "https://upstream.example", "the-client", "the-nonce"
ISSUERS = (ISSUER, f"{ISSUER}/")
NAMELESS = "an error without a name"
KNOWN = sorted({"", "invalid_scope", *refusals.DENIALS, *refusals.UNAVAILABLE})
WORDS = st.one_of(st.text(max_size=80), st.sampled_from(KNOWN))
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "code": st.one_of(st.text(), st.text("abc123-._~/+", min_size=1), st.just("x" * 5000)),
        "iss": st.one_of(st.text(), st.sampled_from([*ISSUERS, f"{ISSUER}//", "https://elsewhere.example"])),
        "error": WORDS,
        "error_description": st.text(),
        "state": st.text(),
        "user": st.text(),
    },
)


@given(answer=ANSWERS, must_tell=st.booleans(), named=st.booleans())
def test_an_answer_is_a_code_or_one_of_three_refusals(answer: dict[str, str], must_tell: bool, named: bool) -> None:
    issuers = ISSUERS if named else ()
    try:
        code = answers.code(answer, issuers=issuers, must_tell=must_tell)
    except LoginDenied as refused:
        assert answer["error"] in refusals.DENIALS
        assert_fit_to_be_seen(refused.parameters)
    except OutsideUnavailable as refused:
        assert answer["error"] in refusals.UNAVAILABLE
        assert_fit_to_be_seen(refused.parameters)
    except LoginRefused as refused:
        assert_fit_to_be_seen(refused.parameters)
        error = refused.parameters.get("error")
        assert refused.detail.startswith("answer: ") or refused.detail == f"the provider says {error or NAMELESS}"
    else:
        assert code == answer["code"]
        assert code.isascii()
        assert code.isprintable()
        assert not answer.get("error")
        assert not named or answer.get("iss", "") in {"", *ISSUERS}
        assert not must_tell or answer.get("iss")


def assert_fit_to_be_seen(parameters: Any) -> None:  # noqa: ANN401 - a mapping of several kinds
    """Hold that what is told of a provider's error is short, printable ASCII."""
    for value in parameters.values():
        assert isinstance(value, int) or (value.isascii() and (value.isprintable() or not value) and len(value) <= 256)


SPELLED = st.characters(exclude_categories=())
"""With the halves of characters that JSON can spell."""
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(SPELLED, max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(SPELLED, max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("iss", "aud", "azp", "exp", "iat", "nbf", "sub", "nonce", "at_hash", "auth_time", "amr", "acr")


@pytest.fixture
def known_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know a provider's keys without asking."""
    keys = tuple(provider_keys.read(public(rsa_key())))
    monkeypatch.setattr(provider_keys, "documents", Published(lambda url: keys))


def right() -> dict[str, Any]:
    """Return claims that pass."""
    now = clock.epoch()
    return {"iss": ISSUER, "aud": CLIENT, "sub": "ada", "nonce": NONCE, "iat": now, "exp": now + 300}


@pytest.mark.usefixtures("known_keys")
def test_any_claims_are_right_or_refused_by_name() -> None:
    expected = Expected(ISSUERS, CLIENT, NONCE, access_token="t")

    @given(changes=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=3))
    def hold(changes: dict[str, Any]) -> None:
        token = signed(json.dumps({**right(), **changes}).encode(), {"alg": "RS256", "kid": "k1"}, rsa_key())
        try:
            claims = id_tokens.verify_id_token(token, expected, jwks_uri="keys")
        except LoginRefused as refused:
            assert refused.detail.startswith("id token: ")
            return
        assert claims["iss"] in ISSUERS
        assert CLIENT in ([claims["aud"]] if isinstance(claims["aud"], str) else claims["aud"])
        assert claims["nonce"] == NONCE
        assert isinstance(claims["sub"], str)
        json.dumps(claims, ensure_ascii=False).encode()
        assert claims["sub"]
        assert claims["exp"] > clock.epoch() - id_tokens.LEEWAY
        assert claims["iat"] <= clock.epoch() + id_tokens.LEEWAY

    hold()


@pytest.mark.usefixtures("known_keys")
def test_any_text_for_a_token_is_refused() -> None:
    expected = Expected(ISSUERS, CLIENT, NONCE)
    token = signed(right(), {"alg": "RS256", "kid": "k1"}, rsa_key())
    id_tokens.verify_id_token(token, expected, jwks_uri="keys")
    parts = st.lists(st.text("AZaz09-_=.", max_size=12), min_size=1, max_size=5).map(".".join)
    cut = st.integers(1, len(token) - 1)

    @given(
        st.one_of(st.text(), parts, cut.map(lambda at: token[:at]), cut.map(lambda at: token[:at] + token[at + 1 :]))
    )
    def hold(text: str) -> None:
        with pytest.raises(LoginRefused, match="could not be verified"):
            id_tokens.verify_id_token(text, expected, jwks_uri="keys")

    hold()
