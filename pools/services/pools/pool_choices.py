"""What an operator chooses of a new pool, in console and management API, as the settings that make it.

The wire API asks for nothing of this: there each setting is given by itself. What is checked is ``pool_settings``.
"""

from __future__ import annotations

from typing import Any

from pools.models import UserPool

SIGN_IN: dict[str, dict[str, Any]] = {
    "email": {"username_attributes": ["email"], "verified": ["email"], "required": ["email"]},
    "phone_number": {
        "username_attributes": ["phone_number"],
        "verified": ["phone_number"],
        "required": ["phone_number"],
    },
    "email_or_phone_number": {
        "username_attributes": ["email", "phone_number"],
        "verified": ["email", "phone_number"],
        "required": [],
    },
    "username": {"verified": ["email"], "required": ["email"]},
    "username_or_email": {"alias_attributes": ["email"], "verified": ["email"], "required": ["email"]},
}
"""How people sign in: the names that they have, which addresses are verified, and what everyone needs to have.

Whoever has no address cannot confirm an account, nor get back in without the password: a pool of usernames asks for an
email address too.
"""


FIELDS = {"username_attributes": "sign_in", "auto_verified_attributes": "sign_in"}
"""The choice that gives a setting."""


def settings(*, sign_in: str, admin_only_sign_up: bool, mfa: str, recent_proof: bool) -> dict[str, Any]:
    """Return the settings of a pool with these choices; the rest is Cognito's defaults.

    Usernames are not case-sensitive, as Cognito's console makes pools: two people whose names look alike are one
    mistake that cannot be mended later (AWS: API_UsernameConfigurationType).
    """
    names = dict(SIGN_IN[sign_in])
    verified, required = names.pop("verified"), names.pop("required")
    return {
        **names,
        "auto_verified_attributes": verified,
        "schema": [
            {"name": name, "attribute_data_type": "String", "mutable": True, "required": True} for name in required
        ],
        "username_configuration": {"case_sensitive": False},
        "admin_create_user_config": {"allow_admin_create_user_only": admin_only_sign_up},
        "mfa_configuration": mfa,
        "software_token_mfa_configuration": {"enabled": mfa != UserPool.Mfa.OFF},
        "recent_proof": recent_proof,
    }
