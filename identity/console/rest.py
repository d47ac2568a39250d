"""The management API: the console's verbs as JSON. Django REST framework appears here and in what this module imports.

Who calls is ``callers``, how it refuses ``problems``, what comes in and goes out ``serializers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, negotiation, parsers, permissions, throttling
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from identity.console import problems, rest_problems, serializers
from identity.console.callers import AccessKey, Session
from identity.foundation import errors, limits
from identity.foundation.actor import Actor
from pools.services import access
from pools.services.people import users
from pools.services.pools import app_clients, client_secrets, user_pools

CALLS_A_MINUTE = 1200
REFUSED_A_MINUTE = 120
PROBLEM = {("default", problems.CONTENT_TYPE): OpenApiResponse(serializers.ProblemSerializer, description="Refused.")}

MADE = OpenApiParameter("Location", str, OpenApiParameter.HEADER, description="Where it is read.", response=[201])


class Rate(throttling.BaseThrottle):
    """So many calls a minute of an operator; addresses that prove nothing are counted in :meth:`View.initial`."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Take one from the window."""
        del view
        return limits.take("api", str(request.user.pk), limit=CALLS_A_MINUTE, window=60)

    def wait(self) -> float:
        """Say when to come back."""
        return 60.0


class DeepJson(parsers.JSONParser):
    """JSON whose depth is the sender's fault, not a failure of ours."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:  # noqa: ANN401
        """Read the body."""
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise exceptions.ParseError("The body is nested too deeply.") from None


class JsonOnly(negotiation.BaseContentNegotiation):
    """JSON for everyone: a browser that asks for a page gets the answer, not 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ANN401 - DRF's signature
        """Return the parser for the sent type."""
        return negotiation.DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ANN401
        """Return the one renderer."""
        del request, format_suffix
        return renderers[0], renderers[0].media_type


class View(APIView):
    """What every address of the API has: who may call, how often, how it refuses."""

    authentication_classes = (AccessKey, Session)
    permission_classes: Sequence[type[permissions.BasePermission]] = (permissions.IsAuthenticated,)
    throttle_classes = (Rate,)
    parser_classes = (DeepJson,)
    content_negotiation_class = JsonOnly

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in, and slow down an address that keeps failing to prove itself."""
        try:
            super().initial(request, *args, **kwargs)
        except (exceptions.AuthenticationFailed, exceptions.NotAuthenticated):
            address = request._request.address  # type: ignore[attr-defined]  # noqa: SLF001
            if not limits.take("api-refused", address, limit=REFUSED_A_MINUTE, window=60):
                raise exceptions.Throttled(60) from None
            raise

    def get_exception_handler(self) -> Any:  # noqa: ANN401 - DRF's signature
        """Refuse by problem JSON."""
        return rest_problems.handle

    def actor(self, request: Request) -> Actor:
        """Return who acts."""
        inner = request._request  # noqa: SLF001
        return Actor.operator(request.user.pk, address=inner.address, request_id=inner.request_id)  # type: ignore[attr-defined]

    def paging(self, request: Request, kind: type[serializers.Paging] = serializers.Paging) -> dict[str, Any]:
        """Read which page is wanted."""
        wanted = kind(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        return dict(wanted.validated_data)


class Nothing(View):
    """Any other address below ``/api/``."""

    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Say so, to whoever asks and however."""
        del request, args, kwargs
        raise errors.NotFound("There is nothing at this address.")


