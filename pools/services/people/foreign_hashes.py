"""Hashes of passwords that another system made, as imports bring them: read within caps, compared at a sign-in.

Each is kept behind the name of its algorithm, and stays until its owner signs in by it: then ``passwords``, which also
has the gate, puts one of its own in its place. Spellings and caps are as one reader had them of Amazon's guide
("Importing users into user pools from a CSV file"); copies that others could read take no hashes yet. One that costs
more would keep all others waiting who sign in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import bcrypt
from argon2 import low_level

from identity.foundation.errors import Invalid
from pools.models import UserImportJob

COLUMN = "password_hash"
SALT, DIGEST = range(1, 65), range(16, 65)
"""How many bytes are taken. Of shorter digests another password would be right by chance."""


class ForeignHash(Protocol):
    """A hash that was understood."""

    CAP: ClassVar[str]
    """What it may cost, in words."""

    @classmethod
    def read(cls, text: str) -> ForeignHash | None:
        """Return what a text says, None where it is no such hash."""

    @property
    def is_within_cap(self) -> bool:
        """Say whether it costs no more than it may."""

    def matches(self, password: bytes) -> bool:
        """Say whether a password is the one that was hashed; behind the gate, in a time that its cost alone decides."""


@dataclass(frozen=True, slots=True)
class Bcrypt:
    """``$2b$cost$``, salt and digest in an alphabet of its own; ``$2a$`` and ``$2y$`` are the same of other systems."""

    MOST: ClassVar = 12
    CAP: ClassVar = f"a cost of {MOST}"
    # 16 bytes of salt and 23 of digest: the last characters of both have bits that are always zero.
    TEXT: ClassVar = re.compile(
        r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"
    )
    LONGEST: ClassVar = 72

    text: str
    cost: int

    @classmethod
    def read(cls, text: str) -> Bcrypt | None:
        """Return what a text says, None where it is no such hash."""
        found = cls.TEXT.fullmatch(text)
        return cls(text, int(found[1])) if found else None

    @property
    def is_within_cap(self) -> bool:
        """Say whether it costs no more than it may."""
        return self.cost <= self.MOST

    def matches(self, password: bytes) -> bool:
        """Say whether a password is the one that was hashed."""
        # Whoever made the hash took no more of a long password; the library would refuse to.
        return bcrypt.checkpw(password[: self.LONGEST], self.text.encode())


@dataclass(frozen=True, slots=True)
class Scrypt:
    """``N$r$p$salt$digest``, both in hexadecimal digits (RFC 7914)."""

    MOST_N, MOST_R, MOST_P = 65536, 8, 1
    CAP: ClassVar = f"N={MOST_N}, r={MOST_R}, p={MOST_P}"
    TEXT: ClassVar = re.compile(
        r"([1-9][0-9]{0,8})\$([1-9][0-9]{0,8})\$([1-9][0-9]{0,8})\$((?:[0-9a-f]{2}){1,64})\$((?:[0-9a-f]{2}){16,64})",
        re.IGNORECASE | re.ASCII,
    )
    MEMORY: ClassVar = 1 << 27
    """Bytes it may take, twice what the cap does: OpenSSL allows half of that, unless told."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @classmethod
    def read(cls, text: str) -> Scrypt | None:
        """Return what a text says, None where it is no such hash."""
        found = cls.TEXT.fullmatch(text)
        if found is None:
            return None
        n, r, p = int(found[1]), int(found[2]), int(found[3])
        is_power = n > 1 and not n & (n - 1)
        # RFC 7914, section 2.
        if not is_power or n.bit_length() > 16 * r:
            return None
        return cls(n, r, p, bytes.fromhex(found[4]), bytes.fromhex(found[5]))

    @property
    def is_within_cap(self) -> bool:
        """Say whether it costs no more than it may."""
        return self.n <= self.MOST_N and self.r <= self.MOST_R and self.p <= self.MOST_P

    def matches(self, password: bytes) -> bool:
        """Say whether a password is the one that was hashed."""
        made = hashlib.scrypt(
            password, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=self.MEMORY, dklen=len(self.digest)
        )
        return hmac.compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True)
