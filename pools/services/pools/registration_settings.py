"""Settings of a pool that say whether apps may register themselves, and for what. Pure, but for the pool's scopes.

What then happens is ``client_registration``. AWS: API_DcrConfigurationType.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy

from identity.foundation.errors import DomainError, Invalid
from pools.models import AppClient, UserPool
from pools.services.pools import client_rules
from pools.services.pools.settings_table import Choice, Control, Given, Setting, Text, one_of, rule, unique

STRUCTURE = "dcr_configuration"
ON, OPEN, SCOPES = f"{STRUCTURE}.enable_status", f"{STRUCTURE}.open_dcr_enabled", f"{STRUCTURE}.allowed_scopes"
WITH_TOKEN, OPENLY = f"{STRUCTURE}.authenticated_grant_types", f"{STRUCTURE}.open_dcr_grant_types"
DISABLED, ENABLED = "Disabled", "Enabled"
GRANTS = ("code", "client_credentials")
"""The OAuth flows that an app may register for. ``implicit`` is taken beside them, and does nothing."""
FILLED = {
    "enable_status": ENABLED,
    "open_dcr_enabled": False,
    "authenticated_grant_types": list(GRANTS),
    "open_dcr_grant_types": ["code"],
    "allowed_scopes": [],
}
"""What a configuration means that leaves these out: that it is there switches registration on."""
OPTIONS: dict[str, Text] = {
    "code": gettext_lazy("People sign in"),
    "client_credentials": gettext_lazy("A machine signs in for itself"),
}


class RegistrationRefused(DomainError):
    """The pool lets nobody register so."""

    public = "Such registrations are not allowed."


def allowed_flows(pool: UserPool, registered: str) -> frozenset[str]:
    """Return the flows that apps may register for, with a token or openly; none where the pool lets nobody do so."""
    is_open = registered == AppClient.Registered.OPENLY
    if not pool.registration or (is_open and not pool.open_registration):
        return frozenset()
    return frozenset(pool.open_registration_grants if is_open else pool.registration_grants).intersection(GRANTS)


def grant_problems(value: Sequence[str], field: str) -> Iterator[Invalid]:
    """Yield what keeps words from being OAuth flows."""
    if unknown := sorted(set(value) - set(client_rules.OAUTH_FLOWS)):
        yield Invalid(f"Unknown OAuth flow {unknown[0]}.", field=field, code="oauth_flow")


def scopes_exist(given: Given, pool: UserPool) -> Iterator[Invalid]:
    """What apps may ask for when they register is there: every pool's own scopes, and those of its resource servers.

    The scope that lets register may be named, as at Amazon, and is given to none of them.
    """
    scopes = unique(given[SCOPES])
    if len(scopes) > client_rules.MAX_SCOPES:
        yield Invalid("At most 50 scopes can be allowed.", field=SCOPES, code="too_many_scopes")
    known = {*client_rules.BUILT_IN_SCOPES, client_rules.REGISTER_SCOPE, *client_rules.custom_scopes(pool)}
    if unknown := [scope for scope in scopes if scope not in known]:
        text = f"Invalid scope requested: {unknown[0]}"
        yield Invalid(text, field=SCOPES, code="no_such_scope", parameters={"scope": unknown[0]})


def of_grants(name: str, place: str, label: Text, help_text: Text) -> Setting:
    """Return the row of the flows that apps may register for in one of the two ways."""
    return Setting(
        name=name,
        place=place,
        default=list(FILLED[name.rpartition(".")[2]]),  # type: ignore[call-overload]  # a list
        check=grant_problems,
        keep=unique,
        stays=True,
        choice=Choice(control=Control.SEVERAL_OF, label=label, help=help_text, options=OPTIONS),
    )


ROWS = (
    Setting(
        name=ON,
        place="registration",
        default=DISABLED,
        check=one_of(DISABLED, ENABLED, text="EnableStatus is Enabled or Disabled."),
        words=(DISABLED, ENABLED),
        stays=True,
        choice=Choice(
            control=Control.SWITCH,
            label=gettext_lazy("Apps register themselves"),
            help=gettext_lazy(
                "Dynamic client registration (RFC 7591), with an access token that has the scope "
                "aws.cognito/dcr/register."
            ),
        ),
    ),
    Setting(
        name=OPEN,
        place="open_registration",
        default=False,
        keep=bool,
        stays=True,
        choice=Choice(
            control=Control.SWITCH,
            label=gettext_lazy("Without a token, too"),
            help=gettext_lazy(
                "Anybody can add an app. People see where it leads instead of its name, and are asked each time."
            ),
        ),
    ),
    of_grants(
        WITH_TOKEN,
        "registration_grants",
        gettext_lazy("Kinds of apps that register with a token"),
        gettext_lazy("None: such registrations are refused."),
    ),
    of_grants(
        OPENLY,
        "open_registration_grants",
        gettext_lazy("Kinds of apps that register without a token"),
        gettext_lazy("None: such registrations are refused."),
    ),
    Setting(
        name=SCOPES,
        place="registration_scopes",
        default=[],
        keep=unique,
        stays=True,
        choice=Choice(
            control=Control.LINES,
            label=gettext_lazy("Scopes that they may have"),
            help=gettext_lazy("One a line, beside openid, email, phone and profile."),
        ),
    ),
)
RULES = (rule(scopes_exist, SCOPES),)
