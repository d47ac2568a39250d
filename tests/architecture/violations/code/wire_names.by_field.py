# pretend: pools/services/leaky.py
"""Names a field as Amazon does."""

from identity.foundation.errors import Invalid


def refuse() -> None:
    """Refuse a role."""
    raise Invalid(field="CustomRoleArn")
