"""Phone numbers as people write them, read as E.164. Which numbers a pool takes, ``sign_in_names`` and schema say."""

from __future__ import annotations

import re

from pools.services.pools import schema

BETWEEN = re.compile(r"[\s.()/\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff-]")
"""What people put between digits, and what comes along unseen when a number is pasted."""
LONGEST = 64


def read(written: str, country: str = "") -> str:
    """Return a number in E.164, given the country (ISO 3166) in which it is written so; empty for what is no number.

    What is in E.164 already stays to the letter: a number that no plan has may be somebody's name here.
    """
    if schema.is_phone(written):
        return written
    if len(written) > LONGEST or any(character.isalpha() for character in written):
        return ""  # the library would read letters as an old telephone's keys
    if known := _by_plan(written, country):
        return known
    bare = BETWEEN.sub("", written)
    return bare if schema.is_phone(bare) else ""


def _by_plan(written: str, country: str) -> str:
    """Return the number that the numbering plans read, empty where they read none."""
    # 3 MiB of each web process, of which most never see a phone number.
    import phonenumbers  # noqa: PLC0415

    try:
        found = phonenumbers.parse(written, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(found) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
