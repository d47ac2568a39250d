"""Forms of the console: what a browser may send, before services decide what is right."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from identity.console import wording
from identity.console.setting_names import operators_name
from pools.services import codes
from pools.services.operators import operator_sign_in, operators
from pools.services.pools import client_rules, client_settings, pool_choices, pool_rules, pool_settings
from pools.services.pools.settings_table import Check

OFF = {"autocapitalize": "none", "spellcheck": "false"}
PREFIXES = (
    ("username", gettext_lazy("Username")),
    ("email", gettext_lazy("Email")),
    ("name", gettext_lazy("Name")),
    ("given_name", gettext_lazy("Given name")),
    ("family_name", gettext_lazy("Family name")),
    ("preferred_username", gettext_lazy("Preferred username")),
    ("phone_number", gettext_lazy("Phone number")),
)
SIGN_IN = {
    "email": gettext_lazy("Email address"),
    "phone_number": gettext_lazy("Phone number"),
    "email_or_phone_number": gettext_lazy("Email address or phone number"),
    "username": gettext_lazy("Username"),
    "username_or_email": gettext_lazy("Username or email address"),
}
"""How people sign in (``pool_choices``), in words."""
EMPTY = {
    "username": gettext_lazy("Enter your username."),
    "password": gettext_lazy("Enter your password."),
    "new_password": gettext_lazy("Choose a password."),
    "code": gettext_lazy("Enter the code."),
    "confirmation": gettext_lazy("Type the name."),
    "name": gettext_lazy("Enter a name."),
    "kind": gettext_lazy("Choose what kind of app it is."),
}
"""What is said of a field that is left empty."""
_, STRICT = client_settings.TABLE.choices["openid_strict"]
_, SECOND_FACTOR = pool_settings.TABLE.choices["mfa"]
MFA = SECOND_FACTOR.options or {}
KINDS = (
    ("public", gettext_lazy("Single-page or mobile app")),
    ("confidential", gettext_lazy("Web app with a server")),
    ("machine", gettext_lazy("Machine to machine")),
)


class Form(forms.Form):
    """A form as the field part draws it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Give elements the ids of their fields, without Django's ``id_``, and the stylesheet's class."""
        named: dict[str, Any] = {"auto_id": "%s", "label_suffix": "", **kwargs}
        super().__init__(*args, **named)
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("class", "input")
            field.error_messages["required"] = EMPTY.get(name, gettext_lazy("Fill this in."))

    def clean_or_blame(self, field: str | None, message: str) -> None:
        """Show a service's refusal at a field, or above the form where it names none of these."""
        named = operators_name(field or "")
        self.add_error(named if named in self.fields else None, f"{message.removesuffix('.')}.")


class Lines(forms.CharField):
    """Words without spaces, one a line: addresses, ids. None is no fault."""

    def __init__(self, **texts: Any) -> None:
        """Take label and help."""
        super().__init__(required=False, max_length=200_000, widget=forms.Textarea(attrs={"rows": 3, **OFF}), **texts)

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - a column's value, or what was typed
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - what was typed
        """Read lines."""
        return str(value or "").split()


def judged(problems: Check, name: str) -> str:
    """Return a name that a rule of the services finds nothing wrong with.

    Raises:
        ValidationError: all that is wrong, in operators' words.

    """
    if found := list(problems(name, "name")):
        raise forms.ValidationError([wording.of(problem) for problem in found])
    return name