class Argon2id:
    """A PHC string of version 19 (RFC 9106)."""

    MOST_MEMORY, MOST_TIME, MOST_LANES = 19456, 2, 1
    CAP: ClassVar = f"m={MOST_MEMORY}, t={MOST_TIME}, p={MOST_LANES}"
    TEXT: ClassVar = re.compile(
        r"\$argon2id\$v=19\$m=([1-9][0-9]{0,8}),t=([1-9][0-9]{0,8}),p=([1-9][0-9]{0,8})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
    )
    SALT: ClassVar = range(8, 65)
    """How many bytes the library takes."""
    LEAST: ClassVar = 8
    """KiB for each lane (RFC 9106, section 3.1)."""

    memory: int
    time: int
    lanes: int
    salt: bytes
    digest: bytes

    @classmethod
    def read(cls, text: str) -> Argon2id | None:
        """Return what a text says, None where it is no such hash."""
        found = cls.TEXT.fullmatch(text)
        if found is None:
            return None
        memory, time, lanes = int(found[1]), int(found[2]), int(found[3])
        salt, digest = _from_base64(found[4]), _from_base64(found[5])
        is_sound = len(salt) in cls.SALT and len(digest) in DIGEST and memory >= cls.LEAST * lanes
        return cls(memory, time, lanes, salt, digest) if is_sound else None

    @property
    def is_within_cap(self) -> bool:
        """Say whether it costs no more than it may."""
        return self.memory <= self.MOST_MEMORY and self.time <= self.MOST_TIME and self.lanes <= self.MOST_LANES

    def matches(self, password: bytes) -> bool:
        """Say whether a password is the one that was hashed."""
        made = low_level.hash_secret_raw(
            password,
            self.salt,
            time_cost=self.time,
            memory_cost=self.memory,
            parallelism=self.lanes,
            hash_len=len(self.digest),
            type=low_level.Type.ID,
        )
        return hmac.compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True)
class Pbkdf2Sha256:
    """``$pbkdf2-sha256$rounds$salt$digest``, as passlib writes it: base64 unpadded, with dots for plus signs."""

    MOST: ClassVar = 600_000
    CAP: ClassVar = f"{MOST:,} rounds"
    TEXT: ClassVar = re.compile(r"\$pbkdf2-sha256\$([1-9][0-9]{0,8})\$([A-Za-z0-9./+]+)\$([A-Za-z0-9./+]+)")
    BLOCK: ClassVar = 32

    rounds: int
    salt: bytes
    digest: bytes

    @classmethod
    def read(cls, text: str) -> Pbkdf2Sha256 | None:
        """Return what a text says, None where it is no such hash."""
        found = cls.TEXT.fullmatch(text)
        if found is None:
            return None
        salt, digest = (_from_base64(part.replace(".", "+")) for part in (found[2], found[3]))
        return cls(int(found[1]), salt, digest) if len(salt) in SALT and len(digest) in DIGEST else None

    @property
    def is_within_cap(self) -> bool:
        """Say whether it costs no more than it may."""
        return self.rounds <= self.MOST

    def matches(self, password: bytes) -> bool:
        """Say whether a password is the one that was hashed."""
        # The first block says it. Each further one would take all rounds again, and the cap would be none.
        told = self.digest[: self.BLOCK]
        made = hashlib.pbkdf2_hmac("sha256", password, self.salt, self.rounds, dklen=len(told))
        return hmac.compare_digest(made, told)


Hashing = UserImportJob.Hashing
ALGORITHMS: Mapping[str, type[ForeignHash]] = {
    Hashing.BCRYPT.value: Bcrypt,
    Hashing.SCRYPT.value: Scrypt,
    Hashing.ARGON2ID.value: Argon2id,
    Hashing.PBKDF2_SHA256.value: Pbkdf2Sha256,
}


def _from_base64(text: str) -> bytes:
    """Return what an unpadded text says, nothing where it says nothing."""
    try:
        return b64decode(text + "=" * (-len(text) % 4))
    except Error:
        return b""


def kept(hashing: str, text: str) -> str:
    """Return a hash of an algorithm as it is kept in the place of one of our own.

    Raises:
        Invalid: it is none of that algorithm, or costs too much. No part of it is told.

    """
    algorithm = ALGORITHMS[hashing]
    found = algorithm.read(text)
    if found is None:
        raise Invalid(f"{COLUMN} is no hash of {hashing}.", field=COLUMN)
    if not found.is_within_cap:
        raise Invalid(f"{COLUMN} costs more than {hashing} may: {algorithm.CAP}.", field=COLUMN)
    return f"{hashing}:{text}"


def is_one(encoded: str | None) -> bool:
    """Say whether what is kept of a password is another system's hash."""
    return encoded is not None and encoded.partition(":")[0] in ALGORITHMS


def matches(encoded: str, password: bytes) -> bool:
    """Say whether a password is that of another system's hash, as it is kept."""
    hashing, _, text = encoded.partition(":")
    found = ALGORITHMS[hashing].read(text)
    return found is not None and found.matches(password)
