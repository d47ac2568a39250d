"""Reading what was sent as a form or a query string: once, strictly, each name at most once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

MOST = 64
LONGEST = 65_536
FORM = "application/x-www-form-urlencoded"
# NUL cannot be stored, and no parameter of OAuth has use for the others (RFC 6749 appendix A).
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Malformed(Exception):
    """The text is no form: not UTF-8, too long, too many parameters, or with control characters."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was sent. A parameter without a value counts as absent (RFC 6749 section 3.1)."""

    values: Mapping[str, str]
    """By name; of a repeated one the first."""
    repeated: frozenset[str]
    """Names sent more than once, which each endpoint refuses."""


NOTHING = Parameters({}, frozenset())


def read(sent: str | bytes) -> Parameters:
    """Return the parameters of a query string (as WSGI gives it: bytes read as Latin-1) or of a body.

    Raises:
        Malformed: it is no form.

    """
    if not sent:
        return NOTHING
    try:
        raw = sent.encode("latin-1") if isinstance(sent, str) else sent
        if len(raw) > LONGEST:
            raise Malformed
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST)
    except ValueError:  # UnicodeError is one
        raise Malformed from None
    values: dict[str, str] = {}
    repeated = set()
    for name, value in pairs:
        if CONTROL.search(name) or CONTROL.search(value):
            raise Malformed
        if name in values:
            repeated.add(name)
        else:
            values[name] = value
    return Parameters({name: value for name, value in values.items() if value}, frozenset(repeated))


def is_form(content_type: str) -> bool:
    """Say whether a Content-Type header names a form."""
    return content_type.partition(";")[0].strip().lower() == FORM
