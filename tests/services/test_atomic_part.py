"""The atomic part: a refusal undoes what was written, unless it is kept, and is raised when the transaction is over."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from identity.foundation import errors
from identity.foundation.actor import Actor
from pools.models import AuditEvent, UserPool
from pools.services import atomic_part, audit
from pools.services.audit import Tag

BY = Actor.operator("1")


def write(pool: UserPool) -> None:
    audit.record(Tag.POOL_CHANGED, pool=pool, subject="x", by=BY, detail={"changed": []})


def changes() -> int:
    return AuditEvent.objects.filter(tag=Tag.POOL_CHANGED, subject="x").count()


@pytest.mark.parametrize(("way", "kept"), [("refuse", 0), ("keep", 1), ("raise", 0), ("go on", 1)])
def test_a_refusal_undoes_its_part_unless_that_is_kept(pool: UserPool, way: str, kept: int) -> None:
    refusal = errors.UserNotFound()
    after: list[bool] = []

    def verb() -> None:
        with atomic_part.begin() as part:
            part.refuse_if(None)
            write(pool)
            if way == "raise":
                raise refusal
            part.refuse_if(None if way == "go on" else refusal, keeping=way == "keep")
            after.append(True)

    if way == "go on":
        verb()
    else:
        with pytest.raises(errors.UserNotFound) as refused:
            verb()
        assert refused.value is refusal
        assert after == []

    assert changes() == kept
    assert not connection.in_atomic_block


def test_a_refusal_of_the_whole_leaves_a_part_inside_it_too(pool: UserPool) -> None:
    def verb() -> None:
        with atomic_part.begin() as whole, atomic_part.begin(durable=False):
            write(pool)
            whole.refuse(errors.UserNotFound(), keeping=True)

    with pytest.raises(errors.UserNotFound):
        verb()

    assert changes() == 0, "the inner part was left, not finished"


def test_a_part_stands_in_no_other_transaction_unless_it_may(pool: UserPool) -> None:
    with atomic_part.begin():
        with pytest.raises(RuntimeError), atomic_part.begin():
            pass
        with atomic_part.begin(durable=False):
            write(pool)

    assert changes() == 1


def test_the_row_of_a_refusal_is_written_when_its_transaction_is_over(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    record = audit.record

    def watched(*given: Any, **named: Any) -> None:
        inside.append(connection.in_atomic_block)
        record(*given, **named)

    monkeypatch.setattr(audit, "record", watched)

    def verb(refusal: errors.DomainError) -> None:
        recorded = audit.refusals(Tag.CODE_REFUSED, errors.CodeMismatch, pool=pool, subject="y", by=BY)
        with recorded, atomic_part.begin() as part:
            part.refuse(refusal)

    with pytest.raises(errors.CodeMismatch):
        verb(errors.CodeMismatch())
    with pytest.raises(errors.UserNotFound):
        verb(errors.UserNotFound())

    assert inside == [False]
    assert AuditEvent.objects.get(tag=Tag.CODE_REFUSED).outcome == "refused"
