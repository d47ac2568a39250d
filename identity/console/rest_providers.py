"""The management API's identity providers of a pool. Its other addresses are ``rest``."""

from __future__ import annotations

from typing import Any
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
from identity.console.setting_names import operators_name
from pools.services import access
from pools.services.providers import health, identity_providers, our_side, provider_rules

TYPES = tuple(about.type for about in provider_rules.kinds())
LONGEST = 4096
DETAILS = (
    "What the provider is asked with, by Cognito's names in snake case: `client_id`, `client_secret`, "
    "`authorize_scopes`, `oidc_issuer` and so on."
)
MAPPING = "By attribute of the pool, the provider's claim that gives its value."
LEVELS = "By level of the pool, `Level1` to `Level4`, the provider's word for it."
IDENTIFIERS = "Other names by which apps may send people there: often the domain of their addresses."
SIGNS_OUT = "Whether who signs out here is sent there to sign out too, where it has a page for that."
ASKS = "Whether who comes by it is asked for a second factor as the pool's rule has it. Cognito asks for none."


def texts(text: str, longest: int, **more: Any) -> serializers.DictField:
    """Return the field of texts by name."""
    return serializers.DictField(child=serializers.CharField(max_length=longest), help_text=text, **more)


def names(**more: Any) -> serializers.ListField:
    """Return the field of identifiers."""
    return serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=50, help_text=IDENTIFIERS, **more
    )


class DocumentSerializer(serializers.Serializer[Any]):
    """Something that a provider publishes, and how reading it went lately."""

    what = serializers.ChoiceField(choices=("discovery", "keys", "metadata"))
    url = serializers.CharField()
    read_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True, help_text="Set where the last try failed.")
    problem = serializers.CharField(help_text="Why it failed; empty where it did not. Stable; for programs.")


class ProviderSerializer(serializers.Serializer[Any]):
    """An identity provider, without its secrets."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=TYPES, source="type")
    details = serializers.DictField(child=serializers.CharField(), help_text=f"{DETAILS} Secrets are never told.")
    attribute_mapping = serializers.DictField(child=serializers.CharField(), help_text=MAPPING)
    acr_mapping = serializers.DictField(child=serializers.CharField(), help_text=LEVELS)
    identifiers = serializers.SerializerMethodField(help_text=IDENTIFIERS)
    asks_second_factor = serializers.BooleanField(help_text=ASKS)
    signs_out = serializers.BooleanField(help_text=SIGNS_OUT)
    redirect_uri = serializers.SerializerMethodField(help_text="What has to be registered at the provider.")
    documents = serializers.SerializerMethodField(
        help_text="How reading discovery and keys went, as the process knows that answers."
    )
    created_at = serializers.DateTimeField()
    modified_at = serializers.DateTimeField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_identifiers(self, provider: Any) -> list[str]:  # noqa: ANN401 - a row
        """Return them in their order."""
        return identity_providers.identifiers(provider)

    def get_redirect_uri(self, provider: Any) -> str:  # noqa: ANN401 - a row; the schema is made from types that exist at run time
        """Return the pool's address for answers."""
        return our_side.of(self.context["pool"], provider.type).callback

    @extend_schema_field(DocumentSerializer(many=True))
    def get_documents(self, provider: Any) -> Any:  # noqa: ANN401 - a row
        """Return what is known of each document."""
        return DocumentSerializer(health.of(provider), many=True).data


class ProviderPage(serializers.Serializer[Any]):
    """Some identity providers."""

    items = ProviderSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null at the end.")


