"""The forms of the hosted pages. Names and ids are Cognito's, each field says to password managers what it is.

Nothing is judged here beyond shape: rules are the services', and their refusals are put at the field they are about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from pools.hosted import wording
from pools.services import codes
from pools.services.pools import password_policy
from pools.web import phone_fields
from pools.web.page_forms import PageForm

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from pools.models import UserPool

NAME_LENGTH = 2048
PASSWORD_LENGTH = password_policy.LONGEST
CODE_LENGTH = 64

AS_TYPED = {"autocapitalize": "none", "spellcheck": "false"}
# By attribute: label, autocomplete, type, help. From HTML's list of autofill field names.
ATTRIBUTES: dict[str, tuple[str | _StrPromise, str, str, str | _StrPromise]] = {
    "email": (gettext_lazy("Email"), "email", "email", ""),
    "phone_number": (
        gettext_lazy("Phone number"),
        "tel",
        "tel",
        gettext_lazy("As you write it at home, or with + and the country code."),
    ),
    "name": (gettext_lazy("Full name"), "name", "text", ""),
    "given_name": (gettext_lazy("First name"), "given-name", "text", ""),
    "middle_name": (gettext_lazy("Middle name"), "additional-name", "text", ""),
    "family_name": (gettext_lazy("Last name"), "family-name", "text", ""),
    "nickname": (gettext_lazy("Nickname"), "nickname", "text", ""),
    "preferred_username": (gettext_lazy("Display name"), "nickname", "text", ""),
    "birthdate": (gettext_lazy("Date of birth"), "bday", "date", ""),
    "gender": (gettext_lazy("Gender"), "sex", "text", ""),
    "address": (gettext_lazy("Address"), "street-address", "textarea", ""),
    "website": (gettext_lazy("Website"), "url", "url", ""),
    "picture": (gettext_lazy("Link to a picture of you"), "photo", "url", ""),
    "profile": (gettext_lazy("Link to your profile"), "url", "url", ""),
    "zoneinfo": (gettext_lazy("Time zone"), "off", "text", gettext_lazy("Such as Europe/Vienna.")),
    "locale": (gettext_lazy("Language"), "language", "text", gettext_lazy("Such as en-GB.")),
}


def text(  # noqa: PLR0913 - a field has these parts
    label: str | _StrPromise,
    autocomplete: str,
    *,
    kind: str = "text",
    help_text: str | _StrPromise = "",
    limit: int = NAME_LENGTH,
    attributes: Mapping[str, str] | None = None,
    number: type[forms.TextInput] | None = None,
    required: str | _StrPromise = wording.REQUIRED,
) -> forms.CharField:
    """Return a field of one line; with ``number``, one that reads phone numbers so.

    ``required`` is what is said where it is left empty.
    """
    attrs = {"class": "input", "autocomplete": autocomplete, **(attributes or {})}
    widget: forms.Widget
    if number is not None:
        widget = number(attrs)
    elif kind == "textarea":
        widget = forms.Textarea({**attrs, "rows": "3"})
    elif kind == "password":
        widget = forms.PasswordInput(attrs)
    else:
        widget = forms.TextInput({**attrs, "type": kind})
    make = phone_fields.PhoneField if number is phone_fields.PhoneInput else forms.CharField
    return make(
        label=label,
        help_text=help_text,
        widget=widget,
        max_length=limit,
        strip=kind != "password",
        error_messages={
            "required": required,
            "max_length": wording.TOO_LONG,
            "null_characters_not_allowed": wording.VALUE_REASONS["unstorable"],
        },
    )


def name_field(pool: UserPool, autocomplete: str = "username", *, is_known: bool = False) -> forms.CharField:
    """Return the field of the name that people sign in by, as the pool has them; one that is known needs no reading."""
    names, label, kind, mode = set(pool.username_attributes), gettext_lazy("Username"), "text", {}
    enter = wording.ENTER_USERNAME
    number: type[forms.TextInput] | None = None
    if names == {"email"}:
        label, kind, mode, enter = gettext_lazy("Email"), "email", {"inputmode": "email"}, wording.ENTER_EMAIL
    elif names == {"phone_number"}:
        label, kind, mode, enter = gettext_lazy("Phone number"), "tel", {"inputmode": "tel"}, wording.ENTER_PHONE
        number = phone_fields.PhoneInput
    elif names:
        label, number, enter = gettext_lazy("Email or phone number"), phone_fields.MixedInput, wording.ENTER_ADDRESS
    elif "phone_number" in pool.alias_attributes:
        number = phone_fields.FullInput
    attributes = {**AS_TYPED, **mode}
    reader = None if is_known else number
    return text(label, autocomplete, kind=kind, attributes=attributes, number=reader, required=enter)


def known_name_field(pool: UserPool) -> forms.CharField:
    """Return the same field where the name is known already: present, so that password managers pair it."""
    field = name_field(pool, is_known=True)
    field.widget.attrs["readonly"] = True
    field.widget.attrs["class"] = ""
    return field


def code_field(label: str | _StrPromise, help_text: str | _StrPromise = "") -> forms.CharField:
    """Return the field of a one-time code: one input, which takes pasting, spaces and dashes."""
    attributes = {**AS_TYPED, "inputmode": "numeric", "pattern": codes.WRITTEN}
    options: dict[str, Any] = {"limit": CODE_LENGTH, "required": wording.ENTER_CODE}
    return text(label, "one-time-code", help_text=help_text, attributes=attributes, **options)


def new_password_field(pool: UserPool, label: str | _StrPromise) -> forms.CharField:
    """Return the field of a password that is being chosen."""
    attributes = {"passwordrules": password_rules(pool), "aria-describedby": "password_policy"}
    options: dict[str, Any] = {"limit": PASSWORD_LENGTH, "required": wording.ENTER_NEW_PASSWORD}
    return text(label, "new-password", kind="password", attributes=attributes, **options)


def password_rules(pool: UserPool) -> str:
    """Return the pool's policy as Safari's generator of passwords reads it."""
    policy = password_policy.policy(pool)
    rules = [f"minlength: {policy['minimum_length']}", f"maxlength: {PASSWORD_LENGTH}"]
    for rule, word in (
        ("require_lowercase", "lower"),
        ("require_uppercase", "upper"),
        ("require_numbers", "digit"),
        ("require_symbols", "[-!@#$%^&*()_+=.]"),
    ):
        if policy[rule]:
            rules.append(f"required: {word}")
    return "; ".join(rules) + ";"


def policy_list(pool: UserPool) -> list[tuple[str, str, str | _StrPromise]]:
    """Return what a new password must have: rule, its number, and text; the script ticks them off."""
    policy = password_policy.policy(pool)
    least = str(policy["minimum_length"])
    listed: list[tuple[str, str, str | _StrPromise]] = [
        ("length", least, gettext_lazy("%(least)s characters or more") % {"least": least})
    ]
    for rule, name, label in (
        ("require_lowercase", "lower", gettext_lazy("A lower-case letter")),
        ("require_uppercase", "upper", gettext_lazy("A capital letter")),
        ("require_numbers", "digit", gettext_lazy("A number")),
        ("require_symbols", "symbol", gettext_lazy("A symbol")),
    ):
        if policy[rule]:
            listed.append((name, "", label))
    return listed


class SignInForm(PageForm):
    """Name and password."""

    def __init__(self, pool: UserPool, *arguments: Any, **options: Any) -> None:
        """Make the fields as the pool has them."""
        super().__init__(*arguments, **options)
        self.fields["username"] = name_field(pool, "username webauthn")
        self.fields["password"] = text(
            gettext_lazy("Password"),
            "current-password",
            kind="password",
            limit=PASSWORD_LENGTH,
            required=wording.ENTER_PASSWORD,
        )


class CodeForm(PageForm):
    """A code alone: a second factor's."""

    code = code_field(gettext_lazy("Code"))

    def clean_code(self) -> str:
        """Return it as it was sent."""
        code = codes.plain(self.cleaned_data["code"])
        if not code:
            raise ValidationError(wording.ENTER_CODE)
        return code


