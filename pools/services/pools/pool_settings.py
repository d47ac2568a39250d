"""What a user pool may be set to: CreateUserPool's members checked, defaults filled in. Pure: writes no row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as installation

from identity.foundation.errors import Invalid, NotAvailable
from pools.models import UserPool
from pools.services.pools import message_templates, password_policy, schema
from pools.services.pools.schema import is_email

ADDRESSES = ("email", "phone_number")
ALIASES = (*ADDRESSES, "preferred_username")
MECHANISMS = ("verified_email", "verified_phone_number", "admin_only")
SHORTEST, LONGEST = 6, 99
MAX_DAYS = 365
MAX_TAGS, TAG_KEY, TAG_VALUE = 50, 128, 256
TIERS = ("LITE", "ESSENTIALS", "PLUS")
HARMLESS: dict[str, Any] = {
    "lambda_config": {},
    "sms_configuration": {},
}
"""Members of features that this release has not: only these values say the same as leaving them out."""
ACR_LEVELS = {f"Level{level}": {"acr_value": f"urn:cognito:loa:{level}"} for level in range(1, 5)}
"""Cognito's own names of the four levels, told where no others were given. AWS: API_UserPoolType, AcrConfiguration."""
RECOVERY = ({"priority": 1, "name": "verified_email"}, {"priority": 2, "name": "verified_phone_number"})
"""How people recover their passwords where nothing was said (COGNITO.md C.2)."""
FIRST_FACTORS = ("PASSWORD",)
"""How people begin to sign in where nothing was said (COGNITO.md C.2); this release knows no other way."""
KEPT = (
    "sms_verification_message",
    "email_verification_message",
    "email_verification_subject",
    "verification_message_template",
    "sms_authentication_message",
    "user_attribute_update_settings",
    "email_configuration",
    "user_pool_tags",
    "admin_create_user_config",
    "account_recovery_setting",
    "user_pool_tier",
    "user_pool_add_ons",
    "dcr_configuration",
    "key_configuration",
    "issuer_configuration",
    "username_configuration",
)
KNOWN = {
    *KEPT,
    *HARMLESS,
    "acr_configuration",
    "device_configuration",
    "policies",
    "deletion_protection",
    "recent_proof",
    "software_token_mfa_configuration",
    "auto_verified_attributes",
    "alias_attributes",
    "username_attributes",
    "mfa_configuration",
    "schema",
}


def apply(pool: UserPool, given: Mapping[str, Any]) -> None:
    """Put settings into a row that is not saved yet; what is not given is Cognito's default.

    Raises:
        Invalid: a setting breaks a rule.
        NotAvailable: a setting asks for what this release has not.

    """
    settings = {name: value for name, value in given.items() if value is not None}
    if unknown := settings.keys() - KNOWN:
        raise Invalid(f"Unknown settings: {', '.join(sorted(unknown))}")
    _refuse_what_is_missing(settings)
    _names(pool, settings)
    pool.password_policy = _password_policy(settings)
    pool.schema = schema.read(settings.get("schema") or [])
    if "preferred_username" in pool.alias_attributes and "preferred_username" in schema.required(pool):
        raise Invalid(
            "preferred_username cannot be an alias and required.",
            field="alias_attributes",
        )
    pool.mfa, pool.totp_enabled = _first_second_factor(settings)
    protection = settings.get("deletion_protection") or "INACTIVE"
    if protection not in ("ACTIVE", "INACTIVE"):
        raise Invalid("DeletionProtection is ACTIVE or INACTIVE.", field="deletion_protection")
    pool.deletion_protected = protection == "ACTIVE"
    pool.recent_proof = bool(settings.get("recent_proof"))  # the wire API has no word for it
    invitations = settings.get("admin_create_user_config") or {}
    pool.admin_only_sign_up = bool(invitations.get("allow_admin_create_user_only"))
    _templates(settings, invitations)
    _recovery(settings)
    _updates(pool, settings)
    _mail(settings.get("email_configuration") or {})
    _tags(settings.get("user_pool_tags") or {})
    if settings.get("user_pool_tier", "ESSENTIALS") not in TIERS:
        raise Invalid("Unknown user pool tier.", field="user_pool_tier")
    pool.configuration = {name: settings[name] for name in KEPT if settings.get(name)}


