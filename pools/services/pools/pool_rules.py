"""What the values of a user pool's settings may be, and the rules between them. Pure: yields refusals, writes nothing.

Which settings there are is ``pool_settings``; what a message may hold is ``message_templates``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parseaddr
from typing import Any

from django.conf import settings as installation

from identity.foundation import names, regions
from identity.foundation.errors import DomainError, Invalid, NotAvailable
from pools.models import UserPool
from pools.services.pools import message_templates, schema
from pools.services.pools.settings_table import Check, Given, Setting, rule

ADDRESSES = ("email", "phone_number")
ALIASES = (*ADDRESSES, "preferred_username")
MECHANISMS = ("verified_email", "verified_phone_number", "admin_only")
SHORTEST, LONGEST = 6, 99
MAX_DAYS = 365
MAX_TAGS, TAG_KEY, TAG_VALUE = 50, 128, 256
TAG = re.compile(r"[\w\s.:/=+\-@]*")
MAIL, SMS, SUBJECT = (6, 20_000), (6, 140), (1, 140)
"""How many characters the templates of messages hold."""
POLICY = "policies.password_policy"
DAYS, OLDER_DAYS = f"{POLICY}.temporary_password_validity_days", "admin_create_user_config.unused_account_validity_days"
"""Two names of one setting: how long a temporary password is good."""
MODE, AUTHENTICATOR = "mfa_configuration", "software_token_mfa_configuration.enabled"
TEXTS, TEXT = "sms_mfa_configuration.enabled", "sms_authentication_message"
"""Whether codes by SMS are a second factor, for which the wire API has no word but that its structure is there; and the
message that carries one."""
MAIL_FACTOR, PASSKEYS = "email_mfa_configuration", "web_authn_configuration"
OF_SECOND_FACTORS = (MODE, AUTHENTICATOR, TEXTS, MAIL_FACTOR, PASSKEYS)
"""What SetUserPoolMfaConfig replaces."""
ON_AND_NONE = "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."
"""As Amazon says it (aws-sdk-js#4186)."""
OFF_AND_ON = "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
ACCOUNT, SOURCE = "email_configuration.email_sending_account", "email_configuration.source_arn"
SES_IDENTITY = re.compile(r"arn:[\w-]+:ses:[\w-]+:\d{12}:identity/\S+")
SENDER = "email_configuration.from"
SMS_SENDER = "sms_configuration."
"""How all that says who sends SMS begins: one structure of the wire's."""
CALLER, EXTERNAL_ID, SNS_REGION = (f"{SMS_SENDER}{name}" for name in ("sns_caller_arn", "external_id", "sns_region"))
EUMS = f"{SMS_SENDER}eums_sms"
"""SMS by AWS End User Messaging instead of by SNS."""
EUMS_CALLER = f"{EUMS}.caller_arn"
ORIGINATION = (re.compile(r"[A-Za-z0-9_:/+-]{0,256}"), "OriginationIdentity is no number, sender ID or phone pool.")
CONFIGURATION_SET = (re.compile(r"[A-Za-z0-9_:/-]{0,256}"), "ConfigurationSetName is no configuration set.")
REGISTERED = (re.compile(r"\S{0,64}"), "InEntityId and InTemplateId hold up to 64 characters, none of them a space.")
"""What the members of SendTextMessage may be, empty for none. AWS: SMS and Voice API v2 Reference, SendTextMessage."""
OF_EUMS = {
    f"{EUMS}.external_id": None,
    f"{EUMS}.origination_identity": ORIGINATION,
    f"{EUMS}.configuration_set_name": CONFIGURATION_SET,
    f"{EUMS}.in_entity_id": REGISTERED,
    f"{EUMS}.in_template_id": REGISTERED,
}
EUMS_REGION = f"{EUMS}.region"
FUNCTION = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:\S+")
HOST = re.compile(rf"{schema.LABEL}(?:\.{schema.LABEL})*")
ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+")
VERIFIED, RECOVERY = "auto_verified_attributes", "account_recovery_setting.recovery_mechanisms"
UPDATES = "user_attribute_update_settings.attributes_require_verification_before_update"


# -- what a value may be ---------------------------------------------------------------------------------------------


def name_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being a pool's name."""
    if not names.is_of_resource(value) or not value.strip():
        yield Invalid("Pool names hold 1 to 128 letters, digits, spaces or +=,.@-_", field=field, code="pool_name")


def among(allowed: tuple[str, ...]) -> Check:
    """Return a check that each name of a list is one of these."""

    def problems(value: list[str], field: str) -> Iterator[Invalid]:
        if unknown := [name for name in value if name not in allowed]:
            yield Invalid(f"{unknown[0]} cannot be one of {field}.", field=field)

    return problems


def template(bounds: tuple[int, int], *needed: str) -> Check:
    """Return a check of a message's template: its length, and the placeholders that it needs."""
    least, most = bounds

    def problems(value: str, field: str) -> Iterator[Invalid]:
        if not least <= len(value) <= most or "\x00" in value:
            yield Invalid(f"A message template holds {least} to {most} characters.", field=field)
        elif missing := message_templates.placeholders_missing(value, *needed):
            yield Invalid(f"A message template must hold {missing[0]}.", field=field)

    return problems


def link_problems(value: str, field: str) -> Iterator[DomainError]:
    """Yield what is wrong with a template whose people click a link."""
    yield from template(MAIL)(value, field)
    if not message_templates.has_link(value):
        yield Invalid("EmailMessageByLink must hold {##text##}.", field=field)


def schema_problems(value: list[Mapping[str, Any]], _: str) -> Iterator[DomainError]:
    """Yield the first thing that is wrong with a pool's attributes."""
    try:
        schema.read(value)
    except DomainError as problem:
        yield problem


def reply_to_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being the address of replies."""
    if value and not schema.is_email(value):
        yield Invalid("ReplyToEmailAddress is not an email address.", field=field)


def first_factor_problems(value: list[str], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the factors by which people begin to sign in."""
    if "PASSWORD" not in value:
        yield Invalid(
            "Password should be configured as one of the allowed first auth factors.", field=field, code="no_password"
        )


def source_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being an SES identity's ARN."""
    if not SES_IDENTITY.fullmatch(value):
        yield Invalid("SourceArn is not the ARN of an Amazon SES identity.", field=field, code="arn")


def sender_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being a sender: an address, or a name and an address in angle brackets."""
    if not schema.is_email(parseaddr(value)[1]) or not value.isprintable():
        yield Invalid("Provided From email address is invalid", field=field, code="email")


def caller_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a role from sending SMS by SNS; empty is none. AWS: API_SmsConfigurationType."""
    if value and not ROLE.fullmatch(value):
        yield Invalid("SnsCallerArn is not the ARN of an IAM role.", field=field, code="arn")


def eums_caller_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a role from sending SMS by End User Messaging."""
    if not ROLE.fullmatch(value):
        yield Invalid("CallerArn is not the ARN of an IAM role.", field=field, code="arn")


def formed(form: tuple[re.Pattern[str], str] | None) -> Check:
    """Return a check that a text has a form, which comes with the words of its refusal; None for any."""

    def problems(value: str, field: str) -> Iterator[Invalid]:
        if form is not None and not form[0].fullmatch(value):
            yield Invalid(form[1], field=field, code="form")

    return problems


def pools_region_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a region from being the pool's own. AWS: API_EumsSmsConfigurationType, Region."""
    if value != installation.REGION:
        yield Invalid(f"Region of EumsSms is the user pool's, {installation.REGION}.", field=field, code="region")


def region_problems(value: str, field: str) -> Iterator[Invalid]:
    """Yield what keeps a text from being an AWS region: it becomes part of a host's name."""
    if not regions.is_region(value):
        yield Invalid("SnsRegion is not an AWS region.", field=field, code="region")


def trigger_problems(value: Mapping[str, Any], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the functions that a pool calls."""
    functions = {name: given["lambda_arn"] if isinstance(given, Mapping) else given for name, given in value.items()}
    key = functions.pop("kms_key_id", "")
    for arn in functions.values():
        if not FUNCTION.fullmatch(arn):
            yield Invalid(f"{arn} is not the ARN of a Lambda function.", field=field, code="arn")
    older, newer = (functions.get(name) for name in ("pre_token_generation", "pre_token_generation_config"))
    if older and newer and older != newer:
        text = "Cannot use PreTokenGenerationLambda and PreTokenGeneration with different Lambda function ARN's"
        yield Invalid(text, field=field, code="two_functions")
    if not key and any(name in functions for name in ("custom_email_sender", "custom_sms_sender")):
        text = "KMSKeyId parameter is required when Custom SMS/Email Lambda trigger is used."
        yield Invalid(text, field=field, code="no_key")


def kept_triggers(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions as kept, that for tokens by both its names. AWS: API_PreTokenGenerationVersionConfigType."""
    older, newer = value.get("pre_token_generation"), value.get("pre_token_generation_config")
    if older and not newer:
        return {**value, "pre_token_generation_config": {"lambda_version": "V1_0", "lambda_arn": older}}
    return {**value, "pre_token_generation": newer["lambda_arn"]} if newer else dict(value)


def passkey_problems(value: Mapping[str, Any], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with the domain that passkeys are for."""
    name = value.get("relying_party_id")
    if name and not HOST.fullmatch(name):
        yield Invalid("RelyingPartyId is no domain name.", field=field, code="passkey_domain")


def mail_factor_problems(value: Mapping[str, str], field: str) -> Iterator[DomainError]:
    """Yield what is wrong with the message that carries a code of the second factor."""
    if (message := value.get("message")) is not None:
        yield from template(MAIL, message_templates.CODE)(message, field)
    if (subject := value.get("subject")) is not None:
        yield from template(SUBJECT)(subject, field)


def recovery_problems(value: list[Mapping[str, Any]], field: str) -> Iterator[DomainError]:
    """Yield what is wrong with the ways in which people recover their passwords."""
    names = [each.get("name") for each in value]
    priorities = [each.get("priority") for each in value]
    proper = all(name in MECHANISMS for name in names) and all(priority in (1, 2) for priority in priorities)
    if not proper:
        yield Invalid("Invalid account recovery setting.", field=field)
    elif len(set(names)) != len(names) or len(set(priorities)) != len(priorities):
        text = "Account Recovery Setting cannot have duplicate priorities or recovery mechanisms."
        yield Invalid(text, field=field)
    elif "admin_only" in names and len(names) > 1:
        text = "Account Recovery Setting cannot use admin_only setting with any other recovery mechanisms."
        yield Invalid(text, field=field)


def tag_problems(value: Mapping[str, str], field: str) -> Iterator[Invalid]:
    """Yield what is wrong with tags. AWS: General Reference, tag naming limits."""
    proper = all(1 <= len(key) <= TAG_KEY and len(text) <= TAG_VALUE for key, text in value.items())
    if len(value) > MAX_TAGS or not proper:
        yield Invalid("At most 50 tags, keys of 1 to 128 and values of up to 256 characters.", field=field)
    elif not all(TAG.fullmatch(text) for pair in value.items() for text in pair):
        yield Invalid("Tags hold letters, digits, spaces and _.:/=+-@ alone.", field=field, code="tag_characters")
    elif any(key.lower().startswith("aws:") for key in value):
        yield Invalid("Keys of tags do not begin with aws:", field=field, code="tag_of_aws")


# -- rules between settings ------------------------------------------------------------------------------------------


def one_kind_of_names(given: Given, _: UserPool) -> Iterator[Invalid]:
    """Addresses are usernames, or they are aliases of usernames."""
    if given["username_attributes"] and given["alias_attributes"]:
        text = "Only one of the aliasAttributes or usernameAttributes can be set in a User pool."
        yield Invalid(text, field="username_attributes", code="aliases")


def days_are_given_once(given: Given, _: UserPool) -> Iterator[Invalid]:
    """The life of temporary passwords has two names, of which one may be given."""
    if given.get(OLDER_DAYS) and given.get(DAYS):
        text = "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"
        yield Invalid(text, field=OLDER_DAYS)


def an_alias_is_optional(given: Given, _: UserPool) -> Iterator[Invalid]:
    """Nobody needs a preferred username where it is an alias."""
    required = [each for each in given["schema"] if each["name"] == "preferred_username" and each.get("required")]
    if required and "preferred_username" in given["alias_attributes"]:
        yield Invalid(
            "preferred_username cannot be an alias and required.", field="alias_attributes", code="required_alias"
        )


def second_factor_has_a_kind(given: Mapping[str, Any], _: UserPool | None = None) -> Iterator[Invalid]:
    """A second factor is asked for where there is one, and only there: as SetUserPoolMfaConfig has it."""
    mode = given.get(MODE) or UserPool.Mfa.OFF
    if mode not in UserPool.Mfa.values:
        yield Invalid("MfaConfiguration is OFF, ON or OPTIONAL.", field=MODE, code="mfa")
    elif mode == UserPool.Mfa.OFF and (
        given.get(AUTHENTICATOR) or given.get(TEXTS) or given.get(MAIL_FACTOR) is not None
    ):
        yield Invalid(OFF_AND_ON, field=MODE, code="mfa_off")
    elif mode != UserPool.Mfa.OFF and not (given.get(AUTHENTICATOR) or given.get(TEXTS)):
        if given.get(MAIL_FACTOR) is None:
            yield Invalid(ON_AND_NONE, field=MODE, code="mfa_kind")
        else:
            text = "EmailMfaConfiguration as the only second factor is not available in this release."
            yield NotAvailable(text, field=MODE, code="mfa_kind")


def given_by_mode(mode: str, pool: UserPool) -> dict[str, Any]:
    """Return the settings that an operator gives who chooses a mode alone: MFA has a kind, an app if none is on yet."""
    if mode == UserPool.Mfa.OFF:
        return {MODE: mode, AUTHENTICATOR: False, TEXTS: False}
    return {MODE: mode, AUTHENTICATOR: pool.totp_enabled or not pool.sms_enabled}


def means_texts(given: Given) -> bool:
    """Say whether MFA is on without a kind, and a role sends SMS: CreateUserPool has no word for another kind."""
    has_kind = given.get(AUTHENTICATOR) or given.get(TEXTS)
    return bool(given[MODE] != UserPool.Mfa.OFF and not has_kind and (given[CALLER] or given[EUMS_CALLER]))


def first_second_factor(given: Given, pool: UserPool) -> Iterator[Invalid]:
    """CreateUserPool and UpdateUserPool have no word for an authenticator, so that their MFA means SMS."""
    if means_texts(given):
        return
    has_word = AUTHENTICATOR in given or given[TEXTS]
    if not pool.pk and given[MODE] != UserPool.Mfa.OFF and not has_word:
        text = "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
        yield Invalid(text, field=MODE, code="mfa_kind")
    else:
        yield from second_factor_has_a_kind(given, pool)


def updated_addresses_are_verified(given: Given, _: UserPool) -> Iterator[Invalid]:
    """Only an address that is verified at sign-up is verified before it changes."""
    if any(name not in given[VERIFIED] for name in given[UPDATES]):
        text = "All attributes in AttributesRequireVerificationBeforeUpdate must exist in AutoVerifiedAttributes"
        yield Invalid(text, field=UPDATES, code="unverified")


def a_sender_of_ones_own_has_a_source(given: Given, _: UserPool) -> Iterator[Invalid]:
    """Amazon SES sends for one of its identities."""
    if given[ACCOUNT] == "DEVELOPER" and not given[SOURCE]:
        text = "Source ARN is required to use DEVELOPER email sending owner"
        yield Invalid(text, field=SOURCE, code="no_source")


def a_sender_of_ones_own_is_a_developers(given: Given, _: UserPool) -> Iterator[Invalid]:
    """The sender of mail that the installation sends is the installation's."""
    if given[SENDER] and given[ACCOUNT] != "DEVELOPER" and not given[SOURCE]:
        text = "Cannot configure From email address for default email configuration"
        yield Invalid(text, field=SENDER, code="no_source")


def a_role_sends(given: Given, _: UserPool) -> Iterator[Invalid]:
    """What else is said of SMS is about the role that sends it."""
    if (given[EXTERNAL_ID] or given[SNS_REGION]) and not given[CALLER]:
        yield Invalid("SnsCallerArn is required in SmsConfiguration.", field=CALLER, code="no_caller")


def a_role_sends_by_eums(given: Given, _: UserPool) -> Iterator[Invalid]:
    """What else is said of End User Messaging is about the role that sends by it."""
    if any(given[name] for name in (*OF_EUMS, EUMS_REGION)) and not given[EUMS_CALLER]:
        yield Invalid("CallerArn is required in EumsSms.", field=EUMS_CALLER, code="no_caller")


def sms_is_sent_by_one(given: Given, _: UserPool) -> Iterator[Invalid]:
    """SNS or End User Messaging sends, never both. AWS: API_SmsConfigurationType, EumsSms."""
    if given[CALLER] and given[EUMS_CALLER]:
        text = "Provide either SnsCallerArn or EumsSms in SmsConfiguration, but not both."
        yield Invalid(text, field=EUMS_CALLER, code="two_callers")


def sms_is_sent(given: Given, _: UserPool) -> Iterator[NotAvailable]:
    """What needs SMS needs somebody who sends it: the installation, or a role of the pool's own."""
    if installation.SMS_CHANNEL or given[CALLER] or given[EUMS_CALLER]:
        return
    mechanisms = [each.get("name") for each in given[RECOVERY]]
    wanted = {
        VERIFIED: "phone_number" in given[VERIFIED],
        RECOVERY: mechanisms == ["verified_phone_number"],
        TEXTS: given[TEXTS],
    }
    for field in (field for field, is_wanted in wanted.items() if is_wanted):
        yield NotAvailable("SMS is not available in this release.", field=field, code="no_sms")


def replaced(settings: Iterable[Setting], given: Given) -> set[str]:
    """Return which settings an update of the whole pool replaces: all but what stays.

    MFA that is off has no kind, for which UpdateUserPool has no word.
    """
    kinds = {AUTHENTICATOR, TEXTS, MAIL_FACTOR} if given.get(MODE) == UserPool.Mfa.OFF else set()
    return {setting.name for setting in settings if not setting.stays} | kinds


def implied(now: Given, given: Given) -> dict[str, Any]:
    """Return what an update of the whole pool says beside its words, of a pool with these settings.

    Addresses that are no more verified at sign-up are no more verified before they change, where the update has no word
    for that: tools that know one of the two alone would be refused otherwise.
    """
    if UPDATES in given:
        return {}
    return {UPDATES: [name for name in now[UPDATES] if name in given[VERIFIED]]}


RULES = (
    rule(one_kind_of_names, "username_attributes", "alias_attributes"),
    rule(days_are_given_once, DAYS, OLDER_DAYS),
    rule(an_alias_is_optional, "schema", "alias_attributes"),
    rule(first_second_factor, MODE, AUTHENTICATOR, TEXTS),
    rule(updated_addresses_are_verified, VERIFIED, UPDATES),
    rule(a_sender_of_ones_own_has_a_source, ACCOUNT, SOURCE),
    rule(a_sender_of_ones_own_is_a_developers, ACCOUNT, SOURCE, SENDER),
    rule(a_role_sends, CALLER, EXTERNAL_ID, SNS_REGION),
    rule(a_role_sends_by_eums, EUMS_CALLER, EUMS_REGION, *OF_EUMS),
    rule(sms_is_sent_by_one, CALLER, EUMS_CALLER),
    rule(sms_is_sent, VERIFIED, RECOVERY, TEXTS, CALLER, EUMS_CALLER),
)