class NamedCodeForm(CodeForm):
    """A mailed code, and whose it is: shown where known, asked for where not."""

    def __init__(self, pool: UserPool, username: str, *arguments: Any, **options: Any) -> None:
        """Put the name before the code."""
        options.setdefault("initial", {})
        if username:
            options["initial"] = {"username": username, **options["initial"]}
        super().__init__(*arguments, **options)
        self.fields["username"] = known_name_field(pool) if username else name_field(pool)
        self.order_fields(["username", "code"])


class ForgotForm(PageForm):
    """A name alone."""

    def __init__(self, pool: UserPool, *arguments: Any, **options: Any) -> None:
        """Make the field as the pool has it."""
        super().__init__(*arguments, **options)
        self.fields["username"] = name_field(pool)


class ResetForm(NamedCodeForm):
    """A mailed code and a new password."""

    def __init__(self, pool: UserPool, username: str, *arguments: Any, **options: Any) -> None:
        """Put the password last."""
        super().__init__(pool, username, *arguments, **options)
        self.fields["new_password"] = new_password_field(pool, gettext_lazy("New password"))


class NewPasswordForm(PageForm):
    """A password in place of a temporary one, with the attributes that the pool still needs."""

    def __init__(
        self,
        pool: UserPool,
        username: str,
        required: Sequence[str],
        *arguments: Any,
        **options: Any,
    ) -> None:
        """Ask only for what is missing."""
        options["initial"] = {"username": username}
        super().__init__(*arguments, **options)
        self.fields["username"] = known_name_field(pool)
        self.requested = list(required)
        for name in self.requested:
            self.fields[name] = attribute_field(name)
        self.fields["new_password"] = new_password_field(pool, gettext_lazy("New password"))

    def attributes(self) -> dict[str, str]:
        """Return the attributes that were asked for."""
        return {name: self.given(name) for name in self.requested}


