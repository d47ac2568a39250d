"""The keys by which providers sign (RFC 7517), as a process holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from federation import json_answers
from federation.published import Published
from identity.foundation.errors import OutsideUnavailable

CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ALGORITHMS = (*(f"{kind}{bits}" for kind in ("RS", "PS") for bits in (256, 384, 512)), *CURVES)
"""What an ID token may be signed by: never by nothing, and never by a secret."""
MOST_KEYS = 100
MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}
"""Of a public key. Others are not looked at, least of all those of a private one that was published by mistake."""
BITS = range(2048, 8193)
"""Of RSA: fewer are weak, more keep a thread busy."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A public key of a provider."""

    kid: str
    alg: str
    """The one algorithm that it is for; empty where the provider does not say."""
    key: RSAKey | ECKey

    def fits(self, alg: str) -> bool:
        """Say whether the key is for an algorithm."""
        if self.alg and self.alg != alg:
            return False
        return self.key.curve_name == CURVES.get(alg) if isinstance(self.key, ECKey) else alg[:2] in {"RS", "PS"}


Keys = tuple[ProviderKey, ...]


def find(url: str, *, kid: str, alg: str) -> Keys:
    """Return the keys of a provider that a token with this header may be signed by; all that fit where it names none.

    An unknown ``kid`` has them read anew, at most every :data:`federation.published.FORCED` seconds.

    Raises:
        OutsideUnavailable: they cannot be had; or none is known that fits, and whether there is a new one, neither.
        Overloaded: too many calls are under way.

    """
    known = documents.get(url)
    found = chosen(known, kid, alg) or chosen(documents.newer(url, known), kid, alg)
    if not found and (failed := documents.state(url)).problem:
        raise OutsideUnavailable(code=failed.problem, parameters=failed.parameters, detail=failed.detail)
    return found


def chosen(keys: Keys, kid: str, alg: str) -> Keys:
    """Return those keys that fit."""
    return tuple(each for each in keys if each.fits(alg) and (not kid or each.kid == kid))


def fetch(url: str) -> Keys:
    """Read the keys at a URL. Raises as :func:`find`."""
    told = json_answers.document(url).get("keys")
    if not isinstance(told, list):
        raise OutsideUnavailable(code="no_keys", detail=f"{url} has no keys")
    return tuple(each for given in told[:MOST_KEYS] for each in read(given))


def read(given: object) -> Iterator[ProviderKey]:
    """Yield the key that an entry of a set is; nothing for one that is of no use here (RFC 7517 5)."""
    if not isinstance(given, Mapping) or given.get("use", "sig") != "sig":
        return
    kid, alg = given.get("kid", ""), given.get("alg", "")
    if not isinstance(kid, str) or alg not in {"", *ALGORITHMS}:
        return
    key = imported(given)
    if key is not None:
        yield ProviderKey(kid, alg, key)


def imported(given: Mapping[str, Any]) -> RSAKey | ECKey | None:
    """Return a key's public part; None for what is none, or too weak or too large."""
    names = MEMBERS.get(str(given.get("kty")), ())
    public = {name: value for name in names if isinstance(value := given.get(name), str) and len(value) <= BITS.stop}
    if not names or len(public) < len(names):
        return None
    try:
        if public["kty"] == "EC":
            return ECKey.import_key({**public}) if public["crv"] in CURVES.values() else None
        # base64 has six bits a character: weak ones are not even made into keys.
        if len(public["n"].rstrip("=")) * 6 < BITS.start:
            return None
        key = RSAKey.import_key({**public})
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if key.raw_value.key_size in BITS else None


documents = Published(fetch)
