# pretend: pools/services/shortcut.py
"""A second way to tokens, by a module under another name."""

import pools.services.pools.signing_keys as press


def badge(pool: object, claims: dict[str, object]) -> object:
    """Sign."""
    return press.sign(pool, "access", claims)
