"""The servers of the tests' own."""

from __future__ import annotations

import psycopg
import redis
from django.conf import settings

from tests import servers


def test_postgres_takes_no_connection_without_the_password() -> None:
    url = servers.postgres().url("postgres").replace(servers.postgres().password_file.read_text().strip(), "wrong")

    try:
        psycopg.connect(url)
    except psycopg.OperationalError as refused:
        assert "password authentication failed" in str(refused)
    else:
        raise AssertionError("let in")


def test_redis_answers_on_its_socket() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL)

    assert client.ping()

    client.close()
