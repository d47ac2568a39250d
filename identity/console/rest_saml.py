"""The management API's applications that a pool is a SAML identity provider for. Its other addresses are ``rest``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity.console import wording
from identity.console.rest import MADE, PROBLEM, View
from identity.console.serializers import Paging, Strict
from identity.foundation import errors
from pools.services import access
from pools.services.providers import our_side, saml_application_rules, saml_applications

if TYPE_CHECKING:
    from pools.models import AppClient

LONGEST_METADATA = 1 << 20
LONGEST_CERTIFICATE = 16_384
TAGS = ["SAML applications"]
HELP = {
    "entity_id": "What the application calls itself.",
    "acs_urls": "Where it takes answers by POST; the first is the default.",
    "slo_url": "Where it takes logout messages by redirect; empty where it takes none.",
    "certificates": "By whose keys it signs: PEM or base64. Without one it signs nobody out.",
    "signs_requests": "Whether each request has to be signed, where it has a certificate.",
    "encryption_certificate": "For whose key assertions may be encrypted.",
    "name_id_format": "How people are named to it. A request may ask for a transient name instead.",
    "name_id_attribute": "What names people where the format is `unspecified`; empty is `cognito:username`.",
    "attributes": "By the name that it reads, an attribute of the pool, `cognito:username` or `cognito:groups`. "
    "It is told what its app client reads, and no address that nobody proved.",
    "signs_assertion": "Whether assertions are signed.",
    "signs_response": "Whether responses are signed.",
    "encrypts": "Whether assertions are encrypted.",
    "allows_unasked": "Whether sign-in may begin at the pool: at `sso_url` with its `entity_id`.",
    "default_relay_state": "Where it leads people whose sign-in began at the pool.",
}
METADATA = "The application's own document, from which all that is not given is read, now and once."


class SamlIdentityProviderSerializer(serializers.Serializer[Any]):
    """The pool, as the application has to know it."""

    entity_id = serializers.CharField(help_text="It is also the address of the pool's metadata.")
    sso_url = serializers.CharField(help_text="Where requests are brought, by redirect or form.")
    slo_url = serializers.CharField(help_text="Where logout messages are brought, by redirect or form.")


class SamlApplicationSerializer(serializers.Serializer[Any]):
    """An application that speaks SAML."""

    id = serializers.UUIDField()
    client_id = serializers.CharField(source="client.client_id", help_text="Its app client.")
    entity_id = serializers.CharField(help_text=HELP["entity_id"])
    acs_urls = serializers.ListField(child=serializers.CharField(), help_text=HELP["acs_urls"])
    slo_url = serializers.CharField(help_text=HELP["slo_url"])
    certificates = serializers.ListField(child=serializers.CharField(), help_text="By whose keys it signs: base64.")
    signs_requests = serializers.BooleanField(help_text=HELP["signs_requests"])
    encryption_certificate = serializers.CharField(help_text=HELP["encryption_certificate"])
    name_id_format = serializers.ChoiceField(choices=saml_application_rules.FORMATS, help_text=HELP["name_id_format"])
    name_id_attribute = serializers.CharField(help_text=HELP["name_id_attribute"])
    attributes = serializers.DictField(child=serializers.CharField(), help_text=HELP["attributes"])
    signs_assertion = serializers.BooleanField(help_text=HELP["signs_assertion"])
    signs_response = serializers.BooleanField(help_text=HELP["signs_response"])
    encrypts = serializers.BooleanField(help_text=HELP["encrypts"])
    allows_unasked = serializers.BooleanField(help_text=HELP["allows_unasked"])
    default_relay_state = serializers.CharField(help_text=HELP["default_relay_state"])
    identity_provider = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    modified_at = serializers.DateTimeField()

    @extend_schema_field(SamlIdentityProviderSerializer)
    def get_identity_provider(self, application: Any) -> Any:  # noqa: ANN401 - a row
        """Return as whom the pool meets it."""
        return SamlIdentityProviderSerializer(our_side.issuing(application.pool)).data


class SamlApplicationPage(serializers.Serializer[Any]):
    """Some applications."""

    items = SamlApplicationSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null at the end.")


def optional(longest: int, name: str) -> serializers.CharField:
    """Return the field of a text that may be left out or empty."""
    return serializers.CharField(max_length=longest, required=False, allow_blank=True, help_text=HELP[name])


class SettingsSerializer(Strict):
    """What may be chosen of an application. What is not named is read from its metadata, or stays."""

    metadata = serializers.CharField(
        max_length=LONGEST_METADATA, required=False, trim_whitespace=False, help_text=METADATA
    )
    metadata_url = serializers.CharField(max_length=2048, required=False, help_text="Or the address of that document.")
    entity_id = serializers.CharField(max_length=1024, required=False, help_text=HELP["entity_id"])
    acs_urls = serializers.ListField(
        child=serializers.CharField(max_length=2048), required=False, max_length=20, help_text=HELP["acs_urls"]
    )
    slo_url = optional(2048, "slo_url")
    certificates = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_CERTIFICATE),
        required=False,
        max_length=saml_application_rules.MOST_CERTIFICATES,
        help_text=HELP["certificates"],
    )
    signs_requests = serializers.BooleanField(required=False, help_text=HELP["signs_requests"])
    encryption_certificate = optional(LONGEST_CERTIFICATE, "encryption_certificate")
    name_id_format = serializers.ChoiceField(
        choices=saml_application_rules.FORMATS, required=False, help_text=HELP["name_id_format"]
    )
    name_id_attribute = optional(64, "name_id_attribute")
    attributes = serializers.DictField(
        child=serializers.CharField(max_length=64), required=False, help_text=HELP["attributes"]
    )
    signs_assertion = serializers.BooleanField(required=False, help_text=HELP["signs_assertion"])
    signs_response = serializers.BooleanField(required=False, help_text=HELP["signs_response"])
    encrypts = serializers.BooleanField(required=False, help_text=HELP["encrypts"])
    allows_unasked = serializers.BooleanField(required=False, help_text=HELP["allows_unasked"])
    default_relay_state = optional(1024, "default_relay_state")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return settings, those of the metadata among them, and say all that is wrong, each at its member."""
        told = {name: attrs.pop(name) for name in ("metadata", "metadata_url") if name in attrs}
        if len(told) > 1:
            raise serializers.ValidationError(
                {"metadata_url": gettext("Give the metadata or their address, not both.")}
            )
        try:
            read = saml_applications.of_metadata(told["metadata"].encode()) if "metadata" in told else {}
            read = saml_applications.of_metadata_at(told["metadata_url"]) if "metadata_url" in told else read
        except errors.Invalid as problem:
            raise faults([problem]) from None
        if "acs_urls" in attrs:
            read.pop("acs_indexes", None)
        settings = {**read, **attrs}
        if wrong := list(self.problems(settings)):
            raise faults(wrong)
        return settings

    def problems(self, settings: dict[str, Any]) -> Iterable[errors.Invalid]:
        """Return all that is wrong with settings."""
        raise NotImplementedError


