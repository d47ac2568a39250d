"""What a pool may be set to of second factors: whether they are asked for, and of which kinds they are.

What is kept of those which this release does not have is among the other settings, and the rules between all of them in
``pool_rules``.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from pools.models import UserPool
from pools.services.pools import pool_rules
from pools.services.pools.settings_table import Choice, Control, Described, Given, Setting

SETTINGS = (
    Setting(
        name=pool_rules.MODE,
        place="mfa",
        default="OFF",
        described=Described.ALWAYS,
        stays=True,
        choice=Choice(
            control=Control.ONE_OF,
            label=gettext_lazy("Second factor"),
            help=gettext_lazy("A code after the password, of an authenticator app unless you choose otherwise."),
            options={
                "OFF": gettext_lazy("Off"),
                "OPTIONAL": gettext_lazy("Optional"),
                "ON": gettext_lazy("Required"),
            },
            given_by=pool_rules.given_by_mode,
        ),
    ),
    Setting(
        name=pool_rules.AUTHENTICATOR,
        place="totp_enabled",
        default=False,
        keep=bool,
        stays=True,
        choice=Choice(
            control=Control.SWITCH,
            label=gettext_lazy("Codes of an authenticator app"),
            help=gettext_lazy("They may be people’s second factor, where there is one at all."),
        ),
    ),
    Setting(
        name=pool_rules.TEXTS,
        place="sms_enabled",
        default=False,
        keep=bool,
        described=Described.NEVER,
        stays=True,
        is_on_wire=False,
        choice=Choice(
            control=Control.SWITCH,
            label=gettext_lazy("Codes by text message"),
            help=gettext_lazy(
                "They may be people’s second factor, too. An app’s codes are safer: text messages can be read on "
                "the way, and numbers taken over."
            ),
        ),
    ),
)


def put_kinds(pool: UserPool, given: Given) -> None:
    """Put into a pool the kind that MFA means which names none; MFA that is off has none by SMS."""
    pool.sms_enabled = pool.mfa != UserPool.Mfa.OFF and (pool.sms_enabled or pool_rules.means_texts(given))