def second_factor(settings: Mapping[str, Any]) -> tuple[str, bool]:
    """Return whether a second factor is asked for, and whether an authenticator is one: as SetUserPoolMfaConfig has it.

    Raises:
        Invalid: the two contradict each other.

    """
    mode = settings.get("mfa_configuration") or UserPool.Mfa.OFF
    if mode not in UserPool.Mfa.values:
        raise Invalid("MfaConfiguration is OFF, ON or OPTIONAL.", field="mfa_configuration")
    totp = bool((settings.get("software_token_mfa_configuration") or {}).get("enabled"))
    if mode == UserPool.Mfa.OFF and totp:
        raise Invalid(
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
            field="mfa_configuration",
        )
    if mode != UserPool.Mfa.OFF and not totp:
        raise Invalid(
            "Invalid MFA configuration given, can't turn on MFA without an MFA type.",
            field="mfa_configuration",
        )
    return mode, totp


def _first_second_factor(settings: Mapping[str, Any]) -> tuple[str, bool]:
    # CreateUserPool has no word for an authenticator, so that only SMS could be what its MFA means.
    mode = settings.get("mfa_configuration") or UserPool.Mfa.OFF
    if "software_token_mfa_configuration" not in settings and mode != UserPool.Mfa.OFF:
        raise Invalid(
            "SMS configuration and Auto verification for phone_number are required when MFA is required/optional",
            field="mfa_configuration",
        )
    return second_factor(settings)


def told(pool: UserPool) -> dict[str, Any]:
    """Return what Cognito tells of a pool's settings: what was set, and its defaults (COGNITO.md C.2)."""
    rest = pool.configuration
    template = message_templates.verification(pool)
    days = password_policy.temporary_days(pool)
    return {
        "user_pool_tier": "ESSENTIALS",
        "lambda_config": {},
        "user_attribute_update_settings": {"attributes_require_verification_before_update": []},
        **rest,
        "account_recovery_setting": {"recovery_mechanisms": recovery_mechanisms(pool)},
        "acr_configuration": ACR_LEVELS,
        "admin_create_user_config": {
            **rest.get("admin_create_user_config", {}),
            "allow_admin_create_user_only": pool.admin_only_sign_up,
            "unused_account_validity_days": days,
        },
        "email_configuration": {"email_sending_account": "COGNITO_DEFAULT", **rest.get("email_configuration", {})},
        "policies": {
            "password_policy": {**password_policy.policy(pool), "temporary_password_validity_days": days},
            "sign_in_policy": {"allowed_first_auth_factors": list(FIRST_FACTORS)},
        },
        "verification_message_template": {"default_email_option": "CONFIRM_WITH_CODE", **template},
        **{legacy: template.get(member) for legacy, member in message_templates.MIRRORED},
    }


def recovery_mechanisms(pool: UserPool) -> list[dict[str, Any]]:
    """Return how people of a pool recover their passwords, the preferred first: what was set, else the default."""
    given = (pool.configuration.get("account_recovery_setting") or {}).get("recovery_mechanisms") or RECOVERY
    return sorted(given, key=lambda each: int(each["priority"]))


def _refuse_what_is_missing(settings: Mapping[str, Any]) -> None:
    for name, harmless in HARMLESS.items():
        if settings.get(name, harmless) != harmless:
            raise _missing(name)
    levels = settings.get("acr_configuration") or {}
    if any(ACR_LEVELS.get(level) != named for level, named in levels.items()):
        raise _missing("acr_configuration")
    if "device_configuration" in settings:  # whatever it says: that it is there has devices tracked
        raise _missing("device_configuration")
    add_ons = settings.get("user_pool_add_ons") or {}
    if add_ons.get("advanced_security_mode", "OFF") != "OFF" or "advanced_security_additional_flows" in add_ons:
        raise _missing("user_pool_add_ons")
    if (settings.get("dcr_configuration") or {}).get("enable_status", "Disabled") != "Disabled":
        raise _missing("dcr_configuration")
    key = settings.get("key_configuration") or {}
    if key.get("key_type", "AWS_OWNED_KEY") != "AWS_OWNED_KEY" or "kms_key_arn" in key:
        raise _missing("key_configuration")
    if (settings.get("issuer_configuration") or {}).get("type", "ORIGINAL") != "ORIGINAL":
        raise _missing("issuer_configuration")
    sign_in = (settings.get("policies") or {}).get("sign_in_policy") or {}
    if tuple(sign_in.get("allowed_first_auth_factors") or FIRST_FACTORS) != FIRST_FACTORS:
        raise _missing("sign_in_policy")


