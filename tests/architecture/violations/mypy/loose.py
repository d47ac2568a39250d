# breaks: no-untyped-def
"""Says nothing of what it takes: only strictness minds."""


def double(value):
    """Return it twice."""
    return value * 2
