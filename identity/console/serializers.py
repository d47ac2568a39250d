"""Shapes of the management API: what comes in, what goes out. The schema is made from these."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from identity.console import wording
from identity.console.setting_names import operators_name
from identity.foundation import names
from pools.services.people import users
from pools.services.pools import app_clients, client_rules, client_settings, pool_choices, pool_rules, pool_settings
from pools.services.pools.settings_table import Check, Choice, Control, Table

FLOWS = ("code", "client_credentials")
STATUSES = ("UNCONFIRMED", "CONFIRMED", "RESET_REQUIRED", "FORCE_CHANGE_PASSWORD", "EXTERNAL_PROVIDER")
LIMIT = 60
MOST_OPTIONS = 400
MOST_SECONDS = max(most for _, _, most, _, _ in client_rules.LIFETIMES.values())


class Strict(serializers.Serializer[Any]):
    """A shape that refuses members it does not know, so that a misspelt one is not silently ignored."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - DRF's signature
        """Check names and values, and tell of both."""
        strange = data.keys() - self.fields.keys() if isinstance(data, dict) else set()
        faults: dict[str, Any] = {name: [gettext("No such member.")] for name in sorted(map(str, strange))}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as problem:
            if not isinstance(problem.detail, dict):
                raise
            raise serializers.ValidationError({**problem.detail, **faults}) from None
        if faults:
            raise serializers.ValidationError(faults)
        return values


class Paging(serializers.Serializer[Any]):
    """Which page is wanted."""

    limit = serializers.IntegerField(min_value=1, max_value=LIMIT, default=25, help_text="How many; 60 at most.")
    cursor = serializers.CharField(max_length=2048, required=False, help_text="`next` of the page before.")


class UserPaging(Paging):
    """Which users are wanted."""

    filter = serializers.CharField(
        max_length=2048,
        required=False,
        help_text='As Cognito\'s ListUsers has it: `email = "jo@example.com"` or `username ^= "jo"`.',
    )


def judged(problems: Check, name: str) -> str:
    """Return a name that a rule of the services finds nothing wrong with.

    Raises:
        ValidationError: all that is wrong, each with its code.

    """
    if found := list(problems(name, "name")):
        raise serializers.ValidationError([exceptions.ErrorDetail(wording.of(each), each.code) for each in found])
    return name


def chosen(name: str) -> Choice:
    """Return what operators choose by this name."""
    return {**pool_settings.TABLE.choices, **client_settings.TABLE.choices}[name][1]


def field(choice: Choice, *, is_told: bool = False, **more: Any) -> serializers.Field[Any, Any, Any, Any]:
    """Return the field of what operators choose; ``is_told``, of what is set, where the wire API takes others too."""
    match choice.control:
        case Control.SWITCH:
            return serializers.BooleanField(help_text=choice.help, **more)
        case Control.ONE_OF:
            return serializers.ChoiceField(choices=tuple(choice.options or ()), help_text=choice.help, **more)
        case Control.SEVERAL_OF:
            one: serializers.Field[Any, Any, Any, Any] = serializers.ChoiceField(choices=tuple(choice.options or ()))
            if choice.options_of or is_told:  # which there are, the row says
                one = serializers.CharField(max_length=128)
                more = {"max_length": MOST_OPTIONS, **more}
            return serializers.ListField(child=one, help_text=choice.help, **more)
        case Control.LINES:
            line = serializers.CharField(max_length=1024)
            return serializers.ListField(child=line, max_length=100, help_text=choice.help, **more)
        case Control.DURATION:
            return serializers.IntegerField(
                min_value=0, max_value=MOST_SECONDS, help_text=f"{choice.label}, in seconds.", **more
            )
        case Control.NUMBER:
            return serializers.IntegerField(
                min_value=choice.least, max_value=choice.most, help_text=choice.help, **more
            )
    return serializers.CharField(max_length=128, help_text=choice.help, **more)


