"""Phone numbers as people write them, read as E.164. Which numbers a pool takes, ``sign_in_names`` and schema say."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from pools.services import sign_in_names

BETWEEN = re.compile(r"[\s.()/\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff-]")
"""What people put between digits, and what comes along unseen when a number is pasted."""
LONGEST = 64


def read(written: str, country: str = "") -> str:
    """Return a number in E.164, given the country (ISO 3166) in which it is written so; empty for what is no number.

    What is in E.164 already stays to the letter: a number that no plan has may be somebody's name here.
    """
    if sign_in_names.is_phone(written):
        return written
    if len(written) > LONGEST or any(character.isalpha() for character in written):
        return ""  # the library would read letters as an old telephone's keys
    try:
        found = phonenumbers.parse(written, country or None)
    except NumberParseException:
        found = None
    if found is not None and phonenumbers.is_possible_number_with_reason(found) == ValidationResult.IS_POSSIBLE:
        return phonenumbers.format_number(found, PhoneNumberFormat.E164)
    bare = BETWEEN.sub("", written)
    return bare if sign_in_names.is_phone(bare) else ""
