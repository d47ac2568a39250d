# pretend: pools/services/shortcut.py
"""A second way to tokens, by a text."""

from pools.services.tokens import tokens


def badge(client: object, person: object, grant: object) -> object:
    """Sign."""
    return getattr(tokens, "issue")(client, person, (), grant)
