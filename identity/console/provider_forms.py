"""The form of an identity provider: its kind's details, how its claims become attributes, and our own switch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from identity.console import wording
from identity.console.forms import OFF, Form, Lines
from identity.console.setting_names import DETAIL, operators_name
from pools.ports.kinds import About, Control, Detail
from pools.services.providers import identity_providers, provider_rules

if TYPE_CHECKING:
    from django.forms import BoundField

    from pools.models import IdentityProvider, UserPool

CLAIM = "claim-"
"""How the field of an attribute's claim begins."""
SWITCHES = ("asks_second_factor", "signs_out")
KEPT = gettext_lazy("Kept. Type another one to replace it.")
LONGEST = 4096
TRUE = "true"
LONGEST_FILE = 1 << 20


class SecretLines(forms.Textarea):
    """Lines that are never shown again."""

    def format_value(self, value: Any) -> str | None:  # noqa: ANN401 - Django's signature
        """Show nothing."""
        del value
        return None


class Identifiers(Lines):
    """Names with spaces inside, one a line."""

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - what was typed
        """Read lines."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]


def detail_field(detail: Detail, *, is_kept: bool) -> forms.Field:
    """Return the field of a detail; a secret that is there already may stay."""
    texts: dict[str, Any] = {"label": detail.label, "help_text": detail.help, "required": detail.is_required}
    plain = {"autocomplete": "off", **OFF}
    if detail.control is Control.ONE_OF:
        return forms.ChoiceField(choices=list(detail.options.items()), widget=forms.RadioSelect, **texts)
    if detail.control is Control.SWITCH:
        return forms.BooleanField(**{**texts, "required": False})
    if detail.control in {Control.SECRET, Control.FILE}:
        attrs = {**plain, **({"placeholder": KEPT} if is_kept else {})}
        if is_kept:
            texts["required"] = False
        is_file = detail.control is Control.FILE
        widget = SecretLines(attrs={"rows": 5, **attrs}) if is_file else forms.PasswordInput(attrs=attrs)
        return forms.CharField(max_length=LONGEST, strip=is_file, widget=widget, **texts)
    if detail.control is Control.LINES:
        lines = forms.Textarea(attrs={"rows": 8, **plain})
        return forms.CharField(max_length=LONGEST_FILE, widget=lines, **texts)
    if detail.control is Control.ADDRESS:
        plain["inputmode"] = "url"
    return forms.CharField(max_length=LONGEST, widget=forms.TextInput(attrs=plain), **texts)


class ProviderForm(Form):
    """A provider that is made or changed. Of one that is there, only what differs from what the page showed changes."""

    identifiers = Identifiers(
        label=gettext_lazy("Identifiers"),
        help_text=gettext_lazy(
            "Other names by which an app may send people here, one a line: often the domain of their addresses, like "
            "example.com."
        ),
    )
    asks_second_factor = forms.BooleanField(
        label=gettext_lazy("Ask for our second factor too"),
        required=False,
        help_text=gettext_lazy(
            "Who comes from this provider is then asked for a second factor as this pool's rule has it. Without it the "
            "provider's word is enough, as in Cognito."
        ),
    )

    signs_out = forms.BooleanField(
        label=gettext_lazy("Sign people out there too"),
        required=False,
        help_text=gettext_lazy(
            "Who signs out here is sent to the provider to sign out as well, where it has a page for that."
        ),
    )

    def __init__(
        self, data: QueryDict | None, *, kind: About, pool: UserPool, provider: IdentityProvider | None = None
    ) -> None:
        """Have the fields of a kind, filled in with what is there, or with what is usual."""
        super().__init__(data)
        self.kind, self.pool, self.provider = kind, pool, provider
        self.secrets = identity_providers.given_details(provider) if provider is not None else {}
        if kind.sign_out_detail:  # which says the same
            del self.fields["signs_out"]
        self.fields = {**dict(self._added()), **self.fields}
        for name, field in self.fields.items():
            field.initial = self._initial(name)
            is_secret = isinstance(field.widget, SecretLines | forms.PasswordInput)
            field.show_hidden_initial = provider is not None and not is_secret
            field.widget.attrs.setdefault("class", "input")
            field.error_messages["required"] = gettext_lazy("Fill this in.")

    def _added(self) -> Iterator[tuple[str, forms.Field]]:
        if self.provider is None and not self.kind.is_social:
            yield (
                "name",
                forms.CharField(
                    max_length=provider_rules.NAME_MOST,
                    label=gettext_lazy("Name"),
                    help_text=gettext_lazy(
                        "3 to 32 characters without spaces. People read it on the button that leads to the provider; "
                        "it cannot be changed later."
                    ),
                    widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
                ),
            )
        for detail in (*self.kind.details, *self.kind.endpoints):
            yield detail.name, detail_field(detail, is_kept=bool(self.secrets.get(detail.name)))
        for name in self.attributes:
            claim = forms.CharField(
                max_length=provider_rules.CLAIM,
                label=name,
                required=False,
                widget=forms.TextInput(attrs={"autocomplete": "off", **OFF}),
            )
            yield f"{CLAIM}{name}", claim

    @property
    def attributes(self) -> list[str]:
        """Return the attributes that may be mapped: usual and mapped ones first."""
        known = provider_rules.writable_attributes(self.pool)
        first = {**self.kind.mapping, **(self.provider.attribute_mapping if self.provider is not None else {})}
        return sorted(known, key=lambda name: name not in first)

    def _initial(self, name: str) -> Any:  # noqa: ANN401 - a field's value
        provider = self.provider
        if name.startswith(CLAIM):
            mapping = provider.attribute_mapping if provider is not None else self.kind.mapping
            return mapping.get(name.removeprefix(CLAIM), "")
        if provider is None:
            usual = {each.name: each.initial for each in self.kind.details}
            return usual.get(name, [] if name == "identifiers" else "")
        if name == "identifiers":
            return identity_providers.identifiers(provider)
        if name in SWITCHES:
            return getattr(provider, name)
        kept = provider.details.get(name, "")
        return kept == TRUE if isinstance(self.fields[name], forms.BooleanField) else kept

    # -- as the page draws it ------------------------------------------------------------------------------------------

    def of_provider(self) -> list[BoundField]:
        """Return the fields of what the provider is asked with."""
        named = [self["name"]] if "name" in self.fields else []
        return [*named, *(self[each.name] for each in self.kind.details)]

    def of_endpoints(self) -> list[BoundField]:
        """Return the fields of addresses that discovery tells."""
        return [self[each.name] for each in self.kind.endpoints]

    def usual_claims(self) -> list[BoundField]:
        """Return the fields of claims that are usual or mapped."""
        return [bound for bound in self._claims() if bound.initial or bound.data]

    def more_claims(self) -> list[BoundField]:
        """Return those of the other attributes."""
        return [bound for bound in self._claims() if not (bound.initial or bound.data)]

    def _claims(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith(CLAIM)]

    def has_endpoint_faults(self) -> bool:
        """Say whether something is wrong with an address that discovery tells, so that its field is to be seen."""
        return any(bound.errors for bound in self.of_endpoints())

    def hidden_initials(self) -> SafeString:
        """Return what the page showed, as hidden fields: what another changes meanwhile stays as they set it."""
        shown = [bound for bound in self if bound.field.show_hidden_initial]
        return format_html_join("", "{}", ((bound.as_hidden(only_initial=True),) for bound in shown))

    # -- as the service takes it ---------------------------------------------------------------------------------------

    def clean_or_blame(self, field: str | None, message: str) -> None:
        """Show a service's refusal at its field, or above the form."""
        named = operators_name(field or "").removeprefix(DETAIL)
        if named not in self.fields or not self.has_error(named):  # one fault a field
            self.add_error(named if named in self.fields else None, f"{message.removesuffix('.')}.")

    @property
    def name(self) -> str:
        """Return the provider's name."""
        if self.provider is not None:
            return self.provider.name
        return self.kind.type if self.kind.is_social else str(self.cleaned_data.get("name", ""))

    def details(self) -> dict[str, str]:
        """Return the details that were given; of a provider that is there, those that differ from what was shown.

        Another issuer has other endpoints: those that were left as they are are then found anew.
        """
        names = [each.name for each in (*self.kind.details, *self.kind.endpoints)]
        given = {name: _text(self.cleaned_data.get(name, "")) for name in names}
        if self.provider is None:
            return {name: value for name, value in given.items() if value}
        found = {name: value for name, value in given.items() if name in self.changed_data}
        if "oidc_issuer" in found:
            found = {**dict.fromkeys((each.name for each in self.kind.endpoints), ""), **found}
        return found

    def mapping(self) -> dict[str, str]:
        """Return the mapping as it would be."""
        rows = {
            name.removeprefix(CLAIM): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith(CLAIM) and (self.provider is None or name in self.changed_data)
        }
        present = dict(self.provider.attribute_mapping) if self.provider is not None else {}
        return {name: claim for name, claim in {**present, **rows}.items() if claim}

    def changes(self) -> dict[str, Any]:
        """Return what is to be changed of a provider that is there."""
        own = [name for name in ("identifiers", *SWITCHES) if name in self.changed_data]
        changed: dict[str, Any] = {name: self.cleaned_data[name] for name in own}
        if details := self.details():
            changed["details"] = details
        if any(name.startswith(CLAIM) for name in self.changed_data):
            changed["attribute_mapping"] = self.mapping()
        return changed

    def clean(self) -> dict[str, Any]:
        """Say all that is wrong, each at its field."""
        given = super().clean() or self.cleaned_data
        levels = self.provider.acr_mapping if self.provider is not None else {}
        for problem in identity_providers.problems(
            self.pool,
            self.name,
            kind=self.kind.type,
            details={**self.secrets, **self.details()},
            attribute_mapping=self.mapping(),
            acr_mapping=levels,
            identifiers=given.get("identifiers") or [],
        ):
            self.clean_or_blame(getattr(problem, "field", ""), wording.of(problem))
        return given


def _text(value: object) -> str:
    """Return what a field holds as a detail's value; one that is switched off is not there."""
    return (TRUE if value else "") if isinstance(value, bool) else str(value)
