"""The filter of ListUsers: parsed, never interpolated. Pure: from text to a condition and the order of its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Q

from identity.foundation.errors import Invalid
from identity.foundation.names import is_uuid
from pools.models.user import SEARCHABLE, Status

LENGTH = 256
COLUMNS = frozenset({"username", *SEARCHABLE})
FILTER = re.compile(
    r"""\s*(?P<name>"[^"\\]+"|[\w:.\-]+)\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*""",
    re.DOTALL,
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A condition on users, and the column that orders its pages (none: by id)."""

    condition: Q
    order: str | None


def parse(text: str | None) -> Parsed:
    """Return the condition that a filter says; without a filter, everyone.

    Raises:
        Invalid: it is not of the form ``name = "value"`` or ``name ^= "prefix"``, or not of a searchable attribute.

    """
    if text is None or not text.strip():
        return Parsed(Q(), None)
    found = FILTER.fullmatch(text) if len(text) <= LENGTH else None
    if found is None or "\x00" in text:
        raise Invalid("Error while parsing filter.", field="filter", code="filter")
    name = found["name"].strip('"')
    value = ESCAPED.sub(r"\1", found["value"])
    prefix = found["operator"] == "^="
    if name in COLUMNS:
        if not prefix:
            return Parsed(Q(**{name: value}), None)
        return (
            Parsed(Q(**{f"{name}__startswith": value}), name)
            if value
            else Parsed(Q(**{f"{name}__isnull": False}), name)
        )
    return Parsed(_special(name, value, prefix=prefix), None)


def _special(name: str, value: str, *, prefix: bool) -> Q:
    match name:
        case "sub":
            if is_uuid(value) and not prefix:
                return Q(sub=value)
            if prefix:
                return Q(sub__gte=_bound(value, "0"), sub__lte=_bound(value, "f")) if _is_head(value) else Q(pk__in=[])
            return Q(pk__in=[])
        case "status":
            states = {"enabled": True, "disabled": False}
            wanted = [on for word, on in states.items() if _fits(word, value, prefix=prefix)]
            return Q(enabled__in=wanted) if len(wanted) != 1 else Q(enabled=wanted[0])
        case "cognito:user_status":
            fitting = [word for word in Status.values if _fits(word.lower(), value, prefix=prefix)]
            return Q(status=fitting[0]) if len(fitting) == 1 else Q(status__in=fitting)
    raise Invalid(
        f"Unsupported filter attribute: {name[:64]}",
        field="filter",
        code="filter_attribute",
        parameters={"name": name[:64]},
    )


def _fits(word: str, value: str, *, prefix: bool) -> bool:
    return word.startswith(value.lower()) if prefix else word == value.lower()


HEAD = "00000000-0000-0000-0000-000000000000"


def _is_head(value: str) -> bool:
    return len(value) <= len(HEAD) and is_uuid(value.lower() + HEAD[len(value) :])


def _bound(value: str, digit: str) -> str:
    return value.lower() + HEAD.replace("0", digit)[len(value) :]
