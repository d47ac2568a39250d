# pretend: pools/services/providers/planted_rules.py
"""Asks for one kind of provider by its name, where what a kind says of itself would do."""


def is_signed_out(provider: object) -> bool:
    """Say whether somebody signs out there too."""
    return bool(provider.type == "SAML")
