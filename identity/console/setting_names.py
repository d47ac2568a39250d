"""What console and management API call the settings that services name in a refusal: made from the tables."""

from __future__ import annotations

from pools.services.pools import client_settings, pool_choices, pool_settings

DETAIL = "details."
"""How a detail of an identity provider is named in a body."""
OF_PROVIDERS = {"provider_name": "name", "provider_type": "kind", "idp_identifiers": "identifiers"}


def operators_name(setting: str) -> str:
    """Return the field of a form, or the member of a body, that a setting is given by; other names as they are."""
    if setting.startswith("provider_details."):
        return DETAIL + setting.removeprefix("provider_details.")
    # How people sign in is one choice when a pool is made, and several settings, which cannot be changed later.
    names = {**pool_settings.TABLE.operators_names, **client_settings.TABLE.operators_names, **pool_choices.FIELDS}
    return {**names, **OF_PROVIDERS}.get(setting, setting)
