"""The form of what operators choose of a pool or an app: a field for each row of the table of settings that says so."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models import Model
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from identity.console import wording
from identity.console.forms import OFF, Form, Lines
from pools.services.pools import client_settings
from pools.services.pools.client_rules import SECONDS
from pools.services.pools.settings_table import Choice, Control, Table

DURATION = re.compile(r"\s*(\d{1,9})\s*(second|minute|hour|day)s?\s*", re.IGNORECASE)


def duration(seconds: int) -> str:
    """Say a length of time in its largest whole unit."""
    amount, unit = client_settings.in_units(seconds)
    return f"{amount} {unit.removesuffix('s') if amount == 1 else unit}"


class Duration(forms.CharField):
    """A length of time in words; its value is seconds."""

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - a column's value, or what was typed
        """Show seconds as words."""
        return duration(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - what was typed
        """Read words."""
        typed = super().to_python(value)
        if not typed:
            return typed
        found = DURATION.fullmatch(typed)
        if found is None:
            raise forms.ValidationError(gettext("Write a number and its unit, for example “12 hours”."))
        return int(found[1]) * SECONDS[f"{found[2].lower()}s"]


def field(choice: Choice, longest: int | None, row: Model) -> forms.Field:
    """Return the field of a choice of a row."""
    texts: dict[str, Any] = {"label": choice.label, "help_text": choice.help, "show_hidden_initial": True}
    match choice.control:
        case Control.SWITCH:
            return forms.BooleanField(required=False, **texts)
        case Control.ONE_OF:
            options = list((choice.options or {}).items())
            return forms.ChoiceField(choices=options, widget=forms.RadioSelect, **texts)
        case Control.SEVERAL_OF:
            several = choice.options_of(row) if choice.options_of else choice.options or {}
            return forms.MultipleChoiceField(
                choices=list(several.items()), widget=forms.CheckboxSelectMultiple, required=False, **texts
            )
        case Control.LINES:
            return Lines(**texts)
        case Control.DURATION:
            return Duration(widget=forms.TextInput(attrs={"autocomplete": "off", **OFF}), **texts)
        case Control.NUMBER:
            return forms.IntegerField(min_value=choice.least, max_value=choice.most, **texts)
    return forms.CharField(max_length=longest, widget=forms.TextInput(attrs={"autocomplete": "off"}), **texts)


def in_order(chosen: list[str], before: list[str]) -> list[str]:
    """Return what is chosen, what was there before in its order: boxes have none."""
    return [*(each for each in before if each in chosen), *(each for each in chosen if each not in before)]


class SettingsForm(Form):
    """The choices of one row. Only what differs from what the page showed is changed."""

    table: Table
    row: Model

    def hidden_initials(self) -> SafeString:
        """Return what the page showed, as hidden fields: what another changes meanwhile stays as they set it."""
        return format_html_join("", "{}", ((bound.as_hidden(only_initial=True),) for bound in self))

    def changes(self) -> dict[str, Any]:
        """Return the settings that are to be changed, as the service takes them."""
        found: dict[str, Any] = {}
        for name in self.changed_data:
            if name in self.cleaned_data:
                setting, choice = self.table.choices[name]
                chosen = self.cleaned_data[name]
                if choice.control is Control.SEVERAL_OF:
                    chosen = in_order(chosen, getattr(self.row, name))
                found |= setting.given_by(chosen, self.row)
        return found

    def clean(self) -> dict[str, Any]:
        """Say all that is wrong, each at its field."""
        given = super().clean() or self.cleaned_data
        for problem in self.table.problems_of_change(self.row, self.table.read(self.changes())):
            self.clean_or_blame(getattr(problem, "field", ""), wording.of(problem))
        return given


def settings_form(table: Table, row: Model, data: QueryDict | None) -> SettingsForm:
    """Return the form of a pool's or an app's choices."""
    columns = {name: row._meta.get_field(name) for name in table.choices}  # noqa: SLF001 - Django's public name
    fields = {
        name: field(choice, getattr(columns[name], "max_length", None), row)
        for name, (_, choice) in table.choices.items()
    }
    kind = type("SettingsOf", (SettingsForm,), {**fields, "table": table, "row": row})
    return kind(data, initial={name: getattr(row, name) for name in fields})  # type: ignore[no-any-return]
