# pretend: pools/services/loose.py
# breaks: ANN001
"""Says nothing of its arguments."""


def double(value) -> int:
    """Return it twice."""
    return int(value) * 2
