# pretend: pools/services/shortcut.py
"""A second way to tokens, by a name of its own."""

from pools.services.tokens import issue

badge = issue.issue
