"""Second factors: enrolling an authenticator app and preferring it; an administrator also removes one that is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from identity.foundation.errors import Invalid, NotAvailable
from pools.cognito.challenges import PREFERENCES
from pools.cognito.contract import Reply, user_pools
from pools.cognito.operations import account
from pools.services import access
from pools.services.sign_in import machine, own_factors
from pools.services.sign_in.factors import totp
from pools.services.sign_in.own_factors import Preference

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminDeleteSoftwareTokenRequestTypeDef,
        AdminSetUserMFAPreferenceRequestTypeDef,
        AssociateSoftwareTokenRequestTypeDef,
        SetUserMFAPreferenceRequestTypeDef,
        VerifySoftwareTokenRequestTypeDef,
    )

    from identity.foundation.actor import Actor

NEITHER = "Either AccessToken or Session is required."


@user_pools.operation
def associate_software_token(call: AssociateSoftwareTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AssociateSoftwareToken."""
    if "AccessToken" in call:
        bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
        secret = own_factors.enrol(bearer.pool, bearer.person, totp.kind, by=account.acting(by, bearer))
        return {"SecretCode": secret}
    if "Session" not in call:
        raise Invalid(NEITHER)
    secret, attempt_token = machine.enrol(None, call["Session"], totp.kind, by=by)
    return {"SecretCode": secret, "Session": attempt_token}


@user_pools.operation
def verify_software_token(call: VerifySoftwareTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_VerifySoftwareToken."""
    name = call.get("FriendlyDeviceName", "")
    if "AccessToken" in call:
        bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
        by = account.acting(by, bearer)
        own_factors.prove(bearer.pool, bearer.person, totp.kind, call["UserCode"], name=name, by=by)
        return {"Status": "SUCCESS"}
    if "Session" not in call:
        raise Invalid(NEITHER)
    attempt_token = machine.prove_enrolment(None, call["Session"], totp.kind, call["UserCode"], name=name, by=by)
    return {"Status": "SUCCESS", "Session": attempt_token}


@user_pools.operation
def set_user_mfa_preference(call: SetUserMFAPreferenceRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_SetUserMFAPreference."""
    wishes = wished(call)
    bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
    own_factors.set_preference(bearer.pool, bearer.person, wishes, by=account.acting(by, bearer))
    return {}


@user_pools.operation
def admin_set_user_mfa_preference(call: AdminSetUserMFAPreferenceRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminSetUserMFAPreference."""
    wishes = wished(call)
    pool = access.pool(call["UserPoolId"])
    own_factors.set_preference(pool, access.user(pool, call["Username"]), wishes, by=by)
    return {}


@user_pools.operation
def admin_delete_software_token(call: AdminDeleteSoftwareTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminDeleteSoftwareToken. Who has none has none afterwards."""
    pool = access.pool(call["UserPoolId"])
    own_factors.remove_lost(pool, access.user(pool, call["Username"]), totp.kind, by=by)
    return {}


def wished(call: Mapping[str, Any]) -> dict[str, Preference]:
    """Return what (Admin)SetUserMFAPreference asks for, by the factor's kind.

    Raises:
        NotAvailable: a factor of a later release is to be asked for.

    """
    given: dict[str, Mapping[str, Any]] = {name: value for name, value in call.items() if name.endswith("MfaSettings")}
    for name, settings in given.items():
        if name not in PREFERENCES and any(settings.values()):
            raise NotAvailable(f"{name} is not available in this release.")
    return {
        PREFERENCES[name]: Preference(settings.get("Enabled", False), settings.get("PreferredMfa", False))
        for name, settings in given.items()
        if name in PREFERENCES
    }