def faults(problems: Iterable[errors.Invalid]) -> serializers.ValidationError:
    """Return what is wrong, each at its member."""
    found: dict[str, list[exceptions.ErrorDetail]] = {}
    for problem in problems:
        found.setdefault(problem.field, []).append(exceptions.ErrorDetail(wording.of(problem), problem.code))
    return serializers.ValidationError(found)


class NewSamlApplicationSerializer(SettingsSerializer):
    """An application to register, by its metadata or member by member."""

    client_id = serializers.CharField(max_length=128, help_text="The app client whose pages people sign in on.")
    client: AppClient

    def validate_client_id(self, client_id: str) -> str:
        """Find the app client."""
        try:
            self.client = access.client_in(self.context["pool"], client_id)
        except errors.ClientNotFound:
            raise serializers.ValidationError(gettext("The pool has no such app."), "client_not_found") from None
        return client_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return settings, and say all that is wrong, each at its member."""
        return super().validate({name: value for name, value in attrs.items() if name != "client_id"})

    def problems(self, settings: dict[str, Any]) -> Iterable[errors.Invalid]:
        """Return all that is wrong with the application."""
        return saml_applications.problems_of_new(self.context["pool"], self.client, settings)


class ChangeSamlApplicationSerializer(SettingsSerializer):
    """What to change of an application. What is not named stays as it is."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return what is to be changed, and say all that is wrong, each at its member."""
        if not attrs:
            raise serializers.ValidationError(gettext("Name what is to be changed."))
        return super().validate(attrs)

    def problems(self, settings: dict[str, Any]) -> Iterable[errors.Invalid]:
        """Return all that is wrong with the application as it would be."""
        return saml_applications.problems_of_change(self.context["row"], settings)