class Pools(View):
    """Pools of this installation."""

    @extend_schema(
        operation_id="list_pools",
        summary="List pools",
        tags=["Pools"],
        parameters=[serializers.Paging],
        responses={200: serializers.PoolPage, **PROBLEM},
    )
    def get(self, request: Request) -> Response:
        """Return user pools, oldest first."""
        wanted = self.paging(request)
        page = user_pools.page(wanted["limit"], wanted.get("cursor"))
        return Response(serializers.PoolPage({"items": page.rows, "next": page.token}).data)

    @extend_schema(
        operation_id="create_pool",
        summary="Create a pool",
        tags=["Pools"],
        parameters=[MADE],
        request=serializers.NewPoolSerializer,
        responses={201: serializers.PoolSerializer, **PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """Make a user pool. How people sign in, and which attributes everyone needs, cannot be changed later."""
        wanted = serializers.NewPoolSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        made = user_pools.create(wanted.validated_data["name"], settings=wanted.settings(), by=self.actor(request))
        where = reverse("console:api_pool", args=[made.public_id])
        return Response(serializers.PoolSerializer(made).data, status=201, headers={"Location": where})


class Pool(View):
    """A pool."""

    @extend_schema(
        operation_id="get_pool",
        summary="Read a pool",
        tags=["Pools"],
        responses={200: serializers.PoolSerializer, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str) -> Response:
        """Return one user pool."""
        del request
        return Response(serializers.PoolSerializer(access.pool(pool_id)).data)

    @extend_schema(
        operation_id="change_pool",
        summary="Change a pool",
        tags=["Pools"],
        request=serializers.ChangePoolSerializer,
        responses={200: serializers.PoolSerializer, **PROBLEM},
    )
    def patch(self, request: Request, pool_id: str) -> Response:
        """Change settings of a pool. What is not named stays as it is."""
        pool = access.pool(pool_id)
        wanted = serializers.ChangePoolSerializer(data=request.data, context={"row": pool})
        wanted.is_valid(raise_exception=True)
        changed = user_pools.update(pool, wanted.validated_data, by=self.actor(request))
        return Response(serializers.PoolSerializer(changed).data)


class Apps(View):
    """App clients of a pool."""

    @extend_schema(
        operation_id="list_apps",
        summary="List app clients",
        tags=["Apps"],
        parameters=[serializers.Paging],
        responses={200: serializers.AppPage, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str) -> Response:
        """Return a pool's app clients, oldest first, without secrets."""
        pool, wanted = access.pool(pool_id), self.paging(request)
        page = app_clients.page(pool, wanted["limit"], wanted.get("cursor"))
        return Response(serializers.AppPage({"items": page.rows, "next": page.token}).data)

    @extend_schema(
        operation_id="create_app",
        summary="Create an app client",
        tags=["Apps"],
        parameters=[MADE],
        request=serializers.NewAppSerializer,
        responses={201: serializers.MadeAppSerializer, **PROBLEM},
    )
    def post(self, request: Request, pool_id: str) -> Response:
        """Make an app client. Its secret, if it has one, is in this answer and never again."""
        pool = access.pool(pool_id)
        wanted = serializers.NewAppSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        name = wanted.validated_data["name"]
        made = app_clients.create(pool, name, settings=wanted.settings(), by=self.actor(request))
        secrets = client_secrets.values(made)
        body = {**serializers.AppSerializer(made).data, "secret": secrets[0] if secrets else None}
        where = reverse("console:api_app", args=[pool.public_id, made.client_id])
        return Response(body, status=201, headers={"Location": where})


class App(View):
    """An app client."""

    @extend_schema(
        operation_id="get_app",
        summary="Read an app client",
        tags=["Apps"],
        responses={200: serializers.AppSerializer, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str, client_id: str) -> Response:
        """Return one app client of a pool, without its secret."""
        del request
        return Response(serializers.AppSerializer(access.client_in(access.pool(pool_id), client_id)).data)

    @extend_schema(
        operation_id="change_app",
        summary="Change an app client",
        tags=["Apps"],
        request=serializers.ChangeAppSerializer,
        responses={200: serializers.AppSerializer, **PROBLEM},
    )
    def patch(self, request: Request, pool_id: str, client_id: str) -> Response:
        """Change settings of an app client. What is not named stays as it is."""
        client = access.client_in(access.pool(pool_id), client_id)
        wanted = serializers.ChangeAppSerializer(data=request.data, context={"row": client})
        wanted.is_valid(raise_exception=True)
        changed = app_clients.update(client, wanted.validated_data, by=self.actor(request))
        return Response(serializers.AppSerializer(changed).data)


class Users(View):
    """Users of a pool."""

    @extend_schema(
        operation_id="list_users",
        summary="List users",
        tags=["Users"],
        parameters=[serializers.UserPaging],
        responses={200: serializers.UserPage, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str) -> Response:
        """Return a pool's users, those that the filter names."""
        pool, wanted = (access.pool(pool_id), self.paging(request, serializers.UserPaging))
        page = users.page(pool, wanted["limit"], wanted.get("cursor"), wanted.get("filter"))
        return Response(serializers.UserPage({"items": page.rows, "next": page.token}).data)


class User(View):
    """A user."""

    @extend_schema(
        operation_id="get_user",
        summary="Read a user",
        tags=["Users"],
        responses={200: serializers.UserSerializer, **PROBLEM},
    )
    def get(self, request: Request, pool_id: str, sub: UUID) -> Response:
        """Return one user of a pool."""
        del request
        return Response(serializers.UserSerializer(access.user_by_sub(access.pool(pool_id), sub)).data)


class SetUser(View):
    """Whether a user may sign in."""

    enabled: ClassVar[bool]

    def change(self, request: Request, pool_id: str, sub: UUID) -> Response:
        """Set it, and return the user as they are then."""
        pool = access.pool(pool_id)
        users.set_enabled(pool, access.user_by_sub(pool, sub), self.enabled, by=self.actor(request))
        return Response(serializers.UserSerializer(access.user_by_sub(pool, sub)).data)


class DisableUser(SetUser):
    """Keep a user out."""

    enabled = False

    @extend_schema(
        operation_id="disable_user",
        summary="Disable a user",
        tags=["Users"],
        request=None,
        responses={200: serializers.UserSerializer, **PROBLEM},
    )
    def post(self, request: Request, pool_id: str, sub: UUID) -> Response:
        """End a user's sessions and tokens at once and refuse their sign-ins. Nothing is deleted."""
        return self.change(request, pool_id, sub)


class EnableUser(SetUser):
    """Let a user back in."""

    enabled = True

    @extend_schema(
        operation_id="enable_user",
        summary="Enable a user",
        tags=["Users"],
        request=None,
        responses={200: serializers.UserSerializer, **PROBLEM},
    )
    def post(self, request: Request, pool_id: str, sub: UUID) -> Response:
        """Let a disabled user sign in again."""
        return self.change(request, pool_id, sub)
