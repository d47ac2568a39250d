"""Audit rows can be checked by anyone who knows the format, and still when the personal values are erased."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from identity.foundation.actor import Actor
from pools.models import AppClient, AuditEvent, AuditPersonal, IdentityPool, UserPool
from pools.services import audit
from pools.services.audit import Tag
from pools.services.people import groups
from pools.services.sign_up import sign_up
from tests.factories import BY, PASSWORD
from tests.services.conftest import VISITOR, code_sent_to

NAME = "alice@example.com"
# The columns of format 1, in its order. What a row says of itself, or what the database adds, its digest cannot cover.
FORMAT_1 = (
    *("format", "id", "pool_id", "identity_pool_id", "tag", "actor_kind", "actor_id", "subject", "outcome"),
    *("detail", "request_id", "personal_digest"),
)
UNCOVERED = {"digest": "is the digest", "written_at": "is the database's time"}
SAMPLE = UUID("019a0000-0000-7000-8000-000000000001")


def columns() -> Iterator[dict[str, Any]]:
    """Yield the audit rows as PostgreSQL has them, oldest first: nothing of the model's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(audit_event) FROM audit_event ORDER BY id")
        for (row,) in cursor.fetchall():
            yield json.loads(row) if isinstance(row, str) else row


def digest_of(row: dict[str, Any]) -> str:
    """Return the digest that a row must have, as PostgreSQL shows one: the format's, written out once more."""
    values = [row[name].removeprefix("\\x") if name == "personal_digest" else row[name] for name in FORMAT_1]
    covered = json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return "\\x" + hashlib.sha256(covered.encode("ascii")).hexdigest()


@pytest.fixture
def written(client: AppClient) -> list[dict[str, Any]]:
    """Return the rows of a sign-up, from making the pool on."""
    sign_up.sign_up(client, NAME, password=PASSWORD, attributes={}, by=VISITOR)
    sign_up.confirm(client, NAME, code=code_sent_to(NAME), by=VISITOR)
    groups.create(client.pool, "Söhne", by=BY)
    return list(columns())


def test_whoever_knows_the_format_can_check_a_row(written: list[dict[str, Any]]) -> None:
    tags = {row["tag"] for row in written}

    assert tags >= {"pool_created", "client_created", "signed_up", "account_confirmed", "group_created"}
    assert any(row["detail"].get("group") == "Söhne" for row in written)
    assert [row["format"] for row in written] == [1] * len(written)
    assert [row["tag"] for row in written if row["digest"] != digest_of(row)] == []


def test_a_rows_digest_stays_checkable_when_its_personal_values_are_erased(written: list[dict[str, Any]]) -> None:
    values = b'{"address":"%s"}' % VISITOR.address.encode()
    sides = {str(side.id): side for side in AuditPersonal.objects.all()}
    assert {row["tag"] for row in written if row["id"] in sides} >= {"signed_up", "account_confirmed"}
    for row in written:
        salted = "\\x" + (
            hashlib.sha256(bytes(sides[row["id"]].salt) + values).hexdigest() if row["id"] in sides else ""
        )
        assert row["personal_digest"] == salted, row["tag"]
    assert len({bytes(side.salt) for side in sides.values()}) == len(sides)
    assert min(len(side.salt) for side in sides.values()) >= 16

    AuditPersonal.objects.all().delete()

    left = list(columns())
    assert left == written
    assert [row["tag"] for row in left if row["digest"] != digest_of(row)] == []
    said = json.dumps(left)
    for form in (VISITOR.address, VISITOR.address.encode().hex(), hashlib.sha256(values).hexdigest()):
        assert form not in said


def sample(monkeypatch: pytest.MonkeyPatch) -> AuditEvent:
    """Return an event of which nothing is left to chance, written and read back."""
    with monkeypatch.context() as patch:
        patch.setattr(audit, "uuid7", lambda: SAMPLE)
        patch.setattr(os, "urandom", bytes)  # as many zeros
        audit.record(
            Tag.ALIAS_MOVED,
            by=Actor.user("d1", address="192.0.2.1", request_id="r1"),
            pool=UserPool(pk=7),
            identity_pool=IdentityPool(pk=8),
            subject="s1",
            detail={"from": "ø", "attribute": "email"},
        )
    return AuditEvent.objects.get(id=SAMPLE)


def test_the_first_format_never_changes(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    row = sample(monkeypatch)

    assert audit.canonical(row) == (
        rb'[1,"019a0000-0000-7000-8000-000000000001",7,8,"alias_moved","user","d1","s1","done",'
        rb'{"attribute":"email","from":"\u00f8"},"r1",'
        rb'"6f77fcd2025e6cfa5cce33c6ff138f96bda05b1af54f49530a467fd7a9d46b4f"]'
    )
    assert bytes(row.digest).hex() == "5e8cd81ba0d99a76c426dd24018592a5d757247de0e46866000315914d57f4ad"


@pytest.mark.parametrize(
    "column", [field.attname for field in AuditEvent._meta.concrete_fields if field.attname not in UNCOVERED]
)
def test_no_column_can_be_altered_unseen(column: str, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sample(monkeypatch)
    other: dict[str, Any] = {
        "id": UUID(int=SAMPLE.int + 1),
        "detail": {"attribute": "email", "from": "o"},
        "personal_digest": bytes(32),
    }
    old = getattr(before, column)
    new = other.get(column, old + 1 if isinstance(old, int) else f"{old}x")

    AuditEvent.objects.filter(id=SAMPLE).update(**{column: new})

    [row] = columns()
    assert row["digest"] != digest_of(row)
    after = AuditEvent.objects.get()
    assert hashlib.sha256(audit.canonical(after)).digest() != bytes(after.digest)
