"""Texts by their small letters, as indexes have them and ``user_listing`` asks for them."""

from __future__ import annotations

from django.db.models import Func


class SmallLetters(Func):
    """A column of collation "C" in the small letters that the database's own locale knows.

    PostgreSQL alone says which they are, on both sides of a comparison. Those of ASCII come first, by no locale: in
    Turkish a capital I has another.
    """

    template = 'lower(lower(%(expressions)s) COLLATE "default")'
    arity = 1
