"""What a user pool may be set to: the table of its settings. Pure: writes no row.

What their values may be, and the rules between them, is ``pool_rules``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy

from identity.foundation import clock
from pools.models import UserPool
from pools.services.pools import (
    assurance_levels,
    message_templates,
    password_policy,
    registration_settings,
    schema,
    second_factor_settings,
)
from pools.services.pools import pool_rules as rules
from pools.services.pools.own_settings import own_switch
from pools.services.pools.pool_rules import DAYS, OLDER_DAYS, POLICY, UPDATES, VERIFIED
from pools.services.pools.settings_table import (
    Availability,
    Check,
    Choice,
    Control,
    Described,
    Given,
    Setting,
    Table,
    between,
    equal_to,
    one_of,
    unique,
)

TIERS = ("LITE", "ESSENTIALS", "PLUS")
RECOVERY = ({"priority": 1, "name": "verified_email"}, {"priority": 2, "name": "verified_phone_number"})
"""How people recover their passwords where nothing was given."""
FIRST_FACTORS = ["PASSWORD"]
"""How people begin to sign in where nothing was given; this release knows no other way."""
ISSUERS = ("ORIGINAL", "UPDATED")
ONE_ISSUER = (
    "A pool has one issuer here, `{base_url}/{pool}`, and both types are that one. What `UPDATED` adds at Amazon, the "
    "same keys from several regions behind one host, an installation's address does by itself: nothing is lost, and "
    "nobody is warned."
)
OWN_KEYS = (
    "What is sealed is sealed by the installation's own keys (`SECRET_KEYS_FILE`), no pool's data by a key of AWS KMS: "
    "taking one would be a success that did nothing."
)
NO_KMS = (
    "KeyConfiguration cannot name a key of AWS KMS: this installation seals by keys of its own (SECRET_KEYS_FILE). "
    "Leave KmsKeyArn out, and KeyType out or AWS_OWNED_KEY."
)
TEMPLATE, INVITATION = "verification_message_template", "admin_create_user_config.invite_message_template"
REMEMBERED = f"{POLICY}.password_history_size"


def derive(pool: UserPool, given: Given) -> None:
    """Set what follows from several settings."""
    put_password_policy(pool, given)
    second_factor_settings.put_kinds(pool, given)


def put_password_policy(pool: UserPool, given: Given) -> None:
    """Keep the whole policy, so that another default of a later release does not change what a pool demands."""
    kept = {name: given[f"{POLICY}.{name}"] for name in password_policy.DEFAULT_POLICY}
    days = (
        given.get(DAYS) or given.get(OLDER_DAYS) or password_policy.DEFAULT_POLICY["temporary_password_validity_days"]
    )
    pool.password_policy = {**kept, "temporary_password_validity_days": days}
    since = pool.password_history_since or clock.now()
    pool.password_history_since = since if pool.password_history_size else None


def of_policy(name: str, **more: Any) -> Setting:
    """Return the row of a password rule."""
    # A policy that is given at all says no to every rule that it leaves out, as the API's defaults for booleans do.
    default = password_policy.DEFAULT_POLICY[name]

    def unless_policy_is_given(given: Given) -> Any:  # noqa: ANN401 - a number or a boolean
        others = [other for other in given if other.startswith(f"{POLICY}.") and other != DAYS]
        if not given.get(REMEMBERED):
            others = [other for other in others if other != REMEMBERED]
        return False if others and default is True else default

    return Setting(
        name=f"{POLICY}.{name}",
        place=f"password_policy.{name}",
        default=unless_policy_is_given,
        described=Described.ALWAYS,
        **{"describe": lambda pool: password_policy.policy(pool)[name], **more},
    )


def of_template(name: str, check: Check, mirror: str = "", **more: Any) -> Iterator[Setting]:
    """Yield the row of a member of the verification template, and of the older member that says the same."""

    def describe(pool: UserPool) -> str | None:
        return message_templates.verification(pool).get(name)

    described: dict[str, Any] = {"describe": describe, "described": Described.ALWAYS}
    yield Setting(name=f"{TEMPLATE}.{name}", check=check, **{**described, **more})
    if mirror:
        yield Setting(name=mirror, check=check, **described)


def recovery_mechanisms(pool: UserPool) -> list[dict[str, Any]]:
    """Return how people of a pool recover their passwords, the preferred first: what was set, else the default."""
    given = (pool.configuration.get("account_recovery_setting") or {}).get("recovery_mechanisms") or RECOVERY
    return sorted(given, key=lambda each: int(each["priority"]))


NOT_YET, KEPT_ONLY, REFUSED = Availability.NOT_YET, Availability.KEPT_ONLY, Availability.REFUSED
ALWAYS, FILLED, NEVER = Described.ALWAYS, Described.FILLED, Described.NEVER
TABLE = Table(
    settings=(
        Setting(
            name="pool_name",
            place="name",
            check=rules.name_problems,
            described=NEVER,
            stays=True,
            choice=Choice(
                control=Control.TEXT,
                label=gettext_lazy("Pool name"),
                help=gettext_lazy("Only operators see it, and programs with AWS keys."),
            ),
        ),
        Setting(
            name="username_attributes",
            place="username_attributes",
            default=[],
            check=rules.among(rules.ADDRESSES),
            keep=unique,
            described=FILLED,
            is_fixed=True,
        ),
        Setting(
            name="alias_attributes",
            place="alias_attributes",
            default=[],
            check=rules.among(rules.ALIASES),
            keep=unique,
            described=FILLED,
            is_fixed=True,
        ),
        Setting(
            name=VERIFIED,
            place="auto_verified",
            default=[],
            check=rules.among(rules.ADDRESSES),
            keep=unique,
            described=FILLED,
        ),
        Setting(name="username_configuration.case_sensitive", place="case_sensitive", default=True, is_fixed=True),
        *map(of_policy, ("require_uppercase", "require_lowercase", "require_numbers", "require_symbols")),
        of_policy(
            "minimum_length", check=between(rules.SHORTEST, rules.LONGEST, "MinimumLength lies between 6 and 99.")
        ),
        of_policy(
            "temporary_password_validity_days",
            check=between(0, rules.MAX_DAYS, "TemporaryPasswordValidityDays lies between 0 and 365."),
            describe=password_policy.temporary_days,
            zero_is_unset=True,
        ),
        Setting(
            name=REMEMBERED,
            place="password_history_size",
            default=0,
            check=between(0, password_policy.MOST_REMEMBERED, "PasswordHistorySize lies between 0 and 24."),
            described=FILLED,
            choice=Choice(
                control=Control.NUMBER,
                label=gettext_lazy("Passwords that cannot be chosen again"),
                help=gettext_lazy("So many of a person's last passwords, the present one with them; 0 for none."),
                least=0,
                most=password_policy.MOST_REMEMBERED,
            ),
        ),
        Setting(
            name="policies.sign_in_policy.allowed_first_auth_factors",
            default=FIRST_FACTORS,
            check=rules.first_factor_problems,
            keep=unique,
            described=ALWAYS,
            availability=KEPT_ONLY,
        ),
        Setting(
            name="schema",
            place="schema",
            default=[],
            check=rules.schema_problems,
            keep=schema.read,
            described=NEVER,
            is_fixed=True,
        ),
        *second_factor_settings.SETTINGS,
        Setting(
            name="admin_create_user_config.allow_admin_create_user_only",
            place="admin_only_sign_up",
            default=False,
            keep=bool,
            described=ALWAYS,
            choice=Choice(
                control=Control.SWITCH,
                label=gettext_lazy("Only operators add people"),
                help=gettext_lazy("Nobody can sign up; operators, and servers with AWS keys, invite people."),
            ),
        ),
        Setting(
            name="deletion_protection",
            place="deletion_protected",
            default="INACTIVE",
            check=one_of("ACTIVE", "INACTIVE", text="DeletionProtection is ACTIVE or INACTIVE."),
            words=("INACTIVE", "ACTIVE"),
            described=ALWAYS,
            choice=Choice(
                control=Control.SWITCH,
                label=gettext_lazy("Deletion protection"),
                help=gettext_lazy("The pool cannot be deleted until this is switched off."),
            ),
        ),
        own_switch(
            "recent_proof",
            label=gettext_lazy("Recent sign-in for changes"),
            help=gettext_lazy(
                "Changing a second factor or an address, or giving a first password, by access token takes a "
                "sign-in of the last ten minutes, as on the pages. Cognito does not ask for one."
            ),
        ),
        own_switch(
            "notices_of_api_changes",
            label=gettext_lazy("Mail about changes made through the API"),
            help=gettext_lazy(
                "People are mailed when their password or a second factor was changed on the pages or here. With "
                "this they are too when an app or a script did it through Cognito’s API, which Cognito does not do."
            ),
        ),
        Setting(
            name=OLDER_DAYS,
            place=None,
            check=between(0, rules.MAX_DAYS, "TemporaryPasswordValidityDays lies between 0 and 365."),
            described=ALWAYS,
            describe=password_policy.temporary_days,
            zero_is_unset=True,
        ),
        Setting(
            name=f"{TEMPLATE}.default_email_option",
            default="CONFIRM_WITH_CODE",
            check=one_of("CONFIRM_WITH_CODE", "CONFIRM_WITH_LINK", text="Unknown DefaultEmailOption."),
            described=ALWAYS,
        ),
        *of_template("email_message", rules.template(rules.MAIL, message_templates.CODE), "email_verification_message"),
        *of_template("sms_message", rules.template(rules.SMS, message_templates.CODE), "sms_verification_message"),
        *of_template("email_subject", rules.template(rules.SUBJECT), "email_verification_subject"),
        *of_template("email_message_by_link", rules.link_problems),
        *of_template("email_subject_by_link", rules.template(rules.SUBJECT)),
        Setting(
            name=rules.TEXT,
            check=rules.template(rules.SMS, message_templates.CODE),
        ),
        *(
            Setting(name=f"{INVITATION}.{name}", check=rules.template(bounds, *needed))
            for name, bounds, needed in (
                ("email_message", rules.MAIL, (message_templates.NAME, message_templates.CODE)),
                ("sms_message", rules.SMS, (message_templates.NAME, message_templates.CODE)),
                ("email_subject", rules.SUBJECT, ()),
            )
        ),
        Setting(
            name=rules.RECOVERY,
            default=[],
            check=rules.recovery_problems,
            described=ALWAYS,
            describe=recovery_mechanisms,
        ),
        Setting(name=UPDATES, default=[], described=ALWAYS, stays=True),
        Setting(
            name="email_configuration.email_sending_account",
            default="COGNITO_DEFAULT",
            described=ALWAYS,
        ),
        Setting(name=rules.SOURCE, check=rules.source_problems),
        Setting(name="email_configuration.configuration_set"),
        Setting(name=rules.SENDER, check=rules.sender_problems),
        Setting(name="email_configuration.reply_to_email_address", check=rules.reply_to_problems),
        Setting(name="user_pool_tags", check=rules.tag_problems, stays=True),
        Setting(
            name="user_pool_tier",
            default="ESSENTIALS",
            check=one_of(*TIERS, text="Unknown user pool tier."),
            described=ALWAYS,
            availability=KEPT_ONLY,
        ),
        Setting(
            name="lambda_config",
            default={},
            check=rules.trigger_problems,
            keep=rules.kept_triggers,
            described=ALWAYS,
            availability=KEPT_ONLY,
        ),
        Setting(name=rules.CALLER, check=rules.caller_problems),
        Setting(name=rules.EXTERNAL_ID),
        Setting(name=rules.SNS_REGION, check=rules.region_problems),
        Setting(name=rules.EUMS_CALLER, check=rules.eums_caller_problems),
        *(Setting(name=name, check=rules.formed(form)) for name, form in rules.OF_EUMS.items()),
        Setting(name=rules.EUMS_REGION, check=rules.pools_region_problems),
        # Whatever it holds: that it is there has devices tracked.
        Setting(
            name="device_configuration",
            keep=lambda given: {
                name: bool(given.get(name))
                for name in ("challenge_required_on_new_device", "device_only_remembered_on_user_prompt")
            },
            availability=KEPT_ONLY,
        ),
        # What that it is there asks for, whatever it holds, SetUserPoolMfaConfig says alone.
        Setting(
            name=rules.MAIL_FACTOR,
            keep=lambda given: {"message": None, "subject": None, **given},
            check=rules.mail_factor_problems,
            availability=KEPT_ONLY,
            stays=True,
        ),
        Setting(name=rules.PASSKEYS, check=rules.passkey_problems, availability=KEPT_ONLY, stays=True),
        Setting(
            name="acr_configuration",
            default={},
            check=assurance_levels.problems,
            keep=assurance_levels.kept,
            described=ALWAYS,
            describe=assurance_levels.described,
        ),
        Setting(name="user_pool_add_ons.advanced_security_mode", availability=KEPT_ONLY, is_harmless=equal_to("OFF")),
        Setting(name="user_pool_add_ons.advanced_security_additional_flows", availability=KEPT_ONLY),
        *registration_settings.ROWS,
        Setting(
            name="key_configuration.key_type",
            default="AWS_OWNED_KEY",
            availability=REFUSED,
            is_harmless=equal_to("AWS_OWNED_KEY"),
            why=f"{OWN_KEYS} `AWS_OWNED_KEY`, the default, is taken.",
            refusal=NO_KMS,
        ),
        Setting(name="key_configuration.kms_key_arn", availability=REFUSED, why=OWN_KEYS, refusal=NO_KMS),
        Setting(
            name="issuer_configuration.type",
            default="ORIGINAL",
            check=one_of(*ISSUERS, text="Unknown type of issuer."),
            availability=KEPT_ONLY,
            is_harmless=equal_to(*ISSUERS),
            why=ONE_ISSUER,
        ),
    ),
    rules=(*rules.RULES, *registration_settings.RULES),
    derive=derive,
    derived=("password_history_since",),
    filled={registration_settings.STRUCTURE: registration_settings.FILLED},
)
