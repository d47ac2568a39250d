"""Names of user pools that identity pools keep, as they are told before and after the installation moved."""

from __future__ import annotations

import pytest
from django.conf import settings as settings_of_django
from pytest_django import Settings

from identity.foundation import names
from pools.services import configuration
from tests.contract.conftest import Place, make_identity_pool, sign_in

ROLE = "arn:aws:iam:::role/Member"
MAPPING = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}


def told(place: Place, pool: str) -> tuple[str, list[str]]:
    """Return the provider's name, and the keys of role mappings, as an identity pool is described."""
    configuration.cache.forget_everything()
    described = place.wire.ask("DescribeIdentityPool", IdentityPoolId=pool)
    [line] = described["CognitoIdentityProviders"]
    return line["ProviderName"], list(place.wire.ask("GetIdentityPoolRoles", IdentityPoolId=pool)["RoleMappings"])


@pytest.mark.parametrize("whole", [False, True], ids=["of a client", "of all clients"])
@pytest.mark.parametrize("amazons", [False, True], ids=["issuer", "amazon"])
def test_a_kept_name_is_told_as_clients_can_use_it_now(
    amazons: bool, whole: bool, place: Place, settings: Settings
) -> None:
    before = names.without_scheme(f"{settings_of_django.BASE_URL}/{place.pool}")
    after = f"id.example.com:8443/{place.pool}"
    if amazons:
        before = after = f"cognito-idp.us-east-1.amazonaws.com/{place.pool}"
    client = "" if whole else f":{place.client}"
    pool = make_identity_pool(place, before, guests=False)
    mappings = {before + client: MAPPING}
    place.wire.ask("SetIdentityPoolRoles", IdentityPoolId=pool, Roles={"authenticated": ROLE}, RoleMappings=mappings)
    assert told(place, pool) == (before, [before + client])
    token = place.tokens["IdToken"]
    identity = place.wire.ask("GetId", IdentityPoolId=pool, Logins={before: token})["IdentityId"]

    settings.BASE_URL = "https://id.example.com:8443"

    name, keys = told(place, pool)
    assert (name, keys) == (after, [after + client])
    token = sign_in(place.wire, place.client, place.username)["AuthenticationResult"]["IdToken"]
    assert place.wire.ask("GetId", IdentityPoolId=pool, Logins={name: token})["IdentityId"] == identity
    # What is told can be written back.
    place.wire.ask(
        "SetIdentityPoolRoles", IdentityPoolId=pool, Roles={"authenticated": ROLE}, RoleMappings={keys[0]: MAPPING}
    )
    assert told(place, pool) == (after, [after + client])
