"""Django's templates, of pages and of forms, with the tag libraries that settings name. Knows nothing of pages."""

from __future__ import annotations

from typing import Any

from django.forms.renderers import DjangoTemplates as DjangoForms
from django.template.backends.django import DjangoTemplates


class NamedLibraries(DjangoTemplates):
    """Leaves out the libraries that installed apps bring along: finding them imports the whole REST framework."""

    def get_templatetag_libraries(self, custom_libraries: dict[str, str]) -> dict[str, Any]:
        """Return the libraries that settings name."""
        return dict(custom_libraries)


class FormTemplates(DjangoForms):
    """Forms as Django writes them, by the same engine."""

    backend = NamedLibraries
