"""SRP as a client of Cognito's reckons it, by whole numbers alone: shares no line with the product."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

# RFC 3526, group 15.
N = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b"
    "302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe6"
    "49286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d"
    "670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
    "3995497cea956ae515d2261898fa051015728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7d"
    "b3970f85a6e1e4c7abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c"
    "bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a93ad2caffffffffffffffff",
    16,
)
G = 2
STAMP = "Tue Mar 3 04:05:06 UTC 2026"


def padded(number: int) -> bytes:
    """Return a number's bytes, a zero before a first byte whose top bit is set."""
    return number.to_bytes((number.bit_length() + 8) // 8, "big")


def number(*parts: bytes) -> int:
    """Return SHA-256 as a number."""
    return int(hashlib.sha256(b"".join(parts)).hexdigest(), 16)


class Client:
    """One exchange: a secret, what is sent first, and the answer to the challenge."""

    def __init__(self, password: str, secret: int = 0) -> None:
        """Choose a secret."""
        self.password = password
        self.secret = secret or secrets.randbits(256)
        self.public = pow(G, self.secret, N)

    def key(self, pool_id: str, user_id: str, salt: str, server_public: str) -> bytes:
        """Return the shared key."""
        b = int(server_public, 16)
        inner = hashlib.sha256(f"{pool_id.split('_')[1]}{user_id}:{self.password}".encode()).digest()
        x = number(padded(int(salt, 16)), inner)
        u = number(padded(self.public), padded(b))
        k = number(padded(N), padded(G))
        shared = pow(b - k * pow(G, x, N), self.secret + u * x, N)
        extracted = hmac.digest(padded(u), padded(shared), "sha256")
        return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]

    def answer(self, pool_id: str, given: dict[str, str], stamp: str = STAMP) -> dict[str, str]:
        """Return the answer to PASSWORD_VERIFIER."""
        user_id, block = given["USER_ID_FOR_SRP"], given["SECRET_BLOCK"]
        key = self.key(pool_id, user_id, given["SALT"], given["SRP_B"])
        message = pool_id.split("_")[1].encode() + user_id.encode() + b64decode(block) + stamp.encode()
        return {
            "USERNAME": user_id,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": b64encode(hmac.digest(key, message, "sha256")).decode(),
            "TIMESTAMP": stamp,
        }
