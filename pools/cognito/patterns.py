r"""Amazon's regular expressions, which are Java's, in Python.

Java's ``\w``, ``\s`` and ``\d`` are ASCII. ``\p{L}`` and its kind are not known to :mod:`re`, so a value's characters
outside ASCII are replaced by one stand-in for their general category, and the class names that stand-in.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

STAND_IN = {"L": "\ue000", "M": "\ue001", "S": "\ue002", "N": "\ue003", "P": "\ue004", "Z": "\ue005"}
OTHER = "\ue0ff"
"""Stands for control, format, private and unassigned characters, which no pattern of Amazon's allows."""
ASCII = {
    "L": "A-Za-z",
    "M": "",
    "S": r"$+<=>\^`|~",
    "N": "0-9",
    "P": r"""!"#%&'()*,\-./:;?@\[\\\]_{}""",
    "Z": " ",
}
CATEGORY = re.compile(r"\\p\{([LMSNPZ])\}")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return Amazon's pattern as Python's, for values that went through :func:`folded`."""
    return re.compile(CATEGORY.sub(lambda found: ASCII[found[1]] + STAND_IN[found[1]], pattern), re.ASCII)


def folded(value: str) -> str:
    """Return a value with each character outside ASCII replaced by its category's stand-in."""
    if value.isascii():
        return value
    return "".join(
        letter if letter.isascii() else STAND_IN.get(unicodedata.category(letter)[0], OTHER) for letter in value
    )


def matches(pattern: re.Pattern[str], value: str) -> bool:
    """Say whether the whole value has the pattern."""
    return pattern.fullmatch(folded(value)) is not None
