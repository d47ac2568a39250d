"""Whether a password is in a known leak, asked of a range server. Advice only: no adapter refuses a password for it.

Five hexadecimal digits of the password's SHA-1 are sent and a thousand endings come back, so whoever answers
does not learn which was meant (https://haveibeenpwned.com/API/v3#PwnedPasswords). That holds for a whole password
asked about once. The beginnings of one, asked about while it is typed, would give it away letter by letter: ask when
it has been chosen.
"""

from __future__ import annotations

import hashlib

import structlog
from django.conf import settings
from prometheus_client import Counter

from identity.foundation import outbound
from identity.foundation.errors import OutsideUnavailable, Overloaded

log = structlog.get_logger(__name__)
CHECKS = Counter("cognate_breached_password_checks_total", "Passwords looked for among leaked ones.", ["outcome"])
SECONDS = 1.0
DIGITS = 5
OK = 200
# Answers of one length for every password, so that its size tells nobody on the way which was asked about.
HEADERS = {"Add-Padding": "true"}


def is_breached(password: str) -> bool:
    """Say whether a password is known to have leaked. Without an answer within a second it is not.

    Never asked where ``BREACHED_PASSWORDS_URL`` is empty.
    """
    if not settings.BREACHED_PASSWORDS_URL or not password:
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    found = seen(digest[:DIGITS], digest[DIGITS:])
    CHECKS.labels({True: "leaked", False: "unknown", None: "unanswered"}[found]).inc()
    return bool(found)


def seen(prefix: str, ending: str) -> bool | None:
    """Return whether a digest's ending is among those that the range server knows; nothing when it does not say."""
    place = outbound.origin(settings.BREACHED_PASSWORDS_URL)
    try:
        with outbound.call(place, total=SECONDS):
            answer = outbound.http("GET", f"{settings.BREACHED_PASSWORDS_URL}/{prefix}", headers=HEADERS)
    except (OutsideUnavailable, Overloaded) as problem:
        log.warning("breached_passwords_unanswered", why=problem.detail)
        return None
    if answer.status != OK:
        log.warning("breached_passwords_unanswered", why=f"{place} answered {answer.status}")
        return None
    counts = (line.split(b":", 1) for line in answer.body.upper().splitlines())
    # What pads an answer is an ending that leaked no time at all.
    return any(rest[0] == ending.encode() and rest[1:] != [b"0"] for rest in counts)