class Shown(serializers.Serializer[Any]):
    """A pool or an app as it is: what a serializer names itself, and what operators choose by the table of settings."""

    def table(self) -> Table:
        """Return the table."""
        raise NotImplementedError

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return all members."""
        chosen = {name: field(choice, is_told=True) for name, (_, choice) in self.table().choices.items()}
        return {**super().get_fields(), **chosen}


class Changes(Strict):
    """What to change: any of what operators choose. What is not named stays as it is."""

    def table(self) -> Table:
        """Return the table of settings."""
        raise NotImplementedError

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return all members, none of them required."""
        return {name: field(choice, required=False) for name, (_, choice) in self.table().choices.items()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Say all that is wrong, each at its member."""
        if not attrs:
            raise serializers.ValidationError(gettext("Name what is to be changed."))
        table, row = self.table(), self.context["row"]
        changes: dict[str, Any] = {}
        for name in table.choices:
            if name in attrs:
                changes |= table.choices[name][0].given_by(attrs[name], row)
        faults: dict[str, list[exceptions.ErrorDetail]] = {}
        for problem in table.problems_of_change(row, table.read(changes)):
            named = operators_name(getattr(problem, "field", ""))
            faults.setdefault(named, []).append(exceptions.ErrorDetail(wording.of(problem), problem.code))
        if faults:
            raise serializers.ValidationError(faults)
        return changes


class PoolSerializer(Shown):
    """A user pool."""

    id = serializers.CharField(source="public_id")
    arn = serializers.SerializerMethodField()
    issuer = serializers.SerializerMethodField()
    username_attributes = serializers.ListField(child=serializers.CharField())
    alias_attributes = serializers.ListField(child=serializers.CharField())
    case_sensitive = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    modified_at = serializers.DateTimeField()

    def table(self) -> Table:
        """Return the table of pools' settings."""
        return pool_settings.TABLE

    def get_arn(self, pool: Any) -> str:  # noqa: ANN401 - a row; the schema is made from types that exist at run time
        """Return the ARN."""
        return names.pool_arn(pool.public_id)

    def get_issuer(self, pool: Any) -> str:  # noqa: ANN401 - a row; the schema is made from types that exist at run time
        """Return the issuer."""
        return names.issuer(pool.public_id)


class NewPoolSerializer(Strict):
    """A user pool to make. Usernames are not case-sensitive; what is not said here is as in Cognito."""

    name = serializers.CharField(max_length=128)
    sign_in = serializers.ChoiceField(
        choices=tuple(pool_choices.SIGN_IN), help_text="How people sign in. Cannot be changed once the pool is made."
    )
    admin_only_sign_up = serializers.BooleanField(default=False, help_text="Whether only operators add people.")
    mfa = field(chosen("mfa"), default="OFF")
    recent_proof = field(chosen("recent_proof"), default=True)

    def validate_name(self, name: str) -> str:
        """Refuse what a pool cannot be called, beside whatever else is wrong."""
        return judged(pool_rules.name_problems, name)

    def settings(self) -> dict[str, Any]:
        """Return what the service is asked for."""
        return pool_choices.settings(**{key: value for key, value in self.validated_data.items() if key != "name"})


class ChangePoolSerializer(Changes):
    """What to change of a pool."""

    def table(self) -> Table:
        """Return the table of pools' settings."""
        return pool_settings.TABLE


class AppSerializer(Shown):
    """An app client, without its secret."""

    client_id = serializers.CharField()
    confidential = serializers.BooleanField(help_text="Whether it has a secret.")
    registered = serializers.CharField(
        help_text="How it registered itself: `token`, with a token; `openly`, without one; empty, where it did not."
    )
    oauth_flows = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    auth_flows = serializers.SerializerMethodField(help_text="Sign-in flows of the wire API that are open to it.")
    created_at = serializers.DateTimeField()
    modified_at = serializers.DateTimeField()

    def table(self) -> Table:
        """Return the table of apps' settings."""
        return client_settings.TABLE

    def get_auth_flows(self, client: Any) -> list[str]:  # noqa: ANN401 - a row; the schema is made from types that exist at run time
        """Return the flows as they are in effect."""
        return sorted(app_clients.effective_flows(client))


class MadeAppSerializer(AppSerializer):
    """An app client that was just made: the only answer that carries its secret."""

    secret = serializers.CharField(allow_null=True, help_text="Shown in this answer and never again.")


class NewAppSerializer(Strict):
    """What to make."""

    name = serializers.CharField(max_length=128)
    confidential = serializers.BooleanField(default=False, help_text="Whether it gets a secret.")
    oauth_flows = serializers.ListField(
        child=serializers.ChoiceField(choices=FLOWS), default=list, max_length=2, help_text="Empty: no OAuth."
    )
    scopes = serializers.ListField(child=serializers.CharField(max_length=300), default=list, max_length=50)
    callback_urls = field(chosen("callback_urls"), default=list)
    logout_urls = field(chosen("logout_urls"), default=list)
    openid_strict = field(chosen("openid_strict"), default=True)
    identity_providers = field(chosen("identity_providers"), default=["COGNITO"])

    def validate_name(self, name: str) -> str:
        """Refuse what an app cannot be called, beside whatever else is wrong."""
        return judged(client_rules.name_problems, name)

    def settings(self) -> dict[str, Any]:
        """Return what the service is asked for."""
        given = self.validated_data
        asked: dict[str, Any] = {
            "generate_secret": given["confidential"],
            "prevent_user_existence_errors": "ENABLED",
            "openid_strict": given["openid_strict"],
        }
        if given["oauth_flows"]:
            asked |= {
                "allowed_oauth_flows_user_pool_client": True,
                "allowed_oauth_flows": given["oauth_flows"],
                "allowed_oauth_scopes": given["scopes"],
                "supported_identity_providers": given["identity_providers"],
            }
        elif given["scopes"]:
            raise serializers.ValidationError({"scopes": [gettext("Scopes need an OAuth flow.")]})
        return asked | {key: given[key] for key in ("callback_urls", "logout_urls") if given[key]}


class ChangeAppSerializer(Changes):
    """What to change of an app client."""

    def table(self) -> Table:
        """Return the table of apps' settings."""
        return client_settings.TABLE


class UserSerializer(serializers.Serializer[Any]):
    """A user of a pool."""

    sub = serializers.UUIDField()
    username = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUSES)
    enabled = serializers.BooleanField()
    attributes = serializers.SerializerMethodField(help_text="By Cognito's names; every value is text.")
    created_at = serializers.DateTimeField()
    modified_at = serializers.DateTimeField()

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_attributes(self, user: Any) -> dict[str, str]:  # noqa: ANN401 - a row; the schema is made from types that exist at run time
        """Return every attribute."""
        return users.attributes_of(user)


class FaultSerializer(serializers.Serializer[Any]):
    """What is wrong with one member."""

    field = serializers.CharField()
    message = serializers.CharField(help_text="For people.")
    code = serializers.CharField(help_text="Stable; for programs.")


class ProblemSerializer(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; for programs.")
    detail = serializers.CharField(help_text="For people.")
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]  # RFC 9457 extension member


class PoolPage(serializers.Serializer[Any]):
    """Some pools."""

    items = PoolSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null at the end.")


class AppPage(serializers.Serializer[Any]):
    """Some app clients."""

    items = AppSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null at the end.")


class UserPage(serializers.Serializer[Any]):
    """Some users."""

    items = UserSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="`cursor` of the next page; null at the end.")
