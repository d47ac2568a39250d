"""An answer to the page that asks for consent is good for one request, one session, and ten minutes."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any, cast

import pytest
import time_machine

from pools.services.tokens import interactions
from pools.web import consent
from pools.web.consent import Answer

POOL = cast("Any", SimpleNamespace(public_id="us-east-1_AbCdEf123"))
SESSION = cast("Any", SimpleNamespace(id=uuid.uuid4()))
ASKED = {"client_id": "c", "redirect_uri": "https://app.example/", "scope": "openid"}
NOW = 1_764_000_000


def carried(sealed: str, **changed: str) -> dict[str, str]:
    """Return a request that comes back with an answer."""
    return {**ASKED, interactions.CONSENTED: sealed, **changed}


@pytest.mark.parametrize("answer", Answer)
def test_an_answer_holds_for_ten_minutes(answer: Answer) -> None:
    with time_machine.travel(NOW, tick=False):
        sealed = consent.seal(POOL, SESSION, ASKED, answer)

    for seconds, found in ((0, answer), (600, answer), (601, None), (-1, None)):
        with time_machine.travel(NOW + seconds, tick=False):
            assert consent.answer_to(POOL, SESSION, carried(sealed)) == found


def test_an_answer_is_of_its_pool_session_and_request() -> None:
    sealed = consent.seal(POOL, SESSION, ASKED, Answer.AGREED)
    other_pool = cast("Any", SimpleNamespace(public_id="us-east-1_AbCdEf124"))
    other_session = cast("Any", SimpleNamespace(id=uuid.uuid4()))

    assert consent.answer_to(POOL, SESSION, carried(sealed)) is Answer.AGREED
    assert consent.answer_to(POOL, SESSION, carried(sealed, signed_in_since="x")) is Answer.AGREED
    assert consent.answer_to(other_pool, SESSION, carried(sealed)) is None
    assert consent.answer_to(POOL, other_session, carried(sealed)) is None
    for changed in ({"scope": "openid email"}, {"state": "s"}, {"consented": "yes"}, {"consented": ""}):
        assert consent.answer_to(POOL, SESSION, carried(sealed, **changed)) is None
    assert consent.answer_to(POOL, SESSION, ASKED) is None
