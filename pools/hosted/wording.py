"""What the pages say: one table from what happened to text. Unknown users and users read the same words.

Whether an account exists is never said: a wrong password, an unknown name and a disabled account are one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy, ngettext

from identity.foundation import errors

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SIGN_IN_FAILED = gettext_lazy("That sign-in didn't work. Check the details and try again, or reset your password.")
CODE_FAILED = gettext_lazy("That code didn't work. Check it, or ask for a new one.")
OWN_PASSWORD_FAILED = gettext_lazy("That is not your current password.")
TOTP_FAILED = gettext_lazy("That code didn't work. Enter the code your app shows now.")
TOTP_USED = gettext_lazy("That code was used already. Wait for the next one.")
WAIT = gettext_lazy("Too many tries. Wait a while, then try again.")
NAME_TAKEN = gettext_lazy("That username is taken. Choose another one.")
EMAIL_TAKEN = gettext_lazy("This address already belongs to another account. Sign in to that account instead.")
NOT_OPEN = gettext_lazy("New accounts are made by an administrator here.")
BY_OPERATOR = gettext_lazy("Passwords are set by an administrator here. Ask for a new one.")
INVITATION_OVER = gettext_lazy("Your temporary password has expired. Ask an administrator for a new one.")
STALE = gettext_lazy(
    "This page was loaded again, because it was open for too long or your browser keeps no cookies: "
    "check it, then send it once more."
)
A_MINUTE = 60


PASSWORD_FAILED = gettext_lazy("Choose another password. It has to meet everything listed here.")
PASSWORD_REASONS = {
    "Password not long enough": gettext_lazy("That password is too short."),
    "Password too long": gettext_lazy("That password is too long."),
    "Password must have uppercase characters": gettext_lazy("Add a capital letter."),
    "Password must have lowercase characters": gettext_lazy("Add a lower-case letter."),
    "Password must have numeric characters": gettext_lazy("Add a number."),
    "Password must have symbol characters": gettext_lazy("Add a symbol, such as ! or #."),
    "Password must not begin or end with a space or hold control characters": gettext_lazy(
        "A password can't begin or end with a space."
    ),
}


class Said(NamedTuple):
    """Where a message belongs, and its text. An empty field is the form as a whole."""

    field: str
    text: str | _StrPromise


@dataclass(frozen=True, slots=True)
class Problem:
    """A page about something that stopped."""

    title: str | _StrPromise
    text: str | _StrPromise
    again: str = ""
    """``same``: load the page once more; ``start``: sign-in from its beginning."""


Notice = tuple[str, "str | _StrPromise"]
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
}

# Where no code went out: what comes before the wait.
NO_CODE_NOTICES: dict[str, str | _StrPromise] = {
    "wait": "",
    "confirm_wait": gettext_lazy("Confirm your account first."),
    "choose_wait": gettext_lazy("Your address is confirmed. Choose the password of your account."),
}

# By page: which step it is, of how many.
PROGRESS = {"sign_up": (1, 2), "confirm": (2, 2), "forgot": (1, 2), "confirm_forgot": (2, 2), "totp": (2, 2)}

PROBLEMS: dict[str, Problem] = {
    "no_client": Problem(
        gettext_lazy("This link is incomplete"),
        gettext_lazy("It doesn't say which app you are signing in to. Go back to the app and start again."),
    ),
    "unknown_client": Problem(
        gettext_lazy("We don't know this app"),
        gettext_lazy("The app that sent you here is not registered. Go back to it, or tell the people who run it."),
    ),
    "no_pages": Problem(
        gettext_lazy("This app has no sign-in pages"),
        gettext_lazy(
            "Nobody signs in to it, or it asks for that itself. Go back to it, or tell the people who run it."
        ),
    ),
    "redirect_mismatch": Problem(
        gettext_lazy("This app is not set up right"),
        gettext_lazy("It asked to send you to an address that isn't registered for it, so you stay here, safely."),
    ),
    "invalid_request": Problem(
        gettext_lazy("This request can't be read"),
        gettext_lazy("Something in it is missing, doubled or too long. Go back to the app and start again."),
        again="start",
    ),
    "other_account": Problem(
        gettext_lazy("Somebody else is signed in"),
        gettext_lazy("This browser is signed in to another account, so nobody was signed out."),
    ),
    "expired": Problem(
        gettext_lazy("This sign-in has expired"),
        gettext_lazy("Nothing is lost. Start again from the app."),
        again="start",
    ),
    "form_refused": Problem(
        gettext_lazy("Please load the page again"),
        gettext_lazy(
            "It was open for too long, you signed in from another tab, or your browser blocks cookies. "
            "Cookies of this site are needed to sign in."
        ),
        again="same",
    ),
    "busy": Problem(
        gettext_lazy("Very busy just now"),
        gettext_lazy("More people are signing in than can be served at once. Try again in a few seconds."),
        again="same",
    ),
    "unavailable": Problem(
        gettext_lazy("Not available just now"),
        gettext_lazy("We can't look anything up at the moment, so nobody can sign in. Try again in a few seconds."),
    ),
    "not_found": Problem(
        gettext_lazy("Page not found"), gettext_lazy("There is nothing at this address. Check it for typing errors.")
    ),
    "method": Problem(gettext_lazy("That's not possible here"), gettext_lazy("Go back and try another way.")),
    "closed": Problem(gettext_lazy("Sign-up is closed"), NOT_OPEN, again="start"),
    "no_totp": Problem(
        gettext_lazy("Authenticator apps are off"), gettext_lazy("This place does not use them."), again="start"
    ),
    "refused": Problem(
        gettext_lazy("That didn't work"),
        gettext_lazy("Start again. If it happens again, tell us the reference below."),
        again="start",
    ),
    "server_error": Problem(
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("Try again in a moment. If it stays, tell us the reference below."),
    ),
}


def wait(seconds: int) -> str:
    """Return what somebody who is locked out reads; the same for a known and an unknown name."""
    if seconds < A_MINUTE:
        return ngettext(
            "Too many tries. Try again in %(seconds)d second.",
            "Too many tries. Try again in %(seconds)d seconds.",
            max(1, seconds),
        ) % {"seconds": max(1, seconds)}
    minutes = -(-seconds // A_MINUTE)
    return ngettext(
        "Too many tries. Try again in %(minutes)d minute.", "Too many tries. Try again in %(minutes)d minutes.", minutes
    ) % {"minutes": minutes}


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


def of_sign_in(problem: errors.DomainError) -> Said:
    """Return what the sign-in page says."""
    match problem:
        case errors.LockedOut():
            return Said("", wait(problem.retry_after))
        case errors.TooManyAttempts():
            return Said("", WAIT)
        case errors.TemporaryPasswordExpired():
            return Said("", INVITATION_OVER)
        case errors.PasswordIncorrect() | errors.UserNotFound() | errors.UserDisabled() | errors.WrongState():
            return Said("", SIGN_IN_FAILED)
    raise problem


def of_code(problem: errors.DomainError) -> Said:
    """Return what a page says whose code is proof: one sentence for wrong, old, spent and never sent."""
    match problem:
        case errors.LockedOut():
            return Said("", wait(problem.retry_after))
        case errors.TooManyWrongCodes():
            return Said("code", CODE_FAILED)  # a dead code exists only where there is somebody to send one to
        case errors.TooManyAttempts():
            return Said("", WAIT)
        case errors.AliasExists():
            return Said("", EMAIL_TAKEN)
        case errors.PasswordRejected():
            return of_password(problem, "new_password")
        case errors.SessionRefused() | errors.Overloaded():
            raise problem
        case errors.CodeMismatch() | errors.CodeExpired() | errors.NotAuthorized() | errors.UserNotFound():
            return Said("code", CODE_FAILED)
    raise problem


def of_totp(problem: errors.DomainError) -> Said:
    """Return what a page says about a code of an authenticator app."""
    match problem:
        case errors.TotpUsed():
            return Said("code", TOTP_USED)
        case errors.TotpMismatch() | errors.TotpEnrolmentFailed() | errors.CodeMismatch() | errors.CodeExpired():
            return Said("code", TOTP_FAILED)
        case errors.SessionRefused():
            raise problem
        case errors.UserDisabled():
            return Said("", SIGN_IN_FAILED)
        case errors.LockedOut():
            return Said("", wait(problem.retry_after))
        case errors.TooManyAttempts():
            return Said("", WAIT)
    raise problem


def of_password(problem: errors.PasswordRejected, field: str) -> Said:
    """Return what a page says about a new password that the pool does not take."""
    _, _, reason = problem.message.partition(": ")
    return Said(field, PASSWORD_REASONS.get(reason, PASSWORD_FAILED))


def of_sign_up(problem: errors.DomainError) -> Said:
    """Return what the sign-up page says."""
    match problem:
        case errors.PasswordRejected():
            return of_password(problem, "password")
        case errors.AlreadyExists():
            return Said("username", NAME_TAKEN)
        case errors.LockedOut():
            return Said("", wait(problem.retry_after))
        case errors.TooManyAttempts():
            return Said("", wait(problem.wait) if problem.wait else WAIT)
        case errors.Invalid():
            return Said(problem.field, problem.message)
        case errors.NotAuthorized():
            return Said("", problem.message)
    raise problem


def of_new_password(problem: errors.DomainError) -> Said:
    """Return what the page says at which a temporary password is replaced."""
    match problem:
        case errors.PasswordRejected():
            return of_password(problem, "new_password")
        case errors.Invalid() | errors.AttributeProvided():
            return Said(problem.field, problem.message)
    return of_sign_in(problem)


def of_own_password(problem: errors.DomainError) -> Said:
    """Return what the page says at which somebody changes their password."""
    if isinstance(problem, errors.PasswordIncorrect):
        return Said("password", OWN_PASSWORD_FAILED)
    return of_new_password(problem)
