# pretend: pools/services/shortcut.py
"""A second way to tokens, by an import that others may take it from."""

from pools.services.tokens.issue import sign

__all__ = ["sign"]
