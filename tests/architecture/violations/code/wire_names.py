# pretend: pools/services/leaky.py
"""Knows what Amazon calls things."""


def deliver(given: dict[str, str]) -> str:
    """Return where a code went."""
    return given["CodeDeliveryDetails"]
