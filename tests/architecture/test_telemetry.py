"""Secrets reach no log, metrics no stranger; readiness says what is wrong and nothing more."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django import Settings

from identity import logs, telemetry
from identity.foundation import names
from identity.models import Operator
from tests.architecture.source import ROOT

TOKEN = "eyJraWQiOiJhIiwiYWxnIjoiUlMyNTYifQ.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJlLW9mLWl0"
SECRETS = {
    "a JWT": TOKEN,
    "a client secret": "1h57kf5cpq17m0eml12edfg0hkj3nmqdl6ckhvss9tb2vjg7p8q",
    "a refresh token": "AZ8Hk2oPTk6xkq2QpV3lTwAAAABm0WJxv1n8b3Qb5GgT0O2h7rY2m5cZkT8uF1aXe9pLw4Dq0nKsVbJm",
    "an access key's secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzzzKEYabc1",
    "a TOTP secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "a hash": "$argon2id$v=19$m=7168,t=5,p=1$c29tZXNhbHQ$aGFzaGhhc2g",
    "an imported bcrypt hash": "$2b$12$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
    "an imported scrypt hash": "16384$8$1$73616c74$e97375a8f1db022557fcb42283c51b9a",
    "an imported PBKDF2 hash": "$pbkdf2-sha256$600000$c2FsdA$hpmb/w.c2FsdHNhbHRzYWx0",
    "a one-time code": "493827",
    "a password in a URL": "hunter2pass",
}
INSIDE = {"a password in a URL": "postgresql://cognate:{}@db:5432/cognate"}


def line(**fields: Any) -> str:
    """Return a log line's fields as they are rendered."""
    return json.dumps(logs.redact(None, "info", {"event": "happened", **fields}))


@pytest.mark.parametrize("what", SECRETS)
@pytest.mark.parametrize("where", ["event", "field", "list", "deep", "exception"])
def test_the_shape_of_a_secret_is_hidden(what: str, where: str) -> None:
    secret = SECRETS[what]
    text = INSIDE.get(what, "it was {} there").format(secret)
    places: dict[str, dict[str, Any]] = {
        "event": {"event": text},
        "field": {"detail": text},
        "list": {"details": [1, [text]]},
        "deep": {"detail": {"inner": {"more": text}}},
        "exception": {"exception": f"ValueError: {text}"},
    }

    said = line(**places[where])

    assert secret not in said
    assert logs.HIDDEN in said


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "new_password",
            "PreviousPassword",
            "SECRET_HASH",
            "client_secret",
            "AccessToken",
            "refresh_token",
        ),
        *("authorization", "Set-Cookie", "session", "Session", "code", "ConfirmationCode", "code_verifier", "seed"),
        *("totp", "SAMLResponse", "private_key", "secretAccessKey", "email", "phone_number"),
    ],
)
def test_a_field_named_like_a_secret_is_hidden(name: str) -> None:
    said = line(**{name: "plain-word"}, detail={name: ["plain-word"]}, text=f"given {name}=plain-word&x=1")

    assert "plain-word" not in said


@pytest.mark.parametrize(
    "fields",
    [
        {"pool": "us-east-1_a1B2c3D4e"},
        {"client_id": "1h57kf5cpq17m0eml12edfg0hk"},
        {"request_id": "0a1b2c3d-0a1b-4c3d-8a1b-0a1b2c3d4e5f"},
        {"status_code": 200, "milliseconds": 123456.0},
        {"path": "/oauth2/token", "token_use": "access"},
        {"identity": "us-east-1:0a1b2c3d-0a1b-4c3d-8a1b-0a1b2c3d4e5f"},
        {"function": "test_that_a_reused_code_revokes_the_family_of_its_tokens"},
        {"password": None},
    ],
)
def test_what_finds_a_fault_stays(fields: dict[str, Any]) -> None:
    assert json.loads(line(**fields)) == {"event": "happened", **fields}


def test_a_running_process_logs_no_secret_by_any_logger() -> None:
    script = (
        "import django; django.setup()\n"
        "import logging, structlog\n"
        f"secret = {TOKEN!r}\n"
        "structlog.get_logger('a').warning('one', token=secret, detail=f'two {secret}')\n"
        "logging.getLogger('b').error('three %s', secret)\n"
        "try:\n    raise ValueError(f'four {secret}')\n"
        "except ValueError:\n    structlog.get_logger('a').exception('five')\n"
        "    logging.getLogger('b').exception('six')\n"
    )
    for form in ("json", "text"):
        told = {**os.environ, "DJANGO_SETTINGS_MODULE": "identity.settings", "LOG_FORMAT": form, "LOG_LEVEL": "debug"}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=told, capture_output=True, text=True, check=True
        )

        assert all(word in done.stderr for word in ("one", "two", "three", "four", "five", "six"))
        assert TOKEN not in done.stderr + done.stdout
        assert TOKEN.split(".")[1] not in done.stderr + done.stdout


