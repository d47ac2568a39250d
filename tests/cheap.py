"""What costs most in the product and is not what most tests ask about, made cheap: RSA keys and password hashes.

Not for tests of passwords themselves, which take what ``of_production`` keeps. What `make run` starts has none of it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator

import gmpy2
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa

EXPONENT = 65537
LEAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
of_production: dict[str, object] = {}


def install() -> None:
    """Make this process's keys and hashes cheap. Once Django is set up."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from pools.services.people import passwords
    from pools.services.pools import signing_keys

    of_production["HASHER"] = passwords.HASHER
    signing_keys.new_private_key = new_private_key
    passwords.HASHER = LEAST  # unknown users' hashes stay as they are: crowds of them are what overloads
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


def new_private_key() -> rsa.RSAPrivateKey:
    """Return a key like no other of this process or another: two primes that have not met before.

    Each new prime makes a key with every one before it: a hundred primes are 4,950 keys. Whoever has two keys with a
    common prime has both, which is why only tests do this.
    """
    with _taking:
        p, q = next(_pairs)
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    helps = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    numbers = rsa.RSAPrivateNumbers(p, q, d, *helps, rsa.RSAPublicNumbers(EXPONENT, p * q))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _each_two() -> Iterator[tuple[int, int]]:
    """Return ever new pairs of primes, the greater first."""
    primes: list[int] = []
    while True:
        new = _new_prime()
        yield from ((max(new, old), min(new, old)) for old in primes)
        primes.append(new)


def _new_prime() -> int:
    """Return a prime of 1024 bits, its upper two set: a product of two such has 2048."""
    while True:
        prime = int(gmpy2.next_prime(secrets.randbits(1024) | 3 << 1022))
        if prime % EXPONENT != 1:
            return prime


_taking = threading.Lock()
_pairs = _each_two()
