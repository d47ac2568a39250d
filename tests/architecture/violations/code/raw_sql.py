# pretend: pools/services/clever.py
"""Speaks SQL where none may."""

from django.db import connection


def count() -> int:
    """Count users."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pools_user")
        return int(cursor.fetchone()[0])
