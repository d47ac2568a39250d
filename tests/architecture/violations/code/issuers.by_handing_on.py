# pretend: pools/services/shortcut.py
"""A second way to tokens, that hands on what signs and calls nothing."""

from functools import partial

from pools.services.tokens import issue


def maker(client: object) -> object:
    """Return what signs."""
    return partial(issue.sign, client)
