"""What an app client may be set to: the table of its settings. Pure: writes no row.

What their values may be, and the rules between them, is ``client_rules``. A client's secret is ``app_clients``'.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, gettext_lazy

from pools.models import AppClient
from pools.services import configuration
from pools.services.pools import client_rules as rules
from pools.services.pools.client_rules import LIFETIMES, SECONDS
from pools.services.pools.own_settings import own_switch
from pools.services.pools.settings_table import (
    Availability,
    Choice,
    Control,
    Described,
    Given,
    Setting,
    Table,
    Text,
    between,
    equal_to,
    one_of,
    unique,
)

ALWAYS, NEVER = Described.ALWAYS, Described.NEVER
OWN_SECRETS = (
    "Secrets are sealed by the installation's own keys and told by DescribeUserPoolClient; nothing of AWS is asked to "
    "keep or rotate them. Two of an app live at once, so that they change without a pause."
)
NOT_AT_AMAZON = (
    "PublishSecretsInAWSSecretsManager cannot be true: this installation keeps secrets itself. Leave it out; a second "
    "secret is made by AddUserPoolClientSecret."
)
REFUSED, KEPT_ONLY = Availability.REFUSED, Availability.KEPT_ONLY


def put_lifetimes(client: AppClient, given: Given) -> None:
    """Keep how long each token lives, in seconds."""
    for kind in LIFETIMES:
        setattr(client, f"{kind}_seconds", rules.seconds(given, kind))


def described_unit(client: AppClient, kind: str) -> str | None:
    """Return the unit of a lifetime as Cognito tells it: all three once any was given."""
    given, default = client.validity.get("units"), LIFETIMES[kind][3]
    if not isinstance(given, dict):
        return None
    # Refresh tokens are told with an amount always: without one that was given, the default's unit is told too.
    return default if kind == "refresh" and kind not in client.validity else given.get(kind, default)


def provider_options(client: AppClient) -> dict[str, Text]:
    """Return by what people may come to an app: the pool's own accounts, its providers, and those that went since."""
    there = {provider.name: provider.name for provider in configuration.providers(client.pool)}
    gone = {name: gettext("%(name)s (deleted)") % {"name": name} for name in client.identity_providers}
    return {**gone, rules.THE_POOL: gettext_lazy("Accounts of this pool"), **there}


def in_units(seconds: int) -> tuple[int, str]:
    """Return a length of time in its largest whole unit."""
    unit = next(unit for unit in reversed(SECONDS) if seconds % SECONDS[unit] == 0)
    return seconds // SECONDS[unit], unit


def of_lifetime(kind: str, label: Text, help_text: Text, **more: Any) -> tuple[Setting, Setting]:
    """Return the rows of a token's lifetime: the amount and its unit."""
    member, _, _, unit, _ = LIFETIMES[kind]
    amount, its_unit = f"{member}_validity", f"token_validity_units.{member}"

    def given_by(seconds: int, _: object) -> dict[str, Any]:
        return dict(zip((amount, its_unit), in_units(seconds), strict=True))

    choice = Choice(control=Control.DURATION, column=f"{kind}_seconds", label=label, help=help_text, given_by=given_by)
    return (
        Setting(name=amount, place=f"validity.{kind}", keep=int, choice=choice, **more),
        Setting(
            name=its_unit,
            place=f"validity.units.{kind}",
            default=unit,
            check=rules.unit_problems,
            described=ALWAYS,
            describe=lambda client: described_unit(client, kind),
        ),
    )