class SignIn(Form):
    """Name and password."""

    username = forms.CharField(
        max_length=150,
        label=gettext_lazy("Username"),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, **OFF}),
    )
    password = forms.CharField(
        max_length=1024,
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Code(Form):
    """A code of the authenticator."""

    code = forms.CharField(
        max_length=40,
        label=gettext_lazy("Six-digit code"),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "pattern": codes.WRITTEN, "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        """Take spaces out, as authenticators show them."""
        code = codes.plain(self.cleaned_data["code"])
        if len(code) != operator_sign_in.DIGITS or not (code.isascii() and code.isdigit()):
            raise forms.ValidationError(gettext("Enter the six digits that your authenticator app shows."))
        return code


class NewPassword(Form):
    """A new password, once: managers and the reveal of the browser make a second field needless."""

    new_password = forms.CharField(
        max_length=1024,
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("At least 12 characters. A sentence is good; your password manager is better."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True, "minlength": "12"}),
    )


class UserSearch(Form):
    """Find users by how an attribute begins."""

    by = forms.ChoiceField(choices=PREFIXES, label=gettext_lazy("Search in"), required=False)
    prefix: Any = forms.CharField(
        max_length=256,
        label=gettext_lazy("Begins with"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", **OFF}),
    )


class Confirm(Form):
    """Type the name of what is to be changed."""

    confirmation = forms.CharField(
        max_length=2048,
        label=gettext_lazy("Type the name to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off", **OFF}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        """Know which name is right."""
        super().__init__(*args, **kwargs)
        self.name = name
        self.fields["confirmation"].widget.attrs["data-must-equal"] = name

    def clean_confirmation(self) -> str:
        """Refuse any other name."""
        if self.cleaned_data["confirmation"] != self.name:
            raise forms.ValidationError(gettext("That is not the name. Nothing was changed."))
        return self.name


class LimitKey(Form):
    """What an access key may do, and to which pools. Empty: everything, to all."""

    actions = Lines(
        label=gettext_lazy("Actions"),
        help_text=gettext_lazy(
            "One a line, as IAM writes them: cognito-idp:AdminGetUser, cognito-idp:List*. Empty: everything, and the "
            "management API, which no limited key can call."
        ),
    )
    pools = Lines(
        label=gettext_lazy("Pools"),
        help_text=gettext_lazy("Ids of user pools and identity pools, one a line. Empty: all."),
    )

    def limits(self) -> operators.KeyLimits:
        """Return what was chosen."""
        given = self.cleaned_data
        return operators.KeyLimits(actions=given.get("actions") or None, pools=given.get("pools") or None)

    def clean(self) -> dict[str, Any]:
        """Say all that is wrong, each at its field."""
        given = super().clean() or self.cleaned_data
        for problem in operators.limit_problems(self.limits(), before=self.initial.get("pools", ())):
            self.clean_or_blame(problem.field, wording.of(problem))
        return given


class NewKey(LimitKey):
    """What an access key is for, and what it may do."""

    field_order = ("description", "actions", "pools")
    description = forms.CharField(
        max_length=200,
        label=gettext_lazy("What is it for?"),
        required=False,
        help_text=gettext_lazy("For example “staging deploys”. Only operators see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NewApp(Form):
    """An app client of one of three usual kinds; everything else has Cognito's defaults."""

    name = forms.CharField(
        max_length=128,
        label=gettext_lazy("App name"),
        help_text=gettext_lazy("Shown to operators, and to people where they are asked for consent."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        choices=KINDS, label=gettext_lazy("What kind of app is it?"), initial="public", widget=forms.RadioSelect
    )
    callback_urls = forms.CharField(
        max_length=20_000,
        label=gettext_lazy("Callback URLs"),
        required=False,
        help_text=gettext_lazy("Where people return after signing in: one absolute URL a line, matched exactly."),
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "http://localhost:3000/callback", **OFF}),
    )
    logout_urls = forms.CharField(
        max_length=20_000,
        label=gettext_lazy("Sign-out URLs"),
        required=False,
        help_text=gettext_lazy("Where people return after signing out."),
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "http://localhost:3000/", **OFF}),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes of this pool's resource servers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Needed by machines; people's apps may ask for them too."),
    )

    openid_strict = forms.BooleanField(label=STRICT.label, required=False, initial=True, help_text=STRICT.help)

    def __init__(self, *args: Any, scopes: list[tuple[str, str]], **kwargs: Any) -> None:
        """Offer the pool's own scopes."""
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = scopes  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """Refuse what an app cannot be called, beside whatever else is wrong."""
        return judged(client_rules.name_problems, str(self.cleaned_data["name"]))

    def clean_callback_urls(self) -> list[str]:
        """Split lines, and refuse each that no browser may be sent to."""
        return self.urls("callback_urls")

    def clean_logout_urls(self) -> list[str]:
        """Split lines, and refuse each that no browser may be sent to."""
        return self.urls("logout_urls")

    def urls(self, name: str) -> list[str]:
        """Return the addresses of a field, one a line."""
        given = str(self.cleaned_data[name]).split()
        if found := list(client_rules.url_problems(given, name)):
            raise forms.ValidationError([wording.of(problem) for problem in found])
        return given

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind needs."""
        given = super().clean() or self.cleaned_data
        if given.get("kind") == "machine":
            if not given.get("scopes"):
                self.add_error("scopes", gettext("Choose at least one scope: a machine signs in for these alone."))
        elif "callback_urls" in given and not given["callback_urls"]:
            self.add_error("callback_urls", gettext("Enter at least one URL, so that people can come back."))
        return given

    def settings(self) -> dict[str, Any]:
        """Return what the service is asked for."""
        given = self.cleaned_data
        asked: dict[str, Any] = {
            "generate_secret": given["kind"] != "public",
            "allowed_oauth_flows_user_pool_client": True,
            "prevent_user_existence_errors": "ENABLED",
            "openid_strict": given["openid_strict"],
        }
        if given["kind"] == "machine":
            return asked | {"allowed_oauth_flows": ["client_credentials"], "allowed_oauth_scopes": given["scopes"]}
        return asked | {
            "allowed_oauth_flows": ["code"],
            "allowed_oauth_scopes": ["openid", "email", "profile", *given["scopes"]],
            "callback_urls": given["callback_urls"],
            "logout_urls": given["logout_urls"],
            "supported_identity_providers": ["COGNITO"],
        }


class NewPool(Form):
    """A user pool; everything else has Cognito's defaults, and Cognito's rules decide what may change later."""

    name = forms.CharField(
        max_length=128,
        label=gettext_lazy("Pool name"),
        help_text=gettext_lazy("Only operators see it, and programs with AWS keys."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sign_in = forms.ChoiceField(
        choices=[(choice, SIGN_IN[choice]) for choice in pool_choices.SIGN_IN],
        label=gettext_lazy("How do people sign in?"),
        initial="email",
        help_text=gettext_lazy("Cannot be changed once the pool is made."),
        widget=forms.RadioSelect,
    )
    self_sign_up = forms.BooleanField(
        label=gettext_lazy("People may sign up themselves"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Otherwise only operators and servers with AWS keys add people."),
    )
    mfa = forms.ChoiceField(
        choices=list(MFA.items()),
        label=SECOND_FACTOR.label,
        initial="OFF",
        help_text=SECOND_FACTOR.help,
        widget=forms.RadioSelect,
    )

    def clean_name(self) -> str:
        """Refuse what a pool cannot be called, beside whatever else is wrong."""
        return judged(pool_rules.name_problems, str(self.cleaned_data["name"]))

    def settings(self) -> dict[str, Any]:
        """Return what the service is asked for."""
        given = self.cleaned_data
        return pool_choices.settings(
            sign_in=given["sign_in"], admin_only_sign_up=not given["self_sign_up"], mfa=given["mfa"], recent_proof=True
        )
