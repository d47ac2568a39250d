"""Names of things: made, built and parsed in one place. Shapes follow Cognito's own.

Says nothing about whether a thing exists.
"""

from __future__ import annotations

import os
import re
import secrets
import string
import unicodedata
import uuid
from datetime import UTC, datetime

from django.conf import settings

from identity.foundation import clock

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
POOL_ID = re.compile(r"^[\w-]{1,45}_[0-9a-zA-Z]{1,40}$")
IDENTITY_ID = re.compile(r"^[\w-]+:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")

# Unicode 17, DerivedCoreProperties: Default_Ignorable_Code_Point. A name with one looks like another without it.
IGNORABLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


UUID_LENGTH = 36
RESOURCE = re.compile(r"[\w\s+=,.@-]{1,128}", re.ASCII)
CHANCE = (1 << 62) - 1
"""The bits of a version 7 UUID that are drawn."""


def text(alphabet: str, length: int) -> str:
    """Return random text."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def uuid4_text() -> str:
    """Return a random UUID (RFC 9562 section 5.4) as text: a third of what ``uuid`` takes for it."""
    drawn = os.urandom(16).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-{VARIANT[drawn[16]]}{drawn[17:20]}-{drawn[20:]}"


def uuid4s(count: int) -> list[uuid.UUID]:
    """Return many random UUIDs, drawn at once as those of :func:`uuid7s`."""
    drawn = os.urandom(16 * count)
    return [uuid.UUID(bytes=drawn[at : at + 16], version=4) for at in range(0, len(drawn), 16)]


def uuid7() -> uuid.UUID:
    """Return a time-ordered UUID (RFC 9562 section 5.7): keys of everything made at request rate."""
    return uuid.UUID(int=_present_moment() | int.from_bytes(os.urandom(8), "big") & CHANCE)


def uuid7s(count: int) -> list[uuid.UUID]:
    """Return many of one moment, whose chance is drawn at once.

    A call of the system lets go of the interpreter and takes it again: one for each id wakes a thread that waits for
    it as often, and in vain.
    """
    moment, drawn = _present_moment(), os.urandom(8 * count)
    chances = (int.from_bytes(drawn[at : at + 8], "big") & CHANCE for at in range(0, len(drawn), 8))
    return [uuid.UUID(int=moment | chance) for chance in chances]


def _present_moment() -> int:
    """Return the bits of a version 7 UUID that are made now, all but those of chance."""
    now = clock.now()
    # The twelve bits after the version hold the part of the millisecond (section 6.2, method 3): rows made one after
    # the other sort as they were made.
    milliseconds = int(now.timestamp()) * 1000 + now.microsecond // 1000
    fraction = now.microsecond % 1000 * 4096 // 1000
    return (milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62


def uuid7_of(milliseconds: int, chance: bytes) -> uuid.UUID:
    """Return the version 7 UUID of a moment whose chance is given: who says the same twice gets the same id."""
    drawn = int.from_bytes(chance[:10], "big") & (1 << 74) - 1
    return uuid.UUID(
        int=(milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | (drawn >> 62) << 64 | 0b10 << 62 | drawn & (1 << 62) - 1
    )


def moment_of(made: uuid.UUID) -> datetime:
    """Return the millisecond that a version 7 UUID was made in."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


def uuid7_floor(milliseconds: int) -> uuid.UUID:
    """Return the least version 7 UUID of a moment: the border of a partition."""
    return uuid.UUID(int=(milliseconds & 0xFFFFFFFFFFFF) << 80)


def pool_id() -> str:
    """Return a new user pool id, ``{region}_{9 alphanumerics}``: one underscore, since SRP clients split there."""
    return f"{settings.REGION}_{text(ALNUM, 9)}"


def client_id() -> str:
    """Return a new app client id: 26 lower-case alphanumerics, 134 bits."""
    return text(LOWER, 26)


def client_secret() -> str:
    """Return a new client secret: 51 lower-case alphanumerics."""
    return text(LOWER, 51)


def identity_pool_id() -> str:
    """Return a new identity pool id, ``{region}:{uuid}``."""
    return f"{settings.REGION}:{uuid.uuid4()}"


def identity_id() -> str:
    """Return a new identity id, ``{region}:{uuid}``."""
    return f"{settings.REGION}:{uuid.uuid4()}"


def access_key_id() -> str:
    """Return a new access key id, of the shape that AWS clients accept."""
    return "AKIA" + text(string.ascii_uppercase + "234567", 16)


def access_key_secret() -> str:
    """Return a new access key secret: 40 characters."""
    return text(ALNUM + "+/", 40)


def pool_arn(public_id: str) -> str:
    """Return the ARN of a user pool."""
    return f"arn:aws:cognito-idp:{settings.REGION}:{settings.ACCOUNT_ID}:userpool/{public_id}"


def identity_pool_arn(public_id: str) -> str:
    """Return the ARN of an identity pool."""
    return f"arn:aws:cognito-identity:{settings.REGION}:{settings.ACCOUNT_ID}:identitypool/{public_id}"


def issuer(public_id: str) -> str:
    """Return the issuer of a user pool's tokens. From configuration, never from a request."""
    return f"{settings.BASE_URL}/{public_id}"


def identity_issuer() -> str:
    """Return the issuer of the identity pools' tokens."""
    return f"{settings.BASE_URL}/identity-pools"


def without_scheme(url: str) -> str:
    """Return a URL without ``https://``: how identity pools name a provider."""
    return url.split("://", 1)[-1]


def is_visible(name: str) -> bool:
    """Say whether all of a name is seen: no character that renderers ignore, no space around it."""
    return IGNORABLE.search(name) is None and name == name.strip()


def folded(name: str) -> str:
    """Return a name as it is compared where case does not matter: in small letters, in one Unicode form."""
    # Twice: small letters join marks that capitals do not, and a folded name must fold to itself.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower())


def flattened(value: str) -> str:
    """Return a value in small letters, as Cognito tells it where case does not matter: it is the same name.

    It stays as it is where small letters make another name of it, as they do of some Greek beside other signs.
    """
    small = value.lower()
    return small if folded(small) == folded(value) else value


def is_plain(name: str) -> bool:
    """Say whether a name is letters, marks, symbols, numbers and punctuation, which is Cognito's pattern, all seen."""
    if name.isascii():  # of which all that prints is one of these, but for the space
        return name.isprintable() and " " not in name
    return is_visible(name) and all(unicodedata.category(character)[0] in "LMSNP" for character in name)


def is_of_resource(name: str) -> bool:
    """Say whether Amazon's clients take a name for a pool's or an app's: UserPoolNameType, ClientNameType."""
    return RESOURCE.fullmatch(name) is not None


def is_uuid(name: str) -> bool:
    """Say whether a name has a UUID's shape."""
    if len(name) != UUID_LENGTH:
        return False
    try:
        return str(uuid.UUID(name)) == name.lower()
    except ValueError:
        return False
