"""What the pages say: one table from what happened to text. Unknown users and users read the same words.

Whether an account exists is never said: a wrong password, an unknown name and a disabled account are one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext, gettext_lazy, ngettext

from identity.foundation import errors
from pools.services.people.attributes import AttributeNotWritable

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
# By the rule that is broken (``services.password_policy``).
PASSWORD_REASONS = {
    "too_short": gettext_lazy("That password is too short."),
    "too_long": gettext_lazy("That password is too long."),
    "uppercase": gettext_lazy("Add a capital letter."),
    "lowercase": gettext_lazy("Add a lower-case letter."),
    "numeric": gettext_lazy("Add a number."),
    "symbol": gettext_lazy("Add a symbol, such as ! or #."),
    "unstorable": gettext_lazy("A password can't begin or end with a space."),
}
REQUIRED = gettext_lazy("Fill this in.")
ENTER_USERNAME = gettext_lazy("Enter your username.")
ENTER_EMAIL = gettext_lazy("Enter your email address.")
ENTER_PHONE = gettext_lazy("Enter your phone number.")
ENTER_ADDRESS = gettext_lazy("Enter your email address or phone number.")
ENTER_PASSWORD = gettext_lazy("Enter your password.")
ENTER_CURRENT_PASSWORD = gettext_lazy("Enter your current password.")
ENTER_NEW_PASSWORD = gettext_lazy("Choose a password.")
ENTER_CODE = gettext_lazy("Enter the code.")
TOO_LONG = gettext_lazy("That is too long: %(limit_value)d characters at most.")
# By attribute: what is said where it is left empty.
ENTER: dict[str, _StrPromise] = {
    "email": ENTER_EMAIL,
    "phone_number": ENTER_PHONE,
    "name": gettext_lazy("Enter your full name."),
    "given_name": gettext_lazy("Enter your first name."),
    "middle_name": gettext_lazy("Enter your middle name."),
    "family_name": gettext_lazy("Enter your last name."),
    "nickname": gettext_lazy("Enter your nickname."),
    "preferred_username": gettext_lazy("Enter your display name."),
    "birthdate": gettext_lazy("Enter your date of birth."),
    "gender": gettext_lazy("Enter your gender."),
    "address": gettext_lazy("Enter your address."),
    "website": gettext_lazy("Enter the address of your website."),
    "picture": gettext_lazy("Enter a link to a picture of you."),
    "profile": gettext_lazy("Enter a link to your profile."),
    "zoneinfo": gettext_lazy("Enter your time zone."),
    "locale": gettext_lazy("Enter your language."),
}
VALUE_FAILED = gettext_lazy("That can't be used here. Write it another way.")
# By the rule that is broken (``services.schema`` and ``services.sign_in_names``).
VALUE_REASONS = {
    "email": gettext_lazy("That isn't an email address. Write it like name@example.org."),
    "phone_number": gettext_lazy("That isn't a phone number. Check its digits and the country."),
    "address": gettext_lazy("That is neither an email address nor a phone number."),
    "name": gettext_lazy("Choose a name without spaces, of 128 characters at most."),
    "like_email": gettext_lazy("Choose a name that doesn't look like an email address."),
    "like_phone_number": gettext_lazy("Choose a name that doesn't look like a phone number."),
    "later": gettext_lazy("This name can be chosen once your account is confirmed."),
    "differs": gettext_lazy("This is another address than the one below. Write the same in both."),
    "day": gettext_lazy("Write it as year, month and day, such as 1990-12-31."),
    "moment": gettext_lazy("Write it as year, month and day, such as 1990-12-31."),
    "number": gettext_lazy("Write a whole number, in digits alone."),
    "boolean": gettext_lazy("Write true or false."),
    "too_large": gettext_lazy("That is too long. Write less."),
    "unstorable": gettext_lazy("That holds characters that can't be kept. Type it again."),
}
ALREADY_GIVEN = gettext_lazy("This is known already. Leave it as it is, and start again.")
APP_REFUSED = gettext_lazy("This app may not set this for you. Tell the people who run it.")


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
    return Said(field, PASSWORD_REASONS.get(problem.why, PASSWORD_FAILED))


def of_value(problem: errors.Invalid) -> Said:
    """Return what a page says about a name or an attribute that breaks a rule."""
    return Said(problem.field, _bounded(problem.why, problem.bound) or VALUE_REASONS.get(problem.why, VALUE_FAILED))


def _bounded(why: str, bound: int | None) -> str:
    """Return what is said of a rule that has a number, empty for the others."""
    if bound is None:
        return ""
    if why == "too_short":
        return ngettext("Write %(count)d character or more.", "Write %(count)d characters or more.", bound) % {
            "count": bound
        }
    if why == "too_long":
        return ngettext(
            "That is too long: %(count)d character at most.", "That is too long: %(count)d characters at most.", bound
        ) % {"count": bound}
    if why == "too_small":
        return gettext("Write a number of %(bound)d or more.") % {"bound": bound}
    if why == "too_great":
        return gettext("Write a number of %(bound)d or less.") % {"bound": bound}
    return ""


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
            return of_value(problem)
        case AttributeNotWritable():
            return Said(problem.field, APP_REFUSED)
        case errors.NotAuthorized():
            return Said("", NOT_OPEN)
    raise problem


def of_new_password(problem: errors.DomainError) -> Said:
    """Return what the page says at which a temporary password is replaced."""
    match problem:
        case errors.PasswordRejected():
            return of_password(problem, "new_password")
        case errors.Invalid():
            return of_value(problem)
        case errors.AttributeProvided():
            return Said(problem.field, ALREADY_GIVEN)
        case AttributeNotWritable():
            return Said(problem.field, APP_REFUSED)
    return of_sign_in(problem)


def of_own_password(problem: errors.DomainError) -> Said:
    """Return what the page says at which somebody changes their password."""
    if isinstance(problem, errors.PasswordIncorrect):
        return Said("password", OWN_PASSWORD_FAILED)
    return of_new_password(problem)
