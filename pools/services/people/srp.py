"""SRP-6a as Cognito's clients speak it: pure arithmetic on text and numbers, no storage, no clock.

The caller holds the gate: gmpy2 keeps the interpreter's lock while it computes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from typing import NamedTuple

from gmpy2 import mpz, powmod, powmod_sec

# The 3072-bit group of RFC 3526 section 3 (group 15), also in RFC 5054 appendix A.
PRIME = mpz(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
GENERATOR = mpz(2)
INFO = b"Caldera Derived Key\x01"
KEY_SIZE = 16
SIZE = 384
"""Bytes of a public value."""
HEX = re.compile(r"[0-9a-fA-F]{1,1024}", re.ASCII)


class ServerHello(NamedTuple):
    """The server's ephemeral pair: ``secret`` stays in the sealed attempt, ``public`` goes to the client."""

    secret: int
    public: int


def padded(number: int) -> bytes:
    """Return a number as Java's ``BigInteger.toByteArray`` does: big-endian, minimal, the top bit clear."""
    return int(number).to_bytes(int(number).bit_length() // 8 + 1, "big")


def digest(*parts: bytes) -> int:
    """Return SHA-256 over the parts, as a number."""
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


MULTIPLIER = mpz(digest(padded(int(PRIME)), padded(int(GENERATOR))))


def pool_name(pool_id: str) -> str:
    """Return the part of a pool's public id that SRP covers."""
    return pool_id.split("_", 1)[1]


def private_key(pool_id: str, user_id: str, password: str, salt: int) -> int:
    """Return x: what salt, pool, internal username and password make together."""
    identity = f"{pool_name(pool_id)}{user_id}:{password}".encode("utf-8", "surrogatepass")
    return digest(padded(salt), hashlib.sha256(identity).digest())


def verifier(pool_id: str, user_id: str, password: str, salt: int) -> int:
    """Return v, which is kept instead of the password."""
    return int(powmod_sec(GENERATOR, mpz(private_key(pool_id, user_id, password, salt)), PRIME))


def server_hello(kept: int, secret: int | None = None) -> ServerHello:
    """Return the server's half of the exchange for a kept verifier; ``secret`` is given by tests only."""
    while True:
        b = mpz(secret if secret is not None else secrets.randbits(256) | 1 << 255)
        public = (MULTIPLIER * mpz(kept) + powmod_sec(GENERATOR, b, PRIME)) % PRIME
        if public:
            return ServerHello(int(b), int(public))


def acceptable(client_public: int) -> bool:
    """Say whether A is a proper public value: with a multiple of N anyone knows the key (RFC 5054 section 2.5.4)."""
    return 0 < client_public < int(PRIME)


def public_value(text: str) -> int | None:
    """Return the A that a client sends in hexadecimal, None where it is none, or no secret."""
    if not HEX.fullmatch(text):
        return None
    value = int(text, 16)
    return value if acceptable(value) else None


def scrambler(client_public: int, server_public: int) -> int:
    """Return u, which ties the key to both public values."""
    return digest(padded(client_public), padded(server_public))


def shared_key(client_public: int, u: int, secret: int, kept: int) -> bytes | None:
    """Return the shared key from what the server keeps of the exchange, None where that is degenerate."""
    if not acceptable(client_public) or u == 0:
        return None
    blinded = mpz(client_public) * powmod(mpz(kept), mpz(u), PRIME) % PRIME
    return derived(u, int(powmod_sec(blinded, mpz(secret), PRIME)))


def verifier_of_nobody(seed: bytes) -> int:
    """Return a verifier that no password is known for, the same for the same seed, and like any other."""
    return int.from_bytes(hashlib.shake_256(seed).digest(SIZE), "big") % int(PRIME)


def derived(u: int, shared: int) -> bytes:
    """Return the 16-byte key that both sides derive (HKDF, one block)."""
    extracted = hmac.digest(padded(u), padded(shared), "sha256")
    return hmac.digest(extracted, INFO, "sha256")[:KEY_SIZE]


def signature(key: bytes, pool_id: str, user_id: str, secret_block: str, timestamp: str) -> str:
    """Return the claim signature that a client with this key sends."""
    message = pool_name(pool_id).encode() + user_id.encode() + b64decode(secret_block) + timestamp.encode()
    return b64encode(hmac.digest(key, message, "sha256")).decode()
