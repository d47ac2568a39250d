"""How long a password would hold against guessing, by zxcvbn. Advice for who chooses one: the policy alone decides.

Never stores or logs what it is given. The library holds the GIL while it thinks, so what it is given is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import zxcvbn_rs_py
from zxcvbn_rs_py import Warning as Reason

from pools.services.people import breached_passwords

SCORED = 32
"""Characters that are looked at: what is strong for so long stays strong, and time grows with the square."""
KNOWN = 8
"""Other things about the person that are looked for."""
# Symbols that stand for one letter (zxcvbn tries every way to read them back: a few dozen characters of these alone
# take it seconds), and the symbol taken for all of its letter where there are too many ways.
DISGUISES = ("4@", "({[<", "1!|", "1|7", "$5", "+7", "69")
WAYS = 4
PLAIN = str.maketrans("@{[<!|$+9", "4(((11576")


class Advice(StrEnum):
    """What would make a password better."""

    NONE = "none"
    WORD = "word"
    COMMON = "common"
    KEYS = "keys"
    REPEATS = "repeats"
    SEQUENCE = "sequence"
    DATE = "date"
    NAME = "name"
    LEAKED = "leaked"


# Pairs, since the library's reasons cannot be keys.
ADVICE = (
    (Reason.StraightRowsOfKeysAreEasyToGuess, Advice.KEYS),
    (Reason.ShortKeyboardPatternsAreEasyToGuess, Advice.KEYS),
    (Reason.RepeatsLikeAaaAreEasyToGuess, Advice.REPEATS),
    (Reason.RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess, Advice.REPEATS),
    (Reason.ThisIsATop10Password, Advice.COMMON),
    (Reason.ThisIsATop100Password, Advice.COMMON),
    (Reason.ThisIsACommonPassword, Advice.COMMON),
    (Reason.SequencesLikeAbcAreEasyToGuess, Advice.SEQUENCE),
    (Reason.RecentYearsAreEasyToGuess, Advice.DATE),
    (Reason.DatesAreOftenEasyToGuess, Advice.DATE),
    (Reason.NamesAndSurnamesByThemselvesAreEasyToGuess, Advice.NAME),
    (Reason.CommonNamesAndSurnamesAreEasyToGuess, Advice.NAME),
)


@dataclass(frozen=True, slots=True)
class Strength:
    """From 0, guessed at once, to 4; below 3 with advice."""

    score: int
    advice: Advice


def strength(password: str, known: Iterable[str] = ()) -> Strength:
    """Return how strong a password is for somebody of whom these things are known: name, address, the app."""
    about = [readable(part) for part in list(filter(None, known))[:KNOWN]]
    found = zxcvbn_rs_py.zxcvbn(readable(password), about)
    if found.feedback is None:
        return Strength(int(found.score), Advice.NONE)
    fitting = (advice for reason, advice in ADVICE if reason == found.feedback.warning)
    return Strength(int(found.score), next(fitting, Advice.WORD))


def strength_of_chosen(password: str, known: Iterable[str] = ()) -> Strength:
    """Return the same for a password that stands as its owner means it: one in a known leak is guessed at once."""
    if breached_passwords.is_breached(password):
        return Strength(0, Advice.LEAKED)
    return strength(password, known)


def readable(text: str) -> str:
    """Return the beginning of a text as it is scored: in full, unless it could be read in too many ways."""
    text = text[:SCORED]
    ways = 1
    for symbols in DISGUISES:
        ways *= max(1, sum(symbol in text for symbol in symbols))
    return text if ways <= WAYS else text.translate(PLAIN)
