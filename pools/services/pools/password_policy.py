"""What a pool demands of passwords, in Cognito's words, and passwords that fit. Pure: hashes and stores nothing."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from identity.foundation import clock
from identity.foundation.errors import NO_PARAMETERS, Parameters, PasswordRejected, refuse
from pools.models import UserPool

LONGEST = 256
MOST_REMEMBERED = 24
"""Of a person's last passwords. AWS: API_PasswordPolicyType."""
SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
DEFAULT_POLICY: dict[str, Any] = {
    "minimum_length": 8,
    "require_uppercase": True,
    "require_lowercase": True,
    "require_numbers": True,
    "require_symbols": True,
    "temporary_password_validity_days": 7,
}
CLASSES = (
    ("require_uppercase", frozenset(string.ascii_uppercase), "uppercase"),
    ("require_lowercase", frozenset(string.ascii_lowercase), "lowercase"),
    ("require_numbers", frozenset(string.digits), "numeric"),
    ("require_symbols", SYMBOLS, "symbol"),
)
GENERATED = 16
EASY_SYMBOLS = "!@#%*-_=+?"


def policy(pool: UserPool) -> dict[str, Any]:
    """Return the pool's policy with Cognito's defaults filled in."""
    return {**DEFAULT_POLICY, **pool.password_policy}


def check_policy(pool: UserPool, password: str) -> None:
    """Check a new password.

    Raises:
        PasswordRejected: with the text of the first rule that it breaks.

    """
    refuse(problems(pool, password))


def problems(pool: UserPool, password: str) -> Iterator[PasswordRejected]:
    """Yield every rule that a new password breaks, in Cognito's order."""
    rules = policy(pool)
    used = set(password)
    if len(password) < rules["minimum_length"]:
        yield _rejected("Password not long enough", "password_too_short", {"least": rules["minimum_length"]})
    elif len(password) > LONGEST:
        yield _rejected("Password too long", "password_too_long", {"most": LONGEST})
    for rule, members, word in CLASSES:
        if rules[rule] and not used & members:
            yield _rejected(f"Password must have {word} characters", f"password_{word}")
    if password != password.strip() or any(not _storable(character) for character in used):
        yield _rejected("Password must not begin or end with a space or hold control characters", "password_unstorable")


def _rejected(text: str, code: str, parameters: Parameters = NO_PARAMETERS) -> PasswordRejected:
    return PasswordRejected(f"Password did not conform with policy: {text}", code=code, parameters=parameters)


def _storable(character: str) -> bool:
    return character == " " or character.isprintable()


def temporary(pool: UserPool) -> str:
    """Return a random password that fits the pool's policy and survives being read aloud."""
    length = max(GENERATED, int(policy(pool)["minimum_length"]))
    alphabet = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))
    while True:
        drawn = [secrets.choice(alphabet) for _ in range(length - 1)]
        drawn.insert(1 + secrets.randbelow(length - 1), secrets.choice(EASY_SYMBOLS))
        password = "".join(drawn)
        if all(set(password) & members for _, members, _ in CLASSES):
            return password


def temporary_days(pool: UserPool) -> int:
    """Return for how many days a temporary password is good; Cognito reads zero days as its default."""
    days = int(policy(pool)["temporary_password_validity_days"])
    return days or int(DEFAULT_POLICY["temporary_password_validity_days"])


def temporary_until(pool: UserPool) -> datetime:
    """Return when a temporary password that is set now runs out."""
    return clock.now() + timedelta(days=temporary_days(pool))
