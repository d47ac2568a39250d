# pretend: pools/services/quiet.py
"""Hears nothing."""


def attempt(work: object) -> None:
    """Try."""
    try:
        work()  # type: ignore[operator]
    except Exception:
        pass
