# pretend: pools/services/shortcut.py
"""A second way to tokens, under another name."""

from pools.services.pools.signing_keys import sign as write


def badge(pool: object, claims: dict[str, object]) -> object:
    """Sign."""
    return write(pool, "access", claims)
