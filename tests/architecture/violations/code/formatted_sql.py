# pretend: pools/models/hot.py
"""Puts a statement together from what it was given."""

from django.db import connection


def find(name: str) -> object:
    """Find a user."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM pools_user WHERE username = '{name}'")
        return cursor.fetchone()
