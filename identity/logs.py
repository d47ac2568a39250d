"""Logs: one line each, in one form, with no secret in any. Imports nothing of Django.

It does not say what is logged; metrics and health are ``identity.telemetry``'s.
"""

from __future__ import annotations

import logging
import logging.config
import re
import string
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

import structlog

# -- secrets never reach a log ---------------------------------------------------------------------------------------

HIDDEN = "[redacted]"
SECRET_WORDS = frozenset(
    "password passwd passphrase secret token code authorization cookie credential private session seed otp totp pin "
    "verifier assertion saml signature email phone".split()
)
# Names that hold such a word and yet say nothing that must be hidden.
HARMLESS = frozenset({"status_code", "error_code", "token_use", "token_type", "secret_keys_file"})
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Anybody chooses parts of what is logged: each pattern below looks at a character a bounded number of times,
# wherever it begins, and no text is longer than this.
LONGEST = 8 * 1024
CUT = " [cut] "
WORD = string.ascii_letters + string.digits + "_-./+=$%"
# `name=value` and `"name": "value"` inside a text: query strings, forms, JSON, representations.
NAME = re.compile(r"(?<![\w-])[A-Za-z_][\w-]{0,63}(?![\w-])(?=[\"']?\s*[=:])")
VALUE = re.compile(r"(?P<is>[\"']?\s*[=:]\s*[\"']?)(?:bearer |basic )?[^\s&\"',;}]+", re.IGNORECASE)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
SHAPES = (
    # JWS and JWE. That dots follow is asked first and once, not for each `eyJ` of a word.
    re.compile(r"(?<![\w-])(?=[\w-]++\.[\w-]*+\.)[\w-]*?eyJ[\w-]{5,}+(?:\.[\w-]*+){2,4}"),
    re.compile(r"\$(?:argon2|pbkdf2|2[aby]\$)\S+"),
    re.compile(r"\b\d{1,9}\$\d{1,9}\$\d{1,9}\$[0-9A-Fa-f]\S*"),  # scrypt, as imports have it
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password in a URL
    re.compile(r"(?i)(?<=\bbearer )\S+|(?<=\bbasic )[\w+/=]{8,}"),
    # Refresh tokens, challenge sessions, client secrets: long and random. Names of functions are lower case.
    re.compile(r"(?<![\w-])(?=[a-z_-]*[A-Z0-9])[\w-]{40,}"),
    re.compile(r"(?<![\w/+])(?=[\w/+]*[a-z])(?=[\w/+]*[A-Z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+])"),  # access key
    re.compile(r"\b(?=[A-Z]*[2-7])[A-Z2-7]{26,}\b"),  # a TOTP secret
    re.compile(r"(?<![\w.:-])\d{6}(?![\w.:-])"),  # a one-time code
)
DEEP = 8


@lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Say whether a field of this name (``new_password``, ``AccessToken``) holds what must be hidden."""
    if name.lower() in HARMLESS:
        return False
    words = [word.lower() for word in WORDS.findall(name)]
    return any(word in SECRET_WORDS or word.removesuffix("s") in SECRET_WORDS for word in words)


def scrubbed(text: str) -> str:
    """Return a text with everything hidden that is named like a secret or has the shape of one, long ones cut."""
    text = without_named_secrets(cut(PRIVATE_KEY.sub(HIDDEN, text)))
    for shape in SHAPES:
        text = shape.sub(HIDDEN, text)
    return text


def cut(text: str) -> str:
    """Return the beginning and the last lines of a text that is too long: a traceback says at its end what failed."""
    if len(text) <= LONGEST:
        return text
    # No half of a secret may be left, whose shape nobody would know: a begun word goes, and a begun line.
    beginning = text[: LONGEST // 2].rstrip(WORD)
    return beginning + CUT + text[-LONGEST // 2 :].partition("\n")[2]


def without_named_secrets(text: str) -> str:
    """Return a text without the values that are named like a secret."""
    kept: list[str] = []
    end = 0
    for name in NAME.finditer(text):
        if name.start() < end or not (name[0].lower() == "state" or names_a_secret(name[0])):
            continue
        if value := VALUE.match(text, name.end()):
            kept += (text[end : name.end()], value["is"], HIDDEN)
            end = value.end()
    return "".join((*kept, text[end:]))


def scrub(value: object, depth: int = 0) -> object:
    """Return a value with its secrets hidden, at any depth."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth > DEEP:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if names_a_secret(str(name)) and inner not in (None, "") else scrub(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(inner, depth + 1) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    return scrubbed(value if isinstance(value, str) else str(value))


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets in everything that a log line says, tracebacks included. The last processor before rendering."""
    own = {name: event.pop(name) for name in ("timestamp", "level", "request_id") if name in event}
    return {**own, **{str(name): value for name, value in _scrubbed_fields(event).items()}}


def _scrubbed_fields(event: Mapping[str, Any]) -> dict[str, object]:
    hidden = scrub(event)
    return hidden if isinstance(hidden, dict) else {}


# -- logs ------------------------------------------------------------------------------------------------------------

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# Below a warning these print requests and answers whole.
TALKATIVE = (
    "amqp",
    "authlib",
    "boto3",
    "botocore",
    "django.db.backends",
    "kombu",
    "redis",
    "signxml",
    "urllib3",
    "werkzeug",
)


def configure(level_name: str, form: str, more: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Send structlog's lines and the standard library's the same way: one line each, redacted, to standard error.

    ``form`` is ``json`` or ``text``; ``more`` are loggers with rules of their own, as ``dictConfig`` has them.
    """
    level = LEVELS[level_name]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback, sort_keys=False, pad_event_to=0
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
            redact,
            renderer,
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                **{name: {"level": max(level, logging.WARNING)} for name in TALKATIVE},
                **(more or {}),
            },
        }
    )
