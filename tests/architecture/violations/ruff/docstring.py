# pretend: pools/services/mute.py
# breaks: D103
"""Has a function that promises nothing."""


def double(value: int) -> int:
    return value * 2
