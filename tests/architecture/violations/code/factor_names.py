# pretend: pools/services/tokens/planted_claims.py
"""Asks for one factor by its name, where any would do."""


def methods_of(person: object) -> list[str]:
    """Return how somebody proved who they are."""
    return ["otp"] if any(held.kind == "totp" for held in person.factors) else ["pwd"]