def _missing(name: str) -> NotAvailable:
    word = "".join(part.capitalize() for part in name.split("_"))
    return NotAvailable(f"{word} is not available in this release.", field=name)


def refuse_sms(field: str) -> None:
    """Refuse a setting that needs SMS, where nothing can send it.

    Raises:
        NotAvailable: this installation only sends mail.

    """
    if not installation.SMS_CHANNEL:
        raise NotAvailable("SMS is not available in this release.", field=field)


def _names(pool: UserPool, settings: Mapping[str, Any]) -> None:
    pool.username_attributes = _subset(settings, "username_attributes", ADDRESSES)
    pool.alias_attributes = _subset(settings, "alias_attributes", ALIASES)
    pool.auto_verified = _subset(settings, "auto_verified_attributes", ADDRESSES)
    if pool.username_attributes and pool.alias_attributes:
        raise Invalid(
            "Only one of the aliasAttributes or usernameAttributes can be set for a user pool.",
            field="username_attributes",
        )
    if "phone_number" in pool.auto_verified:
        refuse_sms("auto_verified_attributes")
    pool.case_sensitive = bool((settings.get("username_configuration") or {}).get("case_sensitive", True))


def _subset(settings: Mapping[str, Any], member: str, allowed: tuple[str, ...]) -> list[str]:
    given = list(dict.fromkeys(settings.get(member) or []))
    if unknown := [name for name in given if name not in allowed]:
        raise Invalid(f"{unknown[0]} cannot be one of {member}.", field=member)
    return given


def _password_policy(settings: Mapping[str, Any]) -> dict[str, Any]:
    given = dict((settings.get("policies") or {}).get("password_policy") or {})
    if given.pop("password_history_size", 0):
        raise _missing("password_history_size")
    if unknown := given.keys() - password_policy.DEFAULT_POLICY.keys():
        raise Invalid(f"Unknown password rule {min(unknown)}.", field="policies")
    # Zero is as if nothing was said, of the older name too (AWS: API_PasswordPolicyType; COGNITO.md C.2).
    days = given.pop("temporary_password_validity_days", None) or None
    unused = (settings.get("admin_create_user_config") or {}).get("unused_account_validity_days") or None
    if unused is not None and days is not None:
        raise Invalid(
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
            field="admin_create_user_config",
        )
    # A policy that is given at all says no to every rule that it leaves out, as the API's defaults for booleans do.
    absent = {name: False for name in password_policy.DEFAULT_POLICY if name.startswith("require_")} if given else {}
    chosen = {"temporary_password_validity_days": days or unused} if days or unused else {}
    policy = {**password_policy.DEFAULT_POLICY, **absent, **given, **chosen}
    if not SHORTEST <= int(policy["minimum_length"]) <= LONGEST:
        raise Invalid("MinimumLength lies between 6 and 99.", field="policies")
    if not 0 <= int(policy["temporary_password_validity_days"]) <= MAX_DAYS:
        raise Invalid("TemporaryPasswordValidityDays lies between 0 and 365.", field="policies")
    return policy


