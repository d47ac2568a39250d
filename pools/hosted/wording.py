"""What the pages say: one table from what happened to text. Unknown users and users read the same words.

Whether an account exists is never said: a wrong password, an unknown name and a disabled account are one sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from identity.foundation import errors
from pools.services.people.attributes import AttributeNotWritable
from pools.web import phone_fields, problem_pages
from pools.web.page_forms import FieldError

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SIGN_IN_FAILED = gettext_lazy("That sign-in didn't work. Check the details and try again, or reset your password.")
CODE_FAILED = gettext_lazy("That code didn't work. Check it, or ask for a new one.")
OWN_PASSWORD_FAILED = gettext_lazy("That is not your current password.")
OWN_PASSWORD_ENDED = gettext_lazy(
    "An administrator ended your password. Sign out, then choose a new one with the code you were sent."
)
OWN_PASSWORD_ELSEWHERE = gettext_lazy("You have no password here: you sign in with another provider.")
APP_CODE_FAILED = gettext_lazy("That code didn't work. Enter the code your app shows now.")
APP_CODE_USED = gettext_lazy("That code was used already. Wait for the next one.")
CODE_WORN_OUT = gettext_lazy("That code was tried too often. Ask for a new one.")
CHOOSE_ONE = gettext_lazy("Choose one of these.")
NUMBER_TAKEN = gettext_lazy("This number already belongs to another account. Use another number.")
WAIT = gettext_lazy("Too many tries. Wait a while, then try again.")
NAME_TAKEN = gettext_lazy("That username is taken. Choose another one.")
EMAIL_TAKEN = gettext_lazy("This address already belongs to another account. Sign in to that account instead.")
BY_OPERATOR = gettext_lazy("Passwords are set by an administrator here. Ask for a new one.")
INVITATION_OVER = gettext_lazy("Your temporary password has expired. Ask an administrator for a new one.")
A_MINUTE = 60
PASSWORD_FAILED = gettext_lazy("Choose another password. It has to meet everything listed here.")
# By the rule that is broken (``password_policy`` and ``password_history``).
PASSWORD_REASONS = {
    "password_too_short": gettext_lazy("That password is too short."),
    "password_too_long": gettext_lazy("That password is too long."),
    "password_uppercase": gettext_lazy("Add a capital letter."),
    "password_lowercase": gettext_lazy("Add a lower-case letter."),
    "password_numeric": gettext_lazy("Add a number."),
    "password_symbol": gettext_lazy("Add a symbol, such as ! or #."),
    "password_unstorable": gettext_lazy("A password can't begin or end with a space."),
    "password_reused": gettext_lazy("You have used that password before. Choose another one."),
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
    "too_short": ngettext_lazy("Write %(least)d character or more.", "Write %(least)d characters or more.", "least"),
    "too_long": ngettext_lazy(
        "That is too long: %(most)d character at most.", "That is too long: %(most)d characters at most.", "most"
    ),
    "too_small": gettext_lazy("Write a number of %(least)d or more."),
    "too_great": gettext_lazy("Write a number of %(most)d or less."),
    "email": gettext_lazy("That isn't an email address. Write it like name@example.org."),
    "phone_number": phone_fields.NOT_A_NUMBER,
    "phone": phone_fields.NOT_A_NUMBER,
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


class FactorWords(NamedTuple):
    """What the pages call a kind of second factor, and say of it."""

    name: _StrPromise
    about: _StrPromise
    instead: _StrPromise
    """The button by which it is asked for in place of another."""
    remove: _StrPromise
    question: _StrPromise
    confirm: _StrPromise
    """The button by which it goes, what is asked then, and the button that does it."""


AUTHENTICATOR = FactorWords(
    gettext_lazy("Authenticator app"),
    gettext_lazy("An app on your phone or computer shows you a code."),
    gettext_lazy("Use your authenticator app"),
    gettext_lazy("Remove"),
    gettext_lazy("Remove the authenticator app?"),
    gettext_lazy("Remove authenticator app"),
)
TEXT_MESSAGES = FactorWords(
    gettext_lazy("Text message"),
    gettext_lazy("We send a code to your phone."),
    gettext_lazy("Get a code by text message"),
    gettext_lazy("Turn off"),
    gettext_lazy("Turn off text messages?"),
    gettext_lazy("Turn off text messages"),
)

# By page: which step it is, of how many.
PROGRESS = {"sign_up": (1, 2), "confirm": (2, 2), "forgot": (1, 2), "confirm_forgot": (2, 2), "second_factor": (2, 2)}


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


def of_sign_in(problem: errors.DomainError) -> FieldError:
    """Return what the sign-in page says."""
    match problem:
        case errors.LockedOut():
            return FieldError("", wait(problem.retry_after))
        case errors.TooManyAttempts():
            return FieldError("", WAIT)
        case errors.TemporaryPasswordExpired():
            return FieldError("", INVITATION_OVER)
        case errors.PasswordIncorrect() | errors.UserNotFound() | errors.UserDisabled() | errors.WrongState():
            return FieldError("", SIGN_IN_FAILED)
    raise problem


def of_code(problem: errors.DomainError) -> FieldError:
    """Return what a page says whose code is proof: one sentence for wrong, old, spent and never sent."""
    match problem:
        case errors.LockedOut():
            return FieldError("", wait(problem.retry_after))
        case errors.TooManyWrongCodes():
            return FieldError("code", CODE_FAILED)  # a dead code exists only where there is somebody to send one to
        case errors.TooManyAttempts():
            return FieldError("", WAIT)
        case errors.AliasExists():
            return FieldError("", EMAIL_TAKEN)
        case errors.PasswordRejected():
            return of_password(problem, "new_password")
        case errors.AttemptTokenRefused() | errors.Overloaded():
            raise problem
        case errors.CodeMismatch() | errors.CodeExpired() | errors.NotAuthorized() | errors.UserNotFound():
            return FieldError("code", CODE_FAILED)
    raise problem


def of_second_factor(problem: errors.DomainError) -> FieldError:
    """Return what a page says about a code of a second factor."""
    match problem:
        case errors.TotpUsed():
            return FieldError("code", APP_CODE_USED)
        case errors.TotpMismatch() | errors.TotpEnrolmentFailed():
            return FieldError("code", APP_CODE_FAILED)
        case errors.CodeMismatch() | errors.CodeExpired():
            return FieldError("code", CODE_FAILED)
        case errors.AttemptTokenRefused():
            raise problem
        case errors.UserDisabled():
            return FieldError("", SIGN_IN_FAILED)
        case errors.AliasExists():
            return FieldError("", NUMBER_TAKEN)
        case errors.LockedOut():
            return FieldError("", wait(problem.retry_after))
        case errors.TooManyWrongCodes():
            return FieldError("code", CODE_WORN_OUT)
        case errors.TooManyAttempts():
            return FieldError("", WAIT)
    raise problem


def of_factor_choice(problem: errors.DomainError) -> FieldError:
    """Return what the page says at which somebody chooses a second factor, whose code may be sent then."""
    match problem:
        case errors.Invalid():
            return FieldError("", CHOOSE_ONE)
        case errors.UserDisabled():
            return FieldError("", SIGN_IN_FAILED)
        case errors.TooManyAttempts():
            return FieldError("", wait(problem.wait) if problem.wait else WAIT)
    raise problem


def of_password(problem: errors.PasswordRejected, field: str) -> FieldError:
    """Return what a page says about a new password that the pool does not take."""
    return FieldError(field, PASSWORD_REASONS.get(problem.code, PASSWORD_FAILED))


def of_value(problem: errors.Invalid) -> FieldError:
    """Return what a page says about a name or an attribute that breaks a rule."""
    return FieldError(problem.field, VALUE_REASONS.get(problem.code, VALUE_FAILED) % problem.parameters)


def of_attribute(problem: errors.DomainError) -> FieldError:
    """Say what is wrong with an attribute that is asked for before an account is made."""
    return of_value(problem) if isinstance(problem, errors.Invalid) else FieldError("", SIGN_IN_FAILED)


def of_sign_up(problem: errors.DomainError) -> FieldError:
    """Return what the sign-up page says."""
    match problem:
        case errors.PasswordRejected():
            return of_password(problem, "password")
        case errors.AlreadyExists():
            return FieldError("username", NAME_TAKEN)
        case errors.LockedOut():
            return FieldError("", wait(problem.retry_after))
        case errors.TooManyAttempts():
            return FieldError("", wait(problem.wait) if problem.wait else WAIT)
        case errors.Invalid():
            return of_value(problem)
        case AttributeNotWritable():
            return FieldError(problem.field, APP_REFUSED)
        case errors.NotAuthorized():
            return FieldError("", problem_pages.NO_SIGN_UP)
    raise problem


def of_new_password(problem: errors.DomainError) -> FieldError:
    """Return what the page says at which a temporary password is replaced."""
    match problem:
        case errors.PasswordRejected():
            return of_password(problem, "new_password")
        case errors.Invalid():
            return of_value(problem)
        case errors.AttributeProvided():
            return FieldError(problem.field, ALREADY_GIVEN)
        case AttributeNotWritable():
            return FieldError(problem.field, APP_REFUSED)
    return of_sign_in(problem)


def of_own_password(problem: errors.DomainError) -> FieldError:
    """Return what the page says at which somebody changes their password."""
    if isinstance(problem, errors.PasswordIncorrect):
        return FieldError("password", OWN_PASSWORD_FAILED)
    if isinstance(problem, errors.PasswordResetRequired):
        return FieldError("", OWN_PASSWORD_ENDED)
    if isinstance(problem, errors.WrongState):
        return FieldError("", OWN_PASSWORD_ELSEWHERE)
    return of_new_password(problem)