class Applications(View):
    """SAML applications of a pool."""

    @extend_schema(
        operation_id="list_saml_applications",
        summary="List SAML applications",
        tags=TAGS,
        parameters=[Paging],
        responses={200: SamlApplicationPage, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str) -> Response:
        """Return the applications that a pool is a SAML identity provider for, oldest first."""
        pool, wanted = access.pool(pool_id), self.paging(request)
        page = saml_applications.page(pool, wanted["limit"], wanted.get("cursor"))
        return Response(SamlApplicationPage({"items": page.rows, "next": page.token}).data)

    @extend_schema(
        operation_id="create_saml_application",
        summary="Register a SAML application",
        tags=TAGS,
        parameters=[MADE],
        request=NewSamlApplicationSerializer,
        responses={201: SamlApplicationSerializer, **PROBLEM},
    )
    def post(self, request: Request, pool_id: str) -> Response:
        """Register an application for an app client, which has one at most."""
        pool = access.pool(pool_id)
        wanted = NewSamlApplicationSerializer(data=request.data, context={"pool": pool})
        wanted.is_valid(raise_exception=True)
        made = saml_applications.create(pool, wanted.client, wanted.validated_data, by=self.actor(request))
        where = reverse("console:api_saml_application", args=[pool.public_id, made.id])
        return Response(SamlApplicationSerializer(made).data, status=201, headers={"Location": where})


class Application(View):
    """A SAML application."""

    @extend_schema(
        operation_id="get_saml_application",
        summary="Read a SAML application",
        tags=TAGS,
        responses={200: SamlApplicationSerializer, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str, application_id: UUID) -> Response:
        """Return one application of a pool."""
        del request
        return Response(SamlApplicationSerializer(saml_applications.by_id(access.pool(pool_id), application_id)).data)

    @extend_schema(
        operation_id="change_saml_application",
        summary="Change a SAML application",
        tags=TAGS,
        request=ChangeSamlApplicationSerializer,
        responses={200: SamlApplicationSerializer, **PROBLEM},
    )
    def patch(self, request: Request, pool_id: str, application_id: UUID) -> Response:
        """Change an application. What is not named stays as it is."""
        row = saml_applications.by_id(access.pool(pool_id), application_id)
        wanted = ChangeSamlApplicationSerializer(data=request.data, context={"row": row})
        wanted.is_valid(raise_exception=True)
        changed = saml_applications.update(row, wanted.validated_data, by=self.actor(request))
        return Response(SamlApplicationSerializer(changed).data)

    @extend_schema(
        operation_id="delete_saml_application",
        summary="Delete a SAML application",
        tags=TAGS,
        request=None,
        responses={204: None, **PROBLEM},
    )
    def delete(self, request: Request, pool_id: str, application_id: UUID) -> Response:
        """Delete an application: nobody is signed in there any more. Its app client stays."""
        row = saml_applications.by_id(access.pool(pool_id), application_id)
        saml_applications.delete(row, by=self.actor(request))
        return Response(status=204)
