"""Fields of phone numbers: written as at home beside a country, or in full. ``people.phone_numbers`` reads them."""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation.trans_real import parse_accept_lang_header

from pools.services.people import phone_numbers
from pools.services.pools import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

NAMES = Path(__file__).with_name("country_names.json")
NOT_A_NUMBER = gettext_lazy("That isn't a phone number. Check its digits and the country.")
NO_COUNTRY = gettext_lazy("Choose the country of this number, or begin with + and the country code.")


@lru_cache(maxsize=1)
def countries() -> dict[str, str]:
    """Return the countries to choose from, with their calling codes: text by ISO 3166 code, in the order of names."""
    found: dict[str, tuple[str, int]] = json.loads(NAMES.read_text(encoding="utf-8"))
    ordered = sorted(
        found.items(), key=lambda each: unicodedata.normalize("NFKD", each[1][0]).encode("ascii", "ignore")
    )
    return {code: f"{name} (+{calling})" for code, (name, calling) in ordered}


@lru_cache(maxsize=512)
def options(chosen: str, nothing: str) -> SafeString:
    """Return the options of a choice among them, drawn once: a widget of Django's draws each by a template."""
    offered = [("", nothing), *countries().items()]
    marks = {chosen: mark_safe(" selected")}
    return format_html_join(
        "", '<option value="{}"{}>{}</option>', ((code, marks.get(code, ""), text) for code, text in offered)
    )


class PhoneInput(forms.TextInput):
    """A number and its country, which give one text: E.164 where they can be read, else what was typed."""

    input_type = "tel"
    country = ""
    """What is chosen: as it was sent, else what the browser's language suggests."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:  # noqa: ANN401 - Django's
        """Read both."""
        typed = super().value_from_datadict(data, files, name)
        chosen = str(data.get(f"{name}_country") or "")
        self.country = chosen if chosen in countries() else ""
        if not isinstance(typed, str) or "@" in typed:
            return typed
        return phone_numbers.read(typed.strip(), self.country) or typed

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ANN401 - Django's
        """Draw the country before the number."""
        chosen = f"{name}_country"
        return format_html(
            '<span class="phone"><label class="visually-hidden" for="{0}">{1}</label>'
            '<select name="{0}" class="input" autocomplete="country" id="{0}">{2}</select>{3}</span>',
            chosen,
            gettext("Country of the phone number"),
            options(self.country, gettext("Country")),
            super().render(name, value, attrs, renderer),
        )


class MixedInput(PhoneInput):
    """The same, where an email address or a username is as welcome."""

    input_type = "text"


class FullInput(forms.TextInput):
    """A username, beside which verified phone numbers sign in as well: one that is written in full is read as such."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:  # noqa: ANN401 - Django's
        """Read it."""
        typed = super().value_from_datadict(data, files, name)
        is_number = isinstance(typed, str) and typed.strip().startswith("+")
        return (phone_numbers.read(typed.strip()) or typed) if is_number else typed


class PhoneField(forms.CharField):
    """A phone number alone, refused in words of its own."""

    def clean(self, value: Any) -> Any:  # noqa: ANN401 - Django's
        """Refuse what could not be read."""
        text = super().clean(value)
        if not text or schema.is_phone(text):
            return text
        is_local = not (text.startswith("+") or getattr(self.widget, "country", ""))
        raise ValidationError(NO_COUNTRY if is_local else NOT_A_NUMBER)


def suggest(form: forms.Form | None, languages: str) -> None:
    """Choose the country that the browser's languages (Accept-Language) name, in fields where none is chosen."""
    for field in form.fields.values() if form is not None else ():
        if isinstance(field.widget, PhoneInput) and not field.widget.country:
            field.widget.country = country_of(languages)


def country_of(languages: str) -> str:
    """Return the first country that an Accept-Language header names, such as AT of ``de-AT, en;q=0.5``."""
    for language, _ in parse_accept_lang_header(languages[:500]):
        region = language.rpartition("-")[2].upper()
        if "-" in language and region in countries():
            return region
    return ""