def _templates(settings: Mapping[str, Any], invitations: Mapping[str, Any]) -> None:
    verification = settings.get("verification_message_template") or {}
    for text, least, most, needed in (
        (verification.get("email_message"), 6, 20_000, (message_templates.CODE,)),
        (verification.get("sms_message"), 6, 140, (message_templates.CODE,)),
        (settings.get("email_verification_message"), 6, 20_000, (message_templates.CODE,)),
        (settings.get("sms_verification_message"), 6, 140, (message_templates.CODE,)),
        (settings.get("sms_authentication_message"), 6, 140, (message_templates.CODE,)),
        (verification.get("email_message_by_link"), 6, 20_000, ()),
        *((verification.get(name), 1, 140, ()) for name in ("email_subject", "email_subject_by_link")),
        (settings.get("email_verification_subject"), 1, 140, ()),
    ):
        _check_template("verification_message_template", text, least, most, needed)
    by_link = verification.get("email_message_by_link")
    if by_link is not None and not message_templates.has_link(by_link):
        raise Invalid(
            "EmailMessageByLink must hold {##text##}.",
            field="verification_message_template",
        )
    if verification.get("default_email_option", "CONFIRM_WITH_CODE") not in (
        "CONFIRM_WITH_CODE",
        "CONFIRM_WITH_LINK",
    ):
        raise Invalid("Unknown DefaultEmailOption.", field="verification_message_template")
    invite = invitations.get("invite_message_template") or {}
    both = (message_templates.NAME, message_templates.CODE)
    _check_template("admin_create_user_config", invite.get("email_message"), 6, 20_000, both)
    _check_template("admin_create_user_config", invite.get("sms_message"), 6, 140, both)
    _check_template("admin_create_user_config", invite.get("email_subject"), 1, 140, ())


def _check_template(field: str, text: str | None, least: int, most: int, needed: tuple[str, ...]) -> None:
    if text is None:
        return
    if not least <= len(text) <= most or "\x00" in text:
        raise Invalid(f"A message template holds {least} to {most} characters.", field=field)
    if missing := message_templates.placeholders_missing(text, *needed):
        raise Invalid(f"A message template must hold {missing[0]}.", field=field)


def _recovery(settings: Mapping[str, Any]) -> None:
    mechanisms = (settings.get("account_recovery_setting") or {}).get("recovery_mechanisms") or []
    names = [each.get("name") for each in mechanisms]
    priorities = [each.get("priority") for each in mechanisms]
    proper = all(name in MECHANISMS for name in names) and all(priority in (1, 2) for priority in priorities)
    if not proper or len(set(names)) != len(names) or len(set(priorities)) != len(priorities):
        raise Invalid("Invalid account recovery setting.", field="account_recovery_setting")
    if "admin_only" in names and len(names) > 1:
        raise Invalid(
            "admin_only cannot be combined with other mechanisms.",
            field="account_recovery_setting",
        )
    if names == ["verified_phone_number"]:
        refuse_sms("account_recovery_setting")


def _updates(pool: UserPool, settings: Mapping[str, Any]) -> None:
    updates = settings.get("user_attribute_update_settings") or {}
    wanted = updates.get("attributes_require_verification_before_update") or []
    if any(name not in pool.auto_verified for name in wanted):
        raise Invalid(
            "AttributesRequireVerificationBeforeUpdate must be among AutoVerifiedAttributes.",
            field="user_attribute_update_settings",
        )


def _mail(given: Mapping[str, Any]) -> None:
    if given.get("email_sending_account", "COGNITO_DEFAULT") != "COGNITO_DEFAULT" or given.get("source_arn"):
        raise NotAvailable(
            "Sending by SES is not available in this release.",
            field="email_configuration",
        )
    if given.get("configuration_set") or given.get("from"):
        raise NotAvailable(
            "A sender per user pool is not available in this release.",
            field="email_configuration",
        )
    reply_to = given.get("reply_to_email_address")
    if reply_to and not is_email(reply_to):
        raise Invalid("ReplyToEmailAddress is not an email address.", field="email_configuration")


def _tags(tags: Mapping[str, str]) -> None:
    proper = all(1 <= len(key) <= TAG_KEY and len(value) <= TAG_VALUE for key, value in tags.items())
    if len(tags) > MAX_TAGS or not proper:
        raise Invalid(
            "At most 50 tags, keys of 1 to 128 and values of up to 256 characters.",
            field="user_pool_tags",
        )
