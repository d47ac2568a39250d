r"""What a line of a CSV file says: columns, escapes, days. Not whether a pool takes it, nor what a hash means.

AWS: "Importing users into user pools from a CSV file". No quotes; a comma inside a value is written ``\,``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from identity.foundation.errors import Invalid
from pools.models import UserPool
from pools.services.people import foreign_hashes
from pools.services.pools import schema

USERNAME, MFA = "cognito:username", "cognito:mfa_enabled"
HASH = foreign_hashes.COLUMN
HASH_TOO = f"cognito:{HASH}"
"""The same column in another text about Cognito. None of its own answers has told which of the two is right."""
LONGEST = 16_000
"""Characters of a line."""
BORDER = re.compile(r"(?<!\\),")
DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
MARK = "\ufeff"


def header(pool: UserPool) -> list[str]:
    """Return the columns of a pool's file, in the order in which Cognito tells them; that of hashes is none of them."""
    return [*(name for name in schema.rules(pool) if name != "sub"), MFA, USERNAME]


def columns(pool: UserPool, line: str, *, hashing: str) -> list[str]:
    """Return the columns that a file's first line names, in its order; one is of hashes, where a job says which.

    Raises:
        Invalid: they are not the pool's and the job's, each once.

    """
    if line.startswith(MARK):
        raise Invalid("The file begins with a byte order mark.", field="header")
    found = [HASH if name == HASH_TOO else name for name in split(line)]
    wanted = [*header(pool), *([HASH] if hashing else [])]
    if HASH in found and not hashing:
        raise Invalid(f"The header has a column {HASH}, and the job names no algorithm.", field="header")
    if missing := next((name for name in wanted if name not in found), None):
        raise Invalid(f"The header has no column {missing}.", field="header")
    if doubled := next((name for name in found if found.count(name) > 1), None):
        raise Invalid(f"The header has the column {doubled} twice.", field="header")
    if len(found) != len(wanted):
        raise Invalid("The header has a column that the user pool does not have.", field="header")
    return found


def split(line: str) -> list[str]:
    """Return the values of a line, without what surrounds them."""
    if "\\" not in line:
        return [value.strip() for value in line.split(",")]
    return [value.strip().replace("\\,", ",") for value in BORDER.split(line)]


def read(names: Sequence[str], raw: bytes) -> dict[str, str]:
    """Return the values of a line that are given, by column.

    Raises:
        Invalid: it is no line of such a file.

    """
    try:
        line = raw.decode()
    except UnicodeDecodeError:
        raise Invalid("The line is not UTF-8.", field="line") from None
    if len(line) > LONGEST:
        raise Invalid(f"The line is longer than {LONGEST} characters.", field="line")
    values = split(line)
    if len(values) != len(names):
        raise Invalid("The number of values differs from the number of columns.", field="line")
    given = {name: value for name, value in zip(names, values, strict=True) if value}
    if day := DAY.fullmatch(given.get("birthdate", "")):
        given["birthdate"] = f"{day[3]}-{day[1]:0>2}-{day[2]:0>2}"
    return given
