# pretend: pools/services/late.py
# breaks: PLC0415
"""Hides a circle."""


def find() -> object:
    """Find."""
    from pools.services import access

    return access