class WhollyChecked(Strict):
    """A provider as it would be: all that is wrong is said at once."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Say all that is wrong, each at its member."""
        faults: dict[str, list[exceptions.ErrorDetail]] = {}
        for problem in identity_providers.problems(self.context["pool"], **self.asked(attrs)):
            named = operators_name(getattr(problem, "field", ""))
            faults.setdefault(named, []).append(exceptions.ErrorDetail(wording.of(problem), problem.code))
        if faults:
            raise serializers.ValidationError(faults)
        return attrs

    def asked(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the provider as it would be."""
        raise NotImplementedError


class NewProviderSerializer(WhollyChecked):
    """An identity provider to make."""

    name = serializers.CharField(
        max_length=32, help_text="3 to 32 characters without spaces; of a social network its kind. Never changes."
    )
    kind = serializers.ChoiceField(choices=TYPES)
    details = texts(DETAILS, LONGEST)
    attribute_mapping = texts(MAPPING, 2048, default=dict)
    acr_mapping = texts(LEVELS, 64, default=dict)
    identifiers = names(default=list)
    asks_second_factor = serializers.BooleanField(default=False, help_text=ASKS)
    signs_out = serializers.BooleanField(default=False, help_text=SIGNS_OUT)

    def asked(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the provider as it would be."""
        return {key: value for key, value in attrs.items() if key not in {"asks_second_factor", "signs_out"}}


class ChangeProviderSerializer(WhollyChecked):
    """What to change of an identity provider. What is not named stays as it is."""

    details = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST, allow_blank=True),
        required=False,
        help_text=f"{DETAILS} What is not named stays; what is empty goes, and an endpoint is then found anew.",
    )
    attribute_mapping = texts(f"{MAPPING} It replaces the one that was there.", 2048, required=False)
    acr_mapping = texts(f"{LEVELS} It replaces the one that was there.", 64, required=False)
    identifiers = names(required=False)
    asks_second_factor = serializers.BooleanField(required=False, help_text=ASKS)
    signs_out = serializers.BooleanField(required=False, help_text=SIGNS_OUT)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Say all that is wrong, each at its member."""
        if not attrs:
            raise serializers.ValidationError(gettext("Name what is to be changed."))
        return super().validate(attrs)

    def asked(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the provider as it would be."""
        row = self.context["row"]
        return {
            "name": row.name,
            "kind": row.type,
            "details": {**identity_providers.given_details(row), **attrs.get("details", {})},
            "attribute_mapping": attrs.get("attribute_mapping", row.attribute_mapping),
            "acr_mapping": attrs.get("acr_mapping", row.acr_mapping),
            "identifiers": attrs.get("identifiers", identity_providers.identifiers(row)),
        }


class Providers(View):
    """Identity providers of a pool."""

    @extend_schema(
        operation_id="list_providers",
        summary="List identity providers",
        tags=["Identity providers"],
        parameters=[Paging],
        responses={200: ProviderPage, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str) -> Response:
        """Return a pool's identity providers, oldest first, without secrets."""
        pool, wanted = access.pool(pool_id), self.paging(request)
        page = identity_providers.page(pool, wanted["limit"], wanted.get("cursor"))
        content = {"items": page.rows, "next": page.token}
        return Response(ProviderPage(content, context={"pool": pool}).data)

    @extend_schema(
        operation_id="create_provider",
        summary="Create an identity provider",
        tags=["Identity providers"],
        parameters=[MADE],
        request=NewProviderSerializer,
        responses={201: ProviderSerializer, **PROBLEM},
    )
    def post(self, request: Request, pool_id: str) -> Response:
        """Make an identity provider. Apps offer it once they name it."""
        pool = access.pool(pool_id)
        wanted = NewProviderSerializer(data=request.data, context={"pool": pool})
        wanted.is_valid(raise_exception=True)
        made = identity_providers.create(pool, **wanted.validated_data, by=self.actor(request))
        where = reverse("console:api_provider", args=[pool.public_id, made.id])
        body = ProviderSerializer(made, context={"pool": pool}).data
        return Response(body, status=201, headers={"Location": where})


class Provider(View):
    """An identity provider."""

    @extend_schema(
        operation_id="get_provider",
        summary="Read an identity provider",
        tags=["Identity providers"],
        responses={200: ProviderSerializer, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str, provider_id: UUID) -> Response:
        """Return one identity provider of a pool, without its secrets."""
        del request
        pool = access.pool(pool_id)
        row = identity_providers.by_id(pool, provider_id)
        return Response(ProviderSerializer(row, context={"pool": pool}).data)

    @extend_schema(
        operation_id="change_provider",
        summary="Change an identity provider",
        tags=["Identity providers"],
        request=ChangeProviderSerializer,
        responses={200: ProviderSerializer, **PROBLEM},
    )
    def patch(self, request: Request, pool_id: str, provider_id: UUID) -> Response:
        """Change an identity provider. What is not named stays as it is, secrets too."""
        pool = access.pool(pool_id)
        row = identity_providers.by_id(pool, provider_id)
        wanted = ChangeProviderSerializer(data=request.data, context={"pool": pool, "row": row})
        wanted.is_valid(raise_exception=True)
        changed = identity_providers.update(
            pool, row.name, changes=wanted.validated_data, keeps_details=True, by=self.actor(request)
        )
        return Response(ProviderSerializer(changed, context={"pool": pool}).data)

    @extend_schema(
        operation_id="delete_provider",
        summary="Delete an identity provider",
        tags=["Identity providers"],
        request=None,
        responses={204: None, **PROBLEM},
    )
    def delete(self, request: Request, pool_id: str, provider_id: UUID) -> Response:
        """Delete an identity provider: nobody signs in by it any more. People, and apps that name it, stay."""
        pool = access.pool(pool_id)
        row = identity_providers.by_id(pool, provider_id)
        identity_providers.delete(pool, row.name, by=self.actor(request))
        return Response(status=204)