HOSTILE = {
    "one word": "a" * 100_000,
    "words": "a " * 50_000,
    "names": "".join(f"code{letter}=" for letter in "abcdefghijklmnop") * 1_000,
    "many names": "&".join(f"code{number}=x" for number in range(10_000)),
    "spaces": "a" + " " * 100_000,
    "a name and spaces": ("token=" + " " * 5_000) * 20,
    "begun tokens": "eyJ" * 30_000,
    "begun tokens, apart": "-eyJeyJ" * 15_000 + ".a",
    "dots": "a." * 50_000,
    "begun keys": "-----BEGIN PRIVATE KEY" * 5_000,
    "keys": ("-----BEGIN " + "A" * 1_000) * 100,
    "capitals": "A" * 100_000,
    "base 32": "A2" * 50_000 + "!",
    "addresses": "://" * 30_000,
    "addresses with colons": "://a:" * 20_000,
    "an access key": "aA1/" * 25_000,
    "lines": "a=b\n" * 25_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_text_of_a_strangers_making_takes_no_time_and_little_room(what: str) -> None:
    text = HOSTILE[what]
    began = time.process_time()

    said = str(logs.scrub(text))

    # Generous for a slow machine; what is quadratic takes minutes.
    assert time.process_time() - began < 2
    assert len(said) <= 4 * logs.LONGEST


@pytest.mark.parametrize("what", HOSTILE)
def test_each_pattern_takes_no_time_without_the_cut(what: str) -> None:
    text = HOSTILE[what]
    began = time.process_time()

    logs.without_named_secrets(text)
    for shape in (logs.PRIVATE_KEY, *logs.SHAPES):
        shape.sub(logs.HIDDEN, text)

    assert time.process_time() - began < 2


@pytest.mark.parametrize("what", SECRETS)
@pytest.mark.parametrize("half", range(-60, 61, 12))
def test_no_half_of_a_secret_is_left_where_a_text_is_cut(what: str, half: int) -> None:
    secret = SECRETS[what]
    inside = INSIDE.get(what, "it was {} there").format(secret)
    before = logs.LONGEST // 2 + half - inside.index(secret)
    after = logs.LONGEST // 2 + half - (len(inside) - inside.index(secret))

    beginning = logs.scrubbed("x " * (before // 2) + inside + " x" * logs.LONGEST)
    end = logs.scrubbed("x " * logs.LONGEST + inside + " x" * (after // 2) + "\nlast line")

    assert logs.CUT in beginning
    assert logs.CUT in end
    assert end.endswith("last line")
    for piece in (secret[:10], secret[-10:]):
        assert piece not in beginning + end


def test_what_failed_is_said_at_the_end_of_a_long_traceback() -> None:
    frames = 'File "identity/wsgi.py", line 3, in answer\n' * 1_000

    said = logs.scrubbed(f"Traceback (most recent call last):\n{frames}ValueError: what failed")

    assert said.startswith("Traceback")
    assert said.endswith("ValueError: what failed")
    assert len(said) < logs.LONGEST + 20


def test_a_private_key_is_hidden_under_its_name_and_across_a_cut() -> None:
    body = ("MIIEvQIBADANBgkqhkiG/w0BAQE+AASCBKcw/ggSjAgEAAoIBAQ/7\n" * 30).strip()
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"

    for text in (f"private_key={key}", "x " * 5_000 + key + " x" * 1_900, key):
        assert "MIIEvQ" not in logs.scrubbed(text)


def test_a_refused_form_is_an_answer_and_no_event() -> None:
    assert logging.getLogger("django.security.csrf").getEffectiveLevel() >= logging.ERROR


@pytest.mark.parametrize("name", logs.TALKATIVE)
def test_libraries_that_print_whole_requests_are_told_not_to(name: str) -> None:
    assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING


HOST = {"host": "localhost"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "mode", "bound", "status"),
    [
        ("127.0.0.1", "development", "", 200),
        ("127.0.0.1", "production", "", 404),
        ("203.0.113.9", "development", "", 404),
        ("203.0.113.9", "production", "203.0.113.9", 200),
        ("203.0.113.8", "production", "203.0.113.9", 404),
    ],
)
def test_metrics_are_shown_to(address: str, mode: str, bound: str, status: int, settings: Settings) -> None:
    settings.MODE, settings.METRICS_BIND = mode, bound

    answer = Client(headers=HOST).get("/metrics", REMOTE_ADDR=address)

    assert answer.status_code == status
    assert (b"cognate_http_seconds" in answer.content) == (status == 200)


@pytest.mark.django_db
def test_metrics_are_not_shown_to_a_session_that_lacks_the_second_factor() -> None:
    operator = Client(headers=HOST)
    operator.force_login(Operator.objects.create(username="ada"))

    answers = [each.get("/metrics", REMOTE_ADDR="203.0.113.9") for each in (operator, Client(headers=HOST))]

    assert answers[0].wsgi_request.user.is_authenticated
    assert [(answer.status_code, answer.content) for answer in answers] == [(404, b"")] * 2


@pytest.mark.django_db
def test_a_process_with_everything_is_ready() -> None:
    answer = Client(headers=HOST).get("/health/ready")

    assert answer.status_code == 200
    assert set(answer.json()["probes"]) >= {"database", "migrations", "configuration"}
    assert set(answer.json()["probes"].values()) == {"ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["what it says", "the database does not answer"])
def test_a_process_that_lacks_something_lives_and_is_not_ready(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def probe() -> str:
        if fault == "what it says":
            return fault
        raise DatabaseError("host=db password=hunter2")

    monkeypatch.setitem(telemetry._probes, "part", probe)
    visitor = Client(headers=HOST)

    assert visitor.get("/health/live").status_code == 200
    answer = visitor.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["probes"]["part"] == fault
    assert b"hunter2" not in answer.content


@pytest.mark.django_db
def test_a_missing_migration_is_seen_until_it_is_made() -> None:
    schema = telemetry.Schema()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET app = app || '?' WHERE app = 'pools'")
        assert schema() == "migrations are missing"
        cursor.execute("UPDATE django_migrations SET app = rtrim(app, '?')")

    assert schema() == ""
    assert schema.is_current


def test_an_id_of_a_request_is_no_secret() -> None:
    assert logs.scrub(str(names.uuid7())) != logs.HIDDEN
