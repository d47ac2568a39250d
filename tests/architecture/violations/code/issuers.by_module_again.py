# pretend: pools/services/shortcut.py
"""A second way to tokens, by a module that is given another name."""

from pools.services import tokens

press = tokens.issue


def badge(client: object, person: object, grant: object) -> object:
    """Sign."""
    return press.sign(client, person, (), grant, None)
