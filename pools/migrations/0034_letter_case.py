"""The case of letters: addresses and preferred usernames without capitals where it does not matter, searches anywhere.

Rows of pools where case does not matter are written in batches, each in a transaction of its own that locks those who
have capitals. Then come indexes of small letters, beside traffic, and what they stand for goes last. Each step can be
tried again. The release before goes on without the old indexes: its pages of such a filter are right, and cost what the
pool does. What it still writes in capitals stays so until it is written again.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models, transaction
from django.db.models.functions import Collate

from identity.foundation import names
from pools.models.indexes import AddIndexBesideTraffic
from pools.models.letter_case import SmallLetters

COLUMNS = ("email", "name", "given_name", "family_name", "preferred_username")
BATCH = 500
PEOPLE = """
UPDATE pool_user u SET email = made.email, preferred_username = made.preferred_username
FROM unnest(%(ids)s::uuid[], %(emails)s::text[], %(names)s::text[]) AS made (id, email, preferred_username)
WHERE u.pool_id = %(pool)s AND u.id = made.id
"""
# A code proves the address that it names.
CODES = """
UPDATE one_time_code c SET destination = made.email
FROM unnest(%(ids)s::uuid[], %(typed)s::text[], %(emails)s::text[]) AS made (subject, typed, email)
WHERE c.pool_id = %(pool)s AND c.subject = made.subject AND c.destination = made.typed
"""


def flatten(apps: Any, schema_editor: Any) -> None:  # noqa: ANN401 - Django's
    """Write the values of pools where case does not matter as they are told: AWS, User pool case sensitivity."""
    database = schema_editor.connection.alias
    pools = apps.get_model("pools", "UserPool").objects.using(database).filter(case_sensitive=False, deleted_at=None)
    for pool_id in list(pools.order_by("id").values_list("id", flat=True)):
        people = apps.get_model("pools", "User").objects.using(database).filter(pool_id=pool_id, deleted_at=None)
        rows = people.order_by("id").values_list("id", "email", "preferred_username")
        last = UUID(int=0)
        while batch := list(rows.filter(id__gt=last)[:BATCH]):
            last = batch[-1][0]
            mixed = [key for key, *typed in batch if any(value != flat(value) for value in typed)]
            if mixed:
                with transaction.atomic(using=database), schema_editor.connection.cursor() as cursor:
                    # In the order in which whoever locks several people does.
                    write(cursor, pool_id, list(rows.filter(id__in=mixed).select_for_update(no_key=True)))


def write(cursor: Any, pool_id: int, people: list[tuple[UUID, str | None, str | None]]) -> None:  # noqa: ANN401 - Django's
    """Write locked people anew, and where their codes went."""
    ids, typed = [row[0] for row in people], [row[1] for row in people]
    given = {"pool": pool_id, "ids": ids, "typed": typed, "emails": [flat(email) for email in typed]}
    cursor.execute(PEOPLE, given | {"names": [flat(row[2]) for row in people]})
    cursor.execute(CODES, given)


def flat(value: str | None) -> str | None:
    """Return a value without capitals; None stays."""
    return value and names.flattened(value)


class Migration(migrations.Migration):
    """Write the rows, make the new indexes, then drop the old ones, outside a transaction."""

    atomic = False
    dependencies: ClassVar = [("pools", "0033_password_hashes")]
    operations: ClassVar = [
        migrations.RunPython(flatten, migrations.RunPython.noop, atomic=False),
        *(
            AddIndexBesideTraffic(
                "user",
                models.Index(
                    "pool",
                    Collate(SmallLetters(column), "C"),
                    "id",
                    name=f"pool_user_lower_{column}"[:30],
                    condition=models.Q(**{f"{column}__isnull": False}),
                ),
            )
            for column in COLUMNS
        ),
        *(RemoveIndexConcurrently("user", f"pool_user_{column}"[:30]) for column in COLUMNS),
    ]
