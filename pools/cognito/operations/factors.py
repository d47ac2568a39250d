"""Second factors: an app is enrolled, which are asked for is said; an administrator removes an app that is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from identity.foundation.errors import Invalid, NotAvailable
from pools.cognito.challenges import BY_SMS, PREFERENCES
from pools.cognito.contract import Reply, user_pools
from pools.cognito.operations import account
from pools.services import access
from pools.services.sign_in import enrolment, own_factors
from pools.services.sign_in.factors import sms, totp
from pools.services.sign_in.own_factors import Preference

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AdminDeleteSoftwareTokenRequestTypeDef,
        AdminSetUserMFAPreferenceRequestTypeDef,
        AdminSetUserSettingsRequestTypeDef,
        AssociateSoftwareTokenRequestTypeDef,
        MFAOptionTypeTypeDef,
        SetUserMFAPreferenceRequestTypeDef,
        SetUserSettingsRequestTypeDef,
        VerifySoftwareTokenRequestTypeDef,
    )

    from identity.foundation.actor import Actor
    from pools.models import UserPool

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
    secret, attempt_token = enrolment.enrol(None, call["Session"], totp.kind, by=by)
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
    attempt_token = enrolment.prove_enrolment(None, call["Session"], totp.kind, call["UserCode"], name=name, by=by)
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


@user_pools.operation
def set_user_settings(call: SetUserSettingsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_SetUserSettings."""
    bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
    wishes = by_sms(bearer.pool, call["MFAOptions"])
    own_factors.set_preference(bearer.pool, bearer.person, wishes, by=account.acting(by, bearer))
    return {}


@user_pools.operation
def admin_set_user_settings(call: AdminSetUserSettingsRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AdminSetUserSettings."""
    pool = access.pool(call["UserPoolId"])
    user, wishes = access.user(pool, call["Username"]), by_sms(pool, call["MFAOptions"])
    own_factors.set_preference(pool, user, wishes, by=by)
    return {}


def by_sms(pool: UserPool, options: Sequence[MFAOptionTypeTypeDef]) -> dict[str, Preference]:
    """Return what (Admin)SetUserSettings asks for, which knows codes by SMS alone: that they are asked for, or not.

    Where the pool has none, none are to be turned off.

    Raises:
        Invalid: another way is named.

    """
    told = BY_SMS
    if any(
        option.get("DeliveryMedium") != told["DeliveryMedium"] or option.get("AttributeName") != told["AttributeName"]
        for option in options
    ):
        raise Invalid("MFAOptions can name SMS to phone_number alone.", field="MFAOptions")
    return {sms.kind: Preference(enabled=bool(options))} if options or sms.is_open(pool) else {}


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
