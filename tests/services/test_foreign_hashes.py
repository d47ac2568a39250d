"""Hashes that other systems made: those that others published, what is taken, and passwords that are odd."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import bcrypt
import pytest

from identity.foundation import gate
from identity.foundation.errors import Invalid, Misuse
from pools.models import UserPool
from pools.services.people import foreign_hashes, passwords
from tests.importer import AT_THE_CAP, CHEAP, adapted, of_argon2id, of_bcrypt, of_pbkdf2, of_scrypt

PASSWORD = "Correct-horse-7"
SALT, DIGEST = b"sixteen bytes ok", b"0123456789abcdef"
# By whom each was made is said; all are beyond what these tests could have made wrong on both sides.
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
PUBLISHED = [
    # Openwall's crypt_blowfish, wrapper.c.
    ("BCRYPT", BCRYPT, "U*U"),
    ("BCRYPT", BCRYPT.replace("2a", "2y"), "U*U"),
    # RFC 7914, section 12.
    (
        "SCRYPT",
        (
            "16384$8$1$536f6469756d43686c6f72696465$7023bdcb3afd7348461c06cd81fd38eb"
            "fda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        ),
        "pleaseletmein",
    ),
    # The reference implementation of Argon2, test.c.
    (
        "ARGON2ID",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "password",
    ),
    # passlib 1.7.4.
    (
        "PBKDF2_SHA256",
        "$pbkdf2-sha256$1000$....U29kaXVtQ2hsb3JpZGU$XlnohUFpUaWQqXSoW3bzZW31teZLT89.N8eZ.mFLHfY",
        "pleaseletmein",
    ),
]


def is_taken(hashing: str, text: str) -> bool:
    try:
        foreign_hashes.kept(hashing, text)
    except Invalid as problem:
        assert text not in problem.message
        return False
    return True


@pytest.mark.parametrize(("hashing", "text", "password"), PUBLISHED)
def test_a_published_hash_is_its_passwords_and_no_others(hashing: str, text: str, password: str) -> None:
    kept = foreign_hashes.kept(hashing, text)

    assert passwords.verify("p", kept, password)
    assert not passwords.verify("p", kept, password + "x")
    assert not passwords.verify("p", kept, "")


@pytest.mark.parametrize("hashing", sorted(CHEAP))
@pytest.mark.parametrize("made", [CHEAP, AT_THE_CAP], ids=["cheap", "at-the-cap"])
def test_the_longest_hash_that_is_taken_has_room(hashing: str, made: dict[str, Callable[[str], str]]) -> None:
    from pools.models import Password

    room = Password._meta.get_field("argon2").max_length

    assert room is not None
    assert len(foreign_hashes.kept(hashing, made[hashing](PASSWORD))) <= room


@pytest.mark.parametrize("hashing", sorted(CHEAP))
@pytest.mark.parametrize(
    "password",
    ["", "Nul-\x00-horse", "\x00", "\ud800", "ü" * 128, "x" * 256],
    ids=["none", "nul", "nuls", "half", "ü", "x"],
)
def test_any_text_is_a_password(hashing: str, password: str) -> None:
    encoded = password.encode("utf-8", "surrogatepass")
    kept = foreign_hashes.kept(hashing, CHEAP[hashing](PASSWORD))
    odd = foreign_hashes.kept("BCRYPT", bcrypt.hashpw(encoded[:72], bcrypt.gensalt(4)).decode())

    assert not passwords.verify("p", kept, password)
    assert passwords.verify("p", odd, password)


def test_an_overlong_password_is_wrong_whatever_it_begins_with() -> None:
    kept = foreign_hashes.kept("BCRYPT", of_bcrypt("x" * 72))

    assert passwords.verify("p", kept, "x" * 256)
    assert not passwords.verify("p", kept, "x" * 257)


@pytest.mark.parametrize(
    "text",
    [
        BCRYPT.replace("$05$", "$03$"),
        BCRYPT.replace("$05$", "$00$"),
        BCRYPT.replace("$05$", "$4$"),
        BCRYPT.replace("$2a$", "$2x$"),
        BCRYPT[:-1],
        BCRYPT + "\n",
        "$2b$04$" + "a" * 22 + "." * 31,  # a salt with bits that no salt has: no password would ever match
        "$2b$04$" + "." * 52 + "a" + "b",
    ],
)
def test_what_is_no_bcrypt_hash_is_refused(text: str) -> None:
    assert not is_taken("BCRYPT", text)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (of_scrypt(PASSWORD, salt=b"s", length=16), True),
        (of_scrypt(PASSWORD, salt=b"s" * 64, length=64).upper(), True),
        (of_scrypt(PASSWORD, salt=b"s" * 65), False),
        (of_scrypt(PASSWORD, salt=SALT, length=15), False),
        (of_scrypt(PASSWORD, salt=SALT, length=65), False),
        (f"16$1$1$${DIGEST.hex()}", False),
        (f"16$1$1${SALT.hex()}$", False),
        (f"0$1$1${SALT.hex()}${DIGEST.hex()}", False),
        (f"1$1$1${SALT.hex()}${DIGEST.hex()}", False),
        (f"17$1$1${SALT.hex()}${DIGEST.hex()}", False),
        (f"16$0$1${SALT.hex()}${DIGEST.hex()}", False),
        (f"16$1$0${SALT.hex()}${DIGEST.hex()}", False),
        (f"65536$1$1${SALT.hex()}${DIGEST.hex()}", False),  # RFC 7914: N is less than 2^(16r)
        (f"65536$2$1${SALT.hex()}${DIGEST.hex()}", True),
        (f"16$1$1${SALT.hex()}0${DIGEST.hex()}", False),
        (f"16$1$1${SALT.hex()}${DIGEST.hex()}$", False),
        (f"-16$1$1${SALT.hex()}${DIGEST.hex()}", False),
        (f"\u0661\u0666$1$1${SALT.hex()}${DIGEST.hex()}", False),  # digits elsewhere
    ],
)
def test_of_scrypt_is_taken_what_has_a_salt_a_digest_and_costs_that_make_sense(text: str, *, taken: bool) -> None:
    assert is_taken("SCRYPT", text) is taken
    assert not taken or not passwords.verify("p", foreign_hashes.kept("SCRYPT", text), "Wrong-horse-1")


def phc(*, m: int = 8, t: int = 1, p: int = 1, salt: bytes = SALT, digest: bytes = DIGEST, head: str = "") -> str:
    costs = f"m={m},t={t},p={p}"
    return "$".join([head or "$argon2id$v=19", costs, *(adapted(each).replace(".", "+") for each in (salt, digest))])


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (phc(), True),
        (phc(salt=b"s" * 64, digest=b"d" * 64), True),
        (phc(salt=b"s" * 8), True),
        (phc(salt=b"s" * 7), False),
        (phc(salt=b"s" * 65), False),
        (phc(salt=b""), False),
        (phc(digest=b"d" * 15), False),
        (phc(digest=b""), False),
        (phc(m=7), False),
        (phc(t=0), False),
        (phc(p=0), False),
        (phc(head="$argon2id$v=16"), False),
        (phc(head="$argon2id"), False),
        (phc(head="$argon2i$v=19"), False),
        (phc(head="$argon2d$v=19"), False),
        (phc(m=8).replace("m=8,t=1", "t=1,m=8"), False),
        (phc()[:-1] + ".", False),
    ],
)
def test_of_argon2_is_taken_what_is_argon2id_of_today_with_costs_that_make_sense(text: str, *, taken: bool) -> None:
    assert is_taken("ARGON2ID", text) is taken
    assert not taken or not passwords.verify("p", foreign_hashes.kept("ARGON2ID", text), "Wrong-horse-1")


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (of_pbkdf2(PASSWORD, rounds=1, salt=b"s", length=16), True),
        (of_pbkdf2(PASSWORD, salt=b"\xff" * 64, length=64), True),
        (of_pbkdf2(PASSWORD, salt=b"s" * 65), False),
        (of_pbkdf2(PASSWORD, salt=SALT, length=15), False),
        (of_pbkdf2(PASSWORD, salt=SALT, length=65), False),
        (f"$pbkdf2-sha256$0${adapted(SALT)}${adapted(DIGEST)}", False),
        (f"$pbkdf2-sha256$010${adapted(SALT)}${adapted(DIGEST)}", False),
        (f"$pbkdf2-sha256$10$${adapted(DIGEST)}", False),
        (f"$pbkdf2-sha256$10${adapted(SALT)}$", False),
        (f"$pbkdf2-sha256$10$a${adapted(DIGEST)}", False),  # six bits are no byte
        (f"$pbkdf2-sha256$10${adapted(SALT)}==${adapted(DIGEST)}", False),
        (f"$pbkdf2-sha512$10${adapted(SALT)}${adapted(DIGEST)}", False),
        (f"$pbkdf2$10${adapted(SALT)}${adapted(DIGEST)}", False),
        (f"pbkdf2_sha256$10${SALT.decode()}${adapted(DIGEST)}", False),  # Django's
    ],
)
def test_of_pbkdf2_is_taken_what_has_rounds_a_salt_and_a_digest(text: str, *, taken: bool) -> None:
    assert is_taken("PBKDF2_SHA256", text) is taken
    assert not taken or not passwords.verify("p", foreign_hashes.kept("PBKDF2_SHA256", text), "Wrong-horse-1")


def test_the_length_of_a_pbkdf2_digest_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = hashlib.pbkdf2_hmac

    def noting(name: str, password: bytes, salt: bytes, rounds: int, *, dklen: int) -> bytes:
        asked.append(dklen)
        return real(name, password, salt, rounds, dklen)

    kept = [foreign_hashes.kept("PBKDF2_SHA256", of_pbkdf2(PASSWORD, length=length)) for length in (16, 32, 64)]
    monkeypatch.setattr(hashlib, "pbkdf2_hmac", noting)

    assert all(passwords.verify("p", each, PASSWORD) for each in kept)
    assert asked == [16, 32, 32]


@pytest.mark.parametrize("kept", ["BCRYPT:", "SCRYPT:16$1$1$00$", "ARGON2ID:$argon2id$", "PBKDF2_SHA256:x"])
def test_a_row_that_somebody_spoilt_is_nobodys_password(kept: str) -> None:
    assert not passwords.verify("p", kept, PASSWORD)


def test_what_is_ours_is_no_other_systems(pool: UserPool) -> None:
    own = passwords.hashed(pool, "someone@example.com", PASSWORD)

    assert not passwords.is_foreign(own.argon2)
    assert not passwords.is_foreign(passwords.NOBODY)
    assert not passwords.is_foreign(None)
    assert passwords.is_foreign(foreign_hashes.kept("ARGON2ID", of_argon2id(PASSWORD)))


@pytest.mark.parametrize("hashing", sorted(CHEAP))
def test_each_is_compared_behind_the_gate(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, hashing: str
) -> None:
    from django.db import transaction

    algorithm, inside = foreign_hashes.ALGORITHMS[hashing], []
    real = algorithm.matches

    def noting(self: object, password: bytes) -> bool:
        inside.append(gate._inside.get())
        return real(self, password)  # type: ignore[arg-type]

    monkeypatch.setattr(algorithm, "matches", noting)
    kept = foreign_hashes.kept(hashing, CHEAP[hashing](PASSWORD))

    assert passwords.verify("p", kept, PASSWORD)
    with transaction.atomic(), pytest.raises(Misuse):
        passwords.verify("p", kept, PASSWORD)
    assert inside == [True]
