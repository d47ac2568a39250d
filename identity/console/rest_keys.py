"""The management API's access keys: an operator's own. Its other addresses are ``rest``."""

from __future__ import annotations

from typing import Any, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from identity.console.rest import MADE, PROBLEM, View
from identity.console.serializers import Strict
from identity.models import Operator
from pools.services.operators import operators

ACTIONS = "As IAM writes them: `cognito-idp:AdminGetUser`, `cognito-idp:List*`. Null: everything, and this API."
POOLS = "Ids of user pools and identity pools. Null: all, and what names none."


def listed(text: str, longest: int) -> serializers.ListField:
    """Return the field of a list that may be null, which is no limit."""
    each, most = serializers.CharField(max_length=longest), operators.MOST_LIMITS
    return serializers.ListField(child=each, allow_null=True, min_length=1, max_length=most, help_text=text)


def owner(request: Request) -> Operator:
    """Return the operator who calls: :class:`View` lets nobody else in."""
    return cast("Operator", request.user)


class LimitsSerializer(Strict):
    """What a key may do, and to which pools. It replaces what was set before."""

    actions = listed(ACTIONS, operators.ACTION_LENGTH)
    pools = listed(POOLS, 64)

    def limits(self) -> operators.KeyLimits:
        """Return what the service is asked for."""
        given = self.validated_data
        return operators.KeyLimits(actions=given.get("actions"), pools=given.get("pools"))


class NewKeySerializer(LimitsSerializer):
    """An access key to make."""

    description = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="What it is for.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return all members, none of them required."""
        fields = super().get_fields()
        for name in ("actions", "pools"):
            fields[name].required = False
        return fields


class KeySerializer(serializers.Serializer[Any]):
    """An access key, without its secret."""

    id = serializers.CharField()
    description = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text=ACTIONS)
    pools = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text=POOLS)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To a quarter of an hour.")
    disabled_at = serializers.DateTimeField(allow_null=True)


class MadeKeySerializer(KeySerializer):
    """An access key that was just made: the only answer that carries its secret."""

    secret = serializers.CharField(help_text="Shown in this answer and never again.")


class KeyPage(serializers.Serializer[Any]):
    """Access keys."""

    items = KeySerializer(many=True)


class Keys(View):
    """The caller's own access keys."""

    @extend_schema(
        operation_id="list_access_keys",
        summary="List your access keys",
        tags=["Access keys"],
        responses={200: KeyPage, **PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Return the caller's access keys, newest first, a hundred at most."""
        return Response(KeyPage({"items": operators.keys(owner(request))}).data)

    @extend_schema(
        operation_id="create_access_key",
        summary="Create an access key",
        tags=["Access keys"],
        parameters=[MADE],
        request=NewKeySerializer,
        responses={201: MadeKeySerializer, **PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """Make an access key of the caller's. Its secret is in this answer and never again."""
        wanted = NewKeySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        made, secret = operators.create_key(
            owner(request),
            description=wanted.validated_data["description"],
            limits=wanted.limits(),
            by=self.actor(request),
        )
        body = {**KeySerializer(operators.own_key(owner(request), made)).data, "secret": secret}
        return Response(body, status=201, headers={"Location": reverse("console:api_key", args=[made])})


class Key(View):
    """One of the caller's access keys."""

    @extend_schema(
        operation_id="get_access_key",
        summary="Read an access key",
        tags=["Access keys"],
        responses={200: KeySerializer, **PROBLEM},
    )
    def get(self, request: Request, key_id: str) -> Response:
        """Return one of the caller's live access keys, without its secret."""
        return Response(KeySerializer(operators.own_key(owner(request), key_id)).data)


class LimitKey(View):
    """What one of the caller's access keys may do."""

    @extend_schema(
        operation_id="limit_access_key",
        summary="Limit an access key",
        tags=["Access keys"],
        request=LimitsSerializer,
        responses={200: KeySerializer, **PROBLEM},
    )
    def put(self, request: Request, key_id: str) -> Response:
        """Say anew what a key may do, and to which pools: it holds from the key's next call on."""
        wanted = LimitsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        operators.own_key(owner(request), key_id)
        operators.limit_key(key_id, wanted.limits(), by=self.actor(request))
        return Response(KeySerializer(operators.own_key(owner(request), key_id)).data)


class DisableKey(View):
    """The end of one of the caller's access keys."""

    @extend_schema(
        operation_id="disable_access_key",
        summary="Disable an access key",
        tags=["Access keys"],
        request=None,
        responses={204: None, **PROBLEM},
    )
    def post(self, request: Request, key_id: str) -> Response:
        """End a key for good: what it signs is refused from its next call on."""
        operators.own_key(owner(request), key_id)
        operators.disable_key(key_id, by=self.actor(request))
        return Response(status=204)
