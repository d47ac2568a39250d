"""A thread for what a stranger sent: what it finds comes back, and so does what it raises; then it is over."""

from __future__ import annotations

import threading

import pytest

from federation.saml import apart
from identity.foundation.errors import LoginRefused


def test_what_is_read_comes_back_from_a_thread_that_is_over() -> None:
    found = apart.run(threading.current_thread)

    assert found is not threading.current_thread()
    assert not found.is_alive()


def test_a_refusal_comes_back_too() -> None:
    refused = LoginRefused(detail="saml document: none")

    def read() -> None:
        raise refused

    with pytest.raises(LoginRefused) as caught:
        apart.run(read)
    assert caught.value is refused