class OwnPasswordForm(PageForm):
    """The current password of somebody who is signed in, and a new one."""

    def __init__(self, pool: UserPool, username: str, *arguments: Any, **options: Any) -> None:
        """Put the name first: password managers pair it with both."""
        super().__init__(*arguments, initial={"username": username}, **options)
        self.fields["username"] = known_name_field(pool)
        self.fields["username"].required = False
        self.fields["password"] = text(
            gettext_lazy("Current password"),
            "current-password",
            kind="password",
            limit=PASSWORD_LENGTH,
            required=wording.ENTER_CURRENT_PASSWORD,
        )
        self.fields["new_password"] = new_password_field(pool, gettext_lazy("New password"))


class SignUpForm(PageForm):
    """A new account: name, what the pool requires of everyone, password."""

    def __init__(
        self,
        pool: UserPool,
        schema: Sequence[Mapping[str, Any]],
        *arguments: Any,
        **options: Any,
    ) -> None:
        """Ask for what the pool's schema requires, and for where a code can be sent."""
        super().__init__(*arguments, **options)
        self.fields["username"] = name_field(pool)
        self.requested = requested_attributes(pool, schema)
        for name in self.requested:
            self.fields[name] = attribute_field(name)
        self.fields["password"] = new_password_field(pool, gettext_lazy("Password"))

    def attributes(self) -> dict[str, str]:
        """Return the attributes that were asked for."""
        return {name: self.given(name) for name in self.requested}


class AttributesForm(PageForm):
    """What else is needed: what an identity provider did not give, or a number to send codes to."""

    def __init__(self, names: Sequence[str], *arguments: Any, **options: Any) -> None:
        """Ask for these attributes."""
        super().__init__(*arguments, **options)
        self.requested = names
        for name in names:
            self.fields[name] = attribute_field(name)

    def attributes(self) -> dict[str, str]:
        """Return what was filled in."""
        return {name: self.given(name) for name in self.requested}


def requested_attributes(pool: UserPool, schema: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which attributes sign-up asks for: required ones, and those that a code is sent to.

    Where email address or phone number is the username itself, it is not asked for again.
    """
    required = {str(attribute["name"]) for attribute in schema if attribute.get("required")}
    wanted = (required | set(pool.auto_verified)) - {"sub"}
    if pool.username_attributes:
        single = len(pool.username_attributes) == 1
        wanted -= set(pool.username_attributes) if single else set(pool.username_attributes) - required
    order = list(ATTRIBUTES)
    return sorted(wanted, key=lambda name: (order.index(name) if name in order else len(order), name))


def attribute_field(name: str) -> forms.CharField:
    """Return the field of an attribute."""
    label, autocomplete, kind, help_text = ATTRIBUTES.get(
        name, (name.removeprefix("custom:").replace("_", " ").capitalize(), "off", "text", "")
    )
    number = phone_fields.PhoneInput if kind == "tel" else None
    required = wording.ENTER.get(name, wording.REQUIRED)
    return text(label, autocomplete, kind=kind, help_text=help_text, number=number, required=required)
