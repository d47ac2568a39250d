# pretend: pools/services/shortcut.py
"""A second way to tokens, by a text."""

from pools.services.tokens import issue


def badge(client: object, person: object, grant: object) -> object:
    """Sign."""
    return getattr(issue, "issue")(client, person, (), grant)