TABLE = Table(
    settings=(
        Setting(
            name="client_name",
            place="name",
            check=rules.name_problems,
            described=ALWAYS,
            stays=True,
            choice=Choice(
                control=Control.TEXT,
                label=gettext_lazy("App name"),
                help=gettext_lazy("Shown to operators, and to people where they are asked for consent."),
            ),
        ),
        *(
            Setting(
                name=name,
                place=f"validity.analytics.{name.rpartition('.')[2]}",
                availability=KEPT_ONLY,
            )
            for name in rules.ANALYTICS
        ),
        Setting(
            name="publish_secrets_in_aws_secrets_manager",
            place=None,
            described=NEVER,
            availability=REFUSED,
            is_harmless=equal_to(False),  # noqa: FBT003 - a value
            why=OWN_SECRETS,
            refusal=NOT_AT_AMAZON,
        ),
        Setting(name=rules.FLOWS, place="auth_flows", default=[], check=rules.flow_problems, keep=unique),
        *of_lifetime(
            "access",
            gettext_lazy("Access tokens live"),
            gettext_lazy("For example “1 hour”; from 5 minutes to 1 day."),
        ),
        *of_lifetime(
            "id", gettext_lazy("ID tokens live"), gettext_lazy("For example “1 hour”; from 5 minutes to 1 day.")
        ),
        *of_lifetime(
            "refresh",
            gettext_lazy("Refresh tokens live"),
            gettext_lazy("How long people stay signed in without a password: from 1 hour to 3650 days."),
            zero_is_unset=True,
            described=ALWAYS,
            describe=lambda client: client.validity.get("refresh", LIFETIMES["refresh"][4]),
        ),
        Setting(
            name="auth_session_validity",
            place="session_minutes",
            default=3,
            check=between(3, 15, "AuthSessionValidity lies between 3 and 15 minutes."),
            keep=int,
            described=ALWAYS,
            zero_is_unset=True,
        ),
        Setting(
            name="prevent_user_existence_errors",
            place="hide_existence",
            default="LEGACY",
            check=one_of("LEGACY", "ENABLED", text="PreventUserExistenceErrors is LEGACY or ENABLED."),
            words=("LEGACY", "ENABLED"),
            choice=Choice(
                control=Control.SWITCH,
                label=gettext_lazy("Hide whether an account exists"),
                help=gettext_lazy("Whoever asks for an account that does not exist gets the answer of one that does."),
            ),
        ),
        Setting(
            name="enable_token_revocation",
            place="revocation",
            default=True,
            keep=bool,
            described=ALWAYS,
            stays=True,
        ),
        Setting(
            name=rules.CONTEXT,
            place="propagate_context",
            default=False,
            keep=bool,
            described=ALWAYS,
        ),
        Setting(name=rules.ROTATION, place="rotation", default="DISABLED", words=("DISABLED", "ENABLED")),
        Setting(
            name=rules.GRACE,
            place="rotation_grace_seconds",
            default=0,
            check=between(0, rules.MAX_GRACE, "RetryGracePeriodSeconds lies between 0 and 60."),
            keep=int,
        ),
        # An empty list is none, as at Amazon: Terraform sends one for what was left out whenever it changes an app
        # (terraform-provider-aws#28684).
        *(
            Setting(name=name, place=name, keep=lambda names: unique(names) if names else None)
            for name in (rules.READ, rules.WRITE)
        ),
        Setting(name=rules.OAUTH_ON, place="oauth_enabled", default=False, keep=bool, described=ALWAYS),
        Setting(name=rules.OAUTH, place="oauth_flows", default=[], check=rules.oauth_flow_problems, keep=unique),
        Setting(name=rules.SCOPES, place="scopes", default=[], keep=unique),
        Setting(
            name=rules.URLS,
            place="callback_urls",
            default=[],
            check=rules.url_problems,
            keep=unique,
            choice=Choice(
                control=Control.LINES,
                label=gettext_lazy("Callback URLs"),
                help=gettext_lazy("Where people return after signing in: one absolute URL a line, matched exactly."),
            ),
        ),
        Setting(
            name="logout_urls",
            place="logout_urls",
            default=[],
            check=rules.url_problems,
            keep=unique,
            choice=Choice(
                control=Control.LINES,
                label=gettext_lazy("Sign-out URLs"),
                help=gettext_lazy("Where people return after signing out."),
            ),
        ),
        Setting(name=rules.REDIRECT, place="default_redirect_uri", default=""),
        Setting(
            name=rules.PROVIDERS,
            place="identity_providers",
            default=[],
            keep=unique,
            choice=Choice(
                control=Control.SEVERAL_OF,
                label=gettext_lazy("People come by"),
                help=gettext_lazy("What this app’s login page offers. With nothing chosen: the pool’s own accounts."),
                options_of=provider_options,
            ),
        ),
        own_switch(
            "openid_strict",
            label=gettext_lazy("OpenID strict"),
            help=gettext_lazy(
                "Follows OAuth and OpenID Connect where Cognito goes its own way; "
                "switch it off for code that expects Cognito's."
            ),
        ),
    ),
    rules=rules.RULES,
    derive=put_lifetimes,
    derived=tuple(f"{kind}_seconds" for kind in LIFETIMES),
    noted_in="explicit",
)
