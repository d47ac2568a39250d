"""Second factors: enrolling an authenticator app and preferring it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from identity.foundation.errors import Invalid, NotAvailable
from pools.cognito.contract import Reply, user_pools
from pools.cognito.operations import account
from pools.services.sign_in import factors, machine

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.type_defs import (
        AssociateSoftwareTokenRequestTypeDef,
        SetUserMFAPreferenceRequestTypeDef,
        VerifySoftwareTokenRequestTypeDef,
    )

    from identity.foundation.actor import Actor

NEITHER = "Either AccessToken or Session is required."
LATER = ("SMSMfaSettings", "EmailMfaSettings", "WebAuthnMfaSettings")


@user_pools.operation
def associate_software_token(call: AssociateSoftwareTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_AssociateSoftwareToken."""
    if "AccessToken" in call:
        bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
        return {"SecretCode": factors.associate(bearer.pool, bearer.person, by=account.acting(by, bearer))}
    if "Session" not in call:
        raise Invalid(NEITHER)
    secret, attempt_token = machine.associate(None, call["Session"], by=by)
    return {"SecretCode": secret, "Session": attempt_token}


@user_pools.operation
def verify_software_token(call: VerifySoftwareTokenRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_VerifySoftwareToken."""
    name = call.get("FriendlyDeviceName", "")
    if "AccessToken" in call:
        bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
        by = account.acting(by, bearer)
        factors.verify(bearer.pool, bearer.person, call["UserCode"], name=name, by=by)
        return {"Status": "SUCCESS"}
    if "Session" not in call:
        raise Invalid(NEITHER)
    attempt_token = machine.verify_enrolment(None, call["Session"], call["UserCode"], name=name, by=by)
    return {"Status": "SUCCESS", "Session": attempt_token}


@user_pools.operation
def set_user_mfa_preference(call: SetUserMFAPreferenceRequestTypeDef, by: Actor) -> Reply:
    """AWS: API_SetUserMFAPreference."""
    later: Mapping[str, Any] = {name: given for name, given in call.items() if name in LATER}
    for name, given in later.items():
        if any(given.values()):
            raise NotAvailable(f"{name} is not available in this release.")
    bearer = account.bearer_of(call["AccessToken"], changing_proof=True)
    totp = call.get("SoftwareTokenMfaSettings")
    wanted = (
        None if totp is None else {"enabled": totp.get("Enabled", False), "preferred": totp.get("PreferredMfa", False)}
    )
    factors.set_preference(bearer.pool, bearer.person, totp=wanted, by=account.acting(by, bearer))
    return {}
