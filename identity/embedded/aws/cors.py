"""Which pages may read an answer: a bucket's CORS rules as S3 applies them, and the rule of the other services.

AWS: Amazon S3 User Guide, "Using cross-origin resource sharing". Nothing here decides what a request may do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

Headers = list[tuple[str, str]]
ANY = "*"
VARY = ("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method "
    "/ Access-Control-Request-Method or Access-Control-Request-Headers are not allowed by the resource's CORS spec."
)
NOT_ENABLED = "CORSResponse: CORS is not enabled for this bucket."
NO_BUCKET = "CORSResponse: Bucket not found"
OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One CORSRule of a bucket."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: str = ""


class Question(NamedTuple):
    """What a browser asks before a request."""

    origin: str
    method: str
    headers: tuple[str, ...]


def question(origin: str, method: str, headers: str) -> Question:
    """Return the question of a preflight's headers."""
    return Question(origin, method, tuple(name.strip().lower() for name in headers.split(",") if name.strip()))


def fits(pattern: str, value: str) -> bool:
    """Say whether a value fits a pattern of which one part may be ``*``."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), value) is not None


def rules_for(rules: Iterable[Rule], origin: str, method: str) -> Iterator[Rule]:
    """Return the rules that let a page of this origin ask by this method."""
    for rule in rules:
        if method in rule.methods and any(fits(pattern, origin) for pattern in rule.origins):
            yield rule


def preflight(rules: Iterable[Rule], asked: Question) -> Headers:
    """Return what allows the request; nothing where no rule does. The first rule that fits counts."""
    for rule in rules_for(rules, asked.origin, asked.method):
        if all(any(fits(pattern.lower(), name) for pattern in rule.headers) for name in asked.headers):
            named = [("Access-Control-Allow-Headers", ", ".join(asked.headers))] if asked.headers else []
            return [*headers_of(rule, asked.origin), *named]
    return []


def on_answer(rules: Iterable[Rule], origin: str, method: str) -> Headers:
    """Return what lets a page read an answer, be it of success or of failure."""
    return next((headers_of(rule, origin) for rule in rules_for(rules, origin, method)), [])


def headers_of(rule: Rule, origin: str) -> Headers:
    """Return what an answer tells of a rule."""
    anyone = next(pattern for pattern in rule.origins if fits(pattern, origin)) == ANY
    found = [
        ("Access-Control-Allow-Origin", ANY if anyone else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule.methods)),
        ("Access-Control-Expose-Headers", ", ".join(rule.exposed)),
        ("Access-Control-Max-Age", rule.max_age),
        ("Access-Control-Allow-Credentials", "" if anyone else "true"),
    ]
    return [*((name, value) for name, value in found if value), VARY]


def service_rule(origin: str) -> list[Rule]:
    """Return how a service without rules of its own answers: to pages of this machine, and to no others."""
    if not is_of_this_machine(origin):
        return []
    return [Rule((ANY,), ("POST",), (ANY,), ("x-amzn-RequestId", "x-amz-crc32"), "3000")]


def is_of_this_machine(origin: str) -> bool:
    """Say whether a page's origin is a loopback name, which no name server can hand to anybody else."""
    try:
        return is_own_name(urlsplit(origin).hostname or "")
    except ValueError:
        return False


def is_own_name(name: str) -> bool:
    """Say whether a host name always means this machine (RFC 6761, section 6.3)."""
    return name in OWN_NAMES or name.endswith(".localhost")
