"""The form of a SAML application: its metadata or what stands in them, how people are named, what is told of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from identity.console import wording
from identity.console.forms import OFF, Form, Lines
from identity.foundation import errors
from pools.services import access
from pools.services.providers import saml_applications

if TYPE_CHECKING:
    from pools.models import AppClient, SamlApplication, UserPool

PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
LONGEST = 2048
LONGEST_FILE = 1 << 20
FORMATS = (
    ("persistent", gettext_lazy("Persistent: a name that only this application knows")),
    ("transient", gettext_lazy("Transient: another name in each session")),
    ("emailAddress", gettext_lazy("Email address, where somebody proved it")),
    ("unspecified", gettext_lazy("An attribute")),
)
AS_METADATA_SAY = ("", gettext_lazy("As the metadata say, else persistent"))
SWITCHES = ("signs_requests", "signs_assertion", "signs_response", "encrypts", "allows_unasked")
METADATA = ("metadata_url", "metadata")


class Certificates(Lines):
    """Certificates in PEM, or base64 one a line."""

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - what was typed
        """Read each."""
        text = str(value or "")
        return PEM.findall(text) or [line.strip() for line in text.splitlines() if line.strip()]


class Pairs(Lines):
    """What is told by which name, one a line."""

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - a column's value, or what was typed
        """Show a mapping as lines."""
        if isinstance(value, dict):
            return "\n".join(f"{name} = {source}" for name, source in value.items())
        return value

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - what was typed
        """Read lines. Raises ValidationError."""
        lines = [line for line in str(value or "").splitlines() if line.strip()]
        pairs = [(name.strip(), source.strip()) for name, _, source in (line.rpartition("=") for line in lines)]
        if not all(name and source for name, source in pairs):
            raise forms.ValidationError(gettext("Write each line as name = attribute."))
        return dict(pairs)


def text_field(
    label: Any,  # noqa: ANN401 - lazy texts
    help_text: Any,  # noqa: ANN401
    *,
    rows: int = 0,
    most: int = LONGEST,
    is_required: bool = False,
) -> forms.CharField:
    """Return a field that may be left empty, unless it is required."""
    plain = {"autocomplete": "off", **OFF}
    widget = forms.Textarea(attrs={"rows": rows, **plain}) if rows else forms.TextInput(attrs=plain)
    return forms.CharField(required=is_required, max_length=most, label=label, help_text=help_text, widget=widget)


class ApplicationForm(Form):
    """An application that is registered or changed. Of one that is there, only what differs from what was shown does.

    What metadata say takes the place of what was shown, and what is filled in beside them that of both.
    """

    client_id = text_field(
        gettext_lazy("Client ID of the app"),
        gettext_lazy(
            "People sign in on the app’s pages, and the application is told what the app may read. An app has one "
            "application at most."
        ),
        is_required=True,
    )
    metadata_url = text_field(
        gettext_lazy("Address of the metadata"),
        gettext_lazy("It is read once, now. What you fill in below counts more."),
    )
    metadata = text_field(
        gettext_lazy("Metadata"),
        gettext_lazy("Or the whole text of the application’s XML file."),
        rows=6,
        most=LONGEST_FILE,
    )
    entity_id = text_field(gettext_lazy("Entity ID"), gettext_lazy("What the application calls itself."))
    acs_urls = Lines(
        label=gettext_lazy("Addresses for answers"),
        help_text=gettext_lazy("Also called ACS URLs, one a line; the first is the default."),
    )
    slo_url = text_field(
        gettext_lazy("Address for signing out"),
        gettext_lazy("Where it takes logout messages by redirect. Empty: it is not told when somebody signs out."),
    )
    certificates = Certificates(
        label=gettext_lazy("Certificates for signatures"),
        help_text=gettext_lazy("PEM, or base64 one a line. Without one, the application can sign nobody out here."),
    )
    encryption_certificate = text_field(
        gettext_lazy("Certificate for encryption"), gettext_lazy("Of an RSA key."), rows=4, most=LONGEST_FILE
    )
    name_id_format = forms.ChoiceField(
        label=gettext_lazy("How people are named"),
        help_text=gettext_lazy("A request may ask for a transient name instead."),
        choices=FORMATS,
        widget=forms.RadioSelect,
        required=False,
    )
    name_id_attribute = text_field(
        gettext_lazy("Attribute that names people"),
        gettext_lazy("Where an attribute does. Empty: cognito:username."),
        most=64,
    )
    attributes = Pairs(
        label=gettext_lazy("Attributes"),
        help_text=gettext_lazy(
            "One a line, as name = attribute: the name that the application reads, and an attribute of this pool, "
            "cognito:username or cognito:groups. Addresses that nobody proved are not told."
        ),
    )
    signs_requests = forms.BooleanField(
        label=gettext_lazy("Requests have to be signed"),
        help_text=gettext_lazy("Where there is a certificate. What is signed is verified either way."),
        required=False,
    )
    signs_assertion = forms.BooleanField(
        label=gettext_lazy("Sign assertions"), help_text=gettext_lazy("Most applications want this."), required=False
    )
    signs_response = forms.BooleanField(
        label=gettext_lazy("Sign responses"), help_text=gettext_lazy("Some want this too."), required=False
    )
    encrypts = forms.BooleanField(
        label=gettext_lazy("Encrypt assertions"),
        help_text=gettext_lazy("For the certificate above, or the one in the metadata."),
        required=False,
    )
    allows_unasked = forms.BooleanField(
        label=gettext_lazy("Sign-in may begin here"),
        help_text=gettext_lazy(
            "A link of yours then leads people there without a request of the application’s. Whoever has somebody "
            "follow one signs them in as themselves."
        ),
        required=False,
    )
    default_relay_state = text_field(
        gettext_lazy("Where such a link leads"), gettext_lazy("Told to the application as RelayState."), most=1024
    )

    def __init__(
        self, data: QueryDict | None, *, pool: UserPool, application: SamlApplication | None = None, client_id: str = ""
    ) -> None:
        """Fill in what is there, or what is usual."""
        super().__init__(data)
        self.pool, self.application = pool, application
        self.client: AppClient | None = None
        self.settings: dict[str, Any] = {}
        if application is not None:
            del self.fields["client_id"]
        else:
            self.fields["client_id"].initial = client_id
            self.fields["name_id_format"].choices = [AS_METADATA_SAY, *FORMATS]  # type: ignore[attr-defined]
        for name in saml_applications.SETTINGS.keys() & self.fields.keys():
            field = self.fields[name]
            field.initial = getattr(application, name) if application is not None else self._usual(name)
            field.show_hidden_initial = application is not None

    def _usual(self, name: str) -> Any:  # noqa: ANN401 - a field's value
        return saml_applications.SETTINGS[name] if name in SWITCHES else ""

    def switches(self) -> list[forms.BoundField]:
        """Return the check boxes."""
        return [self[name] for name in SWITCHES]

    def texts(self) -> list[forms.BoundField]:
        """Return the fields above the check boxes, as the page has them."""
        return [self[name] for name in self.fields if name not in {*SWITCHES, "default_relay_state"}]

    def hidden_initials(self) -> SafeString:
        """Return what the page showed, as hidden fields: what another changes meanwhile stays as they set it."""
        shown = [bound for bound in self if bound.field.show_hidden_initial]
        return format_html_join("", "{}", ((bound.as_hidden(only_initial=True),) for bound in shown))

    def clean_or_blame(self, field: str | None, message: str) -> None:
        """Show a service's refusal at its field, once, or above the form."""
        named = field if field in self.fields else None
        if named is None or not self.has_error(named):
            self.add_error(named, f"{message.removesuffix('.')}.")

    def clean(self) -> dict[str, Any]:
        """Read the metadata, and say all that is wrong, each at its field."""
        given = super().clean() or self.cleaned_data
        try:
            self.settings = {**self._switched(given), **self._told(given), **self._chosen(given)}
            if self.application is None:
                self.client = self._app(str(given.get("client_id", "")))
        except errors.Invalid as problem:
            self.clean_or_blame(problem.field, wording.of(problem))
            return given
        except errors.ClientNotFound:
            self.clean_or_blame("client_id", gettext("The pool has no such app."))
            return given
        for found in self._problems():
            self.clean_or_blame(found.field, wording.of(found))
        return given

    def _app(self, client_id: str) -> AppClient:
        return access.client_in(self.pool, client_id)

    def _problems(self) -> list[errors.Invalid]:
        if self.application is not None:
            return list(saml_applications.problems_of_change(self.application, self.settings))
        return list(saml_applications.problems_of_new(self.pool, self.client, self.settings)) if self.client else []

    def _told(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return what the metadata tell, where there are some. Raises Invalid."""
        if given.get("metadata"):
            return saml_applications.of_metadata(str(given["metadata"]).encode())
        if given.get("metadata_url"):
            return saml_applications.of_metadata_at(str(given["metadata_url"]))
        return {}

    def _chosen(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return what was filled in; of an application that is there, what differs from what was shown."""
        names = [name for name in saml_applications.SETTINGS if name in given]
        if self.application is not None:
            return {name: given[name] for name in names if name in self.changed_data}
        return {name: given[name] for name in names if name not in SWITCHES and given[name]}

    def _switched(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the check boxes of an application that is new: what metadata say of one counts more."""
        return {name: given[name] for name in SWITCHES if name in given and self.application is None}
