"""What a page says of what happened on the one before, by the name that a browser's page state carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, ngettext

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Notice = tuple[str, "str | _StrPromise"]
"""A tone and a text."""
NOTICES: dict[str, Notice] = {
    "confirmed": ("good", gettext_lazy("Your account is confirmed. Sign in to continue.")),
    "created": ("good", gettext_lazy("Your account is ready. Sign in to continue.")),
    "waiting": ("warn", gettext_lazy("Your account was created. An administrator has to confirm it first.")),
    "password_changed": ("good", gettext_lazy("Your password is changed. Sign in with the new one.")),
    "own_password_changed": ("good", gettext_lazy("Your password is changed.")),
    "choose_again": (
        "good",
        gettext_lazy("Your address is confirmed. Choose the password of your account: another code is on its way."),
    ),
    "ask_operator": (
        "warn",
        gettext_lazy("Your address is confirmed. Ask an administrator for a password before you sign in."),
    ),
    "resent": ("good", gettext_lazy("A new code is on its way.")),
    "confirm_first": ("warn", gettext_lazy("Confirm your account first. A new code is on its way.")),
    "expired": ("warn", gettext_lazy("That took too long. Please sign in again.")),
    "prove": ("warn", gettext_lazy("Confirm that it's you before you change how you sign in.")),
    "mfa_on": ("good", gettext_lazy("Your authenticator app is set up. You'll be asked for a code when you sign in.")),
    "mfa_off": ("good", gettext_lazy("Your authenticator app is removed.")),
    "texts_on": ("good", gettext_lazy("Text messages are set up. We'll send you a code when you sign in.")),
    "texts_off": ("good", gettext_lazy("Text messages are turned off.")),
    "preference_kept": ("good", gettext_lazy("Your choice is saved.")),
}
# Where no code went out: what comes before the wait.
NO_CODE: dict[str, str | _StrPromise] = {
    "wait": "",
    "confirm_wait": gettext_lazy("Confirm your account first."),
    "choose_wait": gettext_lazy("Your address is confirmed. Choose the password of your account."),
}
A_MINUTE = 60


def no_code(seconds: int) -> str:
    """Return what is said to who asked for a code and gets none yet, alike for every name; empty without a wait."""
    if seconds <= 0:
        return ""
    if seconds < A_MINUTE:
        return ngettext(
            "No new code was sent. You can ask for one in %(seconds)d second.",
            "No new code was sent. You can ask for one in %(seconds)d seconds.",
            seconds,
        ) % {"seconds": seconds}
    minutes = -(-seconds // A_MINUTE)
    return ngettext(
        "No new code was sent. You can ask for one in %(minutes)d minute.",
        "No new code was sent. You can ask for one in %(minutes)d minutes.",
        minutes,
    ) % {"minutes": minutes}
