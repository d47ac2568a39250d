"""What costs most in the product and is not what most tests ask about, made cheap: RSA keys and password hashes.

Not for tests of passwords themselves, which take what ``of_production`` keeps. What `make run` starts has none of it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import rsa

EXPONENT = 65537
LEAST = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
of_production: dict[str, object] = {}
_making = threading.Lock()
_primes: list[int] = []
_pairs: Iterator[tuple[int, int]] = iter(())


def install() -> None:
    """Make this process's keys and hashes cheap. Once Django is set up."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    from pools.services.people import passwords
    from pools.services.pools import signing_keys

    of_production["HASHER"] = passwords.HASHER
    signing_keys.new_private_key = new_private_key
    passwords.HASHER = LEAST  # strangers cost what they cost: crowds of them are what overloads
    Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1


def new_private_key() -> rsa.RSAPrivateKey:
    """Return a key like no other of this process or another: two primes that have not met before.

    Each second key made whole gives its primes to dozens more: a hundred primes are 4,950 keys. Whoever has two keys
    with a common prime has both, which is why only tests do this.
    """
    p, q = _two_primes()
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    helps = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    numbers = rsa.RSAPrivateNumbers(p, q, d, *helps, rsa.RSAPublicNumbers(EXPONENT, p * q))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _two_primes() -> tuple[int, int]:
    global _pairs  # noqa: PLW0603 - one a process
    with _making:
        pair = next(_pairs, None)
        if pair is None:
            made = rsa.generate_private_key(EXPONENT, 2048).private_numbers()
            pair = (made.p, made.q)
            _pairs = itertools.product(_primes[:], pair)
            _primes.extend(pair)
    return max(pair), min(pair)
