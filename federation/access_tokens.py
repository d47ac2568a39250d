"""Access tokens that are brought as logins of an identity pool, of providers who say of them what they are.

Nothing is signed here: whose a token is, and whose application it was made for, is the provider's word each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from identity.foundation.errors import LoginRefused
from pools.ports import OTHER_APPLICATION

TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
"""Longer than any that is known, and nothing that a header or a query could be split by."""
REFUSED = "Invalid login token."


@contextmanager
def asked_about(token: str) -> Iterator[None]:
    """Ask a provider about a token; refusals get an identity pool's words.

    Raises:
        LoginRefused: it is none, or the provider refuses it.

    """
    if not TOKEN.fullmatch(token):
        raise LoginRefused(REFUSED, detail="access token: too long, or a character that none has")
    try:
        yield
    except LoginRefused as problem:
        raise LoginRefused(REFUSED, detail=problem.detail) from None


def other_application(detail: str) -> LoginRefused:
    """Return the refusal of a token that was made for an application that the pool does not name."""
    return LoginRefused(OTHER_APPLICATION, detail=detail)
