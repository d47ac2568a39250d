"""The database role of web processes: it may do what they do, and change no audit row.

Given by the tables' owner at the end of each ``migrate``, where such a role is named. Partitions get no grants of their
own: rows are reached through their table, and only the owner makes and drops partitions.
"""

from __future__ import annotations

from django.db import connection, transaction
from psycopg import sql

from identity.foundation.errors import Misuse
from pools.models import locks

APPENDED = frozenset({"audit_event", "audit_personal"})
READ = frozenset({"django_migrations"})
GIVING = b"grants: one migration at a time"
ROLE = "SELECT rolname = current_user, rolsuper FROM pg_roles WHERE rolname = %s"
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
"""


def allowed(table: str) -> sql.SQL:
    """Return what the role may do with a table's rows."""
    if table in READ:
        return sql.SQL("SELECT")
    return sql.SQL("SELECT, INSERT" if table in APPENDED else "SELECT, INSERT, UPDATE, DELETE")


def give(role: str, password: str) -> None:
    """Make the role, or set its password, and give it exactly its rights on the tables that are there.

    Raises:
        Misuse: the role is the owner's, or a superuser: nothing would be kept from it.

    """
    with transaction.atomic(), connection.cursor() as cursor:
        locks.hold(GIVING)
        cursor.execute(ROLE, [role])
        found = cursor.fetchone()
        if found is not None and any(found):
            raise Misuse(f"The role {role} may do everything: web processes need one of their own.")
        # The server sees a SCRAM verifier, not the password: a logged statement tells nothing.
        verifier = connection.connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        name = sql.Identifier(role)
        change = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if found else "CREATE ROLE {} LOGIN PASSWORD {}")
        cursor.execute(change.format(name, sql.Literal(verifier.decode())))
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            named = sql.Identifier(table)
            cursor.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(named, name))
            cursor.execute(sql.SQL("GRANT {} ON {} TO {}").format(allowed(table), named, name))
