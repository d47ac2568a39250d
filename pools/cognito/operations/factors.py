"""Second factors: enrolling an authenticator app and preferring it."""

from __future__ import annotations

from identity.foundation.errors import Invalid, NotAvailable
from pools.cognito.contract import Reply, Request, user_pools
from pools.cognito.operations import account
from pools.services.sign_in import factors, machine

NEITHER = "Either AccessToken or Session is required."
LATER = ("SMSMfaSettings", "EmailMfaSettings", "WebAuthnMfaSettings")


@user_pools.operation
def associate_software_token(call: Request) -> Reply:
    """AWS: API_AssociateSoftwareToken."""
    if "AccessToken" in call:
        bearer = account.bearer_of(call, changing_proof=True)
        return {"SecretCode": factors.associate(bearer.pool, bearer.person, by=account.acting(call, bearer))}
    if "Session" not in call:
        raise Invalid(NEITHER)
    secret, session = machine.associate(None, call["Session"], by=call.by)
    return {"SecretCode": secret, "Session": session}


@user_pools.operation
def verify_software_token(call: Request) -> Reply:
    """AWS: API_VerifySoftwareToken."""
    name = call.get("FriendlyDeviceName", "")
    if "AccessToken" in call:
        bearer = account.bearer_of(call, changing_proof=True)
        by = account.acting(call, bearer)
        factors.verify(bearer.pool, bearer.person, call["UserCode"], name=name, by=by)
        return {"Status": "SUCCESS"}
    if "Session" not in call:
        raise Invalid(NEITHER)
    session = machine.verify_enrolment(None, call["Session"], call["UserCode"], name=name, by=call.by)
    return {"Status": "SUCCESS", "Session": session}


@user_pools.operation
def set_user_mfa_preference(call: Request) -> Reply:
    """AWS: API_SetUserMFAPreference."""
    for name in LATER:
        if any(call.get(name, {}).values()):
            raise NotAvailable(f"{name} is not available in this release.")
    bearer = account.bearer_of(call, changing_proof=True)
    totp = call.get("SoftwareTokenMfaSettings")
    wanted = totp and {"enabled": totp.get("Enabled", False), "preferred": totp.get("PreferredMfa", False)}
    factors.set_preference(bearer.pool, bearer.person, totp=wanted, by=account.acting(call, bearer))
    return {}
