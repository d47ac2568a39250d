"""What the forms of all pages share: fields that need attention take the focus, refusals stand at their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError

from identity.foundation import errors

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

WAIT_SECONDS = 60
"""What is said to wait where a limit does not say when it ends."""


class FieldError(NamedTuple):
    """Where a message belongs, and its text. An empty field is the form as a whole."""

    field: str
    text: str | _StrPromise


class PageForm(forms.Form):
    """A form of one page: ids equal names, the first field that needs attention takes the focus."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Switch off what would change names."""
        options.setdefault("auto_id", "%s")
        options.setdefault("label_suffix", "")
        super().__init__(*arguments, **options)
        self.retry_after = 0

    def add_refusals(
        self, refusals: Iterable[errors.DomainError], explain: Callable[[errors.DomainError], FieldError]
    ) -> bool:
        """Put all that services find wrong at its fields, beside what the form saw; say whether it may be sent on.

        A field of which something was said before is left at that: services were shown nothing of it.
        """
        wrong = set(self.errors)
        for refusal in refusals:
            error = explain(refusal)
            if error.field not in wrong:
                self.add_refusal(error)
        return not self.errors

    def given(self, name: str) -> str:
        """Return what was filled in, empty where the form itself refuses it."""
        return str(self.cleaned_data.get(name, ""))

    def add_refusal(self, error: FieldError, refusal: errors.DomainError | None = None) -> None:
        """Put what happened where it belongs; what names no field of this form concerns the form as a whole."""
        self.add_error(error.field if error.field in self.fields else None, ValidationError(str(error.text)))
        if isinstance(refusal, errors.LockedOut):
            self.retry_after = max(1, refusal.retry_after)
        elif isinstance(refusal, errors.TooManyAttempts):
            self.retry_after = refusal.wait or WAIT_SECONDS

    def refill(self, typed: Mapping[str, str]) -> None:
        """Fill in what somebody typed before, where they may, and move the focus accordingly."""
        for name, field in self.fields.items():
            field.widget.attrs.pop("autofocus", None)
            if name in typed and not field.widget.attrs.get("readonly"):
                self[name].initial = typed[name]  # in place of what is kept there
        self.focus()

    def focus(self, *, is_moved: bool = True) -> PageForm:
        """Give the focus to the first wrong field, else to the first empty one; have errors read with their fields.

        Unless it ``is_moved``, the focus is left where it is.
        """
        for bound in self:
            described = bound.field.widget.attrs.get("aria-describedby")
            if described and bound.errors:
                bound.field.widget.attrs["aria-describedby"] = f"{bound.auto_id}_error {described}"
        waiting = [bound for bound in self if not bound.is_hidden and not bound.field.widget.attrs.get("readonly")]
        wrong = [bound for bound in waiting if bound.errors]
        # A password that was sent is not shown again, so its field is empty.
        empty = [bound for bound in waiting if isinstance(bound.field.widget, forms.PasswordInput) or not bound.value()]
        for bound in (wrong or empty or waiting)[: int(is_moved)]:
            bound.field.widget.attrs["autofocus"] = True
        return self
