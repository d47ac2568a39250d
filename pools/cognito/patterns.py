r"""Amazon's regular expressions, which are Java's, in Python.

Java's ``\w``, ``\s`` and ``\d`` are ASCII. ``\p{L}`` and its kind are not known to :mod:`re`, so a value's characters
outside ASCII are replaced by one stand-in for their general category, and the class names that stand-in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
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
RUN = r"\[(?:[^\[\]\\]|\\.)+\][*+]"
CHAIN = re.compile(rf"{RUN}(?:(?:[^\[\](){{}}*+?.|^$\\]|\\[{{}}])+{RUN})+")
"""Runs of characters with texts between them: ``[a-z]*\\{####\\}[a-z]*``."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A pattern of runs of one class with texts of that class between them, matched without going back.

    As a regular expression it takes the square or the cube of a value's length, and values have 20,000 characters
    and more.
    """

    letters: re.Pattern[str]
    texts: tuple[str, ...]
    least: tuple[int, ...]
    """How many characters each run has at least: one more than there are texts."""

    def fullmatch(self, value: str) -> bool:
        """Say whether the whole value has the pattern: the first place of each text leaves most to the rest."""
        place = self.least[0]
        for text, least in zip(self.texts, self.least[1:], strict=True):
            found = value.find(text, place)
            if found < 0:
                return False
            place = found + len(text) + least
        return place <= len(value) and self.letters.fullmatch(value) is not None


def chain(pattern: str) -> Chain | None:
    """Return a pattern as a chain, None where it is none."""
    if CHAIN.fullmatch(pattern) is None:
        return None
    runs = re.findall(RUN, pattern)
    texts = [re.sub(r"\\(.)", r"\1", text) for text in re.split(RUN, pattern)[1:-1]]
    letters = re.compile(runs[0][:-1] + "*", re.ASCII)
    of_one_class = len({run[:-1] for run in runs}) == 1 and all(map(letters.fullmatch, texts))
    return Chain(letters, tuple(texts), tuple(int(run[-1] == "+") for run in runs)) if of_one_class else None


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str] | Chain:
    """Return Amazon's pattern as Python's, for values that went through :func:`folded`."""
    ours = CATEGORY.sub(lambda found: ASCII[found[1]] + STAND_IN[found[1]], pattern)
    return chain(ours) or re.compile(ours, re.ASCII)


def folded(value: str) -> str:
    """Return a value with each character outside ASCII replaced by its category's stand-in."""
    if value.isascii():
        return value
    return "".join(
        letter if letter.isascii() else STAND_IN.get(unicodedata.category(letter)[0], OTHER) for letter in value
    )


def matches(pattern: re.Pattern[str] | Chain, value: str) -> bool:
    """Say whether the whole value has the pattern."""
    return bool(pattern.fullmatch(folded(value)))
